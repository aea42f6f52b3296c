/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scn_run.c - builds the network of a scenario out of elements and plays the script on it. */
#include "scn_run.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "scn_resolve.h"
#include "scn_threads.h"

/* A node that joins or stops (step NULL), or a step of the script. */
struct scn_action {
    q2p_time at_ns;
    uint32_t number;
    bool stop;
    const struct scn_step *step;
};

void scn_run_violate(struct scn_run *run, const char *format, ...)
{
    if (*run->violation)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(run->violation, sizeof run->violation, format, args);
    va_end(args);
    run->violation_ns = run->world.now;
}

/* ---- the script -------------------------------------------------------------------------- */

struct net_place *scn_run_place(const struct scn_run *run, uint32_t index)
{
    return run->net.places[index & SCN_IS_NAT ? index & ~SCN_IS_NAT : run->first_place + index];
}

static void change_link(struct net_link *link, const struct scn_link *set, bool given)
{
    struct net_link_config config = link->config;
    scn_link_apply(&config, set, given);
    net_link_set(link, &config);
}

static void set_link(struct scn_run *run, const struct scn_link *set, bool given)
{
    bool there = set->way != SCN_BACK, back = set->way != SCN_THERE;
    if (set->access.text) {
        struct net_access *access = net_access_of(scn_run_place(run, set->access.index));
        if (there)
            change_link(&access->up, set, given);
        if (back)
            change_link(&access->down, set, given);
        return;
    }
    uint32_t a = scn_run_place(run, set->between[0].index)->index;
    uint32_t b = scn_run_place(run, set->between[1].index)->index;
    if (there)
        change_link(net_link_between(&run->net, a, b), set, given);
    if (back)
        change_link(net_link_between(&run->net, b, a), set, given);
}

static void join(struct scn_host *host)
{
    struct scn_run *run = host->run;
    const struct scn_refs *joins = &run->scenario->nodes.items[host->number].joins;
    for (size_t i = 0; i < joins->count && !host->host.down; i++)
        q2p_node_join(host->node, sim_host_now(&host->host, run->world.now),
                      &run->hosts[joins->items[i].index].place->addr);
    sim_host_pump(&host->host, host->place->net->world);
}

/* Out of the heap of the world it is in, which it may change. */
static void *resize_node(void *ctx, void *old, size_t old_len, size_t new_len)
{
    return sim_heap_resize(((struct scn_host *)ctx)->heap, old, old_len, new_len);
}

static int make_node(struct scn_run *run, struct scn_host *host)
{
    const struct scn_node *node = &run->scenario->nodes.items[host->number];
    struct q2p_config config = node->protocol.config;
    struct sim_rng rng;
    char stream[SCN_NAME_MAX + 8];
    snprintf(stream, sizeof stream, "node:%s", node->name);
    sim_rng_init(&rng, run->seed, stream);
    config.seed = sim_rng_next(&rng) + host->starts++;
    config.alloc = (struct q2p_alloc){host, resize_node};
    int status = q2p_node_new(&host->node, &config);
    return status < 0 ? status : q2p_node_own(host->node, &host->host.addr);
}

static void stop(struct scn_host *host)
{
    host->host.down = host->place->down = true;
}

/* port 0: the one it had. */
static void restart(struct scn_host *host, uint16_t port)
{
    struct scn_run *run = host->run;
    if (port > 0) {
        host->host.addr.port = port;
        net_move_host(host->place, &host->host.addr);
    }
    q2p_node_free(host->node);
    int status = make_node(run, host);
    if (status < 0) {
        scn_run_violate(run, "a restart: %s", q2p_status_text(status));
        return;
    }
    host->host.self = host->node;
    host->host.down = host->place->down = false;
    host->contacts_count = 0;
    scn_oracle_restarted(host);
    join(host);
}

/* Everybody named, with the NAT it is behind, gets a side of its own number. */
static void part(struct scn_run *run, const struct scn_step *step)
{
    run->sides = (uint16_t)(run->sides < UINT16_MAX ? run->sides + 1 : 1);
    for (size_t i = 0; i < step->partition.count; i++) {
        uint32_t index = scn_run_place(run, step->partition.items[i].index)->index;
        net_set_side(run->net.places[net_public_place(&run->net, index)], run->sides,
                     (enum net_side_way)step->partition_way);
    }
}

static void heal(struct scn_run *run)
{
    for (size_t i = 0; i < run->net.places_count; i++)
        net_set_side(run->net.places[i], 0, NET_SIDE_BOTH);
}

