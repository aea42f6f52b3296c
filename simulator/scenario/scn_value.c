/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scn_value.c - values with units: reads them, and writes them so that they read back. */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "scn_schema.h"
#include "sim_world.h"

struct unit {
    const char *name;
    int64_t scale;
};

static const struct unit time_units[] = {{"h", 3600 * Q2P_SECOND},
                                         {"min", 60 * Q2P_SECOND},
                                         {"s", Q2P_SECOND},
                                         {"ms", Q2P_MILLISECOND},
                                         {"us", Q2P_MICROSECOND},
                                         {"ns", 1},
                                         {NULL, 0}};
static const struct unit loss_units[] = {{"%", NET_LOSS_ALWAYS / 100}, {NULL, 0}};
static const struct unit size_units[] = {{"GiB", 1 << 30},   {"MiB", 1 << 20}, {"KiB", 1 << 10},
                                         {"GB", 1000000000}, {"MB", 1000000},  {"kB", 1000},
                                         {"B", 1},           {NULL, 0}};
static const struct unit rate_units[] = {/* in bits; the field is in bytes */
                                         {"Gbit", 1000000000},
                                         {"Mbit", 1000000},
                                         {"kbit", 1000},
                                         {"bit", 1},
                                         {NULL, 0}};
static const struct unit count_units[] = {{"", 1}, {NULL, 0}};

static const struct unit *units_of(enum scn_kind kind)
{
    switch (kind) {
    case SCN_TIME:
    case SCN_TIMES:
        return time_units;
    case SCN_LOSS:
        return loss_units;
    case SCN_SIZE:
        return size_units;
    case SCN_RATE:
        return rate_units;
    default:
        return count_units;
    }
}

/* Digits, perhaps a fraction, a unit; exact, or false. A bare 0 needs no unit. */
static bool read_quantity(const char *text, size_t len, const struct unit *units, int64_t *out)
{
    int64_t whole = 0, fraction = 0, tenth = 1;
    size_t at = 0;
    for (; at < len && text[at] >= '0' && text[at] <= '9'; at++)
        if (__builtin_mul_overflow(whole, 10, &whole) ||
            __builtin_add_overflow(whole, text[at] - '0', &whole))
            return false;
    if (at == 0)
        return false;
    if (at + 1 < len && text[at] == '.') {
        size_t start = ++at;
        for (; at < len && text[at] >= '0' && text[at] <= '9' && at - start < 9; at++, tenth *= 10)
            fraction = 10 * fraction + text[at] - '0';
        if (at == start)
            return false;
    }
    if (at == len && whole == 0 && fraction == 0 && tenth == 1) {
        *out = 0;
        return true;
    }
    for (; units->name; units++) {
        int64_t rest;
        if (strlen(units->name) != len - at || memcmp(units->name, text + at, len - at) != 0)
            continue;
        return !__builtin_mul_overflow(whole, units->scale, out) &&
               !__builtin_mul_overflow(fraction, units->scale, &rest) && rest % tenth == 0 &&
               !__builtin_add_overflow(*out, rest / tenth, out);
    }
    return false;
}

static bool read_hex(const char *text, size_t len, int64_t *out)
{
    *out = 0;
    for (size_t i = 2; i < len; i++) {
        const char *digits = "0123456789abcdef0123456789ABCDEF";
        const char *digit = strchr(digits, text[i]);
        if (!digit || i > 16)
            return false;
        *out = *out << 4 | (digit - digits) % 16;
    }
    return len > 2;
}

/* A quantity in the field's own unit and within the key's range. */
static bool read_number(const struct scn_key *key, const char *text, size_t len, int64_t *out)
{
    bool hex = units_of(key->kind) == count_units && len > 1 && memcmp(text, "0x", 2) == 0;
    if (hex ? !read_hex(text, len, out) : !read_quantity(text, len, units_of(key->kind), out))
        return false;
    if (key->kind == SCN_RATE) {
        if (*out % 8)
            return false;
        *out /= 8;
    }
    return *out >= key->min && *out <= key->max;
}

static void store(const struct scn_key *key, void *object, int64_t value)
{
    unsigned char *field = (unsigned char *)object + key->at;
    uint8_t u8 = (uint8_t)value;
    uint16_t u16 = (uint16_t)value;
    uint32_t u32 = (uint32_t)value;
    switch (key->width) {
    case 1:
        memcpy(field, &u8, 1);
        break;
    case 2:
        memcpy(field, &u16, 2);
        break;
    case 4:
        memcpy(field, &u32, 4);
        break;
    default:
        assert(key->width == 8);
        memcpy(field, &value, 8);
    }
}

static int64_t load(const struct scn_key *key, const void *object)
{
    const unsigned char *field = (const unsigned char *)object + key->at;
    uint16_t u16;
    uint32_t u32;
    int64_t value;
    switch (key->width) {
    case 1:
        return *field;
    case 2:
        memcpy(&u16, field, 2);
        return u16;
    case 4:
        memcpy(&u32, field, 4);
        return u32;
    default:
        memcpy(&value, field, 8);
        return value;
    }
}

