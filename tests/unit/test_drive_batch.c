/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_drive_batch.c - datagrams of many sizes and to several peers, over loopback by every pair of
 * ways to pass the kernel: each arrives whole, once, in the order in which it was given out.
 */
#define _DEFAULT_SOURCE /* SO_NO_CHECK */
#include "unit.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#ifdef __linux__
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

#include <q2p/drive.h>
#include <q2p/status.h>

enum { DATAGRAMS = 150, PEERS = 2, PATIENCE_S = 10 };

/* Gives out datagrams: the sizes and peers in turn. The n-th is filled with what n makes. */
struct giver {
    const size_t *sizes;
    size_t sizes_count;
    struct q2p_addr to[PEERS];
    int run; /* so many to one peer before the next one's turn */
    int next, count;
    uint8_t bytes[65507];
};

/* Takes them in: those of one peer of a giver. */
struct taker {
    const struct giver *giver;
    int peer, next, count;
    struct q2p_addr from;
};

static size_t fill(const struct giver *giver, int n, uint8_t *bytes)
{
    size_t len = giver->sizes[(size_t)n % giver->sizes_count];
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)((size_t)n * 31 + i * 7 + i / 256);
    return len;
}

static int peer_of(const struct giver *giver, int n)
{
    return n / giver->run % PEERS;
}

static int give(void *self, q2p_time now, struct q2p_datagram *out)
{
    struct giver *giver = self;
    (void)now;
    if (giver->next == giver->count)
        return 0;
    memset(giver->bytes, 0xee, sizeof giver->bytes); /* what was lent is gone */
    out->peer = giver->to[peer_of(giver, giver->next)];
    out->bytes = giver->bytes;
    out->len = fill(giver, giver->next, giver->bytes);
    giver->next++;
    return 1;
}

static int give_to(void *self, q2p_time now, struct q2p_datagram *out, uint8_t *room)
{
    memset(room, 0xee, Q2P_DATAGRAM_MAX); /* all of it is ours */
    if (!give(self, now, out))
        return 0;
    if (out->len <= Q2P_DATAGRAM_MAX)
        out->bytes = memcpy(room, out->bytes, out->len);
    return 1;
}

static int take(void *self, q2p_time now, const struct q2p_datagram *in)
{
    static uint8_t want[65507];
    struct taker *taker = self;
    (void)now;
    while (peer_of(taker->giver, taker->next) != taker->peer)
        taker->next++;
    size_t len = fill(taker->giver, taker->next, want);
    assert_int_equal(in->len, len);
    assert_memory_equal(in->bytes, want, len);
    taker->from = in->peer;
    taker->next++;
    taker->count++;
    return Q2P_OK;
}

static int give_nothing(void *self, q2p_time now, struct q2p_datagram *out)
{
    (void)self;
    (void)now;
    (void)out;
    return 0;
}

static int take_nothing(void *self, q2p_time now, const struct q2p_datagram *in)
{
    (void)self;
    (void)now;
    (void)in;
    return Q2P_ERR_UNKNOWN;
}

static q2p_time never(const void *self)
{
    (void)self;
    return Q2P_NEVER;
}

static void do_nothing(void *self, q2p_time now)
{
    (void)self;
    (void)now;
}

static const struct q2p_machine givings[] = {
    {"giver", take_nothing, give, never, do_nothing, NULL},
    {"giver to room", take_nothing, give_nothing, never, do_nothing, give_to},
};
static const struct q2p_machine taking = {"taker", take, give_nothing, never, do_nothing, NULL};

static const size_t fragments[] = {512};
static const size_t with_tail[] = {508, 508, 508, 508, 508, 508, 508, 40};
static const size_t mixed[] = {512, 512, 512, 100, 512, 4,    24, 24, 24, 600,
                               1,   1,   0,   0,   512, 1400, 99, 98, 97, 96};

static const struct q2p_machine *giving = &givings[0];
static struct giver giver;
static struct taker takers[PEERS];
static q2p_drive *from, *to[PEERS];

static bool open_all(const char *ip)
{
    struct q2p_addr at;
    if (q2p_drive_open(&from, ip, 0) < 0)
        return false;
    assert_int_equal(q2p_drive_address(from, &at), Q2P_OK);
    for (int i = 0; i < PEERS; i++) {
        assert_int_equal(q2p_drive_open(&to[i], ip, 0), Q2P_OK);
        assert_int_equal(q2p_drive_address(to[i], &giver.to[i]), Q2P_OK);
        takers[i] = (struct taker){.giver = &giver, .peer = i};
    }
    return true;
}

static void close_all(void)
{
    q2p_drive_close(from);
    for (int i = 0; i < PEERS; i++)
        q2p_drive_close(to[i]);
}

/* Everything from the giver to the takers; nothing may be lost on the way. */
static void pass_all(const size_t *sizes, size_t sizes_count, int run)
{
    q2p_time patience = q2p_drive_now() + PATIENCE_S * Q2P_SECOND;
    int arrived = 0;
    giver.sizes = sizes;
    giver.sizes_count = sizes_count;
    giver.run = run;
    giver.next = 0;
    giver.count = DATAGRAMS;
    for (int i = 0; i < PEERS; i++)
        takers[i].next = takers[i].count = 0;
    while (giver.next < DATAGRAMS)
        assert_int_equal(q2p_drive_step(from, giving, &giver, 0), 0);
    while (arrived < DATAGRAMS && q2p_drive_now() < patience) {
        arrived = 0;
        for (int i = 0; i < PEERS; i++) {
            assert_true(q2p_drive_step(to[i], &taking, &takers[i], 0) >= 0);
            arrived += takers[i].count;
        }
    }
    assert_int_equal(arrived, DATAGRAMS);
}

