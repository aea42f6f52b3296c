/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_datagram.c - any bytes as one datagram, whole and cut, in every dialect: spans stay inside
 * what is at hand and in order, what reads well is written again byte for byte, guesses hold.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <q2p/status.h>
#include <q2p/wire.h>

#include "fuzz.h"

static void check_spans(const struct q2p_packet *packet, size_t have)
{
    const struct q2p_span spans[] = {packet->network_id_at, packet->event_at, packet->address_at,
                                     packet->reason_at,     packet->hash_at,  packet->length_at,
                                     packet->syn_at,        packet->body_at,  packet->lost_at,
                                     packet->state_at,      packet->token_at, packet->received_at,
                                     packet->trailing_at};
    size_t end = 0;

    for (size_t i = 0; i < sizeof spans / sizeof spans[0]; i++) {
        if (spans[i].len == 0)
            continue;
        MUST(spans[i].at >= end);
        end = (size_t)spans[i].at + spans[i].len;
        MUST(end <= have);
    }
    MUST(packet->lost_count == packet->lost_at.len / 4);
    MUST(packet->hash_at.len == 0 || packet->hash_at.len == Q2P_HASH_LEN);
}

static void fill_message(struct q2p_message *message, const struct q2p_packet *packet,
                         const uint8_t *bytes, uint32_t *lost)
{
    struct q2p_span body = packet->body_at.len ? packet->body_at : packet->reason_at;

    *message = (struct q2p_message){.event = packet->event,
                                    .network_id = packet->network_id,
                                    .length = packet->length,
                                    .extended = packet->token_at.len > 0,
                                    .state = packet->state,
                                    .token = packet->token,
                                    .received = packet->received,
                                    .syn = packet->syn,
                                    .address = packet->address,
                                    .body = bytes + body.at,
                                    .body_len = body.len,
                                    .lost = lost,
                                    .lost_count = packet->lost_count};
    if (packet->hash_at.len > 0)
        memcpy(message->hash.bytes, bytes + packet->hash_at.at, Q2P_HASH_LEN);
    for (uint32_t i = 0; i < packet->lost_count; i++)
        lost[i] = q2p_wire_lost(packet, bytes, i);
}

/* A well-formed message is the only one with its fields; only addresses have several spellings. */
static void check_written(const struct q2p_packet *packet, const uint8_t *bytes, size_t size)
{
    uint32_t *lost = malloc((packet->lost_count + (size_t)1) * sizeof *lost);
    uint8_t *out = malloc(size + Q2P_ADDR_TEXT_MAX);
    struct q2p_message message;
    struct q2p_packet again;

    fill_message(&message, packet, bytes, lost);
    int len = q2p_wire_write(out, size + Q2P_ADDR_TEXT_MAX, packet->dialect, &message);
    MUST(len >= Q2P_HEADER_LEN && (size_t)len <= size + Q2P_ADDR_TEXT_MAX);
    if (packet->address_at.len == 0)
        MUST((size_t)len == size && memcmp(out, bytes, size) == 0);
    MUST(q2p_wire_read(&again, packet->dialect, out, (size_t)len, (size_t)len) == Q2P_OK);
    MUST(q2p_addr_equal(&again.address, &packet->address));
    for (size_t room = 0; room < (size_t)len; room += 1 + room / 3) {
        memset(out, 0xee, (size_t)len);
        MUST(q2p_wire_write(out, room, packet->dialect, &message) == len);
        MUST(out[room] == 0xee);
    }
    free(out);
    free(lost);
}

static void check_read(enum q2p_dialect dialect, const uint8_t *bytes, size_t have, size_t total)
{
    struct q2p_packet packet;
    int status = q2p_wire_read(&packet, dialect, bytes, have, total);

    check_spans(&packet, have);
    MUST(have < total || status != Q2P_ERR_CUT);
    MUST(status <= Q2P_OK && status >= Q2P_ERR_LIST);
    for (uint32_t i = 0; i < packet.lost_count; i++)
        (void)q2p_wire_lost(&packet, bytes, i);
    if (status == Q2P_OK && have == total && packet.trailing_at.len == 0 &&
        (dialect == Q2P_DIALECT_CLASSIC || dialect == Q2P_DIALECT_OPTIONS))
        check_written(&packet, bytes, total);
}

static void check_guesses(const uint8_t *bytes, size_t have, size_t total)
{
    enum q2p_dialect dialect = q2p_wire_dialect(bytes, have, total);
    struct q2p_packet packet;

    if (dialect != Q2P_DIALECT_UNKNOWN) {
        int status = q2p_wire_read(&packet, dialect, bytes, have, total);
        MUST(status == Q2P_OK || status == Q2P_ERR_CUT || status == Q2P_ERR_OVERSIZE);
    }
    if (q2p_wire_likeness(bytes, have, total) == Q2P_LIKENESS_STRONG) {
        bool sound = false;
        for (int i = Q2P_DIALECT_EARLY; i <= Q2P_DIALECT_OPTIONS; i++) {
            int status = q2p_wire_read(&packet, (enum q2p_dialect)i, bytes, have, total);
            sound |= status == Q2P_OK || status == Q2P_ERR_CUT || status == Q2P_ERR_OVERSIZE;
        }
        MUST(sound);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const size_t cuts[] = {0, 3, 10, 22, 26, 40, 509};

    for (int dialect = Q2P_DIALECT_UNKNOWN; dialect <= Q2P_DIALECT_OPTIONS; dialect++) {
        check_read((enum q2p_dialect)dialect, bytes, size, size);
        for (size_t i = 0; i < sizeof cuts / sizeof cuts[0] && cuts[i] < size; i++)
            check_read((enum q2p_dialect)dialect, bytes, cuts[i], size);
    }
    check_guesses(bytes, size, size);
    check_guesses(bytes, size / 2, size);
    return 0;
}
