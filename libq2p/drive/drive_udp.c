/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * drive_udp.c - one UDP socket and one poll between the kernel and a machine. Knows addresses and
 * errors of sockets, nothing of what is in a datagram. All receiving is in take_in, all sending in
 * send_out, so that batched system calls fit in there without anybody noticing.
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

#include <q2p/status.h>

enum {
    RECEIVE_BUFFER = 4 << 20, /* asked of the kernel: senders of the original do not pace */
    DATAGRAM_ROOM = 65536,    /* a list of lost SYNs from the original may be that long */
    TURN_MAX = 64,            /* datagrams taken in per step, so that sending gets its turn */
    SEND_WAIT_MS = 20         /* for room in the kernel's send buffer; then the datagram is lost */
};

struct q2p_drive {
    int fd;
    bool v6; /* an IPv6 socket, which carries IPv4 as ::ffff:a.b.c.d */
    uint8_t bytes[DATAGRAM_ROOM];
};

/* ---- addresses ---------------------------------------------------------------------------- */

static int read_sockaddr(struct q2p_addr *out, const struct sockaddr *from)
{
    memset(out, 0, sizeof *out);
    if (from->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const void *)from;
        memcpy(out->ip, &v4->sin_addr, 4);
        out->ip_len = 4;
        out->port = ntohs(v4->sin_port);
        return Q2P_OK;
    }
    if (from->sa_family != AF_INET6)
        return Q2P_ERR_ADDRESS;
    const struct sockaddr_in6 *v6 = (const void *)from;
    bool mapped = IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr);
    out->ip_len = mapped ? 4 : 16;
    memcpy(out->ip, v6->sin6_addr.s6_addr + (mapped ? 12 : 0), out->ip_len);
    out->scope_id = IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr) ? v6->sin6_scope_id : 0;
    out->port = ntohs(v6->sin6_port);
    return Q2P_OK;
}

/* Returns the size, or 0 if the socket cannot reach such an address at all. */
static socklen_t write_sockaddr(struct sockaddr_storage *out, const struct q2p_addr *addr, bool v6)
{
    memset(out, 0, sizeof *out);
    if (!v6) {
        struct sockaddr_in *to = (void *)out;
        to->sin_family = AF_INET;
        to->sin_port = htons(addr->port);
        memcpy(&to->sin_addr, addr->ip, 4);
        return addr->ip_len == 4 ? sizeof *to : 0;
    }
    struct sockaddr_in6 *to = (void *)out;
    to->sin6_family = AF_INET6;
    to->sin6_port = htons(addr->port);
    to->sin6_scope_id = addr->scope_id;
    if (addr->ip_len == 4)
        to->sin6_addr.s6_addr[10] = to->sin6_addr.s6_addr[11] = 0xff;
    memcpy(to->sin6_addr.s6_addr + sizeof to->sin6_addr - addr->ip_len, addr->ip, addr->ip_len);
    return addr->ip_len ? sizeof *to : 0;
}

int q2p_drive_resolve(struct q2p_addr *out, const char *text, uint8_t prefer_ip_len)
{
    char host[256];
    const char *colon = strrchr(text, ':');
    size_t len = colon ? (size_t)(colon - text) : 0;
    bool bracketed = len > 2 && text[0] == '[' && colon[-1] == ']';
    if (bracketed) {
        text++;
        len -= 2;
    }
    /* a port in digits only, no empty host, no IPv6 without brackets, no bracket without IPv6 */
    if (!len || len >= sizeof host || (!bracketed && (memchr(text, ':', len) || *text == '[')) ||
        strspn(colon + 1, "0123456789") != strlen(colon + 1) || strlen(colon + 1) > 5)
        return Q2P_ERR_ADDRESS;
    unsigned long port = strtoul(colon + 1, NULL, 10);
    if (port < 1 || port > UINT16_MAX)
        return Q2P_ERR_ADDRESS;
    memcpy(host, text, len);
    host[len] = '\0';

    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM}, *found = NULL;
    hints.ai_flags = bracketed ? AI_NUMERICHOST : 0;
    if (getaddrinfo(host, NULL, &hints, &found))
        return bracketed ? Q2P_ERR_ADDRESS : Q2P_ERR_RESOLVE;
    struct q2p_addr addr;
    int status = Q2P_ERR_RESOLVE;
    for (const struct addrinfo *each = found; each; each = each->ai_next) {
        if (read_sockaddr(&addr, each->ai_addr))
            continue;
        bool preferred = addr.ip_len == prefer_ip_len;
        if (status || preferred)
            *out = addr;
        status = Q2P_OK;
        if (preferred || !prefer_ip_len)
            break;
    }
    freeaddrinfo(found);
    if (!status)
        out->port = (uint16_t)port;
    return status;
}

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

