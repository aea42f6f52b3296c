/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scn_resolve.c - turns names into numbers and finds contradictions between sections. */
#include "scn_resolve.h"

#include <stdlib.h>
#include <string.h>

#include "sim_world.h"

/* Names of nodes and NATs, sorted. */
struct name {
    const char *text;
    const struct scn_yaml *where;
    uint32_t index;
};

struct resolver {
    struct scenario *scenario;
    struct scn_errors *errors;
    struct name *names;
    size_t count;
};

static int compare_names(const void *a, const void *b)
{
    const struct name *x = a, *y = b;
    int order = strcmp(x->text, y->text);
    return order ? order : (x->index > y->index) - (x->index < y->index);
}

static void collect_names(struct resolver *resolver)
{
    const struct scenario *scenario = resolver->scenario;
    size_t total = scenario->nodes.count + scenario->nats.count;
    struct name *names = sim_alloc((total + 1) * sizeof *names);
    for (uint32_t i = 0; i < scenario->nodes.count; i++)
        names[i] = (struct name){scenario->nodes.items[i].name, scenario->nodes.items[i].where, i};
    for (uint32_t i = 0; i < scenario->nats.count; i++)
        names[scenario->nodes.count + i] = (struct name){
            scenario->nats.items[i].name, scenario->nats.items[i].where, SCN_IS_NAT | i};
    qsort(names, total, sizeof *names, compare_names);
    for (size_t i = 1; i < total; i++)
        if (*names[i].text && strcmp(names[i].text, names[i - 1].text) == 0 &&
            (strcmp(names[i].where->text, names[i - 1].where->text) != 0 ||
             names[i].index - names[i - 1].index >= SCN_IS_NAT / 2)) /* else: a duplicate key */
            scn_error(resolver->errors, names[i].where, "name '%s' is taken (line %d)",
                      names[i].text, names[i - 1].where->line);
    resolver->names = names;
    resolver->count = total;
}

enum want { WANT_NODE, WANT_NAT, WANT_EITHER };

static bool find(struct resolver *resolver, struct scn_ref *ref, enum want want)
{
    static const char *const kinds[] = {"node", "NAT", "node or NAT"};
    size_t low = 0, high = resolver->count;
    if (!ref->text)
        return false;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (strcmp(resolver->names[middle].text, ref->text) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < resolver->count && strcmp(resolver->names[low].text, ref->text) == 0) {
        bool nat = resolver->names[low].index & SCN_IS_NAT;
        if (want == WANT_EITHER || nat == (want == WANT_NAT)) {
            ref->index = resolver->names[low].index;
            return true;
        }
        scn_error(resolver->errors, ref->where, "'%.40s' is a %s, want a %s", ref->text, kinds[nat],
                  kinds[want]);
        return false;
    }
    scn_error(resolver->errors, ref->where, "no %s is called '%.40s'", kinds[want], ref->text);
    return false;
}

const char *scn_name(const struct scenario *scenario, uint32_t place)
{
    return place & SCN_IS_NAT ? scenario->nats.items[place & ~SCN_IS_NAT].name
                              : scenario->nodes.items[place].name;
}

/* The NAT a place is behind, or SCN_NONE. */
static uint32_t behind(const struct scenario *scenario, uint32_t place)
{
    const struct scn_ref *ref = place & SCN_IS_NAT
                                    ? &scenario->nats.items[place & ~SCN_IS_NAT].behind
                                    : &scenario->nodes.items[place].behind;
    return ref->text ? ref->index : SCN_NONE;
}

/* The outermost NAT (SCN_IS_NAT | number) of a node or NAT, or itself. */
static uint32_t public_of(const struct scenario *scenario, uint32_t place)
{
    for (uint32_t outer; (outer = behind(scenario, place)) != SCN_NONE;)
        place = outer;
    return place;
}

