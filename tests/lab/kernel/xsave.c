/*
 * Preloaded into a User Mode Linux that handles the extended state of the processor in too small a
 * buffer.  The host's kernel accepts PTRACE_SETREGSET(NT_X86_XSTATE) only for the whole area
 * (xstateregs_set() in arch/x86/kernel/fpu/regset.c); with AMX that is 11,008 bytes, and 6.1 has
 * 2,696.  So each such call goes through a buffer with the whole area: the caller's part is copied
 * from or into it, the rest stays as it is.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { PEEK_FIRST = 1, PEEK_LAST = 3, GETREGSET = 0x4204, SETREGSET = 0x4205 };
enum { NT_X86_XSTATE = 0x202, AREA = 65536 };

static char area[AREA];

/* The whole area of one process; its length goes to *length. */
static long read_area(long pid, size_t *length)
{
    struct iovec whole = {area, AREA};
    long result = syscall(SYS_ptrace, GETREGSET, pid, NT_X86_XSTATE, &whole);
    *length = whole.iov_len;
    return result;
}

static long whole_area(long request, long pid, struct iovec *wanted)
{
    size_t length;
    if (read_area(pid, &length) < 0)
        return -1;
    if (wanted->iov_len >= length)
        return syscall(SYS_ptrace, request, pid, NT_X86_XSTATE, wanted);
    if (request == GETREGSET) {
        memcpy(wanted->iov_base, area, wanted->iov_len);
        return 0;
    }
    memcpy(area, wanted->iov_base, wanted->iov_len);
    struct iovec whole = {area, length};
    return syscall(SYS_ptrace, SETREGSET, pid, NT_X86_XSTATE, &whole);
}

long ptrace(int request, ...)
{
    va_list arguments;
    va_start(arguments, request);
    long pid = va_arg(arguments, int);
    long address = va_arg(arguments, long);
    void *data = va_arg(arguments, void *);
    va_end(arguments);

    if ((request == GETREGSET || request == SETREGSET) && address == NT_X86_XSTATE)
        return whole_area(request, pid, data);
    if (request < PEEK_FIRST || request > PEEK_LAST)
        return syscall(SYS_ptrace, (long)request, pid, address, data);
    /* Unlike the system call, the function returns the word that it peeks at: ptrace(2). */
    long word;
    if (syscall(SYS_ptrace, (long)request, pid, address, &word) < 0)
        return -1;
    errno = 0;
    return word;
}
