/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What glibc's _FORTIFY_SOURCE checks, for programs that are linked with musl, which has no such thing: copies, prints and reads
 * into a buffer whose size the compiler knows end the program rather than run over its end. Included before every source
 * of such a program, by the command line; the checks themselves are in harden.c.
 */
#pragma once

#include <sched.h> /* it declares memcpy */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FORTIFY_ROOM(buffer)                                                                       \
    __builtin_dynamic_object_size(buffer, 1) /* of the member; SIZE_MAX when nobody knows */
#define FORTIFY_ROOM_ALL(buffer) __builtin_dynamic_object_size(buffer, 0)

/* Called by the compiler's own checking builtins where it can't tell at build time. */
void *__memcpy_chk(void *to, const void *from, size_t size, size_t room);
void *__memmove_chk(void *to, const void *from, size_t size, size_t room);
void *__memset_chk(void *to, int byte, size_t size, size_t room);
int __snprintf_chk(char *to, size_t size, int flag, size_t room, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
int __vsnprintf_chk(char *to, size_t size, int flag, size_t room, const char *format, va_list list)
    __attribute__((format(printf, 5, 0)));

#define memcpy(to, from, size)  __builtin___memcpy_chk(to, from, size, FORTIFY_ROOM_ALL(to))
#define memmove(to, from, size) __builtin___memmove_chk(to, from, size, FORTIFY_ROOM_ALL(to))
#define memset(to, byte, size)  __builtin___memset_chk(to, byte, size, FORTIFY_ROOM_ALL(to))
#define snprintf(to, size, ...) __builtin___snprintf_chk(to, size, 0, FORTIFY_ROOM(to), __VA_ARGS__)
#define vsnprintf(to, size, format, list)                                                          \
    __builtin___vsnprintf_chk(to, size, 0, FORTIFY_ROOM(to), format, list)

/* Size of a buffer that something is read into: itself if it fits, otherwise the end. */
static inline __attribute__((always_inline)) size_t fortify_size(size_t size, size_t room)
{
    if (size > room)
        __builtin_trap();
    return size;
}

#define read(fd, to, size)      read(fd, to, fortify_size(size, FORTIFY_ROOM_ALL(to)))
#define pread(fd, to, size, at) pread(fd, to, fortify_size(size, FORTIFY_ROOM_ALL(to)), at)
#define recv(fd, to, size, how) recv(fd, to, fortify_size(size, FORTIFY_ROOM_ALL(to)), how)
/* allowed: what is banned is banned where it is used */
#define readlink(path, to, size) readlink(path, to, fortify_size(size, FORTIFY_ROOM(to)))
#define readlinkat(dir, path, to, size)                                                            \
    readlinkat(dir, path, to, fortify_size(size, FORTIFY_ROOM(to)))
#define getcwd(to, size) getcwd(to, fortify_size(size, FORTIFY_ROOM(to)))
