/* settings_table - one row for every parameter: its name, type, range, default and place */
#include "lib/settings_table.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum {
    NICE_MIN = -20,
    NICE_MAX = 20,
    LIFETIME_MIN_S = 62, /* leaves the frontend a second between two tries */
    DAY_S = 86400
};

#define IN_SETTINGS(member) offsetof(struct settings, member)
#define IN_INSTANCE(member) offsetof(struct settings_instance, member)

/* Defaults that are NULL depend on other parameters, or on --root: see settings.c. */
const struct settings_parameter settings_parameters[SETTINGS_PARAMETER_COUNT] = {
    {"PRIORITY_COUNT", KIND_NUMBER, 2, SETTINGS_PRIORITY_MAX, "5", SUFFIX_NONE,
     IN_SETTINGS(priority_count)},
    {"DEFAULT_PRIORITY", KIND_NUMBER, 0, SETTINGS_PRIORITY_MAX - 1, NULL, SUFFIX_NONE,
     IN_SETTINGS(default_priority)},
    {"RELAY_HOST", KIND_RELAY, 0, 0, "", SUFFIX_NONE, IN_SETTINGS(relay_host)},
    {"MONITORING_DIR", KIND_PATH, 0, 0, SETTINGS_RUN_DIR "/monitoring", SUFFIX_NONE,
     IN_SETTINGS(monitoring_dir)},
    {"MONITORING_GROUP", KIND_GROUP, 0, 0, NULL, SUFFIX_NONE, IN_SETTINGS(monitoring_group)},
    {"AGENTX_SOCKET", KIND_SOCKET, 0, 0, "/var/agentx/master", SUFFIX_NONE,
     IN_SETTINGS(agentx_socket)},
    {"FRONTEND_LISTEN", KIND_LISTEN, 1, 0, "25", SUFFIX_NONE, IN_SETTINGS(frontend_listen)},
    {"URGENT_LISTEN", KIND_LISTEN, 0, 0, "", SUFFIX_NONE, IN_SETTINGS(urgent_listen)},
    {"INSTANCE_PORT_BASE", KIND_NUMBER, 1, 65535, "20000", SUFFIX_NONE,
     IN_SETTINGS(instance_port_base)},
    {"INSTANCE_NEXTHOP", KIND_NEXTHOP, 0, 0, "", SUFFIX_INDEX, IN_INSTANCE(nexthop)},
    {"INSTANCE_USERS", KIND_FLAG, 0, 0, NULL, SUFFIX_NONE, IN_SETTINGS(instance_users)},
    {"TCPMAP_LISTEN", KIND_ENDPOINT, 0, 0, "127.0.0.1:10040", SUFFIX_NONE,
     IN_SETTINGS(tcpmap_host)},
    {"LIMIT_CONNECTIONS_TCPMAP", KIND_NUMBER, 1, 100000, "1000", SUFFIX_NONE,
     IN_SETTINGS(tcpmap_connections)},
    {"DECISION_LIFETIME", KIND_TIME, LIFETIME_MIN_S, 100L * DAY_S, NULL, SUFFIX_NONE,
     IN_SETTINGS(decision_lifetime_s)},
    {"DECISION_SYNC", KIND_FLAG, 0, 0, "yes", SUFFIX_NONE, IN_SETTINGS(decision_sync)},
    {"TABLE_CAPACITY", KIND_SIZE, 1000, 20000000, "1000000", SUFFIX_NONE,
     IN_SETTINGS(table_capacity)},
    {"DAEMON_USER", KIND_USER, 0, 0, NULL, SUFFIX_NONE, IN_SETTINGS(daemon_user)},
    {"NICE_LEVEL_MILTER", KIND_NUMBER, NICE_MIN, NICE_MAX, "0", SUFFIX_NONE,
     IN_SETTINGS(milter_nice_level)},
    {"LIMIT_CONNECTIONS_MILTER", KIND_NUMBER, 1, 100000, "250", SUFFIX_NONE,
     IN_SETTINGS(milter_connections)},
    {"BOUNCE_COMMAND_LIMIT", KIND_NUMBER, 1, 1000, "10", SUFFIX_NONE, IN_SETTINGS(bounce_limit)},
    {"QUEUE_RUN_DELAY", KIND_TIME, 1, 7L * DAY_S, "300", SUFFIX_ALL,
     IN_INSTANCE(queue_run_delay_s)},
    /* 0 is Postfix's own word for one try; 100 days are its limit (src/global/mail_params.h). */
    {"MAXIMAL_QUEUE_LIFETIME", KIND_TIME, 0, 100L * DAY_S, "1d", SUFFIX_ALL,
     IN_INSTANCE(queue_lifetime_s)},
    {"QUEUE_LIMIT", KIND_NUMBER, 0, 1000000000, "0", SUFFIX_ALL, IN_INSTANCE(queue_limit)},
    {"QUEUE_AGE_LIMIT", KIND_TIME, 0, 100L * DAY_S, "0", SUFFIX_ALL,
     IN_INSTANCE(queue_age_limit_s)},
    {"BOUNCE_COMMAND", KIND_COMMAND, 0, 0, "", SUFFIX_ALL, IN_INSTANCE(bounce_command)},
    {"NICE_LEVEL", KIND_NUMBER, NICE_MIN, NICE_MAX, "0", SUFFIX_ALL, IN_INSTANCE(nice_level)},
    {"SCHED_BATCH", KIND_FLAG, 0, 0, "no", SUFFIX_ALL, IN_INSTANCE(sched_batch)},
    {"DSCP_CLASS", KIND_DSCP, 0, 0, "BE", SUFFIX_ALL, IN_INSTANCE(dscp)},
};

