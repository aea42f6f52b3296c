/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_net_route.c - ways through realms, NATs and links, and what is told about them. Longer than
 * 500 lines: all of it works on one small world, and each case is short. */
#include "unit.h"

#include <stdio.h>

#include "net_route.h"

/* The last thing the network said, and what reached which host. */
struct fixture {
    struct sim_world world;
    struct net net;
    struct net_tap tap;
    struct net_element hosts[16];
    char fate[64];
    char path[200];
    char uses[200]; /* of mappings */
    struct q2p_addr src;
    int arrived;
    q2p_time took_ns;
};

static struct fixture *current; /* hosts are bare elements: they find the fixture here */

static void note_seen(void *ctx, const struct net_sight *at, struct sim_packet *packet,
                      q2p_time now)
{
    struct fixture *f = ctx;
    const char *name = f->net.places[at->point]->name;
    char inside[Q2P_ADDR_TEXT_MAX];
    size_t len = strlen(f->path), used = strlen(f->uses);
    (void)packet;
    (void)now;
    snprintf(f->path + len, sizeof f->path - len, "%s%s ", name, at->out ? ">" : "<");
    if (at->use == NET_USE_NONE)
        return;
    q2p_addr_print(at->inside, inside, sizeof inside);
    snprintf(f->uses + used, sizeof f->uses - used, "%s: %s %s, ", name, inside,
             net_use_word(at->use));
}

static void note_fate(void *ctx, struct sim_packet *packet, enum net_fate fate, const char *where,
                      q2p_time now)
{
    struct fixture *f = ctx;
    (void)packet;
    (void)now;
    snprintf(f->fate, sizeof f->fate, "%s %s", net_fate_word(fate), where);
}

static void host_forward(struct net_element *self, struct sim_world *world,
                         struct sim_packet *packet)
{
    current->arrived = (int)(self - current->hosts);
    current->src = packet->src;
    current->took_ns = world->now - packet->sent_ns;
    sim_packet_drop(world, packet);
}

static const struct net_ops test_host_ops = {.forward = host_forward};

static struct q2p_addr addr(const char *text)
{
    struct q2p_addr out;
    assert_int_equal(q2p_addr_parse(&out, text, strlen(text)), Q2P_OK);
    return out;
}

static void add_nat(struct fixture *f, const char *name, uint32_t realm, const char *outside,
                    enum net_nat_hairpin hairpin)
{
    struct net_nat_config config = {
        .filtering = NET_NAT_PORT, .hairpin = hairpin, .forget_ns = 100 * Q2P_SECOND};
    struct q2p_addr at = addr(outside);
    at.port = 0;
    net_add_nat(&f->net, name, realm, &at, &config);
}

static uint32_t add_host(struct fixture *f, const char *name, uint32_t realm, const char *at)
{
    struct q2p_addr where = addr(at);
    struct net_place *place = net_add_host(&f->net, name, realm, &where);
    f->hosts[place->index] = (struct net_element){.ops = &test_host_ops};
    place->host = &f->hosts[place->index];
    return place->index;
}

/* Places: 0 home, 1 carrier, 2 deep (behind carrier); realms 1, 2, 3 behind them. */
enum { SEED = 3, SERVER, ALICE, CAROL, DAVE };

static void set_up(struct fixture *f, enum net_nat_hairpin hairpin)
{
    struct net_link_config link = {.delay_min_ns = 20 * Q2P_MILLISECOND,
                                   .delay_max_ns = 20 * Q2P_MILLISECOND};
    memset(f, 0, sizeof *f);
    current = f;
    f->tap = (struct net_tap){.ctx = f, .seen = note_seen, .fate = note_fate};
    sim_world_init(&f->world, 1);
    net_init(&f->net, &f->world, &f->tap, &link);
    add_nat(f, "home", 0, "198.51.100.1:1", hairpin);
    add_nat(f, "carrier", 0, "198.51.100.2:1", hairpin);
    add_nat(f, "deep", 2, "100.64.0.1:1", hairpin);
    add_host(f, "seed", 0, "203.0.113.1:10000");
    add_host(f, "server", 0, "203.0.113.2:10000");
    add_host(f, "alice", 1, "10.0.0.2:10001");
    add_host(f, "carol", 1, "10.0.0.3:10001");
    add_host(f, "dave", 3, "10.0.0.2:10001");
}

