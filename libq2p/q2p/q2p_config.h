/* SPDX-License-Identifier: GPL-2.0-or-later */
/* q2p_config.h - what a node does with the configuration it is given. */
#ifndef Q2P_CONFIG_H
#define Q2P_CONFIG_H

#include <q2p/node.h>

/* Copies the fields that the caller knows over the defaults and checks them. Q2P_OK or
 * Q2P_ERR_INVALID. */
int q2p__config_take(struct q2p_config *out, const struct q2p_config *config);

#endif
