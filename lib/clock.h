/* clock - the clock that claims are dated by, and the one for humans */
#ifndef PEG_CLOCK_H
#define PEG_CLOCK_H

#include <stdint.h>

/*
 * Milliseconds since boot, time asleep included (CLOCK_BOOTTIME): the same for every process of the
 * machine, never set back or forward. Thread-safe.
 */
int64_t clock_boot_ms(void);

/* Milliseconds since 1970 (UTC), to be shown: it may be set back or forward. Thread-safe. */
int64_t clock_wall_ms(void);

/* Do nothing for a while; less where a signal comes. Thread-safe. */
void clock_sleep_ms(long ms);

#endif
