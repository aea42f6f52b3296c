/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_sweep.c - q2p-sim sweep: variants times seeds on all cores, and how many of them pass. */
#define _GNU_SOURCE /* isatty, sysconf */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli_scenario.h"
#include "lab_theory.h"
#include "report_json.h"
#include "sim_world.h"
#include "sweep.h"

#define SEEDS 100
#define FAILURES_SHOWN 10
#define AGAIN_SHOWN 3

struct count {
    uint64_t runs, passed;
};

struct session {
    const struct cli_values *values;
    struct sweep_plan plan;
    struct scenario *variants;
    struct count *counts; /* by variant */
    struct count all;
    char again[AGAIN_SHOWN][CLI_AGAIN_MAX];
    uint64_t hash; /* of all traces, in order */
    bool terminal;
};

static uint32_t variant_of(const struct session *session, uint64_t run)
{
    uint32_t number = (uint32_t)(run / session->plan.seeds);
    return session->variants[0].variants > 0 ? number + 1 : 0;
}

static void clear_line(const struct session *session)
{
    if (session->terminal)
        fputs("\r\x1b[K", stderr);
}

static void print_result(const struct session *session, uint64_t run,
                         const struct sweep_result *result)
{
    uint32_t variant = variant_of(session, run);
    uint64_t seed = session->plan.seed + run % session->plan.seeds;
    if (session->values->json) {
        printf("{\"type\":\"run\",\"run\":%" PRIu64 ",\"seed\":%" PRIu64 ",\"variant\":%" PRIu32
               ",\"ok\":%s,\"why\":",
               run, seed, variant, result->ok ? "true" : "false");
        report_json_string(stdout, *result->why ? result->why : NULL);
        printf(",\"t_ns\":%" PRId64 ",\"datagrams\":%" PRIu64 ",\"trace_hash\":\"%016" PRIx64
               "\"}\n",
               result->failed_ns, result->sent, result->trace_hash);
    } else if (!result->ok && session->all.runs - session->all.passed < FAILURES_SHOWN) {
        printf("FAIL  seed %" PRIu64, seed);
        if (variant > 0)
            printf(" variant %" PRIu32, variant);
        printf("  %s\n", result->why);
    }
}

static void take_result(void *ctx, uint64_t run, const struct sweep_result *result)
{
    struct session *session = ctx;
    struct count *count = &session->counts[run / session->plan.seeds];
    uint64_t failed = session->all.runs - session->all.passed;
    if (!result->ok)
        clear_line(session);
    print_result(session, run, result);
    if (!result->ok && failed < AGAIN_SHOWN)
        cli_print_again(session->again[failed], session->values, variant_of(session, run),
                        session->plan.seed + run % session->plan.seeds);
    count->runs++;
    count->passed += result->ok;
    session->all.runs++;
    session->all.passed += result->ok;
    session->hash = sim_mix(session->hash, result->trace_hash);
}

static void show_progress(void *ctx, uint64_t done, uint64_t total)
{
    const struct session *session = ctx;
    if (!session->terminal)
        return;
    clear_line(session);
    if (done < total)
        fprintf(stderr, "%" PRIu64 " of %" PRIu64 " runs, %" PRIu64 " failed", done, total,
                session->all.runs - session->all.passed);
}

/* ---- afterwards -------------------------------------------------------------------------- */

static void print_count(const char *what, const struct count *count)
{
    double low, high;
    lab_wilson(count->passed, count->runs, &low, &high);
    printf("%7.3f%% of %" PRIu64 " passed (95%%: %.3f%% to %.3f%%)  %s\n",
           count->runs ? 100.0 * (double)count->passed / (double)count->runs : 0, count->runs,
           100 * low, 100 * high, what);
}

static void print_json_count(const struct count *count)
{
    double low, high;
    lab_wilson(count->passed, count->runs, &low, &high);
    printf("\"runs\":%" PRIu64 ",\"passed\":%" PRIu64 ",\"low\":%.6f,\"high\":%.6f", count->runs,
           count->passed, low, high);
}

static void print_text(const struct session *session)
{
    uint64_t failed = session->all.runs - session->all.passed;
    if (session->values->quiet && !failed)
        return;
    if (failed > FAILURES_SHOWN)
        printf("... and %" PRIu64 " more\n", failed - FAILURES_SHOWN);
    for (uint32_t i = 0; session->variants[0].variants > 0 && i < session->plan.variants_count;
         i++) {
        char values[300], line[340];
        scn_vary_print(session->variants[i].yaml, i + 1, values, sizeof values);
        snprintf(line, sizeof line, "%" PRIu32 ": %s", i + 1, values);
        print_count(line, &session->counts[i]);
    }
    print_count("all runs", &session->all);
    printf("hash of all traces: %016" PRIx64 "\n", session->hash);
    for (uint64_t i = 0; i < failed && i < AGAIN_SHOWN; i++)
        printf("again: %s\n", session->again[i]);
}

