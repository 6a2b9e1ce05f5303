/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Room scope: the program cloche-scope, which asks systemd for the control group of a container.
 *
 *   cloche-scope [--user] start UNIT   makes the transient scope UNIT and waits until it is there
 *   cloche-scope [--user] set UNIT     changes properties of it
 *   cloche-scope [--user] stop UNIT    ends it, and forgets that it failed; fine when there is none
 *   cloche-scope [--user] where        prints the control group of the manager itself
 *
 * start and set read properties from standard input, one a line, words separated by tabs:
 * SIGNATURE NAME VALUE...; the signature is D-Bus's: s b t u x i as au ay (hexadecimal) a(ss) a(st). A
 * line that begins with "?" may be left out where this systemd does not know the property. Exit
 * status 0, or 1 with one line on standard error. A program of its own, since static programs can't
 * load libsystemd (docs/decisions/009).
 */
#pragma once

#include "base/base.h"

int scope_main(int argc, char **argv);
