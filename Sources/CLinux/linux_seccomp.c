#define _GNU_SOURCE
#include "linux_seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/kcmp.h>
#include <linux/seccomp.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#if defined(__x86_64__)
#define NATIVE_ARCHITECTURE AUDIT_ARCH_X86_64
#define FOREIGN_ARCHITECTURE AUDIT_ARCH_I386
// i386: socketcall(2) with connect as its third call, and connect(2) itself; both have bind as well.
#define FOREIGN_SOCKETCALL 102
#define FOREIGN_BIND 361
#define FOREIGN_CONNECT 362
#elif defined(__aarch64__)
#define NATIVE_ARCHITECTURE AUDIT_ARCH_AARCH64
#define FOREIGN_ARCHITECTURE AUDIT_ARCH_ARM
#define FOREIGN_SOCKETCALL 102
#define FOREIGN_BIND 282
#define FOREIGN_CONNECT 283
#else
#error "system call numbers are known for x86_64 and arm64"
#endif

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#endif
#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL
#endif

int linux_install_filter(int *no_new_privileges) {
    // The numbers after a comparison are how many instructions to pass over when it holds, and when not.
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCHITECTURE, 0, 5),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_connect, 12, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_bind, 11, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_io_uring_setup, 10, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FOREIGN_ARCHITECTURE, 0, 7),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FOREIGN_CONNECT, 6, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FOREIGN_BIND, 5, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FOREIGN_SOCKETCALL, 0, 3),
        // The low half of the first argument, on both byte orders that these machines have.
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 3, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 2, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    unsigned long flags = SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
    *no_new_privileges = 0;
    for (;;) {
        long listener = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
        if (listener >= 0) return (int)listener;
        if (errno == EINVAL && (flags & SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV) != 0) {
            flags &= ~SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
        } else if (errno == EACCES && !*no_new_privileges) {
            if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -1;
            *no_new_privileges = 1;
        } else {
            return -1;
        }
    }
}

int linux_receive_notification(int listener, struct linux_notification *notification) {
    struct seccomp_notif raw;
    memset(&raw, 0, sizeof raw);
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &raw) != 0) return errno;
    notification->identifier = raw.id;
    notification->thread = (pid_t)raw.pid;
    notification->descriptor = (int)raw.data.args[0];
    notification->address = raw.data.args[1];
    notification->address_length = (uint32_t)raw.data.args[2];
    if (raw.data.arch != NATIVE_ARCHITECTURE) notification->call = LINUX_FOREIGN;
    else if (raw.data.nr == __NR_connect) notification->call = LINUX_CONNECT;
    else if (raw.data.nr == __NR_bind) notification->call = LINUX_BIND;
    else notification->call = LINUX_IO_URING_SETUP;
    return 0;
}

static int respond(int listener, uint64_t identifier, int error, uint32_t flags) {
    struct seccomp_notif_resp response = {.id = identifier, .error = -error, .flags = flags};
    return ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response) == 0 ? 0 : errno;
}

int linux_continue_call(int listener, uint64_t identifier) {
    return respond(listener, identifier, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE);
}

int linux_answer_call(int listener, uint64_t identifier, int error) { return respond(listener, identifier, error, 0); }

int linux_call_is_waiting(int listener, uint64_t identifier) {
    return ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &identifier) == 0;
}

void linux_wake_in_turn(int listener) { ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, 1UL); }

ssize_t linux_read_memory(pid_t thread, uint64_t address, void *bytes, size_t count) {
    struct iovec ours = {bytes, count}, theirs = {(void *)(uintptr_t)address, count};
    ssize_t done = process_vm_readv(thread, &ours, 1, &theirs, 1, 0);
    if (done >= 0 || (errno != EPERM && errno != ENOSYS)) return done;
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/mem", thread);
    int memory = open(path, O_RDONLY | O_CLOEXEC);
    if (memory < 0) return -1;
    done = pread(memory, bytes, count, (off_t)address);
    int error = errno;
    close(memory);
    errno = error;
    return done;
}

// The process a thread belongs to, from /proc; -1 when it is gone.
static pid_t process_of(pid_t thread) {
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/%d/status", thread);
    FILE *status = fopen(path, "re");
    int process = -1;
    while (status != NULL && fgets(line, sizeof line, status) != NULL)
        if (sscanf(line, "Tgid: %d", &process) == 1) break;
    if (status != NULL) fclose(status);
    return process;
}

int linux_thread_descriptor(pid_t thread, int *stands_for_thread) {
    *stands_for_thread = 1;
    int descriptor = (int)syscall(SYS_pidfd_open, thread, PIDFD_THREAD);
    if (descriptor >= 0 || errno != EINVAL) return descriptor;
    pid_t process = process_of(thread);
    if (process < 0) {
        errno = ESRCH;
        return -1;
    }
    *stands_for_thread = process == thread;
    return (int)syscall(SYS_pidfd_open, process, 0);
}

int linux_copy_descriptor(int thread_descriptor, int descriptor) {
    return (int)syscall(SYS_pidfd_getfd, thread_descriptor, descriptor, 0);
}

int linux_may_look_into(pid_t child) {
    // The child is a copy of this process: what is readable here is there.
    static const char probe = 1;
    char byte;
    if (linux_read_memory(child, (uint64_t)(uintptr_t)&probe, &byte, 1) != 1) return errno;
    int stands_for_thread;
    int process = linux_thread_descriptor(child, &stands_for_thread);
    if (process < 0) return errno;
    int copy = linux_copy_descriptor(process, 0);
    // EBADF: it was started with its standard input closed, and may be looked into.
    int error = copy < 0 && errno != EBADF ? errno : 0;
    if (copy >= 0) close(copy);
    close(process);
    return error;
}

int linux_is_same_file(int ours, pid_t thread, int theirs) {
    long order = syscall(SYS_kcmp, getpid(), thread, KCMP_FILE, (unsigned long)ours, (unsigned long)theirs);
    if (order >= 0) return order == 0;
    // EBADF: they have closed it. ESRCH: they are gone.
    return errno == EBADF || errno == ESRCH ? 0 : -1;
}

int linux_tcp_start(int descriptor, struct linux_tcp_start_info *start) {
    struct tcp_info info;
    memset(&info, 0, sizeof info);
    socklen_t length = sizeof info;
    if (getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return errno;
    start->state = info.tcpi_state;
    // The other end's acceptance acknowledges the SYN, which counts as a byte.
    start->was_connected = info.tcpi_bytes_acked > 0;
    start->retransmits = info.tcpi_retransmits;
    return 0;
}
