/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd.h - the commands of q2p, one per cmd_*.c. */
#ifndef CMD_H
#define CMD_H

#include "cli_opts.h"

extern const struct cli_command cmd_node, cmd_send, cmd_recv, cmd_ping, cmd_decode, cmd_check,
    cmd_replay;

#endif
