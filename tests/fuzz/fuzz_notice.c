/*
 * fuzz_notice - any bytes as a notice of a bounce
 *
 * Checks what must hold for every input: texts without control characters, lists with as many lines
 * as recipients are said to be listed, and no bounce without a sender to whom mail went back.
 */
#include "bounce/notice.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
    if (!ok)
        abort();
}

static void check_text(const char *text, size_t size, size_t lines)
{
    size_t len = strnlen(text, size);
    size_t newlines = 0;

    check(len < size);
    for (size_t i = 0; i < len; i++) {
        newlines += text[i] == '\n';
        check(text[i] == '\n' || ((unsigned char)text[i] >= ' ' && text[i] != 0x7f));
    }
    check(newlines == (lines > 0 ? lines - 1 : 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct notice notice;
    const char *text = (const char *)data;

    check(notice_start(text, size) <= size);
    if (notice_read(text, size, "postfix4", "bouncemanager@postfix4.invalid", &notice) !=
        NOTICE_BOUNCE)
        return 0;
    check(notice.sender[0] != '\0');
    check(notice.listed_count <= notice.recipient_count);
    check_text(notice.queue_id, sizeof notice.queue_id, 1);
    check_text(notice.sender, sizeof notice.sender, 1);
    check_text(notice.recipients, sizeof notice.recipients, notice.listed_count);
    check_text(notice.reasons, sizeof notice.reasons, notice.listed_count);
    return 0;
}
