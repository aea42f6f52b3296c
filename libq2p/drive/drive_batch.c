/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * drive_batch.c - runs of datagrams over sendmmsg and recvmmsg, with the segmentation offload of
 * UDP where there is one. Knows nothing of what is in a datagram.
 */
#define _GNU_SOURCE /* sendmmsg, recvmmsg */
#include "drive_batch.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <q2p/drive.h>
#include <q2p/status.h>

#include "drive_addr.h"

/* Linux's numbers, for C libraries that are older than their kernel. */
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

enum {
    OUT_RUNS = 64,              /* messages in one sendmmsg */
    SEGMENTS = 64,              /* in a run: what every kernel with UDP_SEGMENT takes */
    SEGMENTS_MAX = 128,         /* ... and later ones */
    RUN_LEN_MAX = 65100,        /* with its headers, a run is one packet of IP */
    OUT_ROOM = 2 * RUN_LEN_MAX, /* a flush: so many full runs and no rest, or any datagram */
    SEGMENT_LEN_MAX = 1232,     /* fits any path of IPv6 in one piece, which offload insists on */
    IN_ROOM = 65536,            /* a run, or the longest datagram */
    IN_STRIDE = IN_ROOM + 1088, /* else all buffers would share the same few lines of the cache */
    IN_MESSAGES = 32,           /* in one recvmmsg */
    IN_RUNS = 4,                /* ... when each may be a run, so that sending gets its turn */
    SEND_WAIT_MS = 20 /* for room in the kernel's send buffer; then the datagram is lost */
};

struct control {
    _Alignas(struct cmsghdr) char room[CMSG_SPACE(sizeof(int))];
};

struct run {
    size_t len;     /* of all datagrams together */
    size_t segment; /* of each; only the last may be shorter */
    int count;
};

struct q2p__outbox {
    int runs;
    size_t used;
    struct q2p_addr peer; /* of the last run */
    struct run run[OUT_RUNS];
    struct sockaddr_storage to[OUT_RUNS];
    struct iovec iov[OUT_RUNS];
    struct mmsghdr message[OUT_RUNS];
    struct control control[OUT_RUNS];
    uint8_t bytes[OUT_ROOM + Q2P_DATAGRAM_MAX]; /* for the one that is to wait for a flush */
};

struct q2p__inbox {
    struct sockaddr_storage from[IN_MESSAGES];
    struct iovec iov[IN_MESSAGES];
    struct mmsghdr message[IN_MESSAGES];
    struct control control[IN_MESSAGES];
    uint8_t bytes[IN_MESSAGES * IN_STRIDE]; /* only touched as far as something comes */
};

/* Does the kernel take SEGMENTS_MAX in a run? Only trying tells: a socket sends to itself. */
static bool takes_long_runs(void)
{
    static const uint8_t run[SEGMENTS_MAX];
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof own;
    int segment = 1, fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    bool taken = bind(fd, (struct sockaddr *)&own, len) == 0 &&
                 getsockname(fd, (struct sockaddr *)&own, &len) == 0 &&
                 connect(fd, (struct sockaddr *)&own, len) == 0 &&
                 setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof segment) == 0 &&
                 send(fd, run, sizeof run, 0) == (ssize_t)sizeof run;
    close(fd);
    return taken;
}

void q2p__calls_find(struct q2p__calls *out, int fd, const struct q2p__calls *wanted)
{
    int none = 0, gro = wanted->gro;
    bool gro_there = setsockopt(fd, IPPROTO_UDP, UDP_GRO, &gro, sizeof gro) == 0;
    out->batch = wanted->batch;
    out->gro = gro_there && wanted->gro;
    out->segment =
        wanted->segment && setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &none, sizeof none) == 0;
    out->run_max = out->segment && takes_long_runs() ? SEGMENTS_MAX : SEGMENTS;
}

/*
 * What ICMP reported about an earlier datagram, and what a busy machine says: nothing to stop for.
 * A datagram that cannot leave is a lost one.
 */
static bool passes(int why)
{
    switch (why) {
    case EAGAIN:
    case EINTR:
    case ENOBUFS:
    case ENOMEM:
    case ECONNREFUSED:
    case ECONNRESET:
    case EHOSTUNREACH:
    case EHOSTDOWN:
    case ENETUNREACH:
    case ENETDOWN:
    case EADDRNOTAVAIL:
    case EACCES: /* a broadcast address, or a firewall's word */
    case EPERM:
    case EINVAL: /* an address this socket has no way to */
    case EMSGSIZE:
        return true;
    default:
        return false;
    }
}

/* ---- out ---------------------------------------------------------------------------------- */

struct q2p__outbox *q2p__outbox_new(void)
{
    struct q2p__outbox *box = malloc(sizeof *box);
    if (!box)
        return NULL;
    box->runs = 0;
    box->used = 0;
    return box;
}

