/* SPDX-License-Identifier: GPL-2.0-or-later */
/* q2p-text.c - what a datagram says, as a sentence for the Info column. */
#include "q2p-networks.h"
#include "q2p-tap.h"
#include "q2p-tree.h"

#include <epan/to_str.h>

#include <q2p/status.h>

#include "spans.h"

#define HASH_BYTES_SHOWN 3
#define SYNS_SHOWN 8
#define TEXT_BYTES_SHOWN 64

/* The first bytes of the key, as people say it: "9ae8f0…". */
static const char *hash_text(const struct q2p_view *view)
{
    struct q2p_span at = view->packet->hash_at;

    if (at.len < HASH_BYTES_SHOWN)
        return "a key cut short";

    char *hex = tvb_bytes_to_str(view->pinfo->pool, view->tvb, (int)at.at, HASH_BYTES_SHOWN);
    return wmem_strdup_printf(view->pinfo->pool, "%s\u2026", hex);
}

/* "fragment 3 of 12" */
static const char *fragment_text(const struct q2p_view *view)
{
    const struct q2p_transmission *transmission = view->transmission;
    uint32_t fragments = q2p_wire_fragments(view->packet->length);
    uint64_t number = (uint64_t)view->packet->syn + 1; /* people count from 1 */
    wmem_allocator_t *pool = view->pinfo->pool;

    if (transmission != NULL && transmission->length_known)
        fragments = transmission->fragments;
    if (fragments == 0)
        return wmem_strdup_printf(pool, "fragment %" PRIu64 " of ?", number);
    return wmem_strdup_printf(pool, "fragment %" PRIu64 " of %u", number, fragments);
}

/* Text from the wire, not too much of it. */
static const char *wire_text(const struct q2p_view *view, struct q2p_span at)
{
    bool fits = at.len <= TEXT_BYTES_SHOWN;

    if (at.len == 0)
        return "(nothing)";
    at.len = fits ? at.len : TEXT_BYTES_SHOWN;
    return wmem_strdup_printf(view->pinfo->pool, "%s%s", q2p_span_text(view->pinfo, view->tvb, at),
                              fits ? "" : "\u2026");
}

/* What became of the fragment, if that is worth a word. */
static const char *fragment_fate(const struct q2p_view *view)
{
    const struct q2p_transmission *transmission = view->transmission;

    if (view->visit->foreign)
        return ", to another network";
    switch ((enum q2p_role)view->visit->role) {
    case Q2P_ROLE_DUPLICATE:
        return ", again";
    case Q2P_ROLE_CONFLICT:
        return ", again with other bytes";
    case Q2P_ROLE_LATE:
        return ", too late";
    case Q2P_ROLE_STRAY:
        return ", start not seen";
    case Q2P_ROLE_RESENT:
    case Q2P_ROLE_PIECE:
        if (transmission != view->visit->transmission)
            return ", again"; /* seemed to begin a sending of its own */
        if (transmission->complete_frame == view->pinfo->num)
            return q2p_transmission_complete(transmission) ? ", complete" : ", all of them in vain";
        return view->visit->role == Q2P_ROLE_RESENT ? ", sent again" : "";
    case Q2P_ROLE_NONE:
    case Q2P_ROLE_JOIN:
    case Q2P_ROLE_STEP:
    case Q2P_ROLE_START:
    case Q2P_ROLE_RESTART:
    case Q2P_ROLE_QUESTION:
    case Q2P_ROLE_READY:
    case Q2P_ROLE_BAD:
    case Q2P_ROLE_ASK:
    case Q2P_ROLE_GAVE_UP:
    case Q2P_ROLE_ORPHAN:
        break;
    }
    return "";
}

static const char *plural(uint32_t count)
{
    return count == 1 ? "" : "s";
}

static const char *text_of_list(const struct q2p_view *view)
{
    const struct q2p_packet *packet = view->packet;
    const uint8_t *bytes = tvb_get_ptr(view->tvb, 0, -1);
    wmem_strbuf_t *text = wmem_strbuf_new(view->pinfo->pool, "");

    if (packet->hash_at.len == 0)
        return "";
    if (packet->lost_count == 0 && view->status != Q2P_OK)
        return wmem_strdup_printf(view->pinfo->pool, ": list for %s", hash_text(view));
    if (packet->lost_count == 0)
        return wmem_strdup_printf(view->pinfo->pool, ": receiver of %s has given up",
                                  hash_text(view));
    wmem_strbuf_append_printf(text, ": %u fragment%s of %s missing: SYN ", packet->lost_count,
                              plural(packet->lost_count), hash_text(view));
    for (uint32_t i = 0; i < packet->lost_count && i < SYNS_SHOWN; i++)
        wmem_strbuf_append_printf(text, "%s%u", i == 0 ? "" : ",", q2p_wire_lost(packet, bytes, i));
    if (packet->lost_count > SYNS_SHOWN)
        wmem_strbuf_append(text, ",\u2026");
    return wmem_strbuf_get_str(text);
}

/* "500 bytes in 2 fragments" */
static const char *length_text(const struct q2p_view *view)
{
    uint32_t length = view->packet->length, fragments = q2p_wire_fragments(length);

    return wmem_strdup_printf(view->pinfo->pool, "%u byte%s in %u fragment%s", length,
                              plural(length), fragments, plural(fragments));
}

