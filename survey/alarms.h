/*
 * alarms - what operators are told of, once when it begins and once when it is over
 *
 * A Postfix, peg-milter or peg-tcpmap that is down; a queue that is over one of its limits
 * (survey/limits.h). Fed with each round's survey. What is wrong already in the first is told as
 * well, but for a part that is down when it is first seen: that may be starting at the same time,
 * and is told if it is down in the next round, too. What a survey does not know changes nothing.
 * An instance that is gone, and a limit that was taken away, end their alarms.
 *
 * A gateway that is stopped as a whole makes no alarms, since peg-monitor then is told to stop
 * first, or together with the others, and makes no further round.
 *
 * Knows no clock. Not for concurrent use.
 */
#ifndef PEG_ALARMS_H
#define PEG_ALARMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/settings.h"
#include "survey/limits.h"
#include "survey/monitored.h"
#include "survey/survey.h"

enum alarm_kind { ALARM_DOWN, ALARM_OVER };

struct alarm {
    enum alarm_kind kind;
    int number;       /* of survey/monitored.h: whose it is */
    enum queue queue; /* of ALARM_OVER, and so are these */
    enum limit limit;
};

struct alarm_event {
    struct alarm alarm;
    bool begins;         /* or it is over */
    bool is_gone;        /* it is over because the instance or the limit is gone */
    int64_t value;       /* of ALARM_OVER, in messages or seconds; 0 where is_gone */
    int64_t limit_value; /* of ALARM_OVER; 0 where is_gone */
};

enum { ALARMS_OF_ONE = 1 + QUEUE_COUNT * LIMIT_COUNT };

/* Those that go on. To be zero at first. */
struct alarms {
    bool on[MONITORED_COUNT][ALARMS_OF_ONE];
    bool is_seen[MONITORED_COUNT]; /* it was in the last survey */
};

/* Where an alarm has its place in such a table. */
size_t alarms_row(const struct alarm *alarm) PEG_MUST_USE;
size_t alarms_column(const struct alarm *alarm) PEG_MUST_USE;

/* Take a survey in, and call tell for each alarm that begins or is over. */
void alarms_update(struct alarms *alarms, const struct settings *settings,
                   const struct survey *survey,
                   void (*tell)(void *arg, const struct alarm_event *event), void *arg);

/* Whether an alarm goes on. */
bool alarms_has(const struct alarms *alarms, const struct alarm *alarm) PEG_MUST_USE;

enum { ALARM_TEXT_SIZE = 160 };

/* An event in words, for the log. */
void alarms_text(const struct alarm_event *event, char text_r[ALARM_TEXT_SIZE]);

/* Tell the log: a warning where it begins. */
void alarms_log(const struct alarm_event *event);

#endif
