/* test_table_sharing - who makes or replaces a table while others run */
#include "table/table.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/table_fixture.h"
#include "tests/unit/unit.h"

/* A maker stops within recover() until it is told to go on. */
struct gate {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool reached;
    bool open;
};

static void pass_gate(void *arg)
{
    struct gate *gate = arg;

    pthread_mutex_lock(&gate->lock);
    gate->reached = true;
    pthread_cond_broadcast(&gate->changed);
    while (!gate->open)
        pthread_cond_wait(&gate->changed, &gate->lock);
    pthread_mutex_unlock(&gate->lock);
}

static void wait_at_gate(struct gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    while (!gate->reached)
        pthread_cond_wait(&gate->changed, &gate->lock);
    pthread_mutex_unlock(&gate->lock);
}

static void open_gate(struct gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    gate->open = true;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->lock);
}

/* table_open() in a thread. */
struct opening {
    pthread_t thread;
    enum table_role role;
    struct recovery recovery;
    struct table *table;
    char why[TABLE_WHY_SIZE];
};

static void *open_in_thread(void *arg)
{
    struct opening *opening = arg;
    const struct table_config config = {.path = path,
                                        .lock_path = lock_path,
                                        .capacity = CAPACITY,
                                        .recover = recover,
                                        .arg = &opening->recovery};

    opening->table = table_open(&config, opening->role, START_MS, opening->why);
    return NULL;
}

static void start_opening(struct opening *opening)
{
    assert_int_equal(pthread_create(&opening->thread, NULL, open_in_thread, opening), 0);
}

static void finish_opening(struct opening *opening)
{
    pthread_join(opening->thread, NULL);
    if (opening->table == NULL)
        fail_msg("%s", opening->why);
}

/* The writer's lock is the first byte of the lock file. */
static bool is_writer_there(void)
{
    struct flock range = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};
    int fd = open(lock_path, O_RDWR | O_CLOEXEC);
    bool is_locked;

    assert_true(fd >= 0);
    assert_int_equal(fcntl(fd, F_OFD_GETLK, &range), 0);
    is_locked = range.l_type != F_UNLCK;
    close(fd);
    return is_locked;
}

static void a_writer_waits_for_a_reader_that_makes_the_table(void **state)
{
    struct gate gate = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, false};
    struct opening reader = {
        .role = TABLE_READER,
        .recovery = {.keys = {"bob@dest.example"}, .meanwhile = pass_gate, .arg = &gate}};
    struct opening writer = {.role = TABLE_WRITER, .recovery = {.keys = {"zoe@dest.example"}}};

    (void)state;
    start_opening(&reader);
    wait_at_gate(&gate);
    assert_false(is_writer_there());
    start_opening(&writer);
    while (!is_writer_there())
        sched_yield();
    open_gate(&gate);
    finish_opening(&reader);
    finish_opening(&writer);
    assert_int_equal(reader.recovery.calls, 1);
    assert_int_equal(writer.recovery.calls, 0);
    assert_true(table_is_current(reader.table));
    assert_true(table_is_current(writer.table));
    assert_priority(writer.table, "bob@dest.example", 4);
    assert_int_equal(table_counter(writer.table, TABLE_COUNT_RECOVERIES), 1);
    claim(writer.table, "eve@dest.example", 1);
    assert_priority(reader.table, "eve@dest.example", 1);
    table_close(&reader.table);
    table_close(&writer.table);
}

static void others_do_not_wait_for_who_makes_the_table(void **state)
{
    static const enum table_role makers[] = {TABLE_WRITER, TABLE_READER};

    (void)state;
    for (size_t n = 0; n < LENGTH(makers); n++) {
        struct gate gate = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, false};
        struct opening maker = {
            .role = makers[n],
            .recovery = {.keys = {"bob@dest.example"}, .meanwhile = pass_gate, .arg = &gate}};
        struct recovery recovery = {.keys = {"zoe@dest.example"}};
        struct table *reader;

        start_opening(&maker);
        wait_at_gate(&gate);
        assert_not_opened(TABLE_READER, &recovery, "there is none");
        assert_not_opened(TABLE_GUEST, &recovery, path);
        open_gate(&gate);
        finish_opening(&maker);
        reader = open_recovering(TABLE_READER, &recovery);
        assert_priority(reader, "bob@dest.example", 4);
        assert_int_equal(recovery.calls, 0);
        table_close(&reader);
        table_close(&maker.table);
        assert_int_equal(unlink(path), 0);
    }
}

static void a_writer_makes_the_table_that_a_reader_could_not(void **state)
{
    struct recovery failing = {.fails = true}, recovery = {.keys = {"bob@dest.example"}};
    struct table *writer;

    (void)state;
    assert_not_opened(TABLE_READER, &failing, "fire");
    writer = open_recovering(TABLE_WRITER, &recovery); /* no lock was left */
    assert_priority(writer, "bob@dest.example", 4);
    table_close(&writer);
    assert_int_equal(unlink(path), 0);
    assert_not_opened(TABLE_WRITER, &failing, "fire");
    writer = open_recovering(TABLE_READER, &recovery);
    assert_priority(writer, "bob@dest.example", 4);
    table_close(&writer);
}

static void a_reader_makes_none_while_a_writer_runs(void **state)
{
    struct recovery recovery = {.keys = {"zoe@dest.example"}};
    struct table *writer = open_table(TABLE_WRITER), *reader;

    (void)state;
    assert_int_equal(unlink(path), 0);
    assert_not_opened(TABLE_READER, &recovery, "there is none");
    assert_non_null(strstr(why, path));
    assert_false(is_beside(""));
    assert_int_equal(recovery.calls, 0);
    table_close(&writer);
    reader = open_recovering(TABLE_READER, &recovery);
    assert_priority(reader, "zoe@dest.example", 4);
    table_close(&reader);
}

