/* clock - the one clock that claims are dated by */
#include "lib/clock.h"

#include <time.h>

int64_t clock_boot_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now); /* cannot fail on Linux for this clock */
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
