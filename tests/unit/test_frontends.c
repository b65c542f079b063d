/* test_frontends - whose queues are asked before a decision is forgotten */
#include "keeper/frontends.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/message_name.h"
#include "tests/unit/settings_of.h"
#include "tests/unit/unit.h"

static char root[64];

static char *at(const char *below, char path_r[128])
{
    snprintf(path_r, 128, "%s%s", root, below);
    return path_r;
}

static void make(const char *folder)
{
    char path[128];

    assert_int_equal(mkdir(at(folder, path), 0755), 0);
}

/* A postconf that prints this list, or fails where it is NULL. */
static void put_postconf(const char *list)
{
    char path[128];
    FILE *file = fopen(at("/postconf", path), "we");

    assert_non_null(file);
    fprintf(file, "#!/bin/sh\n%s %s\n", list != NULL ? "echo" : "exit 1", list != NULL ? list : "");
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, 0755), 0);
}

static int set_up(void **state)
{
    char path[128];

    (void)state;
    strcpy(root, "/tmp/peg-frontends-XXXXXX");
    if (mkdtemp(root) == NULL || !log_open("test", LOG_TO_STDERR, NULL))
        return -1;
    snprintf(path, sizeof path, "%s:/usr/bin:/bin", root);
    setenv("PATH", path, 1);
    make("/etc");
    make("/var");
    make("/var/spool");
    put_postconf(NULL); /* nobody is to need it */
    return 0;
}

static int tear_down(void **state)
{
    static const char *const folders[] = {"/var/spool/postfix-urgent", "/var/spool", "/var",
                                          "/etc/postfix-urgent", "/etc"};
    char path[128];

    (void)state;
    unlink(at("/postconf", path));
    for (size_t i = 0; i < LENGTH(folders); i++)
        rmdir(at(folders[i], path));
    return rmdir(root);
}

/* The folders that are asked, as one text; "?" where that cannot be told. */
static const char *asked(const char *conf, char text_r[256])
{
    struct settings *settings = settings_of(root, conf);
    struct frontends found;
    bool is_known = frontends_find(settings, &found);

    strcpy(text_r, is_known ? "" : "?");
    for (size_t i = 0; is_known && i < found.count; i++) {
        char name[SETTINGS_NAME_SIZE];

        settings_instance_name(found.items[i].instance, name);
        assert_string_equal(strrchr(found.items[i].folder, '/') + 1, name);
        assert_int_equal(strncmp(found.items[i].folder, root, strlen(root)), 0);
        strcat(strcat(text_r, name), " ");
    }
    settings_free(&settings);
    return text_r;
}

#define SET "URGENT_LISTEN=26\n"

static void one_that_was_never_made_is_not_asked(void **state)
{
    char text[256];

    (void)state;
    assert_string_equal(asked("", text), "postfix-frontend ");
    assert_string_equal(asked(SET, text), "postfix-frontend ");
}

static void one_that_the_settings_name_is_asked(void **state)
{
    char text[256];

    (void)state;
    make("/etc/postfix-urgent");
    assert_string_equal(asked(SET, text), "postfix-urgent postfix-frontend ");
}

/* Somebody removed its configuration: the queue is still there, and nobody can answer for it. */
static void one_of_which_the_queue_alone_is_left_is_asked(void **state)
{
    char text[256];

    (void)state;
    make("/var/spool/postfix-urgent");
    assert_string_equal(asked(SET, text), "postfix-urgent postfix-frontend ");
}

static void one_that_was_taken_away_is_asked_as_long_as_postfix_has_it(void **state)
{
    char text[256], list[256];

    (void)state;
    make("/etc/postfix-urgent");
    snprintf(list, sizeof list, "%s/etc/postfix-urgent.old, %s/etc/postfix-urgent", root, root);
    put_postconf(list);
    assert_string_equal(asked("", text), "postfix-urgent postfix-frontend ");
    snprintf(list, sizeof list, "%s/etc/postfix-urgent.old %s/etc/postfix0", root, root);
    put_postconf(list);
    assert_string_equal(asked("", text), "postfix-frontend ");
    put_postconf("");
    assert_string_equal(asked("", text), "postfix-frontend ");
}

static void where_that_cannot_be_told_it_is_an_error(void **state)
{
    char text[256];

    (void)state;
    make("/etc/postfix-urgent");
    assert_string_equal(asked("", text), "?");
}

static void messages_of_both_have_names_that_differ(void **state)
{
    char urgent[MESSAGE_NAME_SIZE], frontend[MESSAGE_NAME_SIZE];

    (void)state;
    message_name(PEG_URGENT, "4XyZ0", urgent);
    message_name(PEG_FRONTEND, "4XyZ0", frontend);
    assert_string_equal(urgent, "urgent/4XyZ0");
    assert_string_equal(frontend, "4XyZ0");
}

#define BELOW(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BELOW(one_that_was_never_made_is_not_asked),
        BELOW(one_that_the_settings_name_is_asked),
        BELOW(one_of_which_the_queue_alone_is_left_is_asked),
        BELOW(one_that_was_taken_away_is_asked_as_long_as_postfix_has_it),
        BELOW(where_that_cannot_be_told_it_is_an_error),
        cmocka_unit_test(messages_of_both_have_names_that_differ),
    };

    return cmocka_run_group_tests_name("frontends", tests, NULL, NULL);
}
