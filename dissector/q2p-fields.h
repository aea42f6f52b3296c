/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * q2p-fields.h - the fields and the expert items, one line each; a new one is a new line here and
 * the place in q2p-tree.c that fills it. q2p.event and what a status complains about are not in
 * these lists: they come from the maps of the shared codec.
 */
#ifndef Q2P_FIELDS_H
#define Q2P_FIELDS_H

#include "q2p-compat.h"

#include <epan/expert.h>

#include <q2p/wire.h>

/*     name             filter name            title   type, base, strings     blurb */
#define Q2P_FIELD_MAP(XX)                                                                          \
    XX(network_id, "q2p.network_id", "Network ID", FT_UINT16, BASE_DEC, NULL,                      \
       "Which network the sender belongs to")                                                      \
    XX(network_name, "q2p.network.name", "Network", FT_STRING, BASE_NONE, NULL,                    \
       "What the table of networks in the preferences calls this network")                         \
    XX(event_name, "q2p.event.name", "Event name", FT_STRING, BASE_NONE, NULL,                     \
       "Name of the event, the same in every dialect")                                             \
    XX(dialect, "q2p.dialect", "Dialect", FT_STRING, BASE_NONE, NULL,                              \
       "early, classic or options; unknown where all of them are the same")                        \
    XX(address, "q2p.address", "Address", FT_STRING, BASE_NONE, NULL,                              \
       "Node that the message is about, as text on the wire")                                      \
    XX(address_ip, "q2p.address.ip", "IPv4 address", FT_IPv4, BASE_NONE, NULL,                     \
       "IPv4 address of the node that the message is about")                                       \
    XX(address_ipv6, "q2p.address.ipv6", "IPv6 address", FT_IPv6, BASE_NONE, NULL,                 \
       "IPv6 address of the node that the message is about")                                       \
    XX(address_port, "q2p.address.port", "Port", FT_UINT16, BASE_DEC, NULL,                        \
       "UDP port of the node that the message is about")                                           \
    XX(reason, "q2p.reason", "Reason", FT_STRING, BASE_NONE, NULL, "Why the sender refuses")       \
    XX(hash, "q2p.hash", "Key", FT_BYTES, BASE_NONE, NULL,                                         \
       "Key of the transmission: MD5 of its data, in options with the destination")                \
    XX(length, "q2p.length", "Length", FT_UINT32, BASE_DEC, NULL,                                  \
       "Bytes of the whole transmission; 0 when a classic fragment is sent again")                 \
    XX(syn, "q2p.syn", "SYN", FT_UINT32, BASE_DEC, NULL, "Number of the fragment, from 0")         \
    XX(state, "q2p.state", "State", FT_UINT8, BASE_DEC, VALS(q2p_states),                          \
       "Extension: what the sender of this message says of the transmission at its end")           \
    XX(token, "q2p.token", "Token", FT_UINT16, BASE_DEC, NULL,                                     \
       "Extension: number of a question, which its answer repeats; 0 = nobody asked")              \
    XX(received, "q2p.received", "Received fragments", FT_UINT32, BASE_DEC, NULL,                  \
       "Extension: fragments that the receiver has taken in from this sender so far, copies too")  \
    XX(body, "q2p.body", "Body", FT_BYTES, BASE_NONE, NULL, "Bytes of the fragment")               \
    XX(lost, "q2p.lost", "Lost SYN", FT_UINT32, BASE_DEC, NULL,                                    \
       "Number of a fragment that the sender of this message lacks")                               \
    XX(lost_count, "q2p.lost.count", "Lost SYNs", FT_UINT32, BASE_DEC, NULL,                       \
       "How many fragments this message asks for; 0 = the receiver has given up")                  \
    XX(trailing, "q2p.trailing", "Trailing bytes", FT_BYTES, BASE_NONE, NULL,                      \
       "Bytes behind the end of the message, which peers ignore")                                  \
    XX(transmission, "q2p.transmission", "Transmission", FT_UINT32, BASE_DEC, NULL,                \
       "Index of the transmission in this capture, from 0")                                        \
    XX(sending, "q2p.sending", "Sending", FT_UINT32, BASE_DEC, NULL,                               \
       "1 when these data went to this receiver for the first time, 2 for the second")             \
    XX(fragments, "q2p.fragments", "Fragments", FT_UINT32, BASE_DEC, NULL,                         \
       "Number of fragments of the whole transmission")                                            \
    XX(missing_count, "q2p.missing.count", "Missing fragments", FT_UINT32, BASE_DEC, NULL,         \
       "Fragments that have not been seen, as far as this capture has been read")                  \
    XX(missing, "q2p.missing", "Missing SYN", FT_UINT32, BASE_DEC, NULL,                           \
       "Number of a fragment that was never seen; listed where the transmission ends")             \
    XX(complete, "q2p.complete", "Complete", FT_BOOLEAN, BASE_NONE, NULL,                          \
       "Every fragment was seen on its way to a node that takes it")                               \
    XX(verdict, "q2p.verdict", "Verdict", FT_STRING, BASE_NONE, NULL,                              \
       "What came of the transmission, in the words of q2p check: complete, gave-up, ...")         \
    XX(started_in, "q2p.started.in", "Started in", FT_FRAMENUM, BASE_NONE, NULL,                   \
       "First frame of the transmission")                                                          \
    XX(reassembled_in, "q2p.reassembled.in", "Reassembled in", FT_FRAMENUM, BASE_NONE, NULL,       \
       "Frame with the last missing fragment")                                                     \
    XX(gave_up_in, "q2p.gave_up.in", "Receiver gave up in", FT_FRAMENUM, BASE_NONE, NULL,          \
       "Frame in which the receiver says that it has given up")                                    \
    XX(refused_in, "q2p.refused.in", "Refused in", FT_FRAMENUM, BASE_NONE, NULL,                   \
       "Frame in which the receiver says that it belongs to another network")                      \
    XX(duplicate_of, "q2p.duplicate.of", "Duplicate of", FT_FRAMENUM, BASE_NONE,                   \
       FRAMENUM_TYPE(FT_FRAMENUM_RETRANS_PREV), "Frame in which this fragment was seen first")     \
    XX(reassembled_length, "q2p.reassembled.length", "Reassembled length", FT_UINT32, BASE_DEC,    \
       NULL, "Bytes of the data put together")                                                     \
    XX(reassembled_data, "q2p.reassembled.data", "Reassembled data", FT_BYTES, BASE_NONE, NULL,    \
       "The data put together")                                                                    \
    XX(role, "q2p.role", "Role", FT_STRING, BASE_NONE, NULL,                                       \
       "What this message is to its transmission: first, retransmission, duplicate, late, ...")    \
    XX(fragment, "q2p.fragment", "Fragment", FT_UINT32, BASE_DEC, NULL,                            \
       "Which fragment of the transmission this is, from 1: SYN + 1")                              \
    XX(asked_in, "q2p.asked.in", "Asked for in", FT_FRAMENUM, BASE_NONE,                           \
       FRAMENUM_TYPE(FT_FRAMENUM_REQUEST), "Frame that asked for this fragment")                   \
    XX(answered_in, "q2p.answered.in", "Answered in", FT_FRAMENUM, BASE_NONE,                      \
       FRAMENUM_TYPE(FT_FRAMENUM_RESPONSE), "Frame that brought a fragment asked for here")        \
    XX(response_in, "q2p.response.in", "Response in", FT_FRAMENUM, BASE_NONE,                      \
       FRAMENUM_TYPE(FT_FRAMENUM_RESPONSE), "OPTIONSFEEDBACK to this OPTIONS")                     \
    XX(response_to, "q2p.response.to", "Response to", FT_FRAMENUM, BASE_NONE,                      \
       FRAMENUM_TYPE(FT_FRAMENUM_REQUEST), "OPTIONS that this OPTIONSFEEDBACK answers")            \
    XX(response_time, "q2p.response.time", "Response time", FT_RELATIVE_TIME, BASE_NONE, NULL,     \
       "From OPTIONS to OPTIONSFEEDBACK")                                                          \
    XX(duration, "q2p.duration", "Duration", FT_RELATIVE_TIME, BASE_NONE, NULL,                    \
       "From the first message of the transmission to its last missing fragment")                  \
    XX(goodput, "q2p.goodput", "Goodput (bit/s)", FT_UINT64, BASE_DEC, NULL,                       \
       "Bits of data by duration")                                                                 \
    XX(hash_check, "q2p.hash.check", "Key", FT_STRING, BASE_NONE, NULL,                            \
       "Whether the key is the MD5 of the data, or of data and destination; not to be told behind" \
       " a NAT, where the destination has another name")                                           \
    XX(punch, "q2p.punch", "Hole punch", FT_UINT32, BASE_DEC, NULL,                                \
       "Index of the hole punch in this capture, from 0: newcomer, known peer and seed")           \
    XX(punch_newcomer, "q2p.punch.newcomer", "Newcomer", FT_STRING, BASE_NONE, NULL,               \
       "Node that joins, by the address it has here")                                              \
    XX(punch_known, "q2p.punch.known", "Known peer", FT_STRING, BASE_NONE, NULL,                   \
       "Node that the newcomer is to be connected with, by the address it has here")               \
    XX(punch_seed, "q2p.punch.seed", "Seed", FT_STRING, BASE_NONE, NULL,                           \
       "Node that knows both and makes them meet")                                                 \
    XX(punch_step, "q2p.punch.step", "Step of 7", FT_UINT8, BASE_DEC, NULL,                        \
       "1 JOIN, 2 TOUCHREQUEST, 3 TOUCH, 4 TOUCHED, 5 CONNECTREQUEST, 6 CONNECT, 7 CONNECTED")     \
    XX(punch_previous, "q2p.punch.previous", "Previous step in", FT_FRAMENUM, BASE_NONE,           \
       FRAMENUM_TYPE(FT_FRAMENUM_REQUEST), "Frame with the step before this one")                  \
    XX(punch_next, "q2p.punch.next", "Next step in", FT_FRAMENUM, BASE_NONE,                       \
       FRAMENUM_TYPE(FT_FRAMENUM_RESPONSE), "Frame with the step after this one")                  \
    XX(punch_first, "q2p.punch.first", "Step first seen in", FT_FRAMENUM, BASE_NONE,               \
       FRAMENUM_TYPE(FT_FRAMENUM_RETRANS_PREV), "Frame in which this step was taken first")        \
    XX(punch_step_time, "q2p.punch.step.time", "Time of the step", FT_RELATIVE_TIME, BASE_NONE,    \
       NULL, "Since the step that caused this one; TOUCH causes none")                             \
    XX(punch_time, "q2p.punch.time", "Time of the punch", FT_RELATIVE_TIME, BASE_NONE, NULL,       \
       "From the first step that was seen here until CONNECTED")                                   \
    XX(punch_state, "q2p.punch.state", "State", FT_STRING, BASE_NONE, NULL,                        \
       "Last step that was reached, as far as this capture has been read")                         \
    XX(punch_wanted, "q2p.punch.wanted", "Missing step", FT_STRING, BASE_NONE, NULL,               \
       "Step that never came; in the last frame of a punch that failed")                           \
    XX(punch_verdict, "q2p.punch.verdict", "Why", FT_STRING, BASE_NONE, NULL,                      \
       "What probably became of the missing step")                                                 \
    XX(punch_connected_in, "q2p.punch.connected.in", "Connected in", FT_FRAMENUM, BASE_NONE, NULL, \
       "Frame with the first CONNECTED of this punch")                                             \
    XX(punch_count, "q2p.punch.count", "Hole punches", FT_UINT32, BASE_DEC, NULL,                  \
       "How many hole punches this JOIN has begun, as far as this capture has been read")

