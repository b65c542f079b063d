/* ports - is a port free for a Postfix that is to be started? */
#include "gen/ports.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gen/mem.h"
#include "gen/postconf.h"
#include "lib/settings_values.h"

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

bool ports_clash(const char *service, const char *other)
{
    char *host = host_of(service);
    char *other_host = host_of(other);
    bool clash = ports_number(service) > 0 && ports_number(service) == ports_number(other) &&
                 (host == NULL || other_host == NULL || strcmp(host, other_host) == 0);

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
static bool check(const struct part *part, const char *host, int port, int family)
{
    struct addrinfo hints = {
        .ai_family = family, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *addresses;
    char number[16];
    bool good = true;

    snprintf(number, sizeof number, "%d", port);
    if (getaddrinfo(host, number, &hints, &addresses) != 0)
        return true; /* Postfix will say what it thinks of this host */
    for (const struct addrinfo *a = addresses; good && a != NULL; a = a->ai_next)
        good = is_free(a);
    freeaddrinfo(addresses);
    if (!good)
        fprintf(stderr,
                "%s: another program listens on port %d%s%s already, and both would get a part of "
                "the mail; stop that one first\n",
                part->name, port, host != NULL ? " of " : "", host != NULL ? host : "");
    return good;
}

static int family_of(const char *inet_protocols)
{
    bool ipv4 = strstr(inet_protocols, "ipv4") != NULL;
    bool ipv6 = strstr(inet_protocols, "ipv6") != NULL;

    return ipv4 == ipv6 ? AF_UNSPEC : ipv4 ? AF_INET : AF_INET6;
}

/* A service without a host listens on the addresses of inet_interfaces. */
static bool check_interfaces(const struct part *part, char *inet_interfaces, int port, int family)
{
    bool good = true;
    char *rest;

    for (char *word = strtok_r(inet_interfaces, ", \t", &rest); good && word != NULL;
         word = strtok_r(NULL, ", \t", &rest)) {
        const char *host = word;

        if (strcmp(word, "all") == 0)
            host = NULL;
        else if (strcmp(word, "loopback-only") == 0)
            host = "localhost";
        good = check(part, host, port, family);
    }
    return good;
}

static bool check_frontend(const struct settings *settings, const struct part *part)
{
    char *protocols = postconf_expanded(part->dir, "inet_protocols");
    bool good = protocols != NULL;

    for (char **service = settings->frontend_listen; good && *service != NULL; service++) {
        char *host = host_of(*service);
        int port = ports_number(*service);

        if (host != NULL) {
            good = check(part, host, port, family_of(protocols));
        } else {
            char *interfaces = postconf_expanded(part->dir, "inet_interfaces");

            good = interfaces != NULL &&
                   check_interfaces(part, interfaces, port, family_of(protocols));
            free(interfaces);
        }
        free(host);
    }
    free(protocols);
    return good;
}

char *ports_frontend_host(const struct settings *settings, const char *service)
{
    char *host = host_of(service);
    struct part part;
    char *interfaces, *protocols;

    if (host != NULL)
        return host;
    part_init_instance(&part, settings, PEG_FRONTEND);
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

bool ports_are_free(const struct settings *settings, const struct part *part)
{
    switch (part->kind) {
    case PART_MILTER:
    case PART_TCPMAP:
        return true;
    case PART_INSTANCE:
        return check(part, "127.0.0.1", settings->instance_port_base + part->instance, AF_INET);
    case PART_FRONTEND:
        return check_frontend(settings, part);
    }
    return true;
}
