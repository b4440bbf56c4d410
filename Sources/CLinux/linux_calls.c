#define _GNU_SOURCE
#include "linux_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <net/if.h>
#include <pthread.h>
#include <stdio.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

const char *linux_errno_name(int error) { return strerrorname_np(error); }

int linux_accept(int listener) { return accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC); }

int linux_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

void linux_name_thread(const char *name) {
    char kept[16];
    snprintf(kept, sizeof kept, "%s", name);
    pthread_setname_np(pthread_self(), kept);
}

void linux_set_timer_slack(unsigned long nanoseconds) {
    prctl(PR_SET_TIMERSLACK, nanoseconds, 0, 0, 0);
}

int linux_unshare_network(int with_user_namespace) {
    return unshare(CLONE_NEWNET | (with_user_namespace ? CLONE_NEWUSER : 0)) == 0 ? 0 : errno;
}

int linux_join_network(int namespace_descriptor) { return setns(namespace_descriptor, CLONE_NEWNET) == 0 ? 0 : errno; }

int linux_loopback_up(void) {
    int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (control < 0) return errno;
    struct ifreq request;
    memset(&request, 0, sizeof request);
    strcpy(request.ifr_name, "lo");
    int error = 0;
    if (ioctl(control, SIOCGIFFLAGS, &request) != 0) error = errno;
    request.ifr_flags |= IFF_UP | IFF_RUNNING;
    if (error == 0 && ioctl(control, SIOCSIFFLAGS, &request) != 0) error = errno;
    close(control);
    return error;
}

int linux_terminal_columns(int descriptor) {
    struct winsize size;
    return ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

// What a child tells its parent when it cannot become the program.
struct failure {
    int error;
    enum step { IN_SETUP, IN_CGROUP, IN_LIMIT, IN_EXEC } step;
};

// A descriptor above the standard ones: where the parent has one of those closed, any of the others may have its
// number, and would be written over.
static int above_standard(int descriptor) {
    return descriptor > 2 ? descriptor : fcntl(descriptor, F_DUPFD_CLOEXEC, 3);
}

// Only async-signal-safe calls from here to exec: the parent has other threads.
static enum step become(const struct linux_spawn *spawn, pid_t parent) {
    signal(SIGPIPE, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return IN_SETUP;
    // It may have ended before this was asked for, and then nothing would come. 0 is a parent outside of this
    // process's PID namespace.
    pid_t present = getppid();
    if (present != parent && present != 0) _exit(127);
    int input = above_standard(spawn->standard_input);
    int output = above_standard(spawn->standard_output);
    int error = above_standard(spawn->standard_error);
    int cgroup = spawn->cgroup < 0 ? -1 : above_standard(spawn->cgroup);
    if (setpgid(0, 0) != 0 || dup2(input, 0) < 0 || dup2(output, 1) < 0 || dup2(error, 2) < 0) return IN_SETUP;
    // "0" is who writes it: all it allocates from now on, exec included, is charged there. cgroups(7)
    if (spawn->cgroup >= 0 && write(cgroup, "0", 1) != 1) return IN_CGROUP;
    struct rlimit limit = {spawn->descriptor_limit, spawn->descriptor_limit};
    if (spawn->descriptor_limit != 0 && setrlimit(RLIMIT_NOFILE, &limit) != 0) return IN_LIMIT;
    execve(spawn->path, spawn->argv, spawn->envp);
    return IN_EXEC;
}

int linux_spawn(const struct linux_spawn *spawn, pid_t *child, const char **call) {
    static const char *const calls[] = {"prepare", "enter the cgroup for", "limit the descriptors of", "exec"};
    *call = "fork for";
    int report[2];
    if (pipe2(report, O_CLOEXEC) != 0) return errno;
    pid_t parent = getpid();
    pid_t process = fork();
    if (process == 0) {
        int end = above_standard(report[1]);
        struct failure failure;
        failure.step = become(spawn, parent);
        failure.error = errno;
        (void)!write(end, &failure, sizeof failure);
        _exit(127);
    }
    struct failure failure = {process < 0 ? errno : 0, IN_SETUP};
    close(report[1]);
    if (process > 0) {
        ssize_t count;
        do count = read(report[0], &failure, sizeof failure);
        while (count < 0 && errno == EINTR);
        if (count == (ssize_t)sizeof failure) {
            *call = calls[failure.step];
            while (waitpid(process, NULL, 0) < 0 && errno == EINTR) {}
        } else {
            failure.error = 0;
        }
    }
    close(report[0]);
    *child = process;
    return failure.error;
}

void linux_keep_freed_memory(int bytes) {
    mallopt(M_MMAP_THRESHOLD, bytes);
    mallopt(M_TRIM_THRESHOLD, bytes);
}

void linux_set_trim_threshold(int bytes) { mallopt(M_TRIM_THRESHOLD, bytes); }

void linux_give_back_freed_memory(void) { malloc_trim(0); }
