// Dials by the system calls of i386, once by connect and once by socketcall, and once as everybody does, as a process
// that others may not look into. For x86_64.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

static long call(long number, long first, long second, long third) {
    long result;
    __asm__ volatile("int $0x80"
                     : "=a"(result)
                     : "a"(number), "b"(first), "c"(second), "d"(third)
                     : "memory", "r8", "r9", "r10", "r11");
    return result;
}

int main(void) {
    // Where 32 bits reach.
    struct sockaddr_in *address = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int dial = socket(AF_INET, SOCK_STREAM, 0);
    printf("connect %ld\n", call(362, dial, (long)address, sizeof *address));
    unsigned *arguments = (unsigned *)(address + 1);
    arguments[0] = (unsigned)dial;
    arguments[1] = (unsigned)(long)address;
    arguments[2] = sizeof *address;
    printf("socketcall %ld\n", call(102, 3, (long)arguments, 0));
    prctl(PR_SET_DUMPABLE, 0);
    printf("plain %d\n", connect(dial, (struct sockaddr *)address, sizeof *address));
    return 0;
}
