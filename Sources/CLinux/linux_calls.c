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

void linux_name_thread(const char *name) {
    char kept[16];
    snprintf(kept, sizeof kept, "%s", name);
    pthread_setname_np(pthread_self(), kept);
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

// Only async-signal-safe calls from here to exec: the parent has other threads.
static void become(const struct linux_spawn *spawn, int report) {
    signal(SIGPIPE, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && setpgid(0, 0) == 0
        && dup2(spawn->standard_input, 0) >= 0 && dup2(spawn->standard_output, 1) >= 0
        && dup2(spawn->standard_error, 2) >= 0) {
        struct rlimit limit = {spawn->descriptor_limit, spawn->descriptor_limit};
        if (spawn->descriptor_limit == 0 || setrlimit(RLIMIT_NOFILE, &limit) == 0)
            execve(spawn->path, spawn->argv, spawn->envp);
    }
    int error = errno;
    (void)!write(report, &error, sizeof error);
    _exit(127);
}

int linux_spawn(const struct linux_spawn *spawn, pid_t *child) {
    int report[2];
    if (pipe2(report, O_CLOEXEC) != 0) return errno;
    pid_t process = fork();
    if (process == 0) become(spawn, report[1]);
    int error = process < 0 ? errno : 0;
    close(report[1]);
    if (process > 0 && read(report[0], &error, sizeof error) == (ssize_t)sizeof error)
        waitpid(process, NULL, 0);
    close(report[0]);
    *child = process;
    return error;
}

void linux_keep_freed_memory(int bytes) {
    mallopt(M_MMAP_THRESHOLD, bytes);
    mallopt(M_TRIM_THRESHOLD, bytes);
}

void linux_set_trim_threshold(int bytes) { mallopt(M_TRIM_THRESHOLD, bytes); }

void linux_give_back_freed_memory(void) { malloc_trim(0); }