uint8_t *q2p__outbox_room(struct q2p__outbox *box)
{
    return box->bytes + box->used;
}

/* Can it leave in one piece with the run before it? */
static bool continues(const struct q2p__outbox *box, const struct q2p_datagram *out,
                      const struct q2p__calls *calls)
{
    const struct run *run = &box->run[box->runs - 1];
    return run->count < calls->run_max && run->len + out->len <= RUN_LEN_MAX &&
           run->len == run->segment * (size_t)run->count && run->segment <= SEGMENT_LEN_MAX &&
           out->len > 0 && out->len <= run->segment && q2p_addr_equal(&box->peer, &out->peer);
}

bool q2p__outbox_put(struct q2p__outbox *box, const struct q2p_datagram *out,
                     const struct q2p__calls *calls, bool v6)
{
    assert(out->len <= OUT_ROOM);
    if (box->used + out->len > OUT_ROOM)
        return false;
    if (box->runs && calls->segment && continues(box, out, calls)) {
        struct run *run = &box->run[box->runs - 1];
        run->len += out->len;
        run->count++;
        box->iov[box->runs - 1].iov_len = run->len;
    } else {
        int at = box->runs;
        if (at == OUT_RUNS)
            return false;
        socklen_t to_len = q2p__sockaddr_write(&box->to[at], &out->peer, v6);
        if (!to_len)
            return true; /* an IPv6 peer of an IPv4 socket: lost */
        box->run[at] = (struct run){out->len, out->len, 1};
        box->iov[at] = (struct iovec){box->bytes + box->used, out->len};
        box->message[at].msg_hdr = (struct msghdr){.msg_name = &box->to[at],
                                                   .msg_namelen = to_len,
                                                   .msg_iov = &box->iov[at],
                                                   .msg_iovlen = 1};
        box->peer = out->peer;
        box->runs++;
    }
    if (out->bytes != q2p__outbox_room(box))
        memmove(q2p__outbox_room(box), out->bytes, out->len);
    box->used += out->len;
    return true;
}

/* Tells the kernel where to cut. */
static void mark_segments(struct q2p__outbox *box, int at)
{
    struct msghdr *message = &box->message[at].msg_hdr;
    uint16_t segment = (uint16_t)box->run[at].segment;
    memset(&box->control[at], 0, sizeof box->control[at]);
    message->msg_control = &box->control[at];
    message->msg_controllen = CMSG_SPACE(sizeof segment);
    struct cmsghdr *header = CMSG_FIRSTHDR(message);
    header->cmsg_level = IPPROTO_UDP;
    header->cmsg_type = UDP_SEGMENT;
    header->cmsg_len = CMSG_LEN(sizeof segment);
    memcpy(CMSG_DATA(header), &segment, sizeof segment);
}

static void wait_for_room(int fd)
{
    struct pollfd ready = {.fd = fd, .events = POLLOUT};
    poll(&ready, 1, SEND_WAIT_MS);
}

/* One datagram by the plainest call. True if it left; else errno says why. */
static bool send_one(int fd, const struct msghdr *message, const uint8_t *bytes, size_t len)
{
    for (int tries = 0; tries < 2; tries++) {
        if (sendto(fd, bytes, len, 0, message->msg_name, message->msg_namelen) >= 0)
            return true;
        if (errno == EAGAIN)
            wait_for_room(fd);
        else if (errno != EINTR && errno != ECONNREFUSED)
            /* ECONNREFUSED belongs to an earlier datagram, and this one has not left yet */
            return false;
    }
    return false;
}

/* A run without offload. Returns how many datagrams left, or Q2P_ERR_SYSTEM. */
static int send_singly(const struct q2p__outbox *box, int at, int fd)
{
    const struct run *run = &box->run[at];
    const uint8_t *bytes = box->iov[at].iov_base;
    size_t done = 0;
    int left = 0;
    do {
        size_t len = run->len - done < run->segment ? run->len - done : run->segment;
        if (send_one(fd, &box->message[at].msg_hdr, bytes + done, len))
            left++;
        else if (!passes(errno))
            return Q2P_ERR_SYSTEM;
        done += len;
    } while (done < run->len);
    return left;
}

/* Could it be the offload that failed? Not every device and path has it. */
static bool doubts_offload(int why)
{
    return why == EIO || why == EINVAL || why == EMSGSIZE || why == EOPNOTSUPP;
}

/*
 * sendmmsg refused the message at `at`. Returns 1 if it is over with that, 0 to try it again, or
 * Q2P_ERR_SYSTEM.
 */
