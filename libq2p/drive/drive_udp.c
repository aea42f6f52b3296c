/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * drive_udp.c - one UDP socket and one poll between the kernel and a machine. Knows sockets and
 * time, nothing of what is in a datagram; drive_batch.c moves the bytes.
 */
#define _GNU_SOURCE /* ppoll */
#include <q2p/drive.h>

#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/errqueue.h> /* wants the time of the others */
#endif

#include <q2p/status.h>

#include "drive_addr.h"
#include "drive_batch.h"

enum {
    RECEIVE_BUFFER = 4 << 20, /* asked of the kernel: senders of the original do not pace */
    TURN_MAX = 64,            /* datagrams taken in per step, so that sending gets its turn */
    FLUSHES_MAX = 4           /* ... and the other way round */
};

/* Sleeping takes the kernel about so long: what is nearer is waited for awake. */
#define SLEEP_LEAST_NS (60 * Q2P_MICROSECOND)

struct q2p_drive {
    int fd;
    bool v6; /* an IPv6 socket, which carries IPv4 as ::ffff:a.b.c.d */
    struct q2p__calls calls;
    struct q2p__outbox *outbox;
    struct q2p__inbox *inbox;
};

/* ---- the socket --------------------------------------------------------------------------- */

static int bind_socket(const struct sockaddr *to, socklen_t len, bool dual)
{
    int fd = socket(to->sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP);
    if (fd < 0)
        return -1;
    int only = !dual, room = RECEIVE_BUFFER;
    if (to->sa_family == AF_INET6 &&
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only) < 0)
        goto failed;
    /* best effort, either way: less room only means more repairs */
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    if (bind(fd, to, len) < 0)
        goto failed;
    return fd;

failed:;
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

/* "0.0.0.0" means both families, as in the original; a system without IPv6 gets IPv4. */
static int bind_any(uint16_t port, bool *v6)
{
    struct sockaddr_in6 both = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    *v6 = true;
    int fd = bind_socket((const struct sockaddr *)&both, sizeof both, true);
    if (fd >= 0 || (errno != EAFNOSUPPORT && errno != EADDRNOTAVAIL))
        return fd;
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    *v6 = false;
    return bind_socket((const struct sockaddr *)&v4, sizeof v4, false);
}

static int bind_at(q2p_drive *drive, struct q2p_addr *addr, uint16_t port)
{
    static const uint8_t unspecified[16];
    struct sockaddr_storage to;
    if (!memcmp(addr->ip, unspecified, addr->ip_len))
        return bind_any(port, &drive->v6);
    addr->port = port;
    drive->v6 = addr->ip_len == 16;
    socklen_t len = q2p__sockaddr_write(&to, addr, drive->v6);
    return bind_socket((const struct sockaddr *)&to, len, false);
}

int q2p_drive_open(q2p_drive **out, const char *ip, uint16_t port)
{
    assert(out && ip);
    *out = NULL;
    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICHOST}, *found = NULL;
    int status = getaddrinfo(ip, NULL, &hints, &found);
    if (status)
        return status == EAI_MEMORY ? Q2P_ERR_MEMORY : Q2P_ERR_ADDRESS;
    struct q2p_addr addr;
    status = q2p__sockaddr_read(&addr, found->ai_addr);
    freeaddrinfo(found);
    if (status)
        return status;
    q2p_drive *drive = calloc(1, sizeof *drive);
    if (!drive)
        return Q2P_ERR_MEMORY;
    drive->outbox = q2p__outbox_new();
    drive->inbox = q2p__inbox_new();
    drive->fd = -1;
    status = drive->outbox && drive->inbox ? Q2P_OK : Q2P_ERR_MEMORY;
    if (!status)
        drive->fd = bind_at(drive, &addr, port);
    if (drive->fd < 0) {
        int why = errno;
        q2p_drive_close(drive);
        errno = why;
        return status ? status : Q2P_ERR_SYSTEM;
    }
    q2p_drive_choose(drive, Q2P_CALLS_OFFLOAD);
    *out = drive;
    return Q2P_OK;
}