static bool read_range(const struct scn_key *key, const char *text, struct scn_range *out)
{
    const char *dots = strstr(text, "..");
    size_t len = strlen(text);
    if (!dots) {
        bool fine = read_number(key, text, len, &out->min);
        out->max = out->min;
        return fine;
    }
    return read_number(key, text, (size_t)(dots - text), &out->min) &&
           read_number(key, dots + 2, strlen(dots + 2), &out->max) && out->min <= out->max;
}

static bool read_word(const struct scn_key *key, const char *text, void *object)
{
    const char *word = key->words;
    size_t len = strlen(text);
    for (int64_t index = 0; word; index++) {
        size_t word_len = strcspn(word, "|");
        if (len > 0 && word_len == len && memcmp(word, text, len) == 0) {
            store(key, object, index);
            return true;
        }
        word = word[word_len] ? word + word_len + 1 : NULL;
    }
    return false;
}

static bool read_address(const struct scn_key *key, const char *text, struct q2p_addr *out)
{
    char with_port[Q2P_ADDR_TEXT_MAX + 8];
    bool v6 = strchr(text, ':') != NULL;
    if (strlen(text) >= Q2P_ADDR_TEXT_MAX)
        return false;
    snprintf(with_port, sizeof with_port, key->kind == SCN_ADDR ? "%s" : (v6 ? "[%s]:1" : "%s:1"),
             text);
    if (q2p_addr_parse(out, with_port, strlen(with_port)) < 0 || !q2p_addr_usable(out))
        return false;
    if (key->kind == SCN_IP)
        out->port = 0;
    return true;
}

static bool read_scalar(const struct scn_key *key, const char *text, void *object)
{
    void *field = (char *)object + key->at;
    int64_t number;
    switch (key->kind) {
    case SCN_COUNTS:
    case SCN_TIMES:
        return read_range(key, text, field);
    case SCN_WORD:
    case SCN_BOOL:
        return read_word(key, text, object);
    case SCN_ADDR:
    case SCN_IP:
        return read_address(key, text, field);
    default:
        if (!read_number(key, text, strlen(text), &number))
            return false;
        store(key, object, number);
        return true;
    }
}

static struct scn_ref ref_to(const struct scn_yaml *value)
{
    return (struct scn_ref){value->text, value, SCN_NONE};
}

/* Names: one, two, or any number of them. */
static bool read_refs(const struct scn_key *key, const struct scn_yaml *value, void *object)
{
    struct scn_ref *one = (void *)((char *)object + key->at);
    struct scn_refs *many = (void *)one;
    size_t count = 0;
    if (value->shape == SCN_SCALAR) {
        if (key->kind == SCN_PAIR || !*value->text)
            return false;
        if (key->kind != SCN_REFS) {
            *one = ref_to(value);
            return true;
        }
    } else if (value->shape == SCN_MAP || (key->kind != SCN_PAIR && key->kind != SCN_REFS)) {
        return false;
    }
    const struct scn_yaml *item = value->shape == SCN_SCALAR ? value : value->first;
    for (; item; item = item == value ? NULL : item->next, count++) {
        if (item->shape != SCN_SCALAR || (key->kind == SCN_PAIR && count == 2))
            return false;
        if (key->kind == SCN_PAIR) {
            one[count] = ref_to(item);
            continue;
        }
        if (many->count == many->room)
            many->items = sim_grow(many->items, &many->room, sizeof *many->items);
        many->items[many->count++] = ref_to(item);
    }
    return key->kind == SCN_REFS || count == 2;
}

bool scn_value_read(const struct scn_key *key, const struct scn_yaml *value, void *object,
                    struct scn_errors *errors)
{
    bool names = key->kind <= SCN_PAIR, fine;
    if (names)
        fine = read_refs(key, value, object);
    else
        fine = value->shape == SCN_SCALAR && read_scalar(key, value->text, object);
    if (fine)
        return true;
    char want[120];
    scn_value_want(key, want, sizeof want);
    if (value->shape == SCN_SCALAR)
        scn_error(errors, value, "bad value '%.40s' for %s: want %s", value->text, key->name, want);
    else
        scn_error(errors, value, "bad value for %s: want %s", key->name, want);
    return false;
}

/* ---- writing ----------------------------------------------------------------------------- */

static void write_number(const struct scn_key *key, int64_t value, char *out, size_t room)
{
    const struct unit *unit = units_of(key->kind);
    if (key->kind == SCN_RATE)
        value *= 8;
    while (unit[1].name && (value == 0 || value % unit->scale != 0))
        unit++;
    if (key->kind == SCN_LOSS && value % unit->scale != 0)
        snprintf(out, room, "%" PRId64 ".%07" PRId64 "%%", value / unit->scale,
                 value % unit->scale);
    else
        snprintf(out, room, "%" PRId64 "%s", value / unit->scale, value ? unit->name : "");
}

static void write_range(const struct scn_key *key, const struct scn_range *range, char *out,
                        size_t room)
{
    char min[32], max[32];
    write_number(key, range->min, min, sizeof min);
    write_number(key, range->max, max, sizeof max);
    if (range->min == -1)
        *out = '\0';
    else if (range->min == range->max)
        snprintf(out, room, "%s", min);
    else
        snprintf(out, room, "%s..%s", min, max);
}

