/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bench_enet.c - the job done by ENet: reliable packets of 64 KiB, as large fragments as it likes.
 */
#include "bench.h"

#include <stdio.h>
#include <string.h>

#include <enet/enet.h>

enum { PIECE = 65536, AHEAD = 64, TURN_MS = 2 };

/* How many packets ENet still holds. */
static int waiting;

static void let_go(ENetPacket *packet)
{
    (void)packet;
    waiting--;
}

static int fail(const char *what)
{
    fprintf(stderr, "ENet: cannot %s\n", what);
    return -1;
}

static int send_enet(const struct bench_job *job, struct bench_shared *shared)
{
    ENetAddress to = {.port = (enet_uint16)shared->port};
    ENetEvent event;
    size_t sent = 0;
    if (enet_initialize() || enet_address_set_host_ip(&to, job->ip[BENCH_RECEIVE]))
        return fail("begin");
    ENetHost *host = enet_host_create(NULL, 1, 1, 0, 0);
    ENetPeer *peer = host ? enet_host_connect(host, &to, 1, 0) : NULL;
    if (!peer || enet_host_service(host, &event, 5000) <= 0 ||
        event.type != ENET_EVENT_TYPE_CONNECT)
        return fail("connect");
    enet_peer_throttle_configure(peer, ENET_PEER_PACKET_THROTTLE_INTERVAL,
                                 ENET_PEER_PACKET_THROTTLE_SCALE, 0);
    bench_begin(shared);
    while (!shared->done) {
        while (sent < job->len && waiting < AHEAD) {
            size_t len = job->len - sent < PIECE ? job->len - sent : PIECE;
            ENetPacket *packet = enet_packet_create(
                job->data + sent, len, ENET_PACKET_FLAG_RELIABLE | ENET_PACKET_FLAG_NO_ALLOCATE);
            if (!packet || enet_peer_send(peer, 0, packet) < 0)
                return fail("send");
            packet->freeCallback = let_go;
            waiting++;
            sent += len;
        }
        if (enet_host_service(host, &event, TURN_MS) < 0)
            return fail("go on");
    }
    return 0;
}

static int receive_enet(const struct bench_job *job, struct bench_shared *shared)
{
    ENetAddress at = {0};
    ENetEvent event;
    size_t received = 0;
    if (enet_initialize() || enet_address_set_host_ip(&at, job->ip[BENCH_RECEIVE]))
        return fail("begin");
    ENetHost *host = enet_host_create(&at, 1, 1, 0, 0);
    if (!host || enet_socket_get_address(host->socket, &at) < 0)
        return fail("listen");
    enet_socket_set_option(host->socket, ENET_SOCKOPT_RCVBUF, 4 << 20);
    bench_listening(shared, at.port);
    while (received < job->len) {
        if (enet_host_service(host, &event, 1000) < 0)
            return fail("receive");
        if (event.type != ENET_EVENT_TYPE_RECEIVE)
            continue;
        if (memcmp(event.packet->data, job->data + received, event.packet->dataLength) != 0)
            return fail("keep the data");
        received += event.packet->dataLength;
        enet_packet_destroy(event.packet);
    }
    bench_end(shared);
    enet_host_flush(host);
    return 0;
}

const struct bench_way bench_enet = {"ENet", send_enet, receive_enet};
