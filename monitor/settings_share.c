/* settings_share - the settings in force, for several threads: a reload swaps them under nobody */
#include "monitor/settings_share.h"

void settings_share_init(struct settings_share *share, struct settings *settings)
{
    pthread_mutex_init(&share->lock, NULL);
    share->settings = settings_hold(settings);
}

void settings_share_put(struct settings_share *share, struct settings *settings)
{
    struct settings *before;

    pthread_mutex_lock(&share->lock);
    before = share->settings;
    share->settings = settings_hold(settings);
    pthread_mutex_unlock(&share->lock);
    settings_free(&before);
}

struct settings *settings_share_get(struct settings_share *share)
{
    struct settings *settings;

    pthread_mutex_lock(&share->lock);
    settings = settings_hold(share->settings);
    pthread_mutex_unlock(&share->lock);
    return settings;
}

void settings_share_deinit(struct settings_share *share)
{
    settings_free(&share->settings);
    pthread_mutex_destroy(&share->lock);
}
