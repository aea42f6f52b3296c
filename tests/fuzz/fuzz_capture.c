/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_capture.c - the bytes are a capture file, pcap or pcapng, as `q2p check` reads it: through
 * the reader of captures and the story to the end. Whatever the file says, frames are counted up,
 * nothing is longer than it was, and what is told adds up.
 */
#include "fuzz.h"

#include <string.h>

#include "cli_story.h"

enum { MEMORY_MAX = 1 << 16, ITEMS_MAX = 64 }; /* little, so that the limits are met */

struct told {
    uint64_t transmissions, malformed;
};

static void tell(void *ctx, const struct cli_item *item)
{
    struct told *told = ctx;
    told->transmissions += item->tale == CLI_TALE_TRANSMISSION;
    told->malformed += item->tale == CLI_TALE_MALFORMED;
    MUST(item->frame > 0);
    if (item->tale != CLI_TALE_TRANSMISSION)
        return;
    MUST(item->sending && item->a.scope_id == item->b.scope_id);
    MUST(item->verdict != CLI_VERDICT_WHOLE || item->missing == 0);
    MUST(item->missing <= q2p_wire_fragments(item->sending->length));
}

static void whole(void *ctx, const struct cli_sending *sending, const uint8_t *data, size_t len)
{
    const volatile uint8_t *bytes = data; /* so that reading stays, optimized or not */
    (void)ctx;
    MUST(len == sending->length && len > 0);
    for (size_t i = 0; i < len; i++) /* a sanitizer sees whether all of it is there */
        (void)bytes[i];
}

static void read_all(struct cli_capture *capture, struct cli_story *story)
{
    struct cli_datagram in;
    char why[CLI_WHY_MAX] = "", name[CLI_INTERFACE_MAX];
    uint64_t frame = 0;
    int status;
    while ((status = cli_capture_next(capture, &in, why)) > 0) {
        MUST(in.frame > frame && in.frame <= cli_capture_frames(capture));
        MUST(in.have <= in.total && in.t_ns >= 0);
        frame = in.frame;
        MUST(cli_story_datagram(story, &in) == 0);
        cli_capture_interface(capture, in.src.scope_id, name);
        MUST(*name);
    }
    MUST(status == 0 || *why);
    struct cli_flaws flaws;
    cli_capture_flaws(capture, &flaws);
    MUST(flaws.cut <= cli_capture_frames(capture) && flaws.strange <= cli_capture_frames(capture));
    MUST(flaws.cut_first <= cli_capture_frames(capture));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct told told = {0};
    struct cli_story_config config = {.port = Q2P_PORT_DEFAULT,
                                      .memory_max = MEMORY_MAX,
                                      .items_max = ITEMS_MAX,
                                      .tell = tell,
                                      .ctx = &told,
                                      .whole = whole};
    struct cli_capture *capture;
    struct cli_story *story;
    struct cli_totals totals;
    char why[CLI_WHY_MAX] = "";
    FILE *file = size ? fmemopen((void *)(uintptr_t)bytes, size, "rb") : NULL;
    if (!file)
        return 0;
    if (cli_capture_open(&capture, file, why) < 0) {
        MUST(*why);
        return 0;
    }
    MUST(cli_story_new(&story, &config) == 0);
    read_all(capture, story);
    cli_story_end(story, &totals);
    MUST(totals.transmissions == told.transmissions && totals.malformed == told.malformed);
    MUST(totals.complete <= totals.transmissions && totals.q2p <= totals.datagrams);
    cli_story_free(story);
    cli_capture_close(capture);
    return 0;
}
