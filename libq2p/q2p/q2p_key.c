/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * q2p_key.c - keys are MD5 of the data, in newer options nodes also of the address that they go to
 * (PROTOCOL.md 6.1), which may be one by which we do not know ourselves.
 */
#include "q2p_key.h"

#include <nettle/md5.h>
#include <string.h>

_Static_assert(sizeof(struct md5_ctx) <= sizeof(struct q2p_digest), "a digest is one of nettle");

void q2p_digest_init(struct q2p_digest *out)
{
    struct md5_ctx md5;

    md5_init(&md5);
    memcpy(out, &md5, sizeof md5);
}

void q2p_digest_add(struct q2p_digest *digest, const void *bytes, size_t len)
{
    struct md5_ctx md5;

    memcpy(&md5, digest, sizeof md5);
    if (len > 0)
        md5_update(&md5, len, bytes);
    memcpy(digest, &md5, sizeof md5);
}

static void hash_content(struct q2p__key *out, const struct q2p_content *content,
                         enum q2p_dialect dialect)
{
    struct q2p_digest digest;
    struct md5_ctx md5;

    if (!content->digest) {
        q2p_digest_init(&digest);
        q2p_digest_add(&digest, content->data, content->len);
    }
    memcpy(&md5, content->digest ? content->digest : &digest, sizeof md5);
    if (dialect == Q2P_DIALECT_OPTIONS) {
        char text[Q2P_ADDR_TEXT_MAX];
        int text_len = q2p_addr_print(&out->peer, text, sizeof text);

        md5_update(&md5, (size_t)text_len, (const uint8_t *)text);
    }
    md5_digest(&md5, sizeof out->hash.bytes, out->hash.bytes);
}

static void make_up(q2p_node *node, q2p_time now, struct q2p__key *out)
{
    for (size_t at = 0; at < sizeof out->hash.bytes; at += sizeof(uint64_t)) {
        uint64_t from[2] = {(uint64_t)now, node->keys_made++};
        uint64_t some = q2p__table_hash(node->secret, from, sizeof from);

        memcpy(out->hash.bytes + at, &some, sizeof some);
    }
}

void q2p__key_make(q2p_node *node, q2p_time now, struct q2p__key *out,
                   const struct q2p_content *content, enum q2p_dialect dialect)
{
    if (node->config.verify || content->len == 0) /* else nothing would look like a question */
        hash_content(out, content, dialect);
    else
        make_up(node, now, out);
}

static bool matches(struct md5_ctx md5, const struct q2p_hash *hash, const char *text, size_t len)
{
    uint8_t digest[Q2P_HASH_LEN];

    if (len > 0)
        md5_update(&md5, len, (const uint8_t *)text);
    md5_digest(&md5, sizeof digest, digest);
    return memcmp(digest, hash->bytes, sizeof digest) == 0;
}

enum q2p_check q2p__key_check(const q2p_node *node, const struct q2p_hash *hash, const void *data,
                              size_t len, enum q2p_dialect dialect)
{
    struct md5_ctx md5;

    if (!node->config.verify && len > 0)
        return Q2P_CHECK_NONE;
    md5_init(&md5);
    if (len > 0)
        md5_update(&md5, len, data);
    if (matches(md5, hash, NULL, 0))
        return Q2P_CHECK_DATA;
    if (dialect != Q2P_DIALECT_OPTIONS)
        return Q2P_CHECK_WRONG;
    for (unsigned i = 0; i < node->own_count; i++) {
        char text[Q2P_ADDR_TEXT_MAX];
        int text_len = q2p_addr_print(&node->own[i], text, sizeof text);

        if (matches(md5, hash, text, (size_t)text_len))
            return Q2P_CHECK_ADDRESS;
    }
    return Q2P_CHECK_NONE;
}
