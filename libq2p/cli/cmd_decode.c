/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cmd_decode.c - `q2p decode`: one datagram after the other, field by field, with its bytes and
 * the section of PROTOCOL.md that speaks of it. From hex text or from captures.
 */
#define _POSIX_C_SOURCE 200809L
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <q2p/status.h>

#include "cli_out.h"
#include "cli_story.h"
#include "cmd.h"

enum {
    BYTES_MAX = 65535, /* of one hex text */
    SHOWN_MAX = 16,    /* bytes or SYNs on a line for people */
    ADDRESSES_MAX = 100000,
    MEMORY_MAX = 64 << 20
};

struct decode_values {
    struct cli_common common;
    enum q2p_dialect dialect; /* UNKNOWN: find out */
    uint64_t port;
};

/* A span with what it means; the value is printed by kind. */
enum field_kind { FIELD_NUMBER, FIELD_EVENT, FIELD_TEXT, FIELD_BYTES, FIELD_SYNS };
struct field {
    const char *name;
    enum field_kind kind;
    struct q2p_span at;
    uint64_t value;
    const char *section;
};
enum { FIELDS_MAX = 10 };

static size_t list_fields(struct field *out, const struct q2p_packet *packet)
{
    const char *section = q2p_event_section(packet->event);
    const struct field all[FIELDS_MAX] = {
        {"network_id", FIELD_NUMBER, packet->network_id_at, packet->network_id, "2.2"},
        {"event", FIELD_EVENT, packet->event_at, packet->number, "2.3"},
        {"address", FIELD_TEXT, packet->address_at, 0, section},
        {"reason", FIELD_TEXT, packet->reason_at, 0, section},
        {"hash", FIELD_BYTES, packet->hash_at, 0, section},
        {"length", FIELD_NUMBER, packet->length_at, packet->length, section},
        {"syn", FIELD_NUMBER, packet->syn_at, packet->syn, section},
        {"body", FIELD_BYTES, packet->body_at, 0, section},
        {"lost", FIELD_SYNS, packet->lost_at, 0, section},
        {"trailing", FIELD_BYTES, packet->trailing_at, 0, "2.1"},
    };
    size_t count = 0;
    for (size_t i = 0; i < FIELDS_MAX; i++)
        if (all[i].at.len)
            out[count++] = all[i];
    return count;
}

static void print_bytes(const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len && i < SHOWN_MAX; i++)
        printf("%s%02x", i ? " " : "", bytes[i]);
    if (len > SHOWN_MAX)
        printf(" ... %zu bytes", len);
}

static void print_field(const struct field *field, const struct q2p_packet *packet,
                        const uint8_t *bytes)
{
    const uint8_t *at = bytes + field->at.at;
    char range[24], hex[2 * Q2P_HASH_LEN + 1];
    snprintf(range, sizeof range, "%" PRIu32 "..%" PRIu32, field->at.at,
             field->at.at + field->at.len - 1);
    printf("  %9s  %-10s  %-4s  ", range, field->name, field->section);
    switch (field->kind) {
    case FIELD_NUMBER:
        printf("%" PRIu64, field->value);
        break;
    case FIELD_EVENT:
        printf("%" PRIu64 " %s", field->value, q2p_event_title(packet->event));
        break;
    case FIELD_TEXT:
        for (uint32_t i = 0; i < field->at.len; i++)
            putchar(isprint(at[i]) ? at[i] : '.');
        break;
    case FIELD_BYTES:
        if (field->at.len == Q2P_HASH_LEN) {
            cli_hex(hex, at, Q2P_HASH_LEN);
            fputs(hex, stdout);
        } else {
            print_bytes(at, field->at.len);
        }
        break;
    case FIELD_SYNS:
        for (uint32_t i = 0; i < packet->lost_count && i < SHOWN_MAX; i++)
            printf("%s%" PRIu32, i ? ", " : "", q2p_wire_lost(packet, bytes, i));
        if (packet->lost_count > SHOWN_MAX)
            printf(", ... %" PRIu32 " SYNs", packet->lost_count);
        break;
    }
    putchar('\n');
}

static void json_field(const struct field *field, const struct q2p_packet *packet,
                       const uint8_t *bytes, bool first)
{
    const uint8_t *at = bytes + field->at.at;
    cli_json_object(field->name, first);
    cli_json_number("at", field->at.at);
    cli_json_number("len", field->at.len);
    cli_json_text("section", field->section);
    char *hex;
    switch (field->kind) {
    case FIELD_NUMBER:
    case FIELD_EVENT:
        cli_json_number("value", field->value);
        break;
    case FIELD_TEXT:
        cli_json_bytes("value", at, field->at.len);
        break;
    case FIELD_BYTES:
        hex = malloc(2 * (size_t)field->at.len + 1);
        if (hex)
            cli_hex(hex, at, field->at.len);
        cli_json_text("value", hex ? hex : "");
        free(hex);
        break;
    case FIELD_SYNS:
        cli_json_raw("value", "[");
        for (uint32_t i = 0; i < packet->lost_count; i++)
            cli_json_item(q2p_wire_lost(packet, bytes, i), i == 0);
        cli_json_end("]");
        break;
    }
    cli_json_end("}");
}

