/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_drive_udp.c - the UDP driver on loopback, with a machine that only takes notes. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>

#include <q2p/drive.h>
#include <q2p/status.h>

/* Sends what is queued, keeps the latest datagram, and counts its calls. */
struct notes {
    struct q2p_addr to;
    uint8_t out[65507];
    size_t out_len;
    int out_count;
    struct q2p_addr from;
    uint8_t in[65507];
    size_t in_len;
    int inputs, ticks, outputs;
    int inputs_before; /* ... the first output that had something to say */
    q2p_time deadline, ticked_at;
};

static int note_input(void *self, q2p_time now, const struct q2p_datagram *in)
{
    struct notes *notes = self;
    (void)now;
    notes->inputs++;
    notes->from = in->peer;
    notes->in_len = in->len;
    memcpy(notes->in, in->bytes, in->len);
    return Q2P_ERR_UNKNOWN; /* of no use, which is not the driver's business */
}

static int note_output(void *self, q2p_time now, struct q2p_datagram *out)
{
    struct notes *notes = self;
    (void)now;
    if (!notes->out_count)
        return 0;
    notes->out_count--;
    if (notes->outputs++ == 0)
        notes->inputs_before = notes->inputs;
    *out = (struct q2p_datagram){notes->to, notes->out, notes->out_len};
    return 1;
}

static q2p_time note_deadline(const void *self)
{
    return ((const struct notes *)self)->deadline;
}

static void note_tick(void *self, q2p_time now)
{
    struct notes *notes = self;
    notes->ticks++;
    notes->ticked_at = now;
    notes->deadline = Q2P_NEVER;
}

static const struct q2p_machine note_machine = {
    .family = "notes",
    .input = note_input,
    .output = note_output,
    .deadline = note_deadline,
    .tick = note_tick,
};

static struct notes a, b;

static int reset(void **state)
{
    (void)state;
    memset(&a, 0, sizeof a);
    memset(&b, 0, sizeof b);
    a.deadline = b.deadline = Q2P_NEVER;
    return 0;
}

static q2p_drive *open_at(const char *ip, uint16_t *port)
{
    q2p_drive *drive;
    struct q2p_addr addr;
    assert_int_equal(q2p_drive_open(&drive, ip, 0), Q2P_OK);
    assert_true(q2p_drive_fd(drive) >= 0);
    assert_int_equal(q2p_drive_address(drive, &addr), Q2P_OK);
    assert_int_not_equal(addr.port, 0);
    *port = addr.port;
    return drive;
}

static int step(q2p_drive *drive, struct notes *notes, q2p_time wait)
{
    return q2p_drive_step(drive, &note_machine, notes, q2p_drive_now() + wait);
}

static void queue(struct notes *notes, const char *ip, uint16_t port, size_t len, int count)
{
    char text[Q2P_ADDR_TEXT_MAX];
    snprintf(text, sizeof text, strchr(ip, ':') ? "[%s]:%u" : "%s:%u", ip, port);
    assert_int_equal(q2p_addr_parse(&notes->to, text, strlen(text)), Q2P_OK);
    for (size_t i = 0; i < len; i++)
        notes->out[i] = (uint8_t)(i * 7 + len);
    notes->out_len = len;
    notes->out_count = count;
}

/* a's drive at a_ip sends to b's at b_ip, by way of to_ip; b answers; both see numeric peers. */
static void pass_between(const char *a_ip, const char *b_ip, const char *to_ip, uint8_t ip_len)
{
    uint16_t a_port, b_port;
    q2p_drive *at_a = open_at(a_ip, &a_port), *at_b = open_at(b_ip, &b_port);
    queue(&a, to_ip, b_port, 512, 1);
    assert_int_equal(step(at_a, &a, 0), 0);
    assert_int_equal(a.outputs, 1);
    assert_int_equal(step(at_b, &b, 5 * Q2P_SECOND), 1);
    assert_int_equal(b.in_len, 512);
    assert_memory_equal(b.in, a.out, 512);
    assert_int_equal(b.from.port, a_port);
    assert_int_equal(b.from.ip_len, ip_len);

    b.to = b.from; /* what came in is good enough to answer to */
    b.out_len = 4;
    b.out_count = 1;
    assert_true(step(at_b, &b, 0) >= 0);
    assert_int_equal(step(at_a, &a, 5 * Q2P_SECOND), 1);
    assert_int_equal(a.from.port, b_port);
    assert_int_equal(a.from.ip_len, ip_len);
    assert_int_equal(a.in_len, 4);
    q2p_drive_close(at_a);
    q2p_drive_close(at_b);
}

