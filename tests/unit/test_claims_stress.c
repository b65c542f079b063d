/*
 * test_claims_stress - one writer and several readers at once: no answer is ever a wrong one
 *
 * The writer claims random keys for random priorities and moves time on; readers look up. A live
 * claim must be what every reader is answered. And what a reader was answered may stand in a cache
 * of Postfix for 30 s: until then no key may be claimed for another priority; nor for a lifetime,
 * where the answer was a claim's. Some mail is put on hold for long, and its claim stays: one
 * reader looks into the queue.
 *
 * In threads the bare slots are used, with hashes that collide, so that claims are moved as often
 * as can be; in processes a table in a file, as the daemons use it.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "table/slots.h"
#include "table/table.h"
#include "tests/unit/unit.h"

enum {
    LIFETIME_MS = 60000,
    CACHED_MS = 30000,
    HELD = 8, /* messages on hold at one time */
    DEFAULT = 2,
    KEYS = 512,
    IN_USE = 24, /* keys at one time */
    CAPACITY = 120,
    HOT_KEYS = 12,
    HOT_CAPACITY = 10,
    HOMES = 3,
    READERS = 2,
    CLAIMS = 500000
};

struct stress {
    _Atomic int64_t now_ms;
    _Atomic int done;
    _Atomic unsigned wrong;
    _Atomic uint64_t answers; /* readers were really at work */
    _Atomic uint64_t scans;
    _Atomic uint64_t kept; /* held mail had a claim that was older than its lifetime */
    /* What mail on hold needs, per message: key << 8 | priority + 1, or 0. */
    _Atomic uint64_t held[HELD];
    /* Per key the last claim, and per reader and key the last answer: time << 8 | priority + 1. */
    _Atomic uint64_t claimed[KEYS];
    _Atomic uint64_t answered[READERS][KEYS];
    _Atomic uint64_t used[READERS][KEYS]; /* ... and the last answer that was a claim's */
};

struct subject { /* slots or a table */
    struct slots *slots;
    struct table *table;
};

static struct stress *stress;
static bool is_hot; /* a few keys, whose claims expire all the time */

static struct slots_hash hash_of(unsigned key)
{
    return (struct slots_hash){{(uint64_t)(key % HOMES) * (UINT64_MAX / HOMES), key}};
}

static void name_key(unsigned key, char name_r[32])
{
    snprintf(name_r, 32, "user%u@dest.example", key);
}

/* Whether there is a claim. */
static bool look_up(struct subject *subject, unsigned key, int64_t now_ms, int *priority_r)
{
    struct slots_hash hash = hash_of(key);
    char name[32];

    name_key(key, name);
    return (subject->slots != NULL
                ? slots_lookup(subject->slots, &hash, DEFAULT, now_ms, priority_r)
                : table_lookup(subject->table, name, strlen(name), DEFAULT, now_ms, priority_r)) ==
           1;
}

static enum table_claim claim(struct subject *subject, unsigned key, int priority, int64_t now_ms)
{
    struct slots_hash hash = hash_of(key);
    char name[32];

    name_key(key, name);
    return subject->slots != NULL
               ? slots_claim(subject->slots, &hash, priority, LIFETIME_MS, now_ms)
               : table_claim(subject->table, name, strlen(name), priority, LIFETIME_MS, now_ms);
}

static int refresh(struct subject *subject, unsigned key, int64_t now_ms)
{
    struct slots_hash hash = hash_of(key);
    char name[32];

    name_key(key, name);
    return subject->slots != NULL ? slots_refresh(subject->slots, &hash, now_ms)
                                  : table_refresh(subject->table, name, strlen(name), now_ms);
}

/*
 * Which keys are in use wanders with the time, so that claims expire, are swept, and moved; some
 * uses are of keys that are just about to expire.
 */
static unsigned pick_key(unsigned *seed, int64_t now_ms)
{
    int64_t first = now_ms / 1000 + KEYS;

    if (is_hot)
        return (unsigned)(rand_r(seed) % HOT_KEYS);
    if (rand_r(seed) % 8 == 0)
        return (unsigned)((first - LIFETIME_MS / 1000 - rand_r(seed) % 4) % KEYS);
    return (unsigned)((first + rand_r(seed) % IN_USE) % KEYS);
}

