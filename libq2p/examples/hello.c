/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hello.c - two nodes in one program: one says hello to the other through real sockets. Build it
 * with:  cc hello.c $(pkg-config --cflags --libs libq2p)
 */
#include <stdio.h>
#include <string.h>

#include <q2p/q2p.h>

struct side {
    q2p_drive *drive; /* a socket and a clock */
    q2p_node *node;   /* the protocol */
};

static int open_side(struct side *side)
{
    struct q2p_config config;
    q2p_config_init(&config);
    config.keep_ns = Q2P_SECOND / 2; /* so long without complaint, and we call it received */
    int status = q2p_drive_open(&side->drive, "127.0.0.1", 0);
    return status < 0 ? status : q2p_node_new(&side->node, &config);
}

/* One turn of a program's loop. Returns what happened last, or 0. */
static int turn(struct side *side)
{
    struct q2p_happening on;
    int last = 0;
    q2p_drive_step(side->drive, &q2p_node_machine, side->node, q2p_drive_now() + Q2P_SECOND / 50);
    while (q2p_node_happening(side->node, &on)) {
        printf("%s: %.*s\n", q2p_on_name(on.on), (int)on.data_len, (const char *)on.data);
        last = (int)on.on;
    }
    return last;
}

int main(void)
{
    struct side here = {0}, there = {0};
    struct q2p_addr to;
    static const char text[] = "hello"; /* lent to the node until RELEASED or FAILED */
    int status = open_side(&here), said = 0;
    if (status >= 0)
        status = open_side(&there);
    if (status >= 0)
        status = q2p_drive_address(there.drive, &to);
    if (status >= 0)
        status = q2p_node_send(here.node, q2p_drive_now(), &to, text, strlen(text), NULL);
    while (status >= 0 && said != Q2P_ON_RELEASED && said != Q2P_ON_FAILED) {
        said = turn(&here);
        turn(&there);
    }
    if (status < 0)
        fprintf(stderr, "hello: %s\n", q2p_status_text(status));
    q2p_node_free(here.node), q2p_node_free(there.node);
    q2p_drive_close(here.drive), q2p_drive_close(there.drive);
    return said != Q2P_ON_RELEASED;
}
