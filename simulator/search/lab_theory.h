/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lab_theory.h - what must come out, by formula: which NATs can be punched through, how often it
 * works when datagrams get lost, and how far from that a fair sample may be. Nothing here
 * simulates.
 */
#ifndef LAB_THEORY_H
#define LAB_THEORY_H

#include "net_nat.h"

#define LAB_NATS 9 /* RFC 4787: mapping x filtering */

/* A fair sample is called unfair once in 100,000: that share, and the same two-sided in standard
 * deviations of a mean. */
#define LAB_DOUBT 1e-5
#define LAB_BAND 4.4172

enum lab_mark { LAB_NONE, LAB_HALF, LAB_FULL }; /* HALF: the known one knows, the newcomer not */
const char *lab_mark_word(enum lab_mark mark);  /* "-", "half", "ok" */

/* Type number 0..8: EIM/EIF, EIM/ADF, EIM/APDF, ADM/EIF ... */
const char *lab_nat_name(unsigned type);
struct net_nat_config lab_nat_config(unsigned type, enum net_nat_scope scope);

/* Both learn each other's address as a server sees it, send again and again, and answer whoever is
 * heard. Works or not; never half. */
enum lab_mark lab_theory_classic(const struct net_nat_config *a, const struct net_nat_config *b);

/* The original's messages, each once: the known one opens first, the newcomer second. */
enum lab_mark lab_theory_original(const struct net_nat_config *newcomer,
                                  const struct net_nat_config *known);

/* One newcomer and one known node that can meet, each datagram lost with `wan` in the public
 * network and with `access` between host and NAT; touch_counts: the known one's NAT filters. */
struct lab_chances {
    double full, half, none;
};
struct lab_chances lab_theory_loss(double wan, double access, bool touch_counts);

/* Through `seeds` seeds that fail independently. */
double lab_theory_seeds(double wan, unsigned seeds);

/* How many of n known nodes a newcomer meets through one seed. */
struct lab_moments {
    double none, mean, variance;
};
struct lab_moments lab_theory_known(double wan, unsigned n);

/* Pairs that know each other after n nodes joined one after the other. */
double lab_theory_joiners(double wan, unsigned n);

/* Port prediction. A NAT that counts its ports up gave one; meanwhile others took `others` of them
 * on average (Poisson): is the next one within a window of so many? */
double lab_theory_window(double others, unsigned window);

/* One side holds `held` of `ports` ports at random, the other tries so many different ones. */
double lab_theory_probes(unsigned ports, unsigned held, unsigned probes);

/* Both sides draw their ports: each tries so many pairs of an own and a foreign port. */
double lab_theory_pairs(unsigned ports, unsigned pairs);

/* Two of so many drawn ports are the same. */
double lab_theory_same(unsigned ports, unsigned draws);

/* Rounds until all of n fragments have arrived. */
double lab_theory_rounds(double loss, unsigned n);

/* Transmission of n fragments that the receiver may ask for `rounds` times; a list names at most
 * `listed` of them (the original's lists: 123). OPTIONS and OPTIONSFEEDBACK come once, before. */
double lab_theory_transfer(double loss, unsigned n, unsigned rounds, unsigned listed);

/* The same if a list makes good a lost OPTIONSFEEDBACK, as our node does and the original does
 * not. */
double lab_theory_mended(double loss, unsigned n, unsigned rounds, unsigned listed);

/* Rounds of asking that the receiver's timers leave. */
unsigned lab_theory_rounds_left(q2p_time lost_ns, q2p_time timeout_ns);

/* How seldom chance goes so far from trials * p to the side of `hits`, or farther: the tail of the
 * binomial distribution, to the last term. Bands of a normal one are wrong for small samples and
 * for chances near 0 and 1. */
double lab_tail(uint64_t hits, uint64_t trials, double p);

/* Is a share of `hits` in `trials` what a chance of p gives? */
bool lab_is_fair(uint64_t hits, uint64_t trials, double p);

/* The 95 % interval of Wilson around hits / trials. */
void lab_wilson(uint64_t hits, uint64_t trials, double *low, double *high);

#endif
