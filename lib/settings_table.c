/* settings_table - one row for every parameter: its name, type, range, default and place */
#include "lib/settings_table.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/settings_values.h"

enum {
    NICE_MIN = -20,
    NICE_MAX = 20,
    LIFETIME_MIN_S = 62 /* leaves the frontend a second between two tries */
};

#define IN_SETTINGS(member) offsetof(struct settings, member)
#define IN_INSTANCE(member) offsetof(struct settings_instance, member)

const struct settings_parameter settings_parameters[SETTINGS_PARAMETER_COUNT] = {
    {"PRIORITY_COUNT", KIND_NUMBER, 2, SETTINGS_PRIORITY_MAX, "5", false,
     IN_SETTINGS(priority_count)},
    {"DEFAULT_PRIORITY", KIND_NUMBER, 0, SETTINGS_PRIORITY_MAX - 1, NULL, false,
     IN_SETTINGS(default_priority)},
    {"RELAY_HOST", KIND_RELAY, 0, 0, "", false, IN_SETTINGS(relay_host)},
    {"FRONTEND_LISTEN", KIND_LISTEN, 0, 0, "25", false, IN_SETTINGS(frontend_listen)},
    {"INSTANCE_PORT_BASE", KIND_NUMBER, 1, 65535, "20000", false, IN_SETTINGS(instance_port_base)},
    {"TCPMAP_LISTEN", KIND_ENDPOINT, 0, 0, "127.0.0.1:10040", false, IN_SETTINGS(tcpmap_host)},
    {"LIMIT_CONNECTIONS_TCPMAP", KIND_NUMBER, 1, 100000, "1000", false,
     IN_SETTINGS(tcpmap_connections)},
    /* The default is two of Postfix's 300 s between tries, and 60 s. */
    {"DECISION_LIFETIME", KIND_TIME, LIFETIME_MIN_S, 100L * 86400, "660", false,
     IN_SETTINGS(decision_lifetime_s)},
    {"DECISION_SYNC", KIND_FLAG, 0, 0, "yes", false, IN_SETTINGS(decision_sync)},
    {"TABLE_CAPACITY", KIND_SIZE, 1000, 20000000, "1000000", false, IN_SETTINGS(table_capacity)},
    {"DAEMON_USER", KIND_USER, 0, 0, NULL, false, IN_SETTINGS(daemon_user)},
    {"NICE_LEVEL", KIND_NUMBER, NICE_MIN, NICE_MAX, "0", true, IN_INSTANCE(nice_level)},
};

const struct settings_parameter *settings_table_find(const char *name)
{
    for (size_t i = 0; i < SETTINGS_PARAMETER_COUNT; i++)
        if (strcmp(settings_parameters[i].name, name) == 0)
            return &settings_parameters[i];
    return NULL;
}

void settings_table_needed(const struct settings_parameter *p, char text_r[SETTINGS_NEEDED_SIZE])
{
    switch (p->kind) {
    case KIND_NUMBER:
    case KIND_SIZE:
        snprintf(text_r, SETTINGS_NEEDED_SIZE, "a whole number from %ld to %ld", p->min, p->max);
        break;
    case KIND_TIME:
        snprintf(text_r, SETTINGS_NEEDED_SIZE,
                 "a time from %ld s to %ld d, such as 660, 660s, 11m or 2h,", p->min,
                 p->max / 86400);
        break;
    case KIND_RELAY:
        snprintf(text_r, SETTINGS_NEEDED_SIZE,
                 "\"\" or one of domain, host:port, [host], [host]:port, [address], "
                 "[address]:port");
        break;
    case KIND_LISTEN:
        snprintf(text_r, SETTINGS_NEEDED_SIZE,
                 "one or more different of port, host:port, [IPv6 address]:port, "
                 "with blanks between them,");
        break;
    case KIND_ENDPOINT:
        snprintf(text_r, SETTINGS_NEEDED_SIZE,
                 "address:port or [IPv6 address]:port, with numbers only,");
        break;
    case KIND_USER:
        snprintf(text_r, SETTINGS_NEEDED_SIZE, "the name of a system user");
        break;
    case KIND_FLAG:
        snprintf(text_r, SETTINGS_NEEDED_SIZE, "yes or no");
        break;
    }
}

void settings_table_free_list(char **list)
{
    for (size_t i = 0; list != NULL && list[i] != NULL; i++)
        free(list[i]);
    free(list);
}