static void pass_by_every_way(const char *ip, const struct q2p_machine *machine)
{
    giving = machine;
    for (int out = Q2P_CALLS_PLAIN; out <= Q2P_CALLS_OFFLOAD; out++) {
        for (int in = Q2P_CALLS_PLAIN; in <= Q2P_CALLS_OFFLOAD; in++) {
            if (!open_all(ip))
                skip();
            assert_true(q2p_drive_choose(from, (enum q2p_calls)out) <= (unsigned)out);
            for (int i = 0; i < PEERS; i++)
                assert_true(q2p_drive_choose(to[i], (enum q2p_calls)in) <= (unsigned)in);
            pass_all(fragments, sizeof fragments / sizeof *fragments, DATAGRAMS);
            pass_all(fragments, sizeof fragments / sizeof *fragments, 1);
            pass_all(with_tail, sizeof with_tail / sizeof *with_tail, 8);
            pass_all(mixed, sizeof mixed / sizeof *mixed, 5);
            close_all();
        }
    }
}

static void every_way_keeps_bytes_and_order_over_ipv4(void **state)
{
    (void)state;
    pass_by_every_way("127.0.0.1", &givings[0]);
    pass_by_every_way("127.0.0.1", &givings[1]);
}

static void every_way_keeps_bytes_and_order_over_ipv6(void **state)
{
    (void)state;
    pass_by_every_way("::1", &givings[0]);
    pass_by_every_way("::1", &givings[1]);
}

static void the_choice_is_a_ceiling_that_can_be_lifted(void **state)
{
    (void)state;
    assert_true(open_all("127.0.0.1"));
    enum q2p_calls best = q2p_drive_calls(from);
    assert_int_equal(q2p_drive_choose(from, Q2P_CALLS_PLAIN), Q2P_CALLS_PLAIN);
    assert_int_equal(q2p_drive_calls(from), Q2P_CALLS_PLAIN);
    assert_int_equal(q2p_drive_choose(from, Q2P_CALLS_OFFLOAD), best);
    close_all();
}

/* The kernel refuses UDP_SEGMENT on a socket without checksums: a device without offload. */
static void a_device_without_offload_gets_them_one_by_one(void **state)
{
    (void)state;
    int without = 1;
    assert_true(open_all("127.0.0.1"));
    if (q2p_drive_calls(from) != Q2P_CALLS_OFFLOAD)
        skip();
    assert_int_equal(
        setsockopt(q2p_drive_fd(from), SOL_SOCKET, SO_NO_CHECK, &without, sizeof without), 0);
    pass_all(with_tail, sizeof with_tail / sizeof *with_tail, 8);
    assert_int_equal(q2p_drive_calls(from), Q2P_CALLS_BATCH);
    pass_all(fragments, sizeof fragments / sizeof *fragments, DATAGRAMS);
    close_all();
}

/* One takes them in as they are given out: sockets do not hold as many. */
static void pass_in_pieces(const size_t *sizes, size_t sizes_count, int count, int piece)
{
    assert_true(open_all("127.0.0.1"));
    giver.sizes = sizes;
    giver.sizes_count = sizes_count;
    giver.run = PEERS * count;
    giver.next = giver.count = 0;
    while (giver.next < count) {
        giver.count += piece;
        assert_int_equal(q2p_drive_step(from, giving, &giver, 0), 0);
        assert_int_equal(giver.next, giver.count);
        while (takers[0].count < giver.next)
            assert_true(q2p_drive_step(to[0], &taking, &takers[0],
                                       q2p_drive_now() + PATIENCE_S * Q2P_SECOND) > 0);
    }
    assert_int_equal(takers[0].count, count);
    close_all();
}

static void long_datagrams_flush_what_is_before_them(void **state)
{
    static const size_t sizes[] = {512, 65507, 512, 512, 8688};
    (void)state;
    for (giving = givings; giving < givings + 2; giving++)
        pass_in_pieces(sizes, sizeof sizes / sizeof *sizes, 15, 5);
}

static void the_datagram_that_finds_no_room_is_not_lost(void **state)
{
    (void)state;
    for (giving = givings; giving < givings + 2; giving++) {
        pass_in_pieces(fragments, 1, 300, 300);
        pass_in_pieces(mixed, sizeof mixed / sizeof *mixed, 140, 140); /* too many runs */
    }
}

#ifdef __linux__
/* As in a kernel or a sandbox that has no such call; for good, so the test comes last. */
static bool forbid(unsigned call)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static void a_system_without_calls_for_many_gets_them_one_by_one(void **state)
{
    static const unsigned calls[] = {SYS_sendmmsg, SYS_recvmmsg};
    (void)state;
    giving = givings;
    for (int i = 0; i < 2; i++) {
        if (!forbid(calls[i]))
            skip();
        assert_true(open_all("127.0.0.1"));
        pass_all(with_tail, sizeof with_tail / sizeof *with_tail, 8);
        assert_int_equal(q2p_drive_calls(from), Q2P_CALLS_PLAIN);
        pass_all(mixed, sizeof mixed / sizeof *mixed, 5);
        close_all();
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_way_keeps_bytes_and_order_over_ipv4),
        cmocka_unit_test(every_way_keeps_bytes_and_order_over_ipv6),
        cmocka_unit_test(the_choice_is_a_ceiling_that_can_be_lifted),
        cmocka_unit_test(a_device_without_offload_gets_them_one_by_one),
        cmocka_unit_test(long_datagrams_flush_what_is_before_them),
        cmocka_unit_test(the_datagram_that_finds_no_room_is_not_lost),
#ifdef __linux__
        cmocka_unit_test(a_system_without_calls_for_many_gets_them_one_by_one),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
