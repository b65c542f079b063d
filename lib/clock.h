/* clock - the one clock that claims are dated by */
#ifndef PEG_CLOCK_H
#define PEG_CLOCK_H

#include <stdint.h>

/*
 * Milliseconds since boot, time asleep included (CLOCK_BOOTTIME): the same for every process of the
 * machine, never set back or forward. Thread-safe.
 */
int64_t clock_boot_ms(void);

#endif
