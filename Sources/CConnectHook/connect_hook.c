#define _GNU_SOURCE
#include "connect_hook.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif
#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE 51
#endif
#ifndef IPV6_FREEBIND
#define IPV6_FREEBIND 78
#endif

typedef int (*connect_function)(int, const struct sockaddr *, socklen_t);
typedef ssize_t (*recv_function)(int, void *, size_t, int);
typedef ssize_t (*send_function)(int, const void *, size_t, int);
typedef int (*shutdown_function)(int, int);

static connect_function libc_connect;
static recv_function libc_recv;
static send_function libc_send;
static shutdown_function libc_shutdown;
static __thread struct dial_policy *installed __attribute__((tls_model("initial-exec")));

__attribute__((constructor)) static void find_libc_calls(void) {
    libc_connect = (connect_function)dlsym(RTLD_NEXT, "connect");
    libc_recv = (recv_function)dlsym(RTLD_NEXT, "recv");
    libc_send = (send_function)dlsym(RTLD_NEXT, "send");
    libc_shutdown = (shutdown_function)dlsym(RTLD_NEXT, "shutdown");
}

void dial_policy_install(struct dial_policy *policy) { installed = policy; }

static int failed(struct dial_policy *policy, enum dial_call call, int error) {
    policy->failed_call = call;
    policy->failed_errno = error;
    errno = error;
    return -1;
}

// Whether a descriptor is one of the last that the process may have.
static int is_reserved(int descriptor) {
    // The limit is asked for again only where the one last seen would forbid the dial.
    static _Atomic rlim_t seen;
    rlim_t needed = (rlim_t)descriptor + DIAL_RESERVED_DESCRIPTORS;
    if (needed < seen) return 0;
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
    seen = limit.rlim_cur;
    return needed >= limit.rlim_cur;
}

// Sets what the policy asks for beyond a socket's defaults; one call for each, none where nothing is asked for.
static int set_options(const struct dial_policy *policy, int descriptor) {
    int on = 1;
    if (policy->reuse != DIAL_REUSE_OFF) {
        int option = policy->reuse == DIAL_REUSE_PORT ? SO_REUSEPORT : SO_REUSEADDR;
        if (setsockopt(descriptor, SOL_SOCKET, option, &on, sizeof on) != 0) return -1;
    }
    if (policy->reset_on_close) {
        struct linger linger = {.l_onoff = 1, .l_linger = 0};
        if (setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, sizeof linger) != 0) return -1;
    }
    if (policy->local_port_range != 0) {
        uint32_t range = policy->local_port_range;
        if (setsockopt(descriptor, IPPROTO_IP, IP_LOCAL_PORT_RANGE, &range, sizeof range) != 0) return -1;
    }
    return 0;
}

static int has_source(const struct dial_policy *policy, int family) {
    if (family == AF_INET) return policy->source_address != 0;
    return policy->source_ipv6[0] != 0 || policy->source_ipv6[1] != 0;
}

