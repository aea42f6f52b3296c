/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_sim_parts.c - the same network on one thread and on several: same traces, same order. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "net_route.h"
#include "sim_host.h"
#include "sim_parts.h"

#define HOSTS 12
#define DELAY_NS (10 * Q2P_MILLISECOND)

/* Every 5 ms it says something to two others, and it answers each datagram once, when it is woken
 * up for that: with delays of 10 ms, nearly everything happens at the same instants. */
struct talker {
    uint32_t number, left;
    bool asked;
    q2p_time next_ns;
    struct q2p_addr to;
    uint8_t bytes[8];
};

static struct q2p_addr addr_of(uint32_t number)
{
    return (struct q2p_addr){.ip = {10, 0, 0, (uint8_t)number}, .port = 10000, .ip_len = 4};
}

static int talker_input(void *self, q2p_time now, const struct q2p_datagram *in)
{
    struct talker *talker = self;
    (void)now;
    if (in->bytes[0] == 'a' || talker->asked)
        return Q2P_OK;
    talker->to = in->peer;
    memcpy(talker->bytes, in->bytes, sizeof talker->bytes);
    talker->bytes[0] = 'a';
    talker->asked = true;
    return Q2P_OK;
}

static int talker_output(void *self, q2p_time now, struct q2p_datagram *out)
{
    struct talker *talker = self;
    (void)now;
    if (talker->left == 0)
        return 0;
    *out = (struct q2p_datagram){talker->to, talker->bytes, sizeof talker->bytes};
    talker->to = addr_of((talker->number + 5) % HOSTS);
    talker->left--;
    return 1;
}

static q2p_time talker_deadline(const void *self)
{
    const struct talker *talker = self;
    return talker->asked ? 0 : talker->next_ns;
}

static void talker_tick(void *self, q2p_time now)
{
    struct talker *talker = self;
    if (talker->asked) {
        talker->asked = false;
        talker->left = 1;
        return;
    }
    talker->next_ns = now + 5 * Q2P_MILLISECOND;
    talker->to = addr_of((talker->number + 1 + (uint32_t)(now / Q2P_MILLISECOND) % 7) % HOSTS);
    talker->bytes[0] = 'q';
    memcpy(talker->bytes + 1, &talker->number, sizeof talker->number);
    talker->left = 2;
}

static const struct q2p_machine talker_machine = {"talker",        talker_input, talker_output,
                                                  talker_deadline, talker_tick,  NULL};

/* What was told, one after the other. */
struct line {
    q2p_time at;
    uint64_t id;
    uint32_t place, what;
};

struct fixture {
    struct sim_world world;
    struct net net, views[4];
    struct net_tap tap, taps[4];
    struct sim_host hosts[HOSTS];
    struct talker talkers[HOSTS];
    uint8_t of[HOSTS];
    struct sim_parts *parts;
    struct line lines[40000];
    size_t count;
};

static void tell(struct fixture *f, const struct line *line)
{
    assert_true(f->count < sizeof f->lines / sizeof *f->lines);
    f->lines[f->count++] = *line;
}

static void seen(void *ctx, const struct net_sight *at, struct sim_packet *packet, q2p_time now)
{
    tell(ctx, &(struct line){now, packet->id, at->point, at->out});
}

static void fate(void *ctx, struct sim_packet *packet, enum net_fate end, const char *where,
                 q2p_time now)
{
    (void)where;
    tell(ctx, &(struct line){now, packet->id, packet->way_to, 2 + (uint32_t)end});
}

static void note_seen(void *ctx, const struct net_sight *at, struct sim_packet *packet,
                      q2p_time now)
{
    struct sim_part *part = ctx;
    struct line *line = sim_journal_add(&part->journal, 0, sizeof *line);
    *line = (struct line){now, packet->id, at->point, at->out};
}

static void note_fate(void *ctx, struct sim_packet *packet, enum net_fate end, const char *where,
                      q2p_time now)
{
    struct sim_part *part = ctx;
    struct line *line = sim_journal_add(&part->journal, 0, sizeof *line);
    (void)where;
    *line = (struct line){now, packet->id, packet->way_to, 2 + (uint32_t)end};
}

static void tell_entry(void *ctx, uint32_t part, struct sim_entry *entry)
{
    (void)part;
    tell(ctx, sim_entry_payload(entry));
}

static void split(struct fixture *f, uint32_t count)
{
    f->parts = sim_parts_new(count, 1, f->of);
    for (uint32_t i = 0; i < count; i++) {
        struct sim_part *part = sim_parts_at(f->parts, i);
        f->taps[i] = (struct net_tap){.ctx = part, .seen = note_seen, .fate = note_fate};
        f->views[i].world = &part->world;
        f->views[i].tap = &f->taps[i];
    }
    net_split(&f->net, f->views, count, f->of);
    sim_parts_ahead(f->parts, net_ahead(&f->net, f->of));
    sim_parts_listen(f->parts, tell_entry, f);
}

