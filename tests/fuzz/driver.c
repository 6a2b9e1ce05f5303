/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs the seeds of a fuzz target as an ordinary test, where libFuzzer is not linked: `fuzz-NAME DIRECTORY` hands each
 * file of the directory, in order of names, to the target, and prints a TAP line for it; `fuzz-NAME FILE…` does so for single files
 * (an input that libFuzzer found). An input fails by crashing or by a sanitizer's report, so the line is printed
 * after it has survived; the plan stands first, so that a crash shows as missing lines, with the name in the line before it.
 * Two inputs that every parser must survive, the empty one and a single zero byte, are always run.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_SEED = 16 << 20 };

static int number, failures;

static void report(const char *path, const char *problem)
{
    printf("%sok %d - %s\n", problem ? "not " : "", ++number, path);
    if (problem) {
        printf("# %s: %s\n", path, problem);
        failures++;
    }
}

/* The copy has exactly the input's size, so that the address sanitizer sees the first byte read past it. */
static void run_bytes(const char *name, const void *bytes, size_t size)
{
    uint8_t *exact = malloc(size > 0 ? size : 1);
    if (exact == NULL) {
        report(name, strerror(ENOMEM));
        return;
    }
    memcpy(exact, bytes, size);
    printf("# running %s\n", name);
    (void)LLVMFuzzerTestOneInput(
        exact, size); /* the result is libFuzzer's business: keep the input or not */
    free(exact);
    report(name, NULL);
}

static void run_file(const char *path)
{
    static uint8_t bytes[MAX_SEED];
    FILE *file = fopen(path, "rbe");
    if (file == NULL) {
        report(path, strerror(errno));
        return;
    }
    size_t size = fread(bytes, 1, sizeof bytes, file);
    int failed = ferror(file);
    (void)fclose(file); /* only read */
    if (failed)
        report(path, strerror(EIO));
    else
        run_bytes(path, bytes, size);
}

static int is_seed(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void run_directory(const char *directory)
{
    struct dirent **entries;
    int count = scandir(directory, &entries, is_seed, alphasort);
    if (count <= 0) {
        printf("1..1\n");
        report(directory, count < 0 ? strerror(errno) : "no seeds: put some inputs there");
        return;
    }
    printf("1..%d\n", count + 2);
    run_bytes("(empty)", "", 0);
    run_bytes("(one zero byte)", "", 1);
    for (int i = 0; i < count; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", directory, entries[i]->d_name);
        run_file(path);
        free(entries[i]);
    }
    free(entries);
}

int main(int argc, char **argv)
{
    struct stat status;
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc < 2) {
        fprintf(stderr, "usage: %s DIRECTORY | FILE...\n", argv[0]);
        return 2;
    }
    printf("TAP version 13\n");
    if (argc == 2 && (stat(argv[1], &status) != 0 || S_ISDIR(status.st_mode))) {
        run_directory(argv[1]);
    } else {
        printf("1..%d\n", argc - 1);
        for (int i = 1; i < argc; i++)
            run_file(argv[i]);
    }
    return failures > 0;
}
