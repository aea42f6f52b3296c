/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * q2p-punch.c - finds the punch that each message of PROTOCOL.md 5.2 belongs to, and says what
 * became of it. TOUCH, CONNECT and CONNECTED name nobody, so they go by the pair that talks; a NAT
 * that changes ports is seen through only if the port is one that has never been heard before.
 */
#include "q2p-punch.h"

#include <q2p/status.h>

#include "q2p-state-private.h"

#define PUNCHES_MAX 50000 /* strangers can name any number of nodes; more are not told of */
#define SEEDS_MAX 4       /* seeds of one pair that are looked through */

/* How a punch is found: by all three, by the pair, or by the pair but one port (0 = any). */
struct key {
    struct q2p_addr seed, newcomer, known; /* the seed's ip_len 0 = whichever */
    uint32_t interface_id;
};

/* What belongs to the open capture. */
static struct {
    wmem_map_t *punches; /* the newest for each struct key */
    uint32_t count;      /* of punches, those that are told */
} file;

static unsigned key_hash(const void *key)
{
    return wmem_strong_hash((const uint8_t *)key, sizeof(struct key));
}

static gboolean key_equal(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct key)) == 0;
}

void q2p_punches_begin(void)
{
    file.punches = wmem_map_new(wmem_file_scope(), key_hash, key_equal);
    file.count = 0;
}

static struct q2p_addr addr_of(const struct q2p_endpoint *end)
{
    struct q2p_addr addr = {.port = (uint16_t)end->port};

    if (end->addr.len == sizeof(ws_in4_addr) || end->addr.len == sizeof(ws_in6_addr)) {
        addr.ip_len = (uint8_t)end->addr.len;
        memcpy(addr.ip, end->addr.data, addr.ip_len);
    }
    return addr;
}

static void file_under(struct q2p_punch *punch, struct key key)
{
    wmem_map_insert(file.punches, wmem_memdup(wmem_file_scope(), &key, sizeof key), punch);
}

/* The newest punch of that pair, and the other ways to find it. */
static void file_pair(struct q2p_punch *punch)
{
    struct key key = {
        .newcomer = punch->newcomer, .known = punch->known, .interface_id = punch->interface_id};

    file_under(punch, key);
    key.known.port = 0;
    file_under(punch, key);
    key.known.port = punch->known.port;
    key.newcomer.port = 0;
    file_under(punch, key);
}

static struct q2p_punch *new_punch(const struct key *key)
{
    struct q2p_punch *fresh;

    if (file.count >= PUNCHES_MAX)
        return NULL;
    fresh = wmem_new0(wmem_file_scope(), struct q2p_punch);
    fresh->index = file.count++;
    fresh->interface_id = key->interface_id;
    fresh->seed = key->seed;
    fresh->newcomer = key->newcomer;
    fresh->known = key->known;
    return fresh;
}

/* The punch that a message to or from the seed speaks of; made if there is none. */
static struct q2p_punch *punch_of_three(const struct key *key)
{
    struct q2p_punch *punch = wmem_map_lookup(file.punches, key);
    struct key pair = *key;

    if (punch != NULL)
        return punch;
    memset(&pair.seed, 0, sizeof pair.seed);
    struct q2p_punch *before = wmem_map_lookup(file.punches, &pair);
    if (before != NULL && before->seed.ip_len == 0) {
        before->seed = key->seed; /* its messages came first */
        file_under(before, *key);
        return before;
    }
    punch = new_punch(key);
    if (punch == NULL)
        return NULL;
    punch->before = before;
    file_under(punch, *key);
    file_pair(punch);
    return punch;
}

/* Of the punches of one pair through several seeds: the oldest that lacks the step. */
static struct q2p_punch *oldest_without(struct q2p_punch *newest, enum q2p_step step)
{
    struct q2p_punch *chosen = newest;
    int left = SEEDS_MAX;

    for (struct q2p_punch *punch = newest; punch != NULL && left > 0; punch = punch->before, left--)
        if (punch->frames[step] == 0)
            chosen = punch;
    return chosen;
}

