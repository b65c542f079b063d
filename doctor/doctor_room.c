/* doctor_room - the decision table, room on disk, and the clock */
#include "doctor/doctor_steps.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "admin/as_user.h"
#include "admin/mem.h"
#include "admin/postconf.h"
#include "lib/clock.h"
#include "table/table.h"

enum { TABLE_MS = 5000, FREE_PERCENT = 5, FULL_PERCENT = 90, FUTURE_MS = 60000 };

/* As its owner, DAEMON_USER. "UNSURE CLAIMS CAPACITY" */
static bool look_at_table(void *arg, char text_r[AS_USER_TEXT_SIZE])
{
    const struct table_config config = {.path = arg};
    char why[TABLE_WHY_SIZE];
    struct table *table = table_open(&config, TABLE_GUEST, clock_boot_ms(), why);
    struct table_stats stats;

    if (table == NULL) {
        snprintf(text_r, AS_USER_TEXT_SIZE, "%s", why);
        return false;
    }
    stats = table_stats(table);
    snprintf(text_r, AS_USER_TEXT_SIZE, "%d %zu %zu", table_is_unsure(table), stats.claims,
             stats.capacity);
    table_close(&table);
    return true;
}

static void examine_table(struct doctor *doctor)
{
    static const char about[] = "decision table";
    char *path = mem_printf("%s" SETTINGS_TABLE_FILE, doctor->settings->root);
    char text[AS_USER_TEXT_SIZE];
    size_t claims, capacity;
    int unsure;

    if (!as_user(doctor->settings->daemon_user, NULL, look_at_table, path, TABLE_MS, text) ||
        sscanf(text, "%d %zu %zu", &unsure, &claims, &capacity) != 3)
        verdict_say(&doctor->verdicts, VERDICT_FAILED, about,
                    "%s; without it all mail takes the filter way: peg-ctl restart milter tcpmap",
                    text);
    else if (unsure != 0)
        verdict_say(
            &doctor->verdicts, VERDICT_WARNING, about,
            "decisions were lost, and until the frontends' queues are known to hold no "
            "mail of theirs some goes by the highest priority; it ends by itself, or see the "
            "log of peg-decisions");
    else if (claims >= capacity)
        verdict_say(&doctor->verdicts, VERDICT_FAILED, about,
                    "full, %zu claims: mail goes whole, by its highest priority; set "
                    "TABLE_CAPACITY higher",
                    claims);
    else if (claims >= capacity / 100 * FULL_PERCENT)
        verdict_say(&doctor->verdicts, VERDICT_WARNING, about,
                    "nearly full, %zu claims of %zu; set TABLE_CAPACITY higher", claims, capacity);
    else
        verdict_say(&doctor->verdicts, VERDICT_OK, about, "%zu claims of %zu", claims, capacity);
    free(path);
}

/* What a frontend wants free before it takes mail (src/smtpd/smtpd_check.c), in bytes. */
static uint64_t room_of(const char *dir)
{
    char *size = postconf_expanded(dir, "message_size_limit");
    char *minimum = postconf_expanded(dir, "queue_minfree");
    uint64_t by_size = size != NULL ? strtoull(size, NULL, 10) / 2 * 3 : 0;
    uint64_t by_minimum = minimum != NULL ? strtoull(minimum, NULL, 10) : 0;

    free(size);
    free(minimum);
    return by_size > by_minimum ? by_size : by_minimum;
}

static uint64_t room_wanted(const struct doctor *doctor)
{
    uint64_t most = 0;

    for (size_t i = 0; i < doctor->parts.count; i++) {
        const struct part *part = &doctor->parts.items[i];
        uint64_t wanted = part->kind == PART_FRONTEND ? room_of(part->dir) : 0;

        most = wanted > most ? wanted : most;
    }
    return most;
}

/* One file system, once: those that were looked at stand in devices. */
static void examine_disk(struct doctor *doctor, const char *path, uint64_t wanted, dev_t devices[],
                         size_t *count)
{
    struct statvfs disk;
    struct stat status;
    uint64_t free_bytes, percent;

    if (stat(path, &status) != 0 || statvfs(path, &disk) != 0) {
        if (errno != ENOENT) /* that was said before */
            verdict_say(&doctor->verdicts, VERDICT_FAILED, path, "cannot be looked at: %m");
        return;
    }
    for (size_t i = 0; i < *count; i++)
        if (devices[i] == status.st_dev)
            return;
    devices[(*count)++] = status.st_dev;
    free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
    percent = disk.f_blocks > 0 ? (uint64_t)disk.f_bavail * 100 / disk.f_blocks : 100;
    if (disk.f_files > 0 && (uint64_t)disk.f_favail * 100 / disk.f_files < percent)
        percent = (uint64_t)disk.f_favail * 100 / disk.f_files;
    if (free_bytes < wanted)
        verdict_say(&doctor->verdicts, VERDICT_FAILED, path,
                    "%" PRIu64 " MB free: Postfix wants %" PRIu64
                    " MB (message_size_limit, queue_minfree) and refuses mail; make room",
                    free_bytes >> 20, wanted >> 20);
    else
        verdict_say(&doctor->verdicts, percent < FREE_PERCENT ? VERDICT_WARNING : VERDICT_OK, path,
                    "%" PRIu64 " MB and %" PRIu64 " %% free%s", free_bytes >> 20, percent,
                    percent < FREE_PERCENT ? "; make room, for files as for bytes" : "");
}

static void examine_disks(struct doctor *doctor)
{
    static const char *const folders[] = {SETTINGS_STORE_DIR, SETTINGS_RUN_DIR};
    const char *root = doctor->settings->root;
    uint64_t wanted = room_wanted(doctor);
    dev_t devices[SETTINGS_POSTFIX_MAX + 2];
    size_t count = 0;

    for (size_t i = doctor->parts.count; i-- > 0;) {
        const struct part *part = &doctor->parts.items[i];
        char *path = mem_printf("%s/var/spool/%s", root, part->name);

        if (part->dir != NULL)
            examine_disk(doctor, path, wanted, devices, &count);
        free(path);
    }
    for (size_t i = 0; i < 2; i++) {
        char *path = mem_printf("%s%s", root, folders[i]);

        examine_disk(doctor, path, 0, devices, &count);
        free(path);
    }
}

/* Postfix dates and ages mail by the clock on the wall: files from the future tell that it was set
 * back, or is to be set. */
static void examine_clock(struct doctor *doctor)
{
    int64_t now_ms = clock_wall_ms();
    const char *ahead = NULL;

    for (size_t i = 0; i < doctor->parts.count; i++) {
        struct stat status;

        if (stat(doctor->parts.items[i].pid_file, &status) == 0 &&
            (int64_t)status.st_mtim.tv_sec * 1000 > now_ms + FUTURE_MS)
            ahead = doctor->parts.items[i].pid_file;
    }
    if (ahead != NULL)
        verdict_say(&doctor->verdicts, VERDICT_WARNING, "clock",
                    "it was set back: %s is from the future; Postfix retries by that clock: set "
                    "it right, or peg-ctl restart",
                    ahead);
    else
        verdict_say(&doctor->verdicts, VERDICT_OK, "clock", "not behind the files of what runs");
}

void doctor_room(struct doctor *doctor)
{
    examine_table(doctor);
    examine_disks(doctor);
    examine_clock(doctor);
}
