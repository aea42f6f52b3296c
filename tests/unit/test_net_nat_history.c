/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_net_nat_history.c - whose an endpoint was, for who is told later what happened. */
#include "unit.h"

#include <q2p/status.h>

#include "net_nat.h"

#define FORGET_NS (10 * Q2P_SECOND)
#define HOLD_NS Q2P_SECOND

static const struct net_nat_made *last_made;
static int granted;

static void note_made(void *ctx, const struct net_nat_made *made)
{
    (void)ctx;
    last_made = made;
}

static void note_granted(void *ctx)
{
    (void)ctx;
    granted++;
}

static const struct net_nat_watch watch = {.made = note_made, .granted = note_granted};

/* Inside hosts and remotes are told apart by a number. */
static struct q2p_addr host(uint8_t number)
{
    return (struct q2p_addr){.ip = {10, 0, 0, number}, .port = 5000, .ip_len = 4};
}

static struct q2p_addr remote(uint8_t number)
{
    return (struct q2p_addr){.ip = {192, 0, 2, number}, .port = 80, .ip_len = 4};
}

static void make(struct net_nat_table *nat, bool overload)
{
    struct net_nat_config config = {.mapping = overload ? NET_NAT_PORT : NET_NAT_INDEPENDENT,
                                    .filtering = NET_NAT_PORT,
                                    .overload = overload,
                                    .forget_ns = FORGET_NS};
    net_nat_init(nat, &config, 1, "nat:test");
    nat->outsides[0] = (struct q2p_addr){.ip = {198, 51, 100, 1}, .ip_len = 4};
    nat->outsides_count = 1;
    nat->watch = &watch;
    last_made = NULL;
    granted = 0;
    net_nat_remember(nat, HOLD_NS);
}

static void send(struct net_nat_table *nat, q2p_time now, uint8_t from, uint8_t to)
{
    struct q2p_addr inside = host(from), there = remote(to), outside;
    assert_int_equal(net_nat_out(nat, now, &inside, &there, &outside), Q2P_OK);
    assert_int_equal(outside.port, 5000);
}

/* The host that `by` meant by port 5000 then; 0 = nobody. */
static int whose(const struct net_nat_table *nat, q2p_time then, uint8_t by)
{
    struct q2p_addr to = nat->outsides[0], from = remote(by), inside;
    to.port = 5000;
    if (net_nat_owner_then(nat, then, &to, &from, &inside) < 0)
        return 0;
    return inside.ip[3];
}

static void end(struct net_nat_table *nat)
{
    net_nat_free(nat);
    net_nat_history_free(nat);
}

static void a_mapping_is_there_when_it_is_told_of(void **state)
{
    (void)state;
    struct net_nat_table nat;
    make(&nat, false);
    send(&nat, 5, 2, 1);
    assert_non_null(last_made);
    assert_int_equal(whose(&nat, 5, 1), 0);
    net_nat_told_made(&nat);
    assert_int_equal(whose(&nat, 5, 1), 2);
    end(&nat);
}

/* At 10 s host 3 gets the port that host 2 had: who is told of 9.9 s still means host 2, even when
 * room was made since. */
static void what_has_ended_was_there_before(void **state)
{
    (void)state;
    struct net_nat_table nat;
    make(&nat, false);
    send(&nat, 0, 2, 1);
    net_nat_told_made(&nat);
    for (uint8_t i = 3; i < 40; i++) { /* each from a port of its own, but for the first */
        struct q2p_addr inside = host(i), there = remote(1), outside;
        inside.port = (uint16_t)(i == 3 ? 5000 : 5000 + i);
        assert_int_equal(net_nat_out(&nat, FORGET_NS, &inside, &there, &outside), Q2P_OK);
    }
    assert_int_equal(whose(&nat, FORGET_NS - HOLD_NS / 10, 1), 2);
    assert_int_equal(whose(&nat, FORGET_NS, 1), 0);
    net_nat_told_made(&nat);
    assert_int_equal(whose(&nat, FORGET_NS, 1), 3);
    end(&nat);
}

/* Two hosts share a port: hosts 2 and 3 talk to remotes 1 and 2, then, when rights have ended, the
 * other way round. */
static void a_shared_port_was_whose_it_was(void **state)
{
    (void)state;
    struct net_nat_table nat;
    make(&nat, true);
    send(&nat, 0, 2, 1);
    send(&nat, 0, 3, 2);
    assert_int_equal(granted, 2);
    net_nat_told_made(&nat);
    net_nat_told_granted(&nat);
    assert_int_equal(whose(&nat, 0, 1), 2);
    assert_int_equal(whose(&nat, 0, 2), 2); /* the one there is */
    net_nat_told_made(&nat);
    net_nat_told_granted(&nat);
    assert_int_equal(whose(&nat, 0, 2), 3);

    send(&nat, FORGET_NS, 2, 2);
    send(&nat, FORGET_NS, 3, 1);
    assert_int_equal(granted, 4);
    assert_int_equal(whose(&nat, FORGET_NS - 1, 1), 2);
    assert_int_equal(whose(&nat, FORGET_NS - 1, 2), 3);
    for (int i = 0; i < 2; i++) {
        net_nat_told_made(&nat);
        net_nat_told_granted(&nat);
    }
    assert_int_equal(whose(&nat, FORGET_NS, 1), 3);
    assert_int_equal(whose(&nat, FORGET_NS, 2), 2);
    end(&nat);
}

static void a_restart_forgets_what_was_told(void **state)
{
    (void)state;
    struct net_nat_table nat;
    make(&nat, false);
    send(&nat, 0, 2, 1);
    net_nat_told_made(&nat);
    net_nat_forget(&nat, false);
    send(&nat, 1, 3, 1);
    assert_int_equal(whose(&nat, 1, 1), 0);
    net_nat_told_made(&nat);
    assert_int_equal(whose(&nat, 1, 1), 3);
    end(&nat);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mapping_is_there_when_it_is_told_of),
        cmocka_unit_test(what_has_ended_was_there_before),
        cmocka_unit_test(a_shared_port_was_whose_it_was),
        cmocka_unit_test(a_restart_forgets_what_was_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