/* The punch of a pair of which one comes through a NAT that gives it another port for everybody it
 * talks to (PROTOCOL.md 5.2). */
static struct q2p_punch *moved_punch(struct key key, enum q2p_step step, bool fresh_port)
{
    bool known_moves = step == Q2P_STEP_TOUCH;
    uint16_t port = known_moves ? key.known.port : key.newcomer.port;
    int which = known_moves ? 0 : 1;

    if (known_moves)
        key.known.port = 0;
    else
        key.newcomer.port = 0;
    struct q2p_punch *punch = wmem_map_lookup(file.punches, &key);
    if (punch == NULL)
        return NULL;
    if (fresh_port && step != Q2P_STEP_CONNECTED && punch->frames[step] == 0)
        punch->moved_from[which] = port;
    return punch->moved_from[which] == port ? punch : NULL;
}

/* The punch of two that talk; made if there is none. `answers_join`: the sender was joined by the
 * other one, whom it asks whether it is there (PROTOCOL.md 5.1). */
static struct q2p_punch *punch_of_pair(const struct key *key, enum q2p_step step, bool fresh_port,
                                       bool answers_join)
{
    struct key reverse = {
        .newcomer = key->known, .known = key->newcomer, .interface_id = key->interface_id};
    struct q2p_punch *punch = wmem_map_lookup(file.punches, key);

    if (punch != NULL)
        return oldest_without(punch, step);
    punch = moved_punch(*key, step, fresh_port);
    if (punch != NULL)
        return punch;
    punch = wmem_map_lookup(file.punches, &reverse);
    if (punch != NULL && step != Q2P_STEP_TOUCH && punch->frames[Q2P_STEP_CONNECT] != 0)
        return punch; /* connected already: the other side keeps it alive */
    if (answers_join && step == Q2P_STEP_CONNECT) {
        reverse.seed = key->newcomer;
        key = &reverse;
    }
    punch = new_punch(key);
    if (punch != NULL)
        file_pair(punch);
    return punch;
}

static enum q2p_step step_of(enum q2p_event event)
{
    static const enum q2p_event events[] = {
#define XX(name, sender) Q2P_EV_##name,
        Q2P_STEP_MAP(XX)
#undef XX
    };

    for (size_t i = 0; i < array_length(events); i++)
        if (events[i] == event)
            return (enum q2p_step)i;
    return Q2P_STEPS;
}

static void learn_join(struct q2p_visit *visit, const struct q2p__datagram *datagram)
{
    struct q2p_side *side = &datagram->talk->sides[datagram->side];
    struct q2p_join *join = wmem_new0(wmem_file_scope(), struct q2p_join);

    join->frame = datagram->frame;
    join->time = datagram->time;
    join->side = side;
    visit->role = Q2P_ROLE_JOIN;
    visit->again = side->join != NULL;
    visit->join = join;
    side->join = join;
}

/* The JOIN that made the seed begin this punch, if it passed here. */
static void link_join(struct q2p_punch *punch)
{
    const struct q2p_side *side;

    if (punch->frames[Q2P_STEP_JOIN] != 0 || punch->seed_end == NULL || punch->newcomer_end == NULL)
        return;
    side = q2p__side_between(punch->newcomer_end, punch->seed_end);
    if (side == NULL || side->join == NULL)
        return;
    punch->frames[Q2P_STEP_JOIN] = side->join->frame;
    punch->times[Q2P_STEP_JOIN] = side->join->time;
    if (side->join->last != NULL)
        side->join->last->next_of_join = punch;
    else
        side->join->first = punch;
    side->join->last = punch;
}

static void note_step(struct q2p_visit *visit, struct q2p_punch *punch, enum q2p_step step,
                      const struct q2p__datagram *datagram)
{
    visit->role = Q2P_ROLE_STEP;
    visit->punch = punch;
    visit->again = punch->frames[step] != 0;
    punch->last_frame = datagram->frame;
    if (step == Q2P_STEP_CONNECT || step == Q2P_STEP_CONNECTED)
        punch->unanswered_frame = step == Q2P_STEP_CONNECT ? datagram->frame : 0;
    if (visit->again) {
        punch->repeats++;
        return;
    }
    punch->frames[step] = datagram->frame;
    punch->times[step] = datagram->time;
}

