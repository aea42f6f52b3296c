/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bench_link.h - a link between two network namespaces, made of two TUN devices. */
#ifndef BENCH_LINK_H
#define BENCH_LINK_H

#include <stddef.h>
#include <sys/types.h>

struct bench_link_kind {
    double bytes_s;     /* what it carries, IP headers counted */
    double delay_s;     /* each way */
    size_t queue_bytes; /* in front of it; what comes when it is full is dropped */
    double loss;        /* of packets, each way, independent */
};

struct bench_link {
    int netns[2];
    const char *ip[2];
    pid_t pid; /* of the process that passes packets on */
};

/* 0, or -1 with errno set: it takes root and /dev/net/tun. */
int bench_link_open(struct bench_link *link, const struct bench_link_kind *kind);
void bench_link_close(struct bench_link *link);

#endif
