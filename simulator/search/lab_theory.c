/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lab_theory.c - closed forms. Abbreviations of RFC 4787: mapping endpoint-independent (EIM),
 * address-dependent (ADM), address-and-port-dependent (APDM); filtering EIF, ADF, APDF.
 */
#include "lab_theory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim_world.h"

const char *lab_mark_word(enum lab_mark mark)
{
    static const char *const words[] = {"-", "half", "ok"};
    return words[mark];
}

const char *lab_nat_name(unsigned type)
{
    static const char *const names[LAB_NATS] = {"EIM/EIF",  "EIM/ADF",  "EIM/APDF",
                                                "ADM/EIF",  "ADM/ADF",  "ADM/APDF",
                                                "APDM/EIF", "APDM/ADF", "APDM/APDF"};
    return names[type];
}

struct net_nat_config lab_nat_config(unsigned type, enum net_nat_scope scope)
{
    return (struct net_nat_config){.mapping = (enum net_nat_kind)(type / 3),
                                   .filtering = (enum net_nat_kind)(type % 3),
                                   .scope = scope,
                                   .forget_ns = 120 * Q2P_SECOND};
}

/* ---- punching ---------------------------------------------------------------------------- */

static bool is_eim(const struct net_nat_config *nat)
{
    return nat->mapping == NET_NAT_INDEPENDENT;
}

/* Both have sent to the address at which the server sees the other. Does what x sends to y pass
 * y's filter? With a mapping per remote address, y's right to be answered belongs to another
 * mapping than the one x sends to, unless rights belong to the inside endpoint. */
static bool passes(const struct net_nat_config *x, const struct net_nat_config *y)
{
    if (y->filtering == NET_NAT_INDEPENDENT)
        return true;
    if (!is_eim(y) && y->scope == NET_NAT_SCOPE_MAPPING)
        return false;
    return y->filtering == NET_NAT_ADDRESS || is_eim(x);
}

/* x was heard by y, who answers the very source it saw. Does that reach x? */
static bool returns(const struct net_nat_config *y, const struct net_nat_config *x)
{
    return x->filtering != NET_NAT_PORT || is_eim(y);
}

enum lab_mark lab_theory_classic(const struct net_nat_config *a, const struct net_nat_config *b)
{
    bool ok = (passes(a, b) && returns(b, a)) || (passes(b, a) && returns(a, b));
    return ok ? LAB_FULL : LAB_NONE;
}

enum lab_mark lab_theory_original(const struct net_nat_config *newcomer,
                                  const struct net_nat_config *known)
{
    if (!passes(newcomer, known))
        return LAB_NONE;
    return returns(known, newcomer) ? LAB_FULL : LAB_HALF;
}

/* ---- loss -------------------------------------------------------------------------------- */

/* JOIN, TOUCHREQUEST, TOUCHED, CONNECTREQUEST and CONNECT must arrive for the known one, CONNECTED
 * for the newcomer; TOUCH need only leave the known one's own NAT, if that filters. */
struct lab_chances lab_theory_loss(double wan, double access, bool touch_counts)
{
    double known = pow(1 - wan, 5) * pow(1 - access, 6 + touch_counts);
    double both = known * (1 - wan) * pow(1 - access, 2);
    return (struct lab_chances){both, known - both, 1 - known};
}

double lab_theory_seeds(double wan, unsigned seeds)
{
    return 1 - pow(1 - pow(1 - wan, 6), seeds);
}

struct lab_moments lab_theory_known(double wan, unsigned n)
{
    double r = pow(1 - wan, 5), mean = n * pow(1 - wan, 6);
    return (struct lab_moments){wan + (1 - wan) * pow(1 - r, n), mean,
                                (1 - wan) * (n * r * (1 - r) + (double)n * n * r * r) -
                                    mean * mean};
}

/* Each pair needs its six datagrams and that the earlier one's JOIN has arrived. */
double lab_theory_joiners(double wan, unsigned n)
{
    return n * (n - 1) / 2.0 * pow(1 - wan, 7);
}

double lab_theory_window(double others, unsigned window)
{
    double term = exp(-others), sum = 0;
    for (unsigned i = 0; i < window; i++) {
        sum += term;
        term *= others / (i + 1);
    }
    return sum;
}

/* None of `picks` different ones out of `all` is among the `held`. */
static double missed(double all, double held, unsigned picks)
{
    double log_out = 0;
    for (unsigned i = 0; i < picks && all - i > 0; i++)
        log_out += log1p(-held / (all - i));
    return exp(log_out);
}

double lab_theory_probes(unsigned ports, unsigned held, unsigned probes)
{
    return 1 - missed(ports, held, probes);
}

