/*
 * settings_share - the settings in force, for several threads: a reload swaps them under nobody
 *
 * Threads: every call may run concurrently, but for the first and the last.
 */
#ifndef PEG_SETTINGS_SHARE_H
#define PEG_SETTINGS_SHARE_H

#include <pthread.h>

#include "lib/attr.h"
#include "lib/settings.h"

struct settings_share {
    pthread_mutex_t lock;
    struct settings *settings;
};

/* Both hold the settings for themselves: the caller's own hold stays the caller's. */
void settings_share_init(struct settings_share *share, struct settings *settings);
void settings_share_put(struct settings_share *share, struct settings *settings);

/* The settings in force now, which stay as they are until settings_free() by the caller. */
struct settings *settings_share_get(struct settings_share *share) PEG_MUST_USE;

void settings_share_deinit(struct settings_share *share);

#endif