static void tear_down(struct fixture *f)
{
    net_free(&f->net);
    sim_world_free(&f->world);
}

static void send(struct fixture *f, uint32_t from, const char *to)
{
    struct sim_packet *packet = sim_packet_take(&f->world);
    struct net_place *place = f->net.places[from];
    packet->src = place->addr;
    packet->dst = addr(to);
    packet->from = from;
    packet->sent_ns = f->world.now;
    packet->len = 0;
    f->arrived = -1;
    f->path[0] = f->fate[0] = f->uses[0] = '\0';
    place->out.ops->forward(&place->out, &f->world, packet);
    sim_world_run(&f->world, f->world.now + Q2P_SECOND);
}

static void public_hosts_reach_each_other_by_a_link(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, NET_NAT_HAIRPIN_NONE);
    send(&f, SEED, "203.0.113.2:10000");
    assert_int_equal(f.arrived, SERVER);
    assert_string_equal(f.path, "seed> server< ");
    assert_string_equal(f.fate, "delivered server");
    send(&f, SEED, "203.0.113.9:10000");
    assert_string_equal(f.fate, "no-route seed");
    send(&f, SEED, "203.0.113.2:9");
    assert_string_equal(f.fate, "no-route seed");
    tear_down(&f);
}

static void a_nat_translates_out_and_lets_answers_in(void **state)
{
    (void)state;
    struct fixture f;
    struct q2p_addr outside = addr("198.51.100.1:10001");
    set_up(&f, NET_NAT_HAIRPIN_NONE);
    send(&f, SEED, "198.51.100.1:10001");
    assert_string_equal(f.fate, "no-mapping home");
    send(&f, ALICE, "203.0.113.1:10000");
    assert_int_equal(f.arrived, SEED);
    assert_true(q2p_addr_equal(&f.src, &outside));
    assert_string_equal(f.path, "alice> home> seed< ");
    send(&f, SEED, "198.51.100.1:10001");
    assert_int_equal(f.arrived, ALICE);
    assert_string_equal(f.path, "seed> home< alice< ");
    assert_int_equal(f.took_ns, 20 * Q2P_MILLISECOND);
    send(&f, SERVER, "198.51.100.1:10001");
    assert_string_equal(f.fate, "filtered home");
    assert_int_equal(f.arrived, -1);
    send(&f, SEED, "10.0.0.2:10001"); /* private addresses mean nothing outside */
    assert_string_equal(f.fate, "no-route seed");
    tear_down(&f);
}

static void at_a_nat_the_mapping_in_use_is_told(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, NET_NAT_HAIRPIN_NONE);
    send(&f, SEED, "198.51.100.2:10001");
    assert_string_equal(f.uses, "");
    send(&f, DAVE, "203.0.113.1:10000");
    assert_string_equal(f.uses,
                        "deep: 10.0.0.2:10001 created, carrier: 100.64.0.1:10001 created, ");
    send(&f, DAVE, "203.0.113.2:10000");
    assert_string_equal(f.uses,
                        "deep: 10.0.0.2:10001 refreshed, carrier: 100.64.0.1:10001 refreshed, ");
    send(&f, SEED, "198.51.100.2:10001");
    assert_string_equal(f.uses, "carrier: 100.64.0.1:10001 used, deep: 10.0.0.2:10001 used, ");
    f.net.places[1]->nat->config.refresh = NET_NAT_REFRESH_IN;
    send(&f, SEED, "198.51.100.2:10001");
    assert_string_equal(f.uses, "carrier: 100.64.0.1:10001 refreshed, deep: 10.0.0.2:10001 used, ");
    send(&f, DAVE, "203.0.113.1:10000");
    assert_string_equal(f.uses, "deep: 10.0.0.2:10001 refreshed, carrier: 100.64.0.1:10001 used, ");
    uint32_t stranger = add_host(&f, "stranger", 0, "203.0.113.3:10000");
    send(&f, stranger, "198.51.100.2:10001");
    assert_string_equal(f.uses, "carrier: 100.64.0.1:10001 closed to the sender, ");
    tear_down(&f);
}

