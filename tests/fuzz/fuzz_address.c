/*
 * fuzz_address - fuzz the reading of addresses and the set of them.
 *
 * Crashes are one thing to find. The other is a broken promise, on which it calls abort():
 * what address_read() gives is what the set has; quoting an address gives it back; and no text,
 * put into a display name or a comment, gives an address.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "milter/address.h"
#include "milter/address_set.h"

#define CHECK(condition)  \
    do {                  \
        if (!(condition)) \
            abort();      \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
    struct address_set *set; /* all addresses of the field, or NULL while it is not built */
    size_t count;
    size_t bytes;
    size_t stop_after; /* 0: never */
};

struct expected {
    const char *addr;
    size_t addr_len;
    size_t count;
};

static char *new_bytes(size_t len)
{
    char *bytes = malloc(len > 0 ? len : 1);

    CHECK(bytes != NULL);
    return bytes;
}

static bool match_expected(void *arg, const char *addr, size_t addr_len)
{
    struct expected *expected = arg;

    CHECK(addr_len == expected->addr_len);
    CHECK(memcmp(addr, expected->addr, addr_len) == 0);
    expected->count++;
    return true;
}

/* Writes text so that it can stand inside a quoted string or a comment; returns the length. */
static size_t escape(char *out, const char *text, size_t text_len)
{
    size_t len = 0;

    for (size_t i = 0; i < text_len; i++) {
        if (strchr("\"\\()", text[i]) != NULL && text[i] != '\0')
            out[len++] = '\\';
        out[len++] = text[i];
    }
    return len;
}

/* before + escaped text + after must be read as the one address given, or none if that is NULL */
static void check_wrapped(const char *before, const char *text, size_t text_len, const char *after,
                          size_t after_len, const char *addr, size_t addr_len)
{
    struct expected expected = {.addr = addr, .addr_len = addr_len};
    size_t len = strlen(before);
    char *value = new_bytes(len + text_len * 2 + after_len);

    memcpy(value, before, len);
    len += escape(value + len, text, text_len);
    memcpy(value + len, after, after_len);
    len += after_len;
    CHECK(address_read(value, len, match_expected, &expected));
    CHECK(expected.count == (addr != NULL));
    free(value);
}

static bool is_plain_domain(const char *domain, size_t domain_len)
{
    for (size_t i = 0; i < domain_len; i++)
        if (strchr(" \t()<>[]:;@\\,.\"", domain[i]) != NULL)
            return false;
    return true;
}

/* `"local"@domain` must be read as local@domain. */
static void check_round_trip(const char *addr, size_t addr_len)
{
    const char *at = memrchr(addr, '@', addr_len);
    size_t local_len;
    size_t domain_len;
    char *after;

    if (at == NULL || !is_plain_domain(at + 1, addr_len - (size_t)(at + 1 - addr)))
        return;
    local_len = (size_t)(at - addr);
    domain_len = addr_len - local_len - 1;
    after = new_bytes(domain_len + 3);
    after[0] = '"';
    memcpy(after + 1, at, domain_len + 1);
    after[domain_len + 2] = '>';
    check_wrapped("<\"", addr, local_len, after, domain_len + 3, addr, addr_len);
    free(after);
}

static void check_is_in_set(struct address_set *set, const char *addr, size_t addr_len)
{
    char *copy = new_bytes(addr_len + 1);

    memcpy(copy, addr, addr_len);
    copy[addr_len] = '\0';
    CHECK(address_set_has(set, copy));
    free(copy);
}

static bool see(void *arg, const char *addr, size_t addr_len)
{
    struct seen *seen = arg;

    CHECK(addr_len > 0);
    CHECK(memchr(addr, '\n', addr_len) == NULL && memchr(addr, '\r', addr_len) == NULL);
    seen->count++;
    seen->bytes += addr_len;
    if (seen->set != NULL) {
        if (memchr(addr, '\0', addr_len) == NULL)
            check_is_in_set(seen->set, addr, addr_len);
        check_round_trip(addr, addr_len);
    }
    return seen->count != seen->stop_after;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char name_end[] = "\" <a@x>";
    static const char comment_end[] = ") a@x";
    struct address_set *set = address_set_new();
    struct seen all = {.set = set};
    struct seen some = {.stop_after = 1 + size % 3};
    char *value = new_bytes(size);

    CHECK(set != NULL);
    if (size > 0)
        memcpy(value, data, size);
    CHECK(address_set_add_field(set, value, size));
    CHECK(address_read(value, size, see, &all));
    CHECK(all.bytes <= size);
    CHECK(all.count == address_set_count(set));
    CHECK(address_read(value, size, see, &some) == (all.count < some.stop_after));

    check_wrapped("\"", value, size, name_end, sizeof(name_end) - 1, "a@x", 3);
    check_wrapped("(", value, size, comment_end, sizeof(comment_end) - 1, "a@x", 3);
    check_wrapped("(", value, size, "", 0, NULL, 0);

    free(value);
    address_set_free(&set);
    return 0;
}
