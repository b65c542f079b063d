/* ports - is a port free for a Postfix that is to be started? */
#include "ctl/ports.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "admin/mem.h"
#include "admin/postconf.h"
#include "lib/clock.h"
#include "lib/settings_values.h"

enum { TAKEN_TIMEOUT_MS = 5000, TAKEN_POLL_MS = 200 };

int ports_number(const char *service)
{
    const char *colon = strrchr(service, ':');
    int port = settings_value_inet_port(service);
    const struct servent *known;

    if (port > 0)
        return port;
    known = getservbyname(colon != NULL ? colon + 1 : service, "tcp");
    return known != NULL ? ntohs((uint16_t)known->s_port) : 0;
}

/* The host of a service, without brackets; NULL where it has none. To be freed. */
static char *host_of(const char *service)
{
    const char *colon = strrchr(service, ':');

    if (colon == NULL)
        return NULL;
    if (service[0] == '[' && colon[-1] == ']')
        return mem_dup_len(service + 1, (size_t)(colon - service) - 2);
    return mem_dup_len(service, (size_t)(colon - service));
}

/* The same address, or of one family where one of them is all addresses. */
static bool same_address(const struct sockaddr *a, const struct sockaddr *b)
{
    if (a->sa_family != b->sa_family)
        return false;
    if (a->sa_family == AF_INET) {
        const struct in_addr *one = &((const struct sockaddr_in *)(const void *)a)->sin_addr;
        const struct in_addr *two = &((const struct sockaddr_in *)(const void *)b)->sin_addr;

        return one->s_addr == two->s_addr || one->s_addr == INADDR_ANY || two->s_addr == INADDR_ANY;
    }
    const struct in6_addr *one = &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr;
    const struct in6_addr *two = &((const struct sockaddr_in6 *)(const void *)b)->sin6_addr;

    return IN6_ARE_ADDR_EQUAL(one, two) || IN6_IS_ADDR_UNSPECIFIED(one) ||
           IN6_IS_ADDR_UNSPECIFIED(two);
}

/* Addresses have more than one form, and names. */
static bool share_address(const char *host, const char *other)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *addresses = NULL, *others = NULL;
    bool share = strcasecmp(host, other) == 0;

    if (!share && getaddrinfo(host, NULL, &hints, &addresses) == 0 &&
        getaddrinfo(other, NULL, &hints, &others) == 0)
        for (const struct addrinfo *a = addresses; a != NULL; a = a->ai_next)
            for (const struct addrinfo *b = others; b != NULL; b = b->ai_next)
                share = share || same_address(a->ai_addr, b->ai_addr);
    if (addresses != NULL)
        freeaddrinfo(addresses);
    if (others != NULL)
        freeaddrinfo(others);
    return share;
}

bool ports_clash(const char *service, const char *other)
{
    char *host = host_of(service);
    char *other_host = host_of(other);
    bool clash = ports_number(service) > 0 && ports_number(service) == ports_number(other) &&
                 (host == NULL || other_host == NULL || share_address(host, other_host));

    free(host);
    free(other_host);
    return clash;
}

