/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cli_capture.h - the UDP datagrams of a capture file (pcap or pcapng), one after the other: link
 * and IP headers taken off, IP fragments put together in bounded memory. Everything else in the
 * file is passed over.
 *
 * A datagram that several interfaces of a pcapng file saw is there several times. Each interface
 * is a point of view of its own: its number is in the scope_id of both addresses, so that nobody
 * at one is the same as somebody at another.
 */
#ifndef CLI_CAPTURE_H
#define CLI_CAPTURE_H

#include <stdio.h>

#include <q2p/types.h>

struct cli_capture;

#define CLI_WHY_MAX 320

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
int cli_capture_open(struct cli_capture **out, FILE *file, char why[CLI_WHY_MAX]);
void cli_capture_close(struct cli_capture *capture);

/* 1: *out is the next datagram; 0: the end; Q2P_ERR_INVALID: the file breaks off, why says how. */
int cli_capture_next(struct cli_capture *capture, struct cli_datagram *out, char why[CLI_WHY_MAX]);

/* What of the frames so far could not be read as a whole, and the first frame of each kind. */
struct cli_flaws {
    uint64_t cut, cut_first;         /* the snap length cut them */
    uint64_t torn, torn_first;       /* IP packets of which fragments are missing */
    uint64_t strange, strange_first; /* of a link layer that we do not know: */
    uint64_t joined, joined_first;   /* several fragments in one, of a kernel that joins them */
    unsigned strange_link;           /* the first one's, by its number in pcapng */
};
void cli_capture_flaws(const struct cli_capture *capture, struct cli_flaws *out);

/* Interfaces that the file describes so far; 1 for a pcap file. */
uint32_t cli_capture_interfaces(const struct cli_capture *capture);

/* What to call one: its name, or "interface 3" if the file has none. */
#define CLI_INTERFACE_MAX 80
void cli_capture_interface(const struct cli_capture *capture, uint32_t interface,
                           char out[CLI_INTERFACE_MAX]);

/* Frames seen so far, of any kind. */
uint64_t cli_capture_frames(const struct cli_capture *capture);

#endif
