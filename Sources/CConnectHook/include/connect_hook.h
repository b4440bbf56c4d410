// The dial policy: how the connect() calls that libmemcached makes inside itself are
// steered. libmemcached has no interface for a source address, so this target defines
// `connect` in the executable, where the dynamic linker finds it before the C library's.
// `recv` is defined beside it, so that libmemcached reads a reply that was received whole
// and found to be one, and nothing else; `send`, so that it does not wait for room to send
// in; `send` and `shutdown`, so that a connection is closed as Go closes one: with close(),
// and not a word before it.
//
// Contract
// - A thread without a policy gets the C library's calls, nothing added.
// - A thread with a policy has exactly one: the last one installed. Only that thread
//   reads or writes it while it is installed.
// - errno after a failing call is the kernel's, except where the dial is kept pending.
#pragma once

#include <stddef.h>
#include <stdint.h>

// Descriptors that no dial takes, of those RLIMIT_NOFILE allows: a dial that would fails with EMFILE.
// They are for accepting callers, writing logs and reading /proc. libdispatch kills a process in which it
// cannot open the files of its own threads there.
enum { DIAL_RESERVED_DESCRIPTORS = 32 };

enum dial_call {
    DIAL_CALL_NONE = 0,
    DIAL_CALL_BIND = 1,
    DIAL_CALL_CONNECT = 2,
    DIAL_CALL_DUP = 3,
    DIAL_CALL_SOCKET = 4,
    DIAL_CALL_SETSOCKOPT = 5,
};

enum dial_reuse {
    DIAL_REUSE_OFF = 0,
    // SO_REUSEADDR
    DIAL_REUSE_ADDRESS = 1,
    // SO_REUSEPORT
    DIAL_REUSE_PORT = 2,
};

struct dial_policy {
    // In. Addresses are IPv4 in network byte order; 0 leaves the kernel's or the caller's choice.
    uint32_t source_address;
    uint32_t destination_address;
    // In. The source of dials over IPv6, its octets in reading order; all 0 leaves the kernel's choice. It need not be
    // an interface's: IPV6_FREEBIND (ipv6(7)).
    uint64_t source_ipv6[2];
    // In. Set IP_BIND_ADDRESS_NO_PORT, so that the port is chosen at connect() (ip(7)).
    int late_bind;
    // In. What of addresses and ports the socket shares with others, as enum dial_reuse (socket(7)).
    int reuse;
    // In. close() sends a reset and leaves no TIME_WAIT: SO_LINGER {1, 0} (socket(7)).
    int reset_on_close;
    // In. The ports connect() and bind() choose among: IP_LOCAL_PORT_RANGE, the highest in the upper
    // sixteen bits (ip(7)). 0 leaves the namespace's.
    uint32_t local_port_range;
    // In. A connected socket to put in place of the one being dialled, or -1. Consumed.
    int adopt;
    // In. Refuse to dial: a pooled connection that broke must not be redialled unseen.
    int refuse;
    // In. The connection is being closed: nothing is sent on it, and close() alone ends it.
    int closing;
    // In. Bytes received already: recv() hands these out before it asks the socket. What is
    // left of them afterwards libmemcached did not want.
    const void *received;
    size_t received_count;
    // In. recv() ends with those bytes, as if the connection did: libmemcached neither reads
    // from the socket nor waits for it.
    int sealed;

    // Out. What was sent and found no room in the socket, for the caller to send and to free();
    // libmemcached was told that all of it went out.
    void *unsent;
    size_t unsent_count;
    // Out. Nonzero when connect() was reached.
    int reached;
    // Out. The descriptor libmemcached dialled with.
    int descriptor;
    // Out. The call that failed, as enum dial_call, and its errno. Then there is no further dial under this policy.
    int failed_call;
    int failed_errno;
    // Out. A duplicate of a socket still connecting, or -1. The caller owns it and
    // brings it back through `adopt` once it is writable. libmemcached saw ECONNREFUSED.
    int pending;
};

// Installs `policy` for the calling thread; NULL removes it. The policy must outlive its stay.
void dial_policy_install(struct dial_policy *policy);