/* Names that the system had which this one succeeds. */
static const struct {
    const char *old_name;
    const char *name;
} old_names[] = {
    {"NICE_LEVEL_QPSMTPD", "NICE_LEVEL_MILTER"},
    {"LIMIT_CONNECTIONS_QPSMTPD", "LIMIT_CONNECTIONS_MILTER"},
};

const struct settings_parameter *settings_table_find(const char *name)
{
    for (size_t i = 0; i < sizeof old_names / sizeof *old_names; i++)
        if (strcmp(old_names[i].old_name, name) == 0)
            name = old_names[i].name;
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
                 p->max / DAY_S);
        break;
    case KIND_RELAY:
        snprintf(text_r, SETTINGS_NEEDED_SIZE,
                 "\"\" or one of domain, host:port, [host], [host]:port, [address], "
                 "[address]:port");
        break;
    case KIND_LISTEN:
        snprintf(text_r, SETTINGS_NEEDED_SIZE,
                 "%sone or more different of port, host:port, [IPv6 address]:port, "
                 "with blanks between them,",
                 p->min == 0 ? "\"\", or " : "");
        break;
    case KIND_ENDPOINT:
        snprintf(text_r, SETTINGS_NEEDED_SIZE,
                 "address:port or [IPv6 address]:port, with numbers only,");
        break;
    case KIND_USER:
        snprintf(text_r, SETTINGS_NEEDED_SIZE, "the name of a system user");
        break;
    case KIND_GROUP:
        snprintf(text_r, SETTINGS_NEEDED_SIZE, "the name of a group");
        break;
    case KIND_FLAG:
        snprintf(text_r, SETTINGS_NEEDED_SIZE, "yes or no");
        break;
    case KIND_DSCP:
        snprintf(text_r, SETTINGS_NEEDED_SIZE,
                 "one of BE, LE, EF, VA, CS0 to CS7, AF11 to AF43 (AF, a class from 1 to 4, a drop "
                 "precedence from 1 to 3), or a number from 0 to 63,");
        break;
    case KIND_COMMAND:
        snprintf(text_r, SETTINGS_NEEDED_SIZE, "\"\", or a command of at most 4096 bytes");
        break;
    case KIND_PATH:
        snprintf(text_r, SETTINGS_NEEDED_SIZE, "the whole path of a folder, without \"..\",");
        break;
    case KIND_SOCKET:
        snprintf(text_r, SETTINGS_NEEDED_SIZE,
                 "\"\", or the whole path of a socket, without \"..\",");
        break;
    case KIND_NEXTHOP:
        snprintf(text_r, SETTINGS_NEEDED_SIZE, "\"\", [host]:port or [address]:port");
        break;
    }
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
    static const char *const suffixes[] = {"", "_FRONTEND", "_URGENT", "_DEFAULT"};
    const size_t forms = sizeof suffixes / sizeof *suffixes;
    size_t best = strlen(name) / 3 + 1; /* a third of the letters wrong is still near */

    nearest_r[0] = '\0';
    for (size_t i = 0; i < SETTINGS_PARAMETER_COUNT * forms; i++) {
        const struct settings_parameter *p = &settings_parameters[i / forms];
        char known[SETTINGS_NEAREST_SIZE - 3];

        if (i % forms != 0 && p->suffix != SUFFIX_ALL)
            continue;
        snprintf(known, sizeof known, "%s%s", p->name, suffixes[i % forms]);
        size_t distance = edit_distance(name, known);

        if (distance < best) {
            best = distance;
            snprintf(nearest_r, SETTINGS_NEAREST_SIZE, "%s%s", known,
                     p->suffix != SUFFIX_NONE && i % forms == 0 ? "[n]" : "");
        }
    }
}
