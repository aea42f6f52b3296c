/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_run.c - q2p-sim run and q2p-sim check: run folder, progress, verdict. */
#define _GNU_SOURCE /* clock_gettime, isatty, mkdir */
#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli_scenario.h"
#include "report_html.h"
#include "report_json.h"
#include "scn_threads.h"
#include "swarm.h"
#include "twin.h"

#define SLICES 200 /* of the virtual time; progress is looked at in between */
#define LADDER_ROWS 60

/* The files of a run folder; NULL = not written. */
struct folder {
    char path[400];
    FILE *trace, *events, *report, *resolved, *page;
};

struct session {
    const struct cli_values *values;
    struct scenario scenario;
    struct scn_run run;
    struct folder folder;
    struct report_trace trace;
    bool *watched; /* places of the capture; NULL = all */
    struct report_ladder ladder;
    struct report_story story;
    char again[CLI_AGAIN_MAX];
    int64_t started_ns, shown_ns; /* of the wall clock */
};

static int64_t wall_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * Q2P_SECOND + now.tv_nsec;
}

/* ---- the run folder ---------------------------------------------------------------------- */

static FILE *create(const struct folder *folder, const char *name)
{
    char path[480];
    snprintf(path, sizeof path, "%s/%s", folder->path, name);
    FILE *out = fopen(path, "wb");
    if (!out)
        fprintf(stderr, "q2p-sim: %s: %s\n", path, strerror(errno));
    return out;
}

static bool open_folder(struct folder *folder, const struct cli_values *values)
{
    if (values->no_files)
        return true;
    const char *file = strcmp(values->file, "-") == 0 ? "scenario" : values->file;
    const char *slash = strrchr(file, '/');
    const char *name = slash ? slash + 1 : file;
    const char *dot = strrchr(name, '.');
    int len = values->out
                  ? snprintf(folder->path, sizeof folder->path, "%s", values->out)
                  : snprintf(folder->path, sizeof folder->path, "%.*s.run",
                             (int)(dot && dot != name ? dot - name : (long)strlen(name)), name);
    bool fits = len < (int)sizeof folder->path; /* cut, it would be another folder's */
    if (!fits || (mkdir(folder->path, 0777) < 0 && errno != EEXIST)) {
        fprintf(stderr, "q2p-sim: %s: %s\n", folder->path, strerror(fits ? errno : ENAMETOOLONG));
        return false;
    }
    return (folder->trace = create(folder, "trace.pcapng")) &&
           (folder->events = create(folder, "events.jsonl")) &&
           (folder->report = create(folder, "report.json")) &&
           (folder->resolved = create(folder, "scenario.resolved.yaml")) &&
           (folder->page = create(folder, "report.html"));
}

static bool close_folder(struct folder *folder)
{
    FILE *files[] = {folder->trace, folder->events, folder->report, folder->resolved, folder->page};
    bool fine = true;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        if (!files[i])
            continue;
        fine &= ferror(files[i]) == 0;
        fine &= fclose(files[i]) == 0;
    }
    if (!fine)
        fprintf(stderr, "q2p-sim: %s: could not be written: %s\n", folder->path, strerror(errno));
    return fine;
}

/* Finds what --at names; false if one is not there. */
static bool choose_places(struct session *session)
{
    const struct net *net = &session->run.net;
    const char *rest = session->values->at;
    if (!rest)
        return true;
    session->watched = sim_alloc(net->places_count);
    for (;; rest++) {
        char name[64];
        bool found = false;
        int len = (int)strcspn(rest, ",");
        snprintf(name, sizeof name, "%.*s", len, rest);
        for (size_t i = 0; i < net->places_count; i++)
            if (fnmatch(name, net->places[i]->name, 0) == 0)
                session->watched[i] = found = true;
        if (!found) {
            fprintf(stderr, "q2p-sim: --at: no node or NAT of %s is called '%.*s'\n",
                    session->values->file, len, rest);
            return false;
        }
        rest += len;
        if (*rest == '\0')
            return true;
    }
}

/* ---- while it runs ----------------------------------------------------------------------- */

static void happened(void *ctx, const struct scn_host *host, const struct q2p_happening *what,
                     const char *peer)
{
    struct session *session = ctx;
    if (session->folder.events)
        report_json_happening(session->folder.events, host, what, peer);
    if (session->values->json)
        report_json_happening(stdout, host, what, peer);
}

