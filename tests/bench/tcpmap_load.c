/*
 * tcpmap_load - a Postfix that looks up one recipient after another, on several connections at once
 *
 * Each connection has DEPTH requests under way: with 1 the next one follows the answer, as Postfix
 * does it. KEYS keys of make_key() are drawn at random, evenly, beginning with number FIRST; each
 * answer is checked: it begins with PREFIX, or, with `claims`, is the route of the key's priority.
 * Latency is from before a request is sent until after its answer has been read. The first tenth of
 * the time does not count.
 *
 * SERVER is `tcp:PORT`, tcp_table(5) on 127.0.0.1; or `proxy:SOCKET:TABLE`, Postfix's proxymap(8),
 * whose clients have one request under way.
 *
 * usage: tcpmap_load SERVER CONNECTIONS DEPTH SECONDS FIRST KEYS claims|PREFIX
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/bench/bench.h"

enum {
    DEPTH_MAX = 64,
    IN_SIZE = 8192,
    REQUEST_MAX = 512,
    EVENTS_MAX = 128,
    PATIENCE_MS = 10000,
    TICKS_A_SECOND = 10 * 1000 * 1000, /* latencies that differ by less are not told apart */
    TICKS = 10 * 1000 * 1000           /* longer ones count as the longest */
};

struct request {
    unsigned key;
    double sent_at;
};

struct connection {
    int fd;
    struct request ring[DEPTH_MAX]; /* under way, in order */
    unsigned first, under_way;
    char in[IN_SIZE]; /* of the next answer */
    size_t in_len;
};

struct load {
    bool is_proxy;
    char *server; /* a port, or a path */
    char *table;  /* of a proxymap */
    unsigned count, depth, first_key, keys;
    const char *prefix; /* NULL: claims */
    struct connection *connections;
    int epoll;
    uint64_t random;
    double counts_from;
    uint64_t lookups; /* from then on */
    double last_at;   /* the latest of them */
    uint32_t *latencies;
};

/* Requests and answers */

/* Marsaglia's xorshift64*. */
static uint64_t next_random(struct load *load)
{
    load->random ^= load->random >> 12;
    load->random ^= load->random << 25;
    load->random ^= load->random >> 27;
    return (load->random * UINT64_C(2685821657736338717)) >> 16;
}

/* Attributes of Postfix (src/util/attr_print0.c): name, value, ..., and an empty name. */
static size_t put_attributes(const char *const *words, char *to)
{
    size_t len = 0;

    for (; *words != NULL; words++) {
        strcpy(to + len, *words);
        len += strlen(*words) + 1;
    }
    to[len++] = '\0';
    return len;
}

static size_t put_request(const struct load *load, unsigned n, char to[REQUEST_MAX])
{
    char key[KEY_SIZE];
    size_t key_len = make_key(key, n);

    if (load->is_proxy) /* the flags are those of postmap -q */
        return put_attributes((const char *const[]){"request", "lookup", "table", load->table,
                                                    "flags", "524353", "key", key, NULL},
                              to);
    memcpy(to, "get ", 4);
    memcpy(to + 4, key, key_len);
    to[4 + key_len] = '\n';
    return key_len + 5;
}

/* The length of attributes, names and values in turns up to an empty name; 0: not whole. */
static size_t attributes_len(const char *in, size_t in_len)
{
    size_t strings = 0, start = 0;

    for (size_t n = 0; n < in_len; n++) {
        if (in[n] != '\0')
            continue;
        if (strings++ % 2 == 0 && n == start)
            return n + 1;
        start = n + 1;
    }
    return 0;
}

/* The length of the first answer in what has come; 0: not whole. */
static size_t answer_len(const struct load *load, const char *in, size_t in_len)
{
    const char *newline;

    if (load->is_proxy)
        return attributes_len(in, in_len);
    newline = memchr(in, '\n', in_len);
    return newline != NULL ? (size_t)(newline - in) + 1 : 0;
}

/* That an answer is right. One of proxymap is taken for `STATUS VALUE`. */
static void check(const struct load *load, unsigned key, const char *answer, size_t len)
{
    char text[IN_SIZE + 1], right[64];
    const char *value = answer + sizeof "status";

    if (load->is_proxy)
        snprintf(text, sizeof text, "%s %s", value, value + strlen(value) + sizeof "xvalue");
    else
        snprintf(text, sizeof text, "%.*s", (int)len, answer);
    if (load->prefix != NULL)
        snprintf(right, sizeof right, "%s", load->prefix);
    else
        snprintf(right, sizeof right, "%s peg%d:", load->is_proxy ? "0" : "200",
                 priority_of_key(key));
    if (strncmp(text, right, strlen(right)) != 0)
        give_up("key %u is not answered with '%s' but '%s'", key, right, text);
}

/* Connections */

static void send_requests(struct load *load, struct connection *c)
{
    char out[DEPTH_MAX * REQUEST_MAX];
    size_t len = 0;
    double now;
    unsigned before = c->under_way;

    for (; c->under_way < load->depth; c->under_way++) {
        struct request *request = &c->ring[(c->first + c->under_way) % DEPTH_MAX];

        request->key = load->first_key + (unsigned)(next_random(load) % load->keys);
        len += put_request(load, request->key, out + len);
    }
    now = seconds_now();
    for (unsigned n = before; n < c->under_way; n++)
        c->ring[(c->first + n) % DEPTH_MAX].sent_at = now;
    if (send(c->fd, out, len, MSG_NOSIGNAL) != (ssize_t)len)
        give_up("the server takes no more: %s", strerror(errno));
}