static void write_refs(const struct scn_ref *refs, size_t count, char *out, size_t room)
{
    size_t len = 0;
    for (size_t i = 0; i < count && len < room; i++)
        len += (size_t)snprintf(out + len, room - len, "%s%s", i ? ", " : "[", refs[i].text);
    if (len > 0 && len < room)
        snprintf(out + len, room - len, "]");
}

static void write_word(const struct scn_key *key, int64_t index, char *out, size_t room)
{
    const char *word = key->words;
    for (; index > 0 && *word; index--)
        word += strcspn(word, "|") + 1;
    snprintf(out, room, "%.*s", (int)strcspn(word, "|"), word);
}

static void write_address(const struct scn_key *key, const struct q2p_addr *addr, char *out,
                          size_t room)
{
    char text[Q2P_ADDR_TEXT_MAX];
    if (addr->ip_len == 0)
        return;
    q2p_addr_print(addr, text, sizeof text);
    if (key->kind == SCN_IP)
        *strrchr(text, ':') = '\0';
    size_t skip = key->kind == SCN_IP && *text == '[';
    snprintf(out, room, "%s", text + skip);
    if (skip)
        *strchr(out, ']') = '\0';
    if (strchr(out, '[') || (skip && room > 0)) { /* would read as a list, or as a map */
        char quoted[Q2P_ADDR_TEXT_MAX + 4];
        snprintf(quoted, sizeof quoted, "\"%s\"", out);
        snprintf(out, room, "%s", quoted);
    }
}

void scn_value_write(const struct scn_key *key, const void *object, char *out, size_t room)
{
    const void *field = (const char *)object + key->at;
    const struct scn_ref *refs = field;
    const struct scn_refs *list = field;
    *out = '\0';
    switch (key->kind) {
    case SCN_TEXT:
    case SCN_REF:
        snprintf(out, room, "%s", refs->text ? refs->text : "");
        break;
    case SCN_REFS:
        write_refs(list->items, list->count, out, room);
        break;
    case SCN_PAIR:
        write_refs(refs, refs[0].text ? 2 : 0, out, room);
        break;
    case SCN_COUNTS:
    case SCN_TIMES:
        write_range(key, field, out, room);
        break;
    case SCN_WORD:
    case SCN_BOOL:
        write_word(key, load(key, object), out, room);
        break;
    case SCN_ADDR:
    case SCN_IP:
        write_address(key, field, out, room);
        break;
    case SCN_TIME:
        if (load(key, object) == Q2P_NEVER)
            break;
        /* fall through */
    case SCN_COUNT:
    case SCN_LOSS:
    case SCN_SIZE:
    case SCN_RATE:
        write_number(key, load(key, object), out, room);
        break;
    case SCN_PART:
        break;
    }
}

void scn_value_want(const struct scn_key *key, char *out, size_t room)
{
    static const char *const wants[] = {
        [SCN_TEXT] = "a text",
        [SCN_REF] = "a name",
        [SCN_REFS] = "a name or a list of names",
        [SCN_PAIR] = "two names such as [alice, bob]",
        [SCN_COUNT] = "a number",
        [SCN_COUNTS] = "a number or a range such as 1..3",
        [SCN_BOOL] = "yes or no",
        [SCN_WORD] = "one of",
        [SCN_TIME] = "a time such as 20ms",
        [SCN_TIMES] = "a time such as 20ms or a range such as 15ms..25ms",
        [SCN_LOSS] = "a percentage such as 1%, up to 100%",
        [SCN_SIZE] = "a size such as 100KiB",
        [SCN_RATE] = "a rate such as 10Mbit",
        [SCN_ADDR] = "an address such as 192.0.2.1:10000",
        [SCN_IP] = "an address without port such as 198.51.100.1",
        [SCN_PART] = "a section of its own",
    };
    size_t len = (size_t)snprintf(out, room, "%s", wants[key->kind]);
    if (key->kind == SCN_WORD) {
        for (const char *word = key->words; word && len < room;) {
            int word_len = (int)strcspn(word, "|");
            if (word_len > 0)
                len += (size_t)snprintf(out + len, room - len, " %.*s", word_len, word);
            word = word[word_len] ? word + word_len + 1 : NULL;
        }
    } else if (key->kind == SCN_COUNT) {
        snprintf(out + len, room - len, " from %" PRId64 " to %" PRId64, key->min, key->max);
    }
    if (units_of(key->kind) != count_units && key->min > 1) {
        char min[32];
        write_number(key, key->min, min, sizeof min);
        len += (size_t)snprintf(out + len, room - len, ", at least %s", min);
    }
    bool size = key->kind == SCN_SIZE && key->max < INT64_MAX;
    if (size || units_of(key->kind) == time_units) {
        char max[32];
        write_number(key, key->max + size, max, sizeof max);
        snprintf(out + len, room - len, ", %s %s", size ? "less than" : "up to", max);
    }
}
