/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scn_vary.h - the section `vary` of a scenario: places in the file and what may stand there. Each
 * combination is a variant, from 1; variant 0 is the file as it is written.
 */
#ifndef SCN_VARY_H
#define SCN_VARY_H

#include "scn_yaml.h"

#define SCN_VARIANTS_MAX 10000

/* How many there are (0: nothing varies), or 0 and errors if the section is wrong. */
uint32_t scn_vary_count(const struct scn_yaml *root, struct scn_errors *errors);

/* Puts the values of a variant into their places. */
void scn_vary_apply(struct scn_yaml *root, uint32_t variant, struct scn_errors *errors);

/* "default.loss=5% nats.home-a.mapping=address" */
void scn_vary_print(const struct scn_yaml *root, uint32_t variant, char *out, size_t room);

#endif
