/* test_recover - whatever happens to the files, what was whole comes back, and nothing else */
#include "store/recover.h"

#include "store/journal.h"
#include "store/snapshot.h"
#include "tests/unit/recover_fixture.h"

/* Nothing is wrong */

static void no_folder_and_no_files_are_no_error(void **state)
{
    struct heard heard = {0};
    struct recover_result result = {.claims = 7, .messages = 7, .is_damaged = true};

    (void)state;
    result = recover_all(&heard);
    assert_int_equal(result.claims + result.messages, 0);
    assert_false(result.is_damaged);
    assert_names("");
    result.claims = 7;
    assert_true(recover("/nonexistent/folder", wall_ms, hear, &heard, &result, why));
    assert_int_equal(result.claims, 0);
}

/* Where there is no room for all, it is the older that find none. */
static void the_newer_come_before_the_older(void **state)
{
    struct heard heard, expected = {0};
    struct recover_result result;

    (void)state;
    put_segment(7, decisions, 1, NULL);
    compact_all();
    put_segment(9, decisions + 1, 1, NULL);
    put_segment(10, decisions + 2, 3, NULL);
    for (size_t n = 0; n < LENGTH(decisions); n++)
        expect(&expected, &decisions[n]);
    result = recover_all(&heard);
    assert_heard(&heard, &expected);
    assert_int_equal(result.messages, LENGTH(decisions));
    assert_false(result.is_damaged);
    assert_int_equal(priority_of(&heard, "bob@dest.example"), 2);
    assert_names("decisions.cdb journal.0000000009 journal.0000000010 ");
    heard.count = 0;
    assert_true(recover(folder, wall_ms, hear, &heard, &result, why));
    assert_string_equal(heard.claim[0].key, "carl@dest.example");
    assert_int_equal(heard.claim[0].priority, 0);
    assert_string_equal(heard.claim[heard.count - 1].key, "bob@dest.example");
    assert_int_equal(heard.claim[heard.count - 1].priority, 4);
    compact_all();
    recover_all(&heard);
    assert_same_end(&heard, &expected);
}

/* They are in the snapshot as well, which is read before them. */
static void segments_that_stay_change_nothing(void **state)
{
    struct compact_config config = {
        .folder = folder, .segments = COMPACT_CLOSED, .wall_ms = wall_ms};
    struct compact_result result;
    struct heard heard, expected = {0};

    (void)state;
    for (size_t n = 0; n < LENGTH(decisions); n++)
        expect(&expected, &decisions[n]);
    for (config.segments_below = 1; config.segments_below <= 3; config.segments_below++) {
        put_segments();
        assert_true(compact(&config, &result, why));
        assert_int_equal(result.segments, config.segments_below - 1);
        assert_int_equal(result.messages, LENGTH(decisions));
        assert_false(recover_all(&heard).is_damaged);
        assert_same_end(&heard, &expected);
        empty_folder();
    }
}

static void what_a_journal_wrote_comes_back(void **state)
{
    const struct journal_config config = {.folder = folder, .segment_max = 200};
    struct heard heard, expected = {0};
    struct journal *journal = journal_open(&config, why);

    (void)state;
    assert_non_null(journal);
    for (size_t n = 0; n < LENGTH(decisions); n++) {
        struct record record = record_of(&decisions[n]);

        assert_true(journal_append(journal, record.text, record.len, JOURNAL_SYNC));
        free(record.text);
        expect(&expected, &decisions[n]);
    }
    journal_close(&journal);
    assert_false(recover_all(&heard).is_damaged);
    assert_heard(&heard, &expected);
}