/* NATs behind NATs must end in the open; if one does not, nothing else can be checked. */
static bool resolve_behind(struct resolver *resolver)
{
    struct scenario *scenario = resolver->scenario;
    bool fine = true;
    for (size_t i = 0; i < scenario->nodes.count; i++)
        if (scenario->nodes.items[i].behind.text)
            fine &= find(resolver, &scenario->nodes.items[i].behind, WANT_NAT);
    for (size_t i = 0; i < scenario->nats.count; i++)
        if (scenario->nats.items[i].behind.text)
            fine &= find(resolver, &scenario->nats.items[i].behind, WANT_NAT);
    for (uint32_t i = 0; fine && i < scenario->nats.count; i++) {
        uint32_t at = SCN_IS_NAT | i;
        size_t steps = 0;
        while (at != SCN_NONE && steps++ <= scenario->nats.count)
            at = behind(scenario, at);
        if (at != SCN_NONE) {
            scn_error(resolver->errors, scenario->nats.items[i].where, "NAT '%s' is behind itself",
                      scenario->nats.items[i].name);
            fine = false;
        }
    }
    return fine;
}

struct spot {
    uint32_t realm; /* the NAT, or SCN_NONE */
    struct q2p_addr addr;
    const struct scn_yaml *where;
};

static int compare_spots(const void *a, const void *b)
{
    const struct spot *x = a, *y = b;
    if (x->realm != y->realm)
        return x->realm < y->realm ? -1 : 1;
    int order = memcmp(x->addr.ip, y->addr.ip, sizeof x->addr.ip);
    if (order)
        return order;
    if (x->addr.port != y->addr.port)
        return x->addr.port < y->addr.port ? -1 : 1;
    return (x->where->line > y->where->line) - (x->where->line < y->where->line);
}

static void check_addresses(struct resolver *resolver)
{
    const struct scenario *scenario = resolver->scenario;
    size_t total = 0;
    struct spot *spots =
        sim_alloc((scenario->nodes.count + scenario->nats.count + 1) * sizeof *spots);
    for (uint32_t i = 0; i < scenario->nodes.count; i++)
        spots[total++] = (struct spot){behind(scenario, i), scenario->nodes.items[i].at,
                                       scenario->nodes.items[i].where};
    for (uint32_t i = 0; i < scenario->nats.count; i++)
        spots[total++] =
            (struct spot){behind(scenario, SCN_IS_NAT | i), scenario->nats.items[i].outside,
                          scenario->nats.items[i].where};
    qsort(spots, total, sizeof *spots, compare_spots);
    for (size_t i = 1; i < total; i++) {
        const struct spot *a = &spots[i - 1], *b = &spots[i];
        char text[Q2P_ADDR_TEXT_MAX];
        if (a->realm != b->realm || memcmp(a->addr.ip, b->addr.ip, sizeof a->addr.ip) != 0 ||
            (a->addr.port != b->addr.port && a->addr.port != 0) || b->addr.ip_len == 0)
            continue;
        q2p_addr_print(&b->addr, text, sizeof text);
        if (b->addr.port == 0)
            *strrchr(text, ':') = '\0';
        scn_error(resolver->errors, b->where, "address %s is taken (line %d)", text,
                  a->where->line);
    }
    free(spots);
}

/* Can `from` send to the very address of `to`? */
static bool is_open(const struct scenario *scenario, uint32_t from, uint32_t to)
{
    uint32_t realm = behind(scenario, from), wanted = behind(scenario, to);
    while (realm != wanted && realm != SCN_NONE)
        realm = behind(scenario, realm);
    return realm == wanted;
}

static void resolve_joins(struct resolver *resolver)
{
    struct scenario *scenario = resolver->scenario;
    for (uint32_t i = 0; i < scenario->nodes.count; i++) {
        struct scn_refs *joins = &scenario->nodes.items[i].joins;
        for (size_t j = 0; j < joins->count; j++) {
            struct scn_ref *seed = &joins->items[j];
            if (seed->index != SCN_NONE || !find(resolver, seed, WANT_NODE))
                continue; /* the list is shared with others of the same count */
            if (scenario->nodes.items[seed->index].joins.items == joins->items)
                scn_error(resolver->errors, seed->where, "'%s' cannot join itself", seed->text);
            else if (!is_open(scenario, i, seed->index))
                scn_error(resolver->errors, seed->where,
                          "'%.40s' cannot be a seed here: it is hidden behind NAT '%s'", seed->text,
                          scn_name(scenario, behind(scenario, seed->index)));
        }
    }
}

