/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_shrink.c - q2p-sim shrink: a failing seed, reduced to the few strokes of luck that matter. */
#define _GNU_SOURCE /* isatty, mkdir */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli_scenario.h"
#include "report_json.h"
#include "shrink.h"
#include "swarm.h"

#define RUNS_MAX 20000
#define LADDER_ROWS 60
#define SHOWN 200 /* decisions */

struct session {
    const struct cli_values *values;
    struct scenario scenario;
    struct shrink shrink;
    char why[300];
    char *again;
    struct report_ladder ladder;
    struct report_trace trace;
    FILE *file; /* of the trace; NULL = none is wanted */
    bool minimal;
};

static void show_progress(void *ctx, const struct shrink *shrink)
{
    (void)ctx;
    if (shrink->runs % 16 == 0)
        fprintf(stderr, "\r%u runs, %zu of %zu decisions left\x1b[K", shrink->runs,
                shrink->kept_count, shrink->count);
}

/* What --only says: numbers with commas between. */
static bool keep_only(struct shrink *shrink, const char *list)
{
    memset(shrink->kept, 0, shrink->count);
    shrink->kept_count = 0;
    for (const char *at = list; *at;) {
        char *end;
        unsigned long number = strtoul(at, &end, 10);
        if (*at < '0' || *at > '9' || number < 1 || number > shrink->count ||
            (*end != ',' && *end != '\0')) {
            fprintf(stderr, "q2p-sim: --only wants numbers up to %zu, such as 3,17, not '%s'\n",
                    shrink->count, list);
            return false;
        }
        shrink->kept_count += !shrink->kept[number - 1];
        shrink->kept[number - 1] = true;
        at = *end ? end + 1 : end;
    }
    return true;
}

/* The command line that plays just what is left. */
static char *make_again(const struct session *session)
{
    const struct shrink *shrink = &session->shrink;
    char line[CLI_AGAIN_MAX];
    const char *comma = " --only ";
    size_t room = CLI_AGAIN_MAX + 32 * (shrink->kept_count + 1);
    char *out = sim_alloc(room);
    cli_print_again(line, session->values, (uint32_t)session->values->variant,
                    session->scenario.seed);
    int len = snprintf(out, room, "q2p-sim shrink%s", line + strlen("q2p-sim run"));
    for (size_t i = 0; i < shrink->count; i++) {
        if (!shrink->kept[i])
            continue;
        len += snprintf(out + len, room - (size_t)len, "%s%zu", comma, i + 1);
        comma = ",";
    }
    return out;
}

static const char *place_name(const struct scn_run *run, uint32_t place)
{
    return run->net.places[place]->name;
}

static bool is_of_nat(const struct shrink_decision *decision)
{
    return decision->what == NET_DRAW_NAT_PORT || decision->what == NET_DRAW_NAT_OUTSIDE;
}

static void describe(const struct scn_run *run, const struct shrink_decision *decision, char *out,
                     size_t room)
{
    char inside[Q2P_ADDR_TEXT_MAX], remote[Q2P_ADDR_TEXT_MAX];
    if (!is_of_nat(decision)) {
        snprintf(out, room, "%s>%s  %s of %" PRIu32 " bytes", place_name(run, decision->from),
                 place_name(run, decision->to), q2p_event_name(decision->event), decision->len);
        return;
    }
    q2p_addr_print(&decision->inside, inside, sizeof inside);
    q2p_addr_print(&decision->remote, remote, sizeof remote);
    snprintf(out, room, "%s  for %s towards %s:", place_name(run, decision->from), inside, remote);
}

static void print_text(const struct session *session, const struct scn_run *run)
{
    const struct shrink *shrink = &session->shrink;
    size_t shown = 0;
    printf("%s  %s\n", *session->why ? "FAIL" : "ok  ",
           *session->why ? session->why : "nothing fails with these decisions alone");
    printf("luck: %zu decisions in %" PRIu64 " events; %zu are %s (%u runs)\n", shrink->count,
           shrink->steps, shrink->kept_count,
           session->values->only ? "kept"
           : session->minimal    ? "enough, and none of them can be left out"
                                 : "enough, perhaps fewer",
           shrink->runs);
    for (size_t i = 0; i < shrink->count && shown < SHOWN; i++) {
        const struct shrink_decision *decision = &shrink->decisions[i];
        if (!shrink->kept[i] || decision->at_ns == Q2P_NEVER)
            continue;
        char text[160];
        describe(run, decision, text, sizeof text);
        printf("  %zu  at %" PRId64 ".%06ds  %s %s\n", i + 1, decision->at_ns / Q2P_SECOND,
               (int)(decision->at_ns / Q2P_MICROSECOND % 1000000), text,
               shrink_word(decision->what));
        shown++;
    }
}

static void print_json_where(const struct scn_run *run, const struct shrink_decision *decision)
{
    char inside[Q2P_ADDR_TEXT_MAX], remote[Q2P_ADDR_TEXT_MAX];
    if (!is_of_nat(decision)) {
        printf("\"from\":\"%s\",\"to\":\"%s\",\"message\":\"%s\",\"len\":%" PRIu32,
               place_name(run, decision->from), place_name(run, decision->to),
               q2p_event_name(decision->event), decision->len);
        return;
    }
    q2p_addr_print(&decision->inside, inside, sizeof inside);
    q2p_addr_print(&decision->remote, remote, sizeof remote);
    printf("\"nat\":\"%s\",\"inside\":\"%s\",\"remote\":\"%s\",\"draw\":%" PRIu32,
           place_name(run, decision->from), inside, remote, decision->len);
}