static void nats_behind_nats_translate_twice(void **state)
{
    (void)state;
    struct fixture f;
    struct q2p_addr outside = addr("198.51.100.2:10001");
    set_up(&f, NET_NAT_HAIRPIN_NONE);
    send(&f, DAVE, "203.0.113.1:10000");
    assert_string_equal(f.path, "dave> deep> carrier> seed< ");
    assert_true(q2p_addr_equal(&f.src, &outside));
    send(&f, SEED, "198.51.100.2:10001");
    assert_string_equal(f.path, "seed> carrier< deep< dave< ");
    assert_int_equal(f.arrived, DAVE);
    assert_int_equal(net_public_place(&f.net, DAVE), 1);
    tear_down(&f);
}

static void a_nat_may_come_after_whoever_is_behind_it(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, NET_NAT_HAIRPIN_NONE);
    uint32_t erin = add_host(&f, "erin", 4, "10.0.0.2:10001"); /* its realm comes next */
    add_nat(&f, "late", 0, "198.51.100.9:1", NET_NAT_HAIRPIN_NONE);
    send(&f, erin, "203.0.113.1:10000");
    assert_string_equal(f.path, "erin> late> seed< ");
    tear_down(&f);
}

static void neighbours_behind_one_nat_reach_each_other_inside(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, NET_NAT_HAIRPIN_NONE);
    send(&f, ALICE, "10.0.0.3:10001");
    assert_int_equal(f.arrived, CAROL);
    assert_string_equal(f.path, "alice> carol< ");
    assert_int_equal(f.took_ns, NET_LAN_DELAY_NS);
    tear_down(&f);
}

static void a_hairpin_leads_back_in_only_if_the_nat_has_one(void **state)
{
    (void)state;
    for (int hairpin = NET_NAT_HAIRPIN_NONE; hairpin <= NET_NAT_HAIRPIN_EXTERNAL; hairpin++) {
        struct fixture f;
        struct q2p_addr outside = addr("198.51.100.1:10001"), seed = addr("203.0.113.1:10000");
        set_up(&f, (enum net_nat_hairpin)hairpin);
        f.net.places[0]->nat->config.filtering = NET_NAT_INDEPENDENT;
        send(&f, ALICE, "203.0.113.1:10000");
        send(&f, CAROL, "203.0.113.1:10000");
        send(&f, CAROL, "198.51.100.1:10001");
        if (hairpin == NET_NAT_HAIRPIN_NONE) {
            assert_string_equal(f.fate, "no-hairpin home");
        } else {
            assert_int_equal(f.arrived, ALICE);
            assert_false(q2p_addr_equal(&f.src, &outside));
            assert_memory_equal(f.src.ip, outside.ip, 4); /* the external source, RFC 4787 6 */
        }
        assert_int_equal(net_who(&f.net, CAROL, &outside), ALICE);
        assert_int_equal(net_who(&f.net, CAROL, &seed), SEED);
        tear_down(&f);
    }
}

