/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * q2p_answer.c - what answers to probes tell of a path (PROTOCOL.md 6.9): round trip, delivery
 * rate, loss, whose the queue is; and which phase follows from that.
 */
#include "q2p_path.h"

#include <q2p/wire.h>
#include <string.h>

#define PROBES_COUNTED 8192
#define MILLION UINT64_C(1000000)
#define QUEUE_NS (4 * Q2P_MILLISECOND) /* delay below this is no queue */
#define START_QUEUE 128                /* fragments: a start's first are fewer, and only jitter */
#define OWN_QUEUE 256                  /* fragments of a queue that may be ours */
#define OWN_QUEUE_SHARED 768           /* ... where others keep one up */
#define PATIENT_ROUNDS 8               /* ... for so many rounds */
#define QUEUED_ANSWERS 2               /* one alone may be late for other reasons */
#define NOISE_NS (2 * Q2P_MILLISECOND)
#define SAMPLE_NS Q2P_MILLISECOND       /* rates over less are those of a burst */
#define RTT_MIN_NS (10 * Q2P_SECOND)    /* the least round trip is forgotten after that, at least */
#define RATE_ROUNDS 5                   /* ... and a rate after so many rounds, at least */
#define RATE_NS (100 * Q2P_MILLISECOND) /* ... and not before that */
#define ROUND_NS (2 * Q2P_MILLISECOND)  /* a round has room for a sample */

/* ---- round trips ---- */

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

void q2p__path_opened(q2p_time now, struct q2p__path *path, q2p_time rtt_ns, unsigned again)
{
    path->heard_at = now;
    if (path->phase == Q2P__PATH_CAREFUL) { /* it learned another dialect */
        path->phase = Q2P__PATH_START;
        path->rate = 0;
    }
    if (again == 0 || path->rtt_min == Q2P_NEVER) /* too long is better than none */
        measure_rtt(now, path, rtt_ns > 0 ? rtt_ns : 1);
    path->asked += again;
    if (path->base_at == 0) {
        path->base_at = path->base_sent_at = now;
        path->base = path->delivered;
    }
    q2p__path_adjust(path);
}

/* ---- answers ---- */

/* Takes the answered probe out, and with it those before it: lost, or their answers were. */
static struct q2p__probe take_probe(struct q2p__path *path, unsigned i)
{
    struct q2p__probe probe = path->probes[i];
    unsigned kept = 0, lost = 0;

    for (unsigned j = 0; j < path->probes_count; j++) {
        if (j > i || (path->probes[j].plain && !probe.plain))
            path->probes[kept++] = path->probes[j];
        else if (j < i && path->probes[j].plain == probe.plain)
            lost++;
    }
    path->probes_count = (uint8_t)kept;
    q2p__path_count(path, lost, 1);
    return probe;
}

void q2p__path_count(struct q2p__path *path, unsigned lost, unsigned heard)
{
    struct q2p__contact *contact = path->contact;

    contact->probes_lost = (uint16_t)(contact->probes_lost + lost);
    contact->probes_heard = (uint16_t)(contact->probes_heard + heard);
    if (contact->probes_lost + contact->probes_heard >= PROBES_COUNTED) {
        contact->probes_lost /= 2;
        contact->probes_heard /= 2;
    }
}

/* Questions for the count that left before this probe are answered by now, or lost. */
static void settle(struct q2p__path *path, const struct q2p__probe *probe)
{
    uint32_t asked = probe->asked - path->settled;
    uint32_t heard = path->told < asked ? path->told : asked;

    path->settled = probe->asked;
    path->told -= heard;
    q2p__path_count(path, asked - heard, heard);
}

