/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cli_sending.c - keeps the fragments of one sending until they are whole, then their SHA-256 and
 * what they say about the key, for which the data may go to another hand. Whether the receiver took
 * them is for cli_story.c to judge.
 */
#include "cli_sending.h"

#include <stdlib.h>
#include <string.h>

#include <nettle/md5.h>

#include <q2p/status.h>

struct cli_body {
    uint32_t syn;
    uint32_t len;
    uint8_t bytes[Q2P_FRAGMENT_LEN];
};

struct cli_sending *cli_sending_new(const struct cli_sending_key *key, enum q2p_dialect dialect,
                                    uint32_t length)
{
    struct cli_sending *sending = calloc(1, sizeof *sending);
    if (!sending)
        return NULL;
    q2p__list_init(&sending->link);
    sending->key = *key;
    sending->dialect = dialect;
    sending->length = length;
    sending->memory = sizeof *sending;
    return sending;
}

static void drop_pieces(struct cli_sending *sending)
{
    sending->memory -= sending->pieces_room * sizeof *sending->pieces;
    free(sending->pieces);
    sending->pieces = NULL;
    sending->pieces_count = sending->pieces_room = 0;
}

void cli_sending_free(struct cli_sending *sending)
{
    if (!sending)
        return;
    drop_pieces(sending);
    free(sending->passed.bytes);
    free(sending->refused.bytes);
    free(sending);
}

static bool has(const struct cli_bits *bits, uint32_t at)
{
    return at / 8 < bits->len && bits->bytes[at / 8] >> at % 8 & 1;
}

/* Grows with the highest number set, doubling. */
static int set(struct cli_sending *sending, struct cli_bits *bits, uint32_t at)
{
    if (at / 8 >= bits->len) {
        size_t len = bits->len * 2 > at / 8 + 1 ? bits->len * 2 : at / 8 + 1;
        uint8_t *bytes = realloc(bits->bytes, len);
        if (!bytes)
            return Q2P_ERR_MEMORY;
        memset(bytes + bits->len, 0, len - bits->len);
        sending->memory += len - bits->len;
        bits->bytes = bytes;
        bits->len = len;
    }
    bits->count += !has(bits, at);
    bits->bytes[at / 8] |= (uint8_t)(1u << at % 8);
    return Q2P_OK;
}

static void unset(struct cli_bits *bits, uint32_t at)
{
    bits->count -= has(bits, at);
    bits->bytes[at / 8] &= (uint8_t) ~(1u << at % 8);
}

bool cli_sending_holds(const struct cli_sending *sending, uint32_t syn)
{
    return has(&sending->passed, syn) && !has(&sending->refused, syn);
}

uint32_t cli_sending_missing(const struct cli_sending *sending)
{
    return q2p_wire_fragments(sending->length) - sending->passed.count + sending->refused.count;
}

/*
 * A length of 0 announces something, but nothing ever passes and nobody says anything about it
 * (PROTOCOL.md 6.2): nothing missing, and yet not seen to arrive.
 */
bool cli_sending_whole(const struct cli_sending *sending)
{
    return sending->length > 0 && cli_sending_missing(sending) == 0;
}

static int by_syn(const void *left, const void *right)
{
    const struct cli_body *a = left, *b = right;
    return a->syn < b->syn ? -1 : a->syn > b->syn;
}

static enum cli_key_proof prove_key(const struct cli_sending *sending, const uint8_t *data)
{
    struct md5_ctx plain, addressed;
    uint8_t digest[MD5_DIGEST_SIZE];
    char text[Q2P_ADDR_TEXT_MAX];
    int text_len = q2p_addr_print(&sending->key.dst, text, sizeof text);
    md5_init(&plain);
    md5_update(&plain, sending->length, data);
    addressed = plain;
    md5_digest(&plain, sizeof digest, digest);
    if (!memcmp(digest, sending->key.hash.bytes, sizeof digest))
        return CLI_KEY_DATA;
    md5_update(&addressed, (size_t)text_len, (const uint8_t *)text);
    md5_digest(&addressed, sizeof digest, digest);
    return memcmp(digest, sending->key.hash.bytes, sizeof digest) ? CLI_KEY_OTHER : CLI_KEY_ADDRESS;
}