static void a_file_that_cannot_be_read_is_an_error(void **state)
{
    struct recover_result result;
    struct heard heard = {0};
    char path[PATH_MAX], name[32];

    (void)state;
    PUT_SEGMENT(2, decisions[0]);
    assert_int_equal(symlink("elsewhere", path_of(segment_name(1, name), path)), 0);
    assert_false(recover(folder, wall_ms, hear, &heard, &result, why));
    assert_non_null(strstr(why, name));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("elsewhere", path_of(FOLDER_SNAPSHOT, path)), 0);
    assert_false(recover(folder, wall_ms, hear, &heard, &result, why));
    assert_non_null(strstr(why, FOLDER_SNAPSHOT));
    assert_int_equal(heard.count, 0);
    assert_names("decisions.cdb journal.0000000002 ");
}

/* Cut short */

static void of_a_journal_that_is_cut_short_all_whole_records_come_back(void **state)
{
    size_t ends[LENGTH(decisions)], len;
    unsigned char *bytes;
    struct recover_result result;
    struct heard heard;

    (void)state;
    put_segment(1, decisions, LENGTH(decisions), ends);
    bytes = get_file("journal.0000000001", &len);
    for (int is_last = 0; is_last < 2; is_last++) {
        if (!is_last)
            put_segment(2, decisions, 1, NULL); /* a segment that was given up */
        for (size_t cut = 0; cut <= len; cut++) {
            struct heard expected = {0};
            size_t whole = 0;

            while (whole < LENGTH(ends) && ends[whole] <= cut)
                expect(&expected, &decisions[whole++]);
            if (!is_last)
                expect(&expected, &decisions[0]);
            put_file("journal.0000000001", bytes, cut);
            result = recover_all(&heard);
            assert_heard(&heard, &expected);
            assert_false(result.is_damaged);
            assert_int_equal(result.messages, whole + !is_last);
        }
        empty_folder();
    }
    free(bytes);
    assert_int_equal(logged("warning: "), 0);
    assert_int_equal(logged(" ends with 3 bytes of a write that was cut short"), 2 * LENGTH(ends));
}

/* Flipped */

struct flip {
    uint64_t number; /* of the segment, and what was in it: */
    const unsigned char *bytes;
    size_t len, ends[2], first, count;
    size_t bit;
};

/* Returns whether the hit record was left out as one cut short. */
static bool check_flip(const struct flip *flip)
{
    size_t at = flip->bit / 8, hit = 0;
    struct heard heard, expected = {0};
    struct recover_result result;
    unsigned char *copy = malloc(flip->len);
    char name[32], all_names[128];

    assert_non_null(copy);
    memcpy(copy, flip->bytes, flip->len);
    copy[at] ^= (unsigned char)(1 << flip->bit % 8);
    put_file(segment_name(flip->number, name), copy, flip->len);
    while (flip->ends[hit] <= at)
        hit++;
    for (size_t n = 0; n < LENGTH(decisions); n++)
        if (n != flip->first + hit)
            expect(&expected, &decisions[n]);
    result = recover_all(&heard);
    assert_heard(&heard, &expected);
    assert_int_equal(result.messages, LENGTH(decisions) - 1);
    if (result.is_damaged) {
        snprintf(all_names, sizeof all_names, "decisions.cdb incomplete %s" ASIDE " ", name);
        assert_repaired(&heard, all_names);
        snprintf(all_names, sizeof all_names, "%s" ASIDE, name);
        assert_file(all_names, copy, flip->len);
    } else {
        /* Only the last one's header can say that there should be more. */
        assert_true(hit == flip->count - 1);
        assert_true(at < flip->len - (flip->ends[hit] - (hit > 0 ? flip->ends[hit - 1] : 0)) +
                             FRAME_HEADER_SIZE);
        assert_names("journal.0000000001 journal.0000000002 journal.0000000003 ");
    }
    free(copy);
    return !result.is_damaged;
}

