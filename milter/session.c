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
#include "milter/classify.h"
#include "milter/decide.h"
#include "milter/drain.h"
#include "milter/envelope.h"
#include "milter/keep.h"
#include "milter/limit.h"
#include "milter/macros.h"
#include "milter/orcpt.h"
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
    struct policy *policy;       /* of this message */
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

/* NULL is allowed. */
static void session_free(struct session *session)
{
    if (session == NULL)
        return;
    classify_free(&session->classify);
    envelope_deinit(&session->envelope);
    policy_release(&session->policy);
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
    struct policy *policy;
    struct session *session;

    (void)unused0, (void)unused1;
    if ((offered_actions & ACTIONS) != ACTIONS) {
        log_error("the MTA does not let a milter change headers and recipients: its mail goes "
                  "by the default priority; Postfix 2.6 or later is needed");
        return SMFIS_REJECT; /* of the milter, not of mail: the frontend goes on without */
    }
    session = session_new();
    if (session == NULL)
        return SMFIS_REJECT; /* as above */
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

static void begin_message(struct session *session)
{
    envelope_reset(&session->envelope);
    policy_release(&session->policy);
    session->policy = policy_current();
    session->route_headers = 0;
    session->not_whole = false;
    classify_begin(session->classify, session->policy->rules,
                   session->policy->settings->default_priority, on_gave_up, session);
}

static sfsistat on_sender(SMFICTX *ctx, char **arguments)
{
    struct session *session = smfi_getpriv(ctx);

    if (session == NULL) /* what speaks to us has not negotiated: no Postfix does that */
        return SMFIS_ACCEPT;
    begin_message(session);
    if (!envelope_set_sender(&session->envelope, arguments[0]))
        session->not_whole = true;
    take_macros(ctx, session);
    return answer(session, SMFIP_NR_MAIL);
}

static sfsistat on_recipient(SMFICTX *ctx, char **arguments)
{
    struct session *session = smfi_getpriv(ctx);
    char macro[] = RULES_RECIPIENT_MACRO;

    if (session == NULL || session->policy == NULL)
        return SMFIS_ACCEPT;
    if (!envelope_add(&session->envelope, arguments[0], arguments + 1, smfi_getsymval(ctx, macro)))
        session->not_whole = true;
    return answer(session, SMFIP_NR_RCPT);
}

static sfsistat on_header(SMFICTX *ctx, char *name, char *value)
{
    struct session *session = smfi_getpriv(ctx);

    if (session == NULL || session->policy == NULL)
        return SMFIS_ACCEPT;
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

/* A client's own copy of our header has no effect in Postfix, and must not get through. */
static bool remove_route_headers(SMFICTX *ctx, const struct session *session)
{
    char name[] = PEG_ROUTE_HEADER;

    for (unsigned n = session->route_headers; n > 0; n--)
        if (smfi_chgheader(ctx, name, (int)n, NULL) != MI_SUCCESS)
            return false;
    return true;
}

/* By the highest that there still is: meanwhile instances may have been removed. */
static bool go_by_filter(SMFICTX *ctx, int priority)
{
    char name[] = PEG_ROUTE_HEADER, value[16];
    int highest = policy_highest_priority();

    snprintf(value, sizeof value, "%d", priority < highest ? priority : highest);
    return smfi_addheader(ctx, name, value) == MI_SUCCESS;
}

/*
 * Put a spelling in a recipient's place. Postfix carries out each change as it comes, and its
 * duplicate filter, which does not regard letter case, lets the new spelling in only once the old
 * one is gone (src/cleanup/cleanup_milter.c). Were this process killed just then, Postfix would
 * deliver without that recipient; so a spare spelling, which differs in its ORCPT, holds the place.
 */
static bool replace_recipient(SMFICTX *ctx, const struct envelope_recipient *recipient,
                              const struct decide_recipient *decided)
{
    char *params = orcpt_params(recipient->params, recipient->given);
    char no_params[] = "";
    char *old = strdup(envelope_without_route(recipient->given));
    bool done = params != NULL && old != NULL;

    if (decided->spare != NULL)
        done = done && smfi_addrcpt_par(ctx, decided->spare, no_params) == MI_SUCCESS;
    done = done && smfi_delrcpt(ctx, old) == MI_SUCCESS &&
           smfi_addrcpt_par(ctx, decided->spelling, params) == MI_SUCCESS;
    if (decided->spare != NULL)
        done = done && smfi_delrcpt(ctx, decided->spare) == MI_SUCCESS;
    free(old);
    free(params);
    return done;
}

static bool respell_recipients(SMFICTX *ctx, const struct envelope *envelope,
                               const struct decide_recipient *decided)
{
    bool done = true;

    for (size_t n = 0; done && n < envelope->count; n++) {
        const struct envelope_recipient *recipient = &envelope->recipients[n];

        if (decided[n].replace && decided[n].spelling != NULL)
            done = replace_recipient(ctx, recipient, &decided[n]);
        else if (decided[n].replace)
            done = smfi_delrcpt(ctx, recipient->given) == MI_SUCCESS; /* a route: nothing to find */
    }
    return done;
}

static bool apply(SMFICTX *ctx, const struct session *session,
                  const struct decide_recipient *decided, const struct decide_result *result)
{
    if (!remove_route_headers(ctx, session))
        return false;
    switch (result->way) {
    case DECIDE_RESPELL:
        return respell_recipients(ctx, &session->envelope, decided);
    case DECIDE_FILTER:
        return go_by_filter(ctx, result->filter_priority);
    case DECIDE_PLAIN:
        break;
    }
    return true;
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

/* Nothing can be claimed: the message goes by the filter at the highest priority there is. */
static sfsistat give_up(SMFICTX *ctx, const struct session *session, const char *queue_id)
{
    int priority = session->policy->settings->priority_count - 1;

    log_error("%s: out of memory: the message goes by priority %d", queue_id, priority);
    go_by_filter(ctx, priority);
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
    } else if (count > 0) {
        classify_all(session, decided, verdicts);
        result = decide(decided, count, claim, session);
        keep_decision(name, &session->envelope, decided, verdicts,
                      session->policy->settings->decision_sync, &result);
        if (!apply(ctx, session, decided, &result))
            log_error("%s: the frontend did not take the changes to the message", queue_id);
        report_message(queue_id, &session->envelope, verdicts, &result);
        decide_free(decided, count);
    } else if (!remove_route_headers(ctx, session)) {
        log_error("%s: the frontend did not take the changes to the message", queue_id);
    }
    free(decided);
    free(verdicts);
    return reply;
}

/*
 * A message counts while Postfix waits for its decision, and not before: of a message that ends in
 * another way, or a session, peg-milter may hear the end after the next one of the same smtpd has
 * begun, and then as many places as smtpd processes would not be enough.
 */
static sfsistat on_end_of_message(SMFICTX *ctx)
{
    struct session *session = smfi_getpriv(ctx);
    sfsistat reply = SMFIS_ACCEPT;

    if (session == NULL || session->policy == NULL)
        return SMFIS_ACCEPT;
    drain_enter();
    if (limit_enter(session->policy->settings->milter_connections)) {
        reply = end_message(ctx, session);
        limit_leave();
    }
    drain_leave();
    return reply;
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
