/* look - a look into the frontends' queues: the claim of every recipient in them is refreshed */
#include "keeper/look.h"

#include <stdlib.h>
#include <string.h>

#include "admin/queued.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/message_name.h"
#include "lib/settings.h"
#include "store/find.h"
#include "table/routing_key.h"

static bool refresh(const struct look *look, const char *key)
{
    return table_refresh(look->config->table, key, strlen(key), clock_boot_ms()) == 1;
}

/*
 * Refresh the claim of an address as Postfix shows it. What it was asked for is the same, but for
 * quotes that are not needed.
 */
static bool refresh_address(struct look *look, const char *address)
{
    char *internal = routing_key_internal(address);
    char *key = internal != NULL ? routing_key_format(internal) : NULL;
    bool is_claimed = refresh(look, address);

    if (key == NULL)
        look->failed = true;
    else if (strcmp(key, address) != 0 && refresh(look, key))
        is_claimed = true;
    free(key);
    free(internal);
    return is_claimed;
}

static void add(struct look *look, struct id_set *set, const char *name)
{
    if (!id_set_add(set, name))
        look->failed = true;
}

/*
 * Postfix shows bytes that it calls unprintable as `?`, and so several addresses look alike: what
 * an address with a `?` stands for is known from the record of its message alone.
 */
static void on_message(void *arg, const struct queued_message *message)
{
    struct look *look = arg;
    bool is_legible = true, is_doubtful = false;
    char name[MESSAGE_NAME_SIZE];

    if (strcmp(message->queue_name, "maildrop") == 0)
        return;
    message_name(look->frontend, message->queue_id, name);
    add(look, &look->seen, name);
    look->counts.messages++;
    look->counts.recipients += message->recipient_count;
    for (size_t n = 0; n < message->recipient_count; n++) {
        const char *address = message->recipients[n];
        bool is_claimed = refresh_address(look, address);

        if (strchr(address, '?') != NULL) {
            is_legible = false;
            is_doubtful = is_doubtful || !is_claimed;
        } else if (!is_claimed) {
            look->counts.unknown++;
        }
    }
    if (!is_legible)
        add(look, &look->illegible, name);
    if (is_doubtful)
        add(look, &look->doubtful, name);
}

/* Refresh what was claimed for a message, if it is one of those that are illegible. */
static void on_record(void *arg, struct record_reader *reader)
{
    struct look *look = arg;
    struct record_recipient recipient;
    int more;

    if (!id_set_has(&look->illegible, reader->queue_id))
        return;
    while ((more = record_next(reader, &recipient)) == 1)
        if (recipient.use == RECORD_CLAIMED && !refresh(look, recipient.key))
            look->counts.unknown++;
    if (more == 0)
        add(look, &look->recorded, reader->queue_id);
}

/* Whether the claims of messages that are not shown whole are refreshed as well. An address that
 * is claimed as it is shown, and has no record, is taken for what it seems to be; but not where the
 * records cannot be read. */
static bool resolve(struct look *look)
{
    char why[FOLDER_WHY_SIZE] = "there is no record of it";
    const struct id_set *doubtful = &look->doubtful;

    if (look->illegible.count == 0)
        return true;
    if (!find_all(look->config->folder, on_record, look, why))
        doubtful = &look->illegible;
    for (size_t n = 0; n < doubtful->count; n++) {
        if (id_set_has(&look->recorded, doubtful->ids[n]))
            continue;
        log_warn("%s: Postfix does not show all bytes of its recipients: no decision is forgotten "
                 "while it is in the queue (%s)",
                 doubtful->ids[n], why);
        return false;
    }
    return true;
}

static void forget_details(struct look *look)
{
    id_set_free(&look->illegible);
    id_set_free(&look->doubtful);
    id_set_free(&look->recorded);
}

/* Whether all that is in the queues was seen; the log says why not. */
static bool see_all(struct look *look)
{
    const struct look_config *config = look->config;

    for (size_t i = 0; i < config->frontend_count; i++) {
        const struct look_frontend *frontend = &config->frontends[i];
        char why[QUEUED_WHY_SIZE] = "out of memory";

        look->frontend = frontend->instance;
        if (queued_each(frontend->folder, on_message, look, why) && !look->failed)
            continue;
        log_error("cannot see all of the %sfrontend's queue: %s",
                  frontend->instance == PEG_URGENT ? "urgent " : "",
                  look->failed ? "out of memory" : why);
        return false;
    }
    return true;
}

enum look_result look(struct look *look, const struct look_config *config)
{
    int64_t began_ms = clock_boot_ms();
    bool is_seen, is_sure;

    look->config = config;
    look->counts = (struct look_counts){0};
    look->failed = false;
    is_seen = see_all(look);
    is_sure = is_seen && resolve(look);
    forget_details(look);
    if (is_seen && look->failed)
        log_error("the records of queued mail cannot be looked through: out of memory");
    if (!is_seen || look->failed)
        return LOOK_FAILED;
    if (!is_sure)
        return LOOK_NOT_SURE;
    table_scanned(config->table, began_ms, look->counts.unknown == 0);
    return LOOK_DONE;
}

void look_free(struct look *look)
{
    id_set_free(&look->seen);
}