/* More outside addresses of a NAT. */
static void resolve_pool(struct resolver *resolver, struct scn_nat *nat)
{
    static const struct scn_key key = {.name = "pool", .kind = SCN_IP};
    if (nat->pool.count >= NET_NAT_OUTSIDES_MAX) {
        scn_error(resolver->errors, nat->pool.items[0].where, "want %d addresses at most",
                  NET_NAT_OUTSIDES_MAX - 1);
        return;
    }
    for (size_t i = 0; i < nat->pool.count; i++) {
        struct q2p_addr *addr = &nat->outsides[nat->outsides_count];
        if (!scn_value_read(&key, nat->pool.items[i].where, addr, resolver->errors))
            continue;
        nat->outsides_count++;
        for (size_t j = 0; j < resolver->scenario->nats.count; j++) {
            const struct scn_nat *other = &resolver->scenario->nats.items[j];
            bool taken = q2p_addr_equal(&other->outside, addr);
            for (uint32_t k = 0; k < other->outsides_count; k++)
                taken |= &other->outsides[k] != addr && q2p_addr_equal(&other->outsides[k], addr);
            if (taken)
                scn_error(resolver->errors, nat->pool.items[i].where, "address %.40s is taken",
                          nat->pool.items[i].text);
        }
    }
}

static void resolve_link(struct resolver *resolver, struct scn_link *link)
{
    if (link->access.text) {
        find(resolver, &link->access, WANT_NODE);
        return;
    }
    bool fine = find(resolver, &link->between[0], WANT_EITHER);
    if (!find(resolver, &link->between[1], WANT_EITHER) || !fine)
        return;
    link->between[0].index = public_of(resolver->scenario, link->between[0].index);
    link->between[1].index = public_of(resolver->scenario, link->between[1].index);
    if (link->between[0].index == link->between[1].index)
        scn_error(resolver->errors, link->between[0].where,
                  "'%.32s' and '%.32s' have no link between them: both stand for '%s'",
                  link->between[0].text, link->between[1].text,
                  scn_name(resolver->scenario, link->between[0].index));
}

/* A transmission by its name; the index is the step's. */
static const struct scn_send *find_send(const struct scenario *scenario, const char *name,
                                        size_t before, uint32_t *index)
{
    for (size_t i = 0; i < before; i++) {
        const struct scn_step *step = &scenario->script.items[i];
        if (!step->has_send || strcmp(step->send.as.text, name) != 0)
            continue;
        *index = (uint32_t)i;
        return &step->send;
    }
    return NULL;
}

/* A node that starts again at another port must not come to where another one is. */
static void check_port(struct resolver *resolver, const struct scn_step *step)
{
    const struct scenario *scenario = resolver->scenario;
    uint32_t mover = step->restart.index;
    for (uint32_t i = 0; i < scenario->nodes.count && step->port > 0; i++) {
        const struct scn_node *other = &scenario->nodes.items[i];
        struct q2p_addr addr = scenario->nodes.items[mover].at;
        addr.port = step->port;
        if (i != mover && behind(scenario, i) == behind(scenario, mover) &&
            q2p_addr_equal(&addr, &other->at))
            scn_error(resolver->errors, step->where, "port %u is that of '%s' there", step->port,
                      other->name);
    }
    for (size_t i = 0; i < scenario->script.count && step->port > 0; i++) {
        const struct scn_step *other = &scenario->script.items[i];
        if (other->port == step->port && other->restart.index != mover && other < step)
            scn_error(resolver->errors, step->where, "port %u is taken by a restart (line %d)",
                      step->port, other->where->line);
    }
}

