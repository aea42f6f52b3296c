/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pipe.h - nodes back to back in memory: every datagram takes the same time, unless a test loses,
 * doubles or holds it. Time is virtual. What was sent and what happened is kept to look at.
 */
#ifndef PIPE_H
#define PIPE_H

#include <stdio.h>
#include <stdlib.h>

#include <q2p/node.h>
#include <q2p/status.h>

#include "dice.h"
#include "unit.h"

#define PIPE_NODES_MAX 40
#define PIPE_DELAY_NS Q2P_MILLISECOND

struct pipe_datagram {
    q2p_time at; /* of arrival */
    struct q2p_addr from, to;
    size_t len;
    uint8_t bytes[Q2P_DATAGRAM_MAX];
};

struct pipe_told {
    q2p_time at;
    size_t node;
    struct q2p_happening what; /* data, syns and text point to copies */
    bool data_is_ours;
};

struct pipe {
    q2p_time now;
    size_t nodes_count;
    q2p_node *nodes[PIPE_NODES_MAX];
    struct q2p_addr addrs[PIPE_NODES_MAX];
    struct pipe_datagram *queue;
    size_t queue_first, queue_end, queue_room;
    struct pipe_told *told;
    size_t told_count, told_room;
    char *log; /* "A>B JOIN" and a newline for each datagram; A is the first node, ? a stranger */
    size_t log_len, log_room;
    uint64_t digest; /* of all bytes sent, in order */
    bool quiet;      /* keep no log */
    bool deaf;       /* leave happenings where they are */
    bool options;    /* log event 9 of 20 bytes as OPTIONSFEEDBACK, not as an empty list */
    bool (*lose)(struct pipe *pipe, const struct pipe_datagram *datagram);
    size_t lose_count;
    uint64_t random; /* dice of lose functions */
};

static inline struct q2p_addr pipe_addr(const char *text)
{
    struct q2p_addr addr;

    assert_int_equal(q2p_addr_parse(&addr, text, strlen(text)), Q2P_OK);
    return addr;
}

static inline void pipe_init(struct pipe *pipe)
{
    memset(pipe, 0, sizeof *pipe);
    pipe->random = 1;
}

static inline void *pipe_grow(void *old, size_t *room, size_t item_len)
{
    *room = *room ? *room * 2 : 64;
    old = realloc(old, *room * item_len);
    assert_non_null(old);
    return old;
}

static inline size_t pipe_add(struct pipe *pipe, const char *addr, const struct q2p_config *config)
{
    size_t i = pipe->nodes_count++;

    assert_true(i < PIPE_NODES_MAX);
    pipe->addrs[i] = pipe_addr(addr);
    assert_int_equal(q2p_node_new(&pipe->nodes[i], config), Q2P_OK);
    assert_int_equal(q2p_node_own(pipe->nodes[i], &pipe->addrs[i]), Q2P_OK);
    return i;
}

static inline void pipe_free(struct pipe *pipe)
{
    for (size_t i = 0; i < pipe->nodes_count; i++)
        q2p_node_free(pipe->nodes[i]);
    for (size_t i = 0; i < pipe->told_count; i++) {
        if (pipe->told[i].data_is_ours)
            free((void *)(uintptr_t)pipe->told[i].what.data);
        free((void *)(uintptr_t)pipe->told[i].what.syns);
        free((void *)(uintptr_t)pipe->told[i].what.text);
    }
    free(pipe->queue);
    free(pipe->told);
    free(pipe->log);
}

static inline char pipe_letter(const struct pipe *pipe, const struct q2p_addr *addr)
{
    for (size_t i = 0; i < pipe->nodes_count; i++)
        if (q2p_addr_equal(&pipe->addrs[i], addr))
            return (char)('A' + (int)i);
    return '?';
}

static inline int pipe_read(const struct pipe_datagram *datagram, struct q2p_packet *packet)
{
    enum q2p_dialect dialect = q2p_wire_dialect(datagram->bytes, datagram->len, datagram->len);

    return q2p_wire_read(packet, dialect ? dialect : Q2P_DIALECT_CLASSIC, datagram->bytes,
                         datagram->len, datagram->len);
}