static void json_message(const struct cli_datagram *in, const struct q2p_packet *packet, int status)
{
    struct field fields[FIELDS_MAX];
    size_t count = list_fields(fields, packet);
    cli_json_open("message", in->t_ns);
    if (in->frame)
        cli_json_number("frame", in->frame);
    if (in->src.ip_len) {
        cli_json_addr("src", &in->src);
        cli_json_addr("dst", &in->dst);
    }
    cli_json_number("bytes", in->total);
    cli_json_text("dialect", q2p_dialect_name(packet->dialect));
    cli_json_text("event", q2p_event_name(packet->event));
    cli_json_text("section", q2p_event_section(packet->event));
    cli_json_text("status", q2p_status_name(status));
    cli_json_text("sentence", q2p_status_text(status));
    cli_json_raw("fields", "[");
    for (size_t i = 0; i < count; i++)
        json_field(&fields[i], packet, in->bytes, i == 0);
    cli_json_end("]");
    cli_json_close();
}

static void print_message(const struct cli_datagram *in, const struct q2p_packet *packet,
                          int status)
{
    char src[Q2P_ADDR_TEXT_MAX], dst[Q2P_ADDR_TEXT_MAX];
    struct field fields[FIELDS_MAX];
    size_t count = list_fields(fields, packet);
    printf("%s%s%s, %s, %zu bytes, PROTOCOL.md %s", cli_colour(CLI_BOLD),
           q2p_event_title(packet->event), cli_colour(CLI_PLAIN),
           packet->dialect ? q2p_dialect_name(packet->dialect) : "all dialects", in->total,
           q2p_event_section(packet->event));
    if (in->src.ip_len) {
        q2p_addr_print(&in->src, src, sizeof src);
        q2p_addr_print(&in->dst, dst, sizeof dst);
        printf(", frame %" PRIu64 ", %s to %s", in->frame, src, dst);
    }
    putchar('\n');
    for (size_t i = 0; i < count; i++)
        print_field(&fields[i], packet, in->bytes);
    printf("  %s%s%s\n", cli_colour(status ? CLI_BAD : CLI_GOOD), q2p_status_text(status),
           cli_colour(CLI_PLAIN));
}

static void decode(const struct decode_values *values, const struct cli_datagram *in,
                   enum q2p_dialect dialect)
{
    struct q2p_packet packet;
    int status = q2p_wire_read(&packet, dialect, in->bytes, in->have, in->total);
    if (values->common.json)
        json_message(in, &packet, status);
    else
        print_message(in, &packet, status);
}

/*
 * Bare bytes have no conversation. If nothing proves a dialect, the message is shown once for
 * each meaning that it has in one of them, or once as wrong if it has none.
 */
static void decode_alone(const struct decode_values *values, const struct cli_datagram *in)
{
    static const enum q2p_dialect order[] = {Q2P_DIALECT_CLASSIC, Q2P_DIALECT_OPTIONS,
                                             Q2P_DIALECT_EARLY};
    enum q2p_dialect proven = values->dialect;
    if (proven == Q2P_DIALECT_UNKNOWN)
        proven = q2p_wire_dialect(in->bytes, in->have, in->total);
    if (proven != Q2P_DIALECT_UNKNOWN) {
        decode(values, in, proven);
        return;
    }
    bool shown[Q2P_EV_UNKNOWN + 1] = {false}, any = false;
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        struct q2p_packet packet;
        int status = q2p_wire_read(&packet, order[i], in->bytes, in->have, in->total);
        bool shared = q2p_event_number(Q2P_DIALECT_UNKNOWN, packet.event) >= 0;
        if ((status && !shared) || shown[packet.event])
            continue;
        decode(values, in, shared ? Q2P_DIALECT_UNKNOWN : order[i]);
        shown[packet.event] = any = true;
    }
    if (!any)
        decode(values, in, Q2P_DIALECT_CLASSIC);
}

/* ---- hex text ------------------------------------------------------------------------------- */

/* Bytes of one text; blanks, colons and a leading 0x are fine. Returns how many, or -1 - column
 * of what is none. */
static long read_hex(uint8_t *out, const char *text)
{
    const char *at = text + (text[0] == '0' && (text[1] | ' ') == 'x' ? 2 : 0);
    long len = 0;
    for (;;) {
        while (isspace((unsigned char)*at) || *at == ':')
            at++;
        if (!*at)
            return len;
        char pair[3] = {at[0], at[1], '\0'};
        if (!isxdigit((unsigned char)pair[0]))
            return -1 - (at - text);
        if (!isxdigit((unsigned char)pair[1]) || len == BYTES_MAX)
            return -1 - (at + 1 - text);
        out[len++] = (uint8_t)strtoul(pair, NULL, 16);
        at += 2;
    }
}

