/* test_snapshot - a cdb file that others can read, replaced as a whole, and believed with care */
#include "store/snapshot.h"

#include <cdb.h>

#include "tests/unit/snapshot_fixture.h"

static void assert_entry(struct snapshot_reader *reader, enum snapshot_kind kind, const char *key,
                         const char *value)
{
    struct snapshot_entry entry;

    assert_true(snapshot_next(reader, &entry));
    assert_int_equal(entry.kind, kind);
    assert_int_equal(entry.key_len, strlen(key));
    assert_memory_equal(entry.key, key, entry.key_len);
    assert_int_equal(entry.value_len, strlen(value));
    assert_memory_equal(entry.value, value, entry.value_len);
}

static void what_was_added_is_read_in_order(void **state)
{
    struct snapshot_reader reader;
    struct snapshot_entry entry;
    struct folder_file file;
    struct stat status;
    char path[PATH_MAX];

    (void)state;
    umask(0177);
    put_snapshot();
    umask(022);
    assert_names("decisions.cdb ");
    assert_int_equal(stat(path_of(FOLDER_SNAPSHOT, path), &status), 0);
    assert_int_equal(status.st_mode & 07777, 0640);
    file = map_snapshot();
    assert_true(snapshot_read(&reader, &file));
    assert_true(reader.is_whole);
    assert_entry(&reader, SNAPSHOT_CLAIM, "bob@dest.example", claim_value);
    assert_entry(&reader, SNAPSHOT_MESSAGE, "4XyZ0", message_text);
    assert_entry(&reader, SNAPSHOT_CLAIM, "eve@dest.example", "0 5XyZ0 - 2026-11-22T19:04:43.123Z");
    assert_false(snapshot_next(&reader, &entry));
    assert_false(snapshot_next(&reader, &entry));
    assert_true(reader.is_whole);
    assert_int_equal(reader.damaged, 0);
    folder_unmap(&file);
}

/* As cdb(1) finds it. The value in file_r, to be unmapped with cdb_free(). */
static void assert_found(struct cdb *cdb, const char *key, const char *value, const char *behind)
{
    const char *seen;
    size_t len = strlen(value) + SUM_TEXT_LEN + strlen(behind);

    assert_int_equal(cdb_find(cdb, key, (unsigned)strlen(key)), 1);
    assert_int_equal(cdb_datalen(cdb), len);
    seen = cdb_getdata(cdb);
    assert_memory_equal(seen, value, strlen(value));
    assert_int_equal(strspn(seen + strlen(value), "0123456789abcdef"), SUM_TEXT_LEN);
    assert_memory_equal(seen + strlen(value) + SUM_TEXT_LEN, behind, strlen(behind));
}

static void any_reader_of_cdb_finds_it(void **state)
{
    struct cdb cdb;
    unsigned position;
    char path[PATH_MAX];
    int fd, count = 0;

    (void)state;
    put_snapshot();
    fd = open(path_of(FOLDER_SNAPSHOT, path), O_RDONLY | O_CLOEXEC);
    assert_int_equal(cdb_init(&cdb, fd), 0);
    assert_found(&cdb, "bob@dest.example", "4 4XyZ0 8 2026-11-22T19:04:43.123Z ", "");
    assert_found(&cdb, "4XyZ0", message_text, "\n");
    assert_found(&cdb, ":peg", "1 ", "");
    assert_int_equal(cdb_find(&cdb, "carl@dest.example", 17), 0);
    cdb_seqinit(&position, &cdb);
    while (cdb_seqnext(&position, &cdb) == 1)
        count++;
    assert_int_equal(count, 4);
    cdb_free(&cdb);
    close(fd);
}

/* Sums are kept on disk: the same today as when an older program wrote them. */
static void sums_do_not_change(void **state)
{
    static const char head[] = "\4\0\0\0\22\0\0\0:peg1 6f3de0dc75a072fd";
    static const char claim[] = "\20\0\0\0\63\0\0\0bob@dest.example"
                                "4 4XyZ0 8 2026-11-22T19:04:43.123Z e7af53a1ffa62e74";
    unsigned char *bytes;
    size_t len;

    (void)state;
    put_snapshot();
    bytes = get_file(FOLDER_SNAPSHOT, &len);
    assert_memory_equal(bytes + 2048, head, sizeof head - 1);
    assert_memory_equal(bytes + 2048 + sizeof head - 1, claim, sizeof claim - 1);
    free(bytes);
}

static void an_empty_one_is_whole(void **state)
{
    struct snapshot_writer *writer = create();
    struct snapshot_reader reader;
    struct snapshot_entry entry;
    struct folder_file file;

    (void)state;
    assert_true(snapshot_commit(&writer));
    file = map_snapshot();
    assert_true(snapshot_read(&reader, &file));
    assert_true(reader.is_whole);
    assert_false(snapshot_next(&reader, &entry));
    assert_int_equal(reader.damaged, 0);
    folder_unmap(&file);
}

