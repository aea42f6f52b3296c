/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scn_resolve.h - what the parts of a scenario say about each other. */
#ifndef SCN_RESOLVE_H
#define SCN_RESOLVE_H

#include "scn_schema.h"

/* Every scn_ref gets its index; what contradicts itself is reported. */
void scn_resolve(struct scenario *scenario, struct scn_errors *errors);

/* A node's or NAT's name. */
const char *scn_name(const struct scenario *scenario, uint32_t place);

#endif
