#define _GNU_SOURCE
#include "linux_route.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct request {
    struct nlmsghdr header;
    struct rtmsg route;
    char attributes[64];
};

static struct request request(int type, int flags, int family, const void *address, int length) {
    struct request made;
    memset(&made, 0, sizeof made);
    made.header.nlmsg_len = NLMSG_LENGTH(sizeof made.route);
    made.header.nlmsg_type = (unsigned short)type;
    made.header.nlmsg_flags = (unsigned short)(NLM_F_REQUEST | flags);
    made.route.rtm_family = (unsigned char)family;
    made.route.rtm_dst_len = (unsigned char)length;
    unsigned short octets = family == AF_INET ? 4 : 16;
    struct rtattr *attribute = (struct rtattr *)made.attributes;
    attribute->rta_type = RTA_DST;
    attribute->rta_len = RTA_LENGTH(octets);
    memcpy(RTA_DATA(attribute), address, octets);
    made.header.nlmsg_len += RTA_SPACE(octets);
    return made;
}

// Sends a request and receives the kernel's answer, which comes before send() returns; 0 or an errno.
static int converse(const struct request *request, void *answer, size_t size) {
    int channel = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (channel < 0) return errno;
    int error = 0;
    ssize_t count;
    if (send(channel, request, request->header.nlmsg_len, 0) < 0) {
        error = errno;
    } else {
        do count = recv(channel, answer, size, MSG_DONTWAIT);
        while (count < 0 && errno == EINTR);
        if (count < 0) error = errno;
        else if ((size_t)count < sizeof(struct nlmsghdr)) error = EPROTO;
    }
    close(channel);
    if (error != 0) return error;
    const struct nlmsghdr *header = answer;
    if (header->nlmsg_type != NLMSG_ERROR) return 0;
    if (header->nlmsg_len < NLMSG_LENGTH(sizeof(struct nlmsgerr))) return EPROTO;
    return -((const struct nlmsgerr *)NLMSG_DATA(header))->error;
}

int linux_add_local_route(int family, const void *address, int length) {
    struct request made = request(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, family, address, length);
    made.route.rtm_table = RT_TABLE_LOCAL;
    made.route.rtm_protocol = RTPROT_BOOT;
    made.route.rtm_scope = RT_SCOPE_HOST;
    made.route.rtm_type = RTN_LOCAL;
    unsigned loopback = if_nametoindex("lo");
    struct rtattr *attribute = (struct rtattr *)((char *)&made + made.header.nlmsg_len);
    attribute->rta_type = RTA_OIF;
    attribute->rta_len = RTA_LENGTH(sizeof loopback);
    memcpy(RTA_DATA(attribute), &loopback, sizeof loopback);
    made.header.nlmsg_len += RTA_SPACE(sizeof loopback);
    char answer[512] __attribute__((aligned(8)));
    int error = converse(&made, answer, sizeof answer);
    return error == EEXIST ? 0 : error;
}

int linux_is_local(int family, const void *address) {
    struct request made = request(RTM_GETROUTE, 0, family, address, family == AF_INET ? 32 : 128);
    char answer[1024] __attribute__((aligned(8)));
    int error = converse(&made, answer, sizeof answer);
    if (error == ENETUNREACH || error == EHOSTUNREACH || error == EINVAL) return 0;
    const struct nlmsghdr *header = (const struct nlmsghdr *)answer;
    if (error != 0 || header->nlmsg_type != RTM_NEWROUTE || header->nlmsg_len < NLMSG_LENGTH(sizeof(struct rtmsg)))
        return -1;
    return ((const struct rtmsg *)NLMSG_DATA(header))->rtm_type == RTN_LOCAL;
}