static int decode_hex(const struct decode_values *values, const char *where, const char *text)
{
    static uint8_t bytes[BYTES_MAX];
    long len = read_hex(bytes, text);
    if (len < 0) {
        cli_error("%s:%ld: expected two hex digits (or a file of that name)", where, -len);
        return CLI_INPUT;
    }
    struct cli_datagram in = {.bytes = bytes, .have = (size_t)len, .total = (size_t)len};
    decode_alone(values, &in);
    return CLI_FINE;
}

static int decode_lines(const struct decode_values *values, const char *path, FILE *file)
{
    static char line[3 * BYTES_MAX + 4];
    int worst = CLI_FINE;
    for (unsigned number = 1; fgets(line, sizeof line, file); number++) {
        char where[320];
        snprintf(where, sizeof where, "%.300s:%u", path, number);
        if (line[strspn(line, " \t\r\n")] == '\0' || *line == '#')
            continue;
        int code = decode_hex(values, where, line);
        worst = code > worst ? code : worst;
    }
    if (file != stdin)
        fclose(file);
    return worst;
}

/* ---- captures ------------------------------------------------------------------------------- */

static void ignore(void *ctx, const struct cli_item *item)
{
    (void)ctx;
    (void)item;
}

static int decode_capture(const struct decode_values *values, const char *path, FILE *file)
{
    char why[CLI_WHY_MAX];
    struct cli_capture *capture;
    struct cli_story *story = NULL;
    struct cli_datagram in;
    if (cli_capture_open(&capture, file, why) < 0) {
        cli_error("%s: %s", path, why);
        return CLI_INPUT;
    }
    /* only for who speaks what: its tales are of no use here */
    struct cli_story_config config = {.port = (uint16_t)values->port,
                                      .memory_max = MEMORY_MAX,
                                      .items_max = ADDRESSES_MAX,
                                      .hashing = CLI_HASH_NONE,
                                      .tell = ignore};
    int status = cli_story_new(&story, &config), read = 0;
    while (status == Q2P_OK && (read = cli_capture_next(capture, &in, why)) > 0) {
        enum q2p_dialect dialect;
        if (cli_story_knows(story, &in, &dialect))
            decode(values, &in, values->dialect ? values->dialect : dialect);
        status = cli_story_datagram(story, &in);
    }
    cli_story_free(story);
    cli_capture_close(capture);
    if (status < 0 || read < 0)
        cli_error("%s: %s", path, status < 0 ? q2p_status_text(status) : why);
    return status < 0 ? CLI_ENVIRONMENT : read < 0 ? CLI_INPUT : CLI_FINE;
}

/* A capture's first byte is no hex digit, and no blank but the newline of pcapng. */
static int decode_file(const struct decode_values *values, const char *path, FILE *file)
{
    int first = getc(file);
    if (first == EOF) {
        cli_error("%s: %s", path, ferror(file) ? strerror(errno) : "the file is empty");
        if (file != stdin)
            fclose(file);
        return CLI_INPUT;
    }
    ungetc(first, file);
    if (isxdigit(first) || first == ' ' || first == '#')
        return decode_lines(values, path, file);
    return decode_capture(values, path, file);
}

static int run(const void *at, int argc, char **argv)
{
    const struct decode_values *values = at;
    int worst = CLI_FINE;
    for (int i = 0; i < argc; i++) {
        bool file = !strcmp(argv[i], "-") || access(argv[i], F_OK) == 0;
        FILE *opened = file ? cli_open(argv[i]) : NULL;
        int code = opened ? decode_file(values, argv[i], opened)
                   : file ? CLI_INPUT
                          : decode_hex(values, argv[i], argv[i]);
        worst = code > worst ? code : worst;
    }
    return worst;
}

static const struct cli_option options[] = {
    CLI_COMMON_OPTIONS,
    {"dialect", 'd', CLI_DIALECT, offsetof(struct decode_values, dialect), "NAME", NULL, 0, 0,
     "early, classic or options, instead of finding out"},
    {"port", 'p', CLI_NUMBER, offsetof(struct decode_values, port), "PORT", "10000", 1, 65535,
     "in captures: a port on which weak signs are enough to take traffic for Q2P"},
    {.name = NULL},
};

const struct cli_command cmd_decode = {
    .name = "decode",
    .args = "HEX|FILE|-...",
    .sentence = "Shows datagrams field by field, with their place in PROTOCOL.md.",
    .about =
        "An argument is one datagram as hex text (blanks, in quotes, and colons are fine), or a\n"
        "file: a capture (pcap or pcapng), or lines of hex text; - is standard input. In captures\n"
        "the dialect is found per conversation. Bytes alone are shown in every meaning that they\n"
        "can have.",
    .example = "  q2p decode 00000500\n"
               "  q2p decode --json capture.pcapng | jq .event",
    .options = options,
    .values_size = sizeof(struct decode_values),
    .args_min = 1,
    .args_max = -1,
    .run = run,
};
