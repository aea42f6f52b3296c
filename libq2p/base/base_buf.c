/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base_buf.c - the end of a buffer that is too small; see base_buf.h for the contract. */
#include "base_buf.h"

void q2p__write_cut(struct q2p__writer *writer, const void *bytes, size_t len)
{
    size_t left = writer->at < writer->room ? writer->room - writer->at : 0;
    size_t fits = len < left ? len : left;

    if (fits > 0)
        memcpy(writer->bytes + writer->at, bytes, fits);
    writer->at += len;
}
