/*
 * milter_load - a Postfix that hands a milter one message after another, in many sessions at once
 *
 * Speaks as much of the milter protocol as the milter asks for: a step that is not wanted is left
 * out, one that is not answered is not waited for. As from Postfix (milter/milter8.c), macros go
 * before each step; and what is not waited for stays in a buffer until something is, or until smtpd
 * hands the milter over to cleanup. How the messages follow each other:
 *
 * apart      each goes out as a whole, as far as the milter does not want to answer before; the
 *            next one of its session PAUSE_US after the answer
 * together   the next one when that has passed for all sessions, so that they come at one moment
 * smtp       sender, recipient, DATA and content PAUSE_US one after the other, as they come in SMTP
 *
 * A session ends after MESSAGES messages, and another takes its place; with 0 it lasts.
 *
 * usage: milter_load SOCKET SESSIONS SECONDS PAUSE_US apart|together|smtp MESSAGES
 */
#include <math.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/bench/milter_packets.h"

enum { IN_SIZE = 1024, PATIENCE_S = 30 };

struct session {
    bool is_negotiated;
    bool in_message;
    bool has_paused;  /* before this step */
    uint32_t agreed;  /* SMFIP_* */
    bool has_lists;   /* of macros */
    unsigned number;  /* of the message */
    unsigned step;    /* the next one of it; PACKETS_COUNT: all have been sent */
    unsigned left;    /* messages; 0: no end */
    double next_at;   /* when it goes on; INFINITY: it waits for an answer, or for the others */
    double sent_at;   /* the end of the message */
    char in[IN_SIZE]; /* what has come of the next packets */
    size_t in_len;
    struct packets out; /* what is not yet sent */
};

enum pace { APART, TOGETHER, SMTP };

struct load {
    const char *path;
    struct session *sessions;
    struct pollfd *polls;
    unsigned count;
    unsigned next; /* number of the next message */
    double pause;
    enum pace pace;
    unsigned messages_each;
    unsigned under_way; /* sessions in a message, or that negotiate */
    uint64_t messages;
    uint64_t ended; /* sessions */
    double answers; /* the time that the answers to all ends of messages took */
    double ends_at;
};

static void send_out(int fd, const struct packets *out)
{
    if (send(fd, out->bytes, out->len, MSG_NOSIGNAL) != (ssize_t)out->len)
        give_up("the milter takes no more: %s", strerror(errno));
}

/* Sessions */

static void open_session(struct load *load, unsigned n)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct packets out = {.len = 0};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (strlen(load->path) >= sizeof address.sun_path)
        give_up("%s: too long for a socket", load->path);
    strcpy(address.sun_path, load->path);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address) != 0)
        give_up("%s: %s", load->path, strerror(errno));
    load->polls[n] = (struct pollfd){.fd = fd, .events = POLLIN};
    load->sessions[n] =
        (struct session){.next_at = INFINITY, .step = PACKETS_COUNT, .left = load->messages_each};
    load->under_way++;
    packets_put_negotiation(&out);
    send_out(fd, &out);
}

static void close_session(struct load *load, unsigned n)
{
    struct packets out = {.len = 0};

    packets_put_bare(&out, SMFIC_QUIT);
    send_out(load->polls[n].fd, &out);
    close(load->polls[n].fd);
    load->ended++;
}

/* A step that Postfix makes when the client has sent something. */
static bool is_of_client(const struct packets_step *step)
{
    return step->command == SMFIC_RCPT || step->command == SMFIC_DATA ||
           (step->command == SMFIC_HEADER && step[-1].command == SMFIC_DATA);
}

/* Send what comes next of the message, up to what is answered. */
static void go_on(struct load *load, unsigned n)
{
    struct session *session = &load->sessions[n];
    struct packets *out = &session->out;
    bool waits = false;

    session->next_at = INFINITY;
    while (!waits && session->step < PACKETS_COUNT) {
        const struct packets_step *step = &packets_steps[session->step];

        if (load->pace == SMTP && is_of_client(step) && !session->has_paused) {
            session->next_at = seconds_now() + load->pause;
            session->has_paused = true;
            break;
        }
        session->has_paused = false;
        session->step++;
        packets_put_step(out, step, session->number, session->agreed, session->has_lists);
        waits = (session->agreed & (step->not_sent | step->not_answered)) == 0;
        if (waits || step->command == SMFIC_DATA) {
            session->sent_at = seconds_now();
            send_out(load->polls[n].fd, out);
            out->len = 0;
        }
    }
}

static void begin_message(struct load *load, unsigned n)
{
    load->under_way++;
    load->sessions[n].in_message = true;
    load->sessions[n].number = load->next++;
    go_on(load, n);
}

