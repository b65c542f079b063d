/*
 * test_slots_killed - a writer that is killed at any moment leaves a table that can be gone on with
 *
 * While a claim is moved, the place that it goes to or comes from says so (TAG_MOVING), or the
 * claim stands in both. That is what a writer that is killed leaves behind; it is made by hand here
 * first, then by killing.
 */
#include "table/slots.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/slots_fixture.h"
#include "tests/unit/unit.h"

enum { MOVING = 255, CLUSTER = 8, LATE_MS = 10 * LIFETIME_MS };

/* The slot of a key's claim. */
static struct slot *slot_of(const struct slots *slots, unsigned key)
{
    struct slots_hash hash = hash_of(key);

    for (size_t n = 0; n < slots->count; n++)
        if (atomic_load(&slots->slot[n].word) != 0 &&
            atomic_load(&slots->slot[n].hash[1]) == hash.part[1])
            return &slots->slot[n];
    fail_msg("key %u has no slot", key);
    return NULL;
}

static void copy_slot(struct slot *to, struct slot *from)
{
    atomic_store(&to->hash[0], atomic_load(&from->hash[0]));
    atomic_store(&to->hash[1], atomic_load(&from->hash[1]));
    atomic_store(&to->word, atomic_load(&from->word));
}

static void leave_gap(struct slots *slots, unsigned key)
{
    atomic_store(&slot_of(slots, key)->word, (uint64_t)MOVING << 16);
}

/* Keys 0, 7, 14 ... of one home, in a cluster in this order, used at 1000 + key. */
static struct slots make_cluster(void)
{
    struct slots slots = slots_make(CLUSTER);

    for (unsigned n = 0; n < CLUSTER; n++)
        assert_int_equal(claim(&slots, 7 * n, (int)n, 1000 + 7 * n), TABLE_CLAIMED);
    return slots;
}

static void a_gap_left_behind_cuts_nothing_off(void **state)
{
    (void)state;
    for (unsigned gap = 1; gap < CLUSTER; gap++)
        for (unsigned freed = 0; freed < gap; freed++) {
            struct slots slots = make_cluster();

            leave_gap(&slots, 7 * gap);
            for (unsigned n = 0; n < CLUSTER; n++) /* all in use but one */
                if (n != freed && n != gap)
                    assert_int_equal(refresh(&slots, 7 * n, LATE_MS), 1);
            slots_scanned(&slots, LATE_MS - 2, CLEAN);
            slots_scanned(&slots, LATE_MS - 1, CLEAN);
            for (unsigned n = 0; n < 3; n++) /* sweeps, and closes gaps */
                (void)claim(&slots, 1 + 7 * n, 1, LATE_MS);
            for (unsigned n = 0; n < CLUSTER; n++)
                assert_int_equal(peek(&slots, 7 * n), n == freed || n == gap ? NONE : (int)n);
            slots_drop(&slots);
        }
}

/* The writer was killed before it had counted the claim that it freed. */
static void a_gap_left_behind_is_room_again(void **state)
{
    (void)state;
    for (unsigned gap = 0; gap < CLUSTER; gap++) {
        struct slots slots = make_cluster();

        leave_gap(&slots, 7 * gap);
        assert_int_equal(claim(&slots, 1, 1, 2000), TABLE_CLAIMED);
        assert_int_equal(claim(&slots, 2, 1, 2000), TABLE_FULL);
        assert_int_equal(atomic_load(&slots.shared->claims), CLUSTER);
        for (size_t n = 0; n < slots.count; n++)
            assert_int_not_equal((atomic_load(&slots.slot[n].word) >> 16) & 0xff, MOVING);
        for (unsigned n = 0; n < CLUSTER; n++)
            assert_int_equal(peek(&slots, 7 * n), n == gap ? NONE : (int)n);
        slots_drop(&slots);
    }
}

/*
 * The first of two copies counts. In a table whose end the cluster wraps around, the second may
 * stand in the memory before it.
 */
static void a_copy_left_behind_is_not_adopted(void **state)
{
    struct slots from = {.capacity = 10, .count = slots_needed(10)}, to;
    struct slots_hash hash = {{UINT64_MAX, 1}}; /* at home in the last slot */
    int priority;

    (void)state;
    from = slots_make(10);
    to = slots_make(20);
    assert_int_equal(slots_claim(&from, &hash, 4, LIFETIME_MS, 1000), TABLE_CLAIMED);
    copy_slot(&from.slot[0], &from.slot[from.count - 1]);
    atomic_fetch_add(&from.shared->claims, 1);
    slots_scanned(&from, 2000, CLEAN);
    slots_scanned(&from, 3000, CLEAN);
    assert_int_equal(slots_claim(&from, &hash, 1, LIFETIME_MS, LATE_MS), TABLE_CLAIMED);
    assert_int_equal(slots_adopt(&to, &from), 0);
    assert_int_equal(slots_peek(&to, &hash, &priority), 1);
    assert_int_equal(priority, 1);
    assert_int_equal(atomic_load(&to.shared->claims), 1);
    slots_drop(&from);
    slots_drop(&to);
}

/* A reader that reaches the second page, which it cannot read at first, has passed the first: just
 * then the writer moves a claim from the second to the first. */
static struct slots torn;
static char *torn_pages;
static long page_size;

static void move_back(int number)
{
    struct slot *claim = &torn.slot[1];

    (void)number;
    mprotect(torn_pages + page_size, (size_t)page_size, PROT_READ | PROT_WRITE);
    copy_slot(&torn.slot[0], claim);
    atomic_fetch_add(&torn.shared->moves, 1);
    atomic_store(&claim->word, (uint64_t)MOVING << 16);
}

