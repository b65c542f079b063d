/* check_frontend - what keeps mail in a frontend from peg-milter, or changes it behind it */
#include "gen/check_parts.h"

#include <stdlib.h>
#include <string.h>

#include "admin/mem.h"
#include "gen/where.h"
#include "lib/settings_values.h"

enum when { WHEN_SET, WHEN_NO_MILTERS, WHEN_NOT_MILTER, WHEN_NOT_FILTER, WHEN_NOT_NAMED };

static const char adds[] = "adds recipients that peg-milter does not see: they go to the default "
                           "instance. Set it in the instances instead";

/* A parameter that does harm in main.cf, or as an option of a service that runs such a program. */
static const struct risk {
    const char *parameter;
    const char *programs; /* that heed it, blank separated */
    bool in_main;         /* peg-gen apply does not set it back there by itself */
    enum when when;
    const char *what;
} risks[] = {
    {"always_bcc", "cleanup", true, WHEN_SET, adds},
    {"sender_bcc_maps", "cleanup", true, WHEN_SET, adds},
    {"recipient_bcc_maps", "cleanup", true, WHEN_SET, adds},
    {"content_filter", "smtpd pickup qmqpd", true, WHEN_SET, "takes all mail past the instances"},
    {"smtpd_proxy_filter", "smtpd", true, WHEN_SET,
     "takes mail to that server before peg-milter sees its headers: it has its priority only where "
     "it comes back through a listener with peg-milter"},
    {"smtpd_milter_maps", "smtpd", true, WHEN_SET,
     "may choose other milters for a client: mail that peg-milter does not see goes by the default "
     "priority"},
    {"receive_override_options", "smtpd pickup qmqpd", true, WHEN_NO_MILTERS,
     "keeps mail from peg-milter: what comes in here for the first time goes by the default "
     "priority; take no_milters out"},
    {"smtpd_milters", "smtpd", false, WHEN_NOT_MILTER,
     "does not name peg-milter: mail that comes in here goes by the default priority"},
    {"non_smtpd_milters", "cleanup", false, WHEN_NOT_MILTER,
     "does not name peg-milter: mail of local programs goes by the default priority"},
    {"milter_header_checks", "cleanup", false, WHEN_NOT_FILTER,
     "does not name peg-gen's table peg_filter: mail that peg-milter directs goes another way; "
     "add it, or take this option out"},
    {"milter_macro_v", "cleanup", true, WHEN_NOT_NAMED,
     "does not begin with $mail_name: peg-milter takes this mail for the other frontend's, and "
     "what "
     "was decided for it is not found"},
};

static bool does_harm(const struct work_folder *frontend, const struct risk *risk,
                      const char *value)
{
    switch (risk->when) {
    case WHEN_SET:
        return value[0] != '\0';
    case WHEN_NO_MILTERS:
        return value[0] != '\0' && difference_has_word(value, "no_milters", NULL);
    case WHEN_NOT_MILTER:
        return value[0] == '\0' ||
               !difference_has_word(value, plan_milter_word(frontend->plan), "smtpd_milters");
    case WHEN_NOT_FILTER:
        return value[0] == '\0' ||
               !difference_has_word(
                   value, pairs_get(&frontend->plan->first, "milter_header_checks"), NULL);
    case WHEN_NOT_NAMED: /* milter/macros.h */
        return frontend->plan->instance == PEG_URGENT &&
               strncmp(value, "$mail_name ", strlen("$mail_name ")) != 0;
    }
    return false;
}

static void check_main(const struct work *work, const struct work_folder *frontend,
                       struct diag *diag)
{
    const struct pairs *main = &frontend->present.conf.main;
    const char *dir = check_dir(work, frontend);
    char *file = mem_printf("%s/main.cf", dir);

    for (size_t i = 0; i < sizeof risks / sizeof risks[0]; i++) {
        const struct risk *risk = &risks[i];
        const char *value = pairs_get(main, risk->parameter);

        if (!risk->in_main || value == NULL || !does_harm(frontend, risk, value))
            continue;
        if (risk->when == WHEN_NO_MILTERS)
            diag_error(diag, file, where_parameter(dir, risk->parameter),
                       "%s = %s: peg-milter is never asked, and all mail goes by the default "
                       "priority; take no_milters out",
                       risk->parameter, value);
        else
            diag_warning(diag, file, where_parameter(dir, risk->parameter), "%s = %s %s",
                         risk->parameter, value, risk->what);
    }
    free(file);
}

static const struct risk *find_risk(const char *parameter)
{
    for (size_t i = 0; i < sizeof risks / sizeof risks[0]; i++)
        if (strcmp(risks[i].parameter, parameter) == 0)
            return &risks[i];
    return NULL;
}

/* Each claim has to live from one try of a message to the next, and a little longer. */
static void check_time(const struct work *work, const char *file, unsigned line,
                       const char *service, const char *parameter, const char *value,
                       struct diag *diag)
{
    static const char times[] = "queue_run_delay minimal_backoff_time maximal_backoff_time";
    long time_s;
    int wanted_s = work->settings->decision_lifetime_s;

    if (strcmp(service, "qmgr/unix") == 0 && difference_has_word(times, parameter, NULL) &&
        settings_value_time_s(value, 0, 1000000000, &time_s) && 2 * time_s + 60 > wanted_s)
        diag_warning(diag, file, line,
                     "%s -o %s=%s: DECISION_LIFETIME = %d s is too short for that: at least %ld s, "
                     "or take this option out",
                     service, parameter, value, wanted_s, 2 * time_s + 60);
}

static void check_options(const struct work *work, const struct work_folder *frontend,
                          struct diag *diag)
{
    const struct postconf *conf = &frontend->present.conf;
    const char *dir = check_dir(work, frontend);
    char *file = mem_printf("%s/master.cf", dir);

    for (size_t i = 0; i < conf->options.count; i++) {
        const struct pair *option = &conf->options.items[i];
        const char *parameter = strrchr(option->name, '/') + 1;
        char *service = mem_dup_len(option->name, (size_t)(parameter - option->name) - 1);
        const char *entry = difference_present_service(&frontend->difference, service);
        const struct risk *risk = find_risk(parameter);
        unsigned line = where_option(dir, service, parameter);

        if (entry != NULL && risk != NULL && postconf_runs(entry, risk->programs) &&
            does_harm(frontend, risk, option->value))
            diag_warning(diag, file, line, "%s -o %s=%s %s%s%s", service, parameter, option->value,
                         risk->what, risk->when == WHEN_NOT_MILTER ? "; add " : "",
                         risk->when == WHEN_NOT_MILTER ? plan_milter_word(frontend->plan) : "");
        check_time(work, file, line, service, parameter, option->value, diag);
        free(service);
    }
    free(file);
}

static void check_other_milters(const struct work *work, const struct work_folder *frontend,
                                struct diag *diag)
{
    const char *milters = pairs_get(&frontend->present.conf.main, "smtpd_milters");
    const char *dir = check_dir(work, frontend);
    char *file = mem_printf("%s/main.cf", dir);

    if (milters != NULL && milters[0] != '\0' &&
        strcmp(milters, plan_milter_word(frontend->plan)) != 0)
        diag_warning(
            diag, file, where_parameter(dir, "smtpd_milters"),
            "smtpd_milters = %s: recipients that another milter adds go to the default instance",
            milters);
    free(file);
}

void check_frontend(const struct work *work, const struct work_folder *frontend, struct diag *diag)
{
    check_main(work, frontend, diag);
    check_other_milters(work, frontend, diag);
    check_options(work, frontend, diag);
}