static void ipv4_passes_between_two_sockets(void **state)
{
    (void)state;
    pass_between("127.0.0.1", "127.0.0.1", "127.0.0.1", 4);
}

static void a_socket_for_all_shows_ipv4_peers_as_ipv4(void **state)
{
    (void)state;
    pass_between("127.0.0.1", "0.0.0.0", "127.0.0.1", 4);
    reset(NULL);
    pass_between("::", "0.0.0.0", "127.0.0.1", 4);
}

static bool has_ipv6(void)
{
    q2p_drive *drive;
    int status = q2p_drive_open(&drive, "::1", 0);
    q2p_drive_close(drive);
    return status == Q2P_OK;
}

static void ipv6_passes_between_two_sockets(void **state)
{
    (void)state;
    if (!has_ipv6())
        skip();
    pass_between("::1", "::1", "::1", 16);
    reset(NULL);
    pass_between("0.0.0.0", "::", "::1", 16);
}

static void an_address_of_the_other_family_loses_the_datagram(void **state)
{
    (void)state;
    uint16_t port;
    q2p_drive *drive = open_at("127.0.0.1", &port);
    queue(&a, "::1", port, 4, 1);
    assert_int_equal(step(drive, &a, 0), 0);
    assert_int_equal(a.outputs, 1);
    q2p_drive_close(drive);
}

static void the_longest_datagram_arrives_whole(void **state)
{
    (void)state;
    uint16_t a_port, b_port;
    q2p_drive *at_a = open_at("127.0.0.1", &a_port), *at_b = open_at("127.0.0.1", &b_port);
    queue(&a, "127.0.0.1", b_port, sizeof a.out, 1);
    assert_int_equal(step(at_a, &a, 0), 0);
    assert_int_equal(step(at_b, &b, 5 * Q2P_SECOND), 1);
    assert_int_equal(b.in_len, sizeof a.out);
    assert_memory_equal(b.in, a.out, sizeof a.out);
    q2p_drive_close(at_a);
    q2p_drive_close(at_b);
}

static void a_closed_port_is_no_error(void **state)
{
    (void)state;
    uint16_t port, closed;
    q2p_drive *drive = open_at("127.0.0.1", &port), *gone = open_at("127.0.0.1", &closed);
    q2p_drive_close(gone);
    /* the ICMP answer to one is reported at the next: send, receive, send again */
    for (int i = 0; i < 3; i++) {
        queue(&a, "127.0.0.1", closed, 4, 2);
        assert_int_equal(step(drive, &a, 20 * Q2P_MILLISECOND), 0);
    }
    assert_int_equal(a.outputs, 6);
    /* and the socket is as good as before */
    queue(&a, "127.0.0.1", port, 4, 1);
    assert_int_equal(step(drive, &a, 5 * Q2P_SECOND), 1);
    q2p_drive_close(drive);
}

static void many_datagrams_come_in_turns(void **state)
{
    (void)state;
    uint16_t a_port, b_port;
    q2p_drive *at_a = open_at("127.0.0.1", &a_port), *at_b = open_at("127.0.0.1", &b_port);
    enum { MANY = 600 };
    queue(&a, "127.0.0.1", b_port, 4, MANY);
    assert_int_equal(step(at_a, &a, 0), 0);
    int first = step(at_b, &b, 5 * Q2P_SECOND);
    assert_true(first > 1 && first < MANY); /* sending must get its turn */
    while (b.inputs < MANY)
        assert_true(step(at_b, &b, 5 * Q2P_SECOND) > 0);
    q2p_drive_close(at_a);
    q2p_drive_close(at_b);
}

