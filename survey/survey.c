/* survey - what a gateway looks like at one moment: its queues, its Postfixes, its daemons */
#include "survey/survey.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "survey/queue_file.h"
#include "survey/survey_states.h"

/* So many messages may come between two questions whether the survey is over. */
enum { ASK_INTERVAL = 100 };

enum { DETAILS_REST = 9 }; /* times as long as they took */

struct taking {
    struct survey_instance *found;
    const char *queue_dir;
    enum survey_detail detail;
    uint64_t visits;
    bool (*is_over)(void *arg); /* NULL: never */
    void *arg;
    char why[QUEUES_WHY_SIZE]; /* a queue file cannot be read */
};

/* 0 is none. */
static int64_t earlier_ms(int64_t a_ms, int64_t b_ms)
{
    return a_ms == 0 || (b_ms != 0 && b_ms < a_ms) ? b_ms : a_ms;
}

static bool add_details(struct taking *taking, enum queue queue, int dir_fd, const char *name)
{
    struct survey_queue *sum = &taking->found->queues[queue];
    struct queue_file file;
    int result = queue_file_read(dir_fd, name, &file);

    if (result < 0)
        snprintf(taking->why, sizeof taking->why, "%s/%s/%s: %m, %s", taking->queue_dir,
                 queues_name(queue), name, queues_advice(errno));
    if (result <= 0)
        return result == 0;
    sum->octets += file.octets;
    sum->recipients += file.recipients;
    sum->oldest_ms = earlier_ms(sum->oldest_ms, file.arrival_ms);
    return true;
}

static bool take_message(void *arg, enum queue queue, int dir_fd, const char *name)
{
    struct taking *taking = arg;

    if (taking->is_over != NULL && ++taking->visits % ASK_INTERVAL == 0 &&
        taking->is_over(taking->arg))
        return false;
    taking->found->queues[queue].messages++;
    return taking->detail == SURVEY_COUNTS || add_details(taking, queue, dir_fd, name);
}

bool survey_queue_dir(const struct settings *settings, int instance, char path_r[PATH_MAX])
{
    char name[SETTINGS_NAME_SIZE];
    char below_root[sizeof "/var/spool/" + SETTINGS_NAME_SIZE];

    settings_instance_name(instance, name);
    snprintf(below_root, sizeof below_root, "/var/spool/%s", name);
    return settings_path(settings, below_root, path_r);
}

/* Returns false where is_over() ended it. */
static bool take_queues(const struct settings *settings, struct taking *taking)
{
    struct survey_instance *found = taking->found;
    char queue_dir[PATH_MAX];

    if (!survey_queue_dir(settings, found->instance, queue_dir)) {
        snprintf(found->why, QUEUES_WHY_SIZE, "%s: the path is too long", settings->root);
        return true;
    }
    taking->queue_dir = queue_dir;
    found->is_known = queues_walk_all(queue_dir, take_message, taking, found->why);
    if (found->is_known)
        return true;
    memset(found->queues, 0,
           sizeof found->queues); /* part of a count would look like a short queue */
    if (taking->why[0] != '\0')
        memcpy(found->why, taking->why, sizeof found->why);
    return found->why[0] != '\0';
}

const struct survey_instance *survey_find(const struct survey *survey, int instance)
{
    for (size_t i = 0; i < survey->instance_count; i++)
        if (survey->instances[i].instance == instance)
            return &survey->instances[i];
    return NULL;
}

/* Whether what was read before has to do. */
static bool is_at_rest(const struct survey_instance *before, int64_t now_ms)
{
    return before != NULL && before->is_known && before->details_at_ms != 0 &&
           now_ms < before->details_at_ms + DETAILS_REST * before->details_took_ms;
}

