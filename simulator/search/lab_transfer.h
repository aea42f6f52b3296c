/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lab_transfer.h - trials of one transmission between two public nodes. */
#ifndef LAB_TRANSFER_H
#define LAB_TRANSFER_H

#include "lab_punch.h"

struct lab_transfer {
    struct q2p_config config; /* of both */
    uint32_t fragments;
    uint32_t forth_ppb, back_ppb; /* loss on the way to the receiver, and back */
    uint64_t seed;
};

/* How long it took until it was delivered; Q2P_NEVER if it was not. The way takes 10 ms. */
q2p_time lab_send(const struct lab_transfer *transfer);

#endif