static int overcome(const struct q2p__outbox *box, int at, int fd, struct q2p__calls *calls)
{
    int why = errno;
    if (why == ENOSYS) {
        calls->batch = calls->segment = false;
        return 0;
    }
    if (box->run[at].count > 1 && doubts_offload(why)) {
        int left = send_singly(box, at, fd);
        if (left > 0)
            calls->segment = false;
        return left < 0 ? left : 1;
    }
    if (why == EAGAIN)
        wait_for_room(fd);
    if (why != EAGAIN && why != EINTR && why != ECONNREFUSED)
        return passes(why) ? 1 : Q2P_ERR_SYSTEM;
    return send_singly(box, at, fd) < 0 ? Q2P_ERR_SYSTEM : 1;
}

int q2p__outbox_flush(struct q2p__outbox *box, int fd, struct q2p__calls *calls)
{
    int done = 0, status = Q2P_OK;
    for (int at = 0; at < box->runs; at++)
        if (box->run[at].count > 1)
            mark_segments(box, at);
    while (done < box->runs && status >= 0) {
        bool whole = calls->batch && (calls->segment || box->run[done].count == 1);
        int sent = 1;
        if (whole)
            sent = sendmmsg(fd, &box->message[done], (unsigned)(box->runs - done), 0);
        else
            status = send_singly(box, done, fd);
        if (sent < 0)
            sent = status = overcome(box, done, fd, calls);
        done += sent > 0 ? sent : 0;
    }
    box->runs = 0;
    box->used = 0;
    return status < 0 ? status : Q2P_OK;
}

/* ---- in ----------------------------------------------------------------------------------- */

struct q2p__inbox *q2p__inbox_new(void)
{
    struct q2p__inbox *box = malloc(sizeof *box);
    if (!box)
        return NULL;
    for (int i = 0; i < IN_MESSAGES; i++) {
        box->iov[i] = (struct iovec){box->bytes + (size_t)i * IN_STRIDE, IN_ROOM};
        box->message[i].msg_hdr = (struct msghdr){.msg_iov = &box->iov[i], .msg_iovlen = 1};
    }
    return box;
}

/* The kernel overwrites what it was told, so it is told again. */
static void make_ready(struct q2p__inbox *box, int count)
{
    for (int i = 0; i < count; i++) {
        struct msghdr *message = &box->message[i].msg_hdr;
        message->msg_name = &box->from[i];
        message->msg_namelen = sizeof box->from[i];
        message->msg_control = &box->control[i];
        message->msg_controllen = sizeof box->control[i];
    }
}

static int receive(struct q2p__inbox *box, int fd, struct q2p__calls *calls, int room)
{
    make_ready(box, room);
    if (calls->batch) {
        int got = recvmmsg(fd, box->message, (unsigned)room, 0, NULL);
        if (got >= 0 || errno != ENOSYS)
            return got;
        calls->batch = calls->segment = false;
    }
    ssize_t len = recvmsg(fd, &box->message[0].msg_hdr, 0);
    box->message[0].msg_len = len < 0 ? 0 : (unsigned)len;
    return len < 0 ? -1 : 1;
}

int q2p__inbox_fetch(struct q2p__inbox *box, int fd, struct q2p__calls *calls, bool *more)
{
    *more = false;
    for (int tries = 0; tries < IN_MESSAGES; tries++) {
        int room = calls->gro ? IN_RUNS : IN_MESSAGES;
        int got = receive(box, fd, calls, room);
        if (got >= 0) {
            *more = !calls->batch || got == room;
            return got;
        }
        if (errno == EAGAIN)
            return 0;
        if (!passes(errno))
            return Q2P_ERR_SYSTEM;
        /* an ICMP error: the datagrams behind it are fine */
    }
    return 0;
}

/* How long the datagrams of a message are; its own length if it is one datagram. */
static size_t segment_of(const struct mmsghdr *message)
{
    struct msghdr header = message->msg_hdr;
    for (struct cmsghdr *each = CMSG_FIRSTHDR(&header); each; each = CMSG_NXTHDR(&header, each)) {
        int segment;
        if (each->cmsg_level != IPPROTO_UDP || each->cmsg_type != UDP_GRO)
            continue;
        memcpy(&segment, CMSG_DATA(each), sizeof segment);
        if (segment > 0)
            return (size_t)segment;
    }
    return message->msg_len;
}

int q2p__inbox_hand(const struct q2p__inbox *box, int message,
                    int (*input)(void *self, q2p_time now, const struct q2p_datagram *in),
                    void *self)
{
    const struct mmsghdr *came = &box->message[message];
    size_t segment = segment_of(came), left = came->msg_len;
    struct q2p_datagram in = {.bytes = box->iov[message].iov_base};
    q2p_time now = q2p_drive_now();
    int count = 0;
    if (q2p__sockaddr_read(&in.peer, (const struct sockaddr *)&box->from[message]) < 0)
        return 0;
    do {
        in.len = left < segment ? left : segment;
        /* its answer is for counters only: strangers' bytes are never an error of ours */
        (void)input(self, now, &in);
        in.bytes += in.len;
        left -= in.len;
        count++;
    } while (left > 0);
    return count;
}
