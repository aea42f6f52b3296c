/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_matrix.c - q2p-sim matrix: which NATs can be punched through, by whom, and whether that is
 * what theory says. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cli_devices.h"
#include "cli_table.h"
#include "lab_matrix.h"
#include "scn_schema.h"

#define TABLES_MAX (2 * LAB_TABLES) /* in both scopes */
#define LOSSY_TRIALS 200
#define POISON_TRIALS 5000
#define FOR_ALL 5 /* --profile */

struct session {
    const struct cli_values *values;
    struct lab_matrix_plan plans[TABLES_MAX];
    struct lab_matrix tables[TABLES_MAX];
    unsigned count, wrong, unfit; /* tables, cells, sums */
    struct lab_devices devices;
    bool all; /* profiles; then devices, too */
};

/* ---- the command line -------------------------------------------------------------------- */

static bool read_value(const char *option, const char *text, const struct scn_key *key, void *out)
{
    struct scn_errors errors = {0};
    struct scn_yaml value = {.shape = SCN_SCALAR};
    char copy[64];
    if (!text)
        return true;
    snprintf(copy, sizeof copy, "%s", text);
    value.text = copy;
    bool fine = scn_value_read(key, &value, out, &errors);
    if (!fine) {
        char want[160];
        scn_value_want(key, want, sizeof want);
        fprintf(stderr, "q2p-sim: --%s wants %s, not '%s'\n", option, want, text);
    }
    scn_errors_free(&errors);
    return fine;
}

static bool read_plan(const struct cli_values *values, struct lab_matrix_plan *plan, uint8_t *scope,
                      uint8_t *profile)
{
    static const struct scn_key scopes = {
        .kind = SCN_WORD, .width = 1, .words = "mapping|endpoint|both", .max = 2};
    static const struct scn_key profiles = {
        .kind = SCN_WORD, .width = 1, .words = "classic|original|ours|mixed||all", .max = 5};
    static const struct scn_key loss = {.kind = SCN_LOSS, .width = 4, .max = NET_LOSS_ALWAYS};
    static const struct scn_key time = {
        .kind = SCN_TIME, .width = 8, .min = Q2P_MILLISECOND, .max = SCN_DAY};
    *scope = NET_NAT_SCOPE_MAPPING;
    *profile = FOR_ALL;
    plan->after_ns = Q2P_SECOND;
    plan->forget_ns = 120 * Q2P_SECOND;
    plan->seed = values->seed_given ? values->seed : 1;
    if (!read_value("scope", values->scope, &scopes, scope) ||
        !read_value("profile", values->profile, &profiles, profile) ||
        !read_value("loss", values->loss, &loss, &plan->wan_ppb) ||
        !read_value("after", values->after, &time, &plan->after_ns) ||
        !read_value("forget", values->forget, &time, &plan->forget_ns))
        return false;
    if (values->trials && plan->wan_ppb == 0) {
        fputs("q2p-sim: --trials goes with --loss; without it all trials are the same\n", stderr);
        return false;
    }
    plan->trials = plan->wan_ppb == 0 ? 1
                   : values->trials   ? (uint32_t)values->trials
                                      : LOSSY_TRIALS;
    return true;
}

static bool is_well(const struct session *session)
{
    return session->wrong + session->unfit + session->devices.wrong == 0;
}

/* ---- text -------------------------------------------------------------------------------- */

static int cell_width(const struct session *session)
{
    return session->plans[0].wan_ppb > 0 ? 3 : 2;
}

static void print_cell(const struct lab_matrix *table, unsigned row, unsigned column, int width)
{
    const struct report_matrix_cell *cell = &table->cells[row][column];
    if (cell->trials > 0 && cell->full > 0)
        printf("%*.0f", width, 100.0 * cell->full / cell->trials);
    else
        printf("%*s", width, cell->full ? "ok" : cell->half ? "h" : "-");
    putchar(table->fits[row][column] ? ' ' : '!');
}

static void print_side_by_side(const struct session *session, unsigned first, unsigned last)
{
    int width = cell_width(session);
    printf("%-11s", "");
    for (unsigned i = first; i < last; i++) {
        char title[40];
        snprintf(title, sizeof title, "%s%s", lab_table_title(session->plans[i].table),
                 session->plans[i].scope == NET_NAT_SCOPE_ENDPOINT ? ", scope endpoint" : "");
        printf("  %-*s", LAB_NATS * (width + 1), title);
    }
    printf("\n%-11s", "newcomer");
    for (unsigned i = first; i < last; i++) {
        printf("  ");
        for (unsigned column = 1; column <= LAB_NATS; column++)
            printf("%*u ", width, column);
    }
    putchar('\n');
    for (unsigned row = 0; row < LAB_NATS; row++) {
        printf("%u %-9s", row + 1, lab_nat_name(row));
        for (unsigned i = first; i < last; i++) {
            printf("  ");
            for (unsigned column = 0; column < LAB_NATS; column++)
                print_cell(&session->tables[i], row, column, width);
        }
        putchar('\n');
    }
    putchar('\n');
}

