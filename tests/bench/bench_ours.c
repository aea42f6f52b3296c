/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bench_ours.c - the job done by two nodes, each behind the driver. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <q2p/q2p.h>

#define TURN_NS (2 * Q2P_MILLISECOND) /* how often to look whether the other side is done */

static int fail(const char *what, int status)
{
    fprintf(stderr, "libq2p: %s: %s\n", what, q2p_status_text(status));
    return -1;
}

static int open_node(const struct bench_job *job, int side, q2p_drive **drive, q2p_node **node)
{
    struct q2p_config config;
    q2p_config_init(&config);
    config.dialect = Q2P_DIALECT_OPTIONS;
    config.rate = 0;
    config.verify = job->verify;
    config.length_max = UINT32_MAX;
    q2p_drive_memory(&config.alloc);
    config.memory_max = (size_t)1 << 31;
    int status = q2p_drive_open(drive, job->ip[side], 0);
    if (status == Q2P_OK && !job->offload)
        q2p_drive_choose(*drive, Q2P_CALLS_BATCH);
    return status == Q2P_OK ? q2p_node_new(node, &config) : status;
}

static int send_ours(const struct bench_job *job, struct bench_shared *shared)
{
    struct q2p_happening on;
    struct q2p_addr to;
    char text[Q2P_ADDR_TEXT_MAX];
    q2p_drive *drive;
    q2p_node *node;
    int status = open_node(job, BENCH_SEND, &drive, &node);
    if (status < 0)
        return fail("open", status);
    snprintf(text, sizeof text, "%s:%d", job->ip[BENCH_RECEIVE], shared->port);
    status = q2p_addr_parse(&to, text, strlen(text));
    bench_begin(shared);
    if (status == Q2P_OK)
        status = q2p_node_send(node, q2p_drive_now(), &to, job->data, job->len, NULL);
    while (status >= 0 && !shared->done) {
        status = q2p_drive_step(drive, &q2p_node_machine, node, q2p_drive_now() + TURN_NS);
        while (q2p_node_happening(node, &on))
            if (on.on == Q2P_ON_FAILED)
                return fail("send", Q2P_ERR_ABSENT);
    }
    return status < 0 ? fail("send", status) : 0;
}

static int receive_ours(const struct bench_job *job, struct bench_shared *shared)
{
    struct q2p_happening on;
    struct q2p_addr own;
    q2p_drive *drive;
    q2p_node *node;
    int status = open_node(job, BENCH_RECEIVE, &drive, &node);
    if (status == Q2P_OK)
        status = q2p_drive_address(drive, &own);
    if (status == Q2P_OK)
        status = q2p_node_own(node, &own);
    if (status < 0)
        return fail("open", status);
    bench_listening(shared, own.port);
    while (status >= 0) {
        status = q2p_drive_step(drive, &q2p_node_machine, node, Q2P_NEVER);
        shared->received = q2p_node_counters(node)->fragments_in * Q2P_FRAGMENT_LEN;
        while (q2p_node_happening(node, &on)) {
            if (on.on == Q2P_ON_EXPIRED || on.on == Q2P_ON_CORRUPT)
                return fail("receive", Q2P_ERR_ABSENT);
            if (on.on != Q2P_ON_DELIVERED)
                continue;
            bench_end(shared);
            return on.data_len == job->len && !memcmp(on.data, job->data, job->len) ? 0 : -1;
        }
    }
    return fail("receive", status);
}

const struct bench_way bench_ours = {"libq2p", send_ours, receive_ours};
