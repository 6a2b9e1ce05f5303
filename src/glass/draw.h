/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The picture: state and table become cells. Pure; only the rows on the screen are looked at.
 */
#pragma once

#include "glass/screen.h"
#include "glass/state.h"

struct glass_scene {
    const struct glass_state *state;
    const struct glass_world *world;
    const struct glass_focus *focus; /* of the process under the cursor, or NULL */
    const char *host_name;
    const char *following; /* how changes are heard of: "live", "every 1s" */
};
void glass_draw(struct glass_screen *screen, const struct glass_scene *scene);
/* draw_row.c */
void glass_draw_row(struct glass_screen *screen, const struct glass_scene *scene, size_t index,
                    unsigned y);
void glass_draw_headings(struct glass_screen *screen, const struct glass_layout *layout);
/* The hue of a container. */
uint8_t glass_hue(const struct glass_group *group);