/* EIM/APDF, both inside have sent to each other's outside address. */
static void hairpins_differ_in_filter_and_source(void **state)
{
    (void)state;
    struct q2p_addr seed = addr("203.0.113.1:10000"), carol = addr("10.0.0.3:10001");
    for (int hairpin = NET_NAT_HAIRPIN_EXTERNAL; hairpin <= NET_NAT_HAIRPIN_INTERNAL; hairpin++) {
        struct fixture f;
        set_up(&f, (enum net_nat_hairpin)hairpin);
        send(&f, ALICE, "203.0.113.1:10000");
        send(&f, CAROL, "203.0.113.1:10000");
        struct q2p_addr outside = f.src; /* of carol */
        send(&f, CAROL, "198.51.100.1:10001");
        if (hairpin == NET_NAT_HAIRPIN_UNFILTERED)
            assert_int_equal(f.arrived, ALICE);
        else
            assert_string_equal(f.fate, "filtered home");
        char text[Q2P_ADDR_TEXT_MAX];
        q2p_addr_print(&outside, text, sizeof text);
        send(&f, ALICE, text); /* which lets carol in */
        send(&f, CAROL, "198.51.100.1:10001");
        assert_int_equal(f.arrived, ALICE);
        assert_true(
            q2p_addr_equal(&f.src, hairpin == NET_NAT_HAIRPIN_INTERNAL ? &carol : &outside));
        assert_int_equal(net_who(&f.net, CAROL, &seed), SEED);
        tear_down(&f);
    }
}

static void a_pool_has_several_outside_addresses(void **state)
{
    (void)state;
    struct fixture f;
    struct q2p_addr more = addr("198.51.100.77:1");
    more.port = 0;
    set_up(&f, NET_NAT_HAIRPIN_NONE);
    assert_int_equal(net_add_outside(f.net.places[0], &more), Q2P_OK);
    int used[2] = {0, 0};
    for (int i = 0; i < 8; i++) {
        struct q2p_addr at = addr("10.0.0.50:1000");
        at.ip[3] = (uint8_t)(50 + i);
        struct net_place *place = net_add_host(&f.net, "h", 1, &at);
        if (place->index >= 16)
            break;
        f.hosts[place->index] = (struct net_element){.ops = &test_host_ops};
        place->host = &f.hosts[place->index];
        send(&f, place->index, "203.0.113.1:10000");
        assert_int_equal(f.arrived, SEED);
        used[f.src.ip[3] == 77]++;
        char text[Q2P_ADDR_TEXT_MAX];
        q2p_addr_print(&f.src, text, sizeof text);
        send(&f, SEED, text); /* and back */
        assert_int_equal(f.arrived, (int)place->index);
    }
    assert_true(used[0] > 0 && used[1] > 0);
    tear_down(&f);
}

static void an_access_link_has_its_own_delay_and_loss(void **state)
{
    (void)state;
    struct fixture f;
    struct net_link_config slow = {.delay_min_ns = 5 * Q2P_MILLISECOND,
                                   .delay_max_ns = 5 * Q2P_MILLISECOND};
    set_up(&f, NET_NAT_HAIRPIN_NONE);
    struct net_access *access = net_access_of(f.net.places[ALICE]);
    assert_ptr_equal(access, net_access_of(f.net.places[ALICE]));
    send(&f, ALICE, "203.0.113.1:10000");
    assert_int_equal(f.took_ns, 20 * Q2P_MILLISECOND); /* as if it were not there */
    net_link_set(&access->up, &slow);
    send(&f, ALICE, "203.0.113.1:10000");
    assert_int_equal(f.took_ns, 25 * Q2P_MILLISECOND);
    assert_string_equal(f.path, "alice> home> seed< ");
    send(&f, SEED, "198.51.100.1:10001");
    assert_int_equal(f.took_ns, 20 * Q2P_MILLISECOND); /* up is not down */
    net_link_set(&access->down, &slow);
    send(&f, SEED, "198.51.100.1:10001");
    assert_int_equal(f.took_ns, 25 * Q2P_MILLISECOND);
    net_link_set(&access->up, &(struct net_link_config){.loss_ppb = NET_LOSS_ALWAYS});
    send(&f, ALICE, "10.0.0.3:10001"); /* not even its neighbour */
    assert_string_equal(f.fate, "lost alice>access");
    send(&f, CAROL, "203.0.113.1:10000"); /* others have theirs */
    assert_int_equal(f.arrived, SEED);
    tear_down(&f);
}

