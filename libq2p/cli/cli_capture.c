/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cli_capture.c - reads captures through libpcap, pcapng through cli_blocks.h, and unwraps them
 * down to UDP: Ethernet with VLAN tags, raw IP, loopback, Linux cooked; IPv4 with options, IPv6
 * with extension headers, fragments of both (cli_pieces.h). All bounds are the reader's of
 * base_buf.h.
 */
#define _DEFAULT_SOURCE /* u_char, for pcap.h */
#include "cli_capture.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>

#include <pcap/pcap.h>

#include <q2p/status.h>
#include <q2p/wire.h>

#include "base_buf.h"
#include "cli_blocks.h"
#include "cli_pieces.h"

enum {
    ETHERTYPE_IPV4 = 0x0800,
    ETHERTYPE_IPV6 = 0x86dd,
    ETHERTYPE_VLAN = 0x8100,
    ETHERTYPE_QINQ = 0x88a8,
    PROTOCOL_UDP = 17,
    UDP_LEN = 8, /* of its header */
    IPV4_LEN = 20,
    IPV6_HOP_BY_HOP = 0,
    IPV6_ROUTING = 43,
    IPV6_FRAGMENT = 44,
    IPV6_DESTINATION = 60,
    EXTENSIONS_MAX = 8, /* IPv6 headers walked */
    VLAN_MAX = 2,
    GZIP_BEGIN = 0x1f,
    BUFFER_LEN = 32 << 10 /* of the file: what a first-level cache holds */
};
#define LINKS_KNOWN "Ethernet, raw IP, loopback, Linux cooked"

struct cli_capture {
    pcap_t *pcap;              /* or: */
    struct cli_blocks *pcapng; /* and its file */
    FILE *file;
    int link; /* of everything in a pcap file */
    uint64_t frames;
    struct cli_flaws flaws;
    char buffer[BUFFER_LEN]; /* the file's, which is closed before */
    struct cli_pieces pieces;
};

static const int links[] = {DLT_EN10MB, DLT_RAW,  DLT_IPV4,      DLT_IPV6,
                            DLT_NULL,   DLT_LOOP, DLT_LINUX_SLL, DLT_LINUX_SLL2};

static int open_pcap(struct cli_capture *capture, FILE *file, char why[CLI_WHY_MAX])
{
    char text[PCAP_ERRBUF_SIZE] = "";
    capture->pcap =
        pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, text);
    if (!capture->pcap) {
        snprintf(why, CLI_WHY_MAX, "not a capture: expected pcap or pcapng (%s)", text);
        fclose(file);
        return Q2P_ERR_INVALID;
    }
    capture->link = pcap_datalink(capture->pcap);
    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        if (capture->link == links[i])
            return Q2P_OK;
    const char *name = pcap_datalink_val_to_name(capture->link);
    snprintf(why, CLI_WHY_MAX, "link layer %s is not one of " LINKS_KNOWN, name ? name : "unknown");
    return Q2P_ERR_INVALID;
}

static int open_pcapng(struct cli_capture *capture, FILE *file, char why[CLI_WHY_MAX])
{
    capture->file = file;
    capture->pcapng = cli_blocks_new(file);
    if (capture->pcapng)
        return Q2P_OK;
    snprintf(why, CLI_WHY_MAX, "%s", q2p_status_text(Q2P_ERR_MEMORY));
    return Q2P_ERR_MEMORY;
}

