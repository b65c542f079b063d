/*
 * smtp_load - SMTP clients that send messages, each with a tag of its own, and say when
 *
 * usage: smtp_load PORT SESSIONS MESSAGES INTERVAL_US PER_CONNECTION BYTES TAG KIND...
 *
 * Sends MESSAGES messages from 127.0.0.2, which Postfix does not take for an address of this host
 * (local_header_rewrite_clients), to 127.0.0.1, or until SIGTERM where that is 0; message n is of
 * the kind in the file KIND number n modulo their number. With an INTERVAL_US message n is due n
 * intervals after the start, whether or not a session is free then; with 0 as soon as one is. A
 * session sends PER_CONNECTION messages before it connects anew, and pipelines the envelope.
 *
 * For each message a line on stdout when it has been accepted, `TAG.n DUE ACCEPTED`, in seconds of
 * the monotonic clock. A refusal ends all of it.
 *
 * A kind has a recipient a line, an empty line, and header lines. In them # stands for n, and % for
 * TAG.n, which no other message has.
 */
#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>

#include "tests/bench/bench.h"

enum { LINE_LEN = 76, BYTES_MAX = 100 << 20, PATIENCE_S = 600 };

struct kind {
    char *recipients;
    unsigned recipient_count;
    char *headers;
};

struct load {
    struct event_base *base;
    struct event *timer; /* until the next message is due */
    struct sockaddr_in client, server;
    struct session *sessions;
    unsigned session_count;
    unsigned messages;
    unsigned per_connection;
    double interval;
    const char *tag;
    struct kind *kinds;
    unsigned kind_count;
    char *body;
    size_t body_len;
    double began;
    unsigned next; /* number of the next message */
    unsigned busy; /* sessions with a connection or a message */
};

enum state { IDLE, GREETING, HELLO, ENVELOPE, CONTENT, READY, BYE };

struct session {
    struct load *load;
    struct bufferevent *bev; /* NULL: not connected */
    enum state state;
    unsigned number; /* of its message */
    double due;
    unsigned replies; /* that are still to come for what was sent */
    unsigned sent;    /* messages over this connection */
};

static bool is_over(const struct load *load)
{
    return load->messages != 0 && load->next >= load->messages;
}

/* When the next message is due. */
static double next_due(const struct load *load)
{
    return load->interval > 0 ? load->began + load->next * load->interval : seconds_now();
}

static void put(struct session *session, const char *text)
{
    evbuffer_add(bufferevent_get_output(session->bev), text, strlen(text));
}

/* A line of a kind, with what # and % stand for. */
static void put_numbered(struct session *session, const char *text, size_t len)
{
    struct evbuffer *output = bufferevent_get_output(session->bev);

    while (len > 0) {
        size_t before = strcspn(text, "#%");

        if (before > len)
            before = len;
        evbuffer_add(output, text, before);
        if (before == len)
            return;
        if (text[before] == '%')
            evbuffer_add_printf(output, "%s.", session->load->tag);
        evbuffer_add_printf(output, "%u", session->number);
        text += before + 1;
        len -= before + 1;
    }
}

static void put_envelope(struct session *session)
{
    const struct load *load = session->load;
    const struct kind *kind = &load->kinds[session->number % load->kind_count];

    put(session, "MAIL FROM:<alice@source.example>\r\n");
    for (const char *line = kind->recipients; *line != '\0';) {
        size_t len = strcspn(line, "\n");

        put(session, "RCPT TO:<");
        put_numbered(session, line, len);
        put(session, ">\r\n");
        line += len + 1;
    }
    put(session, "DATA\r\n");
    session->state = ENVELOPE;
    session->replies = kind->recipient_count + 2;
}

static void put_content(struct session *session)
{
    const struct load *load = session->load;
    struct evbuffer *output = bufferevent_get_output(session->bev);
    const struct kind *kind = &load->kinds[session->number % load->kind_count];

    evbuffer_add_printf(output, "X-Bench: %s.%u\r\n", load->tag, session->number);
    put_numbered(session, kind->headers, strlen(kind->headers));
    put(session, "\r\n");
    evbuffer_add_reference(output, load->body, load->body_len, NULL, NULL);
    put(session, ".\r\n");
    session->state = CONTENT;
    session->replies = 1;
}

