/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * embed_libuv.c - the same hello in a loop that is not ours: libuv owns sockets, clock and timers,
 * the nodes only say what to send and when to be woken. Nothing here needs q2p/drive.h. Build it
 * with:  cc embed_libuv.c $(pkg-config --cflags --libs libq2p libuv)
 */
#define _POSIX_C_SOURCE 200809L /* libuv wants it */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <q2p/q2p.h>
#include <uv.h>

struct side {
    uv_udp_t socket;
    uv_timer_t timer;
    q2p_node *node;
    struct q2p_addr addr;
    char room[65536];
};

static const char text[] = "hello"; /* lent to the node until RELEASED or FAILED */
static bool released;

static q2p_time now_ns(void)
{
    return (q2p_time)uv_hrtime();
}

static void on_timer(uv_timer_t *timer);

/* After anything that moved a node: send what it has, see what happened, set the next alarm. */
static void turn(struct side *side)
{
    struct q2p_datagram out;
    struct q2p_happening on;
    while (q2p_node_output(side->node, now_ns(), &out)) {
        struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(out.peer.port)};
        uv_buf_t buf = uv_buf_init((char *)out.bytes, (unsigned)out.len);
        memcpy(&to.sin_addr, out.peer.ip, 4);
        /* sends at once or not at all: what cannot leave is lost, which the nodes can bear */
        uv_udp_try_send(&side->socket, &buf, 1, (const struct sockaddr *)&to);
    }
    while (q2p_node_happening(side->node, &on)) {
        printf("%s: %.*s\n", q2p_on_name(on.on), (int)on.data_len, (const char *)on.data);
        if (on.on == Q2P_ON_RELEASED || on.on == Q2P_ON_FAILED) {
            released = on.on == Q2P_ON_RELEASED;
            uv_stop(side->socket.loop);
        }
    }
    q2p_time deadline = q2p_node_deadline(side->node), left = deadline - now_ns();
    if (deadline == Q2P_NEVER)
        uv_timer_stop(&side->timer);
    else /* in ms, rounded up */
        uv_timer_start(&side->timer, on_timer, left > 0 ? (uint64_t)(left / 1000000 + 1) : 0, 0);
}

static void on_timer(uv_timer_t *timer)
{
    struct side *side = timer->data;
    q2p_node_tick(side->node, now_ns());
    turn(side);
}

static void give_room(uv_handle_t *handle, size_t wanted, uv_buf_t *buf)
{
    struct side *side = handle->data;
    (void)wanted;
    *buf = uv_buf_init(side->room, sizeof side->room);
}

static void on_datagram(uv_udp_t *socket, ssize_t len, const uv_buf_t *buf,
                        const struct sockaddr *from, unsigned flags)
{
    struct side *side = socket->data;
    struct q2p_datagram in = {.bytes = (const uint8_t *)buf->base, .len = (size_t)len};
    const struct sockaddr_in *v4 = (const void *)from;
    (void)flags;
    if (len < 0 || !from) /* an error that ICMP reported; nothing more to read */
        return;
    in.peer.ip_len = 4;
    in.peer.port = ntohs(v4->sin_port);
    memcpy(in.peer.ip, &v4->sin_addr, 4);
    q2p_node_input(side->node, now_ns(), &in);
    turn(side);
}

static int open_side(uv_loop_t *loop, struct side *side)
{
    struct sockaddr_in at;
    int len = sizeof at;
    struct q2p_config config;
    q2p_config_init(&config);
    config.keep_ns = Q2P_SECOND / 2; /* so long without complaint, and we call it received */
    uv_udp_init(loop, &side->socket);
    uv_timer_init(loop, &side->timer);
    side->socket.data = side->timer.data = side;
    uv_ip4_addr("127.0.0.1", 0, &at);
    if (q2p_node_new(&side->node, &config) < 0 ||
        uv_udp_bind(&side->socket, (const struct sockaddr *)&at, 0) < 0 ||
        uv_udp_getsockname(&side->socket, (struct sockaddr *)&at, &len) < 0)
        return -1;
    side->addr.ip_len = 4;
    side->addr.port = ntohs(at.sin_port);
    memcpy(side->addr.ip, &at.sin_addr, 4);
    return uv_udp_recv_start(&side->socket, give_room, on_datagram);
}

static void close_side(struct side *side)
{
    uv_close((uv_handle_t *)&side->socket, NULL);
    uv_close((uv_handle_t *)&side->timer, NULL);
    q2p_node_free(side->node);
}

int main(void)
{
    static struct side here, there;
    uv_loop_t *loop = uv_default_loop();
    int status = open_side(loop, &here);
    status = open_side(loop, &there) < 0 ? -1 : status;
    if (status >= 0)
        status = q2p_node_send(here.node, now_ns(), &there.addr, text, strlen(text), NULL);
    if (status >= 0) {
        turn(&here);
        uv_run(loop, UV_RUN_DEFAULT);
    }
    close_side(&here);
    close_side(&there);
    uv_run(loop, UV_RUN_DEFAULT); /* lets the handles close */
    uv_loop_close(loop);
    return released ? EXIT_SUCCESS : EXIT_FAILURE;
}