/* Hosts 0 to 11 in public; 1 and 2 are close, 3 and 9 share a link with no delay at all. */
static struct fixture *play(uint32_t threads, q2p_time jitter_ns)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct net_link_config link = {.delay_min_ns = DELAY_NS,
                                   .delay_max_ns = DELAY_NS + jitter_ns,
                                   .loss_ppb = NET_LOSS_ALWAYS / 10,
                                   .duplicate_ppb = NET_LOSS_ALWAYS / 10};
    static char names[HOSTS][4];
    f->tap = (struct net_tap){.ctx = f, .seen = seen, .fate = fate};
    sim_world_init(&f->world, 1);
    net_init(&f->net, &f->world, &f->tap, &link);
    for (uint32_t i = 0; i < HOSTS; i++) {
        struct q2p_addr at = addr_of(i);
        snprintf(names[i], sizeof *names, "%u", (unsigned)i % 100);
        struct net_place *place = net_add_host(&f->net, names[i], NET_REALM_PUBLIC, &at);
        f->talkers[i].number = i;
        sim_host_init(&f->hosts[i], i, &talker_machine, &f->talkers[i]);
        f->hosts[i].addr = at;
        f->hosts[i].next = &place->out;
        place->host = &f->hosts[i].runner.element;
    }
    net_link_set(net_link_between(&f->net, 3, 9), &(struct net_link_config){0});
    net_link_set(net_link_between(&f->net, 9, 3), &(struct net_link_config){0});
    if (threads > 1) {
        assert_int_equal(net_divide(&f->net, threads, f->of, NULL, 0), threads);
        assert_int_equal(f->of[3], f->of[9]);
        split(f, threads);
    }
    for (uint32_t i = 0; i < HOSTS; i++)
        sim_host_pump(&f->hosts[i], f->net.places[i]->net->world);
    if (threads > 1) {
        sim_parts_touched(f->parts);
        for (int i = 1; i <= 3; i++)
            sim_parts_run(f->parts, i * Q2P_SECOND / 3);
    } else {
        sim_world_run(&f->world, Q2P_SECOND);
    }
    return f;
}

static void end(struct fixture *f)
{
    net_free(&f->net);
    sim_parts_free(f->parts);
    sim_world_free(&f->world);
    free(f);
}

static void compare(q2p_time jitter_ns)
{
    struct fixture *one = play(1, jitter_ns);
    assert_true(one->count > 5000);
    for (uint32_t threads = 2; threads <= 4; threads++) {
        struct fixture *many = play(threads, jitter_ns);
        for (uint32_t i = 0; i < HOSTS; i++) {
            assert_int_equal(many->hosts[i].trace, one->hosts[i].trace);
            assert_true(many->hosts[i].received > 100);
        }
        for (size_t i = 0; i < one->count && i < many->count; i++)
            if (memcmp(&one->lines[i], &many->lines[i], sizeof *one->lines) != 0)
                fail_msg("%u threads tell something else at line %zu", (unsigned)threads, i);
        assert_int_equal(many->count, one->count);
        end(many);
    }
    end(one);
}

static void what_is_at_the_same_instants_is_told_in_the_same_order(void **state)
{
    (void)state;
    compare(0);
}

static void what_overtakes_does_so_on_several_threads(void **state)
{
    (void)state;
    compare(30 * Q2P_MILLISECOND);
}

static void places_without_delay_between_them_stay_together(void **state)
{
    (void)state;
    struct fixture *f = play(1, 0);
    const uint32_t pairs[][2] = {{0, 1}, {1, 2}, {4, 2}, {5, 4}, {6, 5}, {7, 6}, {8, 7}};
    uint8_t of[HOSTS];
    net_divide(&f->net, 2, of, pairs, sizeof pairs / sizeof *pairs);
    for (uint32_t i = 0; i <= 8; i++)
        assert_int_equal(of[i], i == 3 ? of[9] : of[0]);
    assert_int_not_equal(of[3], of[0]);
    assert_int_equal(net_ahead(&f->net, of), DELAY_NS);
    of[9] = of[0]; /* not with its neighbour: nothing is ahead of anybody */
    assert_int_equal(net_ahead(&f->net, of), 0);
    end(f);
}

/* Of two parts one has, at one instant, an event 9 of which nothing is told, and a 1 that it
 * causes; the other one has a 5: one thread would take 5, 9, 1. */
static void what_a_later_event_causes_is_told_after_it(void **state)
{
    (void)state;
    const uint8_t of[] = {0, 1};
    struct sim_parts *parts = sim_parts_new(2, 1, of);
    struct sim_part *a = sim_parts_at(parts, 0), *b = sim_parts_at(parts, 1);
    struct sim_journal *journals[] = {&a->journal, &b->journal};
    uint32_t whose = 2;
    struct net_runner nine = {.order = 9}, one = {.order = 1}, five = {.order = 5};
    sim_part_note(a, &(struct sim_event){.at = 7, .to = &nine.element});
    sim_part_note(a, &(struct sim_event){.at = 7, .to = &one.element});
    sim_journal_add(&a->journal, 1, 0);
    sim_part_note(a, &(struct sim_event){.at = 8, .to = &one.element});
    sim_journal_add(&a->journal, 8, 3);
    sim_part_note(b, &(struct sim_event){.at = 7, .to = &five.element});
    sim_journal_add(&b->journal, 5, 100);
    assert_int_equal(sim_journal_next(journals, 2, &whose)->kind, 5);
    assert_int_equal(sim_journal_next(journals, 2, &whose)->kind, 1);
    assert_int_equal(sim_journal_next(journals, 2, &whose)->kind, 8);
    assert_int_equal(whose, 0);
    assert_null(sim_journal_next(journals, 2, &whose));
    assert_int_equal(a->journal.len, 0);
    sim_parts_free(parts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_at_the_same_instants_is_told_in_the_same_order),
        cmocka_unit_test(what_overtakes_does_so_on_several_threads),
        cmocka_unit_test(what_a_later_event_causes_is_told_after_it),
        cmocka_unit_test(places_without_delay_between_them_stay_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