static void act(struct scn_run *run, const struct scn_action *action)
{
    const struct scn_step *step = action->step;
    if (action->stop) {
        stop(&run->hosts[action->number]);
    } else if (!step) {
        join(&run->hosts[action->number]);
    } else if (step->has_send) {
        struct scn_host *from = &run->hosts[step->send.from.index];
        scn_run_send(run, &run->transfers[action->number]);
        sim_host_pump(&from->host, from->place->net->world);
    } else if (step->has_set) {
        set_link(run, &step->set, true);
    } else if (step->rebind.text) {
        net_nat_forget(scn_run_place(run, step->rebind.index)->nat, true);
    } else if (step->reboot.text) {
        net_nat_forget(scn_run_place(run, step->reboot.index)->nat, false);
    } else if (step->crash.text) {
        stop(&run->hosts[step->crash.index]);
    } else if (step->restart.text) {
        restart(&run->hosts[step->restart.index], step->port);
    } else if (step->join.text) {
        join(&run->hosts[step->join.index]);
    } else if (step->heal) {
        heal(run);
    } else {
        part(run, step);
    }
}

bool scn_run_act(struct scn_run *run)
{
    const struct scn_action *action = &run->actions[run->actions_next++];
    act(run, action);
    return action->step && action->step->has_set;
}

q2p_time scn_run_next(const struct scn_run *run)
{
    return run->actions_next < run->actions_count ? run->actions[run->actions_next].at_ns
                                                  : Q2P_NEVER;
}

static q2p_time script_next_at(const struct net_runner *self)
{
    return scn_run_next((const void *)((const char *)self - offsetof(struct scn_run, script)));
}

static void script_run(struct net_runner *self, struct sim_world *world)
{
    (void)world;
    scn_run_act((void *)((char *)self - offsetof(struct scn_run, script)));
}

static const struct net_ops script_ops = {.next_at = script_next_at, .run = script_run};

static int compare_actions(const void *a, const void *b)
{
    const struct scn_action *x = a, *y = b;
    if (x->at_ns != y->at_ns)
        return x->at_ns < y->at_ns ? -1 : 1;
    if (!x->step != !y->step)
        return x->step ? 1 : -1;
    if (x->step)
        return (x->step > y->step) - (x->step < y->step);
    if (x->number != y->number)
        return x->number < y->number ? -1 : 1;
    return (int)x->stop - (int)y->stop;
}

/* ---- building ---------------------------------------------------------------------------- */

/* NAT number n is place n and opens realm n + 1; hosts come after. */
static uint32_t realm_of(const struct scn_ref *behind)
{
    return behind->text ? (behind->index & ~SCN_IS_NAT) + 1 : NET_REALM_PUBLIC;
}

static void build_actions(struct scn_run *run)
{
    const struct scenario *scenario = run->scenario;
    run->actions =
        sim_alloc((2 * scenario->nodes.count + scenario->script.count + 1) * sizeof *run->actions);
    run->transfers = sim_alloc((scenario->script.count + 1) * sizeof *run->transfers);
    for (uint32_t i = 0; i < scenario->nodes.count; i++) {
        const struct scn_node *node = &scenario->nodes.items[i];
        if (node->joins.count > 0)
            run->actions[run->actions_count++] =
                (struct scn_action){.at_ns = node->start_ns, .number = i};
        if (node->stop_ns > 0)
            run->actions[run->actions_count++] =
                (struct scn_action){.at_ns = node->stop_ns, .number = i, .stop = true};
    }
    for (uint32_t i = 0; i < scenario->script.count; i++) {
        const struct scn_step *step = &scenario->script.items[i];
        run->actions[run->actions_count++] =
            (struct scn_action){step->at_ns, (uint32_t)run->transfers_count, false, step};
        if (!step->has_send)
            continue;
        struct scn_transfer *transfer = &run->transfers[run->transfers_count++];
        struct sim_rng rng;
        char stream[80];
        transfer->send = &step->send;
        transfer->step = i;
        transfer->delivered_ns = transfer->failed_ns = Q2P_NEVER;
        transfer->data = sim_alloc(step->send.size);
        snprintf(stream, sizeof stream, "send:%.60s", step->send.as.text);
        sim_rng_init(&rng, run->seed, stream);
        sim_rng_fill(&rng, transfer->data, step->send.size);
    }
    qsort(run->actions, run->actions_count, sizeof *run->actions, compare_actions);
    run->script = (struct net_runner){{&script_ops}, Q2P_NEVER, UINT64_MAX};
    sim_world_wake(&run->world, &run->script);
}

