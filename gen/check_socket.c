/* check_socket - whether the urgent frontend reaches the socket of peg-milter in the other's queue
 */
#include "gen/check_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/mem.h"
#include "admin/postconf.h"
#include "gen/users.h"
#include "gen/where.h"

/* A chrooted process sees nothing beyond its own queue directory. */
static void check_chroot(const struct work_folder *folder, struct diag *diag)
{
    const struct pairs *services = &folder->present.conf.services;
    const char *dir = folder->plan->dir;
    char *file = mem_printf("%s/master.cf", dir);

    for (size_t i = 0; i < services->count; i++) {
        const char *name = services->items[i].name;
        char chroot, program[16];

        /* As in "cleanup unix n - y - 0 cleanup": the fifth field, and the eighth. */
        if (sscanf(services->items[i].value, "%*s %*s %*s %*s %c %*s %*s %15s", &chroot, program) ==
                2 &&
            chroot == 'y' && (strcmp(program, "smtpd") == 0 || strcmp(program, "cleanup") == 0))
            diag_error(diag, file, where_option(dir, name, "chroot"),
                       "%s is chrooted, and does not reach peg-milter: its mail would go by the "
                       "default priority; take that out (postconf -c %s -Fe %s/chroot=n)",
                       name, dir, name);
    }
    free(file);
}

/* With INSTANCE_USERS peg-gen sees to it. */
static void check_owner(const struct work *work, const struct work_folder *frontend,
                        const struct work_folder *folder, struct diag *diag)
{
    const char *dir = check_dir(work, folder);
    char *file = mem_printf("%s/main.cf", dir);
    char *host = postconf_expanded(frontend->plan->dir, "mail_owner");
    char *guest = postconf_expanded(dir, "mail_owner");

    if (host != NULL && guest != NULL && !users_share_group(guest, host))
        diag_error(diag, file, where_parameter(dir, "mail_owner"),
                   "mail_owner = %s: this user does not reach peg-milter, whose socket is open to "
                   "the group of %s; put it there (usermod --append --groups)%s",
                   guest, host, folder->present.exists ? ", or name that user" : "");
    free(file);
    free(host);
    free(guest);
}

void check_socket(const struct work *work, const struct work_folder *folder, struct diag *diag)
{
    const struct work_folder *frontend = work_frontend(work);

    if (folder == frontend)
        return;
    if (folder->present.exists) /* a new one has no chroot (gen/template.c) */
        check_chroot(folder, diag);
    if (!work->settings->instance_users && frontend->present.exists)
        check_owner(work, frontend, folder, diag);
}
