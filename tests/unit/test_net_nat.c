/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_net_nat.c - the nine NATs of RFC 4787, scope, ports and forgetting. Longer than 500 lines:
 * each case is short, and all make the same NAT. */
#include "unit.h"

#include <stdio.h>

#include <q2p/status.h>

#include "net_nat.h"

static struct q2p_addr addr(const char *text)
{
    struct q2p_addr out;
    assert_int_equal(q2p_addr_parse(&out, text, strlen(text)), Q2P_OK);
    return out;
}

static void make(struct net_nat_table *nat, enum net_nat_kind mapping, enum net_nat_kind filtering)
{
    struct net_nat_config config = {
        .mapping = mapping, .filtering = filtering, .forget_ns = 100 * Q2P_SECOND};
    net_nat_init(nat, &config, 1, "nat:test");
    nat->outsides[0] = addr("198.51.100.1:1");
    nat->outsides[0].port = 0;
    nat->outsides_count = 1;
}

static uint16_t out(struct net_nat_table *nat, q2p_time now, const char *inside, const char *to)
{
    struct q2p_addr from = addr(inside), remote = addr(to), seen;
    assert_int_equal(net_nat_out(nat, now, &from, &remote, &seen), Q2P_OK);
    assert_memory_equal(seen.ip, nat->outsides[0].ip, sizeof seen.ip);
    return seen.port;
}

static int in(struct net_nat_table *nat, q2p_time now, uint16_t port, const char *from)
{
    struct q2p_addr remote = addr(from), to = nat->outsides[0], inside;
    to.port = port;
    return net_nat_in(nat, now, &to, &remote, &inside);
}

static void mapping_decides_which_destinations_share_a_port(void **state)
{
    (void)state;
    for (int mapping = NET_NAT_INDEPENDENT; mapping <= NET_NAT_PORT; mapping++) {
        struct net_nat_table nat;
        make(&nat, (enum net_nat_kind)mapping, NET_NAT_PORT);
        uint16_t first = out(&nat, 0, "10.0.0.2:5000", "192.0.2.1:80");
        uint16_t port = out(&nat, 0, "10.0.0.2:5000", "192.0.2.1:81");
        uint16_t host = out(&nat, 0, "10.0.0.2:5000", "192.0.2.2:80");
        assert_int_equal(first, 5000); /* preserved */
        assert_int_equal(port == first, mapping != NET_NAT_PORT);
        assert_int_equal(host == first, mapping == NET_NAT_INDEPENDENT);
        assert_int_equal(out(&nat, 1, "10.0.0.2:5000", "192.0.2.1:80"), first);
        net_nat_free(&nat);
    }
}

static void filtering_decides_who_may_answer(void **state)
{
    (void)state;
    for (int mapping = NET_NAT_INDEPENDENT; mapping <= NET_NAT_PORT; mapping++) {
        for (int filtering = NET_NAT_INDEPENDENT; filtering <= NET_NAT_PORT; filtering++) {
            struct net_nat_table nat;
            make(&nat, (enum net_nat_kind)mapping, (enum net_nat_kind)filtering);
            uint16_t port = out(&nat, 0, "10.0.0.2:5000", "192.0.2.1:80");
            assert_int_equal(in(&nat, 1, port, "192.0.2.1:80"), Q2P_OK);
            assert_int_equal(in(&nat, 1, port, "192.0.2.1:81"),
                             filtering == NET_NAT_PORT ? Q2P_ERR_ADDRESS : Q2P_OK);
            assert_int_equal(in(&nat, 1, port, "192.0.2.2:80"),
                             filtering == NET_NAT_INDEPENDENT ? Q2P_OK : Q2P_ERR_ADDRESS);
            assert_int_equal(in(&nat, 1, (uint16_t)(port + 1), "192.0.2.1:80"), Q2P_ERR_ABSENT);
            net_nat_free(&nat);
        }
    }
}