static void count_delivered(struct q2p__path *path, const struct q2p__probe *probe,
                            const struct q2p_packet *packet)
{
    if (packet && packet->received_at.len > 0) { /* the receiver counts them itself */
        uint32_t more = packet->received - path->counted, fewer = -more;
        uint64_t most = path->sent - path->delivered;

        if (path->counts && fewer <= most) /* datagrams overtook each other: those are known of */
            return;
        if (path->counts && more <= most)
            path->delivered += more;
        else if (path->delivered < probe->sent) /* doubled on the way, or it began to count anew */
            path->delivered = probe->sent;
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
        rate = q2p__rate_of(path->delivered - probe->base, during_ns);
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
    q2p_time allowed_ns = path->rtt_min / (path->phase <= Q2P__PATH_DOUBT ? 4 : 2);

    if (allowed_ns < QUEUE_NS)
        allowed_ns = QUEUE_NS;
    return rtt_ns != Q2P_NEVER && rtt_ns - path->rtt_min > allowed_ns;
}

/*
 * Who has most of a queue yields first: then flows that share a link become equal, whatever they
 * began with, as the delay is the same for all.
 */
static bool owns_queue(const struct q2p__path *path, q2p_time rtt_ns, uint64_t fragments)
{
    q2p_time queue_ns = rtt_ns - path->rtt_min;

    return rtt_ns != Q2P_NEVER && queue_ns > NOISE_NS &&
           path->rate / Q2P_DATAGRAM_MAX * (uint64_t)(queue_ns / 1000) / 1000000 > fragments;
}

/* A queue that stays although we yield is not ours, and its owners do not yield: then a share of
 * it is all that can be had, as large as is still no threat to them. */
static bool is_congested(struct q2p__path *path, q2p_time rtt_ns)
{
    if (rtt_ns == Q2P_NEVER || rtt_ns - path->rtt_min <= QUEUE_NS)
        path->queue_rounds = 0;
    else if (path->queue_rounds <= PATIENT_ROUNDS)
        path->queue_rounds++;
    if (path->queue_rounds > PATIENT_ROUNDS)
        return owns_queue(path, rtt_ns, OWN_QUEUE_SHARED);
    return has_queue(path, rtt_ns) || owns_queue(path, rtt_ns, OWN_QUEUE);
}

static bool is_growing(const struct q2p__path *path)
{
    return path->rate >= path->full_rate + path->full_rate / 4;
}

/* A round trip's worth of fragments is answered. */
static void end_round(q2p_time now, struct q2p__path *path, bool limited)
{
    path->round_end = path->sent;
    path->round_at = now;
    path->congested = is_congested(path, path->round_rtt);
    path->round_rtt = Q2P_NEVER;
    if (++path->rounds >= RATE_ROUNDS && now - path->rates_at >= RATE_NS &&
        (!limited || path->congested)) {
        path->rates[1] = path->rates[0];
        path->rates[0] = 0;
        path->rates_at = now;
        path->rounds = 0;
    }
    switch (path->phase) {
    case Q2P__PATH_START:
        if (limited || path->rate == 0)
            break;
        if (is_growing(path)) {
            path->full_rate = path->rate;
            path->full_rounds = 0;
        } else if (++path->full_rounds >= 3) {
            path->phase = Q2P__PATH_DRAIN;
        }
        break;
    case Q2P__PATH_DOUBT:
    case Q2P__PATH_DRAIN:
    case Q2P__PATH_CAREFUL:
        break;
    case Q2P__PATH_CRUISE:
        if (path->cycle == 0)
            path->full_rate = path->rate;
        path->cycle = (uint8_t)((path->cycle + 1) % Q2P__CYCLE);
        /* what was sent faster has been answered, and came through faster: more of that */
        if (path->cycle == 2 && !path->congested && path->rate > path->full_rate * 9 / 8)
            path->cycle = 0;
        break;
    }
}

/* A queue of ours grew until the doubt began: what left before that has met it. Another's, of a
 * flow that looked for more, comes and goes, and is no reason to be content with less. */
static void look_at_queue(q2p_time now, struct q2p__path *path, q2p_time left_at, bool queued)
{
    path->queued_answers = queued ? (uint8_t)(path->queued_answers + 1) : 0;
    if (path->phase == Q2P__PATH_START && path->rate > 0 &&
        path->queued_answers >= QUEUED_ANSWERS) {
        path->phase = Q2P__PATH_DOUBT;
        path->doubted_at = now;
    } else if (path->phase == Q2P__PATH_DOUBT) {
        if (left_at > path->doubted_at)
            path->phase = Q2P__PATH_DRAIN;
        else if (!queued && is_growing(path))
            path->phase = Q2P__PATH_START;
    }
}

/* One is answered; by what, unless it is alone. */
static bool take_answer(q2p_node *node, q2p_time now, struct q2p__path *path, unsigned i,
                        const struct q2p_packet *packet)
{
    struct q2p__probe probe = take_probe(path, i);
    q2p_time rtt_ns = now > probe.at ? now - probe.at : 1;

    path->heard_at = now;
    path->backoff = 0;
    path->contact->proven |= !probe.plain;
    settle(path, &probe);
    measure_rtt(now, path, rtt_ns);
    count_delivered(path, &probe, packet);
    if (probe.sent > path->acked)
        path->acked = probe.sent;
    measure_rate(now, path, &probe);
    look_at_queue(now, path, probe.at,
                  has_queue(path, rtt_ns) && owns_queue(path, rtt_ns, START_QUEUE));
    if (path->phase == Q2P__PATH_DRAIN &&
        path->sent - path->acked <= q2p__path_holds(path) * 9 / 8) {
        path->phase = Q2P__PATH_CRUISE;
        path->congested = false;
        path->round_end = path->sent; /* answers still tell of the queue for a round trip */
        path->round_at = now;
        path->round_rtt = Q2P_NEVER;
        path->cycle = 2;
    }
    if (probe.sent >= path->round_end && now - path->round_at >= ROUND_NS)
        end_round(now, path, probe.limited);
    q2p__path_adjust(path);
    q2p__path_wake(node, path);
    return probe.sent == path->sent;
}

bool q2p__path_answered(q2p_node *node, q2p_time now, struct q2p__path *path,
                        const struct q2p_packet *packet)
{
    bool plain = packet->token_at.len == 0;

    for (unsigned i = 0; i < path->probes_count; i++)
        if (plain ? path->probes[i].plain && !path->probes[i].alone
                  : !path->probes[i].plain && path->probes[i].token == packet->token)
            return take_answer(node, now, path, i, packet);
    if (plain && path->asked > 0)
        path->told++;
    else if (plain && path->contact->probes_lost > 0) { /* it was not lost, but late */
        path->contact->probes_lost--;
        path->contact->probes_heard++;
    }
    q2p__path_adjust(path); /* perhaps it has just shown that it knows the extension */
    return false;
}

int q2p__path_alone(q2p_node *node, q2p_time now, struct q2p__path *path,
                    const struct q2p_hash *key)
{
    for (unsigned i = 0; i < path->probes_count; i++) {
        struct q2p_hash made;

        if (!path->probes[i].alone)
            continue;
        q2p__path_key(node, &path->probes[i], &made);
        if (memcmp(&made, key, sizeof made) == 0) {
            take_answer(node, now, path, i, NULL);
            return Q2P_OK;
        }
    }
    return Q2P_ERR_ABSENT;
}

void q2p__path_lost(const q2p_node *node, q2p_time now, struct q2p__path *path, size_t count)
{
    path->heard_at = now;
    path->lost += (uint32_t)count;
    if (path->phase != Q2P__PATH_CAREFUL)
        return;
    /* over a tenth of what went out since the last time: half the rate, once in a while */
    if (path->lost > (path->sent - path->acked) / 10 &&
        (path->since > now || now - path->since >= Q2P__RTT_FIRST_NS) &&
        path->rate > node->config.rate_classic / 16) {
        path->rate /= 2;
        q2p__path_adjust(path);
    }
    path->since = now;
    path->acked = path->sent;
    path->lost = 0;
}

/*
 * What may be lost, in a million, each probe being lost there or back: in all likelihood no more
 * than this many. Few answers cannot show that nothing is, so 1 % is assumed at least until then,
 * and 5 % once something was lost. On one host nothing is, unless the receiver is overrun. And as
 * long as nothing was answered since the first fragment, the peer may well be one that can ask.
 */
static uint64_t may_lose(const struct q2p__path *path)
{
    const struct q2p__contact *contact = path->contact;
    uint64_t asked = contact->probes_lost + UINT64_C(1) + contact->probes_heard;
    uint64_t mean = contact->probes_lost * MILLION / 2 / asked;
    uint64_t most = (contact->probes_lost * UINT64_C(9) / 8 + 7) * MILLION / 2 / asked;
    uint64_t few = MILLION / (contact->probes_lost > 0 ? 20 : 100);
    uint64_t lacked = contact->lacked * MILLION * 9 / 8000;

    if (contact->fell_short == 0 && (q2p__path_near(path) || path->phase == Q2P__PATH_CAREFUL))
        return 0;
    if (most > few)
        most = mean > few ? mean : few;
    if (contact->fell_short == 0)
        return path->acked > 0 ? most : 0;
    if (most < MILLION / 20)
        most = MILLION / 20;
    return most > lacked ? most : lacked;
}

unsigned q2p__path_passes(const struct q2p__path *path, uint32_t fragments, unsigned max)
{
    uint64_t lost = may_lose(path), missing = fragments * lost;
    unsigned passes = 1;

    if (q2p__path_extended(path))
        return 1;
    for (; missing > MILLION / 20 && passes < max; passes++)
        missing = missing * lost / MILLION;
    return passes;
}
