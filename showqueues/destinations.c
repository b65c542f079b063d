/* destinations - recipients that wait, by the domain of their address and by how long they have */
#include "showqueues/destinations.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

enum { SECONDS_PER_MINUTE = 60 };

/* A domain in the tree; its name follows it. */
struct place {
    struct destination destination;
    struct place *next;
    char domain[];
};

struct destinations {
    int64_t now_s;
    struct destination total;
    void *tree; /* of tsearch(3), which is balanced: strangers choose what goes in */
    struct place *places;
    size_t count;
};

struct destinations *destinations_new(int64_t now_s)
{
    struct destinations *destinations = calloc(1, sizeof *destinations);

    if (destinations != NULL)
        destinations->now_s = now_s;
    return destinations;
}

static void leave(void *node)
{
    (void)node; /* places are freed by their list */
}

void destinations_free(struct destinations **destinations_ptr)
{
    struct destinations *destinations = *destinations_ptr;
    struct place *next;

    *destinations_ptr = NULL;
    if (destinations == NULL)
        return;
    tdestroy(destinations->tree, leave);
    for (struct place *place = destinations->places; place != NULL; place = next) {
        next = place->next;
        free(place);
    }
    free(destinations);
}

/* The domain of an address, with its length, 0 where it has none. */
static const char *domain_of(const char *address, size_t *len_r)
{
    const char *at = strrchr(address, '@');
    const char *domain = at != NULL ? at + 1 : "";
    size_t len = strlen(domain);

    if (strchr(domain, '"') != NULL) /* that was the @ of a quoted local part */
        len = 0;
    while (len > 0 && domain[len - 1] == '.')
        len--;
    *len_r = len;
    return domain;
}

static int compare_domains(const void *a, const void *b)
{
    const struct place *left = a, *right = b;

    return strcmp(left->domain, right->domain);
}

/* Find the place of a domain, or make it. NULL: out of memory. */
static struct place *find(struct destinations *destinations, const char *domain, size_t len)
{
    struct place *place = calloc(1, sizeof *place + len + 1);
    struct place *found;
    void **node;

    if (place == NULL)
        return NULL;
    for (size_t i = 0; i < len; i++)
        place->domain[i] =
            domain[i] >= 'A' && domain[i] <= 'Z' ? (char)(domain[i] - 'A' + 'a') : domain[i];
    node = tsearch(place, &destinations->tree, compare_domains);
    found = node != NULL ? *node : NULL;
    if (found != place) {
        free(place);
        return found;
    }
    if (len > 0)
        place->destination.domain = place->domain;
    place->next = destinations->places;
    destinations->places = place;
    destinations->count++;
    return place;
}

static int age_of(const struct destinations *destinations, int64_t arrival_s)
{
    int64_t limit_s = DESTINATIONS_FIRST_AGE_MIN * SECONDS_PER_MINUTE;
    int age = 0;

    for (; age < DESTINATIONS_AGES - 1 && destinations->now_s - arrival_s >= limit_s; age++)
        limit_s *= 2;
    return age;
}

static void count(struct destination *destination, int age, int64_t arrival_s)
{
    if (destination->recipients == 0 || arrival_s < destination->oldest_s)
        destination->oldest_s = arrival_s;
    destination->recipients++;
    destination->by_age[age]++;
}

bool destinations_add(struct destinations *destinations, const char *address, int64_t arrival_s)
{
    size_t len;
    const char *domain = domain_of(address, &len);
    struct place *place = find(destinations, domain, len);
    int age;

    if (arrival_s < 0)
        arrival_s = 0;
    age = age_of(destinations, arrival_s);
    if (place == NULL)
        return false;
    count(&place->destination, age, arrival_s);
    count(&destinations->total, age, arrival_s);
    return true;
}

const struct destination *destinations_total(const struct destinations *destinations)
{
    return &destinations->total;
}

static int compare_counts(const void *a, const void *b)
{
    const struct destination *left = *(const struct destination *const *)a;
    const struct destination *right = *(const struct destination *const *)b;

    if (left->recipients != right->recipients)
        return left->recipients > right->recipients ? -1 : 1;
    return strcmp(left->domain != NULL ? left->domain : "",
                  right->domain != NULL ? right->domain : "");
}

bool destinations_sort(const struct destinations *destinations, const struct destination ***list_r,
                       size_t *count_r)
{
    const struct destination **list = calloc(destinations->count + 1, sizeof *list);
    size_t count = 0;

    if (list == NULL)
        return false;
    for (const struct place *place = destinations->places; place != NULL; place = place->next)
        list[count++] = &place->destination;
    qsort(list, count, sizeof *list, compare_counts);
    *list_r = list;
    *count_r = count;
    return true;
}
