/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scn_link.c - what a scenario says of a link, as the network wants it. */
#include <string.h>

#include "scn_schema.h"
#include "sim_world.h"

uint64_t scn_link_given(const struct scn_yaml *map)
{
    uint64_t given = 0, bit = 1;
    for (const struct scn_key *key = scn_schema; key->section; key++) {
        if (strcmp(key->section, "set") != 0)
            continue;
        if (scn_yaml_get(map, key->name))
            given |= bit;
        bit <<= 1;
    }
    return given;
}

void scn_link_apply(struct net_link_config *config, const struct scn_link *link, bool given)
{
    const size_t start = offsetof(struct scn_link, config);
    uint64_t bit = 1;
    for (const struct scn_key *key = scn_schema; key->section; key++) {
        if (strcmp(key->section, "set") != 0)
            continue;
        bool wanted = !given || link->given & bit;
        bit <<= 1;
        if (!wanted)
            continue;
        if (key->at >= start) {
            memcpy((char *)config + (key->at - start), (const char *)link + key->at, key->width);
        } else if (key->at == offsetof(struct scn_link, delay_ns)) {
            bool none = link->delay_ns.min < 0; /* an access link */
            config->delay_min_ns = none ? 0 : link->delay_ns.min;
            config->delay_max_ns = none ? 0 : link->delay_ns.max;
            config->table = given ? NULL : config->table;
        } else if (key->at == offsetof(struct scn_link, table)) {
            config->table = link->delays;
        } else if (key->at == offsetof(struct scn_link, mask)) {
            config->lose_mask = link->mask.text;
        } else if (key->at == offsetof(struct scn_link, trace)) {
            config->lose_trace = link->trace.text;
        } else if (key->at == offsetof(struct scn_link, messages)) {
            config->lose_events = link->config.lose_events;
        }
    }
}

static void check_pattern(const struct scn_ref *ref, struct scn_errors *errors)
{
    if (ref->text && (!*ref->text || strspn(ref->text, "01") != strlen(ref->text)))
        scn_error(errors, ref->where, "bad value '%.40s': want 0 and 1 = lost, such as 0010",
                  ref->text);
}

static void read_messages(struct scn_link *link, struct scn_errors *errors)
{
    link->config.lose_events = 0;
    for (size_t i = 0; i < link->messages.count; i++) {
        const struct scn_ref *ref = &link->messages.items[i];
        int event = 0;
        while (event < Q2P_EV_UNKNOWN &&
               strcmp(q2p_event_name((enum q2p_event)event), ref->text) != 0)
            event++;
        if (event == Q2P_EV_UNKNOWN)
            scn_error(errors, ref->where, "'%.40s' is no message (such as CONNECT)", ref->text);
        else
            link->config.lose_events |= 1u << event;
    }
}

void scn_link_finish(struct scn_link *link, const struct scn_yaml *where, struct scn_errors *errors)
{
    static const struct scn_key key = {
        .name = "delays", .kind = SCN_TIME, .width = sizeof(q2p_time), .max = SCN_DAY};
    check_pattern(&link->mask, errors);
    check_pattern(&link->trace, errors);
    read_messages(link, errors);
    if (link->config.red_min > 0 && link->config.red_max > 0 &&
        link->config.red_min >= link->config.red_max)
        scn_error(errors, where, "red-min must be below red-max");
    if (link->table.count == 0)
        return;
    if (link->table.count > NET_TABLE_MAX) {
        scn_error(errors, link->table.items[0].where, "want %d delays at most", NET_TABLE_MAX);
        return;
    }
    link->delays = sim_alloc(sizeof *link->delays);
    for (size_t i = 0; i < link->table.count; i++)
        scn_value_read(&key, link->table.items[i].where, &link->delays->items[i], errors);
    link->delays->count = (uint32_t)link->table.count;
}
