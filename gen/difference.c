/* difference - what has to be changed in one configuration folder, and how to say so */
#include "gen/difference.h"

#include <stdlib.h>
#include <string.h>

#include "gen/marks.h"
#include "admin/mem.h"

void present_deinit(struct present *present)
{
    free(present->text[CF_MAIN]);
    free(present->text[CF_MASTER]);
    free(present->owner);
    postconf_deinit(&present->conf);
    pairs_deinit(&present->files);
    pairs_deinit(&present->folders);
}

bool difference_has_word(const char *list, const char *word, const char *dollar_name)
{
    static const char separators[] = ", \t\n{}$()";

    for (list += strspn(list, separators); *list != '\0'; list += strspn(list, separators)) {
        size_t len = strcspn(list, separators);

        if (strlen(word) == len && memcmp(list, word, len) == 0)
            return true;
        if (dollar_name != NULL && strlen(dollar_name) == len &&
            memcmp(list, dollar_name, len) == 0)
            return true;
        list += len;
    }
    return false;
}

char *difference_with_word(const char *list, const char *word, bool front, const char *dollar_name)
{
    if (list == NULL || list[0] == '\0')
        return mem_dup(word);
    if (difference_has_word(list, word, dollar_name))
        return NULL;
    return front ? mem_printf("%s, %s", word, list) : mem_printf("%s, %s", list, word);
}

static void compare(struct pairs *changes, const struct pairs *planned, const struct pairs *there)
{
    for (size_t i = 0; i < planned->count; i++) {
        const struct pair *pair = &planned->items[i];
        const char *value = pairs_get(there, pair->name);

        if (value == NULL || strcmp(value, pair->value) != 0)
            pairs_set(changes, pair->name, pair->value);
    }
}

static void add_missing(struct pairs *changes, const struct pairs *planned,
                        const struct pairs *there)
{
    for (size_t i = 0; i < planned->count; i++)
        if (pairs_get(there, planned->items[i].name) == NULL)
            pairs_set(changes, planned->items[i].name, planned->items[i].value);
}

static void compare_words(struct difference *d, const struct pairs *words, bool front)
{
    for (size_t i = 0; i < words->count; i++) {
        const struct pair *pair = &words->items[i];
        const char *changed = pairs_get(&d->main, pair->name);
        const char *list =
            changed != NULL ? changed : pairs_get(&d->present->conf.main, pair->name);
        /* non_smtpd_milters = $smtpd_milters is common, and then ours is in it. */
        const char *dollar_name =
            strcmp(pair->name, "non_smtpd_milters") == 0 ? "smtpd_milters" : NULL;
        char *longer = difference_with_word(list, pair->value, front, dollar_name);

        if (longer != NULL)
            pairs_set(&d->main, pair->name, longer);
        free(longer);
    }
}

static bool is_inet(const char *service_name)
{
    const char *slash = strchr(service_name, '/');

    return slash != NULL && strcmp(slash, "/inet") == 0;
}

const char *difference_present_service(const struct difference *d, const char *name)
{
    if (d->create && is_inet(name))
        return NULL;
    return pairs_get(&d->present->conf.services, name);
}

static void compare_services(struct difference *d)
{
    const struct pairs *there = &d->present->conf.services;
    const struct plan *plan = d->plan;

    for (size_t i = 0; i < plan->services.count; i++) {
        const struct pair *pair = &plan->services.items[i];
        const char *entry = difference_present_service(d, pair->name);

        if (entry == NULL || strcmp(entry, pair->value) != 0)
            pairs_set(&d->services, pair->name, pair->value);
    }
    for (size_t i = 0; i < plan->absent.count; i++)
        if (difference_present_service(d, plan->absent.items[i].name) == NULL)
            pairs_set(&d->services, plan->absent.items[i].name, plan->absent.items[i].value);
    for (size_t i = 0; !d->create && i < there->count; i++)
        if (plan_is_outdated(plan, there->items[i].name, there->items[i].value))
            pairs_set(&d->removed, there->items[i].name, there->items[i].value);
}

/* Whether comments are missing, or stand where they should not, in a file that may be right else.
 */
static bool marks_differ(const struct difference *d, enum cf_file file)
{
    const char *text = d->present->text[file];
    struct pairs marks;
    struct cf_text cf;
    char *marked;
    bool differ;

    if (d->create || text == NULL)
        return false;
    marks_of_plan(d->plan, file, &marks);
    cf_text_parse(text, file, &cf);
    marks_put(&cf, &marks);
    marked = cf_text_format(&cf);
    differ = strcmp(text, marked) != 0;
    free(marked);
    cf_text_deinit(&cf);
    pairs_deinit(&marks);
    return differ;
}

void difference_compute(struct difference *difference, const struct plan *plan,
                        const struct present *present)
{
    struct difference *d = difference;

    *d = (struct difference){.plan = plan, .present = present};
    d->create = !present->exists;
    d->registration = !present->registered;
    if (pairs_get(&present->folders, plan->queue_dir) == NULL)
        pairs_set(&d->folders, plan->queue_dir, "");
    if (pairs_get(&present->folders, plan->data_dir) == NULL)
        pairs_set(&d->folders, plan->data_dir, "");
    if (plan->bounce_dir != NULL && pairs_get(&present->folders, plan->bounce_dir) == NULL)
        pairs_set(&d->folders, plan->bounce_dir, "");
    compare(&d->files, &plan->files, &present->files);
    add_missing(&d->files, &plan->initial, &present->files);
    d->alias_index = plan->alias_table != NULL && !present->alias_index;
    compare(&d->main, &plan->main, &present->conf.main);
    add_missing(&d->main, &plan->unset, &present->conf.main);
    compare_words(d, &plan->first, true);
    compare_words(d, &plan->last, false);
    compare_services(d);
    compare(&d->options, &plan->options, &present->conf.options);
    for (int file = CF_MAIN; file <= CF_MASTER; file++)
        d->marks[file] = marks_differ(d, (enum cf_file)file);
    const char *owner = pairs_get(&plan->main, "mail_owner");

    d->owner = owner != NULL && present->owner != NULL && strcmp(owner, present->owner) != 0;
}

void difference_deinit(struct difference *difference)
{
    pairs_deinit(&difference->folders);
    pairs_deinit(&difference->files);
    pairs_deinit(&difference->main);
    pairs_deinit(&difference->services);
    pairs_deinit(&difference->options);
    pairs_deinit(&difference->removed);
}

size_t difference_count(const struct difference *difference)
{
    const struct difference *d = difference;

    return (d->create ? 1u : 0u) + (d->registration ? 1u : 0u) + (d->owner ? 1u : 0u) +
           (d->alias_index ? 1u : 0u) + (d->marks[CF_MAIN] ? 1u : 0u) +
           (d->marks[CF_MASTER] ? 1u : 0u) + d->folders.count + d->files.count + d->main.count +
           d->services.count + d->options.count + d->removed.count;
}