static void sides_of_a_partition_do_not_reach_each_other(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, NET_NAT_HAIRPIN_NONE);
    net_set_side(f.net.places[SEED], 1, NET_SIDE_BOTH);
    send(&f, SERVER, "203.0.113.1:10000");
    assert_string_equal(f.fate, "cut server>seed");
    send(&f, SEED, "203.0.113.2:10000");
    assert_string_equal(f.fate, "cut seed>server");
    net_set_side(f.net.places[SERVER], 1, NET_SIDE_BOTH);
    send(&f, SEED, "203.0.113.2:10000");
    assert_int_equal(f.arrived, SERVER);
    tear_down(&f);
}

static void a_partition_may_stop_one_direction_only(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, NET_NAT_HAIRPIN_NONE);
    net_set_side(f.net.places[SEED], 1, NET_SIDE_OUT);
    send(&f, SEED, "203.0.113.2:10000");
    assert_string_equal(f.fate, "cut seed>server");
    send(&f, SERVER, "203.0.113.1:10000");
    assert_int_equal(f.arrived, SEED);
    net_set_side(f.net.places[SEED], 1, NET_SIDE_IN);
    send(&f, SEED, "203.0.113.2:10000");
    assert_int_equal(f.arrived, SERVER);
    send(&f, SERVER, "203.0.113.1:10000");
    assert_string_equal(f.fate, "cut server>seed");
    net_set_side(f.net.places[SERVER], 1, NET_SIDE_IN); /* among themselves everything passes */
    send(&f, SERVER, "203.0.113.1:10000");
    assert_int_equal(f.arrived, SEED);
    tear_down(&f);
}

/* What is sent to it arrives and ends there; the error that comes back ends mappings at NATs that
 * let it, all the way in. */
static void a_host_that_is_down_ends_what_reaches_it(void **state)
{
    (void)state;
    struct fixture f;
    for (int kills = 0; kills <= 1; kills++) {
        set_up(&f, NET_NAT_HAIRPIN_NONE);
        f.net.places[1]->nat->config.icmp_kills = f.net.places[2]->nat->config.icmp_kills = kills;
        send(&f, DAVE, "203.0.113.1:10000");
        assert_int_equal(f.arrived, SEED);
        char outside[Q2P_ADDR_TEXT_MAX];
        q2p_addr_print(&f.src, outside, sizeof outside);
        f.net.places[SEED]->down = true;
        send(&f, DAVE, "203.0.113.1:10000");
        assert_int_equal(f.arrived, -1);
        assert_string_equal(f.fate, "host-down seed");
        assert_string_equal(f.path, "dave> deep> carrier> seed< ");
        f.net.places[SEED]->down = false;
        send(&f, SEED, outside);
        assert_string_equal(f.fate, kills ? "no-mapping carrier" : "delivered dave");
        tear_down(&f);
    }
}

/* The error of a host behind a NAT finds its way out as what it quotes came in. */
static void a_host_behind_a_nat_answers_with_an_error_too(void **state)
{
    (void)state;
    struct fixture f;
    for (int kills = 0; kills <= 1; kills++) {
        set_up(&f, NET_NAT_HAIRPIN_NONE);
        f.net.places[1]->nat->config.icmp_kills = f.net.places[2]->nat->config.icmp_kills = kills;
        f.net.places[1]->nat->config.overload = true; /* the quoted endpoint counts */
        send(&f, DAVE, "203.0.113.1:10000");
        send(&f, ALICE, "198.51.100.2:10001");
        assert_string_equal(f.fate, "filtered carrier");
        send(&f, DAVE, "198.51.100.1:10001");
        assert_int_equal(f.arrived, ALICE);
        f.net.places[ALICE]->down = true;
        send(&f, DAVE, "198.51.100.1:10001");
        assert_string_equal(f.fate, "host-down alice");
        send(&f, SEED, "198.51.100.2:10001");
        assert_string_equal(f.fate, kills ? "no-mapping carrier" : "delivered dave");
        tear_down(&f);
    }
}

