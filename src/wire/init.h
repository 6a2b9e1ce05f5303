/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between the parent of a container and its init child, over one SOCK_SEQPACKET pair made before clone3.
 *
 *   parent (host namespaces)                     init (born in the new namespaces)
 *   ------------------------                     ---------------------------------
 *   GO                        ------------->     goes on in init_steps[], in the group if there is one
 *                             <-------------     CONSOLE + fd      (terminal only: the master of its pty)
 *                             <-------------     HOOKS             (only with prestart, createRuntime or createContainer hooks)
 *   runs the first two kinds
 *   GO_ON                     ------------->     runs the third kind, goes on
 *                             <-------------     READY             (all steps but seccomp and exec are done)
 *   START                     ------------->     last steps
 *                             <-------------     HOLD              (only with startContainer hooks: the end of file alone does not mean that the program runs)
 *                             <-------------     LISTENER + fds    (seccomp notify only: listener, connection to its agent, what to tell it)
 *   sends it to the agent
 *                             <-------------     PROGRAM           (only after HOLD: the hooks are through, the next is the program)
 *                                                execve
 *                             <-------------     (end of file: exec happened, the socket was close-on-exec)
 *                             <-------------     FAILED {step, errno, text with the step's name}  at any time instead; then init exits
 *
 * Where nobody has a word to say between READY and the program (runtime_options.when_ready), START is sent while init is still at work, and read by it just before READY.
 *
 * Where another process is to start the container (runtime_leave), the parent sends LEAVE after READY and is gone; init accepts connections on its listening socket,
 * and the first that sends START there takes the parent's place. A connection that ends without a word is no start: init goes on listening. One that sends WHO gets
 * READY, with which the kernel hands over who sent it (SCM_CREDENTIALS): how `delete` finds the init of a container whose state can't be read.
 *
 * The parent's end of file before READY means that it died: init exits without a trace. Fixed-size messages, one per packet.
 */
#pragma once

#include "base/base.h"

enum wire_init_type {
    WIRE_INIT_GO = 1,
    WIRE_INIT_CONSOLE,
    WIRE_INIT_LISTENER,
    WIRE_INIT_HOOKS,
    WIRE_INIT_GO_ON,
    WIRE_INIT_READY,
    WIRE_INIT_START,
    WIRE_INIT_LEAVE,
    WIRE_INIT_WHO,
    WIRE_INIT_HOLD,
    WIRE_INIT_PROGRAM,
    WIRE_INIT_FAILED
};

/* FAILED by the last program of ours (trampoline.c): a startContainer hook, the program itself. */
#define WIRE_INIT_STEP_HOOK    UINT32_C(0xfffffffe)
#define WIRE_INIT_STEP_PROGRAM UINT32_C(0xffffffff)

struct wire_init {
    uint32_t type; /* enum wire_init_type */
    uint32_t step; /* FAILED: index into init_steps[], or one of the two below */
    int32_t code;  /* FAILED: negative errno. GO: 1: there is a control group. */
    uint32_t kind; /* FAILED: enum cl_kind */
    /* FAILED: cl_error's text. START with a descriptor: it is the file of a trace, and here is the struct timespec that its times count from. */
    char text[480];
};
