/* session - peg-milter's callbacks: one SMTP session of a frontend, message after message */
#include "milter/session.h"

#include <libmilter/mfapi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/message_name.h"
#include "lib/route.h"
#include "milter/change.h"
#include "milter/classify.h"
#include "milter/decide.h"
#include "milter/drain.h"
#include "milter/envelope.h"
#include "milter/keep.h"
#include "milter/limit.h"
#include "milter/macros.h"
#include "milter/policy.h"
#include "milter/report.h"

enum {
    HEADER_BYTES_MAX = 8 * 1024 * 1024, /* of one header; libmilter by itself ends at 64 kB */
    STEPS_SKIPPED = SMFIP_NOCONNECT | SMFIP_NOHELO | SMFIP_NODATA | SMFIP_NOEOH | SMFIP_NOBODY |
                    SMFIP_NOUNKNOWN,
    STEPS_WITHOUT_REPLY = SMFIP_NR_MAIL | SMFIP_NR_RCPT | SMFIP_NR_HDR,
    ACTIONS = SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_ADDRCPT_PAR | SMFIF_DELRCPT
};

static struct table *decisions; /* set before any session */

struct session {
    unsigned long without_reply; /* SMFIP_NR_* that the frontend agreed to */
    struct policy *policy;       /* of the message that has a place; NULL: there is none */
    struct classify *classify;
    struct envelope envelope;
    unsigned route_headers; /* copies of our own header that the client sent */
    bool not_whole;         /* memory ran out: what is known of this message is not all */
};

static struct session *session_new(void)
{
    struct session *session = calloc(1, sizeof *session);

    if (session != NULL && (session->classify = classify_new()) != NULL)
        return session;
    log_error("out of memory: the mail of an SMTP session goes by the default priority");
    free(session);
    return NULL;
}

/* Once a message is over, in whichever way. Its place is free before Postfix hears the answer, and
 * so before the next message. */
static void leave_message(struct session *session)
{
    if (session->policy == NULL)
        return;
    envelope_reset(&session->envelope);
    policy_release(&session->policy);
    limit_leave();
}

/* NULL is allowed. */
static void session_free(struct session *session)
{
    if (session == NULL)
        return;
    leave_message(session);
    classify_free(&session->classify);
    envelope_deinit(&session->envelope);
    free(session);
}

static sfsistat answer(const struct session *session, unsigned long step)
{
    return (session->without_reply & step) != 0 ? SMFIS_NOREPLY : SMFIS_CONTINUE;
}

static sfsistat on_negotiate(SMFICTX *ctx, unsigned long offered_actions,
                             unsigned long offered_steps, unsigned long unused0,
                             unsigned long unused1, unsigned long *actions_r,
                             unsigned long *steps_r, unsigned long *unused0_r,
                             unsigned long *unused1_r)
{
    struct session *session;
    struct policy *policy;

    (void)unused0, (void)unused1;
    if ((offered_actions & ACTIONS) != ACTIONS) {
        log_error("the MTA does not let a milter change headers and recipients: its mail goes "
                  "by the default priority; Postfix 2.6 or later is needed");
        return SMFIS_REJECT; /* of the milter, not of mail: the frontend goes on without */
    }
    session = session_new();
    if (session == NULL)
        return SMFIS_REJECT;
    smfi_setpriv(ctx, session);
    *actions_r = ACTIONS;
    *steps_r = offered_steps & (STEPS_SKIPPED | STEPS_WITHOUT_REPLY);
    session->without_reply = offered_steps & STEPS_WITHOUT_REPLY;
    policy = policy_current();
    if ((offered_actions & SMFIF_SETSYMLIST) != 0) {
        *actions_r |= SMFIF_SETSYMLIST;
        macros_ask(ctx, rules_macros(policy->rules));
    }
    *unused0_r = *unused1_r = 0;
    policy_release(&policy);
    return SMFIS_CONTINUE;
}

static void on_gave_up(void *arg, const struct rule *rule, const char *why)
{
    const struct session *session = arg;

    log_warn("rule in line %u, %s %s, is taken as not matching a message from <%s>: %s", rule->line,
             rule->source, rule->pattern, session->envelope.sender, why);
}

/* The macros that rules look at came with MAIL. */
static void take_macros(SMFICTX *ctx, struct session *session)
{
    const struct rules *rules = session->policy->rules;
    const char *last = "";

    for (size_t n = 0; n < rules_count(rules); n++) {
        const struct rule *rule = rules_get(rules, n);
        char *value;

        if (*rule->source != '{' || strcmp(rule->source, last) == 0)
            continue;
        last = rule->source;
        value = smfi_getsymval(ctx, rule->source);
        if (value != NULL)
            classify_macro(session->classify, rule->source, value);
    }
}

/*
 * Take a place among the messages that are being decided. Without one (the log says so) a message
 * goes by the default priority, and nothing more of it is looked at; it cannot be accepted at once,
 * since Postfix does not wait for an answer to MAIL.
 */
static bool begin_message(struct session *session)
{
    struct policy *policy = policy_current();

    leave_message(session); /* one that has had no end */
    if (!limit_enter(policy->settings->milter_connections)) {
        policy_release(&policy);
        return false;
    }
    session->policy = policy;
    session->route_headers = 0;
    session->not_whole = false;
    classify_begin(session->classify, policy->rules, policy->settings->default_priority, on_gave_up,
                   session);
    return true;
}

static sfsistat on_sender(SMFICTX *ctx, char **arguments)
{
    struct session *session = smfi_getpriv(ctx);

    if (session == NULL) /* what speaks to us has not negotiated: no Postfix does that */
        return SMFIS_ACCEPT;
    if (begin_message(session)) {
        if (!envelope_set_sender(&session->envelope, arguments[0]))
            session->not_whole = true;
        take_macros(ctx, session);
    }
    return answer(session, SMFIP_NR_MAIL);
}

