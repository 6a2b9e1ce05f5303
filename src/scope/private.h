/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside room scope only.
 */
#pragma once

#include <systemd/sd-bus.h>

#include "scope/scope.h"

struct property {
    char *line; /* owned; the words lie in it */
    char **words;
    size_t count; /* signature, name, values */
    bool is_optional, is_dropped;
};
struct properties {
    struct property *items;
    size_t count;
};
/* properties.c */
int properties_read(int fd, struct properties *ret, struct cl_error *err);
void properties_done(struct properties *properties);
/* As an a(sv), those that are not dropped. */
int properties_append(const struct properties *properties, sd_bus_message *message);
/* Drop the optional one that an answer complains of; false: none of them. */
bool properties_drop(struct properties *properties, const char *complaint);

/* bus.c */
struct manager {
    sd_bus *bus;
    bool is_user;
};
int manager_open(bool is_user, struct manager *ret, struct cl_error *err);
void manager_done(struct manager *manager);
int manager_start(struct manager *manager, const char *unit, struct properties *properties,
                  struct cl_error *err);
int manager_set(struct manager *manager, const char *unit, struct properties *properties,
                struct cl_error *err);
int manager_stop(struct manager *manager, const char *unit, struct cl_error *err);
/* *ret is the caller's. */
int manager_where(struct manager *manager, char **ret, struct cl_error *err);