static void print_totals(const struct session *session)
{
    for (unsigned i = 0; i < session->count; i++) {
        const struct lab_matrix *table = &session->tables[i];
        printf("%s  %-14s %-9s %2u of 81", table->wrong || !table->fits_all ? "FAIL" : "ok  ",
               lab_table_title(session->plans[i].table),
               session->plans[i].scope == NET_NAT_SCOPE_MAPPING ? "mapping" : "endpoint",
               table->full);
        if (table->half > 0)
            printf(", %u half-open", table->half);
        if (session->plans[i].wan_ppb > 0 && table->trials > 0)
            printf("; %.4f%% of %" PRIu64 " trials that can work",
                   100.0 * (double)table->successes / (double)table->trials, table->trials);
        if (table->wrong > 0)
            printf("; %u not as theory has it", table->wrong);
        if (!table->fits_all)
            printf("; all together they are not");
        printf(" (%s)\n", lab_table_about(session->plans[i].table));
    }
}

static void print_text(const struct session *session)
{
    for (unsigned i = 0; i < session->count;) {
        unsigned last = i + 1;
        while (last < session->count && last < i + 3 &&
               session->plans[last].scope == session->plans[i].scope)
            last++;
        print_side_by_side(session, i, last);
        i = last;
    }
    puts("columns: the known node's NAT, 1 to 9 as the rows; - neither knows the other,\n"
         "h half-open: only the known one knows, ! not as theory has it; numbers are per cent");
    putchar('\n');
    if (session->all)
        cli_devices_text(&session->devices);
    print_totals(session);
    if (session->all)
        cli_devices_totals(&session->devices);
}

/* ---- JSON -------------------------------------------------------------------------------- */

static void print_json_table(const struct session *session, unsigned index)
{
    const struct lab_matrix_plan *plan = &session->plans[index];
    const struct lab_matrix *table = &session->tables[index];
    printf("%s{\"table\":\"%s\",\"scope\":\"%s\",\"full\":%u,\"half_open\":%u,\"wrong\":%u,"
           "\"fits_all\":%s,\"trials\":%" PRIu64 ",\"successes\":%" PRIu64 ",\"cells\":[",
           index ? "," : "", lab_table_title(plan->table),
           plan->scope == NET_NAT_SCOPE_MAPPING ? "mapping" : "endpoint", table->full, table->half,
           table->wrong, table->fits_all ? "true" : "false", table->trials, table->successes);
    for (unsigned row = 0; row < LAB_NATS; row++) {
        for (unsigned column = 0; column < LAB_NATS; column++) {
            const struct report_matrix_cell *cell = &table->cells[row][column];
            printf("%s{\"newcomer\":\"%s\",\"known\":\"%s\",\"is\":\"%s\",\"theory\":\"%s\","
                   "\"full\":%" PRIu32 ",\"half\":%" PRIu32 ",\"fits\":%s}",
                   row + column ? "," : "", lab_nat_name(row), lab_nat_name(column),
                   lab_mark_word(cell->full   ? LAB_FULL
                                 : cell->half ? LAB_HALF
                                              : LAB_NONE),
                   lab_mark_word((enum lab_mark)cell->wanted), cell->full, cell->half,
                   table->fits[row][column] ? "true" : "false");
        }
    }
    printf("]}");
}

static void print_json_totals(const struct session *session, enum net_nat_scope scope)
{
    const char *comma = "";
    for (unsigned i = 0; i < session->count; i++) {
        enum lab_table table = session->plans[i].table;
        if (session->plans[i].scope != scope || table > LAB_TABLE_OURS)
            continue;
        printf("%s\"%s\":%u", comma, lab_table_title(table), session->tables[i].full);
        if (table == LAB_TABLE_ORIGINAL)
            printf(",\"original_half_open\":%u", session->tables[i].half);
        comma = ",";
    }
}

static void print_json(const struct session *session)
{
    const struct lab_matrix_plan *plan = &session->plans[0];
    printf("{\"type\":\"matrix\",\"t_ns\":0,\"seed\":%" PRIu64 ",\"loss_ppb\":%" PRIu32
           ",\"trials\":%" PRIu32 ",\"after_ns\":%" PRId64 ",\"forget_ns\":%" PRId64
           ",\"ok\":%s,\"tables\":[",
           plan->seed, plan->wan_ppb, plan->trials, plan->after_ns, plan->forget_ns,
           is_well(session) ? "true" : "false");
    for (unsigned i = 0; i < session->count; i++)
        print_json_table(session, i);
    printf("],");
    if (session->all)
        cli_devices_json(&session->devices);
    if (session->plans[session->count - 1].scope == NET_NAT_SCOPE_ENDPOINT) {
        printf("\"totals_endpoint\":{");
        print_json_totals(session, NET_NAT_SCOPE_ENDPOINT);
        printf("},\"totals\":{");
    } else {
        printf("\"totals\":{");
    }
    print_json_totals(session, NET_NAT_SCOPE_MAPPING);
    puts("}}");
}

