/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * drive.h - moves the datagrams of one machine through one UDP socket. The only part of the
 * library that knows a socket and a clock; leave it out if your program has a loop of its own
 * (examples/embed_libuv.c).
 */
#ifndef Q2P_DRIVE_H
#define Q2P_DRIVE_H

#include <q2p/machine.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct q2p_drive q2p_drive;

/*
 * Binds a UDP socket. ip is numeric: "0.0.0.0" and "::" listen on IPv4 and IPv6 alike (as the
 * original does), anything else on that address only; port 0 lets the system choose. Returns
 * Q2P_OK, Q2P_ERR_ADDRESS, Q2P_ERR_MEMORY, or Q2P_ERR_SYSTEM with errno set (EADDRINUSE,
 * EACCES, ...). *out is owned by the caller; q2p_drive_close(NULL) is fine.
 */
int q2p_drive_open(q2p_drive **out, const char *ip, uint16_t port);
void q2p_drive_close(q2p_drive *drive);

/* The address the socket is bound to. Q2P_OK, or Q2P_ERR_SYSTEM with errno set. */
int q2p_drive_address(const q2p_drive *drive, struct q2p_addr *out);

/*
 * How datagrams pass the kernel. A drive starts with the best that the system has, and falls back
 * by itself where that does not work; nothing but speed depends on it.
 */
enum q2p_calls {
    Q2P_CALLS_PLAIN,  /* one datagram a call */
    Q2P_CALLS_BATCH,  /* many a call: sendmmsg, recvmmsg */
    Q2P_CALLS_OFFLOAD /* and neighbours of one size as one: UDP_SEGMENT, UDP_GRO */
};

/* Uses `most` from now on, or less if the system lacks it. Both return what is in use to send. */
enum q2p_calls q2p_drive_choose(q2p_drive *drive, enum q2p_calls most);
enum q2p_calls q2p_drive_calls(const q2p_drive *drive);

/* For poll loops of others: readable means q2p_drive_step will find something. */
int q2p_drive_fd(const q2p_drive *drive);

/* For config.alloc: malloc's memory, but large blocks in large pages where the system has them.
 * Receiving 100 MB costs a third less then. */
void q2p_drive_memory(struct q2p_alloc *out);

/* The monotonic clock that q2p_drive_step passes to the machine. */
q2p_time q2p_drive_now(void);

/*
 * One turn: takes in what has come; if there is nothing, sends what the machine has and waits until
 * a datagram, the machine's deadline or `until` (q2p_drive_now's clock; Q2P_NEVER = no limit). Then
 * ticks if it is time, and sends. Returns the number of datagrams taken in, or Q2P_ERR_SYSTEM with
 * errno set; EINTR returns 0. ICMP errors and full socket buffers are no errors: UDP loses
 * datagrams.
 */
int q2p_drive_step(q2p_drive *drive, const struct q2p_machine *ops, void *machine, q2p_time until);

/*
 * Whether ICMP shall be listened to that says "port unreachable". Anybody can forge it, and while
 * it is on each one slows sending, so: only for as long as nothing came from whom it is about, and
 * nothing that works may end of it. Then q2p_drive_refused is to be called after each step. Q2P_OK,
 * or Q2P_ERR_SYSTEM if the system cannot tell.
 */
int q2p_drive_hear_refusals(q2p_drive *drive, bool on);

/* The next address that nobody is said to listen at. False: no more. */
bool q2p_drive_refused(q2p_drive *drive, struct q2p_addr *out);

/*
 * "host:port", "a.b.c.d:port", "[v6]:port" to an address, through the system's resolver (may
 * block; for programs, never used on wire data). prefer_ip_len 4 or 16, 0 = any. Returns Q2P_OK,
 * Q2P_ERR_ADDRESS (form), Q2P_ERR_RESOLVE or Q2P_ERR_MEMORY.
 */
int q2p_drive_resolve(struct q2p_addr *out, const char *text, uint8_t prefer_ip_len);

#ifdef __cplusplus
}
#endif
#endif
