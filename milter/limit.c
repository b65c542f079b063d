/* limit - how many messages are being decided at once (LIMIT_CONNECTIONS_MILTER) */
#include "milter/limit.h"

#include <inttypes.h>
#include <stdatomic.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/log_limit.h"

static _Atomic int entered;

static struct log_limit warning_limit;

static void warn_of_limit(int max)
{
    uint64_t held_back;

    if (log_limit_pass_shared(&warning_limit, clock_boot_ms(), &held_back))
        log_warn("LIMIT_CONNECTIONS_MILTER: %d messages are being decided, and one more goes by "
                 "the default priority (%" PRIu64 " more since the last such warning); raise it "
                 "to the number of smtpd processes that receive mail",
                 max, held_back);
}

bool limit_enter(int max)
{
    /* Relaxed: nothing but the number itself is shared. */
    int now = atomic_load_explicit(&entered, memory_order_relaxed);

    do {
        if (now >= max) {
            warn_of_limit(max);
            return false;
        }
    } while (!atomic_compare_exchange_weak_explicit(&entered, &now, now + 1, memory_order_relaxed,
                                                    memory_order_relaxed));
    return true;
}

void limit_leave(void)
{
    atomic_fetch_sub_explicit(&entered, 1, memory_order_relaxed);
}