static void what_has_come_is_taken_in_before_anything_leaves(void **state)
{
    (void)state;
    uint16_t a_port, b_port;
    q2p_drive *from = open_at("127.0.0.1", &a_port), *to = open_at("127.0.0.1", &b_port);
    queue(&a, "127.0.0.1", b_port, 10, 3);
    queue(&b, "127.0.0.1", a_port, 10, 1);
    assert_true(step(from, &a, 0) >= 0);
    b.deadline = 0; /* long past: it was kept from running */
    assert_int_equal(step(to, &b, 0), 3);
    assert_int_equal(b.inputs_before, 3);
    assert_int_equal(b.ticks, 1);
    assert_int_equal(b.outputs, 1);
    q2p_drive_close(to);
    q2p_drive_close(from);
}

static void the_deadline_wakes_and_ticks(void **state)
{
    (void)state;
    uint16_t port;
    q2p_drive *drive = open_at("127.0.0.1", &port);
    q2p_time deadline = a.deadline = q2p_drive_now() + 2 * Q2P_MILLISECOND;
    while (!a.ticks)
        assert_int_equal(q2p_drive_step(drive, &note_machine, &a, Q2P_NEVER), 0);
    assert_true(a.ticked_at >= deadline);
    assert_int_equal(a.ticks, 1);
    q2p_drive_close(drive);
}

static void until_ends_the_wait_without_a_tick(void **state)
{
    (void)state;
    uint16_t port;
    q2p_drive *drive = open_at("127.0.0.1", &port);
    q2p_time until = q2p_drive_now() + 2 * Q2P_MILLISECOND;
    assert_int_equal(q2p_drive_step(drive, &note_machine, &a, until), 0);
    assert_true(q2p_drive_now() >= until);
    assert_int_equal(a.ticks, 0);
    assert_int_equal(q2p_drive_step(drive, &note_machine, &a, 0), 0); /* long past */
    q2p_drive_close(drive);
}

static void a_port_in_use_is_told(void **state)
{
    (void)state;
    uint16_t port;
    q2p_drive *drive = open_at("0.0.0.0", &port), *second = (void *)&port;
    errno = 0;
    assert_int_equal(q2p_drive_open(&second, "0.0.0.0", port), Q2P_ERR_SYSTEM);
    assert_int_equal(errno, EADDRINUSE);
    assert_null(second);
    errno = 0;
    assert_int_equal(q2p_drive_open(&second, "127.0.0.1", port), Q2P_ERR_SYSTEM);
    assert_int_equal(errno, EADDRINUSE);
    q2p_drive_close(drive);
    q2p_drive_close(NULL);
}

static void only_numeric_addresses_are_listened_on(void **state)
{
    (void)state;
    static const char *const texts[] = {"",          "localhost", "127.0.0.1:1",
                                        "1.2.3.4.5", "[::1]",     "::g"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        q2p_drive *drive;
        assert_int_equal(q2p_drive_open(&drive, texts[i], 0), Q2P_ERR_ADDRESS);
        assert_null(drive);
    }
    q2p_drive *drive;
    assert_int_equal(q2p_drive_open(&drive, "192.0.2.1", 0), Q2P_ERR_SYSTEM); /* not ours */
    assert_int_equal(errno, EADDRNOTAVAIL);
}

static void host_and_port_are_resolved(void **state)
{
    (void)state;
    struct q2p_addr addr;
    char text[Q2P_ADDR_TEXT_MAX];
    assert_int_equal(q2p_drive_resolve(&addr, "192.0.2.7:10000", 0), Q2P_OK);
    q2p_addr_print(&addr, text, sizeof text);
    assert_string_equal(text, "192.0.2.7:10000");
    assert_int_equal(q2p_drive_resolve(&addr, "[2001:db8::7]:1", 4), Q2P_OK);
    q2p_addr_print(&addr, text, sizeof text);
    assert_string_equal(text, "[2001:db8::7]:1");
    assert_int_equal(q2p_drive_resolve(&addr, "localhost:65535", 4), Q2P_OK);
    q2p_addr_print(&addr, text, sizeof text);
    assert_string_equal(text, "127.0.0.1:65535");
}

