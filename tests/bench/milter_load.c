/*
 * milter_load - a Postfix that hands a milter one message after another, in many sessions at once
 *
 * Speaks as much of the milter protocol (libmilter/mfdef.h) as peg-milter asks Postfix for: nothing
 * is answered before the end of a message, so a message goes out whole. The next one of its session
 * follows PAUSE_US after the answer; with `together`, when that has passed for all sessions, so
 * that their messages come at one moment. Each recipient always has the same priority, by
 * X-Priority, so there are no conflicts.
 *
 * usage: milter_load SOCKET SESSIONS SECONDS PAUSE_US apart|together
 */
#include <arpa/inet.h>
#include <libmilter/mfapi.h>
#include <libmilter/mfdef.h>
#include <math.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/bench/bench.h"

enum {
    RECIPIENTS = 10000, /* that get mail again and again */
    OUT_SIZE = 4096,
    IN_SIZE = 1024,
    PATIENCE_S = 30,
    ACTIONS = SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_ADDRCPT_PAR | SMFIF_DELRCPT | SMFIF_SETSYMLIST,
    /* What the messages here rely on; more is offered, as Postfix does. */
    NOT_SENT = SMFIP_NOCONNECT | SMFIP_NOHELO | SMFIP_NODATA | SMFIP_NOEOH | SMFIP_NOBODY,
    NOT_ANSWERED = SMFIP_NR_MAIL | SMFIP_NR_RCPT | SMFIP_NR_HDR,
    STEPS = NOT_SENT | NOT_ANSWERED | SMFIP_NOUNKNOWN | SMFIP_SKIP
};

/* Packets to be sent in one write. */
struct out {
    char bytes[OUT_SIZE];
    size_t len;
};

struct session {
    bool is_negotiated;
    double
        next_at; /* when it sends a message; INFINITY: it waits for an answer, or for the others */
    double sent_at;
    char in[IN_SIZE]; /* what has come of the next packets */
    size_t in_len;
};

struct load {
    struct session *sessions;
    struct pollfd *polls;
    unsigned count;
    unsigned open;
    unsigned next; /* number of the next message */
    double pause;
    bool is_together;
    unsigned under_way; /* sessions that wait for an answer */
    uint64_t messages;
    double answers; /* the time that all of them took */
    double ends_at;
};

/* Packets */

static void put(struct out *out, const void *bytes, size_t len)
{
    if (len > sizeof out->bytes - out->len)
        give_up("a message is too long");
    memcpy(out->bytes + out->len, bytes, len);
    out->len += len;
}

static void put_number(struct out *out, uint32_t number)
{
    number = htonl(number);
    put(out, &number, sizeof number);
}

/* A command with strings, of which NULL is the last; macros have the command's letter first. */
static void put_packet(struct out *out, char command, const char *const *strings)
{
    size_t start = out->len, at;
    uint32_t len;

    put_number(out, 0);
    put(out, &command, 1);
    for (; *strings != NULL; strings++)
        put(out, *strings, strlen(*strings) + 1);
    at = out->len;
    len = htonl((uint32_t)(at - start - sizeof len));
    memcpy(out->bytes + start, &len, sizeof len);
}

#define PUT(out, command, ...) put_packet(out, command, (const char *const[]){__VA_ARGS__, NULL})

static void put_macro(struct out *out, char command, const char *name, const char *value)
{
    char first[32];

    snprintf(first, sizeof first, "%c%s", command, name); /* the letter, and the first string */
    PUT(out, SMFIC_MACRO, first, value);
}

static void send_out(int fd, const struct out *out)
{
    if (send(fd, out->bytes, out->len, MSG_NOSIGNAL) != (ssize_t)out->len)
        give_up("the milter takes no more: %s", strerror(errno));
}

static void send_negotiation(int fd)
{
    struct out out = {.len = 0};

    put_number(&out, 13);
    put(&out, "O", 1);
    put_number(&out, 6);
    put_number(&out, ACTIONS);
    put_number(&out, STEPS);
    send_out(fd, &out);
}