/* Sent to a from one mapping, to b from another: may b come in through the first? */
static void scope_decides_whether_mappings_share_permissions(void **state)
{
    (void)state;
    for (int scope = NET_NAT_SCOPE_MAPPING; scope <= NET_NAT_SCOPE_ENDPOINT; scope++) {
        struct net_nat_table nat;
        make(&nat, NET_NAT_PORT, NET_NAT_PORT);
        nat.config.scope = (enum net_nat_scope)scope;
        uint16_t a = out(&nat, 0, "10.0.0.2:5000", "192.0.2.1:80");
        uint16_t b = out(&nat, 0, "10.0.0.2:5000", "192.0.2.2:80");
        assert_int_not_equal(a, b);
        assert_int_equal(in(&nat, 1, a, "192.0.2.2:80"),
                         scope == NET_NAT_SCOPE_ENDPOINT ? Q2P_OK : Q2P_ERR_ADDRESS);
        out(&nat, 0, "10.0.0.3:5000", "192.0.2.3:80"); /* another endpoint's right is not ours */
        assert_int_equal(in(&nat, 1, a, "192.0.2.3:80"), Q2P_ERR_ADDRESS);
        net_nat_free(&nat);
    }
}

static void a_packet_in_is_for_who_has_the_mapping(void **state)
{
    (void)state;
    struct net_nat_table nat;
    struct q2p_addr inside, remote = addr("192.0.2.1:80"), wanted = addr("10.0.0.3:5000");
    make(&nat, NET_NAT_INDEPENDENT, NET_NAT_INDEPENDENT);
    assert_int_equal(out(&nat, 0, "10.0.0.2:5000", "192.0.2.1:80"), 5000);
    uint16_t port = out(&nat, 0, "10.0.0.3:5000", "192.0.2.1:80");
    assert_int_not_equal(port, 5000); /* taken: no port has two owners */
    struct q2p_addr to = nat.outsides[0];
    to.port = port;
    assert_int_equal(net_nat_in(&nat, 1, &to, &remote, &inside), Q2P_OK);
    assert_true(q2p_addr_equal(&inside, &wanted));
    net_nat_free(&nat);
}

static void mappings_and_permissions_end_unless_refreshed_from_inside(void **state)
{
    (void)state;
    struct net_nat_table nat;
    q2p_time almost = 100 * Q2P_SECOND - 1;
    make(&nat, NET_NAT_INDEPENDENT, NET_NAT_ADDRESS);
    uint16_t port = out(&nat, 0, "10.0.0.2:5000", "192.0.2.1:80");
    assert_int_equal(in(&nat, almost, port, "192.0.2.1:80"), Q2P_OK); /* does not refresh */
    assert_int_equal(in(&nat, almost + 1, port, "192.0.2.1:80"), Q2P_ERR_ABSENT);

    assert_int_equal(out(&nat, 2 * almost, "10.0.0.2:5000", "192.0.2.1:80"), port);
    out(&nat, 3 * almost, "10.0.0.2:5000", "192.0.2.2:80"); /* keeps the mapping, not the right */
    assert_int_equal(in(&nat, 3 * almost + 2, port, "192.0.2.1:80"), Q2P_ERR_ADDRESS);
    assert_int_equal(in(&nat, 3 * almost + 2, port, "192.0.2.2:80"), Q2P_OK);
    net_nat_free(&nat);
}

static void forgetting_closes_the_old_port_and_takes_another(void **state)
{
    (void)state;
    struct net_nat_table nat;
    make(&nat, NET_NAT_INDEPENDENT, NET_NAT_INDEPENDENT);
    uint16_t port = out(&nat, 0, "10.0.0.2:5000", "192.0.2.1:80");
    net_nat_forget(&nat, true);
    assert_int_equal(in(&nat, 1, port, "192.0.2.1:80"), Q2P_ERR_ABSENT);
    assert_int_not_equal(out(&nat, 1, "10.0.0.2:5000", "192.0.2.1:80"), port);
    net_nat_free(&nat);
}

