/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * net_shape.c - distributions made of +, -, *, / and square root alone, whose results IEEE 754
 * fixes to the last bit: the libraries' logarithms differ between machines, and so would runs.
 */
#include <math.h>
#include <string.h>

#include "net_link.h"

#define LN2 0.69314718055994530942
#define JITTER_MOST 1e15 /* ns; keeps sums of times within q2p_time */

/* Uniform in (0, 1). */
static double uniform(uint64_t draw)
{
    return ((double)(draw >> 12) + 0.5) * (1.0 / 4503599627370496.0);
}

/* ln of a normal positive number: exponent from its bits, mantissa by the series of artanh. */
static double logarithm(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    int exponent = (int)(bits >> 52) - 1023;
    bits = (bits & UINT64_C(0xfffffffffffff)) | UINT64_C(1023) << 52;
    memcpy(&x, &bits, sizeof x);
    double s = (x - 1) / (x + 1), square = s * s, sum = 0; /* |s| <= 1/3 */
    for (int i = 33; i >= 1; i -= 2)
        sum = sum * square + 1.0 / i;
    return 2 * s * sum + exponent * LN2;
}

/* Marsaglia's polar method. */
static double normal(const struct sim_packet *packet)
{
    for (uint32_t what = NET_DRAW_JITTER;; what += 2) {
        double u = 2 * uniform(net_draw(packet, what)) - 1;
        double v = 2 * uniform(net_draw(packet, what + 1)) - 1;
        double s = u * u + v * v;
        if (s > 0 && s < 1)
            return u * sqrt(-2 * logarithm(s) / s);
    }
}

q2p_time net_shape_draw(enum net_shape shape, q2p_time jitter_ns, const struct sim_packet *packet)
{
    double scale = (double)jitter_ns, out = 0, u;
    if (shape == NET_SHAPE_UNIFORM)
        return net_scale(net_draw(packet, NET_DRAW_JITTER), jitter_ns);
    u = uniform(net_draw(packet, NET_DRAW_JITTER));
    if (shape == NET_SHAPE_NORMAL)
        out = scale * normal(packet);
    else if (shape == NET_SHAPE_EXPONENTIAL)
        out = -scale * logarithm(u);
    else
        out = 3 * scale * (1 / sqrt(sqrt(u)) - 1);
    return (q2p_time)(out < JITTER_MOST ? out : JITTER_MOST);
}
