/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * drive_batch.h - many datagrams per system call, by the best calls that the system has. An outbox
 * collects what is to be sent, an inbox holds what one call brought in.
 */
#ifndef DRIVE_BATCH_H
#define DRIVE_BATCH_H

#include <sys/socket.h>

#include <q2p/node.h>

/* How datagrams pass the border of the kernel; without any: one a call. */
struct q2p__calls {
    bool batch;   /* sendmmsg, recvmmsg */
    bool segment; /* UDP_SEGMENT: a run of equal datagrams leaves as one */
    bool gro;     /* UDP_GRO: a run comes in as one */
    int run_max;  /* datagrams in a run */
};

/* Finds out what of `wanted` this socket can do, and sets it up. */
void q2p__calls_find(struct q2p__calls *out, int fd, const struct q2p__calls *wanted);

struct q2p__outbox;
struct q2p__inbox;

/* NULL: no memory. Freed with free(). */
struct q2p__outbox *q2p__outbox_new(void);
struct q2p__inbox *q2p__inbox_new(void);

/* Where the next datagram will lie: who writes up to Q2P_DATAGRAM_MAX bytes there saves a copy. */
uint8_t *q2p__outbox_room(struct q2p__outbox *box);

/*
 * Puts one datagram behind the others; false if they have to be flushed first. Order is kept, for
 * each peer and in all. v6: the socket is one of IPv6.
 */
bool q2p__outbox_put(struct q2p__outbox *box, const struct q2p_datagram *out,
                     const struct q2p__calls *calls, bool v6);

/*
 * Sends all of it. What cannot leave is lost, as UDP has it. Calls that turn out not to work are
 * crossed out and the next best used. Returns Q2P_OK, or Q2P_ERR_SYSTEM with errno set.
 */
int q2p__outbox_flush(struct q2p__outbox *box, int fd, struct q2p__calls *calls);

/*
 * One call for what has come, without waiting. Returns how many messages came, or Q2P_ERR_SYSTEM
 * with errno set; *more: there may be others behind them.
 */
int q2p__inbox_fetch(struct q2p__inbox *box, int fd, struct q2p__calls *calls, bool *more);

/* Hands over the datagrams of one message (below what fetch returned); returns how many. */
int q2p__inbox_hand(const struct q2p__inbox *box, int message,
                    int (*input)(void *self, q2p_time now, const struct q2p_datagram *in),
                    void *self);

#endif
