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
#define FIRST_WINDOW 111 /* fragments, 56 KB; an original's socket buffer holds 166 datagrams */
#define PAUSE_NS (2 * Q2P_MILLISECOND) /* ... which may not be read for so long */
#define FIRST_WINDOW_EXTENDED 504
#define NEAR_MORE_NS (5 * Q2P_MILLISECOND)
#define NEAR_MORE 4096 /* fragments: all queues there are may be one socket buffer of 4 MiB */
#define PATIENCE_NS (250 * Q2P_MILLISECOND)
#define PATIENCE_MAX_NS (4 * Q2P_SECOND) /* however late it answered: who is gone is given up */
#define QUANTUM_NS (100 * Q2P_MICROSECOND)
#define PROBE_EVERY 63 /* fragments: with the probe, a run that the kernel takes as one; */
#define LONG_EVERY 8   /* over a long way a slow sender's rate would have too few samples */
#define FAR_EVERY 16   /* ... to whom does not know the extension, */
#define FAR_NS (5 * Q2P_MILLISECOND) /* as an original remembers each for some seconds */
#define COUNT_EVERY 16               /* fragments; it remembers nothing of these */
#define ASKS 4   /* probes under way to whom the small window stops, until one is answered */
#define BURST 16 /* fragments that may leave at once in any case */
#define CAREFUL_NS (2 * Q2P_SECOND)
#define SILENT_NS (4 * Q2P_SECOND) /* ... and these: an original's first list comes after 6 s */
#define CLASSIC_S 4 /* an original gives up after 6 s, and what comes just then can kill it */
#define ROOM_NS Q2P_MICROSECOND /* a fragment, for which it makes room when the first one comes */
#define REST_FROM_MS 5900
#define REST_TO_MS 6300
#define CLASSIC_RATE_MAX (UINT64_C(16) << 20) /* bytes per second; its own sender's is higher */

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
        path->rtt = contact->rtt_ns > 0 ? contact->rtt_ns : Q2P__RTT_FIRST_NS;
        path->rtt_min = path->rtts_min[0] = path->rtts_min[1] = path->round_rtt = Q2P_NEVER;
        path->rtt_min_at = path->rates_at = path->round_at = now;
        contact->path = path;
        q2p__path_adjust(path);
    }
    path->users++;
    return Q2P_OK;
}

void q2p__path_leave(q2p_node *node, struct q2p__path *path)
{
    if (--path->users > 0)
        return;
    path->contact->path = NULL;
    if (path->rtt_min != Q2P_NEVER)
        path->contact->rtt_ns = path->rtt + 4 * path->rtt_var;
    q2p__heap_release(&node->timers, &path->timer);
    q2p__list_drop(&path->link);
    q2p__resize(node, path, sizeof *path, 0);
}

/* ---- how fast, how much ---- */

static unsigned gain(const struct q2p__path *path)
{
    static const uint16_t cycle[Q2P__CYCLE] = {320, 192, ONE, ONE, ONE, ONE};

    if (path->phase == Q2P__PATH_START)
        return START_GAIN;
    if (path->phase == Q2P__PATH_DRAIN)
        return DRAIN_GAIN;
    if (path->phase == Q2P__PATH_DOUBT || path->phase == Q2P__PATH_CAREFUL)
        return ONE;
    return path->congested ? YIELD_GAIN : cycle[path->cycle];
}

/* Only who answered with a token of ours has said itself that it knows the extension. */
static bool is_wide(const struct q2p__path *path)
{
    return q2p__path_extended(path) && path->contact->proven;
}

static uint64_t first_window(const struct q2p__path *path)
{
    return is_wide(path) ? FIRST_WINDOW_EXTENDED : FIRST_WINDOW;
}

/* Fragments that may be under way after the last answered probe. */
static uint64_t window(const struct q2p__path *path)
{
    unsigned times = is_wide(path) ? WINDOW_GAIN_EXTENDED : WINDOW_GAIN;
    uint64_t first = first_window(path);
    uint64_t fragments;

    if (path->rtt_min == Q2P_NEVER)
        return first;
    fragments = q2p__path_holds(path) * times / ONE;
    if (path->phase == Q2P__PATH_CRUISE && !q2p__path_near(path)) {
        q2p_time more_ns = 2 * path->rtt_var; /* where delays vary, most are not the least */

        if (more_ns > path->rtt_min)
            more_ns = path->rtt_min;
        fragments += fragments * (uint64_t)more_ns / (uint64_t)path->rtt_min;
    }
    if (path->phase == Q2P__PATH_START && (is_wide(path) || q2p__path_far(path))) {
        uint64_t more = path->delivered * 3 / 2; /* 2.5 times as much each round trip */
        uint64_t most = q2p__path_holds(path) * START_GAIN / ONE;

        if (more > NEAR_MORE && path->rtt_min < NEAR_MORE_NS)
            more = NEAR_MORE;
        if (more > most && is_wide(path)) /* it does not get through faster */
            more = most;
        if (fragments < first + more)
            fragments = first + more;
    }
    if (!is_wide(path) && fragments > first * ((uint64_t)path->rtt_min / PAUSE_NS))
        fragments = first * ((uint64_t)path->rtt_min / PAUSE_NS);
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
        least = 2 * q2p__rate_of(path->window, rtt_ns > 0 ? rtt_ns : 1);
    else if (path->phase != Q2P__PATH_CAREFUL && q2p__path_near(path) && !path->congested)
        least = q2p__rate_of(FIRST_WINDOW_EXTENDED, Q2P_MILLISECOND);
    if (rate < least)
        rate = least;
    return (q2p_time)(Q2P_DATAGRAM_MAX * (uint64_t)Q2P_SECOND / (rate > 0 ? rate : 1));
}