/* ---- the page ---------------------------------------------------------------------------- */

static void make_again(const struct cli_values *values, uint64_t seed, char *out, size_t room)
{
    const char *const names[] = {"scope", "profile", "loss", "after", "forget"};
    const char *const texts[] = {values->scope, values->profile, values->loss, values->after,
                                 values->forget};
    size_t len = (size_t)snprintf(out, room, "q2p-sim matrix --seed %" PRIu64, seed);
    for (size_t i = 0; i < sizeof names / sizeof *names && len < room; i++)
        if (texts[i])
            len += (size_t)snprintf(out + len, room - len, " --%s %s", names[i], texts[i]);
    if (values->trials && len < room)
        snprintf(out + len, room - len, " --trials %" PRIu64, values->trials);
}

static bool say_file(const struct cli_values *values, bool fine)
{
    if (!fine)
        fprintf(stderr, "q2p-sim: %s: %s\n", values->html, strerror(errno));
    return fine;
}

/* Returns false and says why if the file cannot be written. */
static bool write_page(const struct session *session, FILE *out)
{
    struct report_matrix_table tables[TABLES_MAX + CLI_DEVICES_TABLES];
    struct cli_devices_page page;
    const char *labels[LAB_NATS];
    char titles[TABLES_MAX][60], verdict[120], again[400];
    for (unsigned i = 0; i < LAB_NATS; i++)
        labels[i] = lab_nat_name(i);
    for (unsigned i = 0; i < session->count; i++) {
        const struct lab_matrix_plan *plan = &session->plans[i];
        snprintf(titles[i], sizeof titles[i], "%s, scope %s", lab_table_title(plan->table),
                 plan->scope == NET_NAT_SCOPE_MAPPING ? "mapping" : "endpoint");
        tables[i] = (struct report_matrix_table){titles[i],
                                                 lab_table_about(plan->table),
                                                 plan->wan_ppb,
                                                 &session->tables[i].fits[0][0],
                                                 &session->tables[i].cells[0][0],
                                                 NULL};
    }
    if (session->all)
        cli_devices_page(&page, &session->devices, tables + session->count);
    snprintf(verdict, sizeof verdict, "%u cells and %u of %u sums are not as theory has it.",
             session->wrong + session->devices.wrong, session->unfit, session->count);
    make_again(session->values, session->plans[0].seed, again, sizeof again);
    const struct report_matrix matrix = {
        .title = "Which NATs can be punched through",
        .verdict = is_well(session) ? "Every cell is as theory has it." : verdict,
        .again = again,
        .axes = {"newcomer", "known", labels, labels, LAB_NATS, LAB_NATS},
        .tables = tables,
        .tables_count = session->count + (session->all ? CLI_DEVICES_TABLES : 0),
        .ok = is_well(session),
    };
    report_matrix_html(&matrix, out);
    bool fine = ferror(out) == 0;
    fine &= fclose(out) == 0;
    return say_file(session->values, fine);
}

int cmd_matrix(const struct cli_values *values)
{
    struct session session = {.values = values};
    struct lab_matrix_plan plan = {0};
    uint8_t scope, profile;
    if (!read_plan(values, &plan, &scope, &profile))
        return CLI_USAGE;
    FILE *page = values->html ? fopen(values->html, "wb") : NULL; /* at once: trials take long */
    if (!say_file(values, page || !values->html))
        return CLI_SYSTEM;
    for (unsigned at = 0; at < 2; at++) {
        for (unsigned table = 0; table < LAB_TABLES; table++) {
            bool mixed = table >= LAB_TABLE_OURS_JOINS;
            if ((scope != at && scope != 2) ||
                !(profile == FOR_ALL || profile == (mixed ? LAB_TABLE_OURS_JOINS : table)))
                continue;
            plan.scope = (enum net_nat_scope)at;
            plan.table = (enum lab_table)table;
            session.plans[session.count] = plan;
            lab_matrix_run(&session.tables[session.count], &plan);
            session.wrong += session.tables[session.count].wrong;
            session.unfit += !session.tables[session.count++].fits_all;
        }
    }
    session.all = profile == FOR_ALL;
    if (session.all)
        lab_devices_run(&session.devices, plan.seed, plan.wan_ppb, POISON_TRIALS);
    if (values->json)
        print_json(&session);
    else
        print_text(&session);
    if (page && !write_page(&session, page))
        return CLI_SYSTEM;
    return is_well(&session) ? CLI_DONE : CLI_FAILED;
}
