/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * q2p_path.c - pacing by measured delivery rate and least round trip (PROTOCOL.md 6.9). A receiver
 * answers OPTIONS in the order of the datagrams before it, so each answer says: so long it took,
 * and all before has been taken in. Loss as such slows nothing down; a queue does.
 */
#include "q2p_path.h"

#include <q2p/wire.h>
#include <string.h>

#define ONE 256 /* gains are in parts of this */
#define START_GAIN 739
#define DRAIN_GAIN 154
#define YIELD_GAIN 192
#define WINDOW_GAIN 640 /* an answer is up to two round trips old */
#define WINDOW_GAIN_EXTENDED 512
#define FIRST_WINDOW 112 /* fragments; an original's socket buffer holds 166 datagrams */
#define FIRST_WINDOW_EXTENDED 504
#define QUEUE_NS (4 * Q2P_MILLISECOND) /* delay below this is no queue */
#define OWN_QUEUE 256                  /* fragments of a queue that may be ours */
#define NOISE_NS (2 * Q2P_MILLISECOND)
#define SAMPLE_NS Q2P_MILLISECOND    /* rates over less are those of a burst */
#define RTT_MIN_NS (10 * Q2P_SECOND) /* the least round trip is forgotten after that, at least */
#define RTT_FIRST_NS (100 * Q2P_MILLISECOND)
#define CYCLE 6
#define RATE_ROUNDS 5                   /* ... and a rate after so many rounds, at least */
#define RATE_NS (100 * Q2P_MILLISECOND) /* ... and not before that */
#define ROUND_NS (2 * Q2P_MILLISECOND)  /* a round has room for a sample */
#define NEAR_NS (500 * Q2P_MICROSECOND) /* a round trip on one host, where only windows brake */
#define QUANTUM_NS (100 * Q2P_MICROSECOND)
#define PROBE_EVERY 63 /* fragments: with the probe, a run that the kernel takes as one */
#define BURST 16       /* fragments that may leave at once in any case */
#define CAREFUL_NS (2 * Q2P_SECOND)

static uint64_t rate_of(uint64_t fragments, q2p_time during_ns)
{
    return fragments * Q2P_DATAGRAM_MAX * (uint64_t)Q2P_SECOND / (uint64_t)during_ns;
}

/* ---- life ---- */

int q2p__path_join(q2p_node *node, q2p_time now, struct q2p__contact *contact)
{
    struct q2p__path *path = contact->path;

    if (!path) {
        path = q2p__resize(node, NULL, 0, sizeof *path);
        if (!path)
            return Q2P_ERR_MEMORY;
        memset(path, 0, sizeof *path);
        if (q2p__heap_claim(&node->timers, &path->timer, Q2P__TIMER_PATH) != Q2P_OK) {
            q2p__resize(node, path, sizeof *path, 0);
            return Q2P_ERR_MEMORY;
        }
        q2p__list_init(&path->link);
        q2p__list_init(&path->sending);
        path->contact = contact;
        path->paced_at = path->heard_at = path->probed_at = now;
        path->rtt = RTT_FIRST_NS;
        path->rtt_min = path->rtts_min[0] = path->rtts_min[1] = path->round_rtt = Q2P_NEVER;
        path->rtt_min_at = path->rates_at = path->round_at = now;
        contact->path = path;
    }
    path->users++;
    return Q2P_OK;
}

void q2p__path_leave(q2p_node *node, struct q2p__path *path)
{
    if (--path->users > 0)
        return;
    path->contact->path = NULL;
    q2p__heap_release(&node->timers, &path->timer);
    q2p__list_drop(&path->link);
    q2p__resize(node, path, sizeof *path, 0);
}

