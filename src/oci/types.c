/* SPDX-License-Identifier: Apache-2.0 */
/*
 * String maps in document order. Look-ups are linear: the maps of these documents are short.
 */
#include "oci/types.h"

#include "oci/fields.h"

#include <errno.h>

static struct oci_pair *find(const struct oci_map *map, const char *key)
{
    for (size_t i = 0; i < map->count; i++)
        if (cl_streq(map->pairs[i].key, key))
            return &map->pairs[i];
    return NULL;
}

const char *oci_map_get(const struct oci_map *map, const char *key)
{
    const struct oci_pair *pair = find(map, key);
    return pair != NULL ? pair->value : NULL;
}

int oci_map_set(struct oci_map *map, const char *key, const char *value)
{
    cl_auto_free char *new_value = cl_strdup(value);
    if (new_value == NULL)
        return -ENOMEM;
    struct oci_pair *pair = find(map, key);
    if (pair == NULL) {
        cl_auto_free char *new_key = cl_strdup(key);
        if (new_key == NULL)
            return -ENOMEM;
        pair = oci_list_grow(&map->pairs, &map->count, sizeof *pair);
        if (pair == NULL)
            return -ENOMEM;
        pair->key = cl_take(new_key);
    }
    free(pair->value);
    pair->value = cl_take(new_value);
    return 0;
}

static void pair_done(struct oci_pair *pair)
{
    free(pair->key);
    free(pair->value);
}

bool oci_map_remove(struct oci_map *map, const char *key)
{
    struct oci_pair *pair = find(map, key);
    if (pair == NULL)
        return false;
    pair_done(pair);
    size_t after = map->count - (size_t)(pair - map->pairs) - 1;
    memmove(pair, pair + 1, after * sizeof *pair);
    map->count--;
    return true;
}

int oci_map_copy(struct oci_map *ret, const struct oci_map *map)
{
    struct oci_map copy = { 0 };
    if (map->count > 0 && (copy.pairs = cl_calloc(map->count, sizeof *copy.pairs)) == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < map->count; i++) {
        struct oci_pair *pair = &copy.pairs[copy.count++];
        pair->key = cl_strdup(map->pairs[i].key);
        pair->value = cl_strdup(map->pairs[i].value);
        if (pair->key == NULL || pair->value == NULL) {
            oci_map_done(&copy);
            return -ENOMEM;
        }
    }
    *ret = copy;
    return 0;
}

void oci_map_done(struct oci_map *map)
{
    for (size_t i = 0; i < map->count; i++)
        pair_done(&map->pairs[i]);
    free(map->pairs);
    *map = (struct oci_map){ 0 };
}