/* Who takes part, as far as the message shows. */
static void note_ends(struct q2p_punch *punch, uint32_t interface_id)
{
    if (punch->newcomer_end == NULL)
        punch->newcomer_end = q2p__endpoint_find(&punch->newcomer, interface_id);
    if (punch->known_end == NULL)
        punch->known_end = q2p__endpoint_find(&punch->known, interface_id);
    if (punch->seed_end == NULL && punch->seed.ip_len > 0)
        punch->seed_end = q2p__endpoint_find(&punch->seed, interface_id);
}

void q2p__punch_learn(struct q2p_visit *visit, const struct q2p__datagram *datagram)
{
    enum q2p_step step = step_of(datagram->packet->event);
    const struct q2p_endpoint *from_end = datagram->talk->sides[datagram->side].from;
    const struct q2p_addr *named = &datagram->packet->address;
    struct key key = {.interface_id = from_end->interface_id};
    bool names = q2p_event_shape(datagram->packet->event) == Q2P_SHAPE_ADDRESS;
    bool fresh_port = from_end->first_frame == datagram->frame;
    bool answers_join = datagram->talk->sides[!datagram->side].join != NULL;
    struct q2p_addr from, to;

    if (step == Q2P_STEPS || datagram->status != Q2P_OK || (names && named->ip_len == 0))
        return;
    from = addr_of(from_end);
    to = addr_of(datagram->talk->sides[!datagram->side].from);
    switch (step) {
    case Q2P_STEP_JOIN:
        learn_join(visit, datagram);
        return;
    case Q2P_STEP_TOUCHREQUEST:
        key.seed = from, key.newcomer = *named, key.known = to;
        break;
    case Q2P_STEP_TOUCHED:
        key.seed = to, key.newcomer = *named, key.known = from;
        break;
    case Q2P_STEP_CONNECTREQUEST:
        key.seed = from, key.newcomer = to, key.known = *named;
        break;
    case Q2P_STEP_CONNECT:
        key.newcomer = from, key.known = to;
        break;
    case Q2P_STEP_TOUCH:
    case Q2P_STEP_CONNECTED:
    case Q2P_STEPS:
        key.newcomer = to, key.known = from;
        break;
    }
    struct q2p_punch *punch =
        names ? punch_of_three(&key) : punch_of_pair(&key, step, fresh_port, answers_join);
    if (punch == NULL)
        return;
    note_ends(punch, key.interface_id);
    link_join(punch);
    note_step(visit, punch, step, datagram);
}

struct q2p_punch_role q2p_punch_of(const struct q2p_visit *visit, enum q2p_event event)
{
    struct q2p_punch_role role = {.step = Q2P_STEPS};

    if (visit->role == Q2P_ROLE_JOIN)
        role.punch = visit->join->first;
    else if (visit->role == Q2P_ROLE_STEP)
        role.punch = visit->punch;
    else
        return role;
    role.step = step_of(event);
    role.again = visit->again;
    return role;
}

enum q2p_step q2p_punch_reached(const struct q2p_punch *punch)
{
    int step = Q2P_STEP_CONNECTED;

    while (step > Q2P_STEP_JOIN && punch->frames[step] == 0)
        step--;
    return (enum q2p_step)step;
}

enum q2p_step q2p_punch_wanted(const struct q2p_punch *punch)
{
    return (enum q2p_step)(q2p_punch_reached(punch) + 1);
}

q2p_time q2p_punch_time(const struct q2p_punch *punch)
{
    enum q2p_step first = Q2P_STEP_JOIN;

    if (punch->frames[Q2P_STEP_CONNECTED] == 0)
        return 0;
    while (punch->frames[first] == 0)
        first++;
    return punch->times[Q2P_STEP_CONNECTED] - punch->times[first];
}

