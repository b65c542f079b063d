/* flow_fixture - made-up queue files that move; to be included by one file */
#ifndef PEG_FLOW_FIXTURE_H
#define PEG_FLOW_FIXTURE_H

#include "tests/unit/queues_fixture.h"

#define FRONTEND "var/spool/postfix-frontend/"
#define URGENT "var/spool/postfix-urgent/"
#define POSTFIX0 "var/spool/postfix0/"
#define TWO "PRIORITY_COUNT=2\nDEFAULT_PRIORITY=0\n"
#define THREE "PRIORITY_COUNT=3\nDEFAULT_PRIORITY=0\n"

enum { OCTETS = 1234, RECIPIENTS = 3 }; /* of each message */

/* A queue file with the records that Postfix begins them with. */
static void make_message(const char *root, const char *below)
{
    char path[PATH_SIZE];
    FILE *file;

    path_in(root, below, path);
    file = fopen(path, "wx");
    assert_non_null(file);
    fprintf(file, "C_%15d %15d %15d %15d %15d %15d", OCTETS, 200, RECIPIENTS, 0, OCTETS, 0);
    fprintf(file, "T\0211790000000 123456");
    fprintf(file, "S\005a@b.c");
    assert_int_equal(fclose(file), 0);
}

static void rename_in(const char *root, const char *from, const char *to)
{
    char old[PATH_SIZE], new[PATH_SIZE];

    path_in(root, from, old);
    path_in(root, to, new);
    assert_int_equal(rename(old, new), 0);
}

static void remove_in(const char *root, const char *below)
{
    char path[PATH_SIZE];

    path_in(root, below, path);
    assert_int_equal(remove(path), 0);
}

static void make_both(const char *root)
{
    make_queues(root, FRONTEND);
    make_queues(root, POSTFIX0);
}

/* A link to itself in place of a folder: it cannot be opened, whoever tries. */
static inline void break_folder(const char *root, const char *below)
{
    char path[PATH_SIZE];

    remove_in(root, below);
    path_in(root, below, path);
    assert_int_equal(symlink(path, path), 0);
}

#endif