/* Whether a socket can be bound there: SO_REUSEADDR looks past all but listening sockets. */
static bool is_free(const struct addrinfo *address)
{
    int one = 1;
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool taken;

    if (fd < 0)
        return true; /* a host without IPv6, say */
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (address->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
    taken = bind(fd, address->ai_addr, address->ai_addrlen) != 0 && errno == EADDRINUSE;
    close(fd);
    return !taken;
}

/* host NULL: all addresses of this machine. */
static bool is_taken(const char *host, int port, int family)
{
    struct addrinfo hints = {
        .ai_family = family, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *addresses;
    char number[16];
    bool taken = false;

    snprintf(number, sizeof number, "%d", port);
    if (getaddrinfo(host, number, &hints, &addresses) != 0)
        return false; /* Postfix will say what it thinks of this host */
    for (const struct addrinfo *a = addresses; !taken && a != NULL; a = a->ai_next)
        taken = !is_free(a);
    freeaddrinfo(addresses);
    return taken;
}

bool ports_is_taken(const char *host, int port)
{
    return is_taken(host, port, AF_UNSPEC);
}

static void check(const struct part *part, const char *host, int port, int family,
                  struct diag *diag)
{
    if (is_taken(host, port, family))
        diag_error(diag, part->name, 0,
                   "another program listens on port %d%s%s already, and both would get a part of "
                   "the mail; stop that one first",
                   port, host != NULL ? " of " : "", host != NULL ? host : "");
}

static int family_of(const char *inet_protocols)
{
    bool ipv4 = strstr(inet_protocols, "ipv4") != NULL;
    bool ipv6 = strstr(inet_protocols, "ipv6") != NULL;

    return ipv4 == ipv6 ? AF_UNSPEC : ipv4 ? AF_INET : AF_INET6;
}

/* A service without a host listens on the addresses of inet_interfaces. */
static void check_interfaces(const struct part *part, char *inet_interfaces, int port, int family,
                             struct diag *diag)
{
    char *rest;

    for (char *word = strtok_r(inet_interfaces, ", \t", &rest); word != NULL;
         word = strtok_r(NULL, ", \t", &rest)) {
        const char *host = word;

        if (strcmp(word, "all") == 0)
            host = NULL;
        else if (strcmp(word, "loopback-only") == 0)
            host = "localhost";
        check(part, host, port, family, diag);
    }
}

static bool is_left(const struct pairs *left, const char *service)
{
    bool found = false;

    for (size_t i = 0; left != NULL && i < left->count; i++) {
        char *name = mem_dup_len(left->items[i].name, strcspn(left->items[i].name, "/"));

        found = found || ports_clash(name, service);
        free(name);
    }
    return found;
}

static void check_frontend(const struct settings *settings, const struct part *part,
                           const char *dir, const struct pairs *left, struct diag *diag)
{
    char *protocols = postconf_expanded(dir, "inet_protocols");

    for (char **service = settings_listen(settings, part->instance);
         protocols != NULL && *service != NULL; service++) {
        char *host = host_of(*service);
        int port = ports_number(*service);

        if (is_left(left, *service)) {
            free(host);
            continue;
        }
        if (host != NULL) {
            check(part, host, port, family_of(protocols), diag);
        } else {
            char *interfaces = postconf_expanded(dir, "inet_interfaces");

            if (interfaces != NULL)
                check_interfaces(part, interfaces, port, family_of(protocols), diag);
            free(interfaces);
        }
        free(host);
    }
    free(protocols);
}

char *ports_frontend_host(const struct settings *settings, int frontend, const char *service)
{
    char *host = host_of(service);
    struct part part;
    char *interfaces, *protocols;

    if (host != NULL)
        return host;
    part_init_instance(&part, settings, frontend);
    interfaces = postconf_expanded(part.dir, "inet_interfaces");
    protocols = interfaces != NULL ? postconf_expanded(part.dir, "inet_protocols") : NULL;
    if (protocols != NULL) {
        size_t len = strcspn(interfaces, ", \t");
        bool loopback = strstr(interfaces, "all") != NULL || strstr(interfaces, "loopback") != NULL;

        host = !loopback ? mem_dup_len(interfaces, len)
                         : mem_dup(family_of(protocols) == AF_INET6 ? "::1" : "127.0.0.1");
    }
    part_deinit(&part);
    free(interfaces);
    free(protocols);
    return host;
}

void ports_check(const struct settings *settings, const struct part *part, const char *dir,
                 const struct pairs *left, struct diag *diag)
{
    if (part->kind == PART_INSTANCE)
        check(part, "127.0.0.1", settings->instance_port_base + part->instance, AF_INET, diag);
    else if (part->kind == PART_FRONTEND)
        check_frontend(settings, part, dir, left, diag);
}

static void emit_nothing(void *arg, const char *text)
{
    (void)arg;
    (void)text;
}

/* Processes of a Postfix that has just been stopped have its port for a moment more. */
static void await_free(const struct settings *settings, const struct part *part)
{
    for (int waited_ms = 0; waited_ms < TAKEN_TIMEOUT_MS; waited_ms += TAKEN_POLL_MS) {
        struct diag diag = {.emit = emit_nothing};

        ports_check(settings, part, part->dir, NULL, &diag);
        if (diag.errors == 0)
            return;
        clock_sleep_ms(TAKEN_POLL_MS);
    }
}

bool ports_are_free(const struct settings *settings, const struct part *part)
{
    struct diag diag = diag_to_stderr();

    await_free(settings, part);
    ports_check(settings, part, part->dir, NULL, &diag);
    return diag.errors == 0;
}
