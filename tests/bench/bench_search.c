/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bench_search.c - how long laboratory and search take: all tables, a million trials, a failure of
 * ten thousand events down to the luck that it needs. */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */
#include <math.h>
#include <string.h>

#include "bench_clock.h"
#include "bench_search.h"
#include "bench_world.h"
#include "lab_matrix.h"
#include "shrink.h"

double bench_matrix_seconds(void)
{
    static struct lab_matrix table;
    double best = INFINITY;
    for (int round = 0; round < 3; round++) {
        double start = bench_cpu_seconds();
        for (int i = 0; i < 2 * LAB_TABLES; i++) {
            struct lab_matrix_plan plan = {.table = (enum lab_table)(i / 2),
                                           .scope = (enum net_nat_scope)(i % 2),
                                           .trials = 1,
                                           .after_ns = Q2P_SECOND,
                                           .forget_ns = 120 * Q2P_SECOND,
                                           .seed = 1};
            lab_matrix_run(&table, &plan);
            if (table.wrong > 0)
                bench_die("a table is not as theory has it");
        }
        best = fmin(best, bench_cpu_seconds() - start);
    }
    return best;
}

double bench_oracle_seconds(uint64_t trials)
{
    static const double loss = .1, band = 4.4172; /* two-sided 1e-5 */
    struct lab_trial trial;
    uint64_t full = 0;
    double wanted = pow(1 - loss, 6), start = bench_cpu_seconds();
    lab_trial_init(&trial, LAB_ORIGINAL, 1, 1, NET_NAT_SCOPE_MAPPING);
    trial.wan_ppb = (uint32_t)(loss * 1e9);
    for (trial.seed = 1; trial.seed <= trials; trial.seed++)
        full += lab_punch(&trial).full;
    double sigma = sqrt(wanted * (1 - wanted) / (double)trials);
    if (fabs((double)full / (double)trials - wanted) > band * sigma)
        bench_die("punching under loss is not as theory has it");
    return bench_cpu_seconds() - start;
}

double bench_shrink_seconds(size_t *left, uint64_t *events)
{
    struct scenario scenario;
    struct scn_errors errors = {0};
    struct shrink shrink = {0};
    double start = bench_cpu_seconds();
    if (!scn_read(&scenario, Q2P_BENCH_SHRINK, &errors))
        bench_die("no " Q2P_BENCH_SHRINK);
    if (!shrink_record(&shrink, &scenario, scenario.seed, false) || !shrink_search(&shrink, 20000))
        bench_die("nothing is shrunk");
    *left = shrink.kept_count;
    *events = shrink.steps;
    shrink_free(&shrink);
    scn_free(&scenario);
    scn_errors_free(&errors);
    return bench_cpu_seconds() - start;
}