static int bind_source(const struct dial_policy *policy, int descriptor, int family) {
    int on = 1;
    if (policy->late_bind) (void)setsockopt(descriptor, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    if (family == AF_INET) {
        struct sockaddr_in source = {.sin_family = AF_INET, .sin_addr.s_addr = policy->source_address};
        return bind(descriptor, (struct sockaddr *)&source, sizeof source);
    }
    // Without it only addresses of interfaces can be bound, those of a local route cannot. A kernel that does not know
    // it fails bind() then.
    (void)setsockopt(descriptor, IPPROTO_IPV6, IPV6_FREEBIND, &on, sizeof on);
    struct sockaddr_in6 source = {.sin6_family = AF_INET6};
    memcpy(&source.sin6_addr, policy->source_ipv6, sizeof source.sin6_addr);
    return bind(descriptor, (struct sockaddr *)&source, sizeof source);
}

// A dial to loopback is settled by the time connect() returns EINPROGRESS unless the
// server's accept queue is full. Then it is kept pending, so that no thread waits for it.
// connect() once more tells: EALREADY while it goes on, else what it came to (connect(2)).
static int settle(struct dial_policy *policy, int descriptor, const struct sockaddr *address, socklen_t length) {
    if (libc_connect(descriptor, address, length) == 0) return 0;
    if (errno != EALREADY) return failed(policy, DIAL_CALL_CONNECT, errno);
    int duplicate = fcntl(descriptor, F_DUPFD_CLOEXEC, 3);
    if (duplicate < 0) return failed(policy, DIAL_CALL_DUP, errno);
    policy->pending = duplicate;
    errno = ECONNREFUSED;
    return -1;
}

int connect(int descriptor, const struct sockaddr *address, socklen_t length) {
    struct dial_policy *policy = installed;
    if (policy == NULL) return libc_connect(descriptor, address, length);

    policy->reached = 1;
    policy->descriptor = descriptor;
    if (policy->refuse) return failed(policy, DIAL_CALL_CONNECT, ECONNRESET);
    // For a get of several keys libmemcached dials again with each key, as long as it fails. One dial a policy: a later
    // one that succeeded would be a connection that nobody counts, with half of the keys.
    if (policy->failed_call != DIAL_CALL_NONE) {
        errno = policy->failed_errno;
        return -1;
    }
    if (policy->pending >= 0) {
        errno = ECONNREFUSED;
        return -1;
    }
    if (is_reserved(descriptor)) return failed(policy, DIAL_CALL_SOCKET, EMFILE);
    if (policy->adopt >= 0) {
        int adopted = dup3(policy->adopt, descriptor, O_CLOEXEC);
        int error = errno;
        close(policy->adopt);
        policy->adopt = -1;
        return adopted < 0 ? failed(policy, DIAL_CALL_DUP, error) : 0;
    }

    struct sockaddr_in destination;
    int is_ipv4 = address->sa_family == AF_INET;
    if (is_ipv4 || address->sa_family == AF_INET6) {
        if (is_ipv4 && policy->destination_address != 0 && length >= sizeof destination) {
            memcpy(&destination, address, sizeof destination);
            destination.sin_addr.s_addr = policy->destination_address;
            address = (struct sockaddr *)&destination;
            length = sizeof destination;
        }
        if (set_options(policy, descriptor) != 0) return failed(policy, DIAL_CALL_SETSOCKOPT, errno);
        int family = address->sa_family;
        if (has_source(policy, family) && bind_source(policy, descriptor, family) != 0)
            return failed(policy, DIAL_CALL_BIND, errno);
        // The request follows at once and carries the handshake's last acknowledgement with it: one packet less. tcp(7)
        int off = 0;
        (void)setsockopt(descriptor, IPPROTO_TCP, TCP_QUICKACK, &off, sizeof off);
    }
    if (libc_connect(descriptor, address, length) == 0) return 0;
    if (errno != EINPROGRESS) return failed(policy, DIAL_CALL_CONNECT, errno);
    return settle(policy, descriptor, address, length);
}

ssize_t recv(int descriptor, void *buffer, size_t capacity, int flags) {
    struct dial_policy *policy = installed;
    if (policy == NULL || (policy->received_count == 0 && !policy->sealed))
        return libc_recv(descriptor, buffer, capacity, flags);
    size_t count = capacity < policy->received_count ? capacity : policy->received_count;
    memcpy(buffer, policy->received, count);
    policy->received = (const char *)policy->received + count;
    policy->received_count -= count;
    return (ssize_t)count;
}

// Keeps what there is no room for. It comes in pieces of libmemcached's buffer.
static ssize_t keep(struct dial_policy *policy, const void *buffer, size_t count) {
    char *grown = realloc(policy->unsent, policy->unsent_count + count);
    if (grown == NULL) return -1;
    memcpy(grown + policy->unsent_count, buffer, count);
    policy->unsent = grown;
    policy->unsent_count += count;
    return 0;
}

ssize_t send(int descriptor, const void *buffer, size_t count, int flags) {
    struct dial_policy *policy = installed;
    if (policy == NULL) return libc_send(descriptor, buffer, count, flags);
    if (policy->closing) {
        errno = EPIPE;
        return -1;
    }
    ssize_t sent = 0;
    if (policy->unsent_count == 0) {
        sent = libc_send(descriptor, buffer, count, flags);
        if (sent == (ssize_t)count || (sent < 0 && errno != EAGAIN)) return sent;
        if (sent < 0) sent = 0;
    }
    return keep(policy, (const char *)buffer + sent, count - (size_t)sent) == 0 ? (ssize_t)count : -1;
}

int shutdown(int descriptor, int how) {
    struct dial_policy *policy = installed;
    return policy != NULL && policy->closing ? 0 : libc_shutdown(descriptor, how);
}