static uint64_t note(int priority, int64_t now_ms)
{
    return (uint64_t)now_ms << 8 | (uint64_t)(priority + 1);
}

static bool is_otherwise(uint64_t noted, int priority, int64_t now_ms, int64_t valid_ms)
{
    return noted != 0 && (int)(noted & 0xff) != priority + 1 &&
           now_ms - (int64_t)(noted >> 8) < valid_ms;
}

/* One complete look into the queue. */
static void scan(struct subject *subject)
{
    int64_t began_ms = atomic_load(&stress->now_ms);

    for (unsigned n = 0; n < HELD; n++) {
        uint64_t held = atomic_load(&stress->held[n]);

        if (held != 0 && refresh(subject, (unsigned)(held >> 8), began_ms) == 0 &&
            atomic_load(&stress->held[n]) == held)
            atomic_fetch_add(&stress->wrong, 1);
    }
    if (subject->slots != NULL)
        slots_scanned(subject->slots, began_ms, true);
    else
        table_scanned(subject->table, began_ms, true);
    atomic_fetch_add(&stress->scans, 1);
}

static void read_until_done(struct subject *subject, unsigned reader)
{
    unsigned seed = reader;

    while (!atomic_load(&stress->done)) {
        int64_t now_ms = atomic_load(&stress->now_ms);
        unsigned key = pick_key(&seed, now_ms);
        uint64_t claimed = atomic_load(&stress->claimed[key]);
        int priority = -1;
        bool found = look_up(subject, key, now_ms, &priority);

        if (found)
            atomic_store(&stress->used[reader][key], note(priority, now_ms));
        atomic_store(&stress->answered[reader][key], note(priority, now_ms));
        if (is_otherwise(claimed, priority, atomic_load(&stress->now_ms), LIFETIME_MS))
            atomic_fetch_add(&stress->wrong, 1);
        if (atomic_fetch_add(&stress->answers, 1) % 4 == 0 && reader == 0 && !is_hot)
            scan(subject);
    }
}

/* What is claimed for another priority than mail on hold needs, is claimed wrongly. Of the messages
 * on hold one changes now and then. */
static void hold(unsigned *seed, unsigned key, int priority, int64_t now_ms)
{
    uint64_t needed = (uint64_t)key << 8 | (uint64_t)(priority + 1);
    unsigned place = (unsigned)rand_r(seed) % (is_hot ? 1 : HELD);

    for (unsigned n = 0; n < HELD; n++) {
        uint64_t held = atomic_load(&stress->held[n]);

        if (held != 0 && held >> 8 == key && held != needed)
            atomic_fetch_add(&stress->wrong, 1);
        if (held == needed &&
            now_ms - (int64_t)(atomic_load(&stress->claimed[key]) >> 8) > 2 * LIFETIME_MS)
            atomic_fetch_add(&stress->kept, 1);
    }
    if (rand_r(seed) % 512 == 0)
        atomic_store(&stress->held[place], needed);
}

static void write_claims(struct subject *subject)
{
    unsigned seed = 99;

    for (unsigned n = 0; n < CLAIMS; n++) {
        int64_t now_ms = atomic_load(&stress->now_ms);
        unsigned key = pick_key(&seed, now_ms);
        int priority = rand_r(&seed) % 5;

        if (claim(subject, key, priority, now_ms) == TABLE_CLAIMED) {
            hold(&seed, key, priority, now_ms);
            atomic_store(&stress->claimed[key], note(priority, now_ms));
            for (unsigned reader = 0; reader < READERS; reader++)
                if (is_otherwise(atomic_load(&stress->answered[reader][key]), priority, now_ms,
                                 CACHED_MS) ||
                    is_otherwise(atomic_load(&stress->used[reader][key]), priority, now_ms,
                                 LIFETIME_MS))
                    atomic_fetch_add(&stress->wrong, 1);
        }
        if (is_hot) /* as often as time passes */
            scan(subject);
        atomic_fetch_add(&stress->now_ms, rand_r(&seed) % (is_hot ? LIFETIME_MS / 3 : 100));
    }
    atomic_store(&stress->done, 1);
}

