/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bench_udt.cpp - the job done by UDT4, whose interface is C++. */
#include "bench.h"

#include <arpa/inet.h>
#include <cstdio>
#include <cstring>
#include <udt/udt.h>
#include <unistd.h>

static int fail(const char *what)
{
    fprintf(stderr, "UDT: %s: %s\n", what, UDT::getlasterror().getErrorMessage());
    return -1;
}

static sockaddr_in address(const char *ip, int port)
{
    sockaddr_in at = {};
    at.sin_family = AF_INET;
    at.sin_port = htons((uint16_t)port);
    inet_pton(AF_INET, ip, &at.sin_addr);
    return at;
}

static int send_udt(const bench_job *job, bench_shared *shared)
{
    sockaddr_in to = address(job->ip[BENCH_RECEIVE], shared->port);
    UDTSOCKET peer = UDT::socket(AF_INET, SOCK_STREAM, 0);
    if (UDT::connect(peer, (sockaddr *)&to, sizeof to) == UDT::ERROR)
        return fail("connect");
    bench_begin(shared);
    for (size_t sent = 0; sent < job->len;) {
        int left = UDT::send(peer, (const char *)job->data + sent, (int)(job->len - sent), 0);
        if (left == UDT::ERROR)
            return fail("send");
        sent += (size_t)left;
    }
    while (!*(volatile bool *)&shared->done)
        usleep(1000);
    return 0;
}

static int receive_udt(const bench_job *job, bench_shared *shared)
{
    static char bytes[1 << 20];
    sockaddr_in at = address(job->ip[BENCH_RECEIVE], 0);
    int len = sizeof at;
    UDTSOCKET listener = UDT::socket(AF_INET, SOCK_STREAM, 0);
    if (UDT::bind(listener, (sockaddr *)&at, len) == UDT::ERROR ||
        UDT::listen(listener, 1) == UDT::ERROR ||
        UDT::getsockname(listener, (sockaddr *)&at, &len) == UDT::ERROR)
        return fail("listen");
    bench_listening(shared, ntohs(at.sin_port));
    UDTSOCKET peer = UDT::accept(listener, NULL, NULL);
    for (size_t received = 0; received < job->len;) {
        int got = UDT::recv(peer, bytes, sizeof bytes, 0);
        if (got == UDT::ERROR)
            return fail("receive");
        if (memcmp(bytes, job->data + received, (size_t)got) != 0)
            return fail("compare");
        received += (size_t)got;
    }
    bench_end(shared);
    return 0;
}

extern "C" const bench_way bench_udt = {"UDT", send_udt, receive_udt};
