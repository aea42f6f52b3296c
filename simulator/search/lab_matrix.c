/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lab_matrix.c - fills the tables and compares. */
#include "lab_matrix.h"

#include <math.h>

#define OURS_SHARE .999 /* of trials that must come to a connection, up to OURS_LOSS_PPB */
#define OURS_LOSS_PPB 200000000u
#define LOSSY_UNTIL_NS (60 * Q2P_SECOND) /* keep-alives mend what repetitions have left */

const char *lab_table_title(enum lab_table table)
{
    static const char *const titles[] = {
#define XX(name, newcomer, known, title, sentence) title,
        LAB_TABLE_MAP(XX)
#undef XX
    };
    return titles[table];
}

const char *lab_table_about(enum lab_table table)
{
    static const char *const sentences[] = {
#define XX(name, newcomer, known, title, sentence) sentence,
        LAB_TABLE_MAP(XX)
#undef XX
    };
    return sentences[table];
}

static void take_sides(enum lab_table table, struct lab_trial *trial)
{
    static const enum lab_way sides[][2] = {
#define XX(name, newcomer, known, title, sentence) {LAB_##newcomer, LAB_##known},
        LAB_TABLE_MAP(XX)
#undef XX
    };
    trial->newcomer_is = sides[table][0];
    trial->known_is = sides[table][1];
    trial->seeds_are = sides[table][0] == sides[table][1] ? sides[table][0] : LAB_ORIGINAL;
}

/* ---- theory ------------------------------------------------------------------------------ */

/* A known node that stays silent is forgotten by its own NAT, and nobody can tell it anything. */
static bool is_forgotten(const struct lab_matrix_plan *plan, const struct lab_trial *trial)
{
    return trial->known_is == LAB_ORIGINAL && plan->after_ns >= plan->forget_ns;
}

static enum lab_mark expect(const struct lab_matrix_plan *plan, const struct lab_trial *trial)
{
    enum lab_mark classic = lab_theory_classic(&trial->newcomer, &trial->known);
    enum lab_mark original =
        is_forgotten(plan, trial) ? LAB_NONE : lab_theory_original(&trial->newcomer, &trial->known);
    if (plan->table == LAB_TABLE_CLASSIC)
        return classic;
    if (plan->table == LAB_TABLE_OURS)
        return classic == LAB_FULL ? LAB_FULL : original;
    return original; /* the mixed ones: that much at least */
}

static bool is_mixed(enum lab_table table)
{
    return table == LAB_TABLE_OURS_JOINS || table == LAB_TABLE_ORIGINAL_JOINS;
}

/* A table has so many counts that could look odd by chance: all of them together do once in
 * 100,000. */
#define DOUBT (LAB_DOUBT / (2 * LAB_NATS * LAB_NATS))

static bool is_fair(uint64_t hits, uint64_t trials, double p)
{
    return lab_tail(hits, trials, p) >= DOUBT / 2;
}

/* No worse than chance allows if the true share were p. */
static bool is_at_least(uint64_t hits, uint64_t trials, double p)
{
    return (double)hits >= (double)trials * p || lab_tail(hits, trials, p) >= DOUBT;
}

/* With loss: the original has its formula, ours a promise, and what cannot be never is. */
static bool fits_loss(const struct lab_matrix_plan *plan, const struct report_matrix_cell *cell)
{
    struct lab_chances chances = lab_theory_loss(plan->wan_ppb / 1e9, 0, true);
    bool full = cell->wanted == REPORT_CELL_FULL, half = cell->wanted == REPORT_CELL_HALF;
    if (plan->table == LAB_TABLE_ORIGINAL)
        return is_fair(cell->full, cell->trials, full ? chances.full : 0) &&
               is_fair(cell->half, cell->trials,
                       full   ? chances.half
                       : half ? chances.full + chances.half
                              : 0);
    if (is_mixed(plan->table))
        return !full || is_at_least(cell->full, cell->trials, chances.full);
    if (!full)
        return cell->full == 0;
    if (plan->table == LAB_TABLE_OURS && plan->wan_ppb <= OURS_LOSS_PPB)
        return is_at_least(cell->full, cell->trials, OURS_SHARE);
    return cell->full > 0;
}