static void measure_rtt(q2p_time now, struct q2p__path *path, q2p_time rtt_ns)
{
    q2p_time off_ns;

    if (path->rtt_min == Q2P_NEVER) {
        path->rtt = rtt_ns;
        path->rtt_var = rtt_ns / 2;
    }
    off_ns = path->rtt > rtt_ns ? path->rtt - rtt_ns : rtt_ns - path->rtt;
    path->rtt_var += (off_ns - path->rtt_var) / 4;
    path->rtt += (rtt_ns - path->rtt) / 8;
    if (now - path->rtt_min_at >= RTT_MIN_NS) {
        path->rtt_min_at = now;
        path->rtts_min[1] = path->rtts_min[0];
        path->rtts_min[0] = Q2P_NEVER;
    }
    if (rtt_ns < path->rtts_min[0])
        path->rtts_min[0] = rtt_ns;
    path->rtt_min = path->rtts_min[0] < path->rtts_min[1] ? path->rtts_min[0] : path->rtts_min[1];
    if (rtt_ns < path->round_rtt)
        path->round_rtt = rtt_ns;
}

void q2p__path_opened(q2p_time now, struct q2p__path *path, q2p_time rtt_ns)
{
    path->heard_at = now;
    if (path->phase == Q2P__PATH_CAREFUL) { /* it learned another dialect */
        path->phase = Q2P__PATH_START;
        path->rate = 0;
    }
    if (rtt_ns >= 0)
        measure_rtt(now, path, rtt_ns > 0 ? rtt_ns : 1);
    if (path->base_at == 0) {
        path->base_at = path->base_sent_at = now;
        path->base = path->delivered;
    }
}

/* ---- how fast, how much ---- */

static bool is_extended(const struct q2p__path *path)
{
    return path->contact->extends;
}

static unsigned gain(const struct q2p__path *path)
{
    static const uint16_t cycle[CYCLE] = {320, 192, ONE, ONE, ONE, ONE};

    if (path->phase == Q2P__PATH_START)
        return START_GAIN;
    if (path->phase == Q2P__PATH_DRAIN)
        return DRAIN_GAIN;
    if (path->phase == Q2P__PATH_CAREFUL)
        return ONE;
    return path->congested ? YIELD_GAIN : cycle[path->cycle];
}

static uint64_t first_window(const struct q2p__path *path)
{
    return is_extended(path) ? FIRST_WINDOW_EXTENDED : FIRST_WINDOW;
}

/* Fragments under way without a queue. */
static uint64_t under_way(const struct q2p__path *path)
{
    return path->rate / Q2P_DATAGRAM_MAX * ((uint64_t)path->rtt_min / 1000) / 1000000;
}

/* Fragments that may be under way after the last answered probe. */
static uint64_t window(const struct q2p__path *path)
{
    unsigned times = is_extended(path) ? WINDOW_GAIN_EXTENDED : WINDOW_GAIN;
    uint64_t first = first_window(path);
    uint64_t fragments;

    if (path->rtt_min == Q2P_NEVER)
        return first;
    if (path->phase == Q2P__PATH_START && is_extended(path))
        first += path->acked * 3 / 2; /* 2.5 times as much each round trip */
    fragments = under_way(path) * times / ONE;
    return fragments > first ? fragments : first;
}

/* Time that one fragment takes. On one host no queue but the receiver's fills, which the window
 * knows; and its pauses say nothing about the way. */
static q2p_time step(const struct q2p__path *path)
{
    q2p_time rtt_ns = path->rtt_min == Q2P_NEVER ? path->rtt : path->rtt_min;
    uint64_t rate = path->rate * gain(path) / ONE;
    uint64_t least = 0;

    if (path->phase == Q2P__PATH_START)
        least = 2 * rate_of(window(path), rtt_ns > 0 ? rtt_ns : 1);
    else if (path->phase != Q2P__PATH_CAREFUL && rtt_ns < NEAR_NS && !path->congested)
        least = rate_of(first_window(path), Q2P_MILLISECOND);
    if (rate < least)
        rate = least;
    return (q2p_time)(Q2P_DATAGRAM_MAX * (uint64_t)Q2P_SECOND / (rate > 0 ? rate : 1));
}

void q2p__path_classic(const q2p_node *node, q2p_time now, struct q2p__path *path)
{
    if (path->phase == Q2P__PATH_CAREFUL)
        return;
    path->phase = Q2P__PATH_CAREFUL;
    path->rate = node->config.rate_classic;
    path->since = now;
    path->paced_at = now - FIRST_WINDOW * step(path);
}