static void begin(struct session *session);
static void begin_due(evutil_socket_t fd, short what, void *arg);

static void disconnect(struct session *session)
{
    bufferevent_free(session->bev);
    session->bev = NULL;
    session->state = IDLE;
    session->load->busy--;
    begin(session);
}

static void end_message(struct session *session)
{
    struct load *load = session->load;

    printf("%s.%u %.6f %.6f\n", load->tag, session->number, session->due, seconds_now());
    fflush(stdout);
    session->sent++;
    session->state = READY;
    if (session->sent >= load->per_connection || is_over(load)) {
        put(session, "QUIT\r\n");
        session->state = BYE;
        session->replies = 1;
    } else {
        begin(session);
    }
    if (is_over(load)) /* those that wait for one more need not */
        begin_due(-1, 0, load);
}

/* All replies to what was sent are there. */
static void go_on(struct session *session)
{
    switch (session->state) {
    case GREETING:
        put(session, "EHLO client.example\r\n");
        session->state = HELLO;
        session->replies = 1;
        break;
    case HELLO:
        put_envelope(session);
        break;
    case ENVELOPE:
        put_content(session);
        break;
    case CONTENT:
        end_message(session);
        break;
    case IDLE:
    case READY:
    case BYE:
        break;
    }
}

static void take_input(struct bufferevent *bev, void *arg)
{
    struct session *session = arg;
    char *line;

    while (session->replies > 0 &&
           (line = evbuffer_readln(bufferevent_get_input(bev), NULL, EVBUFFER_EOL_CRLF)) != NULL) {
        if (*line != '2' && *line != '3')
            give_up("message %u is refused: %s", session->number, line);
        if (strlen(line) > 3 && line[3] != '-' && --session->replies == 0)
            go_on(session);
        free(line);
    }
}

static void take_event(struct bufferevent *bev, short what, void *arg)
{
    struct session *session = arg;
    int on = 1;

    if (what & BEV_EVENT_CONNECTED)
        setsockopt(bufferevent_getfd(bev), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    else if (session->state == BYE && (what & BEV_EVENT_EOF))
        disconnect(session);
    else
        give_up("message %u: the connection is lost", session->number);
}

static int open_socket(const struct load *load)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int yes = 1;

    if (fd < 0 || setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes) != 0 ||
        bind(fd, (const struct sockaddr *)&load->client, sizeof load->client) != 0)
        give_up("no socket: %s", strerror(errno));
    return fd;
}

static void connect_to_server(struct session *session)
{
    struct load *load = session->load;

    session->bev = bufferevent_socket_new(load->base, open_socket(load), BEV_OPT_CLOSE_ON_FREE);
    if (session->bev == NULL)
        give_up("no memory");
    bufferevent_setcb(session->bev, take_input, NULL, take_event, session);
    session->state = GREETING;
    session->replies = 1;
    session->sent = 0;
    load->busy++;
    if (bufferevent_socket_connect(session->bev, (struct sockaddr *)&load->server,
                                   sizeof load->server) != 0)
        give_up("no connection: %s", strerror(errno));
    bufferevent_enable(session->bev, EV_READ | EV_WRITE);
}

/* A session that is free takes the next message, if there is one that is due. */
static void begin(struct session *session)
{
    struct load *load = session->load;
    double due = next_due(load);

    if (is_over(load)) {
        if (session->bev != NULL) {
            put(session, "QUIT\r\n");
            session->state = BYE;
            session->replies = 1;
        } else if (load->busy == 0) {
            event_base_loopbreak(load->base);
        }
        return;
    }
    if (due > seconds_now())
        return; /* the timer gives it to a session that is free then */
    session->number = load->next++;
    session->due = due;
    if (session->bev == NULL)
        connect_to_server(session);
    else
        put_envelope(session);
}

static void begin_due(evutil_socket_t fd, short what, void *arg)
{
    struct load *load = arg;
    struct timeval wait = {0};
    double seconds;

    (void)fd;
    (void)what;
    for (unsigned n = 0; n < load->session_count; n++)
        if (load->sessions[n].state == IDLE || load->sessions[n].state == READY)
            begin(&load->sessions[n]);
    if (load->interval <= 0 || is_over(load))
        return;
    seconds = next_due(load) - seconds_now();
    if (seconds < 0.001) /* all are busy: a session that gets free looks by itself */
        seconds = 0.001;
    wait.tv_sec = (time_t)seconds;
    wait.tv_usec = (suseconds_t)((seconds - (double)wait.tv_sec) * 1e6);
    event_add(load->timer, &wait);
}

