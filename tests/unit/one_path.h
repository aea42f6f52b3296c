/* SPDX-License-Identifier: GPL-2.0-or-later */
/* one_path.h - a node with one path, to 10.0.0.9:9. */
#ifndef ONE_PATH_H
#define ONE_PATH_H

#include "q2p_path.h"

#include <q2p/wire.h>

#include "unit.h"

#define MS Q2P_MILLISECOND

static q2p_node *node;
static struct q2p__path *path;

/* A path whose OPTIONS was answered after 50 ms, at 1 s. */
static inline void start(bool extended)
{
    struct q2p_addr addr = {.ip = {10, 0, 0, 9}, .port = 9, .ip_len = 4};
    struct q2p_config config;
    struct q2p__contact *contact;

    q2p_config_init(&config);
    assert_int_equal(q2p_node_new(&node, &config), Q2P_OK);
    assert_int_equal(q2p__contact_make(node, &contact, &addr), Q2P_OK);
    contact->extends = extended;
    assert_int_equal(q2p__path_join(node, 950 * MS, contact), Q2P_OK);
    path = contact->path;
    q2p__path_opened(Q2P_SECOND, path, 50 * MS, 0);
}

static inline void end(void)
{
    q2p__path_leave(node, path);
    q2p_node_free(node);
}

#endif
