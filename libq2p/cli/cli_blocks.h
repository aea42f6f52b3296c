/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cli_blocks.h - the frames of a pcapng file, each with the interface that saw it. libpcap, which
 * reads everything else, hides the interfaces and refuses a file in which their link layers differ.
 */
#ifndef CLI_BLOCKS_H
#define CLI_BLOCKS_H

#include "cli_capture.h"

#define CLI_BLOCKS_BEGIN 0x0a /* the first byte of such a file, and of no other capture */

struct cli_blocks_frame {
    int64_t t_ns;         /* since 1970; 0: the file does not say */
    uint32_t interface;   /* number in its section, as Wireshark has it */
    int link;             /* DLT_..., or -1: none that we read */
    unsigned link_type;   /* as the file has it */
    const uint8_t *bytes; /* borrowed until the next call */
    size_t have, total;   /* have < total: the frame was cut */
};

struct cli_blocks;

/* The file stays the caller's. NULL: no memory. */
struct cli_blocks *cli_blocks_new(FILE *file);
void cli_blocks_free(struct cli_blocks *pcapng);

/* 1: *out is the next frame; 0: the end; Q2P_ERR_INVALID or Q2P_ERR_MEMORY, and why says how. */
int cli_blocks_next(struct cli_blocks *pcapng, struct cli_blocks_frame *out, char why[CLI_WHY_MAX]);

/* Interfaces described so far, at most, in a section. */
uint32_t cli_blocks_interfaces(const struct cli_blocks *pcapng);

/* What the file calls an interface: "" if it has no name for it. */
const char *cli_blocks_name(const struct cli_blocks *pcapng, uint32_t interface);

#endif
