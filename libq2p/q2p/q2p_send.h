/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * q2p_send.h - outgoing transmissions (PROTOCOL.md 6.3, 6.6): from the caller's buffer, which is
 * never copied, fragment by fragment into datagrams, as the budget of the node allows.
 */
#ifndef Q2P_SEND_H
#define Q2P_SEND_H

#include <q2p/wire.h>

#include "q2p_path.h"

enum q2p__outgoing_state {
    Q2P__OUTGOING_ASKING,  /* OPTIONS sent, its feedback not seen */
    Q2P__OUTGOING_SENDING, /* not every fragment has left once */
    Q2P__OUTGOING_KEPT     /* all have; repairs may be asked for */
};

struct q2p__outgoing {
    struct q2p__timer timer;
    struct q2p__link link; /* in its path's or the node's sending, if a fragment is to leave */
    struct q2p__key key;
    struct q2p__path *path; /* NULL without probes */
    const uint8_t *data;
    uint32_t length, total; /* bytes, fragments */
    uint32_t next;          /* first fragment that has not left yet */
    enum q2p__outgoing_state state;
    enum q2p_dialect dialect;
    unsigned tries;  /* repetitions of OPTIONS; once kept, of questions whether it arrived */
    uint64_t *again; /* bits: fragments to send again; behind it: those that lately left again or
                        were reported, by age */
    uint32_t again_count;  /* bits set in it */
    uint32_t again_cursor; /* where to look for the next one */
    uint32_t lacks;        /* fragments reported lost after a single pass, before any was mended */
    uint64_t repairs;      /* fragments queued because the peer said so */
    q2p_time again_since;  /* when the youngest of these began */
    q2p_time asked_at;     /* the first OPTIONS left; later: when it opened */
    q2p_time kept_until;   /* asking: when OPTIONS has been repeated long enough */
    uint32_t pass_next;    /* in a further pass over all fragments but the last: the next one */
    uint8_t passes;        /* such passes that are over, and the first one */
    uint8_t passes_left;   /* so many further ones */
    bool mended;           /* something has been sent again that was asked for */
    bool listed;           /* the peer has asked for fragments: no passes then */
    bool repairing;        /* RESTORED is due when the last has left */
};

/* ---- q2p_send.c ---- */

/* OPTIONSFEEDBACK, or what looks like it: event 9 of 20 bytes is either this or the end, by the
 * dialect of the transmission. Q2P_ERR_ABSENT if there is none such. */
int q2p__send_answered(q2p_node *node, q2p_time now, const struct q2p__key *key,
                       const struct q2p_packet *packet);

/* The timers of an outgoing transmission and of a path. */
void q2p__send_tick(q2p_node *node, q2p_time now, struct q2p__outgoing *outgoing);
void q2p__send_path_tick(q2p_node *node, q2p_time now, struct q2p__path *path);

/* Is its path for another dialect by now? Since the peer has answered OPTIONS, it understands
 * nothing of a classic transmission that began before, and never will. */
static inline bool q2p__send_is_vain(const struct q2p__outgoing *outgoing)
{
    return outgoing->dialect != Q2P_DIALECT_OPTIONS && outgoing->path->phase != Q2P__PATH_CAREFUL;
}

/* Asks one that knows the extension whether it arrived, which does no harm there. */
void q2p__send_ask(q2p_node *node, q2p_time now, struct q2p__outgoing *outgoing);

/* There is a fragment to send. */
void q2p__send_wake(q2p_node *node, struct q2p__outgoing *outgoing);

/* Tells something about it; `end` also forgets it. */
void q2p__send_tell(q2p_node *node, const struct q2p__outgoing *outgoing, enum q2p_on on);
void q2p__send_end(q2p_node *node, struct q2p__outgoing *outgoing, enum q2p_on on);

/* The receiver has given up. */
void q2p__send_given_up(q2p_node *node, struct q2p__outgoing *outgoing);

/* All has left: kept for repairs from now on. */
void q2p__send_keep(q2p_node *node, q2p_time now, struct q2p__outgoing *outgoing);

void q2p__send_free_all(q2p_node *node);

/* ---- q2p_repair.c ---- */

/* TRANSPORT_FAILED. */
int q2p__repair_list(q2p_node *node, q2p_time now, const struct q2p__key *key,
                     const struct q2p_packet *packet, const uint8_t *bytes);

/* The next fragment to send again, if again_count says that there is one. */
uint32_t q2p__repair_next(q2p_node *node, q2p_time now, struct q2p__outgoing *outgoing);

/* All that has left was taken in or lost: what is reported from now on is lost again. */
void q2p__repair_settled(struct q2p__outgoing *outgoing);

void q2p__repair_free(q2p_node *node, struct q2p__outgoing *outgoing);

/* ---- q2p_leave.c ---- */

/* Is there one that may leave, now or later? */
static inline bool q2p__leave_any(const q2p_node *node)
{
    return !q2p__list_empty(&node->ready) || !q2p__list_empty(&node->sending);
}

/* The next fragment or probe that may leave now: 1, or 0 if there is none. */
int q2p__leave_output(q2p_node *node, q2p_time now, const struct q2p__sheet *sheet);

/* Decides how often all its fragments leave before the last one; returns how many that makes. */
uint64_t q2p__send_plan(const q2p_node *node, struct q2p__outgoing *outgoing);

/* When the next one may leave; Q2P_NEVER if there is none, or a timer says it. */
q2p_time q2p__leave_deadline(const q2p_node *node);

#endif
