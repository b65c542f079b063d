/* notice - read what Postfix sends to bounce_notice_recipient, without trusting it */
#include "bounce/notice.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "bounce/fields.h"

enum { ADDRESS_SIZE = NOTICE_SENDER_SIZE, REASON_SIZE = 1024, WORD_SIZE = 32 };

/* What the fields about one recipient say. */
struct recipient {
    char final[ADDRESS_SIZE];
    char original[ADDRESS_SIZE];
    char action[WORD_SIZE];
    char status[WORD_SIZE];
    char diagnostic[REASON_SIZE];
};

size_t notice_start(const char *text, size_t len)
{
    const char *newline =
        len >= 5 && memcmp(text, "From ", 5) == 0 ? memchr(text, '\n', len) : NULL;

    return newline != NULL ? (size_t)(newline + 1 - text) : 0;
}

/*
 * `by HOST (MAIL_NAME) id ...`: what Postfix puts before a message that it makes itself. Mail that
 * came by SMTP begins `from ...`, and mail that was handed in has `(MAIL_NAME, from userid ...)`.
 */
static bool is_own_received(const char *value, const char *mail_name)
{
    size_t name_len = strlen(mail_name);
    size_t host_len;

    if (strncmp(value, "by ", 3) != 0)
        return false;
    value += 3;
    host_len = strcspn(value, " ");
    if (host_len == 0 || strncmp(value + host_len, " (", 2) != 0)
        return false;
    value += host_len + 2;
    return strncmp(value, mail_name, name_len) == 0 && strncmp(value + name_len, ") id ", 5) == 0;
}

/*
 * Read the header. Returns whether this Postfix has made the message. One that it forwards gets a
 * Received field just like that, but then it has another one.
 */
static bool read_header(struct cursor *message, const char *mail_name,
                        char boundary_r[BOUNDARY_SIZE])
{
    struct field field;
    size_t received = 0;
    bool own = false;

    boundary_r[0] = '\0';
    while (field_next(message, &field)) {
        if (field_is(&field, "Received") && ++received == 1)
            own = is_own_received(field.value, mail_name);
        else if (field_is(&field, "Content-Type") &&
                 strncasecmp(field.value, "multipart/report;", 17) == 0 &&
                 !fields_boundary(field.value, boundary_r))
            boundary_r[0] = '\0';
    }
    return own && received == 1;
}

static bool is_delivery_status(const char *content_type)
{
    return strcasecmp(content_type, "message/delivery-status") == 0 ||
           strcasecmp(content_type, "message/global-delivery-status") == 0; /* RFC 6533 */
}

/* Find the part that programs read; part_r is behind its header. */
static bool find_status(struct cursor *body, const char *boundary, struct cursor *part_r)
{
    struct field field;
    bool found = false;

    while (!found && boundary[0] != '\0' && cursor_part(body, boundary, part_r))
        while (field_next(part_r, &field))
            if (field_is(&field, "Content-Type"))
                found = is_delivery_status(field.value);
    return found;
}

/* A value behind its type: `rfc822; bob@example.org`. */
static const char *untyped(const char *value)
{
    const char *semicolon = strchr(value, ';');

    return semicolon != NULL ? semicolon + 1 + strspn(semicolon + 1, " ") : value;
}

static void read_message_fields(struct cursor *part, const char *mail_name, struct notice *notice)
{
    struct field field;
    char queue_id[128];
    char sender[128];

    snprintf(queue_id, sizeof queue_id, "X-%s-Queue-ID", mail_name);
    snprintf(sender, sizeof sender, "X-%s-Sender", mail_name);
    while (field_next(part, &field)) {
        if (field_is(&field, queue_id))
            snprintf(notice->queue_id, sizeof notice->queue_id, "%.*s", NOTICE_ID_SIZE - 1,
                     field.value);
        else if (field_is(&field, sender))
            snprintf(notice->sender, sizeof notice->sender, "%.*s", NOTICE_SENDER_SIZE - 1,
                     untyped(field.value));
    }
}