static inline void pipe_note(struct pipe *pipe, const struct pipe_datagram *datagram)
{
    struct q2p_packet packet;
    char line[64];
    int len;

    pipe_read(datagram, &packet);
    if (pipe->options && packet.event == Q2P_EV_TRANSPORT_FAILED && packet.lost_count == 0 &&
        packet.dialect == Q2P_DIALECT_CLASSIC)
        packet.event = Q2P_EV_OPTIONSFEEDBACK;
    len = snprintf(line, sizeof line, "%c>%c %s\n", pipe_letter(pipe, &datagram->from),
                   pipe_letter(pipe, &datagram->to), q2p_event_name(packet.event));
    while (pipe->log_len + (size_t)len + 1 > pipe->log_room)
        pipe->log = pipe_grow(pipe->log, &pipe->log_room, 1);
    memcpy(pipe->log + pipe->log_len, line, (size_t)len + 1);
    pipe->log_len += (size_t)len;
}

static inline void pipe_forget_log(struct pipe *pipe)
{
    pipe->log_len = 0;
    if (pipe->log)
        pipe->log[0] = '\0';
}

static inline void pipe_send(struct pipe *pipe, const struct q2p_addr *from,
                             const struct q2p_datagram *out)
{
    struct pipe_datagram datagram = {
        .at = pipe->now + PIPE_DELAY_NS, .from = *from, .to = out->peer, .len = out->len};

    assert_in_range(out->len, Q2P_HEADER_LEN, Q2P_DATAGRAM_MAX);
    memcpy(datagram.bytes, out->bytes, out->len);
    for (size_t i = 0; i < out->len; i++)
        pipe->digest = (pipe->digest ^ out->bytes[i]) * UINT64_C(0x100000001b3);
    if (!pipe->quiet)
        pipe_note(pipe, &datagram);
    if (pipe->lose && pipe->lose(pipe, &datagram)) {
        pipe->lose_count++;
        return;
    }
    if (pipe->queue_end == pipe->queue_room)
        pipe->queue = pipe_grow(pipe->queue, &pipe->queue_room, sizeof *pipe->queue);
    pipe->queue[pipe->queue_end++] = datagram;
}

static inline void *pipe_copy(const void *bytes, size_t len)
{
    void *copy = bytes ? malloc(len + 1) : NULL;

    if (copy)
        memcpy(copy, bytes, len);
    return copy;
}

static inline void pipe_listen(struct pipe *pipe, size_t node)
{
    struct q2p_happening what;

    while (!pipe->deaf && q2p_node_happening(pipe->nodes[node], &what)) {
        struct pipe_told *told;

        if (pipe->told_count == pipe->told_room)
            pipe->told = pipe_grow(pipe->told, &pipe->told_room, sizeof *pipe->told);
        told = &pipe->told[pipe->told_count++];
        *told = (struct pipe_told){pipe->now, node, what, what.on == Q2P_ON_DELIVERED};
        if (told->data_is_ours)
            told->what.data = pipe_copy(what.data, what.data_len);
        told->what.syns = pipe_copy(what.syns, what.syns_count * sizeof *what.syns);
        told->what.text = what.text ? pipe_copy(what.text, strlen(what.text) + 1) : NULL;
    }
}

/* Sends what all nodes have to send now. */
static inline void pipe_flush(struct pipe *pipe)
{
    for (size_t i = 0; i < pipe->nodes_count; i++) {
        struct q2p_datagram out;

        while (q2p_node_output(pipe->nodes[i], pipe->now, &out))
            pipe_send(pipe, &pipe->addrs[i], &out);
        pipe_listen(pipe, i);
        while (q2p_node_output(pipe->nodes[i], pipe->now, &out))
            pipe_send(pipe, &pipe->addrs[i], &out);
        pipe_listen(pipe, i);
    }
}

/* One datagram from outside, at once. */
static inline int pipe_input(struct pipe *pipe, size_t node, const struct q2p_addr *from,
                             const void *bytes, size_t len)
{
    struct q2p_datagram in = {*from, bytes, len};
    int status = q2p_node_input(pipe->nodes[node], pipe->now, &in);

    pipe_flush(pipe);
    return status;
}