static void a_copy_left_behind_is_not_found_while_its_claim_is_moved(void **state)
{
    struct sigaction action = {.sa_handler = move_back}, before;
    struct slots_hash hash = {{0, 1}}; /* at home in the first slot */
    int priority;

    (void)state;
    page_size = sysconf(_SC_PAGESIZE);
    torn_pages = mmap(NULL, 2 * (size_t)page_size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(torn_pages != MAP_FAILED);
    torn = slots_make(CLUSTER);
    free(torn.slot);
    torn.slot = (struct slot *)(void *)(torn_pages + page_size) - 1;
    assert_int_equal(slots_claim(&torn, &hash, 4, LIFETIME_MS, 1000), TABLE_CLAIMED);
    for (int n = 1; n < 3; n++)
        copy_slot(&torn.slot[n], &torn.slot[0]);
    atomic_store(&torn.slot[0].word, (uint64_t)MOVING << 16);
    slots_scanned(&torn, 2000, CLEAN);
    slots_scanned(&torn, 3000, CLEAN);
    assert_int_equal(slots_claim(&torn, &hash, 1, LIFETIME_MS, LATE_MS), TABLE_CLAIMED);

    assert_int_equal(sigaction(SIGSEGV, &action, &before), 0);
    mprotect(torn_pages + page_size, (size_t)page_size, PROT_NONE);
    assert_int_equal(slots_peek(&torn, &hash, &priority), 1);
    assert_int_equal(sigaction(SIGSEGV, &before, NULL), 0);
    assert_int_equal(atomic_load(&torn.shared->moves), 1);
    assert_int_equal(priority, 1);
    free(torn.shared);
    munmap(torn_pages, 2 * (size_t)page_size);
}

/*
 * For real: each writer goes on where one before it was killed. Which keys are in use wanders with
 * the time, so that claims expire, are swept, and others moved.
 */

enum { KEYS = 512, IN_USE = 24, CAPACITY = 120, KILLS = 400, MAX_SLOTS = 256 };

struct common { /* by all processes */
    struct slots_shared shared;
    struct slot slot[MAX_SLOTS];
    _Atomic int64_t now_ms;
    _Atomic uint64_t claims;
    _Atomic uint64_t claimed[KEYS]; /* time << 8 | priority + 1 */
};

static struct common *common;

static unsigned pick_key(unsigned *seed, int64_t now_ms)
{
    return (unsigned)((now_ms / 1000 + KEYS + rand_r(seed) % IN_USE) % KEYS);
}

static void write_for_ever(struct slots slots, unsigned seed)
{
    for (;;) {
        int64_t now_ms = atomic_fetch_add(&common->now_ms, rand_r(&seed) % 200);
        unsigned key = pick_key(&seed, now_ms);
        int priority = rand_r(&seed) % 5;

        if (claim(&slots, key, priority, now_ms) == TABLE_CLAIMED)
            atomic_store(&common->claimed[key], (uint64_t)now_ms << 8 | (uint64_t)(priority + 1));
        slots_scanned(&slots, now_ms, CLEAN);
        atomic_fetch_add(&common->claims, 1);
    }
}

/* Let a writer work on the slots for some claims, then kill it wherever it is. */
static void write_and_kill(const struct slots *slots, unsigned seed, uint64_t claims)
{
    uint64_t end = atomic_load(&common->claims) + claims;
    pid_t pid = fork();
    int status;

    assert_true(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        write_for_ever(*slots, seed);
    }
    while (atomic_load(&common->claims) < end)
        assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* Returns whether the writer was killed while it moved something. */
static bool check(const struct slots *slots)
{
    int64_t now_ms = atomic_load(&common->now_ms);
    bool in_between = false;

    for (unsigned key = 0; key < KEYS; key++) {
        uint64_t claimed = atomic_load(&common->claimed[key]);

        if (claimed != 0 && now_ms - (int64_t)(claimed >> 8) < LIFETIME_MS)
            assert_int_equal(peek(slots, key), (int)(claimed & 0xff) - 1);
    }
    for (size_t n = 0; n < slots->count; n++)
        in_between |= (atomic_load(&slots->slot[n].word) >> 16 & 0xff) == MOVING;
    return in_between;
}

static void a_killed_writer_loses_no_claim(void **state)
{
    struct slots slots = {.capacity = CAPACITY, .count = slots_needed(CAPACITY)};
    unsigned seed = 1, in_between = 0;

    (void)state;
    common = mmap(NULL, sizeof *common, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(common != MAP_FAILED && slots.count <= MAX_SLOTS);
    slots.shared = &common->shared;
    slots.slot = common->slot;
    atomic_store(&common->now_ms, 2 * LIFETIME_MS);
    for (unsigned n = 0; n < KILLS; n++) {
        write_and_kill(&slots, n, 200 + (uint64_t)rand_r(&seed) % 2000);
        in_between += check(&slots);
    }
    assert_true(in_between > 0);
    munmap(common, sizeof *common);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_gap_left_behind_cuts_nothing_off),
        cmocka_unit_test(a_gap_left_behind_is_room_again),
        cmocka_unit_test(a_copy_left_behind_is_not_adopted),
        cmocka_unit_test(a_copy_left_behind_is_not_found_while_its_claim_is_moved),
        cmocka_unit_test(a_killed_writer_loses_no_claim),
    };

    return cmocka_run_group_tests_name("killed writer", tests, NULL, NULL);
}
