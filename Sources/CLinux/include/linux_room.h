// Starting a program in namespaces of its own, and under a seccomp filter that hands its connects
// and binds to whoever started it.
#pragma once

#include <signal.h>
#include <stdint.h>
#include <sys/types.h>

// Which of these the calling thread is to leave for new ones. unshare(2)
enum linux_namespaces {
    LINUX_NEW_USER = 1,
    LINUX_NEW_NETWORK = 2,
};
// 0 or an errno. A user namespace needs a process of one thread. user_namespaces(7)
int linux_unshare(int namespaces);

// Moves the calling process, of one thread, into the user namespace a descriptor stands for; 0 or an errno. setns(2)
int linux_join_user(int namespace_descriptor);

// Starts the first process of a new PID namespace: it does nothing but take in orphans, and is killed
// when the calling thread ends; with it goes every process of the namespace. 0 or an errno.
// pid_namespaces(7)
int linux_start_first_process(pid_t *process);

// Makes orphans among this process's descendants its children. PR_SET_CHILD_SUBREAPER in prctl(2)
void linux_adopt_orphans(void);

// The steps of a start that can fail.
enum linux_start_step {
    LINUX_STARTED,
    LINUX_STEP_FORK,
    LINUX_STEP_NAMESPACE,
    LINUX_STEP_LIMIT,
    LINUX_STEP_FILTER,
    LINUX_STEP_EXEC,
};

// A program to start. argv and envp end with NULL.
struct linux_program {
    const char *path;
    char *const *argv;
    char *const *envp;
    // Soft and hard RLIMIT_NOFILE.
    uint64_t soft_descriptors;
    uint64_t hard_descriptors;
    // The PID namespace to start it in (/proc/PID/ns/pid), with /proc mounted anew where that is allowed; -1 for
    // the present one.
    int pid_namespace;
    // Descriptors for its standard input, output and error, given to it in this order; -1 to inherit.
    int standard[3];
    // A process group of its own.
    int own_group;
    // Hand its connects and binds to the listener.
    int intercept;
    // The signals it begins with blocked, and whether it ignores SIGPIPE.
    sigset_t blocked;
    int ignores_broken_pipes;
};

// A program that is about to be executed.
struct linux_held_program {
    pid_t process;
    // Its seccomp listener, or -1.
    int listener;
    // Whether it and its children may gain no privileges by execve(2), setuid programs included: the price of the
    // filter for those who are not root. PR_SET_NO_NEW_PRIVS in prctl(2)
    int no_new_privileges;
    // The way to let it go on.
    int control;
};

// Brings a program to the point before execve(2), and holds it there. The kernel kills it when the
// calling thread ends. Returns the step that failed, with the errno, or LINUX_STARTED.
enum linux_start_step linux_hold_program(const struct linux_program *program, struct linux_held_program *held, int *error);
// Lets it execute: LINUX_STARTED, or LINUX_STEP_EXEC and the errno, with the process gone.
enum linux_start_step linux_execute_held(struct linux_held_program *held, int *error);

// A helper process that stays in the namespaces of its caller, for a caller that is about to leave them. It ends with
// its caller, however that ends, and then removes `folder` (a cgroup) once that is empty, for half a minute at
// the longest; the folder is named by linux_keeper_remove. 0 or an errno.
int linux_start_keeper(pid_t *process, int *channel);
// A TCP socket (AF_INET or AF_INET6), non-blocking and close-on-exec, in the namespace of the keeper; -1 and errno.
int linux_keeper_socket(int channel, int family);
// Names the folder to remove when the caller is gone; 0 or an errno.
int linux_keeper_remove(int channel, const char *folder);

// The user at the other end of a connection of AF_UNIX, as this user namespace numbers them; -1 when that is not
// known. unix(7) SO_PEERCRED
int64_t linux_peer_user(int connection);