struct watcher {
    unsigned asked;
    struct net_nat_made made;
};

static bool refuse(void *ctx, const struct net_nat_draw *draw)
{
    struct watcher *watcher = ctx;
    assert_int_equal(draw->number, watcher->asked++);
    assert_int_equal(draw->inside->port, 5000);
    return false;
}

static void note(void *ctx, const struct net_nat_made *made)
{
    ((struct watcher *)ctx)->made = *made;
}

static void a_draw_that_does_not_count_gives_the_first_free_one(void **state)
{
    (void)state;
    static const struct net_nat_watch watch = {.decide = refuse, .made = note};
    struct watcher watcher = {0};
    struct net_nat_table nat;
    make(&nat, NET_NAT_PORT, NET_NAT_PORT);
    nat.config.ports = NET_NAT_RANDOM;
    nat.config.pooling = NET_NAT_ARBITRARY;
    nat.outsides[1] = nat.outsides[0];
    nat.outsides[nat.outsides_count++].ip[3] = 2;
    nat.watch = &watch;
    nat.ctx = &watcher;
    assert_int_equal(out(&nat, 0, "10.0.0.2:5000", "192.0.2.1:80"), NET_NAT_PORT_FIRST);
    assert_int_equal(out(&nat, 0, "10.0.0.2:5000", "192.0.2.1:81"), NET_NAT_PORT_FIRST + 1);
    assert_int_equal(watcher.asked, 4); /* an address and a port each */
    assert_int_equal(watcher.made.first_draw, 2);
    assert_int_equal(watcher.made.end_draw, 4);
    assert_int_equal(watcher.made.outside.port, NET_NAT_PORT_FIRST + 1);
    nat.watch = NULL; /* the dice were thrown all the same: the others fall as they would have */
    struct net_nat_table twin;
    make(&twin, NET_NAT_PORT, NET_NAT_PORT);
    twin.config = nat.config;
    twin.outsides[1] = nat.outsides[1];
    twin.outsides_count = 2;
    struct q2p_addr from = addr("10.0.0.2:5000"),
                    remotes[] = {addr("192.0.2.1:80"), addr("192.0.2.1:81"), addr("192.0.2.1:82")},
                    seen[2];
    for (int i = 0; i < 3; i++)
        assert_int_equal(net_nat_out(&twin, 0, &from, &remotes[i], &seen[0]), Q2P_OK);
    assert_int_equal(net_nat_out(&nat, 0, &from, &remotes[2], &seen[1]), Q2P_OK);
    assert_true(q2p_addr_equal(&seen[0], &seen[1]));
    net_nat_free(&nat);
    net_nat_free(&twin);
}

static void an_icmp_error_leaves_as_what_it_quotes_came_in(void **state)
{
    (void)state;
    struct net_nat_table nat;
    struct q2p_addr inside = addr("10.0.0.2:5000"), outside;
    struct q2p_addr one = addr("192.0.2.1:80"), two = addr("192.0.2.2:80"),
                    three = addr("192.0.2.3:80");
    make(&nat, NET_NAT_PORT, NET_NAT_ADDRESS);
    assert_int_equal(net_nat_icmp_out(&nat, 0, &inside, &one, &outside), Q2P_ERR_ABSENT);
    uint16_t port = out(&nat, 0, "10.0.0.2:5000", "192.0.2.1:80");
    uint16_t other = out(&nat, 0, "10.0.0.2:5000", "192.0.2.2:80");
    assert_int_equal(net_nat_icmp_out(&nat, 1, &inside, &one, &outside), Q2P_OK);
    assert_int_equal(outside.port, port);
    assert_int_equal(net_nat_icmp_out(&nat, 1, &inside, &two, &outside), Q2P_OK);
    assert_int_equal(outside.port, other);
    assert_int_equal(net_nat_icmp_out(&nat, 1, &inside, &three, &outside), Q2P_ERR_ABSENT);
    q2p_time late = nat.config.forget_ns;
    assert_int_equal(net_nat_icmp_out(&nat, late, &inside, &one, &outside), Q2P_ERR_ABSENT);
    net_nat_free(&nat);
}