static void print_json(const struct session *session, const struct scn_run *run)
{
    const struct shrink *shrink = &session->shrink;
    const char *comma = "";
    printf("{\"type\":\"shrink\",\"t_ns\":0,\"seed\":%" PRIu64 ",\"why\":", shrink->seed);
    report_json_string(stdout, *session->why ? session->why : NULL);
    printf(",\"events\":%" PRIu64
           ",\"decisions\":%zu,\"enough\":%zu,\"minimal\":%s,\"runs\":%u,\"list\":[",
           shrink->steps, shrink->count, shrink->kept_count, session->minimal ? "true" : "false",
           shrink->runs);
    for (size_t i = 0; i < shrink->count; i++) {
        const struct shrink_decision *decision = &shrink->decisions[i];
        if (!shrink->kept[i])
            continue;
        printf("%s{\"decision\":%zu,\"t_ns\":%" PRId64 ",", comma, i + 1, decision->at_ns);
        print_json_where(run, decision);
        printf(",\"luck\":\"%s\"}", shrink_word(decision->what));
        comma = ",";
    }
    printf("],\"again\":");
    report_json_string(stdout, session->again);
    puts("}");
}

/* ---- the run that is left ---------------------------------------------------------------- */

/* Before the search, which may take long. */
static bool open_trace(struct session *session)
{
    const char *folder = session->values->out;
    char path[480];
    if (!folder)
        return true;
    if (snprintf(path, sizeof path, "%s/trace.pcapng", folder) >= (int)sizeof path)
        errno = ENAMETOOLONG;
    else if (mkdir(folder, 0777) == 0 || errno == EEXIST)
        session->file = fopen(path, "wb");
    if (!session->file)
        fprintf(stderr, "q2p-sim: %s: %s\n", path, strerror(errno));
    return session->file;
}

static bool close_trace(struct session *session)
{
    if (!session->file)
        return true;
    report_trace_end(&session->trace);
    bool fine = ferror(session->file) == 0;
    fine &= fclose(session->file) == 0;
    if (!fine)
        fprintf(stderr, "q2p-sim: %s: could not be written: %s\n", session->values->out,
                strerror(errno));
    return fine;
}

static void print_rest(struct session *session, const struct scn_run *run)
{
    if (session->values->json) {
        print_json(session, run);
        return;
    }
    if (session->values->quiet && !*session->why)
        return;
    print_text(session, run);
    report_ladder_print(&session->ladder, &run->net, LADDER_ROWS, stdout);
    if (*session->why)
        printf("again: %s\n", session->again);
}

static int play_rest(struct session *session)
{
    struct scn_run run;
    session->again = make_again(session);
    shrink_build(&session->shrink, &run);
    if (session->file) {
        report_trace_begin(&session->trace, session->file, &run.net, session->again, NULL);
        run.trace = &session->trace;
    }
    run.ladder = session->values->json ? NULL : &session->ladder;
    scn_run_play(&run, session->scenario.until_ns);
    scn_run_judge(&run);
    scn_run_why(&run, session->values->swarm, session->why, sizeof session->why);
    print_rest(session, &run);
    bool written = close_trace(session);
    scn_run_free(&run);
    if (!written)
        return CLI_SYSTEM;
    return *session->why ? CLI_FAILED : CLI_DONE;
}

/* Later builds of the same cannot be refused any more. */
static bool can_build(const struct session *session)
{
    struct scn_run run;
    const char *refused = scn_run_init(&run, &session->scenario, session->scenario.seed);
    if (refused)
        fprintf(stderr, "q2p-sim: a node cannot be made: %s\n", refused);
    scn_run_free(&run);
    return !refused;
}

static int reduce(struct session *session)
{
    const struct cli_values *values = session->values;
    struct shrink *shrink = &session->shrink;
    if (values->swarm)
        swarm_scenario(&session->scenario, session->scenario.seed);
    if (!can_build(session))
        return CLI_SYSTEM;
    bool fails = shrink_record(shrink, &session->scenario, session->scenario.seed, values->swarm);
    if (!fails && !values->only) {
        if (values->json || !values->quiet)
            printf(values->json ? "{\"type\":\"shrink\",\"t_ns\":0,\"seed\":%" PRIu64
                                  ",\"why\":null}\n"
                                : "ok    nothing fails with seed %" PRIu64 "\n",
                   session->scenario.seed);
        return CLI_DONE;
    }
    if (values->only && !keep_only(shrink, values->only))
        return CLI_USAGE;
    if (!open_trace(session))
        return CLI_SYSTEM;
    if (values->only)
        return play_rest(session);
    if (isatty(STDERR_FILENO) == 1 && !values->quiet)
        shrink->progress = show_progress;
    session->minimal = shrink_search(shrink, RUNS_MAX);
    if (shrink->progress)
        fputs("\r\x1b[K", stderr);
    shrink->progress = NULL;
    return play_rest(session);
}

int cmd_shrink(const struct cli_values *values)
{
    struct session session = {.values = values};
    int status = CLI_INPUT;
    if (cli_read_scenario(&session.scenario, values, (uint32_t)values->variant))
        status = reduce(&session);
    shrink_free(&session.shrink);
    report_ladder_free(&session.ladder);
    free(session.again);
    scn_free(&session.scenario);
    return status;
}
