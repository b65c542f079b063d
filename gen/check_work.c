/* check_work - the checks that need to know what configuration folders and queues there are */
#include "gen/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen/files.h"
#include "gen/gone.h"
#include "gen/mem.h"
#include "gen/part.h"

static void PEG_PRINTF(3, 4) warn(unsigned *warnings, const char *file, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    fprintf(stderr, "%s: warning: ", file);
    vfprintf(stderr, fmt, args);
    fputc('\n', stderr);
    va_end(args);
    ++*warnings;
}

/* A folder in our way that is another instance's, or half of one. */
static void check_folder(const struct work_folder *folder, struct diag *diag)
{
    const char *dir = folder->plan->dir;
    const char *name = pairs_get(&folder->present.conf.main, "multi_instance_name");
    char *main = mem_printf("%s/main.cf", dir);
    char *master = mem_printf("%s/master.cf", dir);

    if (folder->present.exists && name != NULL && name[0] != '\0' &&
        strcmp(name, folder->plan->registered_name) != 0)
        diag_error(diag, main, 0, "belongs to another Postfix instance: multi_instance_name = %s",
                   name);
    else if (files_is_file(main) != files_is_file(master))
        diag_error(diag, dir, 0,
                   "has one of main.cf and master.cf only; restore the other, or remove "
                   "this folder to have it made anew");
    free(main);
    free(master);
}

/* Recipients that the milter never saw get the default route, whatever the message's priority. */
static unsigned check_recipient_adders(const struct work_folder *frontend)
{
    static const char *const adders[] = {"always_bcc", "sender_bcc_maps", "recipient_bcc_maps"};
    const struct pairs *main = &frontend->present.conf.main;
    char *file = mem_printf("%s/main.cf", frontend->plan->dir);
    const char *milters = pairs_get(main, "smtpd_milters");
    const char *filter = pairs_get(main, "content_filter");
    unsigned warnings = 0;

    for (size_t i = 0; i < sizeof adders / sizeof adders[0]; i++) {
        const char *value = pairs_get(main, adders[i]);

        if (value != NULL && value[0] != '\0')
            warn(&warnings, file,
                 "%s = %s adds recipients that peg-milter does not see: they go to the default "
                 "instance. Set it in the instances instead",
                 adders[i], value);
    }
    if (filter != NULL && filter[0] != '\0')
        warn(&warnings, file, "content_filter = %s takes all mail past the instances", filter);
    if (milters != NULL && milters[0] != '\0' && strcmp(milters, PLAN_MILTER) != 0)
        warn(&warnings, file,
             "smtpd_milters = %s: recipients that another milter adds go to the default instance",
             milters);
    free(file);
    return warnings;
}

/* The host's own Postfix and the frontend cannot both have a port. */
static unsigned check_template_listener(const struct work *work)
{
    const struct settings *settings = work->settings;
    struct postconf conf = {0};
    char *queue_dir = postconf_expanded(work->template_dir, "queue_directory");
    char *pid_file = mem_printf("%s/pid/master.pid", queue_dir != NULL ? queue_dir : "");
    unsigned warnings = 0;

    if (part_pid_file_held(pid_file, NULL) == 1 && postconf_read(work->template_dir, &conf)) {
        for (char **service = settings->frontend_listen; *service != NULL; service++) {
            char *name = mem_printf("%s/inet", strcmp(*service, "25") == 0 ? "smtp" : *service);

            if (pairs_get(&conf.services, name) != NULL)
                warn(&warnings, work->template_dir,
                     "this Postfix runs and listens on %s, where the frontend is to listen: take "
                     "that service out of its master.cf, or stop it",
                     name);
            free(name);
        }
        postconf_deinit(&conf);
    }
    free(pid_file);
    free(queue_dir);
    return warnings;
}

unsigned check_work(const struct work *work, struct diag *diag)
{
    unsigned warnings = 0;

    for (size_t i = 0; i < work->folder_count; i++)
        check_folder(&work->folders[i], diag);
    gone_check(work, diag);
    warnings += check_recipient_adders(work_frontend(work));
    if (!work->template_missing)
        warnings += check_template_listener(work);
    return warnings;
}
