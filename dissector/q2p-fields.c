/* SPDX-License-Identifier: GPL-2.0-or-later */
/* q2p-fields.c - makes the tables that Wireshark wants out of the maps of q2p-fields.h, of the
 * events and of the statuses. */
#include "q2p-fields.h"

#include <q2p/status.h>

#define XX(name, filter, title, type, base, strings, blurb) int hf_q2p_##name = -1;
Q2P_FIELD_MAP(XX)
#undef XX

#define XX(name, filter, group, severity, summary) expert_field ei_q2p_##name = EI_INIT;
Q2P_EXPERT_MAP(XX)
#undef XX

int ett_q2p = -1, ett_q2p_address = -1, ett_q2p_lost = -1, ett_q2p_transmission = -1,
    ett_q2p_punch = -1;

#define STATUSES_MAX 32 /* statuses are 0 to -31 */
static expert_field ei_status[STATUSES_MAX];
static int hf_event[Q2P_DIALECT_OPTIONS + 1];

int q2p_field_event(enum q2p_dialect dialect)
{
    return hf_event[dialect];
}

expert_field *q2p_expert_status(int status)
{
    return &ei_status[-status];
}

static void register_fields(int proto)
{
    static const value_string q2p_states[] = {
#define XX(name, number, word, sentence) {number, word ": " sentence},
        Q2P_STATE_MAP(XX)
#undef XX
            {0, NULL},
    };
    static hf_register_info rows[] = {
#define XX(name, filter, title, type, base, strings, blurb)                                        \
    {&hf_q2p_##name, {title, filter, type, base, strings, 0x0, blurb, HFILL}},
        Q2P_FIELD_MAP(XX)
#undef XX
    };

    proto_register_field_array(proto, rows, array_length(rows));
}

/* q2p.event once for each dialect, so that its numbers have names. */
static void register_events(int proto)
{
    static value_string names[Q2P_DIALECT_OPTIONS + 1][Q2P_EV_UNKNOWN + 1];
    static hf_register_info rows[Q2P_DIALECT_OPTIONS + 1];

    for (int d = Q2P_DIALECT_UNKNOWN; d <= Q2P_DIALECT_OPTIONS; d++) {
        value_string *row = names[d];

        for (int event = 0; event < Q2P_EV_UNKNOWN; event++) {
            int number = q2p_event_number((enum q2p_dialect)d, (enum q2p_event)event);
            if (number >= 0)
                *row++ = (value_string){(uint32_t)number, q2p_event_name((enum q2p_event)event)};
        }
        hf_event[d] = -1;
        rows[d] = (hf_register_info){
            &hf_event[d],
            {"Event", "q2p.event", FT_UINT16, BASE_DEC, VALS(names[d]), 0x0,
             "Event number, as on the wire; its meaning depends on the dialect", HFILL}};
    }
    proto_register_field_array(proto, rows, array_length(rows));
}

/* One expert item for each thing that can be wrong with a datagram: q2p.err.short and so on. */
static void register_statuses(expert_module_t *expert)
{
    static const struct {
        int status;
        const char *name, *text;
    } statuses[] = {
#define XX(name, number, sentence) {number, #name, sentence},
        Q2P_STATUS_MAP(XX)
#undef XX
    };
    static ei_register_info rows[array_length(statuses)];
    int count = 0;

    for (size_t i = 0; i < array_length(statuses); i++) {
        int status = statuses[i].status;
        if (status >= Q2P_OK || status < Q2P_ERR_LIST) /* the rest is about calls, not datagrams */
            continue;

        char *text = wmem_strdup(wmem_epan_scope(), statuses[i].text);
        *text = g_ascii_toupper(*text);
        bool harmless = status == Q2P_ERR_CUT;
        char *filter =
            wmem_strdup_printf(wmem_epan_scope(), "q2p.err.%s", statuses[i].name + strlen("ERR_"));
        for (char *c = filter; *c != '\0'; c++)
            *c = g_ascii_tolower(*c);
        ei_status[-status] = (expert_field)EI_INIT;
        rows[count++] = (ei_register_info){&ei_status[-status],
                                           {filter, harmless ? PI_UNDECODED : PI_MALFORMED,
                                            harmless ? PI_NOTE : PI_ERROR, text, EXPFILL}};
    }
    expert_register_field_array(expert, rows, count);
}

void q2p_fields_register(int proto)
{
    static int *etts[] = {&ett_q2p, &ett_q2p_address, &ett_q2p_lost, &ett_q2p_transmission,
                          &ett_q2p_punch};
    static ei_register_info experts[] = {
#define XX(name, filter, group, severity, summary)                                                 \
    {&ei_q2p_##name, {filter, group, severity, summary, EXPFILL}},
        Q2P_EXPERT_MAP(XX)
#undef XX
    };
    expert_module_t *expert = expert_register_protocol(proto);

    register_fields(proto);
    register_events(proto);
    proto_register_subtree_array(etts, array_length(etts));
    expert_register_field_array(expert, experts, array_length(experts));
    register_statuses(expert);
}
