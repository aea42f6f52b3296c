/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * base_addr.c - endpoints as text. Floor 0 has no libc to lean on, and the wire's rules are
 * narrower than inet_pton's and getaddrinfo's anyway (PROTOCOL.md 3.2): numbers only.
 */
#include <q2p/status.h>
#include <q2p/types.h>

#include <string.h>

/* What is left of a text to read. */
struct text {
    const char *at, *end;
};

static bool eat(struct text *text, char wanted)
{
    if (text->at == text->end || *text->at != wanted)
        return false;
    text->at++;
    return true;
}

static int digit_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return 99;
}

/* A number of 1 to digits_max digits in that base; -1 if there is none, or more of it. */
static long eat_number(struct text *text, int base, int digits_max)
{
    long value = 0;
    int digits = 0;

    while (text->at < text->end && digit_value(*text->at) < base) {
        if (++digits > digits_max)
            return -1;
        value = value * base + digit_value(*text->at++);
    }
    return digits > 0 ? value : -1;
}

/* a.b.c.d, without leading zeros (some readers take those for octal). */
static bool eat_ipv4(struct text *text, uint8_t out[4])
{
    for (int i = 0; i < 4; i++) {
        if (i > 0 && !eat(text, '.'))
            return false;
        const char *start = text->at;
        long value = eat_number(text, 10, 3);
        if (value < 0 || value > 255 || (*start == '0' && text->at - start > 1))
            return false;
        out[i] = (uint8_t)value;
    }
    return true;
}

/* RFC 4291 2.2: eight groups, one run of which may be "::", the last two may be a.b.c.d. */
static bool eat_ipv6(struct text *text, uint8_t out[16])
{
    uint8_t groups[16] = {0};
    int count = 0, gap = -1; /* bytes read, and how many of them stand before the "::" */

    if (eat(text, ':')) {
        if (!eat(text, ':'))
            return false;
        gap = 0;
    }
    while (count < 16 && text->at < text->end && digit_value(*text->at) < 16) {
        struct text dotted = *text;
        if (count <= 12 && eat_ipv4(&dotted, groups + count)) {
            *text = dotted;
            count += 4;
            break;
        }
        long group = eat_number(text, 16, 4);
        if (group < 0)
            return false;
        groups[count++] = (uint8_t)(group >> 8);
        groups[count++] = (uint8_t)group;
        if (count == 16 || !eat(text, ':'))
            break;
        if (eat(text, ':')) {
            if (gap >= 0)
                return false;
            gap = count;
        } else if (text->at == text->end || digit_value(*text->at) >= 16) {
            return false; /* a single colon at the end */
        }
    }
    if (gap < 0 ? count != 16 : count > 14)
        return false;
    int before = gap < 0 ? count : gap, after = count - before;
    memset(out, 0, 16);
    memcpy(out, groups, (size_t)before);
    memcpy(out + 16 - after, groups + before, (size_t)after);
    return true;
}

int q2p_addr_parse(struct q2p_addr *out, const char *text, size_t len)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    struct q2p_addr addr = {.ip_len = 4};
    struct text left = {text, text + len};

    *out = (struct q2p_addr){.ip_len = 0};
    if (len == 0 || len > Q2P_ADDR_TEXT_MAX)
        return Q2P_ERR_ADDRESS;
    if (eat(&left, '[')) {
        addr.ip_len = 16;
        if (!eat_ipv6(&left, addr.ip) || !eat(&left, ']'))
            return Q2P_ERR_ADDRESS;
        if (memcmp(addr.ip, mapped, sizeof mapped) == 0) {
            memcpy(addr.ip, addr.ip + 12, 4);
            memset(addr.ip + 4, 0, 12);
            addr.ip_len = 4;
        }
    } else if (!eat_ipv4(&left, addr.ip)) {
        return Q2P_ERR_ADDRESS;
    }
    long port = eat(&left, ':') ? eat_number(&left, 10, 5) : -1;
    if (port < 1 || port > 65535 || left.at != left.end)
        return Q2P_ERR_ADDRESS;
    addr.port = (uint16_t)port;
    *out = addr;
    return Q2P_OK;
}

/* Text that grows at the end and counts on past its room. */
struct line {
    char *out;
    size_t room, len;
};

static void put(struct line *line, char letter)
{
    if (line->len < line->room)
        line->out[line->len] = letter;
    line->len++;
}

static void put_number(struct line *line, unsigned value, unsigned base)
{
    if (value >= base)
        put_number(line, value / base, base);
    put(line, "0123456789abcdef"[value % base]);
}

/* RFC 5952 4.2: the longest run of two or more zero groups, the first of equals, becomes "::". */
static void put_ipv6(struct line *line, const uint8_t ip[16])
{
    unsigned groups[8];
    int run_at = -1, run_len = 1;

    for (int i = 0; i < 8; i++)
        groups[i] = (unsigned)(ip[2 * i] << 8 | ip[2 * i + 1]);
    for (int i = 0; i < 8; i++) {
        int len = 0;
        while (i + len < 8 && groups[i + len] == 0)
            len++;
        if (len > run_len) {
            run_at = i;
            run_len = len;
        }
    }
    for (int i = 0; i < 8; i++) {
        if (i == run_at) {
            put(line, ':');
            put(line, ':');
            i += run_len - 1;
            continue;
        }
        if (i > 0 && i != run_at + run_len)
            put(line, ':');
        put_number(line, groups[i], 16);
    }
}

int q2p_addr_print(const struct q2p_addr *addr, char *out, size_t room)
{
    struct line line = {out, room, 0};

    if (addr->ip_len == 0) {
        put(&line, '-');
    } else if (addr->ip_len == 4) {
        for (int i = 0; i < 4; i++) {
            if (i > 0)
                put(&line, '.');
            put_number(&line, addr->ip[i], 10);
        }
    } else {
        put(&line, '[');
        put_ipv6(&line, addr->ip);
        put(&line, ']');
    }
    if (addr->ip_len != 0) {
        put(&line, ':');
        put_number(&line, addr->port, 10);
    }
    put(&line, '\0');
    return line.len > room ? Q2P_ERR_ROOM : (int)line.len - 1;
}

bool q2p_addr_equal(const struct q2p_addr *a, const struct q2p_addr *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

bool q2p_addr_usable(const struct q2p_addr *addr)
{
    static const uint8_t zero[16];

    if (addr->port == 0)
        return false;
    if (addr->ip_len == 4) /* 0/8 is "this host", 224/4 multicast, 240/4 reserved and broadcast */
        return addr->ip[0] != 0 && addr->ip[0] < 224;
    return addr->ip_len == 16 && memcmp(addr->ip, zero, 16) != 0 && addr->ip[0] != 0xff;
}
