/* template - make a configuration folder from another, the first time */
#include "gen/template.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "admin/files.h"
#include "admin/mem.h"
#include "admin/postconf.h"
#include "lib/file.h"

/* What is Postfix's own in a configuration folder, which all instances share (postfix-files). */
static const char *const shared_files[] = {"main.cf",          "master.cf",      "main.cf.proto",
                                           "master.cf.proto",  "dynamicmaps.cf", "postfix-files",
                                           "postfix-script",   "post-install",   "makedefs.out",
                                           "dynamicmaps.cf.d", "postfix-files.d"};

const char *const template_own_settings[] = {"multi_instance_wrapper",
                                             "multi_instance_directories",
                                             "multi_instance_name",
                                             "multi_instance_group",
                                             "multi_instance_enable",
                                             "alternate_config_directories",
                                             NULL};

/* Copy dir/name to other/name. */
static bool copy_named(const char *dir, const char *other, const char *name)
{
    char *from = mem_printf("%s/%s", dir, name);
    char *to = mem_printf("%s/%s", other, name);
    bool good = files_copy(from, to);

    free(from);
    free(to);
    return good;
}

static bool mentions_config_directory(const char *dir, const char *name)
{
    char *path = mem_printf("%s/%s", dir, name);
    size_t len;
    char *text = file_read(path, FILES_CF_SIZE_MAX, &len);
    bool found = text != NULL && (strstr(text, "$config_directory") != NULL ||
                                  strstr(text, "${config_directory}") != NULL ||
                                  strstr(text, "$(config_directory)") != NULL);

    free(text);
    free(path);
    return found;
}

static bool is_shared(const char *name)
{
    bool shared = false;

    for (size_t i = 0; i < sizeof shared_files / sizeof shared_files[0]; i++)
        shared = shared || strcmp(name, shared_files[i]) == 0;
    return shared;
}

static bool copy_folder(const char *from, const char *to);

/* A file or a folder; what else there may be, and links to folders, are left. */
static bool copy_entry(const char *from, const char *to, const char *name)
{
    char *source = mem_printf("%s/%s", from, name);
    char *target = mem_printf("%s/%s", to, name);
    bool good = true;
    struct stat st;

    if (files_is_file(source))
        good = files_copy(source, target);
    else if (lstat(source, &st) == 0 && S_ISDIR(st.st_mode) && name[0] != '.')
        good = files_make_folder(target, st.st_mode & 07777, NULL) && copy_folder(source, target);
    free(source);
    free(target);
    return good;
}

/* Copy what is the operator's own in a folder, and in the folders in it. */
static bool copy_folder(const char *from, const char *to)
{
    DIR *stream = opendir(from);
    struct dirent *entry;
    bool good = stream != NULL;

    if (!good)
        fprintf(stderr, "%s: %m\n", from);
    while (good && (entry = readdir(stream)) != NULL)
        if (!is_shared(entry->d_name))
            good = copy_entry(from, to, entry->d_name);
    if (stream != NULL)
        closedir(stream);
    return good;
}

/* Tables that main.cf names as hash:$config_directory/virtual have to be in the copy too. */
static bool copy_tables(const char *template_dir, const char *dir)
{
    return (!mentions_config_directory(template_dir, "main.cf") &&
            !mentions_config_directory(template_dir, "master.cf")) ||
           copy_folder(template_dir, dir);
}

/*
 * Take out what a copy must not have. Services listen on ports of the template, which one Postfix
 * only can have. And chroot is off since a chrooted service needs copies of files of /etc in each
 * queue directory.
 */
