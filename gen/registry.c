/* registry - the list of instances that Postfix itself keeps */
#include "gen/registry.h"

#include <stdlib.h>
#include <string.h>

#include "admin/mem.h"
#include "admin/postconf.h"
#include "admin/process.h"

static void add_dir(struct registry *registry, const char *dir, size_t len)
{
    registry->dirs = mem_resize(registry->dirs, registry->dir_count + 1, sizeof *registry->dirs);
    registry->dirs[registry->dir_count++] = mem_dup_len(dir, len);
}

void registry_init(struct registry *registry, const char *template_dir, bool with_postmulti,
                   const struct pairs *template_main)
{
    static const char separators[] = ", \t";
    const char *list = pairs_get(template_main, "multi_instance_directories");
    const char *wrapper = pairs_get(template_main, "multi_instance_wrapper");
    const char *enable = pairs_get(template_main, "multi_instance_enable");

    *registry = (struct registry){.with_postmulti = with_postmulti};
    registry->template_dir = mem_dup(template_dir);
    registry->ready =
        wrapper != NULL && wrapper[0] != '\0' && enable != NULL && strcmp(enable, "yes") == 0;
    while (list != NULL && *(list += strspn(list, separators)) != '\0') {
        size_t len = strcspn(list, separators);

        add_dir(registry, list, len);
        list += len;
    }
}

void registry_deinit(struct registry *registry)
{
    for (size_t i = 0; i < registry->dir_count; i++)
        free(registry->dirs[i]);
    free(registry->dirs);
    free(registry->template_dir);
    *registry = (struct registry){0};
}

bool registry_has(const struct registry *registry, const char *dir)
{
    for (size_t i = 0; i < registry->dir_count; i++)
        if (strcmp(registry->dirs[i], dir) == 0)
            return true;
    return false;
}

/* Write the list below --root. */
static bool write_dirs(const struct registry *registry)
{
    struct pairs main = {0};
    char *list = mem_dup("");
    bool good;

    for (size_t i = 0; i < registry->dir_count; i++) {
        char *longer = mem_printf("%s%s%s", list, i > 0 ? " " : "", registry->dirs[i]);

        free(list);
        list = longer;
    }
    pairs_set(&main, "multi_instance_directories", list);
    good = postconf_set_main(registry->template_dir, &main);
    pairs_deinit(&main);
    free(list);
    return good;
}

/* Run postmulti, which edits the main.cf of the default instance, and of dir if it is not NULL. */
static bool run_postmulti(const struct registry *registry, const char *const argv[],
                          const char *dir)
{
    return process_run(argv) && postconf_cool_down(registry->template_dir) &&
           (dir == NULL || postconf_cool_down(dir));
}

bool registry_prepare(struct registry *registry)
{
    static const char *const init[] = {"postmulti", "-e", "init", NULL};
    struct pairs main = {0};
    bool good;

    if (registry->ready)
        return true;
    if (registry->with_postmulti)
        return run_postmulti(registry, init, NULL);
    pairs_set(&main, "multi_instance_wrapper", "${command_directory}/postmulti -p --");
    pairs_set(&main, "multi_instance_enable", "yes");
    good = postconf_set_main(registry->template_dir, &main);
    pairs_deinit(&main);
    return good;
}

/* Import a folder, or give one that is there already its name, and see that it is not enabled. */
static bool add_with_postmulti(const struct registry *registry, const struct plan *plan)
{
    char *setting = mem_printf("config_directory=%s", plan->dir);
    const char *const import[] = {
        "postmulti", "-I", plan->registered_name, "-G", PLAN_GROUP, "-e", "import", setting, NULL};
    const char *const assign[] = {"postmulti", "-i", plan->dir, "-I", plan->registered_name, "-G",
                                  PLAN_GROUP,  "-e", "assign",  NULL};
    const char *const disable[] = {"postmulti", "-i", plan->registered_name, "-e", "disable", NULL};
    bool good =
        run_postmulti(registry, registry_has(registry, plan->dir) ? assign : import, plan->dir) &&
        run_postmulti(registry, disable, plan->dir);

    free(setting);
    return good;
}

bool registry_add(struct registry *registry, const struct plan *plan)
{
    if (registry->with_postmulti && !add_with_postmulti(registry, plan))
        return false;
    if (!registry_has(registry, plan->dir))
        add_dir(registry, plan->dir, strlen(plan->dir));
    return registry->with_postmulti || write_dirs(registry);
}

static void drop_dir(struct registry *registry, const char *dir)
{
    size_t kept = 0;

    for (size_t i = 0; i < registry->dir_count; i++)
        if (strcmp(registry->dirs[i], dir) == 0)
            free(registry->dirs[i]);
        else
            registry->dirs[kept++] = registry->dirs[i];
    registry->dir_count = kept;
}

bool registry_remove(struct registry *registry, const char *dir, const char *name)
{
    const char *const disable[] = {"postmulti", "-i", name, "-e", "disable", NULL};
    const char *const deport[] = {"postmulti", "-i", name, "-e", "deport", NULL};
    bool good;

    if (registry->with_postmulti) {
        good = run_postmulti(registry, disable, dir) && run_postmulti(registry, deport, dir);
        drop_dir(registry, dir);
        return good;
    }
    drop_dir(registry, dir);
    return write_dirs(registry);
}
