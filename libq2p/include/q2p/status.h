/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * status.h - what a call can answer. Every function that can fail returns an int: 0 or more is
 * fine, a negative number is one of these. One list gives number, name and sentence.
 */
#ifndef Q2P_STATUS_H
#define Q2P_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

#define Q2P_STATUS_MAP(XX)                                                                         \
    XX(OK, 0, "fine")                                                                              \
    /* what a datagram can get wrong (PROTOCOL.md 3) */                                            \
    XX(ERR_SHORT, -1, "message ends before the field does")                                        \
    XX(ERR_CUT, -2, "capture ends before the message does")                                        \
    XX(ERR_UNKNOWN, -3, "event number has no meaning in this dialect")                             \
    XX(ERR_LENGTH, -4, "message has a length this event never has")                                \
    XX(ERR_OVERSIZE, -5, "datagram is longer than the 512 bytes a peer reads")                     \
    XX(ERR_ADDRESS, -6, "address is not a.b.c.d:port or [v6]:port with a port of 1 to 65535")      \
    XX(ERR_EMPTY, -7, "fragment has no body")                                                      \
    XX(ERR_SYN, -8, "fragment number lies beyond the announced length")                            \
    XX(ERR_SHARE, -9, "fragment body is not its share of the announced length")                    \
    XX(ERR_LIST, -10, "list of lost fragments ends inside a number")                               \
    /* what a call can get wrong */                                                                \
    XX(ERR_FULL, -20, "table is at its configured limit")                                          \
    XX(ERR_MEMORY, -21, "memory limit reached or allocator returned NULL")                         \
    XX(ERR_INVALID, -22, "argument is out of its documented range")                                \
    XX(ERR_ABSENT, -23, "no such transmission or peer")                                            \
    XX(ERR_BUSY, -24, "the same bytes are still on their way to this peer")                        \
    XX(ERR_ROOM, -25, "buffer is too small")                                                       \
    /* what the machine below can refuse (drive.h only; errno has the reason) */                   \
    XX(ERR_SYSTEM, -30, "operating system refused")                                                \
    XX(ERR_RESOLVE, -31, "host name does not resolve")

enum q2p_status {
#define XX(name, number, sentence) Q2P_##name = (number),
    Q2P_STATUS_MAP(XX)
#undef XX
};

/* The name of a status without its Q2P_ prefix ("ERR_SHORT"). Static; never NULL. */
const char *q2p_status_name(int status);

/* The sentence that belongs to a status. Static; never NULL. */
const char *q2p_status_text(int status);

#ifdef __cplusplus
}
#endif
#endif
