/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_check.c - `q2p check`: what happened in a capture, for people and as JSON Lines. */
#include <inttypes.h>
#include <string.h>

#include <q2p/status.h>

#include "cli_extract.h"
#include "cli_manifest.h"
#include "cli_out.h"
#include "cli_story.h"
#include "cli_tell.h"
#include "cmd.h"

enum { ITEMS_MAX = 100000 };

struct check_values {
    struct cli_common common;
    bool strict, manifest, no_hash;
    const char *extract;
    uint64_t port, memory_max;
};

/* What must be found, and is not. */
static bool is_as_expected(const char *path, const struct cli_expected *expected,
                           const struct cli_totals *totals, uint64_t frames)
{
    const struct {
        const char *what;
        int64_t expected;
        uint64_t found;
    } rows[] = {{"packets", expected->packets, frames},
                {"complete transmissions", expected->complete, totals->complete},
                {"incomplete transmissions", expected->incomplete,
                 totals->transmissions - totals->complete},
                {"connected pairs", expected->pairs, totals->connected},
                {"malformed datagrams", expected->malformed, totals->malformed}};
    bool good = true;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].expected < 0 || (uint64_t)rows[i].expected == rows[i].found)
            continue;
        cli_error("%s: %" PRIu64 " %s, must be %" PRId64, path, rows[i].found, rows[i].what,
                  rows[i].expected);
        good = false;
    }
    return good;
}

static void judged(void *ctx, const struct cli_sending *sending, bool received)
{
    cli_extract_settle(ctx, sending, received);
}

/* Without eyes for them, hashes are in vain. */
static enum cli_hashing what_to_hash(const struct check_values *values,
                                     const struct cli_listener *listener)
{
    if (values->no_hash || listener->quiet)
        return CLI_HASH_NONE;
    return listener->json || values->extract ? CLI_HASH_ALL : CLI_HASH_KEY;
}

/* expected may be NULL. */
static int check_capture(const struct check_values *values, struct cli_listener *listener,
                         const struct cli_expected *expected)
{
    char why[CLI_WHY_MAX];
    struct cli_capture *capture;
    FILE *file = cli_open(listener->path);
    if (!file)
        return CLI_INPUT;
    int status = cli_capture_open(&capture, file, why);
    if (status < 0) {
        cli_error("%s: %s", listener->path, why);
        return status == Q2P_ERR_MEMORY ? CLI_ENVIRONMENT : CLI_INPUT;
    }
    listener->capture = capture;
    struct cli_story *story;
    struct cli_extract extract = {.folder = values->extract, .capture = listener->path};
    struct cli_story_config config = {.port = (uint16_t)values->port,
                                      .memory_max = (size_t)values->memory_max,
                                      .items_max = ITEMS_MAX,
                                      .hashing = what_to_hash(values, listener),
                                      .hands = cli_crew_spare(),
                                      .tell = cli_tell,
                                      .ctx = listener};
    if (values->extract) {
        config.whole = cli_extract_keep;
        config.judged = judged;
        config.whole_ctx = &extract;
    }
    int read = 0;
    status = cli_story_new(&story, &config);
    struct cli_datagram in = {0};
    struct cli_totals totals = {0};
    bool first = true;
    while (status == Q2P_OK && (read = cli_capture_next(capture, &in, why)) > 0) {
        if (first)
            listener->start_ns = in.t_ns;
        first = false;
        status = cli_story_datagram(story, &in);
    }
    if (story)
        cli_story_end(story, &totals);
    uint64_t frames = cli_capture_frames(capture);
    if (frames || read == 0)
        cli_tell_sum(listener, &totals, frames, in.t_ns);
    cli_story_free(story);
    struct cli_flaws flaws;
    cli_capture_flaws(capture, &flaws);
    cli_tell_flaws(listener->path, &flaws);
    cli_capture_close(capture);
    if (status < 0) {
        cli_error("%s: %s", listener->path, q2p_status_text(status));
        return CLI_ENVIRONMENT;
    }
    if (read < 0) {
        cli_error("%s: %s", listener->path, why);
        return CLI_INPUT;
    }
    if (extract.failed)
        return CLI_ENVIRONMENT;
    if (expected && !is_as_expected(listener->path, expected, &totals, frames))
        return CLI_FAILED;
    bool flawed = totals.transmissions > totals.complete + totals.empty || totals.malformed;
    return values->strict && flawed ? CLI_FAILED : CLI_FINE;
}

