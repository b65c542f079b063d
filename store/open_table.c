/* open_table - the decision table of a gateway, made from what is on disk where it is gone */
#include "store/open_table.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "store/recover.h"

_Static_assert((int)FOLDER_WHY_SIZE == (int)TABLE_WHY_SIZE, "reasons are passed on");

static void add_claim(void *arg, const char *key, size_t key_len, int priority)
{
    table_fill_claim(arg, key, key_len, priority);
}

/* recover() of struct table_config; arg is the settings. */
static bool recover_from_store(void *arg, struct table_fill *fill, char why_r[TABLE_WHY_SIZE])
{
    const struct settings *settings = arg;
    struct recover_result result;
    char folder[PATH_MAX];
    int64_t began_ms = clock_boot_ms();

    if (!settings_path(settings, SETTINGS_STORE_DIR, folder)) {
        snprintf(why_r, TABLE_WHY_SIZE, "the path %s is too long", settings->root);
        return false;
    }
    if (!recover(folder, clock_wall_ms(), add_claim, fill, &result, why_r))
        return false;
    if (result.claims == 0 && result.messages == 0 && !result.is_damaged)
        return true; /* the first start */
    log_info("decisions recovered from disk: %zu claims of %zu messages, in %" PRId64 " ms",
             result.claims, result.messages, clock_boot_ms() - began_ms);
    if (result.is_damaged || !settings->decision_sync) {
        table_fill_is_unsure(fill);
        log_warn("decisions may be missing: recipients without one are taken for the highest "
                 "priority until Postfix is known to hold no such mail");
    }
    return true;
}

struct table *open_table(const struct settings *settings, enum table_role role,
                         char why_r[TABLE_WHY_SIZE])
{
    char path[PATH_MAX], lock_path[PATH_MAX];
    /* recover() is called from within table_open() only; the settings are not changed. */
    const struct table_config config = {.path = path,
                                        .lock_path = lock_path,
                                        .capacity = settings->table_capacity,
                                        .recover = recover_from_store,
                                        .arg = (void *)(uintptr_t)settings};

    if (!settings_path(settings, SETTINGS_TABLE_FILE, path) ||
        !settings_path(settings, SETTINGS_TABLE_LOCK, lock_path)) {
        snprintf(why_r, TABLE_WHY_SIZE, "the path %s is too long", settings->root);
        return NULL;
    }
    return table_open(&config, role, clock_boot_ms(), why_r);
}

bool open_table_can_recover(const struct settings *settings)
{
    char folder[PATH_MAX], why[FOLDER_WHY_SIZE];

    if (!settings_path(settings, SETTINGS_STORE_DIR, folder))
        snprintf(why, sizeof why, "the path %s is too long", settings->root);
    else if (folder_is_usable(folder, why))
        return true;
    log_error("decisions cannot be kept: %s", why);
    return false;
}