static void an_icmp_error_ends_a_mapping_if_the_nat_is_like_that(void **state)
{
    (void)state;
    for (int kills = 0; kills <= 1; kills++) {
        struct net_nat_table nat;
        make(&nat, NET_NAT_INDEPENDENT, NET_NAT_PORT);
        nat.config.icmp_kills = kills;
        uint16_t port = out(&nat, 0, "10.0.0.2:5000", "192.0.2.1:80");
        out(&nat, 0, "10.0.0.2:5000", "192.0.2.2:80");
        struct q2p_addr outside = nat.outsides[0], remote = addr("192.0.2.1:80");
        outside.port = port;
        net_nat_icmp(&nat, 1, &outside, &remote);
        assert_int_equal(in(&nat, 1, port, "192.0.2.1:80"), kills ? Q2P_ERR_ABSENT : Q2P_OK);
        assert_int_equal(in(&nat, 1, port, "192.0.2.2:80"), kills ? Q2P_ERR_ABSENT : Q2P_OK);
        out(&nat, 2, "10.0.0.2:5000", "192.0.2.3:80"); /* takes the port again */
        assert_int_equal(in(&nat, 3, port, "192.0.2.1:80"), kills ? Q2P_ERR_ADDRESS : Q2P_OK);
        assert_int_equal(in(&nat, 3, port, "192.0.2.2:80"), kills ? Q2P_ERR_ADDRESS : Q2P_OK);
        for (int i = 0; i < 100; i++) { /* room is made, and what is dead goes */
            char text[32];
            snprintf(text, sizeof text, "192.0.2.4:%d", 1000 + i);
            out(&nat, 4, "10.0.0.2:5000", text);
        }
        assert_int_equal(in(&nat, 5, port, "192.0.2.1:80"), kills ? Q2P_ERR_ADDRESS : Q2P_OK);
        assert_int_equal(in(&nat, 5, port, "192.0.2.4:1099"), Q2P_OK);
        net_nat_free(&nat);
    }
}

static void sequential_ports_count_up(void **state)
{
    (void)state;
    struct net_nat_table nat;
    make(&nat, NET_NAT_PORT, NET_NAT_PORT);
    nat.config.ports = NET_NAT_SEQUENTIAL;
    nat.port_at = 65534;
    assert_int_equal(out(&nat, 0, "10.0.0.2:5000", "192.0.2.1:80"), 65535);
    assert_int_equal(out(&nat, 0, "10.0.0.2:5000", "192.0.2.1:81"), 1024);
    assert_int_equal(out(&nat, 0, "10.0.0.2:5000", "192.0.2.1:82"), 1025);
    net_nat_free(&nat);
}

static void all_ports_can_be_used_and_then_none_is_left(void **state)
{
    (void)state;
    struct net_nat_table nat;
    struct q2p_addr inside = addr("10.0.0.2:5000"), to = addr("192.0.2.1:80"), seen, back;
    make(&nat, NET_NAT_PORT, NET_NAT_PORT);
    nat.config.ports = NET_NAT_SEQUENTIAL;
    for (uint32_t i = 0; i < 65536 - 1024; i++) {
        to.ip[2] = (uint8_t)(i >> 8);
        to.ip[3] = (uint8_t)i;
        assert_int_equal(net_nat_out(&nat, 0, &inside, &to, &seen), Q2P_OK);
        assert_int_equal(net_nat_in(&nat, 0, &seen, &to, &back), Q2P_OK);
    }
    to.ip[0] = 9;
    assert_int_equal(net_nat_out(&nat, 0, &inside, &to, &seen), Q2P_ERR_FULL);
    uint32_t room = nat.mappings_room + nat.permissions_room;
    for (q2p_time now = 200 * Q2P_SECOND, i = 0; i < 60000; i++) {
        to.port++; /* the dead give their ports and their room back */
        assert_int_equal(net_nat_out(&nat, now, &inside, &to, &seen), Q2P_OK);
    }
    assert_true(nat.mappings_room + nat.permissions_room <= room);
    net_nat_free(&nat);
}