static bool strip(const char *dir)
{
    struct postconf conf;
    struct pairs inet = {0};
    struct pairs own = {0};
    bool good;

    if (!postconf_read(dir, &conf))
        return false;
    for (size_t i = 0; template_own_settings[i] != NULL; i++)
        if (pairs_get(&conf.main, template_own_settings[i]) != NULL)
            pairs_set(&own, template_own_settings[i], "");
    for (size_t i = 0; i < conf.services.count; i++) {
        const char *name = conf.services.items[i].name;

        if (strcmp(name + strcspn(name, "/"), "/inet") == 0)
            pairs_set(&inet, name, "");
    }
    good = postconf_remove_main(dir, &own) && postconf_remove_services(dir, &inet) &&
           postconf_no_chroot(dir);
    pairs_deinit(&own);
    pairs_deinit(&inet);
    postconf_deinit(&conf);
    return good;
}

bool template_fill(const char *template_dir, const char *dir)
{
    return copy_named(template_dir, dir, "main.cf") && copy_named(template_dir, dir, "master.cf") &&
           copy_tables(template_dir, dir) && strip(dir);
}

char *template_proto_dir(void)
{
    static const char *const parameters[] = {"meta_directory", "config_directory"};

    for (size_t i = 0; i < 2; i++) {
        char *dir = postconf_builtin(parameters[i]);
        char *main = mem_printf("%s/main.cf.proto", dir != NULL ? dir : "");
        char *master = mem_printf("%s/master.cf.proto", dir != NULL ? dir : "");
        bool found = dir != NULL && files_is_file(main) && files_is_file(master);

        free(main);
        free(master);
        if (found)
            return dir;
        free(dir);
    }
    return NULL;
}

/* Take over from the default instance how Postfix was installed; what it leaves open stays open. */
static bool set_installation(const char *root, const char *dir)
{
    static const char *const parameters[] = {
        "command_directory", "daemon_directory",  "meta_directory",   "mail_owner",
        "setgid_group",      "sendmail_path",     "mailq_path",       "newaliases_path",
        "html_directory",    "manpage_directory", "sample_directory", "readme_directory",
        "shlib_directory"};
    char *default_dir = postconf_builtin("config_directory");
    struct postconf conf = {0};
    struct pairs set = {0};
    struct pairs open = {0};
    bool good = default_dir != NULL && postconf_read(default_dir, &conf);

    for (size_t i = 0; good && i < sizeof parameters / sizeof parameters[0]; i++) {
        const char *value = pairs_get(&conf.main, parameters[i]);

        pairs_set(value != NULL && value[0] != '\0' ? &set : &open, parameters[i],
                  value != NULL ? value : "");
    }
    pairs_setf(&set, "queue_directory", "%s/var/spool/postfix", root);
    pairs_setf(&set, "data_directory", "%s/var/lib/postfix", root);
    good = good && postconf_comment_out(dir, &open) && postconf_set_main(dir, &set);
    postconf_deinit(&conf);
    pairs_deinit(&set);
    pairs_deinit(&open);
    free(default_dir);
    return good;
}

bool template_make(const char *root, const char *template_dir)
{
    char *proto_dir = template_proto_dir();
    char *unfinished = mem_printf("%s.peg-gen", template_dir);
    char *paths[4] = {mem_printf("%s/main.cf.proto", proto_dir != NULL ? proto_dir : ""),
                      mem_printf("%s/main.cf", unfinished),
                      mem_printf("%s/master.cf.proto", proto_dir != NULL ? proto_dir : ""),
                      mem_printf("%s/master.cf", unfinished)};
    bool good;

    files_remove_folder(unfinished);
    good = proto_dir != NULL && files_make_folder(unfinished, 0755, NULL) &&
           files_copy(paths[0], paths[1]) && files_copy(paths[2], paths[3]) &&
           set_installation(root, unfinished);
    if (good && rename(unfinished, template_dir) != 0) {
        fprintf(stderr, "%s: cannot be made: %m\n", template_dir);
        good = false;
    }
    if (!good)
        files_remove_folder(unfinished);
    for (size_t i = 0; i < 4; i++)
        free(paths[i]);
    free(proto_dir);
    free(unfinished);
    return good;
}
