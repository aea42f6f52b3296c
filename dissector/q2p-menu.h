/* SPDX-License-Identifier: GPL-2.0-or-later */
/* q2p-menu.h - Wireshark's menu Tools > Q2P. */
#ifndef Q2P_MENU_H
#define Q2P_MENU_H

void q2p_menu_register(int proto);

#endif