void q2p__path_adjust(struct q2p__path *path)
{
    path->window = window(path);
    path->step_ns = step(path);
}

void q2p__path_classic(const q2p_node *node, q2p_time now, struct q2p__path *path,
                       uint64_t fragments)
{
    uint64_t rate = fragments * Q2P_DATAGRAM_MAX / CLASSIC_S;
    bool others = path->phase == Q2P__PATH_CAREFUL && !q2p__list_empty(&path->sending);

    if (others && path->rate >= CLASSIC_RATE_MAX)
        return;
    if (others) /* they need theirs as well */
        rate += path->rate;
    if (rate > CLASSIC_RATE_MAX)
        rate = CLASSIC_RATE_MAX;
    if (rate < node->config.rate_classic)
        rate = node->config.rate_classic;
    path->phase = Q2P__PATH_CAREFUL;
    path->rate = rate;
    q2p__path_adjust(path);
    if (others)
        return;
    path->since = now + SILENT_NS;
    path->paced_at = now - FIRST_WINDOW * path->step_ns;
}

static uint32_t stamp(q2p_time now)
{
    return (uint32_t)(now / Q2P_MILLISECOND) + 1;
}

void q2p__path_opens(q2p_time now, struct q2p__path *path, uint32_t fragments)
{
    struct q2p__contact *contact = path->contact;

    path->paced_at += fragments * ROOM_NS;
    contact->opened_ms[contact->opened_next] = stamp(now);
    contact->opened_next = (uint8_t)((contact->opened_next + 1) % Q2P__OPENED);
}

/* Until when nothing should leave in classic: an original that walks what one of its timers ends,
 * while its program takes in fragments, dies of it (PROTOCOL.md 6.9). */