/* ---- ports ------------------------------------------------------------------------------- */

static void parity_is_kept_where_the_port_is_not(void **state)
{
    (void)state;
    struct net_nat_table nat;
    make(&nat, NET_NAT_INDEPENDENT, NET_NAT_PORT);
    nat.config.ports = NET_NAT_PARITY;
    assert_int_equal(out(&nat, 0, "10.0.0.2:5001", "192.0.2.1:80"), 5001);
    for (int i = 3; i < 40; i++) {
        char odd[32], even[32];
        snprintf(odd, sizeof odd, "10.0.0.%d:5001", i);
        snprintf(even, sizeof even, "10.0.0.%d:5000", i);
        uint16_t port = out(&nat, 0, odd, "192.0.2.1:80");
        assert_int_not_equal(port, 5001);
        assert_int_equal(port % 2, 1);
        assert_int_equal(out(&nat, 0, even, "192.0.2.1:80") % 2, 0);
    }
    net_nat_free(&nat);
}

/* In a range of an odd number of ports, odd and even ones are not equally many. */
static void parity_is_kept_to_the_last_port(void **state)
{
    (void)state;
    struct q2p_addr to = addr("192.0.2.1:80"), seen;
    for (int parity = 0; parity < 2; parity++) {
        struct net_nat_table nat;
        bool taken[5] = {false};
        make(&nat, NET_NAT_INDEPENDENT, NET_NAT_PORT);
        nat.config.ports = NET_NAT_PARITY;
        nat.config.port_first = 1001;
        nat.config.port_last = 1005;
        struct q2p_addr inside = addr("10.0.0.2:7000");
        inside.port = (uint16_t)(inside.port + parity);
        assert_int_equal(net_nat_out(&nat, 0, &inside, &to, &seen), Q2P_OK); /* its own */
        for (int i = 0; i < 2 + parity; i++) {
            inside.ip[3]++;
            assert_int_equal(net_nat_out(&nat, 0, &inside, &to, &seen), Q2P_OK);
            assert_int_equal(seen.port % 2, parity);
            assert_in_range(seen.port, 1001, 1005);
            assert_false(taken[seen.port - 1001]);
            taken[seen.port - 1001] = true;
        }
        inside.ip[3]++;
        assert_int_equal(net_nat_out(&nat, 0, &inside, &to, &seen), Q2P_ERR_FULL);
        net_nat_free(&nat);
    }
}

static void blocks_belong_to_hosts_and_end(void **state)
{
    (void)state;
    struct net_nat_table nat;
    struct q2p_addr inside = addr("10.0.0.2:1"), to = addr("192.0.2.1:80"), seen;
    make(&nat, NET_NAT_PORT, NET_NAT_PORT);
    nat.config.ports = NET_NAT_BLOCK;
    nat.config.block_len = 8;
    nat.config.port_first = 2000;
    nat.config.port_last = 2023; /* three blocks */
    for (int host = 0; host < 3; host++) {
        inside.ip[3] = (uint8_t)(2 + host);
        for (int i = 0; i < 8; i++) {
            to.port = (uint16_t)(100 + i);
            assert_int_equal(net_nat_out(&nat, 0, &inside, &to, &seen), Q2P_OK);
            assert_in_range(seen.port, 2000 + 8 * host, 2007 + 8 * host);
        }
        to.port = 200;
        assert_int_equal(net_nat_out(&nat, 0, &inside, &to, &seen), Q2P_ERR_FULL);
    }
    inside.ip[3] = 9; /* no block is left */
    assert_int_equal(net_nat_out(&nat, 0, &inside, &to, &seen), Q2P_ERR_FULL);
    net_nat_free(&nat);
}

