/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every verb, one row each: X(symbol) expands to cli_verb_SYMBOL, which its own file defines. The order is the order of the help.
 */
#pragma once

#include "cli/cli.h"

#define CLI_VERBS(X)                                                                               \
    X(run)                                                                                         \
    X(create)                                                                                      \
    X(start)                                                                                       \
    X(exec)                                                                                        \
    X(ps)                                                                                          \
    X(logs)                                                                                        \
    X(attach)                                                                                      \
    X(wait)                                                                                        \
    X(stop)                                                                                        \
    X(restart)                                                                                     \
    X(kill)                                                                                        \
    X(pause)                                                                                       \
    X(unpause)                                                                                     \
    X(rename)                                                                                      \
    X(rm)                                                                                          \
    X(top)                                                                                         \
    X(inspect)                                                                                     \
    X(container_inspect)                                                                           \
    X(images)                                                                                      \
    X(image_inspect)                                                                               \
    X(import)                                                                                      \
    X(load)                                                                                        \
    X(tag)                                                                                         \
    X(rmi)                                                                                         \
    X(lsns)                                                                                        \
    X(view)                                                                                        \
    X(glass)                                                                                       \
    X(pid)                                                                                         \
    X(ns_tree)                                                                                     \
    X(ns_diff)                                                                                     \
    X(ns_watch)                                                                                    \
    X(why)                                                                                         \
    X(tour)                                                                                        \
    X(info)                                                                                        \
    X(version)                                                                                     \
    X(help)                                                                                        \
    X(man)                                                                                         \
    X(completion)                                                                                  \
    X(reap)                                                                                        \
    X(tidy)

#define CLI_DECLARE_VERB(symbol) extern const struct cli_verb cli_verb_##symbol;
CLI_VERBS(CLI_DECLARE_VERB)
