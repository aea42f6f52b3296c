/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * q2p_dialect.c - tells from one datagram which dialect its sender speaks, and how likely it is
 * Q2P at all. There is no version field on the wire: both follow from lengths that only one
 * dialect can produce and from fields that confirm each other (PROTOCOL.md 4).
 */
#include <q2p/status.h>
#include <q2p/wire.h>

#include <string.h>

#include "q2p_dialect.h"

/* Highest SYN that a 32-bit length allows. */
#define SYN_MAX (UINT32_MAX / Q2P_FRAGMENT_LEN)

/* A fragment whose length field, number and body agree, or, in a resend, could. */
static bool fragment_fits(const struct q2p_packet *packet, int status, size_t total)
{
    return (status == Q2P_OK || status == Q2P_ERR_CUT) && packet->event == Q2P_EV_TRANSPORT &&
           packet->syn_at.len > 0 && total <= Q2P_DATAGRAM_MAX && packet->syn <= SYN_MAX;
}

static bool list_fits(const struct q2p_packet *packet, int status)
{
    return (status == Q2P_OK || status == Q2P_ERR_CUT || status == Q2P_ERR_OVERSIZE) &&
           packet->event == Q2P_EV_TRANSPORT_FAILED && packet->hash_at.len > 0;
}

/* Do these bytes also read as a TRANSPORT_FAILED of that dialect? */
static bool list_could_be(enum q2p_dialect dialect, const uint8_t *bytes, size_t have, size_t total)
{
    struct q2p_packet packet;
    int status = q2p_wire_read(&packet, dialect, bytes, have, total);

    return list_fits(&packet, status);
}

static enum q2p_dialect prove_transport(enum q2p_dialect dialect, const struct q2p_packet *packet,
                                        const uint8_t *bytes, size_t have, size_t total)
{
    if (dialect == Q2P_DIALECT_OPTIONS || packet->length > 0)
        return dialect;
    /* A resend says length 0. As early list it would ask for SYN 0 first: could be both. */
    if (dialect == Q2P_DIALECT_CLASSIC && list_could_be(Q2P_DIALECT_EARLY, bytes, have, total))
        return Q2P_DIALECT_UNKNOWN;
    return dialect;
}

static enum q2p_dialect prove_list(enum q2p_dialect dialect, size_t total)
{
    size_t empty_len = Q2P_HEADER_LEN + Q2P_HASH_LEN;

    switch (dialect) {
    case Q2P_DIALECT_OPTIONS:
        return dialect;
    case Q2P_DIALECT_CLASSIC: /* empty: an OPTIONSFEEDBACK looks the same */
        return total > empty_len ? dialect : Q2P_DIALECT_UNKNOWN;
    case Q2P_DIALECT_EARLY: /* one SYN: an OPTIONS looks the same; more: a classic TRANSPORT may */
        return total == empty_len ? dialect : Q2P_DIALECT_UNKNOWN;
    case Q2P_DIALECT_UNKNOWN:
        break;
    }
    return Q2P_DIALECT_UNKNOWN;
}

/* What a packet, read in a dialect, proves; no other than that. */
static enum q2p_dialect prove(const struct q2p_packet *packet, int status, const uint8_t *bytes,
                              size_t have, size_t total)
{
    enum q2p_dialect dialect = packet->dialect;

    if (fragment_fits(packet, status, total))
        return prove_transport(dialect, packet, bytes, have, total);
    if (list_fits(packet, status))
        return prove_list(dialect, total);
    if ((packet->event == Q2P_EV_OPTIONS || packet->state_at.len > 0) &&
        (status == Q2P_OK || status == Q2P_ERR_CUT))
        return dialect;
    if (packet->event == Q2P_EV_TEST && total == Q2P_HEADER_LEN && dialect != Q2P_DIALECT_EARLY)
        return dialect;
    return Q2P_DIALECT_UNKNOWN;
}

/* OPTIONS first, as its 24 bytes are also an early list of one; then what has a length field to
 * check, then the rest. */
static const enum q2p_dialect order[] = {Q2P_DIALECT_OPTIONS, Q2P_DIALECT_CLASSIC,
                                         Q2P_DIALECT_EARLY};

enum q2p_dialect q2p_wire_dialect(const uint8_t *bytes, size_t have, size_t total)
{
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        struct q2p_packet packet;
        int status = q2p_wire_read(&packet, order[i], bytes, have, total);