static void overloading_shares_a_port_between_hosts_with_different_remotes(void **state)
{
    (void)state;
    struct net_nat_table nat;
    struct q2p_addr inside, to = addr("198.51.100.1:5000"), first = addr("192.0.2.1:80");
    struct q2p_addr second = addr("192.0.2.2:80"), a = addr("10.0.0.2:5000");
    struct q2p_addr b = addr("10.0.0.3:5000");
    make(&nat, NET_NAT_PORT, NET_NAT_PORT);
    nat.config.overload = true;
    assert_int_equal(out(&nat, 0, "10.0.0.2:5000", "192.0.2.1:80"), 5000);
    assert_int_equal(out(&nat, 0, "10.0.0.3:5000", "192.0.2.2:80"), 5000);
    assert_int_not_equal(out(&nat, 0, "10.0.0.3:5000", "192.0.2.1:80"), 5000); /* that is taken */
    assert_int_equal(out(&nat, 0, "10.0.0.2:5000", "192.0.2.3:80"), 5000);
    assert_int_equal(net_nat_in(&nat, 1, &to, &first, &inside), Q2P_OK);
    assert_true(q2p_addr_equal(&inside, &a));
    assert_int_equal(net_nat_in(&nat, 1, &to, &second, &inside), Q2P_OK);
    assert_true(q2p_addr_equal(&inside, &b));
    assert_int_equal(net_nat_owner(&nat, 1, &to, &second, &inside), Q2P_OK);
    assert_true(q2p_addr_equal(&inside, &b));
    assert_int_equal(in(&nat, 1, 5000, "192.0.2.9:80"), Q2P_ERR_ADDRESS);
    net_nat_free(&nat);
}

static void pooling_pairs_a_host_with_an_address_or_does_not(void **state)
{
    (void)state;
    for (int pooling = NET_NAT_PAIRED; pooling <= NET_NAT_ARBITRARY; pooling++) {
        struct net_nat_table nat;
        int changes = 0, used[2] = {0, 0};
        make(&nat, NET_NAT_PORT, NET_NAT_PORT);
        nat.outsides[nat.outsides_count++] = addr("198.51.100.2:1");
        nat.config.pooling = (enum net_nat_pooling)pooling;
        for (int host = 0; host < 16; host++) {
            int last = -1;
            for (int i = 0; i < 16; i++) {
                struct q2p_addr inside = addr("10.0.0.2:5000"), to = addr("192.0.2.1:80"), seen;
                inside.ip[3] = (uint8_t)host;
                to.port = (uint16_t)(80 + i);
                assert_int_equal(net_nat_out(&nat, 0, &inside, &to, &seen), Q2P_OK);
                int at = net_nat_outside(&nat, &seen);
                changes += last >= 0 && at != last;
                used[at]++;
                last = at;
            }
        }
        assert_true(used[0] > 0 && used[1] > 0);
        assert_true(pooling == NET_NAT_PAIRED ? changes == 0 : changes > 60);
        net_nat_free(&nat);
    }
}

static void a_quota_counts_the_mappings_of_a_host_that_are_alive(void **state)
{
    (void)state;
    struct net_nat_table nat;
    struct q2p_addr inside = addr("10.0.0.2:5000"), to = addr("192.0.2.1:80"), seen;
    make(&nat, NET_NAT_PORT, NET_NAT_PORT);
    nat.config.quota = 2;
    out(&nat, 0, "10.0.0.2:5000", "192.0.2.1:81");
    out(&nat, 50 * Q2P_SECOND, "10.0.0.2:5001", "192.0.2.1:82");
    assert_int_equal(net_nat_out(&nat, 50 * Q2P_SECOND, &inside, &to, &seen), Q2P_ERR_BUSY);
    out(&nat, 50 * Q2P_SECOND, "10.0.0.3:5000", "192.0.2.1:80"); /* another host has its own */
    assert_int_equal(net_nat_out(&nat, 101 * Q2P_SECOND, &inside, &to, &seen), Q2P_OK);
    net_nat_free(&nat);
}

