/* report - one log line per message, in Postfix's manner, queue ID first */
#include "milter/report.h"

#include <stdio.h>
#include <string.h>

#include "lib/log.h"

enum { GROUPS_MAX = 8, LIST_SIZE = 256 };

struct group { /* recipients with one priority from one rule */
    int priority;
    unsigned line;
    size_t recipients;
};

static void add_to_group(struct group *groups, size_t *count,
                         const struct classify_verdict *verdict)
{
    unsigned line = verdict->rule != NULL ? verdict->rule->line : 0;
    size_t at = 0;

    while (at < *count && groups[at].priority > verdict->priority)
        at++;
    while (at < *count && groups[at].priority == verdict->priority && groups[at].line != line)
        at++;
    if (at < *count && groups[at].priority == verdict->priority) {
        groups[at].recipients++;
        return;
    }
    if (*count == GROUPS_MAX) {
        if (at == GROUPS_MAX)
            return;
        --*count; /* the lowest priority gives way: `...` stands for it */
    }
    memmove(&groups[at + 1], &groups[at], (*count - at) * sizeof *groups);
    groups[at] = (struct group){verdict->priority, line, 1};
    ++*count;
}

void report_message(const char *queue_id, const struct envelope *envelope,
                    const struct classify_verdict *verdicts, const struct decide_result *result)
{
    struct group groups[GROUPS_MAX];
    size_t count = 0, named = 0;
    char priorities[LIST_SIZE] = "", rules[LIST_SIZE] = "";
    size_t priorities_len = 0, rules_len = 0;
    const char *more;

    for (size_t n = 0; n < envelope->count; n++)
        add_to_group(groups, &count, &verdicts[n]);
    for (size_t n = 0; n < count; n++) { /* eight short numbers always fit */
        const char *comma = n > 0 ? "," : "";

        priorities_len +=
            (size_t)snprintf(priorities + priorities_len, LIST_SIZE - priorities_len, "%s%d:%zu",
                             comma, groups[n].priority, groups[n].recipients);
        rules_len += groups[n].line > 0
                         ? (size_t)snprintf(rules + rules_len, LIST_SIZE - rules_len, "%s%u", comma,
                                            groups[n].line)
                         : (size_t)snprintf(rules + rules_len, LIST_SIZE - rules_len, "%s-", comma);
        named += groups[n].recipients;
    }
    more = named < envelope->count ? ",..." : "";
    log_info("%s: from=<%s>, nrcpt=%zu, priority=%s%s, rule=%s%s, way=%s", queue_id,
             envelope->sender, envelope->count, priorities, more, rules, more,
             decide_way_name(result->way));
}