static q2p_time rests_until(q2p_time now, const struct q2p__path *path)
{
    uint32_t left_ms = 0;

    for (unsigned i = 0; i < Q2P__OPENED; i++) {
        uint32_t since_ms = stamp(now) - path->contact->opened_ms[i];

        if (path->contact->opened_ms[i] && since_ms >= REST_FROM_MS && since_ms < REST_TO_MS &&
            left_ms < REST_TO_MS - since_ms)
            left_ms = REST_TO_MS - since_ms;
    }
    return now + left_ms * Q2P_MILLISECOND;
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

    /* one pause of a host must not make every lost answer cost seconds; to ask early is harmless */
    if (path->rtt_min != Q2P_NEVER && patience_ns > 4 * path->rtt_min + PATIENCE_NS)
        patience_ns = 4 * path->rtt_min + PATIENCE_NS;
    if (patience_ns > PATIENCE_MAX_NS)
        patience_ns = PATIENCE_MAX_NS;
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

static bool is_full(const struct q2p__path *path)
{
    return path->sent - path->acked >= path->window;
}

/* The small window opens with the first answer to a token: that one lost shall not cost a wait. And
 * where the window is full, all waits for one answer: a few questions, lest a lost one stops us. */
static q2p_time asks_again_at(const struct q2p__path *path, q2p_time now)
{
    q2p_time gap_ns = path->rtt / 8;

    if (!q2p__path_extended(path) || path->probes_count == 0 || path->probes_count >= ASKS ||
        now > path->probes[0].at + path->rtt / 2)
        return Q2P_NEVER;
    if (!path->contact->proven)
        return path->backoff > 0 ? Q2P_NEVER : path->probed_at + gap_ns;
    if (gap_ns < Q2P_MILLISECOND)
        gap_ns = Q2P_MILLISECOND;
    return is_full(path) ? path->probed_at + gap_ns : Q2P_NEVER;
}

bool q2p__path_may_send(q2p_node *node, q2p_time now, struct q2p__path *path)
{
    q2p_time quantum_ns = quantum(path);
    unsigned burst = node->config.burst < BURST ? node->config.burst : BURST;
    q2p_time depth_ns = burst * path->step_ns;

    if (depth_ns < 4 * quantum_ns)
        depth_ns = 4 * quantum_ns;
    if (path->phase == Q2P__PATH_CAREFUL) {
        if (path->since > now + SILENT_NS)
            path->since = now + SILENT_NS;
        depth_ns = FIRST_WINDOW * path->step_ns;
        if (rests_until(now, path) > now) {
            wake_at(node, path, rests_until(now, path));
            return false;
        }
    } else if (is_full(path)) {
        /* or an answer wakes it, or the lack of one */
        wake_at(node, path, asks_again_at(path, now));
        path->blocked = true;
        return false;
    }
    if (path->paced_at < now - depth_ns) {
        path->paced_at = now - depth_ns;
        if (!path->blocked) /* we come too late to send as much as we might: a busy host */
            path->limited_until = path->sent + 1;
    }
    path->blocked = false;
    if (path->paced_at <= now)
        return true;
    wake_at(node, path, path->paced_at + quantum_ns);
    return false;
}

void q2p__path_sent(q2p_time now, struct q2p__path *path)
{
    path->sent++;
    path->paced_at += path->step_ns;
    if (path->phase == Q2P__PATH_CAREFUL && now - path->since >= CAREFUL_NS) {
        path->rate += path->rate / 2;
        path->since = now;
        q2p__path_adjust(path);
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
    uint64_t every = path->rtt_min < NEAR_MORE_NS ? PROBE_EVERY : LONG_EVERY;

    if (path->phase == Q2P__PATH_CAREFUL || path->sent == path->acked)
        return false;
    if (path->probes_count == 0 && (is_full(path) || path->backoff > 0))
        return true;
    if (q2p__path_far(path) && path->probes_count > 0)
        return path->probes_count < Q2P__PROBES_MAX && since >= FAR_EVERY &&
               now - path->probed_at >= (path->rtt / 8 > FAR_NS ? path->rtt / 8 : FAR_NS);
    if (!q2p__path_extended(path))
        /* an answer finds half a window still to be read: there is time for what follows; but the
         * first one is early, as opening may have taken an original longer than the way does */
        return path->probes_count == 0 && since >= path->window / (path->acked > 0 ? 2 : 8);
    if (asks_again_at(path, now) <= now)
        return true;
    if (path->probes_count == Q2P__PROBES_MAX || since == 0)
        return false;
    return since >= every ? now - path->probed_at >= path->rtt / 8
                          : now - path->probed_at >= path->rtt + Q2P_MILLISECOND;
}

bool q2p__path_wants_count(const struct q2p__path *path)
{
    return q2p__path_far(path) && path->acked > 0 && path->sent - path->asked_after >= COUNT_EVERY;
}

void q2p__path_ask(struct q2p__path *path)
{
    path->asked++;
    path->asked_after = path->sent;
}

/* May a plain answer be to something that left before? */
static bool awaits_plain(const struct q2p__path *path)
{
    return path->backoff > 0 || path->probes_count > 0 || path->asked != path->settled ||
           (path->asked > 0 && q2p__path_far(path));
}

const struct q2p__probe *q2p__path_probe(const q2p_node *node, q2p_time now, struct q2p__path *path,
                                         bool plain)
{
    uint64_t number = path->sent ^ (uint64_t)now << 20;
    bool alone = plain && awaits_plain(path);
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
        .asked = path->asked,
        .plain = plain,
        .alone = alone,
        .limited = path->limited_until > path->acked};
    path->probed = path->sent;
    path->probed_at = now;
    return probe;
}

void q2p__path_key(const q2p_node *node, const struct q2p__probe *probe, struct q2p_hash *out)
{
    for (uint64_t i = 0; i < Q2P_HASH_LEN / sizeof(uint64_t); i++) {
        uint64_t from[3] = {(uint64_t)probe->at, probe->token, i};
        uint64_t some = q2p__table_hash(node->secret, from, sizeof from);

        memcpy(out->bytes + i * sizeof some, &some, sizeof some);
    }
}

/* Those that left so long ago are lost; younger ones may yet be answered. */
static bool give_up_probes(q2p_time now, struct q2p__path *path)
{
    unsigned lost = 0;

    while (lost < path->probes_count && path->probes[lost].at + q2p__path_patience(path) <= now)
        lost++;
    path->probes_count = (uint8_t)(path->probes_count - lost);
    memmove(path->probes, path->probes + lost, path->probes_count * sizeof path->probes[0]);
    q2p__path_count(path, lost, 0);
    return lost > 0;
}

bool q2p__path_tick(q2p_node *node, q2p_time now, struct q2p__path *path)
{
    q2p_time dead_ns = node->config.keep_ns > Q2P_SECOND ? node->config.keep_ns : Q2P_SECOND;

    q2p__heap_set(&node->timers, &path->timer, Q2P_NEVER);
    if (give_up_probes(now, path) && path->probes_count == 0) {
        path->backoff++;
        /* we stood still because of an answer: no sign of the rate */
        if (!q2p__path_extended(path))
            path->limited_until = path->sent + 1;
    }
    if (path->backoff > 2 && now - path->heard_at >= dead_ns)
        return false;
    q2p__path_wake(node, path);
    return true;
}