/* Split text at blanks into services, each a good one and none twice; NULL where that fails. */
static char **parse_listen(const char *text)
{
    static const char blanks[] = " \t\n";
    char **list = calloc(strlen(text) / 2 + 2, sizeof *list);
    size_t count = 0;
    bool good = list != NULL;

    for (text += strspn(text, blanks); good && *text != '\0'; text += strspn(text, blanks)) {
        size_t len = strcspn(text, blanks);
        char *service = strndup(text, len);

        list[count] = service;
        good = service != NULL && settings_value_inet_service(service);
        for (size_t i = 0; good && i < count; i++)
            good = strcmp(list[i], service) != 0;
        count++;
        text += len;
    }
    if (!good || count == 0) {
        settings_table_free_list(list);
        return NULL;
    }
    return list;
}

static bool store_text(char **text, const char *value)
{
    char *copy = strdup(value);

    if (copy == NULL)
        return false;
    free(*text);
    *text = copy;
    return true;
}

static bool store_listen(char ***list, const char *value)
{
    char **services = parse_listen(value);

    if (services == NULL)
        return false;
    settings_table_free_list(*list);
    *list = services;
    return true;
}

static bool store_endpoint(struct settings *settings, const char *value)
{
    char *host;

    if (!settings_value_endpoint(value, &host, &settings->tcpmap_port))
        return false;
    free(settings->tcpmap_host);
    settings->tcpmap_host = host;
    return true;
}

bool settings_table_store(const struct settings_parameter *p, void *base, const char *value)
{
    void *place = (char *)base + p->offset;
    long number;

    switch (p->kind) {
    case KIND_NUMBER:
        if (!settings_value_number(value, p->min, p->max, &number))
            return false;
        *(int *)place = (int)number;
        return true;
    case KIND_SIZE:
        if (!settings_value_number(value, p->min, p->max, &number))
            return false;
        *(size_t *)place = (size_t)number;
        return true;
    case KIND_TIME:
        if (!settings_value_time_s(value, p->min, p->max, &number))
            return false;
        *(int *)place = (int)number;
        return true;
    case KIND_RELAY:
        return settings_value_relay_host(value) && store_text(place, value);
    case KIND_USER:
        return settings_value_user(value) && store_text(place, value);
    case KIND_FLAG:
        return settings_value_flag(value, place);
    case KIND_LISTEN:
        return store_listen(place, value);
    case KIND_ENDPOINT:
        return store_endpoint(base, value);
    }
    return false;
}

static size_t min_of_three(size_t a, size_t b, size_t c)
{
    size_t min = a < b ? a : b;

    return min < c ? min : c;
}

enum { DISTANCE_NAME_MAX = 40 }; /* longer names are near to nothing */

/* Letters to insert, drop or change (Levenshtein) to make a of b, case aside. */
static size_t edit_distance(const char *a, const char *b)
{
    size_t distance[DISTANCE_NAME_MAX + 1];
    size_t b_len = strlen(b);

    if (strlen(a) > DISTANCE_NAME_MAX || b_len > DISTANCE_NAME_MAX)
        return SIZE_MAX;
    for (size_t j = 0; j <= b_len; j++)
        distance[j] = j;
    for (size_t i = 1; a[i - 1] != '\0'; i++) {
        size_t diagonal = distance[0];

        distance[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t above = distance[j];
            bool same = strncasecmp(&a[i - 1], &b[j - 1], 1) == 0;

            distance[j] = min_of_three(above + 1, distance[j - 1] + 1, diagonal + !same);
            diagonal = above;
        }
    }
    return distance[b_len];
}

void settings_table_nearest(const char *name, char nearest_r[SETTINGS_NEAREST_SIZE])
{
    static const char *const suffixes[] = {"", "_FRONTEND", "_DEFAULT"};
    size_t best = strlen(name) / 3 + 1; /* a third of the letters wrong is still near */

    nearest_r[0] = '\0';
    for (size_t i = 0; i < (size_t)SETTINGS_PARAMETER_COUNT * 3; i++) {
        const struct settings_parameter *p = &settings_parameters[i / 3];
        char known[SETTINGS_NEAREST_SIZE - 3];

        if (i % 3 != 0 && !p->suffixed)
            continue;
        snprintf(known, sizeof known, "%s%s", p->name, suffixes[i % 3]);
        size_t distance = edit_distance(name, known);

        if (distance < best) {
            best = distance;
            snprintf(nearest_r, SETTINGS_NEAREST_SIZE, "%s%s", known,
                     p->suffixed && i % 3 == 0 ? "[n]" : "");
        }
    }
}