static sfsistat on_recipient(SMFICTX *ctx, char **arguments)
{
    struct session *session = smfi_getpriv(ctx);
    char macro[] = RULES_RECIPIENT_MACRO;

    if (session == NULL)
        return SMFIS_ACCEPT;
    if (session->policy != NULL &&
        !envelope_add(&session->envelope, arguments[0], arguments + 1, smfi_getsymval(ctx, macro)))
        session->not_whole = true;
    return answer(session, SMFIP_NR_RCPT);
}

static sfsistat on_header(SMFICTX *ctx, char *name, char *value)
{
    struct session *session = smfi_getpriv(ctx);

    if (session == NULL)
        return SMFIS_ACCEPT;
    if (session->policy == NULL)
        return answer(session, SMFIP_NR_HDR);
    if (strcasecmp(name, PEG_ROUTE_HEADER) == 0)
        session->route_headers++;
    if (!classify_header(session->classify, name, value, strlen(value)))
        session->not_whole = true;
    return answer(session, SMFIP_NR_HDR);
}

static enum table_claim claim(void *arg, const char *key, int priority)
{
    const struct session *session = arg;
    int64_t lifetime_ms = (int64_t)session->policy->settings->decision_lifetime_s * 1000;

    return table_claim(decisions, key, strlen(key), priority, lifetime_ms, clock_boot_ms());
}

/* A priority for each recipient. */
static void classify_all(struct session *session, struct decide_recipient *decided,
                         struct classify_verdict *verdicts)
{
    classify_envelope(session->classify, session->envelope.sender, session->envelope.count);
    for (size_t n = 0; n < session->envelope.count; n++) {
        const struct envelope_recipient *recipient = &session->envelope.recipients[n];

        verdicts[n] = classify_recipient(session->classify, recipient->internal,
                                         recipient->resolved, recipient->macro);
        decided[n] = (struct decide_recipient){
            .key = recipient->key,
            .source = recipient->source,
            .given = recipient->given,
            .params = recipient->params,
            .priority = verdicts[n].priority,
        };
    }
}

static struct decide_result decide_message(struct session *session, const char *name,
                                           struct decide_recipient *decided,
                                           struct classify_verdict *verdicts)
{
    const struct envelope *envelope = &session->envelope;
    struct decide_result result;

    classify_all(session, decided, verdicts);
    result = decide(decided, envelope->count, claim, session);
    keep_decision(name, envelope, decided, verdicts, session->policy->settings->decision_sync,
                  &result);
    return result;
}

/* Nothing can be claimed: the message goes by the filter at the highest priority there is. */
static sfsistat give_up(SMFICTX *ctx, const struct session *session, const char *queue_id)
{
    int priority = session->policy->settings->priority_count - 1;

    log_error("%s: out of memory: the message goes by priority %d", queue_id, priority);
    change_to_filter(ctx, priority);
    return SMFIS_ACCEPT;
}

static sfsistat end_message(SMFICTX *ctx, struct session *session)
{
    size_t count = session->envelope.count;
    struct decide_recipient *decided = calloc(count + 1, sizeof *decided);
    struct classify_verdict *verdicts = calloc(count + 1, sizeof *verdicts);
    struct decide_result result = {.way = DECIDE_PLAIN};
    const char *queue_id = macros_queue_id(ctx);
    char name[MESSAGE_NAME_SIZE];
    sfsistat reply = SMFIS_CONTINUE;

    message_name(macros_frontend(ctx), queue_id, name);
    if (decided == NULL || verdicts == NULL || session->not_whole) {
        reply = give_up(ctx, session, queue_id);
    } else {
        if (count > 0)
            result = decide_message(session, name, decided, verdicts);
        if (!change_message(ctx, session->route_headers, &session->envelope, decided, &result))
            log_error("%s: the frontend did not take the changes to the message", queue_id);
        if (count > 0)
            report_message(queue_id, &session->envelope, verdicts, &result);
        decide_free(decided, count);
    }
    free(decided);
    free(verdicts);
    return reply;
}

static sfsistat on_end_of_message(SMFICTX *ctx)
{
    struct session *session = smfi_getpriv(ctx);
    sfsistat reply;

    if (session == NULL || session->policy == NULL)
        return SMFIS_ACCEPT;
    drain_enter();
    reply = end_message(ctx, session);
    drain_leave();
    leave_message(session);
    return reply;
}

static sfsistat on_abort(SMFICTX *ctx)
{
    struct session *session = smfi_getpriv(ctx);

    if (session != NULL)
        leave_message(session);
    return SMFIS_CONTINUE;
}

static sfsistat on_close(SMFICTX *ctx)
{
    struct session *session = smfi_getpriv(ctx);

    smfi_setpriv(ctx, NULL);
    session_free(session);
    return SMFIS_CONTINUE;
}

bool session_register(void)
{
    static char name[] = "peg-milter";
    struct smfiDesc callbacks = {.xxfi_name = name,
                                 .xxfi_version = SMFI_VERSION,
                                 .xxfi_flags = ACTIONS | SMFIF_SETSYMLIST,
                                 .xxfi_envfrom = on_sender,
                                 .xxfi_envrcpt = on_recipient,
                                 .xxfi_header = on_header,
                                 .xxfi_eom = on_end_of_message,
                                 .xxfi_abort = on_abort,
                                 .xxfi_close = on_close,
                                 .xxfi_negotiate = on_negotiate};

    smfi_setmaxdatasize(HEADER_BYTES_MAX);
    return smfi_register(callbacks) == MI_SUCCESS;
}

void session_use(struct table *table, struct journal *journal)
{
    decisions = table;
    keep_use(table, journal);
}
