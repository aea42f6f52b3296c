/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report_story.c - counts, and keeps what is worth drawing. */
#include "report_story.h"

#include <stdlib.h>

#define BURST_LEAST_NS (20 * Q2P_MILLISECOND)  /* lists may come one after the other */
#define BURST_PAUSE_NS (200 * Q2P_MILLISECOND) /* a longer silence ends a burst */

void report_story_init(struct report_story *story, struct net *net, q2p_time until_ns,
                       size_t transfers_count)
{
    *story = (struct report_story){.net = net, .until_ns = until_ns};
    story->transfers = sim_alloc((transfers_count + 1) * sizeof *story->transfers);
    story->transfers_count = transfers_count;
    story->punches = sim_alloc(REPORT_PUNCHES_MAX * sizeof *story->punches);
}

void report_story_transfer(struct report_story *story, size_t index, uint32_t from, uint32_t to,
                           uint32_t size)
{
    struct report_transfer *transfer = &story->transfers[index];
    *transfer = (struct report_transfer){.from = from,
                                         .to = to,
                                         .fragments = q2p_wire_fragments(size),
                                         .first_ns = Q2P_NEVER,
                                         .last_ns = Q2P_NEVER};
    for (int i = 0; i <= REPORT_PROGRESS; i++)
        transfer->progress_ns[i] = Q2P_NEVER;
    transfer->seen = sim_alloc(2 * (transfer->fragments / 8 + 1));
}

void report_story_free(struct report_story *story)
{
    for (size_t i = 0; i < story->transfers_count; i++)
        free(story->transfers[i].seen);
    free(story->transfers);
    free(story->messages);
    free(story->punches);
    *story = (struct report_story){0};
}

/* True if the bit was not set before. */
static bool set_bit(uint8_t *bits, uint32_t index)
{
    uint8_t mask = (uint8_t)(1u << index % 8);
    bool fresh = !(bits[index / 8] & mask);
    bits[index / 8] |= mask;
    return fresh;
}

static bool is_fragment(const struct report_said *said)
{
    return q2p_event_shape(said->read->event) == Q2P_SHAPE_FRAGMENT;
}

/* The transmission whose fragment it is, or NULL. */
static struct report_transfer *fragment_of(struct report_story *story,
                                           const struct report_said *said)
{
    if (said->transfer == REPORT_NONE || !is_fragment(said) ||
        said->read->syn >= story->transfers[said->transfer].fragments)
        return NULL;
    return &story->transfers[said->transfer];
}

/* ---- sent -------------------------------------------------------------------------------- */

static void grow_burst(struct report_transfer *transfer, bool again, q2p_time now)
{
    struct report_burst *burst =
        transfer->bursts_count ? &transfer->bursts[transfer->bursts_count - 1] : NULL;
    bool pause = burst && now - burst->last_ns > BURST_PAUSE_NS;
    bool asked = again && transfer->listed && burst && now - burst->first_ns > BURST_LEAST_NS;
    bool next = !burst || burst->again != again || asked || pause;
    if (next && transfer->bursts_count < REPORT_BURSTS_MAX) {
        burst = &transfer->bursts[transfer->bursts_count++];
        *burst = (struct report_burst){.first_ns = now, .again = again};
        transfer->listed = false;
    }
    burst->last_ns = now;
    burst->sent++;
}

/* True if the fragment has left before. */
static bool sent_fragment(struct report_transfer *transfer, const struct q2p_packet *read,
                          q2p_time now)
{
    bool again = !set_bit(transfer->seen, read->syn);
    if (transfer->first_ns == Q2P_NEVER)
        transfer->first_ns = now;
    transfer->last_ns = now;
    transfer->dialect = read->dialect;
    transfer->sent++;
    transfer->again += again;
    grow_burst(transfer, again, now);
    return again;
}

static void sent_message(struct report_story *story, const struct report_said *said,
                         const struct sim_packet *packet, q2p_time now)
{
    if (said->read->event == Q2P_EV_TRANSPORT_FAILED && said->transfer != REPORT_NONE)
        story->transfers[said->transfer].lists++;
    if (story->messages_count == REPORT_MESSAGES_MAX) {
        story->messages_missed++;
        return;
    }
    if (story->messages_count == story->messages_room)
        story->messages = sim_grow(story->messages, &story->messages_room, sizeof *story->messages);
    story->messages[story->messages_count++] =
        (struct report_message){.sent_ns = now,
                                .fate_ns = Q2P_NEVER,
                                .id = packet->id,
                                .from = packet->from,
                                .to = net_who(story->net, packet->from, &packet->dst),
                                .event = said->read->event,
                                .fate = NET_FATE_FLYING,
                                .where = "",
                                .dst = packet->dst,
                                .transfer = said->transfer,
                                .lost_count = said->read->lost_count};
}

