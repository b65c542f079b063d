/* answer - which routing keys have an entry, and what it is */
#include "tcpmap/answer.h"

#include <string.h>

bool answer_is_address(const char *key, size_t key_len)
{
    return memchr(key, '@', key_len) != NULL;
}

void answer_format(const struct settings *settings, int priority, char route_r[PEG_ROUTE_SIZE])
{
    if (priority < 0 || priority >= settings->priority_count)
        priority = settings->priority_count - 1;
    route_plain(settings, priority, route_r);
}
