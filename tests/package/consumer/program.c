/* SPDX-License-Identifier: GPL-2.0-or-later */
/* program.c - the least a program does with each floor: a node, its first datagram, the socket. */
#include <q2p/q2p.h>
#include <stdio.h>

int main(void)
{
    struct q2p_addr seed;
    struct q2p_config config;
    struct q2p_datagram out;
    struct q2p_packet packet;
    q2p_drive *drive = NULL;
    q2p_node *node = NULL;

    q2p_config_init(&config);
    if (q2p_node_new(&node, &config) != Q2P_OK ||
        q2p_addr_parse(&seed, "127.0.0.1:9", 11) != Q2P_OK ||
        q2p_node_join(node, 0, &seed) != Q2P_OK || q2p_node_output(node, 0, &out) != 1 ||
        q2p_wire_read(&packet, Q2P_DIALECT_CLASSIC, out.bytes, out.len, out.len) != Q2P_OK ||
        packet.event != Q2P_EV_JOIN || q2p_drive_open(&drive, "127.0.0.1", 0) != Q2P_OK)
        return 1;
    q2p_drive_close(drive);
    q2p_node_free(node);
    puts(Q2P_VERSION);
    return 0;
}