static void print_json(const struct session *session)
{
    uint64_t failed = session->all.runs - session->all.passed;
    for (uint32_t i = 0; session->variants[0].variants > 0 && i < session->plan.variants_count;
         i++) {
        char values[300];
        scn_vary_print(session->variants[i].yaml, i + 1, values, sizeof values);
        printf("{\"type\":\"variant\",\"t_ns\":0,\"variant\":%" PRIu32 ",\"values\":", i + 1);
        report_json_string(stdout, values);
        putchar(',');
        print_json_count(&session->counts[i]);
        puts("}");
    }
    printf("{\"type\":\"sweep\",\"t_ns\":0,\"ok\":%s,", failed ? "false" : "true");
    print_json_count(&session->all);
    printf(",\"trace_hash\":\"%016" PRIx64 "\",\"again\":[", session->hash);
    for (uint64_t i = 0; i < failed && i < AGAIN_SHOWN; i++) {
        if (i > 0)
            putchar(',');
        report_json_string(stdout, session->again[i]);
    }
    puts("]}");
}

/* ---- before ------------------------------------------------------------------------------ */

static bool read_shard(const char *text, uint32_t *shard, uint32_t *shards)
{
    char *slash = NULL, *end = NULL;
    unsigned long i = 1, n = 1;
    if (text) {
        i = strtoul(text, &slash, 10);
        n = *slash == '/' ? strtoul(slash + 1, &end, 10) : 0;
        if (*text < '1' || *text > '9' || !end || *end || i > n || n > 1000000) {
            fprintf(stderr, "q2p-sim: --shard wants I/N, such as 1/4, not '%s'\n", text);
            return false;
        }
    }
    *shard = (uint32_t)i - 1;
    *shards = (uint32_t)n;
    return true;
}

static bool read_plan(struct session *session)
{
    const struct cli_values *values = session->values;
    struct sweep_plan *plan = &session->plan;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    plan->seeds = values->seeds ? values->seeds : SEEDS;
    plan->jobs = values->jobs ? (unsigned)values->jobs : cores > 0 ? (unsigned)cores : 1;
    plan->swarm = values->swarm;
    plan->result = take_result;
    plan->progress = show_progress;
    plan->ctx = session;
    session->terminal =
        isatty(STDERR_FILENO) == 1 && !values->quiet && !(values->json && isatty(STDOUT_FILENO));
    if (strcmp(values->file, "-") == 0)
        fputs("q2p-sim: a sweep reads its file several times; '-' will not do\n", stderr);
    else
        return read_shard(values->shard, &plan->shard, &plan->shards);
    return false;
}

/* As written, or each combination. */
static bool read_variants(struct session *session)
{
    const struct cli_values *values = session->values;
    struct scenario written;
    bool fine = cli_read_scenario(&written, values, 0);
    uint32_t count = written.variants > 0 ? written.variants : 1;
    session->plan.seed = written.seed;
    session->variants = sim_alloc(count * sizeof *session->variants);
    session->counts = sim_alloc(count * sizeof *session->counts);
    if (!fine || written.variants == 0) {
        session->variants[0] = written;
        session->plan.variants_count = 1;
    } else {
        scn_free(&written);
        for (uint32_t i = 0; fine && i < count; i++) {
            fine = cli_read_scenario(&session->variants[i], values, i + 1);
            session->plan.variants_count = i + 1;
        }
    }
    session->plan.variants = session->variants;
    return fine;
}

int cmd_sweep(const struct cli_values *values)
{
    struct session session = {.values = values};
    if (!read_plan(&session))
        return CLI_USAGE;
    int status = CLI_INPUT;
    if (read_variants(&session)) {
        /* whoever interrupts it has whole lines; and workers begin with an empty buffer */
        setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
        status = sweep_run(&session.plan) ? CLI_DONE : CLI_SYSTEM;
        if (status == CLI_SYSTEM)
            fprintf(stderr, "q2p-sim: %s\n", strerror(errno));
        else if (values->json)
            print_json(&session);
        else
            print_text(&session);
        if (status == CLI_DONE && session.all.passed < session.all.runs)
            status = CLI_FAILED;
    }
    for (uint32_t i = 0; i < session.plan.variants_count; i++)
        scn_free(&session.variants[i]);
    free(session.variants);
    free(session.counts);
    return status;
}
