/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dump_wire.c - prints the maps of wire.h and status.h as JSON, so that the Scapy layer and the
 * house tests need not type a wire number again.
 */
#include <stdio.h>

#include <q2p/status.h>
#include <q2p/wire.h>

static const char *const shapes[] = {"BARE", "ADDRESS",  "TEXT", "START",
                                     "HASH", "FRAGMENT", "LIST"};

static void print_event(enum q2p_event event)
{
    printf("%s\n  {\"name\": \"%s\", \"title\": \"%s\", \"section\": \"%s\", \"shape\": \"%s\"",
           event == 0 ? "" : ",", q2p_event_name(event), q2p_event_title(event),
           q2p_event_section(event), shapes[q2p_event_shape(event)]);
    for (int dialect = Q2P_DIALECT_EARLY; dialect <= Q2P_DIALECT_OPTIONS; dialect++)
        printf(", \"%s\": %d", q2p_dialect_name((enum q2p_dialect)dialect),
               q2p_event_number((enum q2p_dialect)dialect, event));
    printf("}");
}

int main(void)
{
    printf("{\"extended_len\": %d, \"header_len\": %d, \"datagram_max\": %d, \"fragment_len\": %d, "
           "\"syns_max\": %d,\n"
           " \"hash_len\": %d, \"port\": %d, \"reason\": \"%s\",\n \"events\": [",
           Q2P_EXTENDED_LEN, Q2P_HEADER_LEN, Q2P_DATAGRAM_MAX, Q2P_FRAGMENT_LEN, Q2P_SYNS_MAX,
           Q2P_HASH_LEN, Q2P_PORT_DEFAULT, Q2P_REASON_MISMATCH);
    for (int event = 0; event < Q2P_EV_UNKNOWN; event++)
        print_event((enum q2p_event)event);
    printf("],\n \"statuses\": {\"OK\": 0");
#define XX(name, number, sentence)                                                                 \
    if ((number) != 0)                                                                             \
        printf(", \"%s\": %d", #name, number);
    Q2P_STATUS_MAP(XX)
#undef XX
    printf("}}\n");
    return 0;
}
