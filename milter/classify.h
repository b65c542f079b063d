/*
 * classify - from a message's headers and macros to a priority for each recipient
 *
 * Pure: no libmilter, no log, no clock. One object serves many messages, one after the other, in
 * one thread at a time.
 */
#ifndef PEG_CLASSIFY_H
#define PEG_CLASSIFY_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/attr.h"
#include "milter/rules.h"

struct classify;

struct classify *classify_new(void) PEG_MUST_USE;
void classify_free(struct classify **classify);

/*
 * Begin a message. rules is borrowed until the next call; default_priority is that of recipients
 * whom no rule matches. gave_up (may be NULL) hears of each
 * pattern whose match was given up; such a rule does not match.
 */
void classify_begin(struct classify *classify, const struct rules *rules, int default_priority,
                    void (*gave_up)(void *arg, const struct rule *rule, const char *why),
                    void *arg);

/*
 * Take in a macro (name with braces), or a header field: name without colon, value folded or not,
 * as libmilter gives them. A header that occurs twice matches if either does; of To and Resent-To
 * (RFC 5322 3.6.3, 3.6.6) all are read. Returns false where memory ran out: then what was taken in
 * is not whole, and the caller must not rely on verdicts.
 */
void classify_macro(struct classify *classify, const char *name, const char *value);
bool classify_header(struct classify *classify, const char *name, const char *value,
                     size_t value_len) PEG_MUST_USE;

/* Take in the sender ("" for none) and the number of recipients: without it nothing is a probe. */
void classify_envelope(struct classify *classify, const char *sender, size_t recipient_count);

struct classify_verdict {
    bool primary;            /* stands in To or Resent-To */
    const struct rule *rule; /* that decided; NULL: none matched */
    int priority;
};

/*
 * The verdict on one recipient, once all headers were taken in. Where a To header was so long that
 * Postfix may have cut it, a recipient who is not in what is left gets the higher priority of the
 * two that it may deserve; a probe has the priority that it names (lib/probe.h). given and resolved
 * are its address in internal form as the client gave it and as Postfix resolved it (an address
 * without domain has one now); macro is Postfix's {rcpt_addr}, NULL where there is none.
 */
struct classify_verdict classify_recipient(struct classify *classify, const char *given,
                                           const char *resolved, const char *macro);

/*
 * Unfold a header value (RFC 5322 2.2.3): no line ends, and no blanks at its beginning and end.
 * result_r has room for value_len + 1 bytes, and gets a NUL. Returns the length.
 */
size_t classify_unfold(const char *value, size_t value_len, char *result_r);

#endif