/* False where there are no more. */
static bool read_recipient(struct cursor *part, struct recipient *recipient_r)
{
    struct recipient *r = recipient_r;
    struct field field;
    bool any = false;

    *r = (struct recipient){.final = ""};
    while (!any && part->at < part->end) {
        while (field_next(part, &field)) {
            any = true;
            if (field_is(&field, "Final-Recipient"))
                snprintf(r->final, sizeof r->final, "%.*s", ADDRESS_SIZE - 1, untyped(field.value));
            else if (field_is(&field, "Original-Recipient"))
                snprintf(r->original, sizeof r->original, "%.*s", ADDRESS_SIZE - 1,
                         untyped(field.value));
            else if (field_is(&field, "Action"))
                snprintf(r->action, sizeof r->action, "%.*s", WORD_SIZE - 1, field.value);
            else if (field_is(&field, "Status"))
                snprintf(r->status, sizeof r->status, "%.*s", WORD_SIZE - 1, field.value);
            else if (field_is(&field, "Diagnostic-Code"))
                snprintf(r->diagnostic, sizeof r->diagnostic, "%.*s", REASON_SIZE - 1,
                         untyped(field.value));
        }
    }
    return any;
}

/* A mail to own_address fails as one to its alias. The original recipient alone does not tell: a
 * client may name anybody (ORCPT, RFC 3461 4.2). */
static bool is_own_recipient(const struct recipient *r, const char *own_address)
{
    static const char alias[] = "bouncecommand@";

    return strcasecmp(r->final, own_address) == 0 ||
           (strcasecmp(r->original, own_address) == 0 &&
            strncasecmp(r->final, alias, strlen(alias)) == 0);
}

/* Add a line to both lists, or to none where one is full. */
static void add_recipient(struct notice *notice, const struct recipient *r)
{
    const char *newline = notice->listed_count > 0 ? "\n" : "";
    size_t recipients_len, reasons_len;

    if (notice->recipient_count++ > notice->listed_count)
        return; /* one did not fit before, and lists have no gaps */
    recipients_len = strlen(notice->recipients);
    reasons_len = strlen(notice->reasons);
    if (recipients_len + strlen(r->final) + 2 > NOTICE_LIST_SIZE ||
        reasons_len + strlen(r->status) + strlen(r->diagnostic) + 3 > NOTICE_LIST_SIZE)
        return;
    snprintf(notice->recipients + recipients_len, NOTICE_LIST_SIZE - recipients_len, "%s%s",
             newline, r->final);
    snprintf(notice->reasons + reasons_len, NOTICE_LIST_SIZE - reasons_len, "%s%s %s", newline,
             r->status, r->diagnostic);
    notice->listed_count++;
}

enum notice_kind notice_read(const char *text, size_t len, const char *mail_name,
                             const char *own_address, struct notice *notice_r)
{
    struct cursor message = {text + notice_start(text, len), text + len};
    char boundary[BOUNDARY_SIZE];
    struct cursor part;
    struct recipient r;
    bool others = false; /* recipients that do not count */

    if (!read_header(&message, mail_name, boundary))
        return NOTICE_FOREIGN;
    if (!find_status(&message, boundary, &part))
        return NOTICE_OTHER;
    *notice_r = (struct notice){.queue_id = ""};
    read_message_fields(&part, mail_name, notice_r);
    while (read_recipient(&part, &r)) {
        if (strcasecmp(r.action, "failed") != 0 || is_own_recipient(&r, own_address))
            others = true;
        else
            add_recipient(notice_r, &r);
    }
    /* Where Postfix has lost its list of recipients, none is named. */
    return notice_r->sender[0] != '\0' && (notice_r->recipient_count > 0 || !others) ? NOTICE_BOUNCE
                                                                                     : NOTICE_OTHER;
}
