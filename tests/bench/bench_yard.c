/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench_yard.c - the yardstick: how fast this machine moves full datagrams from one process to
 * another when nobody ever has to ask for anything: the sender knows from shared memory what the
 * receiver has taken, and stays WINDOW datagrams ahead at most. If the job is to be verified, each
 * end takes the MD5 of the data once, while the other does nothing. And TCP, for links.
 */
#define _GNU_SOURCE /* sendmmsg, recvmmsg */
#include "bench.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <nettle/md5.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <q2p/wire.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

enum { WINDOW = 2048, BATCH = 64, IN_ROOM = 65536, ROOM = 4 << 20, SPINS = 64 };

static int fail(const char *what)
{
    perror(what);
    return -1;
}

static struct sockaddr_in address(const char *ip, int port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    inet_pton(AF_INET, ip, &at.sin_addr);
    return at;
}

static int bind_any(int kind, const char *ip, int *port)
{
    struct sockaddr_in at = address(ip, 0);
    socklen_t len = sizeof at;
    int room = ROOM, fd = socket(AF_INET, kind, 0);
    if (fd < 0)
        return -1;
    if (kind == SOCK_DGRAM)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    if (bind(fd, (struct sockaddr *)&at, len) < 0 ||
        getsockname(fd, (struct sockaddr *)&at, &len) < 0) {
        close(fd);
        return -1;
    }
    *port = ntohs(at.sin_port);
    return fd;
}

static uint64_t datagrams(const struct bench_job *job)
{
    return q2p_wire_fragments((uint32_t)job->len);
}

static void wait_for_window(struct bench_shared *shared, uint64_t sent)
{
    for (int spins = 1; sent + BATCH - shared->received > WINDOW; spins++)
        if (spins % SPINS == 0)
            sched_yield();
}

static void hash_if_wanted(const struct bench_job *job)
{
    struct md5_ctx md5;
    uint8_t digest[MD5_DIGEST_SIZE];
    if (!job->verify)
        return;
    md5_init(&md5);
    md5_update(&md5, job->len, job->data);
    md5_digest(&md5, sizeof digest, digest);
}

static void await_end(const struct bench_shared *shared)
{
    while (!shared->done)
        usleep(1000);
}

static int send_yard(const struct bench_job *job, struct bench_shared *shared)
{
    static uint8_t bytes[BATCH * Q2P_DATAGRAM_MAX];
    struct sockaddr_in to = address(job->ip[BENCH_RECEIVE], shared->port);
    struct mmsghdr message[BATCH] = {0};
    struct iovec iov[BATCH];
    int segment = Q2P_DATAGRAM_MAX, port, fd = bind_any(SOCK_DGRAM, job->ip[BENCH_SEND], &port);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) < 0)
        return fail("yardstick: socket");
    if (job->offload && setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof segment) < 0)
        return fail("yardstick: UDP_SEGMENT");
    for (int i = 0; i < BATCH; i++) {
        iov[i] = (struct iovec){bytes + (size_t)i * Q2P_DATAGRAM_MAX, Q2P_DATAGRAM_MAX};
        message[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i], .msg_iovlen = 1};
    }
    bench_begin(shared);
    hash_if_wanted(job);
    for (uint64_t sent = 0, total = datagrams(job); sent < total;) {
        size_t count = total - sent < BATCH ? (size_t)(total - sent) : BATCH;
        wait_for_window(shared, sent);
        for (size_t i = 0; i < count; i++) {
            uint64_t number = sent + i;
            memcpy(iov[i].iov_base, &number, sizeof number);
        }
        if (!job->offload) {
            int left = sendmmsg(fd, message, (unsigned)count, 0);
            sent += left > 0 ? (uint64_t)left : 0;
        } else if (send(fd, bytes, count * Q2P_DATAGRAM_MAX, 0) > 0) {
            sent += count;
        }
    }
    await_end(shared);
    return 0;
}

static int receive_yard(const struct bench_job *job, struct bench_shared *shared)
{
    enum { RUNS = 8 };
    int gro = 1, port, fd = bind_any(SOCK_DGRAM, job->ip[BENCH_RECEIVE], &port);
    int count = job->offload ? RUNS : BATCH;
    size_t room = job->offload ? IN_ROOM : Q2P_DATAGRAM_MAX;
    struct mmsghdr message[BATCH] = {0};
    struct iovec iov[BATCH];
    uint64_t received = 0;
    if (fd < 0)
        return fail("yardstick: socket");
    if (job->offload && setsockopt(fd, IPPROTO_UDP, UDP_GRO, &gro, sizeof gro) < 0)
        return fail("yardstick: UDP_GRO");
    uint8_t *bytes = malloc((size_t)count * room);
    if (!bytes)
        return fail("yardstick: memory");
    for (int i = 0; i < count; i++) {
        iov[i] = (struct iovec){bytes + (size_t)i * room, room};
        message[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i], .msg_iovlen = 1};
    }
    bench_listening(shared, port);
    while (received < datagrams(job)) {
        int got = recvmmsg(fd, message, (unsigned)count, MSG_WAITFORONE, NULL);
        if (got < 0)
            return fail("yardstick: recvmmsg");
        for (int i = 0; i < got; i++)
            for (size_t at = 0; at < message[i].msg_len; at += Q2P_DATAGRAM_MAX, received++) {
                uint64_t number;
                memcpy(&number, (uint8_t *)iov[i].iov_base + at, sizeof number);
                if (number != received) {
                    fprintf(stderr, "yardstick: datagrams got lost\n");
                    return -1;
                }
            }
        shared->received = received;
    }
    hash_if_wanted(job);
    bench_end(shared);
    return 0;
}

const struct bench_way bench_yard = {"yardstick", send_yard, receive_yard};

/* ---- TCP ------------------------------------------------------------------------------------ */

bool bench_tcp_has(const char *control)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    bool has = fd >= 0 && setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, control,
                                     (socklen_t)strlen(control)) == 0;
    if (fd >= 0)
        close(fd);
    return has;
}

static int send_tcp(const struct bench_job *job, struct bench_shared *shared)
{
    struct sockaddr_in to = address(job->ip[BENCH_RECEIVE], shared->port);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0)
        return fail("TCP: socket");
    if (job->control && setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, job->control,
                                   (socklen_t)strlen(job->control)) < 0)
        return fail(job->control);
    bench_begin(shared);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) < 0)
        return fail("TCP: connect");
    for (size_t sent = 0; sent < job->len;) {
        ssize_t left = send(fd, job->data + sent, job->len - sent, 0);
        if (left < 0)
            return fail("TCP: send");
        sent += (size_t)left;
    }
    await_end(shared);
    return 0;
}

static int receive_tcp(const struct bench_job *job, struct bench_shared *shared)
{
    static uint8_t bytes[IN_ROOM];
    size_t received = 0;
    int port, listener = bind_any(SOCK_STREAM, job->ip[BENCH_RECEIVE], &port);
    if (listener < 0 || listen(listener, 1) < 0)
        return fail("TCP: listen");
    bench_listening(shared, port);
    int fd = accept(listener, NULL, NULL);
    if (fd < 0)
        return fail("TCP: accept");
    while (received < job->len) {
        ssize_t got = recv(fd, bytes, sizeof bytes, 0);
        if (got <= 0 || memcmp(bytes, job->data + received, (size_t)got) != 0)
            return fail("TCP: recv");
        received += (size_t)got;
        shared->received = received;
    }
    bench_end(shared);
    return 0;
}

const struct bench_way bench_tcp = {"TCP", send_tcp, receive_tcp};