static void put_headers(struct out *out, const char *queue_id, const char *to, int priority)
{
    static const char *const x_priority[] = {"5", "4", "3", "2", "1"};
    char text[128];

    snprintf(text, sizeof text,
             "from client.example (client.example [192.0.2.1])\n"
             "\tby mail.gateway.example (Postfix) with ESMTP id %s",
             queue_id);
    PUT(out, SMFIC_HEADER, "Received", text);
    PUT(out, SMFIC_HEADER, "From", "Alice <alice@source.example>");
    PUT(out, SMFIC_HEADER, "To", to);
    PUT(out, SMFIC_HEADER, "Subject", "Results of today");
    PUT(out, SMFIC_HEADER, "Date", "Sun, 22 Nov 2026 19:04:43 +0000");
    snprintf(text, sizeof text, "<%s@source.example>", queue_id);
    PUT(out, SMFIC_HEADER, "Message-ID", text);
    PUT(out, SMFIC_HEADER, "X-Priority", x_priority[priority]);
    PUT(out, SMFIC_HEADER, "MIME-Version", "1.0");
    PUT(out, SMFIC_HEADER, "Content-Type", "text/plain; charset=utf-8");
}

static void send_message(int fd, unsigned number)
{
    unsigned recipient = number % RECIPIENTS;
    struct out out = {.len = 0};
    char key[KEY_SIZE], path[KEY_SIZE + 2], queue_id[16];

    make_key(key, recipient);
    snprintf(path, sizeof path, "<%s>", key);
    snprintf(queue_id, sizeof queue_id, "%010X", number);
    put_macro(&out, SMFIC_MAIL, "{mail_addr}", "alice@source.example");
    PUT(&out, SMFIC_MAIL, "<alice@source.example>", "SIZE=4096");
    put_macro(&out, SMFIC_RCPT, "{rcpt_addr}", key);
    PUT(&out, SMFIC_RCPT, path);
    put_headers(&out, queue_id, path, priority_of_key(recipient));
    put_macro(&out, SMFIC_BODYEOB, "i", queue_id);
    put_packet(&out, SMFIC_BODYEOB, (const char *const[]){NULL});
    send_out(fd, &out);
}

/* A command without arguments. */
static void send_command(int fd, char command)
{
    struct out out = {.len = 0};

    put_packet(&out, command, (const char *const[]){NULL});
    send_out(fd, &out);
}

/* Sessions */

static void begin_message(struct load *load, unsigned n)
{
    struct session *session = &load->sessions[n];

    session->next_at = INFINITY;
    session->sent_at = seconds_now();
    load->under_way++;
    send_message(load->polls[n].fd, load->next++);
}

/* The session was answered: when it sends its next message. */
static void plan_next(struct load *load, unsigned n)
{
    double next_at = seconds_now() + load->pause;

    load->under_way--;
    if (!load->is_together)
        load->sessions[n].next_at = next_at;
    else if (load->under_way == 0)
        for (unsigned m = 0; m < load->count; m++)
            load->sessions[m].next_at = next_at;
}

static void end_message(struct load *load, unsigned n)
{
    load->messages++;
    load->answers += seconds_now() - load->sessions[n].sent_at;
    send_command(load->polls[n].fd, SMFIC_ABORT); /* Postfix says so each time */
    plan_next(load, n);
}

static void take_packet(struct load *load, unsigned n, const char *packet, size_t len)
{
    struct session *session = &load->sessions[n];
    uint32_t steps;

    if (!session->is_negotiated) {
        if (*packet != SMFIC_OPTNEG || len < 13)
            give_up("the milter does not negotiate");
        memcpy(&steps, packet + 9, sizeof steps);
        steps = ntohl(steps);
        if ((steps & (NOT_SENT | NOT_ANSWERED)) != (NOT_SENT | NOT_ANSWERED))
            give_up("the milter wants other steps: 0x%x", (unsigned)steps);
        session->is_negotiated = true;
        plan_next(load, n);
    } else if (*packet == SMFIR_CONTINUE || *packet == SMFIR_ACCEPT) {
        end_message(load, n);
    } else {
        give_up("the milter answers '%c' to an ordinary message", *packet);
    }
}