static inline int pipe_hex(struct pipe *pipe, size_t node, const char *from, const char *hex)
{
    uint8_t bytes[Q2P_DATAGRAM_MAX];
    struct q2p_addr addr = pipe_addr(from);

    return pipe_input(pipe, node, &addr, bytes, unit_hex(bytes, sizeof bytes, hex));
}

static inline int pipe_message(struct pipe *pipe, size_t node, const char *from,
                               enum q2p_dialect dialect, const struct q2p_message *message)
{
    uint8_t bytes[2048];
    struct q2p_addr addr = pipe_addr(from);
    int len = q2p_wire_write(bytes, sizeof bytes, dialect, message);

    assert_in_range(len, 1, sizeof bytes);
    return pipe_input(pipe, node, &addr, bytes, (size_t)len);
}

static inline q2p_time pipe_next(const struct pipe *pipe)
{
    q2p_time next = Q2P_NEVER;

    if (pipe->queue_first < pipe->queue_end)
        next = pipe->queue[pipe->queue_first].at;
    for (size_t i = 0; i < pipe->nodes_count; i++) {
        q2p_time deadline = q2p_node_deadline(pipe->nodes[i]);

        if (deadline < next)
            next = deadline;
    }
    return next;
}

static inline void pipe_deliver(struct pipe *pipe)
{
    struct pipe_datagram datagram = pipe->queue[pipe->queue_first++];
    struct q2p_datagram in = {datagram.from, datagram.bytes, datagram.len};

    for (size_t i = 0; i < pipe->nodes_count; i++)
        if (q2p_addr_equal(&pipe->addrs[i], &datagram.to))
            q2p_node_input(pipe->nodes[i], pipe->now, &in);
}

/* Lets everything happen up to a time, and sets the clock to it. */
static inline void pipe_run(struct pipe *pipe, q2p_time until)
{
    size_t turns = 0;

    pipe_flush(pipe);
    for (q2p_time next; (next = pipe_next(pipe)) <= until; turns++) {
        assert_true(turns < 5000000); /* time stands still: a deadline in the past */
        if (next > pipe->now)
            pipe->now = next;
        if (pipe->queue_first < pipe->queue_end && pipe->queue[pipe->queue_first].at <= pipe->now)
            pipe_deliver(pipe);
        for (size_t i = 0; i < pipe->nodes_count; i++)
            if (q2p_node_deadline(pipe->nodes[i]) <= pipe->now)
                q2p_node_tick(pipe->nodes[i], pipe->now);
        pipe_flush(pipe);
    }
    pipe->now = until;
}

static inline size_t pipe_count(const struct pipe *pipe, size_t node, enum q2p_on on)
{
    size_t count = 0;

    for (size_t i = 0; i < pipe->told_count; i++)
        count += pipe->told[i].node == node && pipe->told[i].what.on == on;
    return count;
}

/* The n-th happening of a kind at a node, from 0. */
static inline const struct pipe_told *pipe_find(const struct pipe *pipe, size_t node,
                                                enum q2p_on on, size_t n)
{
    for (size_t i = 0; i < pipe->told_count; i++)
        if (pipe->told[i].node == node && pipe->told[i].what.on == on && n-- == 0)
            return &pipe->told[i];
    fail_msg("node %zu was never told: %s", node, q2p_on_name(on));
    return NULL;
}

/* How many datagrams of an event were sent, from and to the nodes of these letters (* = any). */
static inline size_t pipe_sent(const struct pipe *pipe, char from, char to, enum q2p_event event)
{
    size_t count = 0;
    char name[64];

    snprintf(name, sizeof name, " %s\n", q2p_event_name(event));
    for (const char *line = pipe->log; line && *line; line = strchr(line, '\n') + 1)
        count += (from == '*' || line[0] == from) && (to == '*' || line[2] == to) &&
                 strncmp(line + 3, name, strlen(name)) == 0;
    return count;
}

/* A payload that shows misplaced bytes. */
static inline uint8_t *pipe_payload(size_t len)
{
    uint8_t *bytes = malloc(len + 1);
    uint32_t x = 12345;

    assert_non_null(bytes);
    for (size_t i = 0; i < len; i++) {
        x = x * 1664525 + 1013904223;
        bytes[i] = (uint8_t)(x >> 24);
    }
    return bytes;
}

#endif