/* Waking for every fragment would cost more than sending it. */
static q2p_time quantum(const struct q2p__path *path)
{
    q2p_time rtt_ns = path->rtt_min == Q2P_NEVER ? path->rtt : path->rtt_min;
    q2p_time quantum_ns = rtt_ns / 32;

    if (quantum_ns < QUANTUM_NS)
        return QUANTUM_NS;
    return quantum_ns < Q2P_MILLISECOND ? quantum_ns : Q2P_MILLISECOND;
}

q2p_time q2p__path_patience(const struct q2p__path *path)
{
    q2p_time patience_ns = path->rtt + 4 * path->rtt_var + 10 * Q2P_MILLISECOND;

    return q2p__doubled(patience_ns, path->backoff < 5 ? path->backoff : 5);
}

void q2p__path_wake(q2p_node *node, struct q2p__path *path)
{
    if (!q2p__list_empty(&path->sending) && q2p__list_empty(&path->link))
        q2p__list_append(&node->ready, &path->link);
}

static void wake_at(q2p_node *node, struct q2p__path *path, q2p_time at)
{
    if (path->probes_count > 0 && path->probes[0].at + q2p__path_patience(path) < at)
        at = path->probes[0].at + q2p__path_patience(path);
    q2p__heap_set(&node->timers, &path->timer, at);
}

bool q2p__path_may_send(q2p_node *node, q2p_time now, struct q2p__path *path)
{
    q2p_time quantum_ns = quantum(path);
    unsigned burst = node->config.burst < BURST ? node->config.burst : BURST;
    q2p_time depth_ns = burst * step(path);

    if (depth_ns < 2 * quantum_ns)
        depth_ns = 2 * quantum_ns;
    if (path->phase == Q2P__PATH_CAREFUL) {
        if (path->since > now)
            path->since = now;
        depth_ns = FIRST_WINDOW * step(path);
    } else if (path->sent - path->acked >= window(path)) {
        wake_at(node, path, Q2P_NEVER); /* an answer wakes it, or the lack of one */
        return false;
    }
    if (path->paced_at < now - depth_ns)
        path->paced_at = now - depth_ns;
    if (path->paced_at <= now)
        return true;
    wake_at(node, path, path->paced_at + quantum_ns);
    return false;
}

void q2p__path_sent(q2p_time now, struct q2p__path *path)
{
    path->sent++;
    path->paced_at += step(path);
    if (path->phase == Q2P__PATH_CAREFUL && now - path->since >= CAREFUL_NS) {
        path->rate += path->rate / 2;
        path->since = now;
    }
}

void q2p__path_idle(q2p_node *node, struct q2p__path *path)
{
    path->limited_until = path->sent + 1;
    path->since = Q2P_NEVER / 2;
    wake_at(node, path, Q2P_NEVER);
}

/* ---- probes ---- */

bool q2p__path_wants_probe(const struct q2p__path *path, q2p_time now)
{
    uint64_t since = path->sent - path->probed;
    bool blocked = path->sent - path->acked >= window(path);

    if (path->phase == Q2P__PATH_CAREFUL || path->sent == path->acked)
        return false;
    if (path->probes_count == 0 && (blocked || path->backoff > 0))
        return true;
    if (!is_extended(path))
        return path->probes_count == 0 && since >= window(path) / 4;
    if (path->probes_count == Q2P__PROBES_MAX || since == 0)
        return false;
    return since >= PROBE_EVERY ? now - path->probed_at >= path->rtt / 8
                                : now - path->probed_at >= path->rtt + Q2P_MILLISECOND;
}

uint16_t q2p__path_probe(const q2p_node *node, q2p_time now, struct q2p__path *path, bool plain)
{
    uint64_t number = path->sent ^ (uint64_t)now << 20;
    struct q2p__probe *probe;

    if (path->probes_count == Q2P__PROBES_MAX)
        memmove(path->probes, path->probes + 1, --path->probes_count * sizeof *probe);
    probe = &path->probes[path->probes_count++];
    *probe = (struct q2p__probe){
        .at = now,
        .sent = path->sent,
        .base = path->base,
        .base_at = path->base_at,
        .base_sent_at = path->base_sent_at,
        .token = (uint16_t)(q2p__table_hash(node->secret, &number, sizeof number) | 1),
        .plain = plain,
        .again = path->backoff > 0,
        .limited = path->limited_until > path->acked};
    path->probed = path->sent;
    path->probed_at = now;
    return probe->token;
}

