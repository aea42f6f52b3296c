/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli_replay_load.c - a whole capture in memory, and who in it is a Q2P node. */
#include <stdlib.h>
#include <string.h>

#include <q2p/status.h>

#include "cli_replay.h"

static int add(struct cli_recording *recording, const struct cli_datagram *in)
{
    if (recording->count == recording->room) {
        size_t room = recording->room ? recording->room * 2 : 256;
        void *frames = realloc(recording->frames, room * sizeof *recording->frames);
        if (!frames)
            return Q2P_ERR_MEMORY;
        recording->frames = frames;
        recording->room = room;
    }
    struct cli_frame *frame = &recording->frames[recording->count];
    *frame = (struct cli_frame){.t_ns = in->t_ns,
                                .number = in->frame,
                                .src = in->src,
                                .dst = in->dst,
                                .have = in->have,
                                .total = in->total};
    frame->src.scope_id = frame->dst.scope_id = 0; /* all interfaces are one to a node */
    frame->bytes = malloc(in->have ? in->have : 1);
    if (!frame->bytes)
        return Q2P_ERR_MEMORY;
    memcpy(frame->bytes, in->bytes, in->have);
    frame->likeness = q2p_wire_likeness(in->bytes, in->have, in->total);
    recording->count++;
    recording->bytes += sizeof *frame + in->have;
    recording->cut += in->have < in->total;
    return Q2P_OK;
}

int cli_replay_load(struct cli_recording *out, FILE *file, size_t bytes_max)
{
    struct cli_capture *capture;
    struct cli_datagram in;
    *out = (struct cli_recording){0};
    int read, status = cli_capture_open(&capture, file, out->why);
    if (status < 0)
        return status;
    while (status == Q2P_OK && (read = cli_capture_next(capture, &in, out->why)) > 0) {
        status = add(out, &in);
        if (status == Q2P_OK && out->bytes > bytes_max)
            status = Q2P_ERR_MEMORY;
    }
    if (status == Q2P_OK && read < 0)
        out->broken = true; /* what came before can be replayed */
    cli_capture_close(capture);
    if (status < 0)
        snprintf(out->why, sizeof out->why, "%s", q2p_status_text(status));
    return status;
}

void cli_replay_unload(struct cli_recording *recording)
{
    for (size_t i = 0; i < recording->count; i++)
        free(recording->frames[i].bytes);
    free(recording->frames);
    *recording = (struct cli_recording){0};
}

static size_t find(const struct q2p_addr *addrs, size_t count, const struct q2p_addr *addr)
{
    size_t i = 0;
    while (i < count && !q2p_addr_equal(&addrs[i], addr))
        i++;
    return i;
}

enum { ENDPOINTS_MAX = 256 }; /* of one capture; more is a flood of forged addresses */

size_t cli_replay_endpoints(const struct cli_recording *recording, struct q2p_addr **out)
{
    size_t count = 0;
    bool nodes = false;
    *out = calloc(ENDPOINTS_MAX, sizeof **out);
    if (!*out)
        return 0;
    for (size_t i = 0; i < recording->count; i++) {
        const struct cli_frame *frame = &recording->frames[i];
        bool known = frame->src.port == Q2P_PORT_DEFAULT || frame->dst.port == Q2P_PORT_DEFAULT;
        nodes = nodes || frame->likeness == Q2P_LIKENESS_STRONG ||
                (known && frame->likeness != Q2P_LIKENESS_NONE);
    }
    for (size_t i = 0; nodes && i < recording->count; i++) {
        const struct cli_frame *frame = &recording->frames[i];
        const struct q2p_addr *const ends[] = {&frame->src, &frame->dst};
        for (size_t k = 0; k < 2 && frame->likeness != Q2P_LIKENESS_NONE; k++)
            if (count < ENDPOINTS_MAX && find(*out, count, ends[k]) == count)
                (*out)[count++] = *ends[k];
    }
    return count;
}