static void a_flipped_bit_in_the_journal_costs_one_record(void **state)
{
    size_t torn = 0;
    struct flip flip = {0};

    (void)state;
    for (size_t n = 0; n < SEGMENTS; flip.first += counts[n++]) {
        char name[32];
        unsigned char *bytes;

        flip.number = n + 1;
        flip.count = counts[n];
        put_segment(flip.number, decisions + flip.first, flip.count, flip.ends);
        bytes = get_file(segment_name(flip.number, name), &flip.len);
        flip.bytes = bytes;
        for (flip.bit = 0; flip.bit < 8 * flip.len; flip.bit++) {
            empty_folder();
            put_segments();
            torn += check_flip(&flip);
        }
        free(bytes);
    }
    assert_in_range(torn, SEGMENTS, SEGMENTS * 26); /* lengths that became larger */
}

/* Where each entry of the snapshot begins and ends, as the intact file has it. */
struct entries {
    struct snapshot_entry entry[16];
    size_t start[16], end[16];
    size_t count;
};

static void list_entries(struct entries *entries, const unsigned char *bytes, size_t len)
{
    const struct folder_file file = {bytes, len};
    struct snapshot_reader reader;

    assert_true(snapshot_read(&reader, &file));
    for (;;) {
        entries->start[entries->count] = reader.at;
        if (!snapshot_next(&reader, &entries->entry[entries->count]))
            break;
        entries->end[entries->count++] = reader.at;
        assert_true(entries->count < LENGTH(entries->entry));
    }
}

static void check_flip_in_snapshot(const struct entries *entries, const unsigned char *copy,
                                   size_t len, size_t bit)
{
    size_t at = bit / 8;
    struct heard heard, expected = {0};
    size_t messages = 0;
    struct recover_result result;

    for (size_t n = 0; n < entries->count; n++) {
        const struct snapshot_entry *entry = &entries->entry[n];

        if (at >= entries->start[n] && at < entries->end[n])
            continue;
        if (entry->kind == SNAPSHOT_CLAIM)
            hear(&expected, entry->key, entry->key_len,
                 record_claim_priority(entry->value, entry->value_len));
        else
            messages++;
    }
    turn_round(&expected);
    result = recover_all(&heard);
    assert_heard(&heard, &expected);
    assert_int_equal(result.messages, messages);
    assert_true(result.is_damaged);
    if (bit % 8 == at % 8) { /* once for each byte, to save time */
        assert_repaired(&heard, "decisions.cdb decisions.cdb" ASIDE " incomplete ");
        assert_file(FOLDER_SNAPSHOT ASIDE, copy, len);
    }
}

static void a_flipped_bit_in_the_snapshot_costs_one_entry(void **state)
{
    struct entries entries = {.count = 0};
    unsigned char *bytes, *copy;
    size_t len;

    (void)state;
    put_segment(1, decisions, LENGTH(decisions), NULL);
    compact_all();
    bytes = get_file(FOLDER_SNAPSHOT, &len);
    copy = get_file(FOLDER_SNAPSHOT, &len);
    list_entries(&entries, bytes, len);
    assert_int_equal(entries.count, 4 + LENGTH(decisions));
    for (size_t bit = 0; bit < 8 * len; bit++) {
        copy[bit / 8] ^= (unsigned char)(1 << bit % 8);
        put_file(FOLDER_SNAPSHOT, copy, len);
        check_flip_in_snapshot(&entries, copy, len, bit);
        empty_folder();
        copy[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    free(bytes);
    free(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(no_folder_and_no_files_are_no_error),
        WITH_FOLDER(the_newer_come_before_the_older),
        WITH_FOLDER(segments_that_stay_change_nothing),
        WITH_FOLDER(what_a_journal_wrote_comes_back),
        WITH_FOLDER(a_file_that_cannot_be_read_is_an_error),
        WITH_FOLDER(of_a_journal_that_is_cut_short_all_whole_records_come_back),
        WITH_FOLDER(a_flipped_bit_in_the_journal_costs_one_record),
        WITH_FOLDER(a_flipped_bit_in_the_snapshot_costs_one_entry),
    };

    return cmocka_run_group_tests_name("recover", tests, NULL, NULL);
}
