/* doctor_probes - a message through every priority, from each frontend to its instance */
#include "doctor/doctor_steps.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "admin/mem.h"
#include "admin/process.h"
#include "ctl/ports.h"
#include "doctor/probe_message.h"
#include "doctor/probe_server.h"
#include "doctor/smtp.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/probe.h"
#include "survey/queues.h"

enum { SEND_MS = 10000, ARRIVE_MS = 10000 };

/* One run: through one frontend. */
struct run {
    struct doctor *doctor;
    int frontend;
    const char *called; /* in reports */
    struct probe_server *server;
    struct talk talk; /* with the frontend, while its fd is not -1 */
    bool silent;      /* it does not answer, and is not asked any more */
    char *config_dir; /* of the frontend, as queue_dir is */
    char *queue_dir;
    char id[PROBE_ID_SIZE];
    struct probe {
        char recipient[PROBE_ADDRESS_SIZE];
        char *content;
        char queue_id[SMTP_ID_SIZE]; /* in the frontend; "" where it is not known */
        char refused[TALK_WHY_SIZE]; /* what the frontend said by SMTP; "": it took the probe */
        int64_t sent_ms;
        bool sent;
    } probes[SETTINGS_PRIORITY_MAX];
};

static void PEG_PRINTF(4, 5)
    say(struct run *run, int priority, enum verdict verdict, const char *fmt, ...)
{
    const char *way = run->frontend == PEG_URGENT ? ", urgent" : "";
    char about[32], text[1024];
    va_list args;

    snprintf(about, sizeof about, "priority %d%s", priority, way);
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    verdict_say(&run->doctor->verdicts, verdict, about, "%s", text);
}

/* Connect to the first listener that speaks SMTP in the clear. */
static bool connect_frontend(struct run *run)
{
    const struct settings *settings = run->doctor->settings;

    for (char **service = settings_listen(settings, run->frontend); *service != NULL; service++) {
        char *host = ports_frontend_host(settings, run->frontend, *service);
        bool greeted =
            host != NULL && doctor_listener_prelude(run->doctor, run->frontend, *service) == NULL &&
            talk_inet(&run->talk, host, ports_number(*service), SEND_MS) && smtp_greet(&run->talk);

        free(host);
        if (greeted)
            return true;
        talk_close(&run->talk);
    }
    return false;
}

/* Whether it is a reply for which a probe was not taken (doctor/smtp.h), not the lack of one. */
static bool was_answered(const struct probe *probe)
{
    return strncmp(probe->refused, "it says", 7) == 0;
}

static bool send_by_smtp(struct run *run, struct probe *probe)
{
    if (run->talk.fd < 0 && (run->silent || !connect_frontend(run))) {
        run->silent = true;
        snprintf(probe->refused, sizeof probe->refused, "%s",
                 run->talk.why[0] != '\0' ? run->talk.why : "no listener without TLS or PROXY");
        return false;
    }
    run->talk.deadline_ms = clock_boot_ms() + SEND_MS;
    if (smtp_send(&run->talk, probe->recipient, probe->content, probe->queue_id))
        return true;
    snprintf(probe->refused, sizeof probe->refused, "%s", run->talk.why);
    run->silent = !was_answered(probe);
    smtp_quit(&run->talk);
    return false;
}

static bool send_by_sendmail(const struct run *run, const struct probe *probe)
{
    const char *const argv[] = {"sendmail", "-C", run->config_dir,  "-i",
                                "-f",       "",   probe->recipient, NULL};
    int fd = memfd_create("probe", MFD_CLOEXEC);
    struct process process;
    char *err = NULL;
    int status = -1;

    if (fd >= 0 && file_write(fd, probe->content, strlen(probe->content)) &&
        lseek(fd, 0, SEEK_SET) == 0 && process_start_from(&process, argv, NULL, fd)) {
        status = process_finish(&process, NULL, &err);
        if (status != 0)
            process_report(argv, status, "", err);
    }
    if (fd >= 0)
        close(fd);
    free(err);
    return status == 0;
}

static void send_probe(struct run *run, int priority)
{
    struct probe *probe = &run->probes[priority];

    probe_address(run->id, priority, probe->recipient);
    probe->content = probe_message_new(probe->recipient, priority, time(NULL));
    probe->sent = send_by_smtp(run, probe);
    probe->sent_ms = clock_boot_ms();
    if (!probe->sent && was_answered(probe)) {
        probe->sent_ms = clock_boot_ms();
        probe->sent = send_by_sendmail(run, probe);
    }
    if (probe->sent)
        probe_server_expect(run->server, priority);
}

/* Whether a queue file is of the probe, which is small. The queue ID alone does not tell: it is
 * what somebody said who need not have been the frontend, and the file is to be deleted. */
static bool is_of_probe(int dir_fd, const char *name, const struct probe *probe)
{
    char bytes[LMTP_MESSAGE_MAX];
    int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    ssize_t len = fd >= 0 ? read(fd, bytes, sizeof bytes) : -1;

    if (fd >= 0)
        close(fd);
    return len > 0 &&
           memmem(bytes, (size_t)len, probe->recipient, strlen(probe->recipient)) != NULL;
}

struct search {
    const struct probe *probe;
    bool found;
};

static bool search_visit(void *arg, int dir_fd, const char *name)
{
    struct search *search = arg;

    search->found =
        strcmp(name, search->probe->queue_id) == 0 && is_of_probe(dir_fd, name, search->probe);
    return !search->found;
}