/* The data is looked at, by whatever hand, and let go. */
static void hash(struct cli_job *job)
{
    struct cli_sending *sending = Q2P__LIST_ITEM(job, struct cli_sending, job);
    const uint8_t *data = (const uint8_t *)sending->pieces;
    if (sending->hashing == CLI_HASH_ALL)
        cli_sha256(sending->sha256, data, sending->length);
    sending->proof = prove_key(sending, data);
    free(sending->pieces);
    sending->pieces = NULL;
}

/* The bodies in order, moved together in place: each goes in front of where it was. */
static uint8_t *join(struct cli_sending *sending)
{
    uint8_t *data = (uint8_t *)sending->pieces;
    size_t at = 0;
    for (size_t i = 1; i < sending->pieces_count; i++)
        if (sending->pieces[i].syn < sending->pieces[i - 1].syn) {
            qsort(sending->pieces, sending->pieces_count, sizeof *sending->pieces, by_syn);
            break;
        }
    for (size_t i = 0; i < sending->pieces_count; i++) {
        size_t len = sending->pieces[i].len;
        memmove(data + at, sending->pieces[i].bytes, len);
        at += len;
    }
    return data;
}

/* Every fragment has passed once. */
static void conclude(struct cli_sending *sending)
{
    if (sending->cut) {
        drop_pieces(sending);
        return;
    }
    uint8_t *data = join(sending);
    if (sending->whole)
        sending->whole(sending->whole_ctx, sending, data, sending->length);
    sending->kept = sending->whole != NULL;
    if (sending->hashing == CLI_HASH_NONE) {
        drop_pieces(sending);
        return;
    }
    sending->job.work = hash;
    sending->job.bytes = sending->pieces_room * sizeof *sending->pieces;
    sending->memory -= sending->job.bytes; /* which the crew bounds */
    sending->pieces_count = sending->pieces_room = 0;
    if (sending->crew)
        cli_crew_give(sending->crew, &sending->job);
    else
        hash(&sending->job);
}

static int keep(struct cli_sending *sending, uint32_t syn, const uint8_t *body, size_t len)
{
    if (sending->pieces_count == sending->pieces_room) {
        size_t room = sending->pieces_room ? sending->pieces_room * 2 : 4;
        size_t fragments = q2p_wire_fragments(sending->length);
        room = room < fragments ? room : fragments;
        void *pieces = realloc(sending->pieces, room * sizeof *sending->pieces);
        if (!pieces)
            return Q2P_ERR_MEMORY;
        sending->memory += (room - sending->pieces_room) * sizeof *sending->pieces;
        sending->pieces = pieces;
        sending->pieces_room = room;
    }
    struct cli_body *piece = &sending->pieces[sending->pieces_count++];
    piece->syn = syn;
    piece->len = (uint32_t)len;
    memcpy(piece->bytes, body, len);
    return Q2P_OK;
}

int cli_sending_fragment(struct cli_sending *sending, const struct q2p_packet *packet,
                         const uint8_t *bytes, size_t total)
{
    uint32_t fragments = q2p_wire_fragments(sending->length);
    uint32_t share = q2p_wire_share(sending->length, packet->syn);
    if (packet->syn >= fragments)
        return Q2P_ERR_SYN;
    if (total - packet->body_at.at != share)
        return Q2P_ERR_SHARE;
    if (has(&sending->refused, packet->syn)) {
        unset(&sending->refused, packet->syn); /* the data is the same as before */
        return Q2P_OK;
    }
    if (has(&sending->passed, packet->syn)) {
        sending->duplicates++;
        return Q2P_OK;
    }
    int status = set(sending, &sending->passed, packet->syn);
    bool wanted = sending->hashing != CLI_HASH_NONE || sending->whole;
    if (!status && wanted)
        status = keep(sending, packet->syn, bytes + packet->body_at.at, packet->body_at.len);
    if (status)
        return status;
    sending->cut = sending->cut || packet->body_at.len < share;
    if (sending->passed.count == fragments && wanted)
        conclude(sending);
    return Q2P_OK;
}

int cli_sending_list(struct cli_sending *sending, const struct q2p_packet *packet,
                     const uint8_t *bytes)
{
    sending->lists++;
    for (uint32_t i = 0; i < packet->lost_count; i++) { /* at most what a datagram holds */
        uint32_t syn = q2p_wire_lost(packet, bytes, i);
        if (!has(&sending->passed, syn))
            continue;
        int status = set(sending, &sending->refused, syn);
        if (status)
            return status;
    }
    return Q2P_OK;
}
