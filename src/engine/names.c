/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names for containers that were given none: an adjective and somebody who found something out.
 */
#include "engine/engine_private.h"

#include <sys/random.h>

static const char *const adjectives[] = {
    "airy",   "amber",  "ample",    "brave",   "breezy", "bright",  "brisk",   "calm",
    "candid", "clear",  "clever",   "cosmic",  "crisp",  "curious", "daring",  "deft",
    "eager",  "early",  "earnest",  "fair",    "famous", "fluent",  "frank",   "gentle",
    "glassy", "golden", "graceful", "handy",   "happy",  "honest",  "humble",  "jolly",
    "keen",   "kind",   "lively",   "lucid",   "lucky",  "mellow",  "merry",   "mighty",
    "modest", "nimble", "noble",    "patient", "plain",  "polite",  "proud",   "quick",
    "quiet",  "ready",  "serene",   "sharp",   "silent", "silver",  "sincere", "steady",
    "sunny",  "swift",  "tidy",     "upbeat",  "vivid",  "warm",    "wise",    "witty",
};

static const char *const finders[] = {
    "abel",      "agnesi",     "alhazen",      "ampere",   "archimedes", "babbage",    "banneker",
    "bernoulli", "boole",      "bose",         "brahe",    "cantor",     "cavendish",  "chandra",
    "clarke",    "copernicus", "crick",        "curie",    "dalton",     "darwin",     "dijkstra",
    "dirac",     "einstein",   "eratosthenes", "euclid",   "euler",      "faraday",    "fermi",
    "fibonacci", "fourier",    "franklin",     "galileo",  "galois",     "gauss",      "germain",
    "godel",     "hamilton",   "herschel",     "hilbert",  "hopper",     "huygens",    "hypatia",
    "johnson",   "kepler",     "khayyam",      "knuth",    "laplace",    "lavoisier",  "leibniz",
    "liskov",    "lovelace",   "maxwell",      "meitner",  "mendel",     "mirzakhani", "newton",
    "noether",   "pascal",     "pasteur",      "planck",   "ramanujan",  "ritchie",    "shannon",
    "shen",      "tesla",      "thompson",     "torvalds", "turing",     "volta",      "wu",
    "yonath",    "zu",
};

int engine_random_name(char *buffer, size_t size)
{
    uint32_t random[3];
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
        return -EIO;
    const char *adjective = adjectives[random[0] % CL_COUNT(adjectives)];
    const char *finder = finders[random[1] % CL_COUNT(finders)];
    return cl_print(buffer, size, "%s_%s", adjective, finder);
}

int engine_name_check(const char *name, struct cl_error *err)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    size_t length = strlen(name);
    if (length >= 2 && length <= 128 && strchr(letters, name[0]) != NULL &&
        strspn(name + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") ==
            length - 1)
        return 0;
    return cl_fail_kind(err, CL_KIND_INVALID, EINVAL,
                        "the container name \"%.130s\" is not possible: it takes 2 to 128 of "
                        "[a-zA-Z0-9_.-] and begins with a letter or digit",
                        name);
}