struct tour {
    const struct check_values *values;
    uint64_t captures, good;
    int worst;
};

static void visit(void *ctx, const struct cli_entry *entry)
{
    struct tour *tour = ctx;
    struct cli_listener listener = {.path = entry->path,
                                    .json = tour->values->common.json,
                                    .quiet = !tour->values->common.json,
                                    .named = true};
    int code = check_capture(tour->values, &listener, &entry->found);
    tour->captures++;
    tour->good += code == CLI_FINE;
    tour->worst = code > tour->worst ? code : tour->worst;
    if (!tour->values->common.json && !tour->values->common.quiet)
        printf("%s%s%s %s\n", cli_colour(code ? CLI_BAD : CLI_GOOD),
               code ? "not as expected" : "as expected", cli_colour(CLI_PLAIN), entry->path);
}

static int check_manifests(const struct check_values *values, int argc, char **argv)
{
    struct tour tour = {.values = values};
    for (int i = 0; i < argc; i++) {
        int code = cli_manifest_visit(argv[i], visit, &tour);
        tour.worst = code > tour.worst ? code : tour.worst;
    }
    if (!values->common.json && tour.captures)
        printf("%" PRIu64 " captures, %" PRIu64 " as expected\n", tour.captures, tour.good);
    return tour.worst;
}

static int run(const void *at, int argc, char **argv)
{
    const struct check_values *values = at;
    int worst = CLI_FINE;
    struct cli_extract extract = {.folder = values->extract};
    if (values->extract && !cli_extract_open(&extract))
        return CLI_ENVIRONMENT;
    if (values->manifest)
        return check_manifests(values, argc, argv);
    for (int i = 0; i < argc; i++) {
        struct cli_listener listener = {.path = argv[i],
                                        .json = values->common.json,
                                        .quiet = values->common.quiet,
                                        .named = argc > 1};
        int code = check_capture(values, &listener, NULL);
        worst = code > worst ? code : worst;
    }
    return worst;
}

static const struct cli_option options[] = {
    CLI_COMMON_OPTIONS,
    {"strict", 0, CLI_FLAG, offsetof(struct check_values, strict), NULL, NULL, 0, 0,
     "exit 1 if a transmission is incomplete or a datagram malformed"},
    {"extract", 0, CLI_TEXT, offsetof(struct check_values, extract), "DIR", NULL, 0, 0,
     "write each complete transmission to DIR/<capture>-<frame>-<key>.bin"},
    {"manifest", 0, CLI_FLAG, offsetof(struct check_values, manifest), NULL, NULL, 0, 0,
     "CAPTURE is a folder with MANIFEST.yaml: exit 1 if something else is found than it says"},
    {"no-hash", 0, CLI_FLAG, offsetof(struct check_values, no_hash), NULL, NULL, 0, 0,
     "do not look whether keys fit their data, nor at SHA-256: several times faster (as --quiet)"},
    {"port", 'p', CLI_NUMBER, offsetof(struct check_values, port), "PORT", "10000", 1, 65535,
     "a port on which weak signs are enough to take traffic for Q2P"},
    {"memory", 0, CLI_SIZE, offsetof(struct check_values, memory_max), "SIZE", "256MiB", 1, 0,
     "for fragments of transmissions that are not whole yet"},
    {.name = NULL},
};

const struct cli_command cmd_check = {
    .name = "check",
    .args = "CAPTURE...",
    .sentence = "Tells what happened in a capture: who connected, what was sent and received.",
    .about =
        "Reads pcap and pcapng (- is standard input): Ethernet, raw IP, loopback and Linux\n"
        "cooked captures. Every transmission is put together again: is it complete, and does its\n"
        "key fit its data? --json and --extract add the SHA-256. An incomplete one gets the "
        "numbers\n"
        "of its missing fragments (SYNs). q2p(1) tells what is concluded from what.",
    .example = "  q2p check capture.pcapng\n"
               "  q2p check --json capture.pcapng | jq 'select(.type == \"transmission\")'\n"
               "  q2p check --manifest captures/\n"
               "  q2p check --extract received capture.pcapng",
    .options = options,
    .values_size = sizeof(struct check_values),
    .args_min = 1,
    .args_max = -1,
    .run = run,
};