static void resolve_script(struct resolver *resolver)
{
    struct scenario *scenario = resolver->scenario;
    uint32_t twin;
    for (size_t i = 0; i < scenario->script.count; i++) {
        struct scn_step *step = &scenario->script.items[i];
        struct scn_send *send = &step->send;
        if (step->at_ns > scenario->until_ns)
            scn_error(resolver->errors, step->where, "this is after the end of the run (until)");
        struct scn_ref *nats[] = {&step->rebind, &step->reboot};
        struct scn_ref *nodes[] = {&step->crash, &step->restart, &step->join};
        for (size_t j = 0; j < sizeof nats / sizeof *nats; j++)
            find(resolver, nats[j], WANT_NAT);
        bool found = false; /* the node that starts again */
        for (size_t j = 0; j < sizeof nodes / sizeof *nodes; j++)
            found |= find(resolver, nodes[j], WANT_NODE) && nodes[j] == &step->restart;
        if (found)
            check_port(resolver, step);
        for (size_t j = 0; j < step->partition.count; j++)
            find(resolver, &step->partition.items[j], WANT_EITHER);
        if (step->has_set)
            resolve_link(resolver, &step->set);
        if (!step->has_send)
            continue;
        bool fine = find(resolver, &send->from, WANT_NODE);
        if (find(resolver, &send->to, WANT_NODE) && fine && send->from.index == send->to.index)
            scn_error(resolver->errors, send->to.where, "'%s' cannot send to itself",
                      send->to.text);
        if (find_send(scenario, send->as.text, i, &twin))
            scn_error(resolver->errors, send->as.where,
                      "a transmission '%.40s' is there already (line %d)", send->as.text,
                      scenario->script.items[twin].send.as.where->line);
    }
}

static void check_event(struct resolver *resolver, const struct scn_ref *ref)
{
    for (int event = 0; event < Q2P_EV_UNKNOWN; event++)
        if (strcmp(q2p_event_name((enum q2p_event)event), ref->text) == 0)
            return;
#define XX(name, number, word, sentence)                                                           \
    if (strcmp(word, ref->text) == 0)                                                              \
        return;
    Q2P_ON_MAP(XX)
#undef XX
    scn_error(resolver->errors, ref->where,
              "'%.40s' is no message (such as CONNECT_FAILED) and no happening (such as mismatch)",
              ref->text);
}

static void resolve_transmission(struct resolver *resolver, struct scn_ref *ref)
{
    const struct scenario *scenario = resolver->scenario;
    if (!find_send(scenario, ref->text, scenario->script.count, &ref->index))
        scn_error(resolver->errors, ref->where, "no transmission is called '%.40s'", ref->text);
}

static void resolve_expect(struct resolver *resolver, struct scn_expect *expect)
{
    struct scn_ref *pairs[] = {expect->connected, expect->not_connected};
    for (int i = 0; i < 2; i++)
        if (pairs[i][0].text && find(resolver, &pairs[i][0], WANT_NODE))
            find(resolver, &pairs[i][1], WANT_NODE);
    if (expect->delivered.text)
        resolve_transmission(resolver, &expect->delivered);
    if (expect->failed.text)
        resolve_transmission(resolver, &expect->failed);
    if (expect->seen.text)
        check_event(resolver, &expect->seen);
    if (expect->never.text)
        check_event(resolver, &expect->never);
    if (expect->at.text)
        find(resolver, &expect->at, WANT_NODE);
    else if (expect->peers.min != -1)
        scn_error(resolver->errors, expect->where, "peers wants to know where: missing key 'at'");
    if (expect->before_ns != Q2P_NEVER &&
        (expect->not_connected[0].text || expect->never.text || expect->peers.min != -1))
        scn_error(resolver->errors, expect->where, "before makes no sense here");
}

void scn_resolve(struct scenario *scenario, struct scn_errors *errors)
{
    struct resolver resolver = {.scenario = scenario, .errors = errors};
    collect_names(&resolver);
    if (resolve_behind(&resolver)) {
        check_addresses(&resolver);
        resolve_joins(&resolver);
        for (size_t i = 0; i < scenario->nats.count; i++)
            resolve_pool(&resolver, &scenario->nats.items[i]);
        for (size_t i = 0; i < scenario->links.count; i++)
            resolve_link(&resolver, &scenario->links.items[i]);
        resolve_script(&resolver);
        for (size_t i = 0; i < scenario->expect.count; i++)
            resolve_expect(&resolver, &scenario->expect.items[i]);
    }
    free(resolver.names);
}
