/*
 * Loaded into the supervisor with LD_PRELOAD: numbers every call that changes something below one folder, across all
 * threads, and at a chosen number kills the process, lets the call fail, or asks the torture to go on.
 *
 * strace does the same from outside, but counts "when=N" for each thread by itself, and the agent's calls come from a
 * pool of threads; here number N is the N-th call of the process.
 *
 *   DUNLIN_SHIM_ROOT  folder; calls elsewhere are not looked at
 *   DUNLIN_SHIM_LOG   a line for each numbered call
 *   DUNLIN_SHIM_MODE  count | kill | sync (fsync fails) | ask
 *   DUNLIN_SHIM_AT    the number for kill and sync; sync counts fsyncs only
 *   DUNLIN_SHIM_ERROR EIO | ENOSPC, for sync
 *   DUNLIN_SHIM_ASK, DUNLIN_SHIM_GO   FIFOs of the mode ask: a line out, a byte in, before each call
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static char root[PATH_MAX];
static size_t root_length;
static int log_fd = -1, ask_fd = -1, go_fd = -1;
static long at, count, sync_count;
static int sync_error;
static enum { OFF, COUNT, KILL, SYNC, ASK } mode;

__attribute__((constructor)) static void start(void)
{
    const char *folder = getenv("DUNLIN_SHIM_ROOT"), *name = getenv("DUNLIN_SHIM_MODE"), *file = getenv("DUNLIN_SHIM_LOG"), *number = getenv("DUNLIN_SHIM_AT");
    if (!folder || !name || !file || !realpath(folder, root)) return;
    root_length = strlen(root);
    log_fd = syscall(SYS_openat, AT_FDCWD, file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    at = number ? atol(number) : 0;
    mode = !strcmp(name, "kill") ? KILL : !strcmp(name, "sync") ? SYNC : !strcmp(name, "ask") ? ASK : COUNT;
    const char *error = getenv("DUNLIN_SHIM_ERROR");
    sync_error = error && !strcmp(error, "ENOSPC") ? ENOSPC : EIO;
    if (mode == ASK) {
        ask_fd = syscall(SYS_openat, AT_FDCWD, getenv("DUNLIN_SHIM_ASK"), O_WRONLY | O_CLOEXEC, 0);
        go_fd = syscall(SYS_openat, AT_FDCWD, getenv("DUNLIN_SHIM_GO"), O_RDONLY | O_CLOEXEC, 0);
    }
    unsetenv("LD_PRELOAD");
}

static int below(const char *path)
{
    char absolute[2 * PATH_MAX];
    if (mode == OFF || !path) return 0;
    if (path[0] != '/') {
        char here[PATH_MAX];
        if (!getcwd(here, sizeof here)) return 0;
        snprintf(absolute, sizeof absolute, "%s/%s", here, path);
        path = absolute;
    }
    return !strncmp(path, root, root_length) && (path[root_length] == '/' || path[root_length] == 0);
}

static int below_fd(int fd, char *path, size_t size)
{
    char link[64];
    if (mode == OFF) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, size - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    return path[0] == '/' && below(path);
}

/* Returns an errno for the call to fail with, or 0. */
static int step(const char *call, const char *path, int is_sync)
{
    char line[PATH_MAX + 64];
    int error = 0;
    pthread_mutex_lock(&gate);
    count++;
    if (is_sync) sync_count++;
    const char *shown = strlen(path) > root_length ? path + root_length : path;
    int length = snprintf(line, sizeof line, "%ld %ld %s %s\n", count, sync_count, call, shown);
    if (length > (int)sizeof line - 1) length = sizeof line - 1;
    if (log_fd >= 0) syscall(SYS_write, log_fd, line, length);
    if (mode == KILL && count == at) syscall(SYS_kill, getpid(), SIGKILL);
    if (mode == SYNC && is_sync && sync_count == at) error = sync_error;
    if (mode == ASK) {
        char go;
        syscall(SYS_write, ask_fd, line, length);
        while (syscall(SYS_read, go_fd, &go, 1) < 0 && errno == EINTR) { }
    }
    pthread_mutex_unlock(&gate);
    return error;
}

/* .NET finds the functions of a DllImport by dlsym in libc itself, past what LD_PRELOAD put before it. */
static void *real_dlsym(void *library, const char *name)
{
    static void *(*next)(void *, const char *);
    if (!next) next = dlvsym(RTLD_NEXT, "dlsym", "GLIBC_2.34");
    if (!next) next = dlvsym(RTLD_NEXT, "dlsym", "GLIBC_2.2.5");
    return next(library, name);
}

#define NEXT(name) ((__typeof__(&name))real_dlsym(RTLD_NEXT, #name))
#define FAIL(error) do { errno = (error); return -1; } while (0)

