/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_sim_host.c - the world's clock and a host, with a machine that is no Q2P at all. */
#include "unit.h"

#include <math.h>

#include "sim_host.h"

/* Answers each datagram once, beats at `beat_ns`, and says what it is told to. */
struct parrot {
    uint8_t answer[600];
    size_t answer_len;
    struct q2p_addr peer;
    int heard, beats;
    q2p_time beat_ns, heard_ns;
    bool stubborn; /* never moves its deadline on */
};

static int parrot_input(void *self, q2p_time now, const struct q2p_datagram *in)
{
    struct parrot *parrot = self;
    parrot->heard++;
    parrot->heard_ns = now;
    parrot->peer = in->peer;
    if (in->len < 3) {
        memcpy(parrot->answer, in->bytes, in->len);
        parrot->answer[in->len] = '!';
        parrot->answer_len = in->len + 1;
    }
    return 0;
}

static int parrot_output(void *self, q2p_time now, struct q2p_datagram *out)
{
    struct parrot *parrot = self;
    (void)now;
    *out = (struct q2p_datagram){parrot->peer, parrot->answer, parrot->answer_len};
    parrot->answer_len = 0;
    return out->len > 0;
}

static q2p_time parrot_deadline(const void *self)
{
    return ((const struct parrot *)self)->beat_ns;
}

static void parrot_tick(void *self, q2p_time now)
{
    struct parrot *parrot = self;
    parrot->beats++;
    if (!parrot->stubborn)
        parrot->beat_ns = now < 40 ? now + 10 : Q2P_NEVER;
}

static const struct q2p_machine parrot_machine = {"parrot",        parrot_input, parrot_output,
                                                  parrot_deadline, parrot_tick,  NULL};

/* A wire of 7 ns between two hosts. */
struct wire {
    struct net_element element;
    struct sim_host *ends[2];
    uint32_t count;
};

static void wire_forward(struct net_element *self, struct sim_world *world,
                         struct sim_packet *packet)
{
    struct wire *wire = (struct wire *)self;
    packet->order = 9;
    packet->turn = wire->count++;
    sim_world_deliver(world, world->now + 7, &wire->ends[!packet->from]->runner.element, packet);
}

static const struct net_ops wire_ops = {.forward = wire_forward};

struct fixture {
    struct sim_world world;
    struct wire wire;
    struct sim_host hosts[2];
    struct parrot parrots[2];
};

static void set_up(struct fixture *fixture)
{
    memset(fixture, 0, sizeof *fixture);
    sim_world_init(&fixture->world, 1);
    fixture->wire.element = (struct net_element){.ops = &wire_ops};
    for (uint32_t i = 0; i < 2; i++) {
        fixture->parrots[i].beat_ns = Q2P_NEVER;
        sim_host_init(&fixture->hosts[i], i, &parrot_machine, &fixture->parrots[i]);
        fixture->hosts[i].addr = (struct q2p_addr){.ip = {10, 0, 0, (uint8_t)i}, .ip_len = 4};
        fixture->hosts[i].next = &fixture->wire.element;
        fixture->wire.ends[i] = &fixture->hosts[i];
    }
}

static void datagrams_take_their_time_and_carry_their_source(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    memcpy(f.parrots[0].answer, "a", f.parrots[0].answer_len = 1);
    sim_host_pump(&f.hosts[0], &f.world);
    sim_world_run(&f.world, 6);
    assert_int_equal(f.parrots[1].heard, 0);
    sim_world_run(&f.world, 100);
    assert_int_equal(f.parrots[1].heard, 2); /* a and a!! */
    assert_int_equal(f.parrots[0].heard, 1); /* a! */
    assert_int_equal(f.parrots[1].heard_ns, 21);
    assert_true(q2p_addr_equal(&f.parrots[1].peer, &f.hosts[0].addr));
    assert_int_equal(f.hosts[0].sent, 2);
    assert_int_equal(f.hosts[1].received, 2);
    assert_int_equal(f.world.now, 100);
    sim_world_free(&f.world);
}

static void a_machine_is_woken_at_its_deadline_even_if_it_moves(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    f.parrots[0].beat_ns = 30;
    sim_host_pump(&f.hosts[0], &f.world);
    f.parrots[0].beat_ns = 15; /* earlier: the wake-up at 30 is void */
    sim_host_pump(&f.hosts[0], &f.world);
    sim_world_run(&f.world, 14);
    assert_int_equal(f.parrots[0].beats, 0);
    sim_world_run(&f.world, 1000);
    assert_int_equal(f.parrots[0].beats, 4); /* 15 25 35 45 */
    f.parrots[0].beat_ns = 2000;
    sim_host_pump(&f.hosts[0], &f.world);
    f.parrots[0].beat_ns = 3000; /* later: asked again at 2000, not run */
    sim_world_run(&f.world, 2999);
    assert_int_equal(f.parrots[0].beats, 4);
    sim_world_run(&f.world, 3000);
    assert_int_equal(f.parrots[0].beats, 5);
    sim_world_free(&f.world);
}

static void a_datagram_over_the_limit_is_counted_and_not_sent(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    f.parrots[0].answer_len = Q2P_DATAGRAM_MAX + 1;
    sim_host_pump(&f.hosts[0], &f.world);
    f.parrots[0].answer_len = Q2P_DATAGRAM_MAX;
    sim_host_pump(&f.hosts[0], &f.world);
    sim_world_run(&f.world, 100);
    assert_int_equal(f.hosts[0].oversize, 1);
    assert_int_equal(f.parrots[1].heard, 1);
    sim_world_free(&f.world);
}

