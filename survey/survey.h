/*
 * survey - what a gateway looks like at one moment: its queues, its Postfixes, its daemons
 *
 * Only looking: who asks for a survey decides what becomes of it. Where it comes from (this
 * process, or peg-monitor) makes no difference to what it says.
 *
 * Units: *_ms are milliseconds of CLOCK_REALTIME since 1970; octets are those of messages, as
 * Postfix's cleanup(8) counted them.
 */
#ifndef PEG_SURVEY_H
#define PEG_SURVEY_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/settings.h"
#include "survey/queues.h"

enum { SURVEY_INSTANCES_MAX = SETTINGS_POSTFIX_MAX };

/* How closely to look. */
enum survey_detail {
    SURVEY_COUNTS, /* messages only: reads folders */
    SURVEY_DETAILS /* all of struct survey_queue: reads the head of every queue file */
};

struct survey_queue {
    uint64_t messages;
    uint64_t octets;     /* with SURVEY_DETAILS, and so are these; 0 without */
    uint64_t recipients; /* of these messages, those included that have theirs already */
    int64_t oldest_ms;   /* arrival of the oldest message; 0: none */
};

/* What went through the queues of one Postfix since somebody began to watch them. */
struct survey_flow {
    bool is_known;
    int64_t since_ms;
    uint64_t received_messages; /* taken over by its queue manager, each once */
    uint64_t received_octets;
    uint64_t received_recipients;
    uint64_t left_messages; /* delivered, returned or dropped by it, not removed by an operator */
    uint64_t left_octets;
    uint64_t left_recipients;
    int64_t received_last_ms; /* 0: none */
    int64_t left_last_ms;
};

enum survey_state { SURVEY_UNKNOWN, SURVEY_DOWN, SURVEY_UP };

/* One Postfix of this host. */
struct survey_instance {
    int instance;              /* PEG_FIRST and up */
    bool is_known;             /* its queues could be read */
    char why[QUEUES_WHY_SIZE]; /* where not: `PATH: reason, what to do` */
    struct survey_queue queues[QUEUE_COUNT];
    int64_t details_at_ms;   /* when queue files were read, by clock_boot_ms(); 0: they were not */
    int64_t details_took_ms; /* how long that took */
    bool has_old_details;    /* they are those of an earlier survey */
    enum survey_state state; /* of its master(8) */
    int64_t up_since_ms;     /* of SURVEY_UP; 0: unknown */
    struct survey_flow flow;
};

struct survey_daemon {
    enum survey_state state;
    int64_t up_since_ms; /* of SURVEY_UP; 0: unknown */
};

struct survey {
    int64_t taken_ms; /* when it was begun */
    enum survey_detail detail;
    struct survey_instance instances[SURVEY_INSTANCES_MAX]; /* by their numbers */
    size_t instance_count;
    struct survey_daemon milter;
    struct survey_daemon tcpmap;
};

/* The queue directory of a Postfix; false where its path is too long. */
bool survey_queue_dir(const struct settings *settings, int instance,
                      char path_r[PATH_MAX]) PEG_MUST_USE;

/*
 * Look at the Postfixes that this host has (settings_has()); flow is left unknown.
 * is_over may be NULL; it is asked every 100 messages or so. Returns false where it ended the
 * survey; *survey_r then is of no use.
 */
bool survey_take(const struct settings *settings, enum survey_detail detail,
                 bool (*is_over)(void *arg), void *arg, struct survey *survey_r) PEG_MUST_USE;

/*
 * The next of surveys with SURVEY_DETAILS, before being the one before it. To read the heads of a
 * million queue files may take a minute, and the disk belongs to mail: queues that are long to read
 * are only counted until ten times that has passed, and keep the details that were read before.
 */
bool survey_take_next(const struct settings *settings, const struct survey *before,
                      bool (*is_over)(void *arg), void *arg, struct survey *survey_r) PEG_MUST_USE;

/* What a survey has of a Postfix; NULL where it is not there. */
const struct survey_instance *survey_find(const struct survey *survey, int instance) PEG_MUST_USE;

/* Leave only that instance in a survey, and the daemons. Returns false where it is not there. */
bool survey_keep(struct survey *survey, int instance) PEG_MUST_USE;

/* All messages of an instance, or of all that are known. */
uint64_t survey_messages(const struct survey_instance *instance) PEG_MUST_USE;
uint64_t survey_messages_of_all(const struct survey *survey) PEG_MUST_USE;

/* When the oldest of these messages arrived; 0: none, or not known. */
int64_t survey_oldest_ms(const struct survey_instance *instance) PEG_MUST_USE;
int64_t survey_oldest_of_all_ms(const struct survey *survey) PEG_MUST_USE;

/* How old a message is that arrived at arrival_ms, in whole seconds; 0 where that is to come. */
int64_t survey_age_s(const struct survey *survey, int64_t arrival_ms) PEG_MUST_USE;

#endif
