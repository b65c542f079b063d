/* probe - the addresses of the mail with which `peg-gen doctor` tries every priority */
#include "lib/probe.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

void probe_address(const char *id, int priority, char address_r[PROBE_ADDRESS_SIZE])
{
    snprintf(address_r, PROBE_ADDRESS_SIZE, "probe-%s@priority-%d." PROBE_DOMAIN, id, priority);
}

int probe_priority(const char *address, int priority_count)
{
    static const char before[] = "priority-", behind[] = "." PROBE_DOMAIN;
    const char *domain = strrchr(address, '@');
    int priority = 0;
    size_t digits;

    if (domain == NULL || strncasecmp(domain + 1, before, strlen(before)) != 0)
        return -1;
    domain += strlen("@") + strlen(before);
    digits = strspn(domain, "0123456789");
    if (digits == 0 || digits > 2 || strcasecmp(domain + digits, behind) != 0)
        return -1;
    for (; digits > 0; digits--)
        priority = priority * 10 + (*domain++ - '0');
    return priority < priority_count ? priority : -1;
}

bool probe_can_be(const char *sender, size_t recipient_count)
{
    return sender[0] == '\0' && recipient_count == 1;
}
