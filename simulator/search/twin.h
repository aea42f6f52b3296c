/* SPDX-License-Identifier: GPL-2.0-or-later */
/* twin.h - two runs side by side, and the first event in which they differ. */
#ifndef TWIN_H
#define TWIN_H

#include "scn_run.h"

/* Plays and judges both, which are fresh from scn_run_init. True if they are the same; otherwise
 * out says what was the first difference, in two lines. */
bool twin_compare(struct scn_run runs[2], char *out, size_t room);

#endif
