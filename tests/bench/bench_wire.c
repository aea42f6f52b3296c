/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench_wire.c - how fast the codec and two nodes back to back are, each as a ratio to a yardstick
 * measured in the same run: touching every byte once, and copying every byte twice. Medians of
 * ROUNDS; want a quiet machine.
 */
#define _POSIX_C_SOURCE 199309L
#include <q2p/node.h>
#include <q2p/wire.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench_clock.h"

enum { ROUNDS = 7, DATAGRAMS = 200000, PAYLOAD_LEN = 32 << 20 };

static uint8_t datagram[Q2P_DATAGRAM_MAX];
static uint8_t *payload, *copy;
static volatile uint64_t sink; /* keeps the compiler from leaving the work out */

static void touch_datagrams(void)
{
    uint64_t sum = 0;
    for (int i = 0; i < DATAGRAMS; i++) {
        datagram[30] = (uint8_t)i;
        for (size_t at = 0; at < sizeof datagram; at++)
            sum += datagram[at];
    }
    sink = sum;
}

static void read_datagrams(void)
{
    struct q2p_packet packet;
    for (int i = 0; i < DATAGRAMS; i++) {
        datagram[30] = (uint8_t)i;
        sink += (uint64_t)q2p_wire_read(&packet, Q2P_DIALECT_CLASSIC, datagram, sizeof datagram,
                                        sizeof datagram) +
                packet.syn;
    }
}

static void copy_twice(void)
{
    memcpy(copy, payload, PAYLOAD_LEN);
    memcpy(payload, copy, PAYLOAD_LEN);
    sink = payload[PAYLOAD_LEN - 1];
}

static void die(const char *what)
{
    fprintf(stderr, "bench_wire: %s\n", what);
    exit(1);
}

/* Everything one node has to send goes straight into the other. */
static size_t hand_over(q2p_node *from, q2p_node *to, const struct q2p_addr *from_addr)
{
    struct q2p_datagram out;
    size_t count = 0;

    for (; q2p_node_output(from, 0, &out); count++) {
        out.peer = *from_addr;
        q2p_node_input(to, 0, &out);
    }
    return count;
}

/* 32 MiB from one node to another, without loss, pacing or a network between. */
static void exchange(void)
{
    struct q2p_addr a_addr, b_addr;
    struct q2p_happening happening;
    struct q2p_config config;
    q2p_node *a, *b;
    bool delivered = false;

    q2p_config_init(&config);
    config.dialect = Q2P_DIALECT_OPTIONS;
    config.rate = 0;
    if (q2p_node_new(&a, &config) < 0 || q2p_node_new(&b, &config) < 0)
        die("no node");
    q2p_addr_parse(&a_addr, "10.0.0.1:1", 10);
    q2p_addr_parse(&b_addr, "10.0.0.2:1", 10);
    if (q2p_node_send(a, 0, &b_addr, payload, PAYLOAD_LEN, NULL) < 0)
        die("cannot send");
    while (hand_over(a, b, &a_addr) + hand_over(b, a, &b_addr) > 0)
        continue;
    while (q2p_node_happening(b, &happening))
        delivered |= happening.on == Q2P_ON_DELIVERED && happening.data_len == PAYLOAD_LEN;
    if (!delivered)
        die("not delivered");
    q2p_node_free(a);
    q2p_node_free(b);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median_s(void (*work)(void))
{
    double took_s[ROUNDS];

    work();
    for (int i = 0; i < ROUNDS; i++) {
        double start = bench_wall_seconds();
        work();
        took_s[i] = bench_wall_seconds() - start;
    }
    qsort(took_s, ROUNDS, sizeof took_s[0], compare);
    return took_s[ROUNDS / 2];
}

int main(void)
{
    struct q2p_message message = {
        .event = Q2P_EV_TRANSPORT, .length = 100000, .syn = 7, .body_len = Q2P_FRAGMENT_LEN};

    payload = calloc(1, PAYLOAD_LEN);
    copy = calloc(1, PAYLOAD_LEN);
    if (!payload || !copy)
        die("no memory");
    message.body = payload;
    q2p_wire_write(datagram, sizeof datagram, Q2P_DIALECT_CLASSIC, &message);

    double touch = median_s(touch_datagrams), read = median_s(read_datagrams);
    double twice = median_s(copy_twice), whole = median_s(exchange);
    printf("read a classic fragment   %8.1f M/s   %6.2f x touching its bytes once\n",
           DATAGRAMS / read / 1e6, touch / read);
    printf("node to node, options     %8.1f MiB/s %6.3f x copying the bytes twice\n",
           PAYLOAD_LEN / whole / (1 << 20), twice / whole);
    free(payload);
    free(copy);
    return 0;
}
