/*
 * survey_json - a survey as JSON (RFC 8259), and back
 *
 *   {"version": 1,
 *    "taken": "2026-11-26T02:30:00.123Z",
 *    "detail": "details",
 *    "instances": [
 *      {"name": "postfix4",
 *       "state": "up",
 *       "up_since": "2026-11-20T18:00:00.000Z",
 *       "error": null,
 *       "messages": 12,
 *       "queues": {
 *         "incoming": {"messages": 0, "octets": 0, "recipients": 0,
 *                      "oldest": null, "oldest_age_seconds": null},
 *         "active": ..., "deferred": ..., "hold": ...},
 *       "flow": {"since": "2026-11-26T02:00:00.000Z",
 *         "received": {"messages": 7, "octets": 8015, "recipients": 9, "last": "2026-..."},
 *         "left": {"messages": 5, "octets": 6011, "recipients": 6, "last": null}}}],
 *    "milter": {"state": "down", "up_since": null},
 *    "tcpmap": {"state": "unknown", "up_since": null}}
 *
 * All keys are always there; null is what is not known or not there. The first of the instances are
 * "postfix-urgent", where it is there, and "postfix-frontend", the others follow by priority.
 * "detail" is "counts" where only messages were counted: octets, recipients and oldest are null
 * then. "messages" of an instance are those of its four queues. An instance whose queues could not
 * be read has the reason in "error", and null for "messages" and "queues"; every other one has null
 * for "error". "oldest_age_seconds" are whole seconds before "taken". Times have milliseconds, and
 * are UTC.
 *
 * Pure; thread-safe on different objects.
 */
#ifndef PEG_SURVEY_JSON_H
#define PEG_SURVEY_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/attr.h"
#include "survey/survey.h"

enum { SURVEY_JSON_VERSION = 1, SURVEY_JSON_WHY_SIZE = 256 };

/* The largest number that every reader of JSON has exactly (RFC 8259 6); what is larger becomes it.
 */
#define SURVEY_JSON_NUMBER_MAX ((INT64_C(1) << 53) - 1)

/*
 * Write it on one line, without a newline. In reasons that are not UTF-8 or have control
 * characters, these are replaced by `?`. Returns text to be freed with free(); NULL where memory
 * ran out.
 */
char *survey_json_write(const struct survey *survey) PEG_MUST_USE;

/*
 * Read what another process wrote: everything above is checked, keys that are not above are passed
 * over. Returns false with the reason in why_r, and leaves *survey_r untouched.
 */
bool survey_json_read(const char *text, size_t text_len, struct survey *survey_r,
                      char why_r[SURVEY_JSON_WHY_SIZE]) PEG_MUST_USE;

#endif