static void an_error_comes_back_by_a_hairpin(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, NET_NAT_HAIRPIN_EXTERNAL);
    struct net_nat_config *config = &f.net.places[0]->nat->config;
    config->icmp_kills = true;
    config->filtering = NET_NAT_INDEPENDENT;
    config->mapping = NET_NAT_PORT;
    config->ports = NET_NAT_SEQUENTIAL;
    f.net.places[0]->nat->port_at = NET_NAT_PORT_FIRST;
    send(&f, ALICE, "203.0.113.1:10000"); /* :1025 */
    send(&f, CAROL, "203.0.113.1:10000"); /* :1026 */
    send(&f, CAROL, "198.51.100.1:1025"); /* from :1027 */
    assert_int_equal(f.arrived, ALICE);
    assert_int_equal(f.src.port, 1027);
    f.net.places[ALICE]->down = true;
    send(&f, CAROL, "198.51.100.1:1025");
    assert_string_equal(f.fate, "host-down alice");
    send(&f, SEED, "198.51.100.1:1027");
    assert_string_equal(f.fate, "no-mapping home");
    send(&f, SEED, "198.51.100.1:1026");
    assert_int_equal(f.arrived, CAROL);
    tear_down(&f);
}

static void a_host_moves_and_nobody_is_at_the_old_port(void **state)
{
    (void)state;
    struct fixture f;
    struct q2p_addr moved = addr("203.0.113.2:10009");
    set_up(&f, NET_NAT_HAIRPIN_NONE);
    net_move_host(f.net.places[SERVER], &moved);
    send(&f, SEED, "203.0.113.2:10000");
    assert_string_equal(f.fate, "no-route seed");
    send(&f, SEED, "203.0.113.2:10009");
    assert_int_equal(f.arrived, SERVER);
    send(&f, ALICE, "203.0.113.1:10000"); /* all others are where they were */
    assert_int_equal(f.arrived, SEED);
    send(&f, ALICE, "10.0.0.3:10001");
    assert_int_equal(f.arrived, CAROL);
    tear_down(&f);
}

static void a_link_that_nobody_describes_has_no_memory_until_it_needs_it(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, NET_NAT_HAIRPIN_NONE);
    send(&f, SEED, "203.0.113.2:10000");
    assert_int_equal(f.net.links_count, 0);
    net_set_default(&f.net, &(struct net_link_config){.lose_every = 2});
    send(&f, SEED, "203.0.113.2:10000");
    assert_int_equal(f.arrived, SERVER);
    send(&f, SERVER, "203.0.113.1:10000");
    assert_int_equal(f.arrived, SEED); /* each link counts for itself */
    send(&f, SEED, "203.0.113.2:10000");
    assert_string_equal(f.fate, "lost seed>server");
    assert_int_equal(f.net.links_count, 2);
    tear_down(&f);
}

static void who_is_meant_depends_on_where_one_stands(void **state)
{
    (void)state;
    struct fixture f;
    struct q2p_addr inside = addr("10.0.0.2:10001"), outside = addr("198.51.100.1:10001");
    set_up(&f, NET_NAT_HAIRPIN_NONE);
    assert_int_equal(net_who(&f.net, CAROL, &inside), ALICE);
    assert_int_equal(net_who(&f.net, DAVE, &inside), DAVE);
    assert_int_equal(net_who(&f.net, SEED, &inside), NET_NOWHERE);
    assert_int_equal(net_who(&f.net, SEED, &outside), NET_NOWHERE); /* no mapping yet */
    send(&f, ALICE, "203.0.113.1:10000");
    assert_int_equal(net_who(&f.net, SEED, &outside), ALICE);
    assert_int_equal(net_who(&f.net, DAVE, &outside), ALICE);
    assert_true(net_is_open(&f.net, DAVE, SEED));
    assert_true(net_is_open(&f.net, ALICE, CAROL));
    assert_false(net_is_open(&f.net, SEED, ALICE));
    assert_false(net_is_open(&f.net, DAVE, ALICE));
    tear_down(&f);
}

