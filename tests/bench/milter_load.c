/*
 * milter_load - a Postfix that hands a milter one message after another, in many sessions at once
 *
 * Speaks as much of the milter protocol (libmilter/mfdef.h) as peg-milter asks Postfix for: nothing
 * is answered before the end of a message, so a message goes out whole, and the next one of its
 * session when the answer is there. Each recipient always has the same priority, by X-Priority, so
 * there are no conflicts.
 *
 * usage: milter_load SOCKET SESSIONS SECONDS
 */
#include <arpa/inet.h>
#include <libmilter/mfapi.h>
#include <libmilter/mfdef.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/bench/bench.h"

enum {
    RECIPIENTS = 100000, /* that get mail again and again */
    OUT_SIZE = 4096,
    IN_SIZE = 1024,
    PATIENCE_MS = 30000,
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
    char in[IN_SIZE]; /* what has come of the next packets */
    size_t in_len;
};

struct load {
    struct session *sessions;
    struct pollfd *polls;
    unsigned count;
    unsigned open;
    unsigned next; /* number of the next message */
    uint64_t messages;
    bool is_over;
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

static void send_end(int fd, bool is_last)
{
    struct out out = {.len = 0};

    put_packet(&out, SMFIC_ABORT, (const char *const[]){NULL}); /* Postfix says so each time */
    if (is_last)
        put_packet(&out, SMFIC_QUIT, (const char *const[]){NULL});
    send_out(fd, &out);
}

/* Sessions */

static void next_message(struct load *load, unsigned n)
{
    int fd = load->polls[n].fd;

    if (!load->is_over) {
        send_message(fd, load->next++);
        return;
    }
    send_end(fd, true);
    close(fd);
    load->polls[n].fd = -1;
    load->open--;
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
    } else if (*packet == SMFIR_CONTINUE || *packet == SMFIR_ACCEPT) {
        load->messages++;
        if (!load->is_over)
            send_end(load->polls[n].fd, false);
    } else {
        give_up("the milter answers '%c' to an ordinary message", *packet);
    }
    next_message(load, n);
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
    while (session->in_len >= sizeof len && load->polls[n].fd >= 0) {
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
        send_negotiation(fd);
        load->open++;
    }
}

int main(int argc, char **argv)
{
    struct load load = {0};
    double began, seconds;

    if (argc != 4)
        give_up("usage: milter_load SOCKET SESSIONS SECONDS");
    load.count = number_of(argv[2]);
    seconds = number_of(argv[3]);
    began = seconds_now();
    open_sessions(&load, argv[1]);
    while (load.open > 0) {
        if (poll(load.polls, load.count, PATIENCE_MS) <= 0)
            give_up("the milter does not answer");
        load.is_over = seconds_now() - began >= seconds;
        for (unsigned n = 0; n < load.count; n++)
            if (load.polls[n].fd >= 0 && load.polls[n].revents != 0)
                take_input(&load, n);
    }
    print_seconds("seconds", seconds_now() - began);
    print_count("messages", load.messages);
    free(load.sessions);
    free(load.polls);
    return 0;
}
