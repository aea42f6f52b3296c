/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench_link.c - reads packets from each of two TUN devices and writes them to the other one,
 * later: after the queue and the serialisation of the link, and its delay; or never. The kernel's
 * TCP and everybody else meet the same link there. Offloads end in front of it.
 */
#define _GNU_SOURCE /* unshare, setns, ppoll */
#include "bench_link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "bench_clock.h"

enum { PACKET_MAX = 1536, RING = 16384, DEVICE_QUEUE = 10000, READS = 32 };

#define LOOK_S 100e-6 /* packets that are due so close to each other leave together */

struct packet {
    double due_s;
    size_t len;
    uint8_t bytes[PACKET_MAX];
};

/* One direction. */
struct pipe {
    int from, to;
    double free_s; /* when the last packet of the queue will be on the wire */
    uint64_t dice;
    size_t head, count;
    struct packet ring[RING];
};

static double roll(struct pipe *pipe)
{
    pipe->dice = pipe->dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(pipe->dice >> 11) / 9007199254740992.0;
}

/* A packet is there: into the queue, or dropped. */
static void take(struct pipe *pipe, const struct bench_link_kind *kind, double now_s)
{
    struct packet *packet = &pipe->ring[(pipe->head + pipe->count) % RING];
    ssize_t len = read(pipe->from, packet->bytes, sizeof packet->bytes);
    double backlog_s = pipe->free_s > now_s ? pipe->free_s - now_s : 0;
    if (len <= 0 || pipe->count == RING - 1 ||
        backlog_s * kind->bytes_s + (double)len > (double)kind->queue_bytes)
        return;
    pipe->free_s = now_s + backlog_s + (double)len / kind->bytes_s;
    if (roll(pipe) < kind->loss) /* on the way, so it took its time */
        return;
    packet->len = (size_t)len;
    packet->due_s = pipe->free_s + kind->delay_s;
    pipe->count++;
}

static void give_due(struct pipe *pipe, double now_s)
{
    for (; pipe->count && pipe->ring[pipe->head].due_s <= now_s; pipe->count--) {
        const struct packet *packet = &pipe->ring[pipe->head];
        ssize_t wrote = write(pipe->to, packet->bytes, packet->len);
        (void)wrote; /* the other end may be gone */
        pipe->head = (pipe->head + 1) % RING;
    }
}

static void pass_packets(const int device[2], const struct bench_link_kind *kind)
{
    struct pipe *pipes = calloc(2, sizeof *pipes);
    struct pollfd ready[2];
    if (!pipes)
        _exit(1);
    for (int i = 0; i < 2; i++) {
        pipes[i].from = device[i];
        pipes[i].to = device[1 - i];
        pipes[i].dice = (uint64_t)i + 7;
        ready[i] = (struct pollfd){.fd = device[i], .events = POLLIN};
    }
    for (;;) {
        double now_s = bench_wall_seconds(), next_s = now_s + 1;
        for (int i = 0; i < 2; i++)
            if (pipes[i].count && pipes[i].ring[pipes[i].head].due_s < next_s)
                next_s = pipes[i].ring[pipes[i].head].due_s;
        double left_s = next_s > now_s + LOOK_S ? next_s - now_s : LOOK_S;
        struct timespec left = {(time_t)left_s, (long)((left_s - (double)(time_t)left_s) * 1e9)};
        ppoll(ready, 2, &left, NULL);
        now_s = bench_wall_seconds();
        for (int i = 0; i < 2; i++) {
            give_due(&pipes[i], now_s);
            for (int n = 0; n < READS && (ready[i].revents & POLLIN); n++) {
                struct pollfd more = ready[i];
                take(&pipes[i], kind, now_s);
                if (poll(&more, 1, 0) <= 0)
                    break;
            }
        }
    }
}

/* A namespace of its own with one end of the link in it. Returns its descriptor, or -1. */
static int open_end(int *device, const char *ip)
{
    struct ifreq request = {.ifr_name = "link"};
    struct sockaddr_in *addr = (struct sockaddr_in *)(void *)&request.ifr_addr;
    if (unshare(CLONE_NEWNET) < 0)
        return -1;
    *device = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (*device < 0 || control < 0)
        return -1;
    request.ifr_flags = IFF_TUN | IFF_NO_PI;
    int failed = ioctl(*device, TUNSETIFF, &request);
    request.ifr_qlen = DEVICE_QUEUE; /* the queue that counts is ours */
    failed |= ioctl(control, SIOCSIFTXQLEN, &request);
    memset(addr, 0, sizeof *addr);
    addr->sin_family = AF_INET;
    inet_pton(AF_INET, ip, &addr->sin_addr);
    failed |= ioctl(control, SIOCSIFADDR, &request);
    inet_pton(AF_INET, "255.255.255.0", &addr->sin_addr);
    failed |= ioctl(control, SIOCSIFNETMASK, &request);
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    failed |= ioctl(control, SIOCSIFFLAGS, &request);
    close(control);
    return failed ? -1 : open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
}

int bench_link_open(struct bench_link *link, const struct bench_link_kind *kind)
{
    int device[2] = {-1, -1}, own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    *link = (struct bench_link){.netns = {-1, -1}, .ip = {"10.99.0.1", "10.99.0.2"}};
    for (int i = 0; i < 2 && own >= 0; i++)
        link->netns[i] = open_end(&device[i], link->ip[i]);
    int why = errno;
    bool there =
        own >= 0 && setns(own, CLONE_NEWNET) == 0 && link->netns[0] >= 0 && link->netns[1] >= 0;
    close(own);
    if (there) {
        link->pid = fork();
        if (link->pid == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            prctl(PR_SET_TIMERSLACK, 1000UL);
            pass_packets(device, kind);
        }
    }
    for (int i = 0; i < 2; i++)
        if (device[i] >= 0)
            close(device[i]);
    if (there && link->pid > 0)
        return 0;
    bench_link_close(link);
    errno = why;
    return -1;
}

void bench_link_close(struct bench_link *link)
{
    if (link->pid > 0) {
        kill(link->pid, SIGKILL);
        waitpid(link->pid, NULL, 0);
    }
    for (int i = 0; i < 2; i++)
        if (link->netns[i] >= 0)
            close(link->netns[i]);
    *link = (struct bench_link){.netns = {-1, -1}};
}