static bool fits_all(const struct lab_matrix_plan *plan, const struct lab_matrix *matrix)
{
    struct lab_chances chances = lab_theory_loss(plan->wan_ppb / 1e9, 0, true);
    if (plan->wan_ppb == 0)
        return true;
    if (plan->table == LAB_TABLE_ORIGINAL)
        return is_fair(matrix->successes, matrix->trials, chances.full) &&
               is_fair(matrix->halves, matrix->trials, chances.half);
    return plan->table != LAB_TABLE_OURS || plan->wan_ppb > OURS_LOSS_PPB ||
           is_at_least(matrix->successes, matrix->trials, OURS_SHARE);
}

static uint32_t promise_ppb(const struct lab_matrix_plan *plan, enum report_cell_state wanted)
{
    double full = 0;
    if (wanted == REPORT_CELL_FULL && plan->table == LAB_TABLE_OURS)
        full = plan->wan_ppb <= OURS_LOSS_PPB ? OURS_SHARE : -1;
    else if (wanted == REPORT_CELL_FULL && plan->table == LAB_TABLE_CLASSIC)
        full = -1;
    else if (wanted == REPORT_CELL_FULL)
        full = lab_theory_loss(plan->wan_ppb / 1e9, 0, true).full;
    return full < 0 ? UINT32_MAX : (uint32_t)lround(full * 1e9);
}

/* ---- practice ---------------------------------------------------------------------------- */

static bool fill_cell(const struct lab_matrix_plan *plan, struct lab_trial *trial,
                      struct report_matrix_cell *cell)
{
    cell->wanted = (enum report_cell_state)expect(plan, trial);
    cell->wanted_ppb = plan->wan_ppb ? promise_ppb(plan, cell->wanted) : UINT32_MAX;
    uint64_t seed = trial->seed;
    for (uint32_t i = 0; i < plan->trials; i++) {
        trial->seed = sim_mix(seed, i);
        struct lab_outcome outcome = lab_punch(trial);
        cell->full += outcome.full;
        cell->half += outcome.half;
    }
    if (plan->wan_ppb > 0) {
        cell->trials = plan->trials;
        cell->state = cell->wanted;
        return fits_loss(plan, cell);
    }
    cell->state = cell->full > 0   ? REPORT_CELL_FULL
                  : cell->half > 0 ? REPORT_CELL_HALF
                                   : REPORT_CELL_NONE;
    return is_mixed(plan->table) ? cell->state >= cell->wanted : cell->state == cell->wanted;
}

void lab_matrix_run(struct lab_matrix *out, const struct lab_matrix_plan *plan)
{
    *out = (struct lab_matrix){0};
    for (unsigned newcomer = 0; newcomer < LAB_NATS; newcomer++) {
        for (unsigned known = 0; known < LAB_NATS; known++) {
            struct report_matrix_cell *cell = &out->cells[newcomer][known];
            struct lab_trial trial;
            lab_trial_init(&trial, LAB_OURS, newcomer, known, plan->scope);
            take_sides(plan->table, &trial);
            trial.newcomer.forget_ns = trial.known.forget_ns = plan->forget_ns;
            trial.wan_ppb = plan->wan_ppb;
            trial.until_ns = plan->wan_ppb ? LOSSY_UNTIL_NS : trial.until_ns;
            trial.after_ns = plan->after_ns;
            trial.seed = sim_mix(plan->seed, newcomer * LAB_NATS + known);
            out->fits[newcomer][known] = fill_cell(plan, &trial, cell);
            out->wrong += !out->fits[newcomer][known];
            out->full += cell->full > 0;
            out->half += cell->full == 0 && cell->half > 0;
            if (cell->wanted == REPORT_CELL_FULL) {
                out->trials += plan->trials;
                out->successes += cell->full;
                out->halves += cell->half;
            }
        }
    }
    out->fits_all = fits_all(plan, out);
}