/* By its first byte. Compressed captures are for other programs to unpack. */
static int open_file(struct cli_capture *capture, FILE *file, char why[CLI_WHY_MAX])
{
    errno = 0;
    /* A page at a time, the calls cost a fourth of all; glibc takes a size only with a buffer. What
     * was read of a pipe, to see what it is, would be gone. */
    if (!__fbufsize(file))
        setvbuf(file, capture->buffer, _IOFBF, sizeof capture->buffer);
    int first = getc(file);
    if (first == CLI_BLOCKS_BEGIN && ungetc(first, file) == first)
        return open_pcapng(capture, file, why);
    if (first != EOF && first != GZIP_BEGIN && ungetc(first, file) == first)
        return open_pcap(capture, file, why);
    if (first != EOF)
        snprintf(why, CLI_WHY_MAX,
                 "compressed, or not a capture; try: gzip -dc FILE | q2p check -");
    else
        snprintf(why, CLI_WHY_MAX, "%s", ferror(file) ? strerror(errno) : "the file is empty");
    fclose(file);
    return Q2P_ERR_INVALID;
}

int cli_capture_open(struct cli_capture **out, FILE *file, char why[CLI_WHY_MAX])
{
    *out = calloc(1, sizeof **out);
    if (!*out) {
        fclose(file);
        snprintf(why, CLI_WHY_MAX, "%s", q2p_status_text(Q2P_ERR_MEMORY));
        return Q2P_ERR_MEMORY;
    }
    int status = open_file(*out, file, why);
    if (status < 0) {
        cli_capture_close(*out);
        *out = NULL;
    }
    return status;
}

void cli_capture_close(struct cli_capture *capture)
{
    if (!capture)
        return;
    if (capture->pcap)
        pcap_close(capture->pcap);
    if (capture->file)
        fclose(capture->file);
    cli_blocks_free(capture->pcapng);
    cli_pieces_free(&capture->pieces);
    free(capture);
}

uint32_t cli_capture_interfaces(const struct cli_capture *capture)
{
    return capture->pcapng ? cli_blocks_interfaces(capture->pcapng) : 1;
}

void cli_capture_interface(const struct cli_capture *capture, uint32_t interface,
                           char out[CLI_INTERFACE_MAX])
{
    const char *name = capture->pcapng ? cli_blocks_name(capture->pcapng, interface) : "";
    if (*name)
        snprintf(out, CLI_INTERFACE_MAX, "%s", name);
    else
        snprintf(out, CLI_INTERFACE_MAX, "interface %" PRIu32, interface);
}

void cli_capture_flaws(const struct cli_capture *capture, struct cli_flaws *out)
{
    *out = capture->flaws;
    cli_pieces_flaws(&capture->pieces, out);
}

uint64_t cli_capture_frames(const struct cli_capture *capture)
{
    return capture->frames;
}

/* ---- headers: network order, where the reader's is little endian --------------------------- */

static uint16_t read_be16(struct q2p__reader *reader)
{
    struct q2p_span at;
    uint16_t value = q2p__read_u16(reader, &at);
    return (uint16_t)(value << 8 | value >> 8);
}

static uint32_t read_be32(struct q2p__reader *reader)
{
    uint32_t high = read_be16(reader);
    return high << 16 | read_be16(reader);
}

static void skip(struct q2p__reader *reader, size_t len)
{
    struct q2p_span at;
    q2p__read_skip(reader, len, &at);
}

static void read_ipv6_addr(struct q2p__reader *reader, struct q2p_addr *out)
{
    struct q2p_span at;
    q2p__read_skip(reader, sizeof out->ip, &at);
    memcpy(out->ip, reader->bytes + at.at, at.len);
    out->ip_len = sizeof out->ip;
}

/* Takes the link header off. False: there is no IP behind it. */
static bool read_link(struct q2p__reader *reader, int link)
{
    unsigned type = 0;
    switch (link) {
    case DLT_EN10MB:
        skip(reader, 12);
        type = read_be16(reader);
        for (int i = 0; i < VLAN_MAX && (type == ETHERTYPE_VLAN || type == ETHERTYPE_QINQ); i++) {
            skip(reader, 2);
            type = read_be16(reader);
        }
        break;
    case DLT_LINUX_SLL:
        skip(reader, 14);
        type = read_be16(reader);
        break;
    case DLT_LINUX_SLL2:
        type = read_be16(reader);
        skip(reader, 18);
        break;
    case DLT_NULL: /* an address family of the machine that captured: the IP version tells too */
    case DLT_LOOP:
        skip(reader, 4);
        return reader->status == Q2P_OK;
    default:
        return true;
    }
    return reader->status == Q2P_OK && (type == ETHERTYPE_IPV4 || type == ETHERTYPE_IPV6);
}

