#define _GNU_SOURCE
#include "linux_room.h"
#include "linux_seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int linux_unshare(int namespaces) {
    int flags = (namespaces & LINUX_NEW_USER ? CLONE_NEWUSER : 0) | (namespaces & LINUX_NEW_NETWORK ? CLONE_NEWNET : 0);
    return unshare(flags) == 0 ? 0 : errno;
}

int linux_join_user(int namespace_descriptor) { return setns(namespace_descriptor, CLONE_NEWUSER) == 0 ? 0 : errno; }

void linux_adopt_orphans(void) { prctl(PR_SET_CHILD_SUBREAPER, 1); }

// Closes every descriptor but one. A helper that lives on must hold nobody's pipe or terminal open.
static void close_all_but(int kept) {
    if (kept > 0) syscall(SYS_close_range, 0U, (unsigned)kept - 1, 0U);
    syscall(SYS_close_range, (unsigned)kept + 1, ~0U, 0U);
}

int linux_start_first_process(pid_t *process) {
    int alive[2];
    if (pipe2(alive, O_CLOEXEC) != 0) return errno;
    long child = syscall(SYS_clone, (long)(CLONE_NEWPID | SIGCHLD), 0L, 0L, 0L, 0L);
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        prctl(PR_SET_NAME, "spiral-room");
        close_all_but(alive[0]);
        // Children of an ignored SIGCHLD need no wait(2); all other signals are ignored by a first process anyway.
        signal(SIGCHLD, SIG_IGN);
        char byte;
        // The caller may be gone before prctl() was: then the pipe is at its end. It never carries a byte.
        while (read(alive[0], &byte, 1) < 0 && errno == EINTR) {}
        _exit(0);
    }
    int error = child < 0 ? errno : 0;
    close(alive[0]);
    // The writing end stays open for as long as this process lives.
    if (child < 0) close(alive[1]);
    *process = (pid_t)child;
    return error;
}

// What the starting process tells: a step with its errno, or that it waits.
struct report {
    enum linux_start_step step;
    int error;
    pid_t process;
    int no_new_privileges;
};

static void send_report(int channel, const struct report *report, int descriptor) {
    struct iovec part = {(void *)report, sizeof *report};
    char space[CMSG_SPACE(sizeof(int))];
    memset(space, 0, sizeof space);
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (descriptor >= 0) {
        message.msg_control = space;
        message.msg_controllen = sizeof space;
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
    }
    while (sendmsg(channel, &message, MSG_NOSIGNAL) < 0 && errno == EINTR) {}
}

// Receives `size` bytes and a descriptor, or -1 for it; how many bytes came.
static ssize_t receive_with_descriptor(int channel, void *bytes, size_t size, int *descriptor) {
    struct iovec part = {bytes, size};
    char space[CMSG_SPACE(sizeof(int))];
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space};
    ssize_t count;
    do count = recvmsg(channel, &message, MSG_CMSG_CLOEXEC);
    while (count < 0 && errno == EINTR);
    *descriptor = -1;
    struct cmsghdr *header = count < 0 ? NULL : CMSG_FIRSTHDR(&message);
    if (header != NULL && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
        memcpy(descriptor, CMSG_DATA(header), sizeof *descriptor);
    return count;
}

static void fail_start(int channel, enum linux_start_step step) {
    struct report report = {.step = step, .error = errno};
    send_report(channel, &report, -1);
    _exit(127);
}

// Only async-signal-safe calls from here to exec: the caller has other threads.
static void become(const struct linux_program *program, int channel) {
    struct report report = {.step = LINUX_STARTED};
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) fail_start(channel, LINUX_STEP_FORK);
    if (program->own_group) setpgid(0, 0);
    for (int number = 0; number < 3; number++)
        if (program->standard[number] >= 0) dup2(program->standard[number], number);
    if (program->pid_namespace >= 0 && unshare(CLONE_NEWNS) == 0) {
        // Where it may not be mounted anew (a container that masks parts of it), the old one stays.
        mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL);
        mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
    }
    int listener = -1;
    if (program->intercept) {
        listener = linux_install_filter(&report.no_new_privileges);
        if (listener < 0) fail_start(channel, LINUX_STEP_FILTER);
    }
    // After the filter, whose listener needs a number of its own.
    struct rlimit limit = {program->soft_descriptors, program->hard_descriptors};
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) fail_start(channel, LINUX_STEP_LIMIT);
    send_report(channel, &report, listener);
    if (listener >= 0) close(listener);
    char go;
    ssize_t count;
    do count = read(channel, &go, 1);
    while (count < 0 && errno == EINTR);
    if (count != 1) _exit(127);
    signal(SIGPIPE, program->ignores_broken_pipes ? SIG_IGN : SIG_DFL);
    sigprocmask(SIG_SETMASK, &program->blocked, NULL);
    execve(program->path, program->argv, program->envp);
    fail_start(channel, LINUX_STEP_EXEC);
}

// In a process between: only its children are in the PID namespace, and they become children of the caller.
static void enter_and_clone(const struct linux_program *program, int channel) {
    if (setns(program->pid_namespace, CLONE_NEWPID) != 0) fail_start(channel, LINUX_STEP_NAMESPACE);
    long child = syscall(SYS_clone, (long)(CLONE_PARENT | SIGCHLD), 0L, 0L, 0L, 0L);
    if (child == 0) become(program, channel);
    if (child < 0) fail_start(channel, LINUX_STEP_FORK);
    struct report report = {.step = LINUX_STARTED, .process = (pid_t)child};
    send_report(channel, &report, -1);
    _exit(0);
}

