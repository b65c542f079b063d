/*
 * settings_values - the forms that a parameter's value can have
 *
 * Isolated from the locale: <ctype.h> would take letters of the operator's language.
 */
#include "lib/settings_values.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/command.h"

enum {
    HOST_NAME_MAX_LEN = 255, /* RFC 1035 2.3.4 */
    LABEL_MAX_LEN = 63,
    SERVICE_MAX_LEN = 15, /* RFC 6335 5.1 */
    USER_MAX_LEN = 32,
    PORT_MAX = 65535,
    DSCP_MAX = 63,
    COMMAND_MAX_LEN = 4096,
    PATH_MAX_LEN = 1024
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool settings_value_number(const char *text, long min, long max, long *number_r)
{
    const char *digits = *text == '-' || *text == '+' ? text + 1 : text;
    char *end;

    if (!is_digit(*digits))
        return false;
    errno = 0;
    long number = strtol(text, &end, 10);

    if (errno != 0 || *end != '\0' || number < min || number > max)
        return false;
    *number_r = number;
    return true;
}

bool settings_value_time_s(const char *text, long min_s, long max_s, long *time_s_r)
{
    static const char suffixes[] = "smhdw";
    static const long unit_s[] = {1, 60, 3600, 86400, 604800};
    char *end;

    if (!is_digit(*text))
        return false;
    errno = 0;
    long number = strtol(text, &end, 10);
    long unit = 1;

    if (*end != '\0') {
        const char *suffix = strchr(suffixes, *end);

        if (suffix == NULL || end[1] != '\0')
            return false;
        unit = unit_s[suffix - suffixes];
    }
    if (errno != 0 || number > max_s / unit || number * unit < min_s)
        return false;
    *time_s_r = number * unit;
    return true;
}

static bool is_label(const char *label, size_t len)
{
    if (len == 0 || len > LABEL_MAX_LEN || label[0] == '-' || label[len - 1] == '-')
        return false;
    for (size_t i = 0; i < len; i++)
        if (!is_letter(label[i]) && !is_digit(label[i]) && label[i] != '-' && label[i] != '_')
            return false;
    return true;
}

/* A domain name with at least one letter: Postfix (valid_hostname.c) takes no all-numeric one. */
static bool is_host_name(const char *name)
{
    bool letter = false;

    if (strlen(name) > HOST_NAME_MAX_LEN)
        return false;
    for (const char *p = name; *p != '\0'; p++)
        letter = letter || is_letter(*p);
    for (;;) {
        size_t len = strcspn(name, ".");

        if (!is_label(name, len))
            return false;
        if (name[len] == '\0')
            return letter;
        name += len + 1;
    }
}

static bool is_ipv4(const char *text)
{
    struct in_addr address;

    return inet_pton(AF_INET, text, &address) == 1;
}

/* prefix: whether Postfix's and SMTP's "IPv6:" before the address is taken. */
static bool is_ipv6(const char *text, bool prefix)
{
    struct in6_addr address;

    if (prefix && strncasecmp(text, "ipv6:", 5) == 0)
        text += 5;
    return inet_pton(AF_INET6, text, &address) == 1;
}

static bool is_service_name(const char *text)
{
    bool letter = false;
    size_t len = strlen(text);

    if (len == 0 || len > SERVICE_MAX_LEN || text[0] == '-' || text[len - 1] == '-')
        return false;
    for (const char *p = text; *p != '\0'; p++) {
        if (!is_letter(*p) && !is_digit(*p) && *p != '-')
            return false;
        letter = letter || is_letter(*p);
    }
    return letter;
}

static bool is_port(const char *text)
{
    long port;

    if (is_digit(*text) && settings_value_number(text, 1, PORT_MAX, &port))
        return true;
    return is_service_name(text);
}

/*
 * Split "host:port", "[host]:port" or, where no port is there, a host alone. brackets_r tells
 * whether there were some; port_r is NULL where there is none. host_r points into copy, which is
 * changed.
 */
static bool split(char *copy, char **host_r, char **port_r, bool *brackets_r)
{
    char *rest;

    *brackets_r = copy[0] == '[';
    if (*brackets_r) {
        *host_r = copy + 1;
        rest = strchr(copy, ']');
        if (rest == NULL)
            return false;
        *rest++ = '\0';
    } else {
        *host_r = copy;
        rest = copy + strcspn(copy, ":");
    }
    if (*rest != ':' && *rest != '\0')
        return false;
    *port_r = *rest == ':' ? rest + 1 : NULL;
    *rest = '\0';
    return true;
}

bool settings_value_relay_host(const char *text)
{
    char *copy = strdup(text);
    char *host;
    char *port;
    bool brackets;
    bool good = text[0] == '\0';

    if (copy != NULL && !good && split(copy, &host, &port, &brackets)) {
        good = is_host_name(host) || (brackets && (is_ipv4(host) || is_ipv6(host, true)));
        good = good && (port == NULL || is_port(port));
    }
    free(copy);
    return good;
}

bool settings_value_inet_service(const char *text)
{
    char *copy = strdup(text);
    char *host;
    char *port;
    bool brackets;
    bool good = is_port(text);

    if (copy != NULL && !good && split(copy, &host, &port, &brackets) && port != NULL) {
        good = brackets ? is_ipv6(host, false) : is_ipv4(host) || is_host_name(host);
        good = good && is_port(port);
    }
    free(copy);
    return good;
}

int settings_value_inet_port(const char *text)
{
    const char *colon = strrchr(text, ':');
    long port;

    if (settings_value_number(colon != NULL ? colon + 1 : text, 1, PORT_MAX, &port))
        return (int)port;
    return 0;
}

bool settings_value_endpoint(const char *text, char **host_r, int *port_r)
{
    char *copy = strdup(text);
    char *host;
    char *port;
    char *result = NULL;
    long number;
    bool brackets;

    if (copy != NULL && split(copy, &host, &port, &brackets) && port != NULL &&
        (brackets ? is_ipv6(host, false) : is_ipv4(host)) && is_digit(*port) &&
        settings_value_number(port, 1, PORT_MAX, &number))
        result = strdup(host);
    free(copy);
    if (result == NULL)
        return false;
    *host_r = result;
    *port_r = (int)number;
    return true;
}

bool settings_value_nexthop(const char *text)
{
    char *copy = strdup(text);
    char *host;
    char *port;
    long number;
    bool brackets;
    bool good = text[0] == '\0';

    if (copy != NULL && !good && split(copy, &host, &port, &brackets))
        good = brackets && (is_host_name(host) || is_ipv4(host) || is_ipv6(host, true)) &&
               port != NULL && is_digit(*port) && settings_value_number(port, 1, PORT_MAX, &number);
    free(copy);
    return good;
}

/* EF, CS3, AF21 and so on; -1 for others. */
static int dscp_of_name(const char *text)
{
    static const struct {
        const char *name;
        int dscp;
    } classes[] = {{"BE", 0}, {"LE", 1}, {"EF", 46}, {"VA", 44}};
    size_t len = strlen(text);

    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        if (strcasecmp(classes[i].name, text) == 0)
            return classes[i].dscp;
    if (len == 3 && strncasecmp(text, "CS", 2) == 0 && text[2] >= '0' && text[2] <= '7')
        return (text[2] - '0') * 8;
    if (len == 4 && strncasecmp(text, "AF", 2) == 0 && text[2] >= '1' && text[2] <= '4' &&
        text[3] >= '1' && text[3] <= '3')
        return (text[2] - '0') * 8 + (text[3] - '0') * 2;
    return -1;
}

bool settings_value_dscp(const char *text, int *dscp_r)
{
    int dscp = dscp_of_name(text);
    bool is_hex = strncasecmp(text, "0x", 2) == 0;
    size_t digits =
        strspn(text + (is_hex ? 2 : 0), is_hex ? "0123456789abcdefABCDEF" : "0123456789");

    if (dscp < 0 && digits > 0 && digits <= 4 && text[digits + (is_hex ? 2 : 0)] == '\0')
        dscp = (int)strtol(text, NULL, is_hex ? 16 : 10);
    if (dscp < 0 || dscp > DSCP_MAX)
        return false;
    *dscp_r = dscp;
    return true;
}

static bool is_control(char c)
{
    return (unsigned char)c < ' ' || c == 0x7f;
}

bool settings_value_command(const char *text)
{
    char why[COMMAND_WHY_SIZE];

    return text[0] == '\0' || (strlen(text) <= COMMAND_MAX_LEN && command_is_good(text, why));
}

bool settings_value_path(const char *text)
{
    size_t len = strlen(text);

    if (text[0] != '/' || text[1] == '\0' || len > PATH_MAX_LEN)
        return false;
    for (size_t i = 0; i < len; i++)
        if (is_control(text[i]))
            return false;
    for (const char *name = text; *name != '\0'; name += strcspn(name, "/")) {
        name++;
        size_t name_len = strcspn(name, "/");

        if (name_len == 0 || (name_len == 1 && name[0] == '.') ||
            (name_len == 2 && strncmp(name, "..", 2) == 0))
            return false;
    }
    return true;
}

bool settings_value_user(const char *text)
{
    size_t len = strlen(text);

    if (len == 0 || len > USER_MAX_LEN || (!is_letter(text[0]) && text[0] != '_'))
        return false;
    for (const char *p = text; *p != '\0'; p++)
        if (!is_letter(*p) && !is_digit(*p) && strchr("_-.", *p) == NULL)
            return false;
    return true;
}

bool settings_value_flag(const char *text, bool *flag_r)
{
    bool is_yes = strcmp(text, "yes") == 0;

    if (!is_yes && strcmp(text, "no") != 0)
        return false;
    *flag_r = is_yes;
    return true;
}
