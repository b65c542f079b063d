/* settings_check - do the parameters of a configuration go together? */
#include "lib/settings_reading.h"

#include "lib/settings_values.h"

enum { PORT_MAX = 65535 };

/* The line to name where two parameters do not go together: the last of those that were set. */
static unsigned line_of(const struct reading *in, const char *a, const char *b)
{
    unsigned line_a = in->line[settings_row(a)];
    unsigned line_b = in->line[settings_row(b)];

    return line_a > line_b ? line_a : line_b;
}

static void check_default_priority(struct reading *in)
{
    struct settings *settings = in->settings;
    unsigned line = in->line[settings_row("DEFAULT_PRIORITY")];
    int highest = settings->priority_count - 1;

    if (in->bad[settings_row("PRIORITY_COUNT")] || in->bad[settings_row("DEFAULT_PRIORITY")])
        return;
    if (line == 0)
        settings->default_priority = highest < 2 ? highest : 2;
    else if (settings->default_priority > highest)
        diag_error(in->diag, settings->file, line,
                   "DEFAULT_PRIORITY = \"%d\": a whole number from 0 to %d is needed, since "
                   "PRIORITY_COUNT is %d",
                   settings->default_priority, highest, settings->priority_count);
}

enum {
    LIFETIME_DEFAULT_S = 660,                        /* twice Postfix's own 300 s, and 60 s */
    RUN_DELAY_MAX_S = (LIFETIME_DEFAULT_S - 60) / 2, /* where nobody says otherwise */
    LIFETIME_SPARE_S = 60
};

static void check_one_lifetime(struct reading *in, const char *suffix, int delay_s, unsigned line)
{
    int lifetime_s = in->settings->decision_lifetime_s;

    if (lifetime_s < 2 * delay_s + LIFETIME_SPARE_S)
        diag_error(in->diag, in->settings->file, line,
                   "DECISION_LIFETIME = %d s is too short: with QUEUE_RUN_DELAY_%s = %d s "
                   "queued mail needs its decisions for %d s",
                   lifetime_s, suffix, delay_s, 2 * delay_s + LIFETIME_SPARE_S);
}

/*
 * Each try of queued mail refreshes its claims, which must not expire between two of them: the
 * frontend's QUEUE_RUN_DELAY fits twice in DECISION_LIFETIME, with a minute to spare. Where one of
 * the two is not set, it follows the other.
 */
static void check_lifetime(struct reading *in)
{
    struct settings *settings = in->settings;
    int *delay_s = &settings->frontend.queue_run_delay_s;
    int *lifetime_s = &settings->decision_lifetime_s;
    unsigned urgent_line = in->urgent_line[settings_row("QUEUE_RUN_DELAY")];
    bool has_delay = in->line[settings_row("QUEUE_RUN_DELAY")] != 0;
    bool has_lifetime = in->line[settings_row("DECISION_LIFETIME")] != 0;

    if (in->bad[settings_row("DECISION_LIFETIME")] || in->bad[settings_row("QUEUE_RUN_DELAY")])
        return;
    if (!has_lifetime)
        *lifetime_s = LIFETIME_DEFAULT_S;
    if (!has_lifetime && *lifetime_s < 2 * *delay_s + LIFETIME_SPARE_S)
        *lifetime_s = 2 * *delay_s + LIFETIME_SPARE_S;
    if (!has_delay) {
        *delay_s = (*lifetime_s - LIFETIME_SPARE_S) / 2;
        *delay_s = *delay_s < RUN_DELAY_MAX_S ? *delay_s : RUN_DELAY_MAX_S;
    }
    check_one_lifetime(in, "FRONTEND", *delay_s,
                       line_of(in, "DECISION_LIFETIME", "QUEUE_RUN_DELAY"));
    if (urgent_line == 0)
        settings->urgent.queue_run_delay_s = *delay_s;
    else
        check_one_lifetime(in, "URGENT", settings->urgent.queue_run_delay_s, urgent_line);
}

/* Report where port belongs to an instance. */
static void check_port(struct reading *in, const char *parameter, int port)
{
    struct settings *settings = in->settings;
    int first = settings->instance_port_base;
    int last = first + settings->priority_count - 1;

    if (port >= first && port <= last)
        diag_error(in->diag, settings->file, line_of(in, parameter, "INSTANCE_PORT_BASE"),
                   "%s: port %d is among those of the instances, %d to %d (INSTANCE_PORT_BASE)",
                   parameter, port, first, last);
}

static void check_listen(struct reading *in, const char *parameter, char **services)
{
    struct settings *settings = in->settings;

    for (char **service = services; *service != NULL; service++) {
        int port = settings_value_inet_port(*service);

        if (in->bad[settings_row(parameter)])
            return;
        check_port(in, parameter, port);
        if (!in->bad[settings_row("TCPMAP_LISTEN")] && port == settings->tcpmap_port)
            diag_error(in->diag, settings->file, line_of(in, parameter, "TCPMAP_LISTEN"),
                       "%s: port %d is that of TCPMAP_LISTEN", parameter, port);
    }
}

static void check_ports(struct reading *in)
{
    struct settings *settings = in->settings;
    unsigned line = line_of(in, "INSTANCE_PORT_BASE", "PRIORITY_COUNT");

    if (in->bad[settings_row("INSTANCE_PORT_BASE")] || in->bad[settings_row("PRIORITY_COUNT")])
        return;
    if (settings->instance_port_base > PORT_MAX - settings->priority_count) {
        diag_error(in->diag, settings->file, line,
                   "INSTANCE_PORT_BASE = \"%d\": with %d priorities at most %d is possible",
                   settings->instance_port_base, settings->priority_count,
                   PORT_MAX - settings->priority_count);
        return;
    }
    if (!in->bad[settings_row("TCPMAP_LISTEN")])
        check_port(in, "TCPMAP_LISTEN", settings->tcpmap_port);
    check_listen(in, "FRONTEND_LISTEN", settings->frontend_listen);
    check_listen(in, "URGENT_LISTEN", settings->urgent_listen);
}

void settings_reading_check(struct reading *in)
{
    check_default_priority(in);
    check_lifetime(in);
    check_ports(in);
}