/* The session has nothing under way: when it sends its next message. */
static void plan_next(struct load *load, unsigned n)
{
    double next_at = seconds_now() + load->pause;

    load->under_way--;
    if (load->pace != TOGETHER)
        load->sessions[n].next_at = next_at;
    else if (load->under_way == 0)
        for (unsigned m = 0; m < load->count; m++)
            load->sessions[m].next_at = next_at;
}

static void end_message(struct load *load, unsigned n)
{
    struct session *session = &load->sessions[n];
    struct packets out = {.len = 0};

    load->messages++;
    load->answers += seconds_now() - session->sent_at;
    packets_put_bare(&out, SMFIC_ABORT); /* Postfix says so each time */
    send_out(load->polls[n].fd, &out);
    session->in_message = false;
    session->step = PACKETS_FIRST;
    plan_next(load, n);
    if (session->left > 0 && --session->left == 0) {
        close_session(load, n);
        open_session(load, n);
    }
}

static void take_packet(struct load *load, unsigned n, const char *packet, size_t len)
{
    struct session *session = &load->sessions[n];

    if (!session->is_negotiated) {
        if (*packet != SMFIC_OPTNEG || len < 13)
            give_up("the milter does not negotiate");
        memcpy(&session->agreed, packet + 9, sizeof session->agreed);
        session->agreed = ntohl(session->agreed);
        session->has_lists = len > 13;
        session->is_negotiated = true;
        session->step = 0;
        plan_next(load, n);
    } else if (*packet != SMFIR_CONTINUE && *packet != SMFIR_ACCEPT) {
        give_up("the milter answers '%c' to an ordinary message", *packet);
    } else if (session->step < PACKETS_COUNT) {
        if (*packet == SMFIR_ACCEPT)
            give_up("the milter wants to hear no more of a session: has it too many?");
        go_on(load, n);
    } else {
        end_message(load, n);
    }
}
static void take_input(struct load *load, unsigned n)
{
    struct session *session = &load->sessions[n];
    int fd = load->polls[n].fd;
    ssize_t got = recv(fd, session->in + session->in_len, IN_SIZE - session->in_len, 0);
    char packet[IN_SIZE];
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
        memcpy(packet, session->in + sizeof len, len);
        session->in_len -= sizeof len + len;
        memmove(session->in, session->in + sizeof len + len, session->in_len);
        take_packet(load, n, packet, len); /* may begin another session here */
    }
}

static void open_sessions(struct load *load)
{
    load->sessions = calloc(load->count, sizeof *load->sessions);
    load->polls = calloc(load->count, sizeof *load->polls);
    if (load->sessions == NULL || load->polls == NULL)
        give_up("out of memory");
    for (unsigned n = 0; n < load->count; n++)
        open_session(load, n);
}

static void close_sessions(struct load *load)
{
    for (unsigned n = 0; n < load->count; n++)
        close_session(load, n);
    free(load->sessions);
    free(load->polls);
}

/* Send what is due, until the end. Returns for how long there is nothing but answers to wait for.
 */
static double send_due(struct load *load)
{
    double now = seconds_now(), next_at = now + PATIENCE_S;

    for (unsigned n = 0; n < load->count; n++) {
        struct session *session = &load->sessions[n];

        if (!session->in_message && now >= load->ends_at)
            continue;
        if (session->next_at <= now && session->in_message)
            go_on(load, n);
        else if (session->next_at <= now)
            begin_message(load, n);
        if (session->next_at < next_at)
            next_at = session->next_at;
    }
    if (now >= load->ends_at && load->under_way == 0)
        return 0;
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

static enum pace pace_of(const char *word)
{
    static const char *const words[] = {
        [APART] = "apart", [TOGETHER] = "together", [SMTP] = "smtp"};

    for (unsigned n = 0; n < sizeof words / sizeof *words; n++)
        if (strcmp(word, words[n]) == 0)
            return (enum pace)n;
    give_up("'%s' is no pace", word);
}

int main(int argc, char **argv)
{
    struct load load = {0};
    double began = seconds_now();

    if (argc != 7)
        give_up("usage: milter_load SOCKET SESSIONS SECONDS PAUSE_US apart|together|smtp MESSAGES");
    load.path = argv[1];
    load.count = number_of(argv[2]);
    load.ends_at = began + number_of(argv[3]);
    load.pause = number_of(argv[4]) / 1e6;
    load.pace = pace_of(argv[5]);
    load.messages_each = number_of(argv[6]);
    open_sessions(&load);
    while (load.under_way > 0 || seconds_now() < load.ends_at)
        receive(&load, send_due(&load));
    print_seconds("seconds", seconds_now() - began);
    print_count("messages", load.messages);
    print_seconds("answers_seconds", load.answers);
    print_count("sessions", load.ended + load.count);
    close_sessions(&load);
    return 0;
}