/* What is behind the packet is padding of a short frame; a length of 0 is an offloaded segment's.
 */
static void end_at(struct q2p__reader *reader, size_t end)
{
    if (end < reader->total)
        reader->total = end;
    if (reader->have > reader->total)
        reader->have = reader->total;
}

static unsigned load_be16(const uint8_t *bytes)
{
    return (unsigned)bytes[0] << 8 | bytes[1];
}

static void read_ipv4(struct q2p__reader *reader, struct cli_piece *out)
{
    size_t start = reader->at;
    struct q2p_span at;
    const uint8_t *header = q2p__read_skip(reader, IPV4_LEN, &at);
    if (!header)
        return;
    size_t header_len = (header[0] & 15) * 4u, packet_len = load_be16(header + 2);
    unsigned fragment = load_be16(header + 6);
    out->id = load_be16(header + 4);
    out->at = (fragment & 0x1fff) * (size_t)CLI_PIECE_UNIT;
    out->more = fragment & 0x2000;
    out->protocol = header[9];
    memcpy(out->src.ip, header + 12, 4);
    memcpy(out->dst.ip, header + 16, 4);
    out->src.ip_len = out->dst.ip_len = 4;
    if (header_len < IPV4_LEN)
        reader->status = Q2P_ERR_SHORT;
    else
        skip(reader, header_len - IPV4_LEN);
    if (packet_len >= header_len)
        end_at(reader, start + packet_len);
}

static void read_ipv6(struct q2p__reader *reader, struct cli_piece *out)
{
    skip(reader, 4);
    size_t payload_len = read_be16(reader);
    unsigned next = read_be16(reader) >> 8;
    read_ipv6_addr(reader, &out->src);
    read_ipv6_addr(reader, &out->dst);
    if (payload_len)
        end_at(reader, reader->at + payload_len);
    for (int i = 0; i < EXTENSIONS_MAX && reader->status == Q2P_OK; i++) {
        unsigned head;
        switch (next) {
        case IPV6_HOP_BY_HOP:
        case IPV6_ROUTING:
        case IPV6_DESTINATION:
            head = read_be16(reader);
            skip(reader, (head & 0xff) * 8u + 6);
            next = head >> 8;
            break;
        case IPV6_FRAGMENT:
            next = read_be16(reader) >> 8;
            head = read_be16(reader);
            out->at = head & 0xfff8u;
            out->more = head & 1;
            out->id = read_be32(reader);
            break;
        default:
            out->protocol = (uint8_t)next;
            return;
        }
    }
}

/* One frame: true if it is, or completes, a UDP datagram. */
static bool unwrap(struct cli_capture *capture, const struct cli_blocks_frame *frame,
                   struct q2p__reader *reader, struct cli_datagram *out)
{
    struct cli_piece packet = {.protocol = 0};
    struct q2p_span at;
    packet.src.scope_id = packet.dst.scope_id = frame->interface;
    if (!read_link(reader, frame->link) || reader->at >= reader->have)
        return false;
    switch (reader->bytes[reader->at] >> 4) {
    case 4:
        read_ipv4(reader, &packet);
        break;
    case 6:
        read_ipv6(reader, &packet);
        break;
    default:
        return false;
    }
    if (reader->status != Q2P_OK || packet.protocol != PROTOCOL_UDP)
        return false;
    if ((packet.at || packet.more) &&
        !cli_pieces_add(&capture->pieces, &packet, capture->frames, &capture->flaws, reader))
        return false;

