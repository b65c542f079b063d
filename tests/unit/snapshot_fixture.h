/* snapshot_fixture - a small snapshot; to be included by one file */
#ifndef PEG_SNAPSHOT_FIXTURE_H
#define PEG_SNAPSHOT_FIXTURE_H

#include "store/snapshot.h"
#include "store/sum.h"
#include "tests/unit/store_fixture.h"

static const char message_text[] = "4XyZ0 2026-11-22T19:04:43.123Z plain\n4 8 + bob@dest.example\n";
static const char claim_value[] = "4 4XyZ0 8 2026-11-22T19:04:43.123Z";

enum { TAIL_LEN = SUM_TEXT_LEN + 1 };

static struct snapshot_writer *UNUSED create(void)
{
    struct snapshot_writer *writer = snapshot_create(folder);

    if (writer == NULL)
        fail_msg("%s", strerror(errno));
    return writer;
}

static void UNUSED add_claim(struct snapshot_writer *writer, const char *key, const char *value)
{
    snapshot_add_claim(writer, key, strlen(key), value, strlen(value));
}

/* Two claims, and a message between them. */
static void UNUSED put_snapshot(void)
{
    struct snapshot_writer *writer = create();

    add_claim(writer, "bob@dest.example", claim_value);
    snapshot_add_message(writer, "4XyZ0", message_text, sizeof message_text - 1);
    add_claim(writer, "eve@dest.example", "0 5XyZ0 - 2026-11-22T19:04:43.123Z");
    assert_true(snapshot_commit(&writer));
    assert_null(writer);
}

static struct folder_file UNUSED map_snapshot(void)
{
    struct folder_file file;
    char path[PATH_MAX];

    assert_int_equal(folder_map(path_of(FOLDER_SNAPSHOT, path), &file), 1);
    return file;
}

#endif
