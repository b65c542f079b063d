/* difference_print - the changes of one configuration folder as lines that an operator can read */
#include "gen/difference.h"

#include <stdlib.h>
#include <string.h>

#include "gen/cf_text.h"
#include "admin/mem.h"

/* `FILE: name = value (was: old)`, FILE being main.cf or master.cf of the folder. */
static void print_change(FILE *out, const struct difference *d, const char *file,
                         const struct pair *change, const char *was)
{
    fprintf(out, "%s/%s: %s =%s%s ", d->plan->dir, file, change->name,
            change->value[0] != '\0' ? " " : "", change->value);
    if (was == NULL)
        fprintf(out, "(was: not set)\n");
    else
        fprintf(out, "(was: %s)\n", was[0] != '\0' ? was : "empty");
}

/* An entry of master.cf in parts: "base" -> the fields and the command, "-o name" -> value. */
static void split_entry(const char *entry, struct pairs *parts)
{
    static const char mark[] = " -o ";
    const char *next = strstr(entry, mark);
    char *base = mem_dup_len(entry, next != NULL ? (size_t)(next - entry) : strlen(entry));

    pairs_set(parts, "base", base);
    free(base);
    while (next != NULL) {
        const char *option = next + strlen(mark);
        const char *equals = strchr(option, '=');
        char *name;
        char *value;

        next = strstr(option, mark);
        size_t len = next != NULL ? (size_t)(next - option) : strlen(option);
        size_t name_len = equals != NULL && equals < option + len ? (size_t)(equals - option) : len;

        name = mem_printf("-o %.*s", (int)name_len, option);
        value = mem_dup_len(option + name_len, len - name_len);
        pairs_set(parts, name, value);
        free(name);
        free(value);
    }
}

/* The options by which two entries differ, a line each. */
static void print_service_change(FILE *out, const struct difference *d, const struct pair *change,
                                 const char *was)
{
    struct pairs fresh = {0};
    struct pairs old = {0};

    split_entry(change->value, &fresh);
    split_entry(was, &old);
    for (size_t i = 0; i < fresh.count; i++) {
        const struct pair *part = &fresh.items[i];
        const char *old_value = pairs_get(&old, part->name);
        bool base = strcmp(part->name, "base") == 0;

        if (old_value == NULL || strcmp(old_value, part->value) != 0)
            fprintf(out, "%s/master.cf: %s: %s%s (was: %s)\n", d->plan->dir, change->name,
                    base ? "" : part->name, part->value,
                    old_value == NULL ? "not set" : old_value + (base ? 0 : 1));
    }
    for (size_t i = 0; i < old.count; i++)
        if (pairs_get(&fresh, old.items[i].name) == NULL)
            fprintf(out, "%s/master.cf: %s: no more %s%s\n", d->plan->dir, change->name,
                    old.items[i].name, old.items[i].value);
    pairs_deinit(&fresh);
    pairs_deinit(&old);
}

/* New entries without their options, thirty of which would hide what matters. */
static void print_service(FILE *out, const struct difference *d, const struct pair *change)
{
    const char *was = difference_present_service(d, change->name);
    struct pairs parts = {0};

    if (was != NULL) {
        print_service_change(out, d, change, was);
        return;
    }
    split_entry(change->value, &parts);
    fprintf(out, "%s/master.cf: new service: %s", d->plan->dir, pairs_get(&parts, "base"));
    if (parts.count == 2)
        fprintf(out, " %s%s", parts.items[1].name, parts.items[1].value);
    else if (parts.count > 2)
        fprintf(out, ", with %zu options", parts.count - 1);
    fputc('\n', out);
    pairs_deinit(&parts);
}

void difference_print(FILE *out, const struct difference *difference)
{
    const struct difference *d = difference;

    if (d->create)
        fprintf(out, "%s: new folder, copied from the template; no chroot, no inet services\n",
                d->plan->dir);
    for (size_t i = 0; i < d->folders.count; i++)
        fprintf(out, "%s: new folder\n", d->folders.items[i].name);
    for (size_t i = 0; i < d->files.count; i++)
        fprintf(out, "%s: %s\n", d->files.items[i].name,
                pairs_get(&d->present->files, d->files.items[i].name) != NULL ? "new contents"
                                                                              : "new file");
    if (d->alias_index)
        fprintf(out, "%s: new index (postalias)\n", d->plan->alias_table);
    for (size_t i = 0; i < d->main.count; i++)
        print_change(out, d, "main.cf", &d->main.items[i],
                     pairs_get(&d->present->conf.main, d->main.items[i].name));
    for (size_t i = 0; i < d->removed.count; i++)
        fprintf(out, "%s/master.cf: no more service %s\n", d->plan->dir, d->removed.items[i].name);
    for (size_t i = 0; i < d->services.count; i++)
        print_service(out, d, &d->services.items[i]);
    for (size_t i = 0; i < d->options.count; i++)
        print_change(out, d, "master.cf", &d->options.items[i],
                     pairs_get(&d->present->conf.options, d->options.items[i].name));
    for (int file = CF_MAIN; file <= CF_MASTER; file++)
        if (d->marks[file])
            fprintf(out, "%s/%s: comments that name what peg-gen keeps\n", d->plan->dir,
                    cf_file_name((enum cf_file)file));
    if (d->owner)
        fprintf(out, "%s: the queue changes its owner to %s (was: %s)\n", d->plan->queue_dir,
                pairs_get(&d->plan->main, "mail_owner"), d->present->owner);
    if (d->registration)
        fprintf(out, "%s: registered as instance %s\n", d->plan->dir, d->plan->registered_name);
}