/* Takes the answered probe out, and with it those before it: lost, or their answers were. */
static bool take_probe(struct q2p__path *path, const struct q2p_packet *packet,
                       struct q2p__probe *probe)
{
    bool plain = packet->token_at.len == 0;
    unsigned i = 0, kept = 0;

    while (i < path->probes_count &&
           (path->probes[i].plain != plain || (!plain && path->probes[i].token != packet->token)))
        i++;
    if (i == path->probes_count)
        return false;
    *probe = path->probes[i];
    for (unsigned j = 0; j < path->probes_count; j++) {
        if (j > i || (path->probes[j].plain && !plain))
            path->probes[kept++] = path->probes[j];
        else if (j < i && path->probes[j].plain == plain)
            path->contact->probes_lost++;
    }
    path->probes_count = (uint8_t)kept;
    path->contact->probes_heard++;
    return true;
}

static void count_delivered(struct q2p__path *path, const struct q2p__probe *probe,
                            const struct q2p_packet *packet)
{
    if (packet->received_at.len > 0) { /* the receiver counts them itself */
        uint32_t more = packet->received - path->counted;

        if (!path->counts)
            path->delivered = probe->sent;
        else if (more <= probe->sent - path->delivered)
            path->delivered += more;
        else
            path->delivered = probe->sent; /* doubled on the way, or it began to count anew */
        path->counted = packet->received;
        path->counts = true;
    } else if (probe->sent > path->acked && !path->counts) {
        uint64_t more = probe->sent - path->acked;

        path->delivered += more > path->lost ? more - path->lost : 0;
        path->lost = 0;
    }
}

static void measure_rate(q2p_time now, struct q2p__path *path, const struct q2p__probe *probe)
{
    q2p_time during_ns = now - probe->base_at;
    uint64_t rate;

    if (during_ns < probe->at - probe->base_sent_at)
        during_ns = probe->at - probe->base_sent_at;
    if (during_ns >= SAMPLE_NS && path->delivered > probe->base) {
        rate = rate_of(path->delivered - probe->base, during_ns);
        if (!probe->limited || rate > path->rate) {
            if (rate > path->rates[0])
                path->rates[0] = rate;
            path->rate = path->rates[0] > path->rates[1] ? path->rates[0] : path->rates[1];
        }
    }
    if (now - path->base_at >= SAMPLE_NS && probe->at > path->base_sent_at) {
        path->base = path->delivered;
        path->base_at = now;
        path->base_sent_at = probe->at;
    }
}

static bool has_queue(const struct q2p__path *path, q2p_time rtt_ns)
{
    q2p_time allowed_ns = path->rtt_min / (path->phase == Q2P__PATH_START ? 4 : 2);

    if (allowed_ns < QUEUE_NS)
        allowed_ns = QUEUE_NS;
    return rtt_ns != Q2P_NEVER && rtt_ns - path->rtt_min > allowed_ns;
}

/*
 * Who has most of a queue yields first: then flows that share a link become equal, whatever they
 * began with, as the delay is the same for all.
 */
static bool owns_queue(const struct q2p__path *path, q2p_time rtt_ns)
{
    q2p_time queue_ns = rtt_ns - path->rtt_min;

    return rtt_ns != Q2P_NEVER && queue_ns > NOISE_NS &&
           path->rate / Q2P_DATAGRAM_MAX * (uint64_t)(queue_ns / 1000) / 1000000 > OWN_QUEUE;
}