double lab_theory_pairs(unsigned ports, unsigned pairs)
{
    return 1 - missed((double)ports * ports, pairs, pairs);
}

double lab_theory_same(unsigned ports, unsigned draws)
{
    double log_out = 0;
    for (unsigned i = 0; i < draws; i++)
        log_out += log1p(-(double)i / ports);
    return -expm1(log_out);
}

double lab_theory_rounds(double loss, unsigned n)
{
    double sum = 0, left = 1;
    for (double power = 1; left > 1e-15; power *= loss) {
        left = -expm1(n * log1p(-power));
        sum += left;
    }
    return sum;
}

/* Binomial probabilities of 0..n, each from its neighbour, away from the most probable one. */
static void fill_binomial(double *out, unsigned n, double p)
{
    unsigned top = (unsigned)((n + 1) * p);
    if (top > n)
        top = n;
    double log_top = lgamma(n + 1.0) - lgamma(top + 1.0) - lgamma(n - top + 1.0) +
                     (top ? top * log(p) : 0) + (n - top ? (n - top) * log1p(-p) : 0);
    out[top] = exp(log_top);
    for (unsigned i = top; i < n; i++)
        out[i + 1] = out[i] * (n - i) / (i + 1.0) * (p / (1 - p));
    for (unsigned i = top; i > 0; i--)
        out[i - 1] = out[i] * i / (n - i + 1.0) * ((1 - p) / p);
}

/* From the first sending on. A chain on how many are missing: a list that arrives brings the first
 * `listed` of them again, each lost with the same chance. */
static double complete(double loss, unsigned n, unsigned rounds, unsigned listed)
{
    double *missing = sim_alloc((n + 1) * sizeof *missing);
    double *after = sim_alloc((n + 1) * sizeof *after);
    double *repaired = sim_alloc((n + 1) * sizeof *repaired);
    fill_binomial(missing, n, loss);
    for (unsigned round = 0; round < rounds; round++) {
        memset(after, 0, (n + 1) * sizeof *after);
        for (unsigned i = 0; i <= n; i++) {
            unsigned asked = i < listed ? i : listed;
            if (missing[i] < 1e-300)
                continue;
            after[i] += i ? missing[i] * loss : missing[i];
            if (i == 0)
                continue;
            fill_binomial(repaired, asked, 1 - loss);
            for (unsigned j = 0; j <= asked; j++)
                after[i - j] += missing[i] * (1 - loss) * repaired[j];
        }
        memcpy(missing, after, (n + 1) * sizeof *missing);
    }
    double out = missing[0];
    free(missing);
    free(after);
    free(repaired);
    return out;
}

double lab_theory_transfer(double loss, unsigned n, unsigned rounds, unsigned listed)
{
    return (1 - loss) * (1 - loss) * complete(loss, n, rounds, listed);
}

/* The first list that arrives stands for the OPTIONSFEEDBACK; later ones are left for repairs. */
double lab_theory_mended(double loss, unsigned n, unsigned rounds, unsigned listed)
{
    double out = (1 - loss) * complete(loss, n, rounds, listed);
    for (unsigned i = 1; i <= rounds; i++)
        out += pow(loss, i) * (1 - loss) * complete(loss, n, rounds - i, listed);
    return (1 - loss) * out;
}

unsigned lab_theory_rounds_left(q2p_time lost_ns, q2p_time timeout_ns)
{
    return (unsigned)((timeout_ns + lost_ns - 1) / lost_ns - 1);
}

/* ---- samples ----------------------------------------------------------------------------- */

double lab_tail(uint64_t hits, uint64_t trials, double p)
{
    double n = (double)trials, k = (double)hits;
    if (p <= 0 || p >= 1)
        return k == (p <= 0 ? 0 : n) ? 1 : 0;
    bool above = k > n * p;
    double term =
        exp(lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) + k * log(p) + (n - k) * log1p(-p));
    double sum = term, odds = p / (1 - p);
    while (term > sum * 1e-16 && (above ? k < n : k > 0)) {
        term *= above ? (n - k) / (k + 1) * odds : k / (n - k + 1) / odds;
        k += above ? 1 : -1;
        sum += term;
    }
    return sum;
}

bool lab_is_fair(uint64_t hits, uint64_t trials, double p)
{
    return lab_tail(hits, trials, p) >= LAB_DOUBT / 2;
}

void lab_wilson(uint64_t hits, uint64_t trials, double *low, double *high)
{
    const double z = 1.959964;
    double n = (double)trials, p = trials ? (double)hits / n : 0;
    double scale = 1 + z * z / n, middle = p + z * z / (2 * n);
    double half = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n));
    *low = trials ? fmax(0, (middle - half) / scale) : 0;
    *high = trials ? fmin(1, (middle + half) / scale) : 1;
}