    out->src = packet.src;
    out->dst = packet.dst;
    const uint8_t *udp = q2p__read_skip(reader, UDP_LEN, &at);
    if (!udp)
        return false;
    out->src.port = (uint16_t)load_be16(udp);
    out->dst.port = (uint16_t)load_be16(udp + 2);
    size_t udp_len = load_be16(udp + 4);
    out->bytes = reader->bytes + reader->at;
    out->have = reader->have - reader->at;
    out->total = reader->total - reader->at;
    if (udp_len >= UDP_LEN && udp_len - UDP_LEN < out->total)
        out->total = udp_len - UDP_LEN;
    if (out->have > out->total)
        out->have = out->total;
    return true;
}

/* A damaged file may say any year: sums and differences of times must not overflow. */
static int64_t nanoseconds(const struct timeval *time)
{
    int64_t most = INT64_MAX / 2 / Q2P_SECOND;
    if (time->tv_sec < 0)
        return 0;
    if (time->tv_sec >= most)
        return most * Q2P_SECOND;
    return (int64_t)time->tv_sec * Q2P_SECOND +
           (time->tv_usec > 0 ? time->tv_usec % Q2P_SECOND : 0);
}

static int next_of_pcap(struct cli_capture *capture, struct cli_blocks_frame *out,
                        char why[CLI_WHY_MAX])
{
    struct pcap_pkthdr *header;
    int status = pcap_next_ex(capture->pcap, &header, &out->bytes);
    if (status == PCAP_ERROR_BREAK)
        return 0;
    if (status != 1) {
        snprintf(why, CLI_WHY_MAX, "%s", pcap_geterr(capture->pcap));
        return Q2P_ERR_INVALID;
    }
    out->link = capture->link;
    out->interface = 0;
    out->t_ns = nanoseconds(&header->ts);
    out->have = header->caplen < header->len ? header->caplen : header->len;
    out->total = header->len;
    return 1;
}

static void note_strange(struct cli_capture *capture, const struct cli_blocks_frame *frame)
{
    if (capture->flaws.strange++)
        return;
    capture->flaws.strange_first = capture->frames;
    capture->flaws.strange_link = frame->link_type;
}

int cli_capture_next(struct cli_capture *capture, struct cli_datagram *out, char why[CLI_WHY_MAX])
{
    struct cli_blocks_frame frame;
    char text[CLI_WHY_MAX];
    int status;
    while ((status = capture->pcap ? next_of_pcap(capture, &frame, text)
                                   : cli_blocks_next(capture->pcapng, &frame, text)) == 1) {
        capture->frames++;
        if (frame.link < 0) {
            note_strange(capture, &frame);
            continue;
        }
        struct q2p__reader reader;
        q2p__reader_init(&reader, frame.bytes, frame.have, frame.total);
        if (frame.have < frame.total && !capture->flaws.cut++)
            capture->flaws.cut_first = capture->frames;
        if (!unwrap(capture, &frame, &reader, out))
            continue;
        if (q2p_wire_joined(out->bytes, out->have, out->total) > 1 && !capture->flaws.joined++)
            capture->flaws.joined_first = capture->frames;
        out->frame = capture->frames;
        out->t_ns = frame.t_ns;
        return 1;
    }
    if (status < 0 && capture->frames)
        snprintf(why, CLI_WHY_MAX, "the capture breaks off behind frame %" PRIu64 " (%.200s)",
                 capture->frames, text);
    else if (status < 0)
        snprintf(why, CLI_WHY_MAX, "not a capture: expected pcap or pcapng (%.200s)", text);
    if (status == 0 && capture->flaws.strange && capture->flaws.strange == capture->frames) {
        snprintf(why, CLI_WHY_MAX, "no frame is of a link layer that can be read: " LINKS_KNOWN);
        return Q2P_ERR_INVALID;
    }
    return status;
}