static void entries_may_be_long_and_of_any_bytes(void **state)
{
    enum { LONG = 1000000, COUNT = 3000 };
    struct snapshot_writer *writer = create();
    struct snapshot_reader reader;
    struct snapshot_entry entry;
    struct folder_file file;
    char *text = malloc(LONG + 1), key[32];

    (void)state;
    assert_non_null(text);
    memset(text, 'x', LONG);
    text[LONG - 1] = '\n';
    text[LONG] = '\0';
    snapshot_add_message(writer, "4XyZ0", text, LONG);
    snapshot_add_claim(writer, "a\n\377\0b", 5, "\n\n", 2);
    for (int n = 0; n < COUNT; n++) {
        snprintf(key, sizeof key, "user%d@dest.example", n);
        add_claim(writer, key, claim_value);
    }
    assert_true(snapshot_commit(&writer));
    file = map_snapshot();
    assert_true(snapshot_read(&reader, &file));
    assert_true(reader.is_whole);
    assert_entry(&reader, SNAPSHOT_MESSAGE, "4XyZ0", text);
    assert_true(snapshot_next(&reader, &entry));
    assert_int_equal(entry.kind, SNAPSHOT_CLAIM);
    assert_memory_equal(entry.key, "a\n\377\0b", 5);
    assert_int_equal(entry.value_len, 2);
    for (int n = 0; n < COUNT; n++) {
        snprintf(key, sizeof key, "user%d@dest.example", n);
        assert_entry(&reader, SNAPSHOT_CLAIM, key, claim_value);
    }
    assert_false(snapshot_next(&reader, &entry));
    folder_unmap(&file);
    free(text);
}

/* Writing */

static void all_is_synced_before_it_is_relied_on(void **state)
{
    struct snapshot_writer *writer = create();

    (void)state;
    assert_true(snapshot_commit(&writer));
    assert_int_equal(syncs, 2); /* file and folder */
}

static void add_many_claims(struct snapshot_writer *writer)
{
    char key[32];

    for (int n = 0; n < 1000; n++) {
        snprintf(key, sizeof key, "user%d@dest.example", n);
        add_claim(writer, key, claim_value);
    }
}

static void what_fails_leaves_the_old_one(void **state)
{
    enum { SIZE = 96984 }; /* of the new one: it has room for all but cdb's index, or its end */
    static const rlim_t limits[] = {0, 1000, 2048, 4096, 50000, SIZE - 16100, SIZE - 1, SIZE};
    unsigned char *old;
    size_t old_len;

    (void)state;
    put_snapshot();
    old = get_file(FOLDER_SNAPSHOT, &old_len);
    for (size_t n = 0; n < LENGTH(limits); n++) {
        struct snapshot_writer *writer = create();
        bool done;

        limit_files(limits[n]);
        sync_error = limits[n] == SIZE ? EIO : 0;
        add_many_claims(writer);
        done = snapshot_commit(&writer);
        limit_files(RLIM_INFINITY);
        assert_false(done);
        assert_int_equal(errno, limits[n] == SIZE ? EIO : EFBIG);
        assert_null(writer);
        assert_names("decisions.cdb ");
        assert_file(FOLDER_SNAPSHOT, old, old_len);
    }
    free(old);
}

static void giving_up_leaves_nothing(void **state)
{
    struct snapshot_writer *writer = create();

    (void)state;
    add_claim(writer, "bob@dest.example", claim_value);
    snapshot_abandon(&writer);
    assert_null(writer);
    assert_names("");
    snapshot_abandon(&writer);
}

static void what_a_predecessor_left_behind_goes(void **state)
{
    struct snapshot_writer *writer;

    (void)state;
    put_file(FOLDER_SNAPSHOT ".new", "half", 4);
    put_snapshot();
    assert_names("decisions.cdb ");
    put_file(FOLDER_SNAPSHOT ".new", "half", 4);
    writer = create();
    snapshot_abandon(&writer);
    assert_names("decisions.cdb ");
}

static void a_folder_that_is_not_there_is_an_error(void **state)
{
    char long_path[PATH_MAX + 10];

    (void)state;
    assert_null(snapshot_create("/nonexistent/folder"));
    assert_int_equal(errno, ENOENT);
    memset(long_path, 'x', sizeof long_path);
    long_path[sizeof long_path - 1] = '\0';
    assert_null(snapshot_create(long_path));
    assert_int_equal(errno, ENAMETOOLONG);
}

static void messages_are_found_by_queue_id(void **state)
{
    struct snapshot_writer *writer = create();
    struct folder_file file;
    const char *text;
    size_t len;

    (void)state;
    add_claim(writer, "4XyZ0", claim_value); /* a recipient without a domain */
    snapshot_add_message(writer, "4XyZ01", "other\n", 6);
    snapshot_add_message(writer, "4XyZ0", message_text, sizeof message_text - 1);
    assert_true(snapshot_commit(&writer));
    file = map_snapshot();
    assert_true(snapshot_find_message(&file, "4XyZ0", &text, &len));
    assert_int_equal(len, sizeof message_text - 1);
    assert_memory_equal(text, message_text, len);
    assert_false(snapshot_find_message(&file, "4XyZ", &text, &len));
    assert_false(snapshot_find_message(&file, "", &text, &len));
    folder_unmap(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(what_was_added_is_read_in_order),
        WITH_FOLDER(any_reader_of_cdb_finds_it),
        WITH_FOLDER(sums_do_not_change),
        WITH_FOLDER(an_empty_one_is_whole),
        WITH_FOLDER(entries_may_be_long_and_of_any_bytes),
        WITH_FOLDER(all_is_synced_before_it_is_relied_on),
        WITH_FOLDER(what_fails_leaves_the_old_one),
        WITH_FOLDER(giving_up_leaves_nothing),
        WITH_FOLDER(what_a_predecessor_left_behind_goes),
        WITH_FOLDER(a_folder_that_is_not_there_is_an_error),
        WITH_FOLDER(messages_are_found_by_queue_id),
    };

    return cmocka_run_group_tests_name("snapshot", tests, NULL, NULL);
}