        if (prove(&packet, status, bytes, have, total) != Q2P_DIALECT_UNKNOWN)
            return order[i];
    }
    return Q2P_DIALECT_UNKNOWN;
}

enum q2p_dialect q2p__dialect_read(struct q2p_packet *out, int *status, const uint8_t *bytes,
                                   size_t len)
{
    for (size_t i = 0; order[i] != Q2P_DIALECT_EARLY; i++) {
        *status = q2p_wire_read(out, order[i], bytes, len, len);
        if (prove(out, *status, bytes, len, len) != Q2P_DIALECT_UNKNOWN)
            return order[i];
    }

    struct q2p_packet packet;
    int early = q2p_wire_read(&packet, Q2P_DIALECT_EARLY, bytes, len, len);
    return prove(&packet, early, bytes, len, len);
}

static enum q2p_likeness text_likeness(const uint8_t *text, size_t len)
{
    size_t reason_len = sizeof Q2P_REASON_MISMATCH - 1;

    if (len == reason_len && memcmp(text, Q2P_REASON_MISMATCH, reason_len) == 0)
        return Q2P_LIKENESS_STRONG;
    for (size_t i = 0; i < len; i++)
        if (text[i] < ' ' || text[i] > '~')
            return Q2P_LIKENESS_NONE;
    return len > 0 ? Q2P_LIKENESS_WEAK : Q2P_LIKENESS_NONE;
}

/* Random numbers are below SYN_MAX once in 484 times: three in a row are no accident. Nobody asks
 * for the same fragment twice in a row; silence in other protocols is a row of equal words. */
static enum q2p_likeness list_likeness(const struct q2p_packet *packet, const uint8_t *bytes)
{
    for (uint32_t i = 0; i < packet->lost_count; i++) {
        uint32_t syn = q2p_wire_lost(packet, bytes, i);
        if (syn > SYN_MAX || (i > 0 && syn == q2p_wire_lost(packet, bytes, i - 1)))
            return Q2P_LIKENESS_NONE;
    }
    return packet->lost_count >= 3 ? Q2P_LIKENESS_STRONG : Q2P_LIKENESS_WEAK;
}

/* How likely are these bytes this dialect? Here a message must be just what its sender writes. */
static enum q2p_likeness likeness_in(enum q2p_dialect dialect, const uint8_t *bytes, size_t have,
                                     size_t total)
{
    struct q2p_packet packet;
    int status = q2p_wire_read(&packet, dialect, bytes, have, total);
    bool sound = status == Q2P_OK || status == Q2P_ERR_CUT;

    if (list_fits(&packet, status))
        return list_likeness(&packet, bytes);
    if (!sound || packet.trailing_at.len > 0 || packet.event == Q2P_EV_UNKNOWN)
        return Q2P_LIKENESS_NONE;
    switch (q2p_event_shape(packet.event)) {
    case Q2P_SHAPE_ADDRESS:
        return status == Q2P_OK ? Q2P_LIKENESS_STRONG : Q2P_LIKENESS_WEAK;
    case Q2P_SHAPE_TEXT:
        return text_likeness(bytes + packet.reason_at.at, packet.reason_at.len);
    case Q2P_SHAPE_FRAGMENT:
        if (!fragment_fits(&packet, status, total))
            return Q2P_LIKENESS_NONE;
        return packet.length > 0 ? Q2P_LIKENESS_STRONG : Q2P_LIKENESS_WEAK;
    case Q2P_SHAPE_LIST:
        return Q2P_LIKENESS_NONE;
    case Q2P_SHAPE_BARE:
    case Q2P_SHAPE_START:
    case Q2P_SHAPE_HASH:
        break;
    }
    return Q2P_LIKENESS_WEAK;
}

enum q2p_likeness q2p_wire_likeness(const uint8_t *bytes, size_t have, size_t total)
{
    enum q2p_likeness best = Q2P_LIKENESS_NONE;

    for (int dialect = Q2P_DIALECT_EARLY; dialect <= Q2P_DIALECT_OPTIONS; dialect++) {
        enum q2p_likeness here = likeness_in((enum q2p_dialect)dialect, bytes, have, total);
        if (here > best)
            best = here;
    }
    return best;
}
