/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench_check.c - how fast `q2p check` is on a big capture, as a ratio to libpcap reading the same
 * file and looking at nothing; and how much memory it takes. Makes the capture itself:
 * transmissions of both dialects between many pairs, some with lists, without losses beyond those.
 *
 *     bench_check [PACKETS [FILE]]      FILE is kept, for comparing with other programs
 */
#define _DEFAULT_SOURCE /* u_char, for pcap.h; mkstemp */
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <nettle/md5.h>

#include <q2p/wire.h>

#include "bench_clock.h"
#include "bench_sort.h"
#include "cli_story.h"

enum {
    ROUNDS = 5,
    PACKETS = 1000000,
    PAIRS = 500,
    LENGTH = 20000,
    HEADERS = 42,
    ITEMS_MAX = 100000
};

static void die(const char *what)
{
    fprintf(stderr, "bench_check: %s\n", what);
    exit(4);
}

struct maker {
    FILE *file;
    uint32_t packets;
    uint32_t us; /* since the start */
};

static void put_be16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put_frame(struct maker *maker, unsigned from, unsigned to, const uint8_t *bytes,
                      size_t len)
{
    uint8_t frame[HEADERS + Q2P_DATAGRAM_MAX] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45};
    uint32_t record[4] = {maker->us / 1000000, maker->us % 1000000, (uint32_t)(HEADERS + len),
                          (uint32_t)(HEADERS + len)};
    put_be16(frame + 16, (unsigned)len + 28);
    frame[22] = 64;
    frame[23] = 17;
    frame[26] = frame[30] = 10;
    put_be16(frame + 28, from);
    put_be16(frame + 32, to);
    put_be16(frame + 34, Q2P_PORT_DEFAULT);
    put_be16(frame + 36, Q2P_PORT_DEFAULT);
    put_be16(frame + 38, (unsigned)len + 8);
    memcpy(frame + HEADERS, bytes, len);
    if (fwrite(record, sizeof record, 1, maker->file) != 1 ||
        fwrite(frame, HEADERS + len, 1, maker->file) != 1)
        die("cannot write the capture");
    maker->packets++;
    maker->us += 20;
}

static void put_message(struct maker *maker, unsigned from, unsigned to, enum q2p_dialect dialect,
                        const struct q2p_message *message)
{
    uint8_t bytes[Q2P_DATAGRAM_MAX];
    int len = q2p_wire_write(bytes, sizeof bytes, dialect, message);
    if (len < 0)
        die("cannot write a message");
    put_frame(maker, from, to, bytes, (size_t)len);
}

static void put_transmission(struct maker *maker, uint32_t number)
{
    static uint8_t data[LENGTH];
    enum q2p_dialect dialect = number % 2 ? Q2P_DIALECT_OPTIONS : Q2P_DIALECT_CLASSIC;
    unsigned from = number % PAIRS + 1, to = from + PAIRS;
    struct q2p_message message = {.length = LENGTH};
    struct md5_ctx md5;
    for (size_t i = 0; i < sizeof data; i += sizeof number)
        memcpy(data + i, &number, sizeof number);
    md5_init(&md5);
    md5_update(&md5, sizeof data, data);
    md5_digest(&md5, sizeof message.hash.bytes, message.hash.bytes);
    message.event = Q2P_EV_OPTIONS;
    if (dialect == Q2P_DIALECT_OPTIONS)
        put_message(maker, from, to, dialect, &message);
    message.event = Q2P_EV_OPTIONSFEEDBACK;
    if (dialect == Q2P_DIALECT_OPTIONS)
        put_message(maker, to, from, dialect, &message);
    message.event = Q2P_EV_TRANSPORT;
    for (uint32_t syn = 0; syn < q2p_wire_fragments(LENGTH); syn++) {
        message.syn = syn;
        message.body = data + (size_t)syn * Q2P_FRAGMENT_LEN;
        message.body_len = q2p_wire_share(LENGTH, syn);
        put_message(maker, from, to, dialect, &message);
    }
}

static void make_capture(FILE *file, uint32_t packets)
{
    const uint32_t header[] = {0xa1b2c3d4, 2 | 4 << 16, 0, 0, 65535, DLT_EN10MB};
    struct maker maker = {.file = file};
    if (fwrite(header, sizeof header, 1, file) != 1)
        die("cannot write the capture");
    for (uint32_t number = 0; maker.packets < packets; number++)
        put_transmission(&maker, number);
    if (fflush(file))
        die("cannot write the capture");
}

