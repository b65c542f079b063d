/* envelope - the recipients of one message, as the client gave them and as Postfix resolved them */
#include "milter/envelope.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "table/routing_key.h"

static void recipient_deinit(struct envelope_recipient *recipient)
{
    free(recipient->given);
    free(recipient->original);
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

/* NULL: out of memory. */
static char *resolve(const struct envelope_recipient *recipient)
{
    char *folded = recipient->macro != NULL ? routing_key_internal(recipient->macro) : NULL;
    char *resolved = NULL;

    if (folded != NULL && recipient->original != NULL)
        resolved = routing_key_recase(recipient->original, folded);
    free(folded);
    return resolved;
}

bool envelope_add(struct envelope *envelope, const char *given, char *const *params,
                  const char *macro)
{
    struct envelope_recipient recipient = {0};
    char *bare = without_brackets(given);

    if (envelope->count == envelope->room) {
        size_t room = envelope->room * 2 + 8;
        struct envelope_recipient *larger = realloc(envelope->recipients, room * sizeof *larger);

        if (larger == NULL) {
            free(bare);
            return false;
        }
        envelope->recipients = larger;
        envelope->room = room;
    }
    if (bare != NULL) {
        recipient.given = strdup(given);
        recipient.original = routing_key_internal(bare);
        recipient.macro = strdup(macro != NULL ? macro : bare);
        recipient.params = join(params);
    }
    recipient.resolved = resolve(&recipient);
    if (recipient.resolved != NULL)
        recipient.key = routing_key_format(recipient.resolved);
    free(bare);
    if (recipient.given == NULL || recipient.original == NULL || recipient.key == NULL ||
        recipient.params == NULL) {
        recipient_deinit(&recipient);
        return false;
    }
    envelope->recipients[envelope->count++] = recipient;
    return true;
}

static bool has_orcpt(const char *params)
{
    for (; *params != '\0'; params += strcspn(params, " "), params += strspn(params, " "))
        if (strncasecmp(params, "ORCPT=", 6) == 0)
            return true;
    return false;
}

/* xtext (RFC 3461 4): printable ASCII but `+` and `=` stands for itself. */
static void append_xtext(char *out, const char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;

        if (c <= ' ' || c > '~' || c == '+' || c == '=')
            out += sprintf(out, "+%02X", (unsigned)c);
        else
            *out++ = *text;
    }
    *out = '\0';
}

char *envelope_params_of_replacement(const struct envelope_recipient *recipient)
{
    char *original, *params;
    size_t used;

    if (has_orcpt(recipient->params))
        return strdup(recipient->params);
    if ((original = without_brackets(recipient->given)) == NULL)
        return NULL;
    params =
        malloc(strlen(recipient->params) + strlen(" ORCPT=rfc822;") + 3 * strlen(original) + 1);
    if (params != NULL) {
        used = (size_t)sprintf(params, "%s%sORCPT=rfc822;", recipient->params,
                               *recipient->params != '\0' ? " " : "");
        append_xtext(params + used, original);
    }
    free(original);
    return params;
}