static int build_host(struct scn_run *run, uint32_t number)
{
    const struct scn_node *node = &run->scenario->nodes.items[number];
    struct scn_host *host = &run->hosts[number];
    host->run = run;
    host->heap = &run->world.heap;
    host->number = number;
    host->host.addr = node->at;
    int status = make_node(run, host);
    if (status < 0)
        return status;
    host->place = net_add_host(&run->net, node->name, realm_of(&node->behind), &node->at);
    sim_host_init(&host->host, host->place->index, &q2p_node_machine, host->node);
    host->host.addr = node->at;
    host->host.trace = sim_mix_bytes(0, node->name, strlen(node->name));
    host->host.settle = scn_news_settle;
    host->host.ctx = host;
    host->host.next = &host->place->out;
    host->place->host = &host->host.runner.element;
    host->host.clock_offset_ns = node->clock_offset_ns;
    host->host.clock_ppm = (int32_t)node->clock_fast_ppm - (int32_t)node->clock_slow_ppm;
    return Q2P_OK;
}

const char *scn_run_init(struct scn_run *run, const struct scenario *scenario, uint64_t seed)
{
    *run = (struct scn_run){.scenario = scenario, .seed = seed};
    struct net_link_config link_default = {0};
    scn_link_apply(&link_default, &scenario->link_default, false);
    run->tap = (struct net_tap){
        .ctx = run, .seen = scn_tap_seen, .fate = scn_tap_fate, .mapped = scn_tap_mapped};
    sim_world_init(&run->world, seed);
    net_init(&run->net, &run->world, &run->tap, &link_default);
    for (size_t i = 0; i < scenario->nats.count; i++) {
        const struct scn_nat *nat = &scenario->nats.items[i];
        struct net_place *place =
            net_add_nat(&run->net, nat->name, realm_of(&nat->behind), &nat->outside, &nat->config);
        for (uint32_t j = 0; j < nat->outsides_count; j++)
            net_add_outside(place, &nat->outsides[j]);
    }
    run->first_place = (uint32_t)scenario->nats.count;
    run->hosts = sim_alloc((scenario->nodes.count + 1) * sizeof *run->hosts);
    for (uint32_t i = 0; i < scenario->nodes.count; i++) {
        int status = build_host(run, i);
        if (status < 0)
            return q2p_status_text(status);
    }
    for (size_t i = 0; i < scenario->links.count; i++)
        set_link(run, &scenario->links.items[i], false);
    build_actions(run);
    run->verdicts = sim_alloc((scenario->expect.count + 1) * sizeof *run->verdicts);
    run->undecided = scenario->expect.count;
    run->reads_events = scn_expect_reads_events(scenario);
    return NULL;
}

void scn_run_play(struct scn_run *run, q2p_time until)
{
    q2p_time end = run->scenario->until_ns < until ? run->scenario->until_ns : until;
    if (run->threads)
        scn_threads_play(run, end);
    else
        sim_world_run(&run->world, end);
}

bool scn_run_judge(struct scn_run *run)
{
    for (size_t i = 0; i < run->scenario->nodes.count; i++) {
        const struct sim_host *host = &run->hosts[i].host;
        const char *name = run->scenario->nodes.items[i].name;
        if (host->oversize > 0)
            scn_run_violate(run, "no datagram over 512 bytes: %s made %" PRIu64, name,
                            host->oversize);
        if (host->restless)
            scn_run_violate(run, "time goes on: %s asks to run again and again at one instant",
                            name);
        run->trace_hash += sim_mix(host->trace, host->sent); /* the order of hosts is no matter */
    }
    scn_oracle_end(run);
    bool ok = scn_expect_end(run);
    return ok && !*run->violation;
}

void scn_run_free(struct scn_run *run)
{
    for (size_t i = 0; run->hosts && i < run->scenario->nodes.count; i++) {
        q2p_node_free(run->hosts[i].node);
        free(run->hosts[i].contacts);
    }
    for (size_t i = 0; i < run->transfers_count; i++) {
        free(run->transfers[i].data);
        free(run->transfers[i].arrived);
    }
    free(run->hosts);
    free(run->actions);
    free(run->transfers);
    free(run->verdicts);
    free(run->remotes);
    net_free(&run->net);
    scn_threads_free(run->threads);
    sim_world_free(&run->world);
}