/* ---- time -------------------------------------------------------------------------------- */

static void what_nobody_has_answered_is_forgotten_earlier(void **state)
{
    (void)state;
    struct net_nat_table nat;
    make(&nat, NET_NAT_INDEPENDENT, NET_NAT_PORT);
    nat.config.forget_new_ns = 30 * Q2P_SECOND;
    out(&nat, 0, "10.0.0.2:5000", "192.0.2.1:80");
    assert_int_equal(in(&nat, 30 * Q2P_SECOND, 5000, "192.0.2.1:80"), Q2P_ERR_ABSENT);
    out(&nat, 100 * Q2P_SECOND, "10.0.0.2:5000", "192.0.2.1:80");
    assert_int_equal(in(&nat, 129 * Q2P_SECOND, 5000, "192.0.2.1:80"), Q2P_OK);
    assert_int_equal(in(&nat, 199 * Q2P_SECOND, 5000, "192.0.2.1:80"), Q2P_OK);
    assert_int_equal(in(&nat, 200 * Q2P_SECOND, 5000, "192.0.2.1:80"), Q2P_ERR_ABSENT);
    net_nat_free(&nat);
}

static void refreshing_has_a_direction(void **state)
{
    (void)state;
    static const bool by_out[] = {true, false, true}, by_in[] = {false, true, true};
    for (int refresh = NET_NAT_REFRESH_OUT; refresh <= NET_NAT_REFRESH_BOTH; refresh++) {
        struct net_nat_table nat;
        make(&nat, NET_NAT_INDEPENDENT, NET_NAT_PORT);
        nat.config.refresh = (enum net_nat_refresh)refresh;
        out(&nat, 0, "10.0.0.2:5000", "192.0.2.1:80");
        out(&nat, 60 * Q2P_SECOND, "10.0.0.2:5000", "192.0.2.1:80");
        assert_int_equal(in(&nat, 120 * Q2P_SECOND, 5000, "192.0.2.1:80"),
                         by_out[refresh] ? Q2P_OK : Q2P_ERR_ABSENT);
        net_nat_free(&nat);

        make(&nat, NET_NAT_INDEPENDENT, NET_NAT_PORT);
        nat.config.refresh = (enum net_nat_refresh)refresh;
        out(&nat, 0, "10.0.0.2:5000", "192.0.2.1:80");
        assert_int_equal(in(&nat, 60 * Q2P_SECOND, 5000, "192.0.2.1:80"), Q2P_OK);
        assert_int_equal(in(&nat, 120 * Q2P_SECOND, 5000, "192.0.2.1:80"),
                         by_in[refresh] ? Q2P_OK : Q2P_ERR_ABSENT);
        net_nat_free(&nat);
    }
}

static void a_reboot_keeps_the_way_of_choosing_ports_and_forgets_the_rest(void **state)
{
    (void)state;
    struct net_nat_table nat;
    make(&nat, NET_NAT_INDEPENDENT, NET_NAT_INDEPENDENT);
    assert_int_equal(out(&nat, 0, "10.0.0.2:5000", "192.0.2.1:80"), 5000);
    net_nat_forget(&nat, false);
    assert_int_equal(in(&nat, 1, 5000, "192.0.2.1:80"), Q2P_ERR_ABSENT);
    assert_int_equal(out(&nat, 1, "10.0.0.2:5000", "192.0.2.1:80"), 5000);
    net_nat_free(&nat);
}

/* ---- clashes ----------------------------------------------------------------------------- */

/* A stranger comes in before anything has gone out to it: what is the source towards it then, and
 * towards others? */
