// The Linux calls and constants that Swift cannot import: macros, structures of the
// kernel's own headers, and fork(), which Swift marks unavailable.
#pragma once

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <stdint.h>
#include <sys/types.h>

// The symbolic name of an errno, such as "EADDRINUSE", or NULL. strerrorname_np(3).
const char *linux_errno_name(int error);

// The next connection, non-blocking and close-on-exec; -1 and errno. accept4(2).
int linux_accept(int listener);
// A pipe, close-on-exec at both ends; 0, or -1 and errno. pipe2(2)
int linux_pipe(int ends[2]);
// Names the calling thread; 15 bytes are kept. pthread_setname_np(3).
void linux_name_thread(const char *name);
// How late the timers of the calling thread may end, so that they can be gathered. prctl(2) PR_SET_TIMERSLACK
void linux_set_timer_slack(unsigned long nanoseconds);

// A new user namespace (optional) and network namespace for the calling thread; 0 or an errno. unshare(2).
int linux_unshare_network(int with_user_namespace);
// Moves the calling thread into the network namespace a descriptor stands for; 0 or an errno. setns(2)
int linux_join_network(int namespace_descriptor);
// Brings the loopback interface of the calling thread's network namespace up; 0 or an errno.
int linux_loopback_up(void);

// Keeps freed memory up to so many bytes for the next allocation, instead of giving it back. mallopt(3)
void linux_keep_freed_memory(int bytes);
// Has what is freed at the end of the allocator's arenas given back beyond so many bytes. mallopt(3) M_TRIM_THRESHOLD
void linux_set_trim_threshold(int bytes);
// Gives freed memory back to the kernel, but for what lies at the end of arenas other than the first. malloc_trim(3)
void linux_give_back_freed_memory(void);

// Columns of a terminal, or 80 when it does not say. ioctl_tty(2) TIOCGWINSZ
int linux_terminal_columns(int descriptor);

// What a child process gets. argv and envp end with NULL.
struct linux_spawn {
    const char *path;
    char *const *argv;
    char *const *envp;
    // Descriptors for the child's standard input, output and error.
    int standard_input;
    int standard_output;
    int standard_error;
    // Soft and hard RLIMIT_NOFILE, or 0 to inherit.
    uint64_t descriptor_limit;
    // Descriptor of the cgroup.procs file of the cgroup it is in from its first instruction on, or -1. cgroups(7)
    int cgroup;
};
// Starts a child in a process group of its own that the kernel kills when the calling
// thread ends (PR_SET_PDEATHSIG). Returns 0 and the child's id, or the errno of what
// failed, exec included, and what that was, as a verb that the path may follow.
int linux_spawn(const struct linux_spawn *spawn, pid_t *child, const char **call);

// The kernel's TCP state numbers that sock_diag reports.
enum linux_tcp_state {
    LINUX_TCP_ESTABLISHED = 1,
    LINUX_TCP_SYN_SENT,
    LINUX_TCP_SYN_RECV,
    LINUX_TCP_FIN_WAIT1,
    LINUX_TCP_FIN_WAIT2,
    LINUX_TCP_TIME_WAIT,
    LINUX_TCP_CLOSE,
    LINUX_TCP_CLOSE_WAIT,
    LINUX_TCP_LAST_ACK,
    LINUX_TCP_LISTEN,
    LINUX_TCP_CLOSING,
};
