/* postconf - read and write a Postfix configuration folder, through Postfix's own postconf(1) */
#include "admin/postconf.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "admin/mem.h"
#include "admin/process.h"

/* Run postconf -c DIR FLAGS. Returns its output, NULL after an error. */
static char *run(const char *dir, const char *flags)
{
    const char *const argv[] = {"postconf", "-c", dir, flags, NULL};

    return process_output(argv);
}

/* Cut the next line off *text; NULL at the end. */
static char *next_line(char **text)
{
    char *line;

    do {
        line = strsep(text, "\n");
    } while (line != NULL && line[0] == '\0');
    return line;
}

/* Take `name = value` lines apart. */
static void parse_settings(char *text, struct pairs *pairs)
{
    char *line;

    while ((line = next_line(&text)) != NULL) {
        char *equals = strchr(line, '=');
        char *value;

        if (equals == NULL)
            continue;
        value = equals + 1 + strspn(equals + 1, " ");
        while (equals > line && equals[-1] == ' ')
            equals--;
        *equals = '\0';
        pairs_set(pairs, line, value);
    }
}

/* Make runs of blanks single ones, in place. */
static void single_blanks(char *text)
{
    char *to = text;

    for (const char *from = text; *from != '\0'; from++)
        if (*from != ' ' || (to > text && to[-1] != ' '))
            *to++ = *from;
    while (to > text && to[-1] == ' ')
        to--;
    *to = '\0';
}

/* Take master.cf entries apart, one a line: the first two words name the service. */
static void parse_services(char *text, struct pairs *services)
{
    char *line;

    while ((line = next_line(&text)) != NULL) {
        single_blanks(line);
        size_t name_len = strcspn(line, " ");
        const char *type = line + name_len + strspn(line + name_len, " ");
        char *name = mem_printf("%.*s/%.*s", (int)name_len, line, (int)strcspn(type, " "), type);

        pairs_set(services, name, line);
        free(name);
    }
}

bool postconf_read(const char *dir, struct postconf *conf_r)
{
    char *main = run(dir, "-n");
    char *services = main != NULL ? run(dir, "-M") : NULL;
    char *options = services != NULL ? run(dir, "-P") : NULL;

    if (options != NULL) {
        *conf_r = (struct postconf){0};
        parse_settings(main, &conf_r->main);
        parse_services(services, &conf_r->services);
        parse_settings(options, &conf_r->options);
    }
    bool good = options != NULL;

    free(main);
    free(services);
    free(options);
    return good;
}

void postconf_deinit(struct postconf *conf)
{
    pairs_deinit(&conf->main);
    pairs_deinit(&conf->services);
    pairs_deinit(&conf->options);
}

struct postconf postconf_copy(const struct postconf *conf)
{
    struct postconf copy = {0};

    pairs_add_all(&copy.main, &conf->main);
    pairs_add_all(&copy.services, &conf->services);
    pairs_add_all(&copy.options, &conf->options);
    return copy;
}

bool postconf_runs(const char *entry, const char *programs)
{
    size_t len;

    for (int n = 0; n < 7; n++) { /* the program is the eighth word */
        entry += strcspn(entry, " ");
        entry += strspn(entry, " ");
    }
    len = strcspn(entry, " ");
    while (len > 0 && *programs != '\0') {
        size_t program_len = strcspn(programs, " ");

        if (program_len == len && strncmp(programs, entry, len) == 0)
            return true;
        programs += program_len;
        programs += strspn(programs, " ");
    }
    return false;
}

static char *first_line(char *text)
{
    if (text != NULL)
        text[strcspn(text, "\n")] = '\0';
    return text;
}

char *postconf_expanded(const char *dir, const char *parameter)
{
    const char *const here[] = {"postconf", "-c", dir, "-hx", parameter, NULL};
    const char *const by_default[] = {"postconf", "-hx", parameter, NULL};

    return first_line(process_output(dir != NULL ? here : by_default));
}

char *postconf_builtin(const char *parameter)
{
    const char *const argv[] = {"postconf", "-dhx", parameter, NULL};

    return first_line(process_output(argv));
}

char *postconf_table_types(void)
{
    static const char *const argv[] = {"postconf", "-m", NULL};

    return process_output(argv);
}

bool postconf_cool_down(const char *dir)
{
    char *path = mem_printf("%s/main.cf", dir);
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = time(NULL) - 3}};
    bool good = utimensat(AT_FDCWD, path, times, 0) == 0;

    if (!good)
        fprintf(stderr, "%s: its time cannot be set: %m\n", path);
    free(path);
    return good;
}

/* Run postconf -c DIR FLAGS with an argument for each pair: its name, then `=` and the value. */
static bool edit(const char *dir, const char *flags, const struct pairs *pairs, bool with_values)
{
    size_t fixed = 4;
    const char **argv;
    bool good;

    if (pairs->count == 0)
        return true;
    argv = mem_resize(NULL, fixed + pairs->count + 1, sizeof *argv);
    argv[0] = "postconf";
    argv[1] = "-c";
    argv[2] = dir;
    argv[3] = flags;
    for (size_t i = 0; i < pairs->count; i++)
        argv[fixed + i] = with_values
                              ? mem_printf("%s=%s", pairs->items[i].name, pairs->items[i].value)
                              : mem_dup(pairs->items[i].name);
    argv[fixed + pairs->count] = NULL;
    good = process_run(argv) && postconf_cool_down(dir);
    for (size_t i = 0; i < pairs->count; i++)
        free((void *)(uintptr_t)argv[fixed + i]);
    free(argv);
    return good;
}

bool postconf_set_main(const char *dir, const struct pairs *main)
{
    return edit(dir, "-e", main, true);
}

bool postconf_set_services(const char *dir, const struct pairs *services)
{
    return edit(dir, "-Me", services, true);
}

bool postconf_set_options(const char *dir, const struct pairs *options)
{
    return edit(dir, "-Pe", options, true);
}

bool postconf_remove_services(const char *dir, const struct pairs *services)
{
    return edit(dir, "-MX", services, false);
}

bool postconf_remove_main(const char *dir, const struct pairs *main)
{
    return edit(dir, "-X", main, false);
}

bool postconf_comment_out(const char *dir, const struct pairs *main)
{
    return edit(dir, "-#", main, false);
}

bool postconf_no_chroot(const char *dir)
{
    const char *const argv[] = {"postconf", "-c", dir, "-Fe", "*/*/chroot=n", NULL};

    return process_run(argv);
}