#define PATH1(result, name, parameters, arguments, path) \
    result name parameters { \
        static __typeof__(&name) next; \
        if (!next) next = NEXT(name); \
        if (below(path)) { int error = step(#name, path, 0); if (error) FAIL(error); } \
        return next arguments; \
    }
#define FD1(result, name, parameters, arguments, fd, is_sync) \
    result name parameters { \
        static __typeof__(&name) next; \
        char where[PATH_MAX]; \
        if (!next) next = NEXT(name); \
        if (below_fd(fd, where, sizeof where)) { int error = step(#name, where, is_sync); if (error) FAIL(error); } \
        return next arguments; \
    }

static int opened(const char *name, const char *path, int flags)
{
    return (flags & (O_CREAT | O_TRUNC)) && below(path) ? step(name, path, 0) : 0;
}

#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        static int (*next)(const char *, int, ...); \
        va_list list; va_start(list, flags); mode_t bits = va_arg(list, mode_t); va_end(list); \
        if (!next) next = real_dlsym(RTLD_NEXT, #name); \
        int error = opened(#name, path, flags); \
        if (error) FAIL(error); \
        return next(path, flags, bits); \
    }

OPEN(open)
OPEN(open64)
PATH1(int, rename, (const char *from, const char *to), (from, to), to)
PATH1(int, unlink, (const char *path), (path), path)
PATH1(int, rmdir, (const char *path), (path), path)
PATH1(int, mkdir, (const char *path, mode_t bits), (path, bits), path)
PATH1(int, symlink, (const char *target, const char *path), (target, path), path)
PATH1(int, link, (const char *from, const char *to), (from, to), to)
PATH1(int, chmod, (const char *path, mode_t bits), (path, bits), path)
FD1(int, fchmod, (int fd, mode_t bits), (fd, bits), fd, 0)
FD1(ssize_t, write, (int fd, const void *bytes, size_t size), (fd, bytes, size), fd, 0)
FD1(ssize_t, pwrite, (int fd, const void *bytes, size_t size, off_t offset), (fd, bytes, size, offset), fd, 0)
FD1(ssize_t, pwrite64, (int fd, const void *bytes, size_t size, off64_t offset), (fd, bytes, size, offset), fd, 0)
FD1(ssize_t, pwritev, (int fd, const struct iovec *parts, int number, off_t offset), (fd, parts, number, offset), fd, 0)
FD1(ssize_t, pwritev64, (int fd, const struct iovec *parts, int number, off64_t offset), (fd, parts, number, offset), fd, 0)
FD1(int, ftruncate, (int fd, off_t size), (fd, size), fd, 0)
FD1(int, ftruncate64, (int fd, off64_t size), (fd, size), fd, 0)
FD1(int, fallocate, (int fd, int how, off_t offset, off_t size), (fd, how, offset, size), fd, 0)
FD1(int, fallocate64, (int fd, int how, off64_t offset, off64_t size), (fd, how, offset, size), fd, 0)
FD1(int, fsync, (int fd), (fd), fd, 1)
FD1(int, fdatasync, (int fd), (fd), fd, 1)

int posix_fallocate(int fd, off_t offset, off_t size)
{
    static int (*next)(int, off_t, off_t);
    char where[PATH_MAX];
    if (!next) next = real_dlsym(RTLD_NEXT, "posix_fallocate");
    if (below_fd(fd, where, sizeof where)) { int error = step("posix_fallocate", where, 0); if (error) return error; }
    return next(fd, offset, size);
}

int posix_fallocate64(int fd, off64_t offset, off64_t size)
{
    static int (*next)(int, off64_t, off64_t);
    char where[PATH_MAX];
    if (!next) next = real_dlsym(RTLD_NEXT, "posix_fallocate64");
    if (below_fd(fd, where, sizeof where)) { int error = step("posix_fallocate64", where, 0); if (error) return error; }
    return next(fd, offset, size);
}

void *dlsym(void *library, const char *name)
{
    static const struct { const char *name; void *function; } ours[] = {
        {"fsync", fsync}, {"fdatasync", fdatasync}, {"open", open}, {"open64", open64}, {"rename", rename}, {"unlink", unlink}, {"symlink", symlink},
        {"mkdir", mkdir}, {"rmdir", rmdir}, {"link", link}, {"fallocate", fallocate}, {"posix_fallocate", posix_fallocate}, {"ftruncate", ftruncate},
        {"write", write}, {"pwrite", pwrite}, {"fchmod", fchmod}, {"chmod", chmod},
    };
    if (mode != OFF && library != RTLD_NEXT)
        for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
            if (!strcmp(name, ours[i].name)) return ours[i].function;
    return real_dlsym(library, name);
}
