/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli_out.c - errors, JSON Lines and colours of the commands. */
#define _POSIX_C_SOURCE 200809L
#include "cli_out.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <nettle/sha2.h>

static bool coloured; /* floor 4: a program may remember what its user wants */

void cli_error(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("q2p: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
}

FILE *cli_open(const char *path)
{
    FILE *file = strcmp(path, "-") ? fopen(path, "rb") : stdin;
    if (!file)
        cli_error("%s: %s", path, strerror(errno));
    return file;
}

int64_t cli_wall_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * Q2P_SECOND + now.tv_nsec;
}

void cli_hex(char *out, const void *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *from = bytes;
    for (size_t i = 0; i < len; i++) {
        *out++ = digits[from[i] >> 4];
        *out++ = digits[from[i] & 15];
    }
    *out = '\0';
}

void cli_sha256(char out[CLI_SHA256_TEXT], const void *bytes, size_t len)
{
    struct sha256_ctx ctx;
    uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_init(&ctx);
    sha256_update(&ctx, len, bytes);
    sha256_digest(&ctx, sizeof digest, digest);
    cli_hex(out, digest, sizeof digest);
}

static void put_byte(uint8_t byte)
{
    if (byte == '"' || byte == '\\')
        printf("\\%c", byte);
    else if (byte < ' ' || byte > '~')
        printf("\\u%04x", byte);
    else
        putchar(byte);
}

/* How many bytes the UTF-8 character at text has, if it is one beyond ASCII; else 0. */
static size_t utf8_len(const uint8_t *text)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t len = *text >= 0xf8 ? 0 : *text >= 0xf0 ? 4 : *text >= 0xe0 ? 3 : *text >= 0xc0 ? 2 : 0;
    uint32_t character = *text & (0x7fu >> len);
    for (size_t i = 1; i < len; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        character = character << 6 | (text[i] & 0x3f);
    }
    bool surrogate = character >= 0xd800 && character < 0xe000;
    return character < least[len] || character > 0x10ffff || surrogate ? 0 : len;
}

static void put_key(const char *key)
{
    printf(",\"%s\":", key); /* keys are our own words */
}

void cli_json_open(const char *type, int64_t t_ns)
{
    printf("{\"type\":\"%s\",\"t_ns\":%" PRId64, type, t_ns);
}

void cli_json_text(const char *key, const char *text)
{
    const uint8_t *at = (const uint8_t *)text;
    put_key(key);
    putchar('"');
    while (*at) {
        size_t len = *at < 0x80 ? 0 : utf8_len(at);
        if (!len)
            put_byte(*at++);
        for (; len > 0; len--)
            putchar(*at++);
    }
    putchar('"');
}

void cli_json_bytes(const char *key, const void *text, size_t len)
{
    const uint8_t *bytes = text;
    put_key(key);
    putchar('"');
    for (size_t i = 0; i < len; i++)
        put_byte(bytes[i]);
    putchar('"');
}

void cli_json_number(const char *key, uint64_t value)
{
    put_key(key);
    printf("%" PRIu64, value);
}

void cli_json_bool(const char *key, bool value)
{
    put_key(key);
    fputs(value ? "true" : "false", stdout);
}

void cli_json_addr(const char *key, const struct q2p_addr *addr)
{
    char text[Q2P_ADDR_TEXT_MAX];
    q2p_addr_print(addr, text, sizeof text);
    cli_json_text(key, text);
}

void cli_json_hash(const char *key, const struct q2p_hash *hash)
{
    char text[2 * Q2P_HASH_LEN + 1];
    cli_hex(text, hash->bytes, Q2P_HASH_LEN);
    cli_json_text(key, text);
}

void cli_json_raw(const char *key, const char *json)
{
    put_key(key);
    fputs(json, stdout);
}

void cli_json_item(uint64_t value, bool first)
{
    printf("%s%" PRIu64, first ? "" : ",", value);
}

void cli_json_object(const char *name, bool first)
{
    printf("%s{\"name\":\"%s\"", first ? "" : ",", name);
}

void cli_json_end(const char *bracket)
{
    fputs(bracket, stdout);
}

void cli_json_close(void)
{
    puts("}");
    fflush(stdout); /* whoever reads a stream wants each line when it happens */
}

int cli_colour_set(const char *when)
{
    const char *no = getenv("NO_COLOR");
    if (!strcmp(when, "auto"))
        coloured = isatty(STDOUT_FILENO) && !(no && *no);
    else if (!strcmp(when, "always") || !strcmp(when, "never"))
        coloured = *when == 'a';
    else
        return -1;
    return 0;
}

const char *cli_colour(enum cli_colour colour)
{
    static const char *const codes[] = {[CLI_PLAIN] = "\033[0m",
                                        [CLI_BOLD] = "\033[1m",
                                        [CLI_GOOD] = "\033[32m",
                                        [CLI_BAD] = "\033[31m",
                                        [CLI_FAINT] = "\033[2m"};
    return coloured ? codes[colour] : "";
}

bool cli_out_finish(void)
{
    bool before = ferror(stdout); /* errno is of something else by now */
    if (fflush(stdout) == 0 && !before)
        return true;
    cli_error("cannot write standard output%s%s", before ? "" : ": ",
              before ? "" : strerror(errno));
    return false;
}