static void count_answer(struct load *load, const struct request *request, double now)
{
    double ticks = (now - request->sent_at) * TICKS_A_SECOND;

    if (now < load->counts_from)
        return;
    load->lookups++;
    load->last_at = now;
    load->latencies[ticks < TICKS ? (unsigned)ticks : TICKS - 1]++;
}

static void take_answers(struct load *load, struct connection *c)
{
    ssize_t got = recv(c->fd, c->in + c->in_len, IN_SIZE - c->in_len, 0);
    double now = seconds_now();
    size_t len, done = 0;

    if (got <= 0)
        give_up("the server hung up: %s", got < 0 ? strerror(errno) : "end of file");
    if ((size_t)got == IN_SIZE - c->in_len)
        give_up("the answers are too long");
    c->in_len += (size_t)got;
    while ((len = answer_len(load, c->in + done, c->in_len - done)) > 0) {
        const char *answer = c->in + done;

        done += len;
        if (load->is_proxy && strcmp(answer, "protocol") == 0)
            continue; /* a greeting */
        if (c->under_way == 0)
            give_up("an answer too many");
        check(load, c->ring[c->first].key, answer, len);
        count_answer(load, &c->ring[c->first], now);
        c->first = (c->first + 1) % DEPTH_MAX;
        c->under_way--;
    }
    c->in_len -= done;
    memmove(c->in, c->in + done, c->in_len);
}

static int connect_tcp(const char *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int on = 1;

    address.sin_port = htons((uint16_t)number_of(port));
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address) != 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0)
        give_up("port %s: %s", port, strerror(errno));
    return fd;
}

static int connect_unix(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (strlen(path) >= sizeof address.sun_path)
        give_up("%s: too long for a socket", path);
    strcpy(address.sun_path, path);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address) != 0)
        give_up("%s: %s", path, strerror(errno));
    return fd;
}

static void open_connections(struct load *load)
{
    load->connections = calloc(load->count, sizeof *load->connections);
    load->latencies = calloc(TICKS, sizeof *load->latencies);
    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (load->connections == NULL || load->latencies == NULL || load->epoll < 0)
        give_up("out of memory");
    for (unsigned n = 0; n < load->count; n++) {
        struct connection *c = &load->connections[n];
        /* Edge-triggered, so that answers are taken in the order in which they came. */
        struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.ptr = c};

        c->fd = load->is_proxy ? connect_unix(load->server) : connect_tcp(load->server);
        if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, c->fd, &event) != 0)
            give_up("epoll: %s", strerror(errno));
    }
}

static void run(struct load *load, double ends_at)
{
    for (unsigned n = 0; n < load->count; n++)
        send_requests(load, &load->connections[n]);
    while (seconds_now() < ends_at) {
        struct epoll_event events[EVENTS_MAX];
        int ready = epoll_wait(load->epoll, events, EVENTS_MAX, PATIENCE_MS);

        if (ready <= 0)
            give_up("the server does not answer");
        for (int n = 0; n < ready; n++) {
            struct connection *c = events[n].data.ptr;

            take_answers(load, c);
            send_requests(load, c);
        }
    }
}

/* The latency that so much of all answers do not exceed. */
static void print_share(const struct load *load, const char *name, double share)
{
    uint64_t rest = (uint64_t)((double)load->lookups * share), n = 0;

    while (n < TICKS - 1 && load->latencies[n] < rest)
        rest -= load->latencies[n++];
    print_seconds(name, (double)(n + 1) / TICKS_A_SECOND);
}

static void parse_server(struct load *load, char *server)
{
    char *rest = strchr(server, ':');

    load->is_proxy = strncmp(server, "proxy:", 6) == 0;
    if (rest == NULL || (!load->is_proxy && strncmp(server, "tcp:", 4) != 0))
        give_up("%s: no server", server);
    load->server = rest + 1;
    load->table = strchr(load->server, ':');
    if (!load->is_proxy)
        return;
    if (load->table == NULL || strlen(load->table) > REQUEST_MAX / 2)
        give_up("%s: no table", server);
    *load->table++ = '\0';
}

int main(int argc, char **argv)
{
    struct load load = {.random = UINT64_C(0x9E3779B97F4A7C15)};
    double began, seconds;

    if (argc != 8)
        give_up("usage: tcpmap_load SERVER CONNECTIONS DEPTH SECONDS FIRST KEYS claims|PREFIX");
    parse_server(&load, argv[1]);
    load.count = number_of(argv[2]);
    load.depth = number_of(argv[3]);
    seconds = number_of(argv[4]);
    load.first_key = number_of(argv[5]);
    load.keys = number_of(argv[6]);
    load.prefix = strcmp(argv[7], "claims") != 0 ? argv[7] : NULL;
    if (load.depth == 0 || load.depth > DEPTH_MAX || load.keys == 0)
        give_up("1 to %d requests under way, and a key at least", DEPTH_MAX);
    open_connections(&load);
    began = seconds_now();
    load.counts_from = began + seconds / 10;
    run(&load, began + seconds);
    if (load.lookups == 0)
        give_up("no answer came in time");
    print_count("lookups", load.lookups);
    print_seconds("seconds", load.last_at - load.counts_from);
    print_share(&load, "p50", 0.5);
    print_share(&load, "p99", 0.99);
    print_share(&load, "p999", 0.999);
    return 0;
}
