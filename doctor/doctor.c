/* doctor - peg-gen doctor: is everything right with a gateway that runs? */
#include "doctor/doctor.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gen/check.h"
#include "doctor/doctor_steps.h"
#include "lib/options.h"

/* What peg-gen check looks at. */
static void check(struct doctor *doctor, struct work *work)
{
    struct diag diag = verdict_diag(&doctor->verdicts);

    check_system(doctor->settings, &diag);
    if (!work_prepare(work, doctor->settings, false)) {
        verdict_say(&doctor->verdicts, VERDICT_FAILED, "configuration",
                    "it cannot be read; see above");
        return;
    }
    check_work(work, true, false, &diag);
    if (diag.errors == 0 && diag.warnings == 0)
        verdict_say(&doctor->verdicts, VERDICT_OK, "configuration", "no problems found");
    doctor->work = work;
}

static int conclude(const struct verdicts *verdicts)
{
    unsigned failed = verdicts->counts[VERDICT_FAILED];
    unsigned warnings = verdicts->counts[VERDICT_WARNING];

    printf("%u FAILED, %u warning%s, %u ok\n", failed, warnings, warnings == 1 ? "" : "s",
           verdicts->counts[VERDICT_OK]);
    return failed == 0 ? EXIT_DONE : EXIT_FAILED;
}

int doctor_run(const char *root)
{
    struct doctor doctor = {.settings = NULL};
    struct diag diag = diag_to_stderr();
    struct settings *settings;
    struct work work;
    int status;

    unsetenv("MAIL_CONFIG"); /* which folder is meant is said with -c */
    if (geteuid() != 0) {
        fprintf(stderr, "peg-gen doctor has to be run by root\n");
        return EXIT_FAILED;
    }
    settings = settings_load(root, &diag);
    if (settings == NULL)
        return EXIT_FAILED;
    doctor.settings = settings;
    parts_init(&doctor.parts, settings);
    check(&doctor, &work);
    doctor_parts(&doctor);
    doctor_services(&doctor);
    doctor_room(&doctor);
    doctor_probes(&doctor);
    status = conclude(&doctor.verdicts);
    work_deinit(&work);
    parts_deinit(&doctor.parts);
    settings_free(&settings);
    return status;
}
