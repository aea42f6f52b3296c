/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * swarm.h - swarm testing: the seed switches each knob of nodes, NATs and links on or off and, if
 * on, turns it. What a scenario expects need not hold then; oracles and `never` must.
 */
#ifndef SWARM_H
#define SWARM_H

#include "scn_run.h"

/* Nodes, NATs and links, but not access links. */
void swarm_scenario(struct scenario *scenario, uint64_t seed);

/* After scn_run_judge: is all that must hold under any weather as it should be? */
bool swarm_judge(const struct scn_run *run);

#endif
