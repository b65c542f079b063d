/* settings_store - check a parameter's value by its kind, and store it where its row says */
#include "lib/settings_table.h"

#include <stdlib.h>
#include <string.h>

#include "lib/settings_values.h"

static void free_list(char **list)
{
    for (size_t i = 0; list != NULL && list[i] != NULL; i++)
        free(list[i]);
    free(list);
}

/* Split text at blanks into so many services or more, each a good one and none twice; NULL where
 * that fails. */
static char **parse_listen(const char *text, size_t least)
{
    static const char blanks[] = " \t\n";
    char **list = calloc(strlen(text) / 2 + 2, sizeof *list);
    size_t count = 0;
    bool good = list != NULL;

    for (text += strspn(text, blanks); good && *text != '\0'; text += strspn(text, blanks)) {
        size_t len = strcspn(text, blanks);
        char *service = strndup(text, len);

        list[count] = service;
        good = service != NULL && settings_value_inet_service(service);
        for (size_t i = 0; good && i < count; i++)
            good = strcmp(list[i], service) != 0;
        count++;
        text += len;
    }
    if (!good || count < least) {
        free_list(list);
        return NULL;
    }
    return list;
}

static bool store_text(char **text, const char *value)
{
    char *copy = strdup(value);

    if (copy == NULL)
        return false;
    free(*text);
    *text = copy;
    return true;
}

static bool store_listen(char ***list, const char *value, size_t least)
{
    char **services = parse_listen(value, least);

    if (services == NULL)
        return false;
    free_list(*list);
    *list = services;
    return true;
}

static bool store_endpoint(struct settings *settings, const char *value)
{
    char *host;

    if (!settings_value_endpoint(value, &host, &settings->tcpmap_port))
        return false;
    free(settings->tcpmap_host);
    settings->tcpmap_host = host;
    return true;
}

/* A whole number or a time, which fits where it goes since its range is that of its row. */
static bool store_number(const struct settings_parameter *p, void *place, const char *value)
{
    long number;

    if (p->kind == KIND_TIME ? !settings_value_time_s(value, p->min, p->max, &number)
                             : !settings_value_number(value, p->min, p->max, &number))
        return false;
    if (p->kind == KIND_SIZE)
        *(size_t *)place = (size_t)number;
    else
        *(int *)place = (int)number;
    return true;
}

bool settings_table_store(const struct settings_parameter *p, void *base, const char *value)
{
    void *place = (char *)base + p->offset;

    switch (p->kind) {
    case KIND_NUMBER:
    case KIND_SIZE:
    case KIND_TIME:
        return store_number(p, place, value);
    case KIND_RELAY:
        return settings_value_relay_host(value) && store_text(place, value);
    case KIND_USER:
    case KIND_GROUP: /* names of both are made alike (useradd(8), groupadd(8)) */
        return settings_value_user(value) && store_text(place, value);
    case KIND_FLAG:
        return settings_value_flag(value, place);
    case KIND_LISTEN:
        return store_listen(place, value, (size_t)p->min);
    case KIND_ENDPOINT:
        return store_endpoint(base, value);
    case KIND_DSCP:
        return settings_value_dscp(value, place);
    case KIND_COMMAND:
        return settings_value_command(value) && store_text(place, value);
    case KIND_PATH:
        return settings_value_path(value) && store_text(place, value);
    case KIND_SOCKET:
        return (*value == '\0' || settings_value_path(value)) && store_text(place, value);
    case KIND_NEXTHOP:
        return settings_value_nexthop(value) && store_text(place, value);
    }
    return false;
}

void settings_table_free_instance(struct settings_instance *instance)
{
    free(instance->bounce_command);
    free(instance->nexthop);
}

void settings_table_free(struct settings *settings)
{
    free(settings->relay_host);
    free_list(settings->frontend_listen);
    free_list(settings->urgent_listen);
    free(settings->tcpmap_host);
    free(settings->daemon_user);
    free(settings->monitoring_dir);
    free(settings->monitoring_group);
    free(settings->agentx_socket);
    settings_table_free_instance(&settings->frontend);
    settings_table_free_instance(&settings->urgent);
    for (int n = 0; n < SETTINGS_PRIORITY_MAX; n++)
        settings_table_free_instance(&settings->instance[n]);
}