static void what_is_not_host_and_port_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",      "localhost", "localhost:",    ":1",     "127.0.0.1:0",  "127.0.0.1:65536",
        "::1:9", "[::1]",     "[localhost]:1", "[::1:1", "127.0.0.1:1 ", "127.0.0.1:http",
        "[]:1",  "a:-1",      "a:000000001",
    };
    struct q2p_addr addr;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_int_equal(q2p_drive_resolve(&addr, texts[i], 0), Q2P_ERR_ADDRESS);
    assert_int_equal(q2p_drive_resolve(&addr, "no such host:1", 0), Q2P_ERR_RESOLVE);
}

/* What is said of a port that nobody listens at; `by` tells who. */
static bool hear_refusal(const char *ip, const char *to_ip, bool on, struct q2p_addr *by)
{
    uint16_t closed, port;
    reset(NULL);
    q2p_drive_close(open_at(to_ip, &closed));
    q2p_drive *drive = open_at(ip, &port);
    if (on)
        assert_int_equal(q2p_drive_hear_refusals(drive, true), Q2P_OK);
    queue(&a, to_ip, closed, 24, 3);
    step(drive, &a, 0);
    assert_int_equal(a.outputs, 3); /* loopback answers before sending returns */
    bool refused = q2p_drive_refused(drive, by);
    if (refused)
        assert_true(q2p_addr_equal(by, &a.to));
    queue(&a, to_ip, closed, 24, 1);
    step(drive, &a, 0);
    assert_int_equal(q2p_drive_hear_refusals(drive, false), Q2P_OK);
    struct q2p_addr after;
    assert_false(q2p_drive_refused(drive, &after));
    q2p_drive_close(drive);
    return refused;
}

static void who_listens_to_icmp_learns_that_a_port_is_closed(void **state)
{
    (void)state;
    struct q2p_addr by;
    uint16_t port;
    q2p_drive *drive = open_at("127.0.0.1", &port);
    int status = q2p_drive_hear_refusals(drive, true);
    q2p_drive_close(drive);
    if (status < 0)
        skip();
    assert_true(hear_refusal("127.0.0.1", "127.0.0.1", true, &by));
    assert_true(hear_refusal("0.0.0.0", "127.0.0.1", true, &by));
    assert_false(hear_refusal("127.0.0.1", "127.0.0.1", false, &by));
    if (!has_ipv6())
        return;
    assert_true(hear_refusal("::1", "::1", true, &by));
    assert_true(hear_refusal("::", "::1", true, &by));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(ipv4_passes_between_two_sockets, reset),
        cmocka_unit_test_setup(a_socket_for_all_shows_ipv4_peers_as_ipv4, reset),
        cmocka_unit_test_setup(ipv6_passes_between_two_sockets, reset),
        cmocka_unit_test_setup(an_address_of_the_other_family_loses_the_datagram, reset),
        cmocka_unit_test_setup(the_longest_datagram_arrives_whole, reset),
        cmocka_unit_test_setup(a_closed_port_is_no_error, reset),
        cmocka_unit_test_setup(who_listens_to_icmp_learns_that_a_port_is_closed, reset),
        cmocka_unit_test_setup(many_datagrams_come_in_turns, reset),
        cmocka_unit_test_setup(what_has_come_is_taken_in_before_anything_leaves, reset),
        cmocka_unit_test_setup(the_deadline_wakes_and_ticks, reset),
        cmocka_unit_test_setup(until_ends_the_wait_without_a_tick, reset),
        cmocka_unit_test(a_port_in_use_is_told),
        cmocka_unit_test(only_numeric_addresses_are_listened_on),
        cmocka_unit_test(host_and_port_are_resolved),
        cmocka_unit_test(what_is_not_host_and_port_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