static void take_input(struct load *load, unsigned n)
{
    struct session *session = &load->sessions[n];
    int fd = load->polls[n].fd;
    ssize_t got = recv(fd, session->in + session->in_len, IN_SIZE - session->in_len, 0);
    uint32_t len;

    if (got <= 0)
        give_up("the milter hung up: %s", got < 0 ? strerror(errno) : "end of file");
    session->in_len += (size_t)got;
    while (session->in_len >= sizeof len) {
        memcpy(&len, session->in, sizeof len);
        len = ntohl(len);
        if (len == 0 || len > IN_SIZE - sizeof len)
            give_up("a packet of %u bytes", (unsigned)len);
        if (session->in_len < sizeof len + len)
            break;
        take_packet(load, n, session->in + sizeof len, len);
        session->in_len -= sizeof len + len;
        memmove(session->in, session->in + sizeof len + len, session->in_len);
    }
}

static void open_sessions(struct load *load, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (strlen(path) >= sizeof address.sun_path)
        give_up("%s: too long for a socket", path);
    strcpy(address.sun_path, path);
    load->sessions = calloc(load->count, sizeof *load->sessions);
    load->polls = calloc(load->count, sizeof *load->polls);
    if (load->sessions == NULL || load->polls == NULL)
        give_up("out of memory");
    for (unsigned n = 0; n < load->count; n++) {
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address) != 0)
            give_up("%s: %s", path, strerror(errno));
        load->polls[n] = (struct pollfd){.fd = fd, .events = POLLIN};
        load->sessions[n].next_at = INFINITY;
        send_negotiation(fd);
        load->under_way++;
    }
}

static void close_sessions(struct load *load)
{
    for (unsigned n = 0; n < load->count; n++) {
        send_command(load->polls[n].fd, SMFIC_QUIT);
        close(load->polls[n].fd);
    }
    free(load->sessions);
    free(load->polls);
}

/* Send what is due, until the end. Returns for how long there is nothing but answers to wait for.
 */
static double send_due(struct load *load)
{
    double now = seconds_now(), next_at = now + PATIENCE_S;

    if (now >= load->ends_at)
        return load->under_way > 0 ? PATIENCE_S : 0;
    for (unsigned n = 0; n < load->count; n++) {
        struct session *session = &load->sessions[n];

        if (session->next_at <= now)
            begin_message(load, n);
        else if (session->next_at < next_at)
            next_at = session->next_at;
    }
    now = seconds_now();
    return next_at > now ? next_at - now : 0;
}

/* Take what has come until then. */
static void receive(struct load *load, double seconds)
{
    struct timespec timeout = {.tv_sec = (time_t)seconds};
    int ready;

    timeout.tv_nsec = (long)((seconds - (double)timeout.tv_sec) * 1e9);
    ready = ppoll(load->polls, load->count, &timeout, NULL);
    if (ready < 0 || (ready == 0 && seconds > PATIENCE_S / 2.0))
        give_up("the milter does not answer");
    for (unsigned n = 0; n < load->count; n++)
        if (load->polls[n].revents != 0)
            take_input(load, n);
}

int main(int argc, char **argv)
{
    struct load load = {0};
    double began = seconds_now();

    if (argc != 6)
        give_up("usage: milter_load SOCKET SESSIONS SECONDS PAUSE_US apart|together");
    load.count = number_of(argv[2]);
    load.ends_at = began + number_of(argv[3]);
    load.pause = number_of(argv[4]) / 1e6;
    load.is_together = strcmp(argv[5], "together") == 0;
    open_sessions(&load, argv[1]);
    while (load.under_way > 0 || seconds_now() < load.ends_at)
        receive(&load, send_due(&load));
    print_seconds("seconds", seconds_now() - began);
    print_count("messages", load.messages);
    print_seconds("answers_seconds", load.answers);
    close_sessions(&load);
    return 0;
}
