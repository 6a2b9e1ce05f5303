/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What musl leaves out of a static position-independent program and glibc does: the checks of fortify.h, and making relocated data
 * (tables with pointers, the GOT) read-only before main (PT_GNU_RELRO; musl does that only where there is a dynamic linker).
 */
#include <elf.h>
#include <link.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#undef memcpy
#undef memmove
#undef memset
#undef snprintf
#undef vsnprintf

void *__memcpy_chk(void *to, const void *from, size_t size, size_t room)
{
    return memcpy(to, from, fortify_size(size, room));
}

void *__memmove_chk(void *to, const void *from, size_t size, size_t room)
{
    return memmove(to, from, fortify_size(size, room));
}

void *__memset_chk(void *to, int byte, size_t size, size_t room)
{
    return memset(to, byte, fortify_size(size, room));
}

int __vsnprintf_chk(char *to, size_t size, int flag, size_t room, const char *format, va_list list)
{
    (void)flag;
    return vsnprintf(to, fortify_size(size, room), format, list);
}

int __snprintf_chk(char *to, size_t size, int flag, size_t room, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int length = __vsnprintf_chk(to, size, flag, room, format, list);
    va_end(list);
    return length;
}

/* elf(5), getauxval(3): the headers lie in the first page of the program, so their address tells where it was loaded. */
__attribute__((constructor)) static void protect_relocated(void)
{
    const ElfW(Phdr) *headers = (const ElfW(Phdr) *)getauxval(AT_PHDR);
    size_t count = getauxval(AT_PHNUM), page = getauxval(AT_PAGESZ);
    uintptr_t base = (uintptr_t)headers - sizeof(ElfW(Ehdr));
    for (size_t i = 0; i < count; i++) {
        if (headers[i].p_type != PT_GNU_RELRO)
            continue;
        uintptr_t start = (base + headers[i].p_vaddr) & ~(uintptr_t)(page - 1);
        uintptr_t end = (base + headers[i].p_vaddr + headers[i].p_memsz) & ~(uintptr_t)(page - 1);
        if (mprotect((void *)start, end - start, PROT_READ) < 0)
            __builtin_trap();
    }
}
