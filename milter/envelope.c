/* envelope - the recipients of one message, as the client gave them and as Postfix resolved them */
#include "milter/envelope.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "milter/address.h"

static void recipient_deinit(struct envelope_recipient *recipient)
{
    free(recipient->given);
    free(recipient->internal);
    free(recipient->macro);
    free(recipient->resolved);
    free(recipient->key);
    free(recipient->params);
}

void envelope_reset(struct envelope *envelope)
{
    for (size_t n = 0; n < envelope->count; n++)
        recipient_deinit(&envelope->recipients[n]);
    envelope->count = 0;
    free(envelope->sender);
    envelope->sender = NULL;
}

void envelope_deinit(struct envelope *envelope)
{
    envelope_reset(envelope);
    free(envelope->recipients);
    *envelope = (struct envelope){0};
}

/* An address as it stands in a command, without the angle brackets around it. */
static char *without_brackets(const char *given)
{
    size_t len = strlen(given);

    if (len >= 2 && given[0] == '<' && given[len - 1] == '>')
        return strndup(given + 1, len - 2);
    return strdup(given);
}

bool envelope_set_sender(struct envelope *envelope, const char *given)
{
    free(envelope->sender);
    envelope->sender = without_brackets(given);
    return envelope->sender != NULL;
}

static char *join(char *const *words)
{
    size_t size = 1, used = 0;
    char *text;

    for (size_t n = 0; words[n] != NULL; n++)
        size += strlen(words[n]) + 1;
    if ((text = malloc(size)) == NULL)
        return NULL;
    for (size_t n = 0; words[n] != NULL; n++)
        used += (size_t)snprintf(text + used, size - used, "%s%s", n > 0 ? " " : "", words[n]);
    text[used] = '\0';
    return text;
}

/* RFC 5321 C: source routes are to be ignored; smtpd does so (src/smtpd/smtpd.c, extract_addr). */
const char *envelope_without_route(const char *given)
{
    const char *colon = *given == '@' ? strchr(given, ':') : NULL;

    return colon != NULL ? colon + 1 : given;
}

static bool take_first(void *arg, const char *address, size_t len)
{
    char **first = arg;

    *first = strndup(address, len);
    return false;
}

/* Read internal as Postfix resolved it to macro. false: out of memory. */
static bool resolve_as(struct envelope_recipient *recipient, char *internal, const char *folded)
{
    char *resolved =
        internal != NULL ? routing_key_resolve(internal, folded, &recipient->source) : NULL;

    free(recipient->internal);
    free(recipient->resolved);
    recipient->internal = internal;
    recipient->resolved = resolved;
    return resolved != NULL;
}

/* smtpd reads the argument as it reads addresses in headers: there may be comments and blanks. */
static bool resolve(struct envelope_recipient *recipient, const char *folded)
{
    const char *text = envelope_without_route(recipient->given);
    char *address = NULL;

    if (!resolve_as(recipient, routing_key_internal(text), folded))
        return false;
    if (recipient->source == ROUTING_KEY_GUESS &&
        !address_read(text, strlen(text), take_first, &address) && address != NULL)
        return resolve_as(recipient, address, folded);
    return true;
}

/* Fill in all but params; false: out of memory. */
static bool fill_in(struct envelope_recipient *recipient, const char *given, const char *macro)
{
    char *folded;

    recipient->given = without_brackets(given);
    if (recipient->given == NULL)
        return false;
    recipient->macro = strdup(macro != NULL ? macro : envelope_without_route(recipient->given));
    if (recipient->macro == NULL)
        return false;
    folded = routing_key_internal(recipient->macro);
    if (folded != NULL && resolve(recipient, folded))
        recipient->key = routing_key_format(recipient->resolved);
    free(folded);
    return recipient->key != NULL;
}

bool envelope_add(struct envelope *envelope, const char *given, char *const *params,
                  const char *macro)
{
    struct envelope_recipient recipient = {0};

    if (envelope->count == envelope->room) {
        size_t room = envelope->room * 2 + 8;
        struct envelope_recipient *larger = realloc(envelope->recipients, room * sizeof *larger);

        if (larger == NULL)
            return false;
        envelope->recipients = larger;
        envelope->room = room;
    }
    recipient.params = join(params);
    if (recipient.params == NULL || !fill_in(&recipient, given, macro)) {
        recipient_deinit(&recipient);
        return false;
    }
    envelope->recipients[envelope->count++] = recipient;
    return true;
}