/* The name of the frontend's queue that holds the probe, or NULL. */
static const char *queue_of(const struct run *run, const struct probe *probe)
{
    struct search search = {.probe = probe};
    const char *name = NULL;

    for (int queue = QUEUE_INCOMING; name == NULL && queue < QUEUE_COUNT; queue++) {
        char why[QUEUES_WHY_SIZE];

        if (!queues_walk(run->queue_dir, (enum queue)queue, search_visit, &search, why) &&
            search.found)
            name = queues_name((enum queue)queue);
    }
    return name;
}

/* What nobody waits for any more would pile up where this is run often. */
static void remove_probe(const struct run *run, const struct probe *probe)
{
    const char *const argv[] = {"postsuper", "-c", run->config_dir, "-d", probe->queue_id, NULL};
    struct process process;

    if (process_start(&process, argv, NULL))
        process_finish(&process, NULL, NULL); /* it may have gone on meanwhile */
}

static void explain_absence(struct run *run, int priority)
{
    const struct probe *probe = &run->probes[priority];
    const char *queue = probe->queue_id[0] != '\0' ? queue_of(run, probe) : NULL;

    if (queue != NULL) {
        say(run, priority, VERDICT_FAILED,
            "the probe has not arrived within %d s: it waits in %s's queue %s; the log says why, "
            "at %s",
            ARRIVE_MS / 1000, run->called, queue, probe->queue_id);
        remove_probe(run, probe);
    } else {
        say(run, priority, VERDICT_FAILED,
            "the probe has not arrived within %d s; the log says what became of %s",
            ARRIVE_MS / 1000, probe->queue_id[0] != '\0' ? probe->queue_id : probe->recipient);
    }
}

static void judge_arrival(struct run *run, int priority)
{
    const struct probe *probe = &run->probes[priority];
    const struct probe_arrival *arrival = probe_server_arrival(run->server, priority);
    char instance[SETTINGS_NAME_SIZE], why[PROBE_MESSAGE_WHY_SIZE];

    settings_instance_name(priority, instance);
    if (strcmp(arrival->client, instance) != 0)
        say(run, priority, VERDICT_FAILED,
            "the probe came by %s instead of %s; look for %s in the log", arrival->client, instance,
            probe->recipient);
    else if (arrival->count > 1)
        say(run, priority, VERDICT_FAILED, "the probe came %u times", arrival->count);
    else if (!probe_message_is_whole(probe->content, arrival->message, arrival->len, why))
        say(run, priority, VERDICT_FAILED, "the probe came by %s, but %s", instance, why);
    else if (probe->refused[0] != '\0')
        say(run, priority, VERDICT_WARNING,
            "the probe came by %s in %" PRId64 " ms, but by sendmail: %s does not take it from "
            "this host by SMTP, %s",
            instance, arrival->at_ms - probe->sent_ms, run->called, probe->refused);
    else
        say(run, priority, VERDICT_OK, "the probe came by %s in %" PRId64 " ms", instance,
            arrival->at_ms - probe->sent_ms);
}

static void judge(struct run *run, int priority)
{
    const struct probe *probe = &run->probes[priority];

    if (!settings_is_local(run->doctor->settings, priority))
        say(run, priority, VERDICT_OK, "not probed: its instance is on another host");
    else if (!probe->sent)
        say(run, priority, VERDICT_FAILED, "%s does not take the probe: %s", run->called,
            probe->refused);
    else if (probe_server_arrival(run->server, priority)->count > 0)
        judge_arrival(run, priority);
    else
        explain_absence(run, priority);
}

static void make_id(char id_r[PROBE_ID_SIZE])
{
    unsigned char random[(PROBE_ID_SIZE - 1) / 2];

    if (sodium_init() < 0)
        log_fatal("libsodium cannot be used");
    randombytes_buf(random, sizeof random);
    sodium_bin2hex(id_r, PROBE_ID_SIZE, random, sizeof random);
}

static void init(struct run *run, struct doctor *doctor, int frontend)
{
    const char *root = doctor->settings->root;
    char name[SETTINGS_NAME_SIZE];

    settings_instance_name(frontend, name);
    memset(run, 0, sizeof *run);
    run->doctor = doctor;
    run->frontend = frontend;
    run->called = frontend == PEG_URGENT ? "the urgent frontend" : "the frontend";
    run->talk.fd = -1;
    run->config_dir = mem_printf("%s/etc/%s", root, name);
    run->queue_dir = mem_printf("%s/var/spool/%s", root, name);
    make_id(run->id);
}

static void deinit(struct run *run)
{
    for (int n = 0; n < run->doctor->settings->priority_count; n++)
        free(run->probes[n].content);
    free(run->config_dir);
    free(run->queue_dir);
}

static void probe_all(struct doctor *doctor, int frontend)
{
    const struct settings *settings = doctor->settings;
    struct run *run = mem_resize(NULL, 1, sizeof *run);

    init(run, doctor, frontend);
    run->server = probe_server_open(settings, run->id);
    if (run->server == NULL) {
        verdict_say(&doctor->verdicts, VERDICT_FAILED, "probes", "none was sent; see above");
    } else {
        for (int n = 0; n < settings->priority_count; n++)
            if (settings_is_local(settings, n))
                send_probe(run, n);
        smtp_quit(&run->talk);
        probe_server_finish(run->server, ARRIVE_MS);
        for (int n = 0; n < settings->priority_count; n++)
            judge(run, n);
    }
    probe_server_close(&run->server);
    deinit(run);
    free(run);
}

void doctor_probes(struct doctor *doctor)
{
    for (int n = PEG_FIRST; settings_is_frontend(n); n++)
        if (settings_has(doctor->settings, n))
            probe_all(doctor, n);
}