static int make_stress(void **state)
{
    (void)state;
    stress = mmap(NULL, sizeof *stress, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return stress == MAP_FAILED ? -1 : 0;
}

static int remove_stress(void **state)
{
    (void)state;
    return munmap(stress, sizeof *stress);
}

static void *reader_thread(void *arg)
{
    static _Atomic unsigned next;

    read_until_done(arg, atomic_fetch_add(&next, 1) % READERS);
    return NULL;
}

static void run_threads(size_t capacity)
{
    struct slots slots = {.capacity = capacity, .count = slots_needed(capacity)};
    struct subject subject = {.slots = &slots};
    pthread_t threads[READERS];

    slots.shared = calloc(1, sizeof *slots.shared);
    slots.slot = calloc(slots.count, sizeof *slots.slot);
    assert_true(slots.shared != NULL && slots.slot != NULL);
    for (unsigned n = 0; n < READERS; n++)
        assert_int_equal(pthread_create(&threads[n], NULL, reader_thread, &subject), 0);
    write_claims(&subject);
    for (unsigned n = 0; n < READERS; n++)
        pthread_join(threads[n], NULL);
    assert_int_equal(atomic_load(&stress->wrong), 0);
    assert_true(atomic_load(&stress->answers) > 1000);
    assert_true(atomic_load(&stress->scans) > 100);
    assert_true(atomic_load(&stress->kept) > 0);
    assert_true(atomic_load(&slots.shared->moves) > 1000);
    free(slots.shared);
    free(slots.slot);
}

static void readers_in_threads_are_never_answered_wrongly(void **state)
{
    (void)state;
    run_threads(CAPACITY);
}

static void nor_where_all_claims_are_about_to_expire(void **state)
{
    (void)state;
    is_hot = true;
    run_threads(HOT_CAPACITY);
    is_hot = false;
}

static pid_t start_reader(const struct table_config *config, unsigned reader)
{
    char why[TABLE_WHY_SIZE];
    struct subject subject = {0};
    pid_t pid = fork();

    if (pid != 0)
        return pid;
    subject.table = table_open(config, TABLE_READER, 0, why);
    if (subject.table == NULL)
        _exit(1);
    read_until_done(&subject, reader);
    _exit(0);
}

static void readers_in_processes_are_never_answered_wrongly(void **state)
{
    char folder[] = "/tmp/peg-stress-XXXXXX", path[64], lock[64], why[TABLE_WHY_SIZE];
    const struct table_config config = {.path = path, .lock_path = lock, .capacity = CAPACITY};
    struct subject subject = {0};
    pid_t pids[READERS];

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/decisions", folder);
    snprintf(lock, sizeof lock, "%s/lock", folder);
    subject.table = table_open(&config, TABLE_WRITER, 0, why);
    assert_non_null(subject.table);
    for (unsigned n = 0; n < READERS; n++)
        assert_true((pids[n] = start_reader(&config, n)) > 0);
    write_claims(&subject);
    for (unsigned n = 0; n < READERS; n++) {
        int status = -1;

        assert_int_equal(waitpid(pids[n], &status, 0), pids[n]);
        assert_int_equal(status, 0);
    }
    assert_int_equal(atomic_load(&stress->wrong), 0);
    assert_true(atomic_load(&stress->answers) > 1000);
    assert_true(atomic_load(&stress->scans) > 100);
    assert_true(atomic_load(&stress->kept) > 0);
    table_close(&subject.table);
    unlink(path);
    unlink(lock);
    assert_int_equal(rmdir(folder), 0);
}

#define WITH_STRESS(test) cmocka_unit_test_setup_teardown(test, make_stress, remove_stress)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_STRESS(readers_in_threads_are_never_answered_wrongly),
        WITH_STRESS(nor_where_all_claims_are_about_to_expire),
        WITH_STRESS(readers_in_processes_are_never_answered_wrongly),
    };

    return cmocka_run_group_tests_name("claims under stress", tests, NULL, NULL);
}