static void a_machine_that_never_rests_is_stopped(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    f.parrots[0].stubborn = true;
    f.parrots[0].beat_ns = 5;
    sim_host_pump(&f.hosts[0], &f.world);
    sim_world_run(&f.world, 100);
    assert_true(f.hosts[0].restless);
    assert_false(f.hosts[1].restless);
    assert_int_equal(f.world.now, 100);
    sim_world_free(&f.world);
}

static void the_trace_tells_other_bytes_and_other_times_apart(void **state)
{
    (void)state;
    uint64_t traces[3];
    for (int i = 0; i < 3; i++) {
        struct fixture f;
        set_up(&f);
        memcpy(f.parrots[0].answer, i == 1 ? "b" : "a", f.parrots[0].answer_len = 1);
        sim_world_run(&f.world, i == 2);
        sim_host_pump(&f.hosts[0], &f.world);
        sim_world_run(&f.world, 100);
        traces[i] = f.hosts[1].trace;
        sim_world_free(&f.world);
    }
    assert_true(traces[0] != traces[1] && traces[0] != traces[2] && traces[1] != traces[2]);
}

static void what_is_sent_counts_even_if_nothing_comes_back(void **state)
{
    (void)state;
    uint64_t traces[2];
    for (int i = 0; i < 2; i++) {
        struct fixture f;
        set_up(&f);
        memcpy(f.parrots[0].answer, i ? "aaa" : "bbb", f.parrots[0].answer_len = 3);
        sim_host_pump(&f.hosts[0], &f.world);
        traces[i] = f.hosts[0].trace;
        sim_world_free(&f.world);
    }
    assert_true(traces[0] != traces[1]);
}

static void packets_are_used_again(void **state)
{
    (void)state;
    struct sim_world world;
    sim_world_init(&world, 1);
    struct sim_packet *first = sim_packet_take(&world);
    sim_packet_drop(&world, first);
    assert_ptr_equal(sim_packet_take(&world), first);
    for (int i = 0; i < 200; i++) /* more than one chunk */
        assert_ptr_not_equal(sim_packet_take(&world), first);
    sim_world_free(&world);
}

static void a_clock_is_ahead_and_drifts_and_alarms_come_by_it(void **state)
{
    (void)state;
    static const int32_t ppms[] = {0, 200, -200, 1000000, -900000};
    for (size_t i = 0; i < sizeof ppms / sizeof *ppms; i++) {
        struct fixture f;
        set_up(&f);
        f.hosts[0].clock_offset_ns = 5 * Q2P_SECOND;
        f.hosts[0].clock_ppm = ppms[i];
        f.parrots[0].beat_ns = 15 * Q2P_SECOND + 3; /* by its own clock */
        sim_host_pump(&f.hosts[0], &f.world);
        double exact = (10e9 + 3) / (1 + ppms[i] / 1e6);
        q2p_time wanted = (q2p_time)exact - 30;
        assert_true(sim_host_now(&f.hosts[0], wanted) < f.parrots[0].beat_ns);
        while (sim_host_now(&f.hosts[0], wanted) < f.parrots[0].beat_ns)
            wanted++;
        assert_true(fabs((double)wanted - exact) < 12); /* at 900000 ppm slow a ns takes ten */
        sim_world_run(&f.world, wanted - 1);
        assert_int_equal(f.parrots[0].beat_ns, 15 * Q2P_SECOND + 3);
        sim_world_run(&f.world, wanted);
        assert_int_not_equal(f.parrots[0].beat_ns, 15 * Q2P_SECOND + 3);
        sim_world_free(&f.world);
    }
}

static void a_host_that_is_down_hears_and_says_nothing(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    f.hosts[1].down = true;
    f.parrots[1].beat_ns = 50;
    memcpy(f.parrots[0].answer, "a", f.parrots[0].answer_len = 1);
    sim_host_pump(&f.hosts[0], &f.world);
    sim_host_pump(&f.hosts[1], &f.world);
    sim_world_run(&f.world, 100);
    assert_int_equal(f.hosts[0].sent, 1);
    assert_int_equal(f.parrots[1].heard, 0);
    assert_int_equal(f.parrots[1].beat_ns, 50);
    f.hosts[1].down = false; /* up again: its alarm is overdue */
    sim_host_pump(&f.hosts[1], &f.world);
    sim_world_run(&f.world, 100);
    assert_int_not_equal(f.parrots[1].beat_ns, 50);
    sim_world_free(&f.world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(datagrams_take_their_time_and_carry_their_source),
        cmocka_unit_test(a_machine_is_woken_at_its_deadline_even_if_it_moves),
        cmocka_unit_test(a_datagram_over_the_limit_is_counted_and_not_sent),
        cmocka_unit_test(a_machine_that_never_rests_is_stopped),
        cmocka_unit_test(the_trace_tells_other_bytes_and_other_times_apart),
        cmocka_unit_test(what_is_sent_counts_even_if_nothing_comes_back),
        cmocka_unit_test(packets_are_used_again),
        cmocka_unit_test(a_clock_is_ahead_and_drifts_and_alarms_come_by_it),
        cmocka_unit_test(a_host_that_is_down_hears_and_says_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