/* SIGTERM: no message more. */
static void finish(evutil_socket_t number, short what, void *arg)
{
    struct load *load = arg;

    (void)number;
    (void)what;
    load->messages = load->next;
    if (load->messages == 0 || load->busy == 0)
        event_base_loopbreak(load->base);
    begin_due(-1, 0, load);
}

/* Setting up */

/* The text of a file with CRLF for each newline in `headers_r`, and what stands before the empty
 * line in `recipients_r`. */
static void read_kind(struct kind *kind_r, const char *path)
{
    FILE *file = fopen(path, "r");
    struct evbuffer *recipients = evbuffer_new(), *headers = evbuffer_new();
    bool is_envelope = true;
    char line[65536];

    if (file == NULL || recipients == NULL || headers == NULL)
        give_up("%s: %s", path, strerror(errno));
    while (fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (is_envelope && *line == '\0')
            is_envelope = false;
        else if (is_envelope && kind_r->recipient_count++ < UINT16_MAX)
            evbuffer_add_printf(recipients, "%s\n", line);
        else
            evbuffer_add_printf(headers, "%s\r\n", line);
    }
    fclose(file);
    evbuffer_add(recipients, "", 1);
    evbuffer_add(headers, "", 1);
    kind_r->recipients = strdup((char *)evbuffer_pullup(recipients, -1));
    kind_r->headers = strdup((char *)evbuffer_pullup(headers, -1));
    evbuffer_free(recipients);
    evbuffer_free(headers);
    if (kind_r->recipients == NULL || kind_r->headers == NULL || kind_r->recipient_count == 0)
        give_up("%s: no recipients", path);
}

static void make_body(struct load *load, size_t len)
{
    if (len > BYTES_MAX)
        give_up("a message is too large");
    len += LINE_LEN - len % LINE_LEN; /* whole lines, one at the least */
    load->body = malloc(len);
    load->body_len = len;
    if (load->body == NULL)
        give_up("no memory");
    memset(load->body, 'x', len);
    for (size_t at = LINE_LEN; at <= len; at += LINE_LEN)
        memcpy(load->body + at - 2, "\r\n", 2);
}

static void make_sessions(struct load *load)
{
    load->sessions = calloc(load->session_count, sizeof *load->sessions);
    if (load->sessions == NULL)
        give_up("no memory");
    for (unsigned n = 0; n < load->session_count; n++)
        load->sessions[n].load = load;
}

int main(int argc, char **argv)
{
    struct timeval patience = {.tv_sec = PATIENCE_S};
    struct load load = {.base = event_base_new(), .server.sin_family = AF_INET};

    if (argc < 9 || load.base == NULL)
        give_up("usage: smtp_load PORT SESSIONS MESSAGES INTERVAL_US PER_CONNECTION BYTES TAG "
                "KIND...");
    signal(SIGPIPE, SIG_IGN);
    load.client = load.server;
    load.client.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
    load.server.sin_port = htons((uint16_t)number_of(argv[1]));
    load.server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    load.session_count = number_of(argv[2]);
    load.messages = number_of(argv[3]);
    load.interval = number_of(argv[4]) / 1e6;
    load.per_connection = number_of(argv[5]);
    make_body(&load, number_of(argv[6]));
    load.tag = argv[7];
    load.kind_count = (unsigned)argc - 8;
    load.kinds = calloc(load.kind_count, sizeof *load.kinds);
    if (load.kinds == NULL)
        give_up("no memory");
    for (unsigned n = 0; n < load.kind_count; n++)
        read_kind(&load.kinds[n], argv[8 + n]);
    make_sessions(&load);
    load.timer = evtimer_new(load.base, begin_due, &load);
    evsignal_add(evsignal_new(load.base, SIGTERM, finish, &load), NULL);
    load.began = seconds_now();
    begin_due(-1, 0, &load);
    event_base_loopexit(load.base, &patience);
    event_base_dispatch(load.base);
    return is_over(&load) && load.busy == 0 ? 0 : 1;
}