static void mapped(void *ctx, const struct net_place *nat, const struct net_nat_made *made)
{
    struct session *session = ctx;
    if (session->folder.events)
        report_json_mapping(session->folder.events, nat, made, session->run.world.now);
    if (session->values->json)
        report_json_mapping(stdout, nat, made, session->run.world.now);
}

static void show_progress(struct session *session, bool last)
{
    const struct cli_values *values = session->values;
    bool terminal = isatty(STDERR_FILENO) == 1;
    const struct scn_run *run = &session->run;
    int64_t now = wall_ns();
    if (values->json || values->quiet || (!values->progress && !terminal) ||
        (!values->progress && now - session->started_ns < Q2P_SECOND) ||
        (!last && terminal && now - session->shown_ns < Q2P_SECOND / 10))
        return;
    session->shown_ns = now;
    fprintf(stderr, "%s%" PRId64 ".%03ds of %" PRId64 "s: %" PRIu64 " datagrams, %zu of %zu %s%s",
            terminal ? "\r" : "", run->world.now / Q2P_SECOND,
            (int)(run->world.now / Q2P_MILLISECOND % 1000), run->scenario->until_ns / Q2P_SECOND,
            run->sent, run->scenario->expect.count - run->undecided, run->scenario->expect.count,
            "expectations decided", terminal && !last ? "\x1b[K" : "\n");
}

static void play(struct session *session)
{
    q2p_time until = session->scenario.until_ns;
    session->started_ns = wall_ns();
    for (int i = 1; i <= SLICES; i++) {
        scn_run_play(&session->run, i < SLICES ? until / SLICES * i : until);
        if (i == SLICES || i % (SLICES / 20) == 0 || isatty(STDERR_FILENO) == 1)
            show_progress(session, i == SLICES);
    }
}

/* ---- afterwards -------------------------------------------------------------------------- */

static void print_verdicts(const struct session *session, bool ok)
{
    const struct scn_run *run = &session->run;
    for (size_t i = 0; i < run->scenario->expect.count; i++) {
        const struct scn_verdict *verdict = &run->verdicts[i];
        char text[200];
        bool counts = !session->values->swarm || run->scenario->expect.items[i].never.text;
        if (!counts || (session->values->quiet && verdict->ok))
            continue;
        scn_expect_print(run, i, text, sizeof text);
        printf("%s  %-40s", verdict->ok ? "ok  " : "FAIL", text);
        if (verdict->at_ns < run->scenario->until_ns)
            printf("  at %" PRId64 ".%03ds", verdict->at_ns / Q2P_SECOND,
                   (int)(verdict->at_ns / Q2P_MILLISECOND % 1000));
        printf("%s%s\n", *verdict->why ? "  " : "", verdict->why);
    }
    if (*run->violation)
        printf("FAIL  oracle: %s  at %" PRId64 ".%03ds\n", run->violation,
               run->violation_ns / Q2P_SECOND, (int)(run->violation_ns / Q2P_MILLISECOND % 1000));
    if (ok && session->values->quiet)
        return;
    uint64_t resent = 0;
    for (size_t i = 0; i < run->scenario->nodes.count; i++)
        resent += q2p_node_counters(run->hosts[i].node)->fragments_resent;
    printf("datagrams: %" PRIu64 " sent", run->sent);
    for (int fate = NET_FATE_DELIVERED; fate < NET_FATES; fate++)
        if (run->fates[fate] > 0)
            printf(", %" PRIu64 " %s", run->fates[fate], net_fate_word((enum net_fate)fate));
    printf("; fragments resent: %" PRIu64 "\n", resent);
    uint32_t pair[2];
    uint64_t half_open = scn_run_half_open(run, pair);
    if (half_open > 0)
        printf("half-open pairs: %" PRIu64 ", such as %s, who knows %s\n", half_open,
               run->scenario->nodes.items[pair[0]].name, run->scenario->nodes.items[pair[1]].name);
    printf("trace hash: %016" PRIx64 "\n", run->trace_hash);
    if (*session->folder.path)
        printf("run folder: %s\n", session->folder.path);
}

static void write_reports(struct session *session, bool ok)
{
    struct scn_run *run = &session->run;
    const struct report_view view = {run, &session->story, session->again, ok};
    FILE *lines[] = {session->folder.events, session->values->json ? stdout : NULL};
    for (int i = 0; i < 2; i++) {
        if (!lines[i])
            continue;
        for (size_t j = 0; j < run->scenario->expect.count; j++)
            report_json_verdict(lines[i], run, j);
        if (*run->violation)
            report_json_violation(lines[i], run);
        report_json_run(lines[i], run, ok, session->again, false);
    }
    if (session->folder.report)
        report_json_run(session->folder.report, run, ok, session->again, true);
    if (session->folder.page)
        report_html(session->folder.page, &view);
}