static void keep_details(const struct survey_instance *before, struct survey_instance *found)
{
    for (int queue = 0; queue < QUEUE_COUNT; queue++) {
        uint64_t messages = found->queues[queue].messages;

        if (messages == 0)
            continue;
        found->queues[queue] = before->queues[queue];
        found->queues[queue].messages = messages;
    }
    found->details_at_ms = before->details_at_ms;
    found->details_took_ms = before->details_took_ms;
    found->has_old_details = true;
}

/* Returns false where is_over() ended it. */
static bool take_instance(const struct settings *settings, struct taking *taking,
                          const struct survey_instance *before)
{
    bool is_closely = taking->detail == SURVEY_DETAILS;
    int64_t began_ms = clock_boot_ms();
    bool rests = is_closely && is_at_rest(before, began_ms);

    if (rests)
        taking->detail = SURVEY_COUNTS;
    if (!take_queues(settings, taking))
        return false;
    if (rests && taking->found->is_known) {
        keep_details(before, taking->found);
    } else if (is_closely) {
        taking->found->details_at_ms = clock_boot_ms();
        taking->found->details_took_ms = taking->found->details_at_ms - began_ms;
    }
    return true;
}

/* before may be NULL. */
static bool take(const struct settings *settings, enum survey_detail detail,
                 const struct survey *before, bool (*is_over)(void *arg), void *arg,
                 struct survey *survey_r)
{
    *survey_r = (struct survey){.taken_ms = clock_wall_ms(), .detail = detail};
    for (int n = PEG_FIRST; n < settings->priority_count; n++) { /* -2, -1, 0, ... */
        struct survey_instance *found = &survey_r->instances[survey_r->instance_count];
        struct taking taking = {.found = found, .detail = detail, .is_over = is_over, .arg = arg};

        if (!settings_has(settings, n))
            continue;
        if (is_over != NULL && is_over(arg))
            return false;
        *found = (struct survey_instance){.instance = n};
        if (!take_instance(settings, &taking, before != NULL ? survey_find(before, n) : NULL))
            return false;
        survey_r->instance_count++;
    }
    survey_states_take(settings, survey_r);
    return true;
}

bool survey_take(const struct settings *settings, enum survey_detail detail,
                 bool (*is_over)(void *arg), void *arg, struct survey *survey_r)
{
    return take(settings, detail, NULL, is_over, arg, survey_r);
}

bool survey_take_next(const struct settings *settings, const struct survey *before,
                      bool (*is_over)(void *arg), void *arg, struct survey *survey_r)
{
    return take(settings, SURVEY_DETAILS, before, is_over, arg, survey_r);
}

bool survey_keep(struct survey *survey, int instance)
{
    const struct survey_instance *kept = survey_find(survey, instance);

    if (kept == NULL)
        return false;
    survey->instances[0] = *kept;
    survey->instance_count = 1;
    return true;
}

uint64_t survey_messages(const struct survey_instance *instance)
{
    uint64_t total = 0;

    for (int queue = 0; queue < QUEUE_COUNT; queue++)
        total += instance->queues[queue].messages;
    return total;
}

uint64_t survey_messages_of_all(const struct survey *survey)
{
    uint64_t total = 0;

    for (size_t i = 0; i < survey->instance_count; i++)
        total += survey_messages(&survey->instances[i]);
    return total;
}

int64_t survey_oldest_ms(const struct survey_instance *instance)
{
    int64_t oldest_ms = 0;

    for (int queue = 0; queue < QUEUE_COUNT; queue++)
        oldest_ms = earlier_ms(oldest_ms, instance->queues[queue].oldest_ms);
    return oldest_ms;
}

int64_t survey_oldest_of_all_ms(const struct survey *survey)
{
    int64_t oldest_ms = 0;

    for (size_t i = 0; i < survey->instance_count; i++)
        oldest_ms = earlier_ms(oldest_ms, survey_oldest_ms(&survey->instances[i]));
    return oldest_ms;
}

int64_t survey_age_s(const struct survey *survey, int64_t arrival_ms)
{
    return arrival_ms < survey->taken_ms ? (survey->taken_ms - arrival_ms) / 1000 : 0;
}
