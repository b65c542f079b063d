/* look - a look into the frontend's queue: the claim of every recipient in it is refreshed */
#include "keeper/look.h"

#include <stdlib.h>
#include <string.h>

#include "keeper/queued.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "store/find.h"
#include "table/routing_key.h"

enum { RECORDS_MAX = 1000 }; /* read in one look: each costs a walk through the journal */

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

/* Refresh what was claimed for a message. false: that is not known. */
static bool refresh_recorded(struct look *look, const char *queue_id)
{
    struct record_recipient recipient;
    struct record_reader reader;
    char why[FOLDER_WHY_SIZE];
    int more;

    if (look->records_read++ >= RECORDS_MAX ||
        find_message(look->config->folder, queue_id, &reader, why) != 1)
        return false;
    while ((more = record_next(&reader, &recipient)) == 1)
        if (recipient.use == RECORD_CLAIMED && !refresh(look, recipient.key))
            look->counts.unknown++;
    record_reader_free(&reader);
    return more == 0;
}

/*
 * Postfix shows bytes that it calls unprintable as `?`, and so several addresses look alike. Then
 * the record of the message says what was claimed. Without one, an address that is claimed as it is
 * shown is taken for what it seems to be.
 */
static void on_message(void *arg, const struct queued_message *message)
{
    struct look *look = arg;
    bool is_legible = true, is_claimed = true;

    if (strcmp(message->queue_name, "maildrop") == 0)
        return;
    if (!id_set_add(&look->seen, message->queue_id))
        look->failed = true;
    look->counts.messages++;
    look->counts.recipients += message->recipient_count;
    for (size_t n = 0; n < message->recipient_count; n++) {
        const char *address = message->recipients[n];
        bool has_claim = refresh_address(look, address);

        if (strchr(address, '?') != NULL) {
            is_legible = false;
            is_claimed = is_claimed && has_claim;
        } else if (!has_claim) {
            look->counts.unknown++;
        }
    }
    if (is_legible || refresh_recorded(look, message->queue_id) || is_claimed)
        return;
    if (!look->is_in_doubt)
        log_warn("%s: Postfix does not show all bytes of its recipients, and there is no record of "
                 "it: no decision is forgotten while it is in the queue",
                 message->queue_id);
    look->is_in_doubt = true;
}

enum look_result look(struct look *look, const struct look_config *config)
{
    int64_t began_ms = clock_boot_ms();
    char why[QUEUED_WHY_SIZE] = "out of memory";

    look->config = config;
    look->counts = (struct look_counts){0};
    look->records_read = 0;
    look->is_in_doubt = look->failed = false;
    if (!queued_each(config->frontend, on_message, look, why) || look->failed) {
        log_error("cannot see all of the frontend's queue: %s",
                  look->failed ? "out of memory" : why);
        return LOOK_FAILED;
    }
    if (look->is_in_doubt)
        return LOOK_NOT_SURE;
    table_scanned(config->table, began_ms, look->counts.unknown == 0);
    return LOOK_DONE;
}

void look_free(struct look *look)
{
    id_set_free(&look->seen);
}