void q2p_drive_close(q2p_drive *drive)
{
    if (!drive)
        return;
    if (drive->fd >= 0)
        close(drive->fd);
    free(drive->outbox);
    free(drive->inbox);
    free(drive);
}

enum q2p_calls q2p_drive_choose(q2p_drive *drive, enum q2p_calls most)
{
    struct q2p__calls wanted = {.batch = most >= Q2P_CALLS_BATCH,
                                .segment = most >= Q2P_CALLS_OFFLOAD,
                                .gro = most >= Q2P_CALLS_OFFLOAD};
    q2p__calls_find(&drive->calls, drive->fd, &wanted);
    return q2p_drive_calls(drive);
}

enum q2p_calls q2p_drive_calls(const q2p_drive *drive)
{
    if (drive->calls.segment)
        return Q2P_CALLS_OFFLOAD;
    return drive->calls.batch ? Q2P_CALLS_BATCH : Q2P_CALLS_PLAIN;
}

int q2p_drive_address(const q2p_drive *drive, struct q2p_addr *out)
{
    struct sockaddr_storage at;
    socklen_t len = sizeof at;
    if (getsockname(drive->fd, (struct sockaddr *)&at, &len) < 0)
        return Q2P_ERR_SYSTEM;
    return q2p__sockaddr_read(out, (const struct sockaddr *)&at);
}

int q2p_drive_fd(const q2p_drive *drive)
{
    return drive->fd;
}

/* ---- refusals ------------------------------------------------------------------------------ */

#ifdef IP_RECVERR

int q2p_drive_hear_refusals(q2p_drive *drive, bool on)
{
    int value = on;
    bool heard = setsockopt(drive->fd, IPPROTO_IP, IP_RECVERR, &value, sizeof value) == 0;
    if (drive->v6) /* which carries IPv4, too */
        heard |= setsockopt(drive->fd, IPPROTO_IPV6, IPV6_RECVERR, &value, sizeof value) == 0;
    return heard ? Q2P_OK : Q2P_ERR_SYSTEM;
}

static bool is_refusal(struct msghdr *message)
{
    for (struct cmsghdr *each = CMSG_FIRSTHDR(message); each; each = CMSG_NXTHDR(message, each)) {
        struct sock_extended_err why;
        bool tells = (each->cmsg_level == IPPROTO_IP && each->cmsg_type == IP_RECVERR) ||
                     (each->cmsg_level == IPPROTO_IPV6 && each->cmsg_type == IPV6_RECVERR);
        if (!tells || each->cmsg_len < CMSG_LEN(sizeof why))
            continue;
        memcpy(&why, CMSG_DATA(each), sizeof why);
        if (why.ee_errno == ECONNREFUSED &&
            (why.ee_origin == SO_EE_ORIGIN_ICMP || why.ee_origin == SO_EE_ORIGIN_ICMP6))
            return true;
    }
    return false;
}

