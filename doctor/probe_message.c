/* probe_message - what a probe says, and whether it has arrived as it was sent */
#include "doctor/probe_message.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "admin/mem.h"
#include "lib/probe.h"
#include "lib/route.h"

char *probe_message_new(const char *recipient, int priority, time_t now)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct tm utc;

    gmtime_r(&now, &utc); /* not strftime(3): names do not depend on the locale (RFC 5322 3.3) */
    return mem_printf("From: peg-gen doctor <doctor@" PROBE_DOMAIN ">\r\n"
                      "To: <%s>\r\n"
                      "Subject: probe\r\n of priority\r\n\t%d\r\n"
                      "Date: %s, %02d %s %04d %02d:%02d:%02d +0000\r\n"
                      "Message-ID: <%s>\r\n"
                      "Auto-Submitted: auto-generated\r\n"
                      "\r\n"
                      "Sent by peg-gen doctor to see whether mail of this priority flows.\r\n"
                      "\r\n"
                      ".a line with a dot, and two blanks at its end  \r\n"
                      "From here on nothing follows.\r\n",
                      recipient, priority, days[utc.tm_wday], utc.tm_mday, months[utc.tm_mon],
                      utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec, recipient);
}

/* The length of the first line of a text, its end included. */
static size_t line_len(const char *text, size_t len)
{
    const char *end = memchr(text, '\n', len);

    return end != NULL ? (size_t)(end - text) + 1 : len;
}

/* The length of the header: all before the empty line. */
static size_t header_len(const char *text, size_t len)
{
    size_t at = 0;

    while (at < len && strncmp(text + at, "\r\n", len - at < 2 ? len - at : 2) != 0)
        at += line_len(text + at, len - at);
    return at;
}

static bool has_line(const char *line, size_t len, const char **rest, size_t *rest_len)
{
    bool found = false;

    while (!found && *rest_len > 0) {
        size_t other_len = line_len(*rest, *rest_len);

        found = other_len == len && memcmp(*rest, line, len) == 0;
        *rest += other_len;
        *rest_len -= other_len;
    }
    return found;
}

static bool has_route_header(const char *header, size_t len)
{
    static const char name[] = PEG_ROUTE_HEADER ":";

    for (size_t at = 0; at < len; at += line_len(header + at, len - at))
        if (len - at >= strlen(name) && strncasecmp(header + at, name, strlen(name)) == 0)
            return true;
    return false;
}

bool probe_message_is_whole(const char *sent, const char *arrived, size_t arrived_len,
                            char why_r[PROBE_MESSAGE_WHY_SIZE])
{
    size_t sent_len = strlen(sent);
    size_t sent_header = header_len(sent, sent_len);
    size_t arrived_header = header_len(arrived, arrived_len);
    const char *rest = arrived;
    size_t rest_len = arrived_header;

    if (has_route_header(arrived, arrived_header)) {
        snprintf(why_r, PROBE_MESSAGE_WHY_SIZE, "the header " PEG_ROUTE_HEADER " is still in it");
        return false;
    }
    for (size_t at = 0, len; at < sent_header; at += len) {
        len = line_len(sent + at, sent_header - at);
        if (has_line(sent + at, len, &rest, &rest_len))
            continue;
        snprintf(why_r, PROBE_MESSAGE_WHY_SIZE, "a line of its header is changed or gone: %.*s",
                 (int)strcspn(sent + at, "\r"), sent + at);
        return false;
    }
    if (arrived_len - arrived_header == sent_len - sent_header &&
        memcmp(arrived + arrived_header, sent + sent_header, sent_len - sent_header) == 0)
        return true;
    snprintf(why_r, PROBE_MESSAGE_WHY_SIZE, "its body is changed");
    return false;
}
