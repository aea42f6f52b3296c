/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * q2p-menu.c - Wireshark's menu Tools > Q2P: the questions that people ask a capture first, each a
 * display filter. Who has chosen the profile Q2P has them as buttons; others have them here.
 */
#include "q2p-menu.h"

#include "q2p-compat.h"

#include <epan/plugin_if.h>

#define MENU_MAP(XX)                                                                               \
    XX("Hole punches", "Who joined, and how peers were introduced",                                \
       "q2p.punch || q2p.event.name == \"JOIN\"")                                                  \
    XX("Hole punches that stopped", "Where, and why; who was refused",                             \
       "q2p.expert.punch_stopped || q2p.expert.half_open || q2p.event.name == \"CONNECT_FAILED\"") \
    XX("Transmissions", "All that belongs to one", "q2p.transmission")                             \
    XX("Complete transmissions", "Frames with the data put together", "q2p.reassembled.data")      \
    XX("Failed transmissions", "Whose receiver has given up, and what it lacks",                   \
       "q2p.gave_up.in && q2p.missing.count > 0")                                                  \
    XX("Losses", "Requests, retransmissions, duplicates",                                          \
       "q2p.lost || q2p.asked.in || q2p.duplicate.of")                                             \
    XX("Everything odd", "All that is not as it should be",                                        \
       "q2p && _ws.expert.severity >= \"Note\"")

static void apply(ext_menubar_gui_type type _U_, void *window _U_, void *filter)
{
    plugin_if_apply_filter((const char *)filter, true);
}

void q2p_menu_register(int proto)
{
    ext_menu_t *menu = ext_menubar_register_menu(proto, "Q2P", true);

    ext_menubar_set_parentmenu(menu, "Tools");
#define XX(label, tip, filter) ext_menubar_add_entry(menu, label, tip, apply, (void *)(filter));
    MENU_MAP(XX)
#undef XX
}