/* 0 bytes are asked about by who wants an answer, and nothing else (q2p ping). */
static const char *text_of_options(const struct q2p_view *view)
{
    const struct q2p_packet *packet = view->packet;
    wmem_allocator_t *pool = view->pinfo->pool;

    if (packet->length_at.len == 0)
        return wmem_strdup_printf(pool, ": announces %s", hash_text(view));
    if (packet->state_at.len > 0)
        return wmem_strdup_printf(pool, ": asks what has come of %s, %s", hash_text(view),
                                  length_text(view));
    if (packet->length == 0)
        return wmem_strdup_printf(pool, ": a question, or 0 bytes announced, as %s",
                                  hash_text(view));
    return wmem_strdup_printf(pool, ": announces %s, %s", hash_text(view), length_text(view));
}

static const char *text_of_feedback(const struct q2p_view *view)
{
    const struct q2p_packet *packet = view->packet;
    const char *format = ": ready for %s";

    if (packet->received_at.len > 0)
        format = packet->state == Q2P_STATE_COMPLETE ? ": all of %s has arrived"
                 : packet->state == Q2P_STATE_ABSENT ? ": there is no %s here"
                                                     : ": %s is not all there yet";
    return wmem_strdup_printf(view->pinfo->pool, format, hash_text(view));
}

/* The sentence behind the name of the event. */
static const char *text_of_event(const struct q2p_view *view)
{
    const struct q2p_packet *packet = view->packet;
    wmem_allocator_t *pool = view->pinfo->pool;

    switch (packet->event) {
    case Q2P_EV_JOIN:
        return wmem_strdup_printf(pool, ": joins network %s",
                                  q2p_network_text(pool, packet->network_id));
    case Q2P_EV_TOUCHREQUEST:
        return wmem_strdup_printf(pool, ": touch %s", wire_text(view, packet->address_at));
    case Q2P_EV_TOUCH:
        return ": opens the way for an answer";
    case Q2P_EV_TOUCHED:
        return wmem_strdup_printf(pool, ": has touched %s", wire_text(view, packet->address_at));
    case Q2P_EV_CONNECTREQUEST:
        return wmem_strdup_printf(pool, ": connect to %s", wire_text(view, packet->address_at));
    case Q2P_EV_CONNECT:
        return ": asks to connect";
    case Q2P_EV_CONNECTED:
        return ": is connected";
    case Q2P_EV_CONNECT_FAILED:
        return wmem_strdup_printf(pool, ": %s", wire_text(view, packet->reason_at));
    case Q2P_EV_OPTIONS:
        return text_of_options(view);
    case Q2P_EV_OPTIONSFEEDBACK:
        return text_of_feedback(view);
    case Q2P_EV_TRANSPORT:
        if (packet->syn_at.len == 0)
            return "";
        return wmem_strdup_printf(pool, " %s of %s (SYN %u)%s", fragment_text(view),
                                  hash_text(view), packet->syn, fragment_fate(view));
    case Q2P_EV_TRANSPORT_FAILED:
        return text_of_list(view);
    case Q2P_EV_TEST:
        return ": does nothing";
    case Q2P_EV_UNKNOWN:
        break;
    }
    return "";
}

const char *q2p_text_of(const struct q2p_view *view)
{
    wmem_allocator_t *pool = view->pinfo->pool;
    const char *trouble = "";
    size_t joined = 1;

    if (view->packet->event_at.len == 0)
        return wmem_strdup_printf(pool, "Datagram of %u bytes: no header",
                                  tvb_reported_length(view->tvb));
    if (view->packet->event == Q2P_EV_UNKNOWN)
        return wmem_strdup_printf(pool, "Event %u, which has no meaning", view->packet->number);
    if (view->status != Q2P_OK && tvb_reported_length(view->tvb) > Q2P_DATAGRAM_MAX)
        joined = q2p_wire_joined(tvb_get_ptr(view->tvb, 0, -1), tvb_captured_length(view->tvb),
                                 tvb_reported_length(view->tvb));
    if (joined > 1)
        trouble = wmem_strdup_printf(pool,
                                     " [%u datagrams joined by a kernel: record elsewhere, or"
                                     " use --no-offload]",
                                     (unsigned)joined);
    else if (view->status != Q2P_OK)
        trouble = wmem_strdup_printf(pool, " [%s]", q2p_status_text(view->status));
    return wmem_strdup_printf(pool, "%s%s%s", q2p_event_name(view->packet->event),
                              text_of_event(view), trouble);
}

const char *q2p_tap_text(packet_info *pinfo, const struct q2p_tap *tap)
{
    struct q2p_view view = {.pinfo = pinfo,
                            .tvb = tap->tvb,
                            .packet = tap->packet,
                            .status = tap->status,
                            .visit = tap->visit,
                            .transmission = tap->transmission,
                            .punch = tap->punch};

    return q2p_text_of(&view);
}

char *q2p_tap_endpoint(wmem_allocator_t *pool, const address *addr, uint32_t port)
{
    const char *text = address_to_str(pool, addr);

    return wmem_strdup_printf(pool, addr->type == AT_IPv6 ? "[%s]:%u" : "%s:%u", text, port);
}