/* A round trip's worth of fragments is answered. */
static void end_round(q2p_time now, struct q2p__path *path, bool limited)
{
    path->round_end = path->sent;
    path->round_at = now;
    path->congested = has_queue(path, path->round_rtt) || owns_queue(path, path->round_rtt);
    path->round_rtt = Q2P_NEVER;
    if (++path->rounds >= RATE_ROUNDS && now - path->rates_at >= RATE_NS && !limited) {
        path->rates[1] = path->rates[0];
        path->rates[0] = 0;
        path->rates_at = now;
        path->rounds = 0;
    }
    switch (path->phase) {
    case Q2P__PATH_START:
        if (limited || path->rate == 0)
            break;
        if (path->rate >= path->full_rate + path->full_rate / 4) {
            path->full_rate = path->rate;
            path->full_rounds = 0;
        } else if (++path->full_rounds >= 3) {
            path->phase = Q2P__PATH_DRAIN;
        }
        break;
    case Q2P__PATH_DRAIN:
        break;
    case Q2P__PATH_CRUISE:
        path->cycle = (uint8_t)((path->cycle + 1) % CYCLE);
        break;
    case Q2P__PATH_CAREFUL:
        break;
    }
}

bool q2p__path_answered(q2p_node *node, q2p_time now, struct q2p__path *path,
                        const struct q2p_packet *packet)
{
    struct q2p__probe probe;
    q2p_time rtt_ns;

    if (!take_probe(path, packet, &probe))
        return false;
    rtt_ns = now > probe.at ? now - probe.at : 1;
    path->heard_at = now;
    path->backoff = 0;
    if (!probe.plain || !probe.again)
        measure_rtt(now, path, rtt_ns);
    count_delivered(path, &probe, packet);
    if (probe.sent > path->acked)
        path->acked = probe.sent;
    measure_rate(now, path, &probe);
    if (path->phase == Q2P__PATH_START && path->rate > 0 && has_queue(path, rtt_ns))
        path->phase = Q2P__PATH_DRAIN;
    if (path->phase == Q2P__PATH_DRAIN && path->sent - path->acked <= under_way(path) * 9 / 8) {
        path->phase = Q2P__PATH_CRUISE;
        path->congested = false;
        path->round_end = path->sent; /* answers still tell of the queue for a round trip */
        path->round_at = now;
        path->round_rtt = Q2P_NEVER;
        path->cycle = 2;
    }
    if (probe.sent >= path->round_end && now - path->round_at >= ROUND_NS)
        end_round(now, path, probe.limited);
    q2p__path_wake(node, path);
    return probe.sent == path->sent;
}

void q2p__path_lost(const q2p_node *node, q2p_time now, struct q2p__path *path, size_t count)
{
    path->heard_at = now;
    path->lost += (uint32_t)count;
    if (path->phase != Q2P__PATH_CAREFUL)
        return;
    /* over a tenth of what went out since the last time: half the rate, once in a while */
    if (path->lost > (path->sent - path->acked) / 10 && now - path->since >= RTT_FIRST_NS &&
        path->rate > node->config.rate_classic / 16) {
        path->rate /= 2;
    }
    path->since = now;
    path->acked = path->sent;
    path->lost = 0;
}

unsigned q2p__path_passes(const struct q2p__path *path, uint32_t fragments, unsigned max)
{
    const struct q2p__contact *contact = path->contact;
    uint64_t missing = (uint64_t)fragments * 1000;
    unsigned passes = 1;
    /* a probe can be lost there and back */
    uint64_t lost = contact->probes_lost * UINT64_C(500) /
                    (contact->probes_lost + contact->probes_heard + UINT64_C(1));

    if (contact->probes_lost == 0 || is_extended(path) || path->phase == Q2P__PATH_CAREFUL)
        return 1;
    lost = lost < 50 ? 50 : lost; /* there were few probes to tell */
    for (missing = missing * lost / 1000; missing > 50 && passes < max; passes++)
        missing = missing * lost / 1000;
    return passes;
}

bool q2p__path_tick(q2p_node *node, q2p_time now, struct q2p__path *path)
{
    q2p_time dead_ns = node->config.keep_ns > Q2P_SECOND ? node->config.keep_ns : Q2P_SECOND;

    q2p__heap_set(&node->timers, &path->timer, Q2P_NEVER);
    if (path->probes_count > 0 && path->probes[0].at + q2p__path_patience(path) <= now) {
        path->contact->probes_lost += path->probes_count;
        path->probes_count = 0;
        path->backoff++;
    }
    if (path->backoff > 2 && now - path->heard_at >= dead_ns)
        return false;
    q2p__path_wake(node, path);
    return true;
}