void report_story_sent(struct report_story *story, const struct report_said *said,
                       const struct sim_packet *packet, q2p_time now)
{
    q2p_time width = story->until_ns / REPORT_BINS + 1;
    struct report_bin *bin =
        &story->bins[now / width < REPORT_BINS ? now / width : REPORT_BINS - 1];
    struct report_transfer *transfer = fragment_of(story, said);
    story->last_ns = now;
    if (transfer && sent_fragment(transfer, said->read, now)) {
        bin->again += packet->len;
        story->total.again += packet->len;
    } else if (transfer) {
        bin->first += packet->len;
        story->total.first += packet->len;
    } else {
        bin->control += packet->len;
        story->total.control += packet->len;
        sent_message(story, said, packet, now);
    }
}

/* ---- ended ------------------------------------------------------------------------------- */

static void end_fragment(struct report_transfer *transfer, const struct q2p_packet *read,
                         q2p_time sent_ns, const struct report_end *end)
{
    if (end->fate != NET_FATE_DELIVERED) {
        uint32_t i = transfer->bursts_count;
        while (i > 1 && transfer->bursts[i - 1].first_ns > sent_ns)
            i--;
        transfer->gone++;
        if (i > 0)
            transfer->bursts[i - 1].gone++;
        return;
    }
    if (!set_bit(transfer->seen + transfer->fragments / 8 + 1, read->syn))
        return;
    transfer->arrived++;
    for (uint64_t i = 1; i <= REPORT_PROGRESS; i++)
        if (transfer->progress_ns[i] == Q2P_NEVER &&
            (uint64_t)transfer->arrived * REPORT_PROGRESS >= i * transfer->fragments)
            transfer->progress_ns[i] = end->at_ns;
}

static void end_message(struct report_story *story, const struct sim_packet *packet,
                        const struct report_end *end)
{
    size_t low = 0, high = story->messages_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (story->messages[middle].sent_ns < packet->sent_ns)
            low = middle + 1;
        else
            high = middle;
    }
    while (low < story->messages_count && story->messages[low].id != packet->id)
        low++;
    if (low == story->messages_count)
        return;
    struct report_message *message = &story->messages[low];
    message->fate = end->fate;
    message->fate_ns = end->at_ns;
    message->where = end->where;
    message->src = packet->src;
    if (end->fate == NET_FATE_DELIVERED)
        message->to = packet->to;
}

static void note_punch(struct report_story *story, const struct q2p_packet *read,
                       const struct sim_packet *packet)
{
    uint32_t newcomer = net_who(story->net, packet->to, &read->address);
    if (newcomer == NET_NOWHERE || newcomer == packet->to)
        return;
    for (size_t i = 0; i < story->punches_count; i++) {
        const struct report_punch *punch = &story->punches[i];
        if ((punch->newcomer == newcomer && punch->known == packet->to) ||
            (punch->newcomer == packet->to && punch->known == newcomer))
            return;
    }
    if (story->punches_count == REPORT_PUNCHES_MAX) {
        story->punches_missed++;
        return;
    }
    story->punches[story->punches_count++] = (struct report_punch){.newcomer = newcomer,
                                                                   .known = packet->to,
                                                                   .seed = packet->from,
                                                                   .asked_ns = packet->sent_ns};
}

void report_story_fate(struct report_story *story, const struct report_said *said,
                       const struct sim_packet *packet, const struct report_end *end)
{
    struct report_transfer *transfer = fragment_of(story, said);
    bool came = end->fate == NET_FATE_DELIVERED;
    if (came)
        hist_add(&story->delay_ns, (uint64_t)(end->at_ns - packet->sent_ns));
    if (transfer) {
        end_fragment(transfer, said->read, packet->sent_ns, end);
        return;
    }
    end_message(story, packet, end);
    if (came && said->read->event == Q2P_EV_TOUCHREQUEST)
        note_punch(story, said->read, packet);
    if (came && said->read->event == Q2P_EV_TRANSPORT_FAILED && said->transfer != REPORT_NONE)
        story->transfers[said->transfer].listed = true;
}