int q2p_drive_open(q2p_drive **out, const char *ip, uint16_t port)
{
    assert(out && ip);
    *out = NULL;
    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICHOST}, *found = NULL;
    if (getaddrinfo(ip, NULL, &hints, &found))
        return Q2P_ERR_ADDRESS;
    struct q2p_addr addr;
    struct sockaddr_storage to;
    int status = read_sockaddr(&addr, found->ai_addr);
    freeaddrinfo(found);
    if (status)
        return status;
    q2p_drive *drive = malloc(sizeof *drive);
    if (!drive)
        return Q2P_ERR_MEMORY;

    static const uint8_t unspecified[16];
    if (!memcmp(addr.ip, unspecified, addr.ip_len)) {
        drive->fd = bind_any(port, &drive->v6);
    } else {
        addr.port = port;
        drive->v6 = addr.ip_len == 16;
        socklen_t len = write_sockaddr(&to, &addr, drive->v6);
        drive->fd = bind_socket((const struct sockaddr *)&to, len, false);
    }
    if (drive->fd < 0) {
        int why = errno;
        free(drive);
        errno = why;
        return Q2P_ERR_SYSTEM;
    }
    *out = drive;
    return Q2P_OK;
}

void q2p_drive_close(q2p_drive *drive)
{
    if (!drive)
        return;
    close(drive->fd);
    free(drive);
}

int q2p_drive_address(const q2p_drive *drive, struct q2p_addr *out)
{
    struct sockaddr_storage at;
    socklen_t len = sizeof at;
    if (getsockname(drive->fd, (struct sockaddr *)&at, &len) < 0)
        return Q2P_ERR_SYSTEM;
    return read_sockaddr(out, (const struct sockaddr *)&at);
}

int q2p_drive_fd(const q2p_drive *drive)
{
    return drive->fd;
}

/* ---- one turn ----------------------------------------------------------------------------- */

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

static int send_one(const q2p_drive *drive, const struct q2p_datagram *out)
{
    struct sockaddr_storage to;
    socklen_t len = write_sockaddr(&to, &out->peer, drive->v6);
    if (!len)
        return Q2P_OK; /* an IPv6 peer of an IPv4 socket: lost */
    for (int tries = 0; tries < 2; tries++) {
        if (sendto(drive->fd, out->bytes, out->len, 0, (const struct sockaddr *)&to, len) >= 0)
            return Q2P_OK;
        if (errno == EAGAIN) {
            struct pollfd ready = {.fd = drive->fd, .events = POLLOUT};
            poll(&ready, 1, SEND_WAIT_MS);
        } else if (errno != EINTR && errno != ECONNREFUSED) {
            /* ECONNREFUSED belongs to an earlier datagram, and this one has not left yet */
            break;
        }
    }
    return passes(errno) ? Q2P_OK : Q2P_ERR_SYSTEM;
}

static int send_out(const q2p_drive *drive, const struct q2p_machine *ops, void *machine)
{
    struct q2p_datagram out;
    while (ops->output(machine, q2p_drive_now(), &out)) {
        int status = send_one(drive, &out);
        if (status < 0)
            return status;
    }
    return Q2P_OK;
}

static int take_in(q2p_drive *drive, const struct q2p_machine *ops, void *machine)
{
    int taken = 0;
    for (int tries = 0; tries < TURN_MAX; tries++) {
        struct sockaddr_storage from;
        socklen_t from_len = sizeof from;
        ssize_t len = recvfrom(drive->fd, drive->bytes, sizeof drive->bytes, 0,
                               (struct sockaddr *)&from, &from_len);
        if (len < 0) {
            if (errno == EAGAIN)
                break;
            if (!passes(errno))
                return Q2P_ERR_SYSTEM;
            continue; /* an ICMP error: the datagrams behind it are fine */
        }
        struct q2p_datagram in = {.bytes = drive->bytes, .len = (size_t)len};
        if (read_sockaddr(&in.peer, (const struct sockaddr *)&from) < 0)
            continue;
        /* its answer is for counters only: strangers' bytes are never an error of ours */
        (void)ops->input(machine, q2p_drive_now(), &in);
        taken++;
    }
    return taken;
}

static int wait_until(const q2p_drive *drive, q2p_time wake)
{
    struct pollfd ready = {.fd = drive->fd, .events = POLLIN};
    struct timespec left = {0};
    q2p_time now = q2p_drive_now();
    if (wake != Q2P_NEVER && wake > now) {
        left.tv_sec = (time_t)((wake - now) / Q2P_SECOND);
        left.tv_nsec = (long)((wake - now) % Q2P_SECOND);
    }
    return ppoll(&ready, 1, wake == Q2P_NEVER ? NULL : &left, NULL) < 0 ? Q2P_ERR_SYSTEM : Q2P_OK;
}

int q2p_drive_step(q2p_drive *drive, const struct q2p_machine *ops, void *machine, q2p_time until)
{
    int status = send_out(drive, ops, machine);
    if (status < 0)
        return status;
    q2p_time deadline = ops->deadline(machine);
    status = wait_until(drive, deadline < until ? deadline : until);
    if (status < 0)
        return errno == EINTR ? 0 : status;
    int taken = take_in(drive, ops, machine);
    if (taken < 0)
        return taken;
    q2p_time now = q2p_drive_now();
    if (ops->deadline(machine) <= now)
        ops->tick(machine, now);
    status = send_out(drive, ops, machine);
    return status < 0 ? status : taken;
}
