/* change - the changes to a message that its decision takes, told to Postfix */
#include "milter/change.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/route.h"
#include "milter/orcpt.h"
#include "milter/policy.h"

/* A client's own copy of our header has no effect in Postfix, and must not get through. */
static bool remove_route_headers(SMFICTX *ctx, unsigned count)
{
    char name[] = PEG_ROUTE_HEADER;

    for (unsigned n = count; n > 0; n--)
        if (smfi_chgheader(ctx, name, (int)n, NULL) != MI_SUCCESS)
            return false;
    return true;
}

/* By the highest that there still is: meanwhile instances may have been removed. */
bool change_to_filter(SMFICTX *ctx, int priority)
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

bool change_message(SMFICTX *ctx, unsigned route_headers, const struct envelope *envelope,
                    const struct decide_recipient *decided, const struct decide_result *result)
{
    if (!remove_route_headers(ctx, route_headers))
        return false;
    switch (result->way) {
    case DECIDE_RESPELL:
        return respell_recipients(ctx, envelope, decided);
    case DECIDE_FILTER:
        return change_to_filter(ctx, result->filter_priority);
    case DECIDE_PLAIN:
        break;
    }
    return true;
}