static void a_stranger_occupies_the_port_towards_itself(void **state)
{
    (void)state;
    for (int mapping = NET_NAT_INDEPENDENT; mapping <= NET_NAT_PORT; mapping++) {
        for (int clash = 0; clash <= 1; clash++) {
            struct net_nat_table nat;
            make(&nat, (enum net_nat_kind)mapping, NET_NAT_PORT);
            nat.config.overload = mapping == NET_NAT_PORT;
            nat.config.clash = clash;
            assert_int_equal(out(&nat, 0, "10.0.0.2:5000", "192.0.2.1:80"), 5000);
            assert_int_equal(in(&nat, 1, 5000, "192.0.2.7:80"), Q2P_ERR_ADDRESS);
            uint16_t port = out(&nat, 2, "10.0.0.2:5000", "192.0.2.7:80");
            if (mapping != NET_NAT_ADDRESS)
                assert_int_equal(port == 5000, !clash);
            if (clash)
                assert_int_not_equal(port, 5000);
            assert_int_equal(in(&nat, 3, port, "192.0.2.7:80"), Q2P_OK);
            assert_int_equal(out(&nat, 4, "10.0.0.2:5000", "192.0.2.7:80"), port); /* it stays */
            assert_int_equal(out(&nat, 4, "10.0.0.2:5000", "192.0.2.1:80"), 5000);
            net_nat_free(&nat);
        }
    }
}

static void a_stranger_is_forgotten_after_the_time_of_the_unanswered(void **state)
{
    (void)state;
    struct net_nat_table nat;
    net_nat_preset(6, &nat.config); /* linux-masq */
    struct net_nat_config config = nat.config;
    assert_true(config.clash && config.overload && config.forget_new_ns == 30 * Q2P_SECOND);
    net_nat_init(&nat, &config, 1, "nat:test");
    nat.outsides[nat.outsides_count++] = addr("198.51.100.1:1");
    nat.outsides[0].port = 0;
    assert_int_equal(in(&nat, 0, 5000, "192.0.2.7:80"), Q2P_ERR_ABSENT);
    assert_int_not_equal(out(&nat, 29 * Q2P_SECOND, "10.0.0.2:5000", "192.0.2.7:80"), 5000);
    assert_int_equal(out(&nat, 29 * Q2P_SECOND, "10.0.0.2:5000", "192.0.2.8:80"), 5000);
    assert_int_equal(out(&nat, 99 * Q2P_SECOND, "10.0.0.2:5000", "192.0.2.7:80"), 5000);
    net_nat_free(&nat);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mapping_decides_which_destinations_share_a_port),
        cmocka_unit_test(filtering_decides_who_may_answer),
        cmocka_unit_test(scope_decides_whether_mappings_share_permissions),
        cmocka_unit_test(a_packet_in_is_for_who_has_the_mapping),
        cmocka_unit_test(mappings_and_permissions_end_unless_refreshed_from_inside),
        cmocka_unit_test(forgetting_closes_the_old_port_and_takes_another),
        cmocka_unit_test(a_draw_that_does_not_count_gives_the_first_free_one),
        cmocka_unit_test(an_icmp_error_leaves_as_what_it_quotes_came_in),
        cmocka_unit_test(an_icmp_error_ends_a_mapping_if_the_nat_is_like_that),
        cmocka_unit_test(sequential_ports_count_up),
        cmocka_unit_test(all_ports_can_be_used_and_then_none_is_left),
        cmocka_unit_test(parity_is_kept_where_the_port_is_not),
        cmocka_unit_test(parity_is_kept_to_the_last_port),
        cmocka_unit_test(blocks_belong_to_hosts_and_end),
        cmocka_unit_test(overloading_shares_a_port_between_hosts_with_different_remotes),
        cmocka_unit_test(pooling_pairs_a_host_with_an_address_or_does_not),
        cmocka_unit_test(a_quota_counts_the_mappings_of_a_host_that_are_alive),
        cmocka_unit_test(what_nobody_has_answered_is_forgotten_earlier),
        cmocka_unit_test(refreshing_has_a_direction),
        cmocka_unit_test(a_reboot_keeps_the_way_of_choosing_ports_and_forgets_the_rest),
        cmocka_unit_test(a_stranger_occupies_the_port_towards_itself),
        cmocka_unit_test(a_stranger_is_forgotten_after_the_time_of_the_unanswered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
