/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_taps.h - the windows of Wireshark, for fuzz_dissector.c: all of them are open. */
#ifndef FUZZ_TAPS_H
#define FUZZ_TAPS_H

#include <wireshark.h>

#include <epan/epan_dissect.h>
#include <epan/packet.h>
#include <epan/tap.h>

/* Opens them. */
void fuzz_taps_begin(int proto);

/* Looks at what must hold, and lets go of what grows with each datagram; after a look at each
 * window, if wanted. */
void fuzz_taps_end_of_input(bool windows);

/* Another capture is opened. */
void fuzz_taps_end_of_file(void);

/* What the menus offer for the datagram that was dissected last. */
void fuzz_taps_menus(epan_dissect_t *edt);

#endif
