// Routes of the calling thread's network namespace, asked for and added over netlink. rtnetlink(7)
#pragma once

// Makes all addresses of a prefix this machine's own, as `ip route add local PREFIX dev lo` does: 0, also where they
// are already, or an errno.
// - family: AF_INET or AF_INET6; address: its octets in reading order; length: leading bits.
int linux_add_local_route(int family, const void *address, int length);

// Whether what is sent to an address stays here, as it is one of this machine's own: 1 or 0, or -1 where the kernel
// does not say.
int linux_is_local(int family, const void *address);