enum linux_start_step linux_hold_program(const struct linux_program *program, struct linux_held_program *held, int *error) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        *error = errno;
        return LINUX_STEP_FORK;
    }
    int is_between = program->pid_namespace >= 0;
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        if (is_between) enter_and_clone(program, ends[1]);
        become(program, ends[1]);
    }
    int fork_error = errno;
    close(ends[1]);
    if (child < 0) {
        close(ends[0]);
        *error = fork_error;
        return LINUX_STEP_FORK;
    }
    *held = (struct linux_held_program){.process = is_between ? 0 : child, .listener = -1, .control = ends[0]};
    // One report from the program, and one with its number from the process between; in any order.
    struct report report = {.step = LINUX_STEP_FORK, .error = EPROTO};
    for (int expected = is_between ? 2 : 1; expected > 0; expected--) {
        int descriptor;
        struct report part;
        if (receive_with_descriptor(ends[0], &part, sizeof part, &descriptor) != (ssize_t)sizeof part) {
            report = (struct report){.step = LINUX_STEP_FORK, .error = EPROTO};
            break;
        }
        if (descriptor >= 0) held->listener = descriptor;
        if (part.step == LINUX_STARTED && part.process > 0) {
            held->process = part.process;
            if (expected == 2) report.step = LINUX_STARTED;
        } else {
            report = part;
            if (part.step != LINUX_STARTED) {
                if (part.step == LINUX_STEP_NAMESPACE || part.step == LINUX_STEP_FORK || !is_between) break;
                continue;
            }
            held->no_new_privileges = part.no_new_privileges;
        }
    }
    if (is_between) waitpid(child, NULL, 0);
    if (report.step == LINUX_STARTED) return LINUX_STARTED;
    if (held->process > 0) waitpid(held->process, NULL, 0);
    if (held->listener >= 0) close(held->listener);
    close(ends[0]);
    *error = report.error;
    return report.step;
}

enum linux_start_step linux_execute_held(struct linux_held_program *held, int *error) {
    struct report report;
    int descriptor;
    enum linux_start_step step = LINUX_STARTED;
    if (write(held->control, "g", 1) != 1) {
        *error = errno;
        step = LINUX_STEP_EXEC;
    } else if (receive_with_descriptor(held->control, &report, sizeof report, &descriptor) == (ssize_t)sizeof report) {
        *error = report.error;
        step = LINUX_STEP_EXEC;
    }
    if (step != LINUX_STARTED) waitpid(held->process, NULL, 0);
    close(held->control);
    held->control = -1;
    return step;
}

// What is asked of the keeper: a socket of a family, or, with family 0, to remember a folder.
struct request {
    int family;
    char folder[512];
};

static void keep(int channel) {
    char folder[512] = "";
    struct request request;
    ssize_t count;
    while ((count = recv(channel, &request, sizeof request, 0)) != 0) {
        if (count < 0) {
            if (errno == EINTR) continue;
            break;
        }
        struct report answer = {.step = LINUX_STARTED};
        int made = -1;
        if (request.family == 0) {
            memcpy(folder, request.folder, sizeof folder);
        } else {
            made = socket(request.family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
            if (made < 0) answer.error = errno;
        }
        send_report(channel, &answer, made);
        if (made >= 0) close(made);
    }
    // Its processes are being killed by the kernel at this moment.
    for (int tries = 0; folder[0] != 0 && tries < 3000; tries++) {
        if (rmdir(folder) == 0 || errno == ENOENT) break;
        usleep(10000);
    }
    _exit(0);
}

int linux_start_keeper(pid_t *process, int *channel) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return errno;
    pid_t child = fork();
    if (child == 0) {
        // Out of reach of the terminal's signals: it ends when the other end of the channel is gone.
        setsid();
        prctl(PR_SET_NAME, "spiral-keeper");
        sigset_t all;
        sigfillset(&all);
        sigprocmask(SIG_SETMASK, &all, NULL);
        close_all_but(ends[1]);
        keep(ends[1]);
    }
    int error = child < 0 ? errno : 0;
    close(ends[1]);
    if (child < 0) {
        close(ends[0]);
        return error;
    }
    *process = child;
    *channel = ends[0];
    return 0;
}

static int ask_keeper(int channel, const struct request *request, int *descriptor) {
    struct report answer;
    *descriptor = -1;
    if (send(channel, request, sizeof *request, MSG_NOSIGNAL) < 0) return errno;
    if (receive_with_descriptor(channel, &answer, sizeof answer, descriptor) != (ssize_t)sizeof answer) return EPIPE;
    return answer.error;
}

int linux_keeper_socket(int channel, int family) {
    struct request request = {.family = family};
    int made;
    int error = ask_keeper(channel, &request, &made);
    if (error != 0 || made < 0) {
        errno = error != 0 ? error : EPROTO;
        return -1;
    }
    return made;
}

int linux_keeper_remove(int channel, const char *folder) {
    struct request request = {.family = 0};
    if (strlen(folder) >= sizeof request.folder) return ENAMETOOLONG;
    strcpy(request.folder, folder);
    int made;
    return ask_keeper(channel, &request, &made);
}

int64_t linux_peer_user(int connection) {
    struct ucred user;
    socklen_t length = sizeof user;
    return getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &user, &length) == 0 ? (int64_t)user.uid : -1;
}
