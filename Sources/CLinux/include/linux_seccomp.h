// seccomp user notification: system calls of other processes that are decided here. seccomp(2),
// seccomp_unotify(2). For x86_64 and arm64.
#pragma once

#include <stdint.h>
#include <stddef.h>
#include <sys/types.h>

// The system calls that are handed over.
enum linux_intercepted {
    LINUX_CONNECT = 1,
    LINUX_BIND,
    // io_uring's connect never passes a filter: its set-up is to be refused with ENOSYS, and programs do without.
    LINUX_IO_URING_SETUP,
    // Of another instruction set, such as an i386 program's on x86_64: its arguments are not read.
    LINUX_FOREIGN,
};

// A system call that waits for an answer.
struct linux_notification {
    uint64_t identifier;
    // The calling thread, as this process sees it.
    pid_t thread;
    enum linux_intercepted call;
    int descriptor;
    uint64_t address;
    uint32_t address_length;
};

// Installs the filter for the calling thread and its children to come, as the last thing before execve(2). Returns
// the listener, or -1 and errno: EBUSY where a filter with a listener is installed already, EINVAL or ENOSYS where
// the kernel has none. Since Linux 5.19 only fatal signals interrupt a call once it is received; before, one that is
// interrupted is handed over again. seccomp(2) SECCOMP_FILTER_FLAG_NEW_LISTENER
int linux_install_filter(int *no_new_privileges);

// The next call; 0 or an errno, ENOENT when its thread has gone meanwhile. SECCOMP_IOCTL_NOTIF_RECV
int linux_receive_notification(int listener, struct linux_notification *notification);
// Lets the kernel go on with the call as it was made. 0 or an errno, ENOENT when its thread has gone.
int linux_continue_call(int listener, uint64_t identifier);
// Answers the call instead of the kernel: 0, or an errno to fail with. 0 or an errno. SECCOMP_IOCTL_NOTIF_SEND
int linux_answer_call(int listener, uint64_t identifier, int error);
// Whether the thread still waits for its answer. SECCOMP_IOCTL_NOTIF_ID_VALID
int linux_call_is_waiting(int listener, uint64_t identifier);
// Makes handing over and answering a switch from one task to the other on the same processor, where the kernel
// can (Linux 6.6). SECCOMP_IOCTL_NOTIF_SET_FLAGS
void linux_wake_in_turn(int listener);

// Whether the memory and the descriptors of a child may be looked into, one that has not executed anything yet: 0, or
// the errno of the call that is refused, as containers refuse pidfd_getfd(2).
int linux_may_look_into(pid_t child);
// Bytes of another process's memory; how many were read, or -1 and errno. process_vm_readv(2), or /proc/PID/mem
// where that is not allowed.
ssize_t linux_read_memory(pid_t thread, uint64_t address, void *bytes, size_t count);
// A descriptor for a thread, close-on-exec; -1 and errno. Before Linux 6.9 it stands for its process: whether it is
// the thread's own, or that of a process whose first thread it is, is told. pidfd_open(2) PIDFD_THREAD
int linux_thread_descriptor(pid_t thread, int *stands_for_thread);
// A duplicate of a descriptor of another process, close-on-exec; -1 and errno. pidfd_getfd(2)
int linux_copy_descriptor(int thread_descriptor, int descriptor);
// Whether two descriptors, ours and one of another process, are one open file: 1 or 0, or -1 where that cannot be
// told. kcmp(2)
int linux_is_same_file(int ours, pid_t thread, int theirs);

// What tcp(7) TCP_INFO says of a socket's beginning.
struct linux_tcp_start_info {
    int state;
    // Whether the other end has ever answered with its acceptance.
    int was_connected;
    int retransmits;
};
// 0 or an errno.
int linux_tcp_start(int descriptor, struct linux_tcp_start_info *start);

// Names that the C library's headers may be too old for. ip(7)
#define LINUX_IP_BIND_ADDRESS_NO_PORT 24
#define LINUX_IP_LOCAL_PORT_RANGE 51
#define LINUX_IPPROTO_MPTCP 262