static uint64_t read_alone(const char *path)
{
    char why[PCAP_ERRBUF_SIZE];
    pcap_t *pcap = pcap_open_offline(path, why);
    struct pcap_pkthdr *header;
    const u_char *bytes;
    uint64_t sum = 0;
    if (!pcap)
        die(why);
    while (pcap_next_ex(pcap, &header, &bytes) == 1)
        sum += header->caplen;
    pcap_close(pcap);
    return sum;
}

static void tell(void *ctx, const struct cli_item *item)
{
    *(uint64_t *)ctx += item->frame;
}

static void check(const char *path, enum cli_hashing hashing, unsigned hands,
                  struct cli_totals *totals)
{
    char why[CLI_WHY_MAX];
    uint64_t told = 0;
    struct cli_capture *capture;
    struct cli_story *story;
    struct cli_story_config config = {.port = Q2P_PORT_DEFAULT,
                                      .memory_max = 256u << 20,
                                      .items_max = ITEMS_MAX,
                                      .hashing = hashing,
                                      .hands = hands,
                                      .tell = tell,
                                      .ctx = &told};
    struct cli_datagram in;
    FILE *file = fopen(path, "rb");
    if (!file || cli_capture_open(&capture, file, why) < 0 || cli_story_new(&story, &config) < 0)
        die("cannot read the capture");
    while (cli_capture_next(capture, &in, why) > 0)
        if (cli_story_datagram(story, &in) < 0)
            die("out of memory");
    cli_story_end(story, totals);
    cli_story_free(story);
    cli_capture_close(capture);
}

/* What `q2p check` can be asked for, and libpcap alone in front. */
static const struct way {
    const char *name;
    enum cli_hashing hashing;
    bool hands; /* as many as there are, or none: one core */
} ways[] = {{"libpcap alone", CLI_HASH_NONE, false},
            {"--no-hash, one core", CLI_HASH_NONE, false},
            {"keys, one core", CLI_HASH_KEY, false},
            {"keys (the default)", CLI_HASH_KEY, true},
            {"keys and SHA-256 (--json), one core", CLI_HASH_ALL, false},
            {"keys and SHA-256 (--json)", CLI_HASH_ALL, true}};
enum { WAYS = sizeof ways / sizeof *ways };

int main(int argc, char **argv)
{
    char path[] = "/tmp/bench_check.XXXXXX";
    uint32_t packets = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : PACKETS;
    if (!packets || argc > 3) {
        fputs("usage: bench_check [PACKETS [CAPTURE]]\n", stderr);
        return 2;
    }
    const char *kept = argc > 2 ? argv[2] : NULL;
    int made = kept ? -1 : mkstemp(path);
    FILE *file = kept ? fopen(kept, "wb") : made < 0 ? NULL : fdopen(made, "wb");
    double took[WAYS][ROUNDS];
    struct cli_totals totals = {0};
    if (!file)
        die("cannot make a capture");
    make_capture(file, packets);
    fclose(file);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < WAYS; i++) {
            double start = bench_wall_seconds();
            if (i == 0)
                read_alone(kept ? kept : path);
            else
                check(kept ? kept : path, ways[i].hashing, ways[i].hands ? cli_crew_spare() : 0,
                      &totals);
            took[i][round] = bench_wall_seconds() - start;
        }
    }
    if (!kept)
        remove(path);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf(
        "check  %llu packets, %llu transmissions complete, peak memory %.1f MiB, %u hands beside\n"
        "       want 1.00 M packets/s and 0.50 of libpcap\n",
        (unsigned long long)totals.datagrams, (unsigned long long)totals.complete,
        (double)usage.ru_maxrss / 1024, cli_crew_spare());
    for (int i = 0; i < WAYS; i++) {
        bench_sort(took[i], ROUNDS);
        printf("       %-36s %5.2f M packets/s, %.2f of libpcap alone\n", ways[i].name,
               (double)totals.datagrams / 1e6 / took[i][ROUNDS / 2],
               took[0][ROUNDS / 2] / took[i][ROUNDS / 2]);
    }
    return 0;
}