uint32_t q2p_punch_refused(const struct q2p_punch *punch)
{
    struct q2p_endpoint *const ends[] = {punch->seed_end, punch->newcomer_end, punch->known_end};
    uint32_t first = 0;

    for (size_t i = 0; i < array_length(ends); i++)
        for (size_t k = 0; k < array_length(ends); k++) {
            const struct q2p_side *side = NULL;
            if (i != k && ends[i] != NULL && ends[k] != NULL)
                side = q2p__side_between(ends[i], ends[k]);
            if (side != NULL && side->refused_frame != 0 &&
                (first == 0 || side->refused_frame < first))
                first = side->refused_frame;
        }
    return first;
}

/* True if that node has sent anything after that frame. */
static bool is_there(const struct q2p_endpoint *end, uint32_t frame)
{
    return end != NULL && end->last_frame > frame;
}

enum q2p_verdict q2p_punch_verdict(const struct q2p_punch *punch)
{
    enum q2p_step reached = q2p_punch_reached(punch);
    bool hole_missing = punch->frames[Q2P_STEP_TOUCH] == 0 && punch->frames[Q2P_STEP_TOUCHED] != 0;
    bool moved = punch->moved_from[0] != 0 || punch->moved_from[1] != 0;

    if (reached == Q2P_STEP_CONNECTED)
        return Q2P_VERDICT_DONE;
    if (q2p_punch_refused(punch) != 0)
        return Q2P_VERDICT_NETWORK_ID;
    if (reached == Q2P_STEP_TOUCHREQUEST && is_there(punch->known_end, punch->frames[reached]))
        return Q2P_VERDICT_LIMIT;
    if (reached == Q2P_STEP_CONNECTREQUEST && is_there(punch->newcomer_end, punch->frames[reached]))
        return Q2P_VERDICT_LIMIT;
    if (reached == Q2P_STEP_CONNECT && (moved || hole_missing))
        return Q2P_VERDICT_FILTERED;
    return Q2P_VERDICT_LOST;
}

bool q2p_punch_half_open(const struct q2p_punch *punch)
{
    enum q2p_verdict verdict = q2p_punch_verdict(punch);

    return punch->unanswered_frame != 0 &&
           (verdict == Q2P_VERDICT_DONE || verdict == Q2P_VERDICT_LOST);
}

const char *q2p_step_name(enum q2p_step step)
{
    static const char *const names[] = {
#define XX(name, sender) #name,
        Q2P_STEP_MAP(XX)
#undef XX
            "nothing",
    };
    return names[step];
}

const char *q2p_step_sender(const struct q2p_punch *punch, enum q2p_step step)
{
    static const char *const names[] = {
#define XX(name, sender) sender,
        Q2P_STEP_MAP(XX)
#undef XX
            "nobody",
    };
    bool asked = q2p_addr_equal(&punch->seed, &punch->known);

    return asked && step == Q2P_STEP_CONNECTED ? "newcomer" : names[step];
}

const char *q2p_verdict_text(enum q2p_verdict verdict)
{
    static const char *const texts[] = {
#define XX(name, sentence) sentence,
        Q2P_VERDICT_MAP(XX)
#undef XX
    };
    return texts[verdict];
}

char *q2p_punch_address(wmem_allocator_t *pool, const struct q2p_addr *addr)
{
    char *text = (char *)wmem_alloc(pool, Q2P_ADDR_TEXT_MAX);

    if (addr->ip_len == 0)
        return wmem_strdup(pool, "?");
    q2p_addr_print(addr, text, Q2P_ADDR_TEXT_MAX);
    return text;
}

const char *q2p_punch_id(wmem_allocator_t *pool, const struct q2p_punch *punch)
{
    return wmem_strdup_printf(pool, "%s to %s via %s", q2p_punch_address(pool, &punch->newcomer),
                              q2p_punch_address(pool, &punch->known),
                              q2p_punch_address(pool, &punch->seed));
}