/*     name                filter name              group, severity, summary */
#define Q2P_EXPERT_MAP(XX)                                                                         \
    XX(trailing, "q2p.expert.trailing", PI_PROTOCOL, PI_NOTE,                                      \
       "Bytes behind the end of the message")                                                      \
    XX(foreign, "q2p.expert.foreign", PI_PROTOCOL, PI_WARN,                                        \
       "Receiver belongs to another network and does not take this (PROTOCOL.md 5.4)")             \
    XX(mismatch, "q2p.expert.mismatch", PI_RESPONSE_CODE, PI_WARN,                                 \
       "Refused: this node belongs to another network than the other side")                        \
    XX(oversize_list, "q2p.expert.oversize_list", PI_PROTOCOL, PI_WARN,                            \
       "List is longer than one datagram: the original reads only the first 123 SYNs")             \
    XX(duplicate, "q2p.expert.duplicate", PI_SEQUENCE, PI_NOTE, "Fragment was seen before")        \
    XX(conflict, "q2p.expert.conflict", PI_SEQUENCE, PI_WARN,                                      \
       "Fragment was seen before with other bytes; the first ones count")                          \
    XX(resent, "q2p.expert.resent", PI_SEQUENCE, PI_NOTE, "Fragment is sent again")                \
    XX(late, "q2p.expert.late", PI_SEQUENCE, PI_WARN,                                              \
       "Missing fragment comes too late: the receiver has given up")                               \
    XX(stray, "q2p.expert.stray", PI_SEQUENCE, PI_NOTE,                                            \
       "Fragment of a transmission whose start was not seen; its length is not known")             \
    XX(misfit, "q2p.expert.misfit", PI_PROTOCOL, PI_WARN,                                          \
       "Fragment does not fit the length announced for this transmission")                         \
    XX(length_changed, "q2p.expert.length_changed", PI_PROTOCOL, PI_WARN,                          \
       "Length differs from the one announced before for the same key")                            \
    XX(restart, "q2p.expert.restart", PI_SEQUENCE, PI_NOTE, "Transmission was announced before")   \
    XX(orphan, "q2p.expert.orphan", PI_SEQUENCE, PI_NOTE,                                          \
       "Answers a transmission that was not seen")                                                 \
    XX(asked_seen, "q2p.expert.asked_seen", PI_SEQUENCE, PI_NOTE,                                  \
       "Asks for fragments that passed here: they were lost further on, or are on their way")      \
    XX(after_complete, "q2p.expert.after_complete", PI_SEQUENCE, PI_WARN,                          \
       "Reports losses although every fragment passed here: they were lost further on")            \
    XX(gave_up, "q2p.expert.gave_up", PI_SEQUENCE, PI_WARN,                                        \
       "Receiver has given up: the transmission failed")                                           \
    XX(gave_up_whole, "q2p.expert.gave_up_whole", PI_SEQUENCE, PI_WARN,                            \
       "Receiver has given up although every fragment passed here: the transmission failed")       \
    XX(unread, "q2p.expert.unread", PI_PROTOCOL, PI_WARN,                                          \
       "Receiver goes on in the options dialect: it does not understand this transmission")        \
    XX(uncollected, "q2p.expert.uncollected", PI_REASSEMBLE, PI_NOTE,                              \
       "Every fragment was seen, but the capture has cut some of them")                            \
    XX(punch_stopped, "q2p.expert.punch_stopped", PI_SEQUENCE, PI_WARN, "Hole punch stopped")      \
    XX(half_open, "q2p.expert.half_open", PI_SEQUENCE, PI_WARN,                                    \
       "Half open: one side may have stored the other, who has not")                               \
    XX(punch_again, "q2p.expert.punch_again", PI_SEQUENCE, PI_CHAT,                                \
       "Step was taken before: repeated, or to keep the connection alive")                         \
    XX(unasked, "q2p.expert.unasked", PI_SEQUENCE, PI_NOTE,                                        \
       "CONNECTED without a CONNECT that was seen here")                                           \
    XX(moved, "q2p.expert.moved", PI_SEQUENCE, PI_WARN,                                            \
       "Comes from another port than the one named: a NAT gives each destination a port of its "   \
       "own")

#define XX(name, filter, title, type, base, strings, blurb) extern int hf_q2p_##name;
Q2P_FIELD_MAP(XX)
#undef XX

#define XX(name, filter, group, severity, summary) extern expert_field ei_q2p_##name;
Q2P_EXPERT_MAP(XX)
#undef XX

extern int proto_q2p;
extern int ett_q2p, ett_q2p_address, ett_q2p_lost, ett_q2p_transmission, ett_q2p_punch;

/* The field `q2p.event` with the names that its numbers have in that dialect. */
int q2p_field_event(enum q2p_dialect dialect);

/* The expert item of what q2p_wire_read complains about; `q2p.err.short` is Q2P_ERR_SHORT. */
expert_field *q2p_expert_status(int status);

/* Registers all of them. */
void q2p_fields_register(int proto);

#endif
