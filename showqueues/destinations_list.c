/* destinations_list - where the mail of all Postfixes of this host is to go */
#include "showqueues/destinations_list.h"

#include <stdlib.h>
#include <string.h>

#include "admin/queued.h"
#include "lib/clock.h"
#include "lib/iso_time.h"
#include "showqueues/destinations.h"
#include "showqueues/destinations_print.h"

enum { MS_PER_S = 1000, WHY_SIZE = QUEUED_WHY_SIZE + 128 };

static const char no_memory[] = "out of memory";

struct counting {
    struct destinations *destinations;
    bool failed; /* memory ran out */
};

static void count(void *arg, const struct queued_message *message)
{
    struct counting *counting = arg;

    if (strcmp(message->queue_name, "maildrop") == 0)
        return;
    for (size_t i = 0; i < message->recipient_count && !counting->failed; i++)
        counting->failed =
            !destinations_add(counting->destinations, message->recipients[i], message->arrival_s);
}

/* Postfix's own words, which name files and users, as they may be shown. */
static void explain(const char *name, const char *words, char why_r[WHY_SIZE])
{
    bool is_down = strstr(words, "mail system is down") != NULL;

    snprintf(why_r, WHY_SIZE, "%s%s%s%s", words, is_down ? "; start it (peg-ctl start " : "",
             is_down ? name : "", is_down ? "), or run this as root" : "");
    for (char *at = why_r; *at != '\0'; at++)
        if (*at < ' ' || *at > '~')
            *at = '?';
}

/* Ask one Postfix. NULL with the reason in why_r. */
static struct destinations *ask(const struct settings *settings, const char *name, int64_t now_s,
                                char why_r[WHY_SIZE])
{
    struct counting counting = {.destinations = destinations_new(now_s)};
    char below_root[sizeof "/etc/" + SETTINGS_NAME_SIZE], config_dir[PATH_MAX];
    char words[QUEUED_WHY_SIZE];

    snprintf(below_root, sizeof below_root, "/etc/%s", name);
    if (counting.destinations == NULL || !settings_path(settings, below_root, config_dir))
        snprintf(why_r, WHY_SIZE, "%s",
                 counting.destinations == NULL ? no_memory : "the path is too long");
    else if (!queued_each(config_dir, count, &counting, words))
        explain(name, words, why_r);
    else if (counting.failed)
        snprintf(why_r, WHY_SIZE, "%s", no_memory);
    else
        return counting.destinations;
    destinations_free(&counting.destinations);
    return NULL;
}

/* Show one Postfix, in array where that is not NULL. */
static bool show(const struct destinations_list *list, const char *name, json_t *array)
{
    int64_t now_s = clock_wall_ms() / MS_PER_S;
    char why[WHY_SIZE];
    struct destinations *found = ask(list->settings, name, now_s, why);
    bool good = found != NULL;

    if (good && array == NULL)
        good = destinations_print(found, name, list->limit, list->out);
    else if (array != NULL)
        good =
            json_array_append_new(array, good ? destinations_json(found, name, list->limit, now_s)
                                              : destinations_json_error(name, why)) == 0 &&
            good;
    if (!good)
        fprintf(list->err, "%s: %s: %s\n", list->program, name, found != NULL ? no_memory : why);
    destinations_free(&found);
    return good;
}

static bool is_wanted(const struct destinations_list *list, int n)
{
    return (list->is_whole || n == list->instance) && settings_has(list->settings, n);
}

/* Whether the one that is asked for is there. */
static bool is_here(const struct destinations_list *list)
{
    char name[SETTINGS_NAME_SIZE];

    if (list->is_whole || settings_has(list->settings, list->instance))
        return true;
    settings_instance_name(list->instance, name);
    fprintf(list->err, "%s: there is no %s on this host\n", list->program, name);
    return false;
}

static bool show_all(const struct destinations_list *list, json_t *array)
{
    bool good = true;

    for (int n = PEG_FIRST; n < list->settings->priority_count; n++) { /* -2, -1, 0, ... */
        char name[SETTINGS_NAME_SIZE];

        if (!is_wanted(list, n))
            continue;
        settings_instance_name(n, name);
        good = show(list, name, array) && good;
    }
    return good;
}

static bool show_json(const struct destinations_list *list)
{
    json_t *array = json_array();
    char taken[ISO_TIME_SIZE];
    bool good = array != NULL;
    json_t *root;
    char *text;

    iso_time_print(clock_wall_ms(), taken);
    good = good && show_all(list, array);
    root = json_pack("{s:s, s:o, s:o}", "taken", taken, "age_limits_minutes",
                     destinations_json_ages(), "instances", array);
    text = root != NULL ? json_dumps(root, JSON_ENSURE_ASCII) : NULL;
    json_decref(root);
    if (text == NULL) {
        fprintf(list->err, "%s: %s\n", list->program, no_memory);
        return false;
    }
    fprintf(list->out, "%s\n", text);
    free(text);
    return good;
}

bool destinations_list(const struct destinations_list *list)
{
    if (!is_here(list))
        return false;
    if (list->as_json)
        return show_json(list);
    fputs("Recipients in the queues of all Postfix instances, by destination domain and by the "
          "minutes since their arrival\n\n",
          list->out);
    return show_all(list, NULL);
}