bool q2p_drive_refused(q2p_drive *drive, struct q2p_addr *out)
{
    for (;;) {
        struct sockaddr_storage to; /* where the datagram went that ICMP is about */
        _Alignas(struct cmsghdr) char control[256];
        struct msghdr message = {.msg_name = &to,
                                 .msg_namelen = sizeof to,
                                 .msg_control = control,
                                 .msg_controllen = sizeof control};
        if (recvmsg(drive->fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
            return false;
        if (is_refusal(&message) && q2p__sockaddr_read(out, (const struct sockaddr *)&to) == Q2P_OK)
            return true;
    }
}

#else

int q2p_drive_hear_refusals(q2p_drive *drive, bool on)
{
    (void)drive;
    (void)on;
    return Q2P_ERR_SYSTEM;
}

bool q2p_drive_refused(q2p_drive *drive, struct q2p_addr *out)
{
    (void)drive;
    (void)out;
    return false;
}

#endif

/* ---- one turn ----------------------------------------------------------------------------- */

static int ask_output(q2p_drive *drive, const struct q2p_machine *ops, void *machine, q2p_time now,
                      struct q2p_datagram *out)
{
    if (ops->output_to)
        return ops->output_to(machine, now, out, q2p__outbox_room(drive->outbox));
    return ops->output(machine, now, out);
}

/* Returns 0 when the machine has no more, 1 when it may have but receiving needs its turn. */
static int send_out(q2p_drive *drive, const struct q2p_machine *ops, void *machine)
{
    struct q2p_datagram out;
    q2p_time now = q2p_drive_now();
    int flushes = 0, status = Q2P_OK;
    while (!status && flushes < FLUSHES_MAX && ask_output(drive, ops, machine, now, &out)) {
        if (q2p__outbox_put(drive->outbox, &out, &drive->calls, drive->v6))
            continue;
        status = q2p__outbox_flush(drive->outbox, drive->fd, &drive->calls);
        flushes++;
        now = q2p_drive_now();
        /* its bytes are still there: output was not called again */
        q2p__outbox_put(drive->outbox, &out, &drive->calls, drive->v6);
    }
    if (!status)
        status = q2p__outbox_flush(drive->outbox, drive->fd, &drive->calls);
    return status ? status : flushes == FLUSHES_MAX;
}

static int take_in(q2p_drive *drive, const struct q2p_machine *ops, void *machine)
{
    bool more = true;
    int taken = 0;
    while (more && taken < TURN_MAX) {
        int count = q2p__inbox_fetch(drive->inbox, drive->fd, &drive->calls, &more);
        if (count < 0)
            return count;
        for (int i = 0; i < count; i++)
            taken += q2p__inbox_hand(drive->inbox, i, ops->input, machine);
        if (!count)
            break;
    }
    return taken;
}

/* Returns Q2P_OK, or Q2P_ERR_SYSTEM with errno set. */
static int sleep_until(const q2p_drive *drive, q2p_time now, q2p_time wake)
{
    struct pollfd ready = {.fd = drive->fd, .events = POLLIN};
    struct timespec left = {(time_t)((wake - now) / Q2P_SECOND), (long)((wake - now) % Q2P_SECOND)};
    return ppoll(&ready, 1, wake == Q2P_NEVER ? NULL : &left, NULL) < 0 ? Q2P_ERR_SYSTEM : Q2P_OK;
}

/* Waits for datagrams until `wake`. Returns how many were taken in, or Q2P_ERR_SYSTEM. */
static int await(q2p_drive *drive, const struct q2p_machine *ops, void *machine, q2p_time wake)
{
    int taken = 0;
    for (q2p_time now = q2p_drive_now(); !taken && now < wake; now = q2p_drive_now()) {
        bool near = wake - now < SLEEP_LEAST_NS;
        if (!near && sleep_until(drive, now, wake) < 0)
            return errno == EINTR ? 0 : Q2P_ERR_SYSTEM;
        taken = take_in(drive, ops, machine);
        if (!near)
            break;
    }
    return taken;
}

/*
 * What has come is taken in first: a machine that was kept from running for a while would else
 * answer to the past, and take its own absence for the silence of others.
 */
int q2p_drive_step(q2p_drive *drive, const struct q2p_machine *ops, void *machine, q2p_time until)
{
    int taken = take_in(drive, ops, machine);
    if (taken == 0) {
        int more = send_out(drive, ops, machine);
        q2p_time deadline = ops->deadline(machine);
        q2p_time wake = more ? 0 : deadline < until ? deadline : until;
        taken = more < 0 ? more : await(drive, ops, machine, wake);
    }
    if (taken < 0)
        return taken;
    q2p_time now = q2p_drive_now();
    if (ops->deadline(machine) <= now)
        ops->tick(machine, now);
    int status = send_out(drive, ops, machine);
    return status < 0 ? status : taken;
}
