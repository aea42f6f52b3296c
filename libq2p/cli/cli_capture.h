/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cli_capture.h - the UDP datagrams of a capture file (pcap or pcapng), one after the other: link
 * and IP headers taken off, IP fragments put together in bounded memory. Everything else in the
 * file is passed over.
 */
#ifndef CLI_CAPTURE_H
#define CLI_CAPTURE_H

#include <stdio.h>

#include <q2p/types.h>

struct cli_capture;

struct cli_datagram {
    int64_t t_ns;   /* since 1970 */
    uint64_t frame; /* number in the file, from 1, as Wireshark counts; of the last IP fragment */
    struct q2p_addr src, dst;
    const uint8_t *bytes; /* borrowed until the next call */
    size_t have, total;   /* have < total: the capture was cut */
};

/*
 * Reads a file from its start; owns it from then on, whatever happens. Returns Q2P_OK, or
 * Q2P_ERR_INVALID (it is no capture, or of a link layer that we do not know) or Q2P_ERR_MEMORY,
 * with a sentence in why.
 */
#define CLI_WHY_MAX 320
int cli_capture_open(struct cli_capture **out, FILE *file, char why[CLI_WHY_MAX]);
void cli_capture_close(struct cli_capture *capture);

/* 1: *out is the next datagram; 0: the end; Q2P_ERR_INVALID: the file breaks off, why says how. */
int cli_capture_next(struct cli_capture *capture, struct cli_datagram *out, char why[CLI_WHY_MAX]);

/* What of the frames so far could not be read as a whole, and the first frame of each kind. */
struct cli_flaws {
    uint64_t cut, cut_first;   /* the snap length cut them */
    uint64_t torn, torn_first; /* IP packets of which fragments are missing */
};
void cli_capture_flaws(const struct cli_capture *capture, struct cli_flaws *out);

/* Frames seen so far, of any kind. */
uint64_t cli_capture_frames(const struct cli_capture *capture);

#endif
