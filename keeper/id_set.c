/* id_set - a set of queue IDs */
#include "keeper/id_set.h"

#include <stdlib.h>
#include <string.h>

bool id_set_add(struct id_set *set, const char *id)
{
    char *copy;

    if (set->count == set->room) {
        size_t room = set->room * 2 + 16;
        char **larger = realloc(set->ids, room * sizeof *larger);

        if (larger == NULL)
            return false;
        set->ids = larger;
        set->room = room;
    }
    if ((copy = strdup(id)) == NULL)
        return false;
    set->ids[set->count++] = copy;
    set->is_sorted = false;
    return true;
}

static int compare(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

/* In order, each once. */
static void sort(struct id_set *set)
{
    size_t kept = 0;

    if (set->is_sorted || set->count == 0)
        return;
    qsort(set->ids, set->count, sizeof *set->ids, compare);
    for (size_t n = 1; n < set->count; n++) {
        if (strcmp(set->ids[n], set->ids[kept]) == 0)
            free(set->ids[n]);
        else
            set->ids[++kept] = set->ids[n];
    }
    set->count = kept + 1;
    set->is_sorted = true;
}

bool id_set_has(struct id_set *set, const char *id)
{
    if (set->count == 0)
        return false;
    sort(set);
    return bsearch(&id, set->ids, set->count, sizeof *set->ids, compare) != NULL;
}

size_t id_set_count(struct id_set *set)
{
    sort(set);
    return set->count;
}

void id_set_free(struct id_set *set)
{
    for (size_t n = 0; n < set->count; n++)
        free(set->ids[n]);
    free(set->ids);
    *set = (struct id_set){0};
}