/* False if it cannot be on several threads and was to. */
static bool divide(struct session *session)
{
    const struct cli_values *values = session->values;
    char why[160];
    if (values->threads < 2)
        return true;
    uint32_t count = scn_threads_begin(&session->run, (uint32_t)values->threads, why, sizeof why);
    if (count == 0)
        fprintf(stderr, "q2p-sim: %s: one thread only: %s\n", values->file, why);
    else if (count == 1 && !values->quiet)
        fprintf(stderr, "q2p-sim: %s: on one thread: %s\n", values->file, why);
    return count > 0;
}

static int simulate(struct session *session)
{
    const struct cli_values *values = session->values;
    if (values->swarm)
        swarm_scenario(&session->scenario, session->scenario.seed);
    const char *refused = scn_run_init(&session->run, &session->scenario, session->scenario.seed);
    if (refused) {
        fprintf(stderr, "q2p-sim: a node cannot be made: %s\n", refused);
        return CLI_SYSTEM;
    }
    if (!choose_places(session))
        return CLI_USAGE;
    cli_print_again(session->again, values, (uint32_t)values->variant, session->scenario.seed);
    if (!divide(session))
        return CLI_USAGE;
    if (!open_folder(&session->folder, values))
        return CLI_SYSTEM;
    if (session->folder.trace) {
        report_trace_begin(&session->trace, session->folder.trace, &session->run.net,
                           session->again, session->watched);
        session->run.trace = &session->trace;
    }
    if (session->folder.resolved)
        scn_write(&session->scenario, session->folder.resolved);
    if (session->folder.page)
        scn_run_tell(&session->run, &session->story);
    if (values->ladder)
        session->run.ladder = &session->ladder;
    session->run.happened = happened;
    session->run.mapped = mapped;
    session->run.ctx = session;
    play(session);
    bool ok = scn_run_judge(&session->run);
    if (values->swarm)
        ok = swarm_judge(&session->run);
    report_trace_end(&session->trace);
    write_reports(session, ok);
    if (values->ladder && !values->json)
        report_ladder_print(&session->ladder, &session->run.net, LADDER_ROWS, stdout);
    if (!values->json)
        print_verdicts(session, ok);
    if (!close_folder(&session->folder))
        return CLI_SYSTEM;
    if (!ok)
        fprintf(values->json ? stderr : stdout, "again: %s\n", session->again);
    return ok ? CLI_DONE : CLI_FAILED;
}

int cmd_run(const struct cli_values *values)
{
    struct session session = {.values = values};
    int status = cli_read_scenario(&session.scenario, values, (uint32_t)values->variant)
                     ? simulate(&session)
                     : CLI_INPUT;
    free(session.watched);
    report_ladder_free(&session.ladder);
    report_story_free(&session.story);
    if (session.run.scenario)
        scn_run_free(&session.run);
    scn_free(&session.scenario);
    return status;
}

/* ---- check ------------------------------------------------------------------------------- */

/* Both runs in one process: whatever one leaves behind would show in the other. */
static int compare_runs(const struct scenario *scenario)
{
    struct scn_run runs[2] = {0};
    char difference[600];
    int status = CLI_DONE;
    for (int i = 0; i < 2; i++) {
        const char *refused = scn_run_init(&runs[i], scenario, scenario->seed);
        if (refused) {
            fprintf(stderr, "q2p-sim: a node cannot be made: %s\n", refused);
            status = CLI_SYSTEM;
            break;
        }
    }
    if (status == CLI_DONE && !twin_compare(runs, difference, sizeof difference)) {
        printf("FAIL  two runs differ\n%s\n", difference);
        status = CLI_FAILED;
    }
    if (status == CLI_DONE)
        printf("ok    two runs are the same\ntrace hash: %016" PRIx64 "\n", runs[0].trace_hash);
    for (int i = 0; i < 2; i++)
        if (runs[i].scenario)
            scn_run_free(&runs[i]);
    return status;
}

int cmd_check(const struct cli_values *values)
{
    struct session session = {.values = values};
    int status = CLI_INPUT;
    if (cli_read_scenario(&session.scenario, values, (uint32_t)values->variant)) {
        status = compare_runs(&session.scenario);
        cli_print_again(session.again, values, (uint32_t)values->variant, session.scenario.seed);
        if (status == CLI_FAILED)
            printf("again: %s\n", session.again);
    }
    scn_free(&session.scenario);
    return status;
}