static void a_link_loses_and_delays_as_it_is_set(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, NET_NAT_HAIRPIN_NONE);
    struct net_link *link = net_link_between(&f.net, SEED, SERVER);
    assert_ptr_equal(link, net_link_between(&f.net, SEED, SERVER));
    assert_ptr_not_equal(link, net_link_between(&f.net, SERVER, SEED));
    net_link_set(link, &(struct net_link_config){.delay_max_ns = 1, .loss_ppb = NET_LOSS_ALWAYS});
    send(&f, SEED, "203.0.113.2:10000");
    assert_string_equal(f.fate, "lost seed>server");
    net_link_set(link,
                 &(struct net_link_config){.delay_min_ns = Q2P_SECOND, .delay_max_ns = Q2P_SECOND});
    send(&f, SEED, "203.0.113.2:10000");
    assert_string_equal(f.fate, "delivered server");
    net_link_set(link, &(struct net_link_config){.delay_min_ns = Q2P_SECOND + 1,
                                                 .delay_max_ns = Q2P_SECOND + 1});
    send(&f, SEED, "203.0.113.2:10000");
    assert_string_equal(f.fate, ""); /* one second has not been enough */
    send(&f, SERVER, "203.0.113.1:10000");
    assert_int_equal(f.arrived, SEED); /* the other direction is another link */
    tear_down(&f);
}

static void many_links_and_places_are_found_again(void **state)
{
    (void)state;
    struct fixture f;
    struct net_link *links[100];
    set_up(&f, NET_NAT_HAIRPIN_NONE);
    for (uint32_t i = 0; i < 100; i++) {
        struct q2p_addr at = {.ip = {192, 0, 2, (uint8_t)i}, .port = 1, .ip_len = 4};
        uint32_t place = net_add_host(&f.net, "h", 0, &at)->index;
        links[i] = net_link_between(&f.net, place, SEED);
    }
    for (uint32_t i = 0; i < 100; i++) {
        struct q2p_addr at = {.ip = {192, 0, 2, (uint8_t)i}, .port = 1, .ip_len = 4};
        uint32_t place = net_who(&f.net, SEED, &at);
        assert_int_equal(place, DAVE + 1 + i);
        assert_ptr_equal(links[i], net_link_between(&f.net, place, SEED));
    }
    tear_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(public_hosts_reach_each_other_by_a_link),
        cmocka_unit_test(a_nat_translates_out_and_lets_answers_in),
        cmocka_unit_test(at_a_nat_the_mapping_in_use_is_told),
        cmocka_unit_test(nats_behind_nats_translate_twice),
        cmocka_unit_test(a_nat_may_come_after_whoever_is_behind_it),
        cmocka_unit_test(neighbours_behind_one_nat_reach_each_other_inside),
        cmocka_unit_test(a_hairpin_leads_back_in_only_if_the_nat_has_one),
        cmocka_unit_test(hairpins_differ_in_filter_and_source),
        cmocka_unit_test(a_pool_has_several_outside_addresses),
        cmocka_unit_test(an_access_link_has_its_own_delay_and_loss),
        cmocka_unit_test(sides_of_a_partition_do_not_reach_each_other),
        cmocka_unit_test(a_partition_may_stop_one_direction_only),
        cmocka_unit_test(a_host_that_is_down_ends_what_reaches_it),
        cmocka_unit_test(a_host_behind_a_nat_answers_with_an_error_too),
        cmocka_unit_test(an_error_comes_back_by_a_hairpin),
        cmocka_unit_test(a_host_moves_and_nobody_is_at_the_old_port),
        cmocka_unit_test(a_link_that_nobody_describes_has_no_memory_until_it_needs_it),
        cmocka_unit_test(who_is_meant_depends_on_where_one_stands),
        cmocka_unit_test(a_link_loses_and_delays_as_it_is_set),
        cmocka_unit_test(many_links_and_places_are_found_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