static void a_guest_makes_nothing(void **state)
{
    struct recovery recovery = {.keys = {"zoe@dest.example"}};
    struct table *writer, *guest;

    (void)state;
    assert_not_opened(TABLE_GUEST, &recovery, path);
    assert_false(is_beside("") || access(lock_path, F_OK) == 0 || is_beside(".new"));
    writer = open_table(TABLE_WRITER);
    claim(writer, "bob@dest.example", 4);
    guest = try_open(TABLE_GUEST, 5 * CAPACITY, &recovery);
    assert_non_null(guest);
    assert_priority(guest, "bob@dest.example", 4);
    assert_int_equal(table_refresh(guest, "bob@dest.example", 16, 2 * START_MS), 1);
    assert_true(table_is_current(guest));
    assert_int_equal(recovery.calls, 0);
    table_close(&guest);
    table_close(&writer);
}

static void what_cannot_be_read_is_named_while_a_writer_runs(void **state)
{
    struct table *writer = open_table(TABLE_WRITER);

    (void)state;
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_not_opened(TABLE_READER, NULL, "irectory");
    assert_int_equal(claim_at(writer, "bob@dest.example", 4, START_MS), TABLE_FULL);
    assert_int_equal(rmdir(path), 0);
    table_close(&writer);
}

/* A reader's answer to a key without a claim, just before the writer starts anew. */
static void another_capacity_takes_everything_along(void **state)
{
    struct recovery recovery = {.keys = {"bob@dest.example"}, .is_unsure = true};
    struct table *writer = open_recovering(TABLE_WRITER, &recovery);
    struct table *reader = open_table(TABLE_READER);

    (void)state;
    table_count(writer, TABLE_COUNT_PLAIN, 5);
    assert_int_equal(look_up(reader, "eve@dest.example", START_MS + 20000), DEFAULT);
    table_close(&writer);
    writer = try_open(TABLE_WRITER, 5 * CAPACITY, &recovery);
    assert_non_null(writer);
    assert_int_equal(table_stats(writer).capacity, 5 * CAPACITY);
    assert_priority(writer, "bob@dest.example", 4);
    assert_false(table_is_current(reader));
    assert_true(table_is_unsure(writer));
    assert_int_equal(table_counter(writer, TABLE_COUNT_PLAIN), 5);
    assert_int_equal(table_counter(writer, TABLE_COUNT_MISSES), 1);
    assert_int_equal(table_counter(writer, TABLE_COUNT_RECOVERIES), 1);
    assert_int_equal(recovery.calls, 1);
    assert_int_equal(claim_at(writer, "bob@dest.example", 4, START_MS + 30000), TABLE_TOO_EARLY);
    for (int n = 0; n < 2; n++)
        table_scanned(writer, START_MS, true);
    assert_int_equal(claim_at(writer, "eve@dest.example", 4, START_MS + 50000), TABLE_CONFLICT);
    assert_int_equal(claim_at(writer, "bob@dest.example", 4, START_MS + 50000), TABLE_CLAIMED);
    table_close(&reader);
    table_close(&writer);
}

/* While claims were taken over, a reader went on with the table that they were taken from. */
static void what_a_replaced_table_answered_last_is_not_known(void **state)
{
    struct table *writer = open_table(TABLE_WRITER);

    (void)state;
    claim(writer, "bob@dest.example", 4);
    table_close(&writer);
    writer = try_open(TABLE_WRITER, 5 * CAPACITY, NULL);
    assert_non_null(writer);
    assert_int_equal(claim_at(writer, "eve@dest.example", 4, START_MS + 30000), TABLE_TOO_EARLY);
    assert_int_equal(claim_at(writer, "bob@dest.example", 4, START_MS + 30000), TABLE_TOO_EARLY);
    assert_int_equal(table_counter(writer, TABLE_COUNT_CONFLICTS), 2);
    assert_int_equal(claim_at(writer, "eve@dest.example", 4, START_MS + 60000), TABLE_CLAIMED);
    table_close(&writer);
}

static void a_reader_uses_a_table_of_any_capacity(void **state)
{
    struct table *writer = open_table(TABLE_WRITER);
    struct table *reader = try_open(TABLE_READER, 5 * CAPACITY, NULL);

    (void)state;
    assert_non_null(reader);
    assert_int_equal(table_stats(reader).capacity, CAPACITY);
    assert_true(table_is_current(writer));
    table_close(&reader);
    table_close(&writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(a_writer_waits_for_a_reader_that_makes_the_table),
        WITH_FOLDER(others_do_not_wait_for_who_makes_the_table),
        WITH_FOLDER(a_writer_makes_the_table_that_a_reader_could_not),
        WITH_FOLDER(a_reader_makes_none_while_a_writer_runs),
        WITH_FOLDER(a_guest_makes_nothing),
        WITH_FOLDER(what_cannot_be_read_is_named_while_a_writer_runs),
        WITH_FOLDER(another_capacity_takes_everything_along),
        WITH_FOLDER(what_a_replaced_table_answered_last_is_not_known),
        WITH_FOLDER(a_reader_uses_a_table_of_any_capacity),
    };

    return cmocka_run_group_tests_name("table sharing", tests, NULL, NULL);
}
