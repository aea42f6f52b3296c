/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_replay.c - `q2p replay`: our node in the place of one that was recorded. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <q2p/status.h>

#include "cli_manifest.h"
#include "cli_out.h"
#include "cli_replay_tell.h"
#include "cmd.h"

struct replay_values {
    struct cli_common common;
    struct cli_list as;
    bool all;
    const char *profile;
    q2p_time lost_ns, timeout_ns;
    uint64_t memory_max;
};

struct sum {
    uint64_t captures, endpoints, by[CLI_SAME_SKIPPED + 1];
};

static int read_profile(enum cli_profile *out, const char *word)
{
    static const char *const words[] = {"auto", "original", "ours"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        *out = (enum cli_profile)i;
        if (!strcmp(word, words[i]))
            return 0;
    }
    cli_error("replay: --profile is auto, original or ours, not `%s`", word);
    return -1;
}

struct attempt {
    struct cli_plan plan;
    struct cli_ours ours;
    struct cli_comparison comparison;
};

static int live_once(struct attempt *attempt, const struct replay_values *values,
                     const struct cli_recording *recording, const struct q2p_addr *self, bool eager)
{
    *attempt = (struct attempt){.plan = {.self = *self,
                                         .lost_ns = values->lost_ns,
                                         .timeout_ns = values->timeout_ns,
                                         .eager = eager},
                                .comparison = {.sameness = CLI_SAME_SKIPPED}};
    read_profile(&attempt->plan.profile, values->profile);
    int status = cli_replay_plan(&attempt->plan, recording);
    if (status == Q2P_OK && !attempt->plan.skip)
        status = cli_replay_run(&attempt->plan, &attempt->ours);
    if (status == Q2P_OK && !attempt->plan.skip)
        status = cli_replay_compare(&attempt->plan, &attempt->ours, &attempt->comparison);
    return status;
}

static void forget(struct attempt *attempt)
{
    cli_replay_ours_free(&attempt->ours);
    cli_replay_plan_free(&attempt->plan);
}

static int replay_endpoint(const struct replay_values *values, struct sum *sum, const char *path,
                           const struct cli_recording *recording, const struct q2p_addr *self)
{
    struct attempt attempts[2], *best = &attempts[0];
    int count = 1, status = live_once(&attempts[0], values, recording, self, false);
    /* nodes of ours did not always list gaps at once: it may be a younger one */
    if (status == Q2P_OK && best->comparison.sameness == CLI_SAME_DIFFERENT &&
        best->plan.profile == CLI_PROFILE_OURS) {
        count = 2;
        status = live_once(&attempts[1], values, recording, self, true);
        if (attempts[1].comparison.sameness < CLI_SAME_DIFFERENT)
            best = &attempts[1];
    }
    if (status < 0) {
        cli_error("%s: %s", path, q2p_status_text(status));
    } else {
        sum->endpoints++;
        sum->by[best->comparison.sameness]++;
        if (values->common.json)
            cli_replay_tell_json(path, &best->plan, &best->comparison);
        else
            cli_replay_tell_person(path, &best->plan, &best->comparison, values->common.quiet);
    }
    int code = best->comparison.sameness == CLI_SAME_DIFFERENT ? CLI_FAILED : CLI_FINE;
    while (count > 0)
        forget(&attempts[--count]);
    return status < 0 ? CLI_ENVIRONMENT : code;
}

/* Is it an address, or an IP alone? Anything else is a slip, whatever the capture has. */
static bool is_name(const char *text)
{
    static const char *const shapes[] = {"%s", "%s:1", "[%s]:1"};
    char whole[Q2P_ADDR_TEXT_MAX + 4];
    struct q2p_addr addr;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        int len = snprintf(whole, sizeof whole, shapes[i], text);
        if (len < (int)sizeof whole && q2p_addr_parse(&addr, whole, (size_t)len) == Q2P_OK)
            return true;
    }
    return false;
}

static bool are_names(const struct cli_list *as)
{
    for (size_t i = 0; i < as->count; i++) {
        if (is_name(as->items[i]))
            continue;
        cli_error("replay: --as wants an endpoint of the capture, such as 10.77.0.1:10000 or "
                  "10.77.0.1 or [fd00::1]:10000, not '%s'",
                  as->items[i]);
        return false;
    }
    return true;
}

/* Does this endpoint go by that text: an address, or an IP alone? */
static bool goes_by(const struct q2p_addr *addr, const char *text)
{
    struct q2p_addr host = *addr, wanted;
    char whole[Q2P_ADDR_TEXT_MAX];
    if (q2p_addr_parse(&wanted, text, strlen(text)) == Q2P_OK)
        return q2p_addr_equal(&wanted, addr);
    host.port = 0;
    int len = q2p_addr_print(&host, whole, sizeof whole);
    if (len < 2)
        return false;
    whole[len - 2] = '\0'; /* ":0" */
    return !strcmp(whole, text) || (whole[0] == '[' && strlen(text) + 2 == strlen(whole) &&
                                    !strncmp(whole + 1, text, strlen(text)));
}

static bool is_wanted(const struct cli_list *as, const struct q2p_addr *addr)
{
    for (size_t i = 0; i < as->count; i++)
        if (goes_by(addr, as->items[i]))
            return true;
    return as->count == 0;
}

/* Every name given must be an endpoint of the capture, or nothing would be tested in silence. */
static bool are_there(const char *path, const struct cli_list *as, const struct q2p_addr *addrs,
                      size_t count)
{
    for (size_t i = 0; i < as->count; i++) {
        size_t k = 0;
        while (k < count && !goes_by(&addrs[k], as->items[i]))
            k++;
        if (k < count)
            continue;
        cli_error("%s: no Q2P node sends from %s", path, as->items[i]);
        return false;
    }
    return true;
}

static int replay_capture(const struct replay_values *values, struct sum *sum, const char *path,
                          const struct cli_list *as)
{
    struct cli_recording recording;
    struct q2p_addr *addrs = NULL;
    FILE *file = cli_open(path);
    if (!file)
        return CLI_INPUT;
    int status = cli_replay_load(&recording, file, (size_t)values->memory_max);
    int worst = CLI_FINE;
    size_t count = status < 0 ? 0 : cli_replay_endpoints(&recording, &addrs);
    sum->captures++;
    if (status == Q2P_OK && !addrs) {
        status = Q2P_ERR_MEMORY;
        snprintf(recording.why, sizeof recording.why, "%s", q2p_status_text(status));
    }
    if (status < 0 || recording.broken)
        cli_error("%s: %s", path, recording.why);
    if (status < 0 || !are_there(path, as, addrs, count))
        worst = status == Q2P_ERR_MEMORY ? CLI_ENVIRONMENT : CLI_INPUT;
    for (size_t i = 0; worst != CLI_INPUT && i < count; i++) {
        if (!is_wanted(as, &addrs[i]))
            continue;
        int code = replay_endpoint(values, sum, path, &recording, &addrs[i]);
        worst = code > worst ? code : worst;
    }
    if (recording.broken)
        worst = CLI_INPUT;
    free(addrs);
    cli_replay_unload(&recording);
    return worst;
}

static void sum_up(const struct replay_values *values, const struct sum *sum)
{
    if (values->common.json) {
        cli_json_open("summary", 0);
        cli_json_number("captures", sum->captures);
        cli_json_number("endpoints", sum->endpoints);
        for (int each = 0; each <= CLI_SAME_SKIPPED; each++)
            cli_json_number(cli_sameness_word((enum cli_sameness)each), sum->by[each]);
        cli_json_close();
    } else {
        printf("%s%" PRIu64 " captures, %" PRIu64 " endpoints:%s", cli_colour(CLI_BOLD),
               sum->captures, sum->endpoints, cli_colour(CLI_PLAIN));
        for (int each = 0; each <= CLI_SAME_SKIPPED; each++)
            printf("%s %" PRIu64 " %s", each ? "," : "", sum->by[each],
                   cli_sameness_word((enum cli_sameness)each));
        putchar('\n');
    }
}

struct tour {
    const struct replay_values *values;
    struct sum sum;
    int worst;
};

static void visit(void *ctx, const struct cli_entry *entry)
{
    struct tour *tour = ctx;
    if (entry->listed && !entry->replay.count)
        return; /* the manifest says that nobody in it can be replayed */
    int code = replay_capture(tour->values, &tour->sum, entry->path, &entry->replay);
    tour->worst = code > tour->worst ? code : tour->worst;
}

static int run(const void *at, int argc, char **argv)
{
    const struct replay_values *values = at;
    struct tour tour = {.values = values};
    enum cli_profile profile;
    if (read_profile(&profile, values->profile) || !are_names(&values->as))
        return CLI_USAGE;
    if (values->all && values->as.count) {
        cli_error("replay: --as names endpoints of one capture, --all takes those of the manifest");
        return CLI_USAGE;
    }
    for (int i = 0; i < argc; i++) {
        int code = values->all ? cli_manifest_visit(argv[i], visit, &tour)
                               : replay_capture(values, &tour.sum, argv[i], &values->as);
        tour.worst = code > tour.worst ? code : tour.worst;
    }
    if (values->all || argc > 1)
        sum_up(values, &tour.sum);
    if (tour.worst == CLI_FINE && !tour.sum.endpoints) {
        cli_error("no Q2P node to replay");
        return CLI_INPUT;
    }
    return tour.worst;
}

static const struct cli_option options[] = {
    CLI_COMMON_OPTIONS,
    {"as", 'a', CLI_LIST, offsetof(struct replay_values, as), "ADDRESS[:PORT]", NULL, 0, 0,
     "the endpoint to take the place of; repeatable; default: each Q2P node in turn"},
    {"all", 0, CLI_FLAG, offsetof(struct replay_values, all), NULL, NULL, 0, 0,
     "CAPTURE is a folder or a MANIFEST.yaml: replay everything in it"},
    {"profile", 0, CLI_TEXT, offsetof(struct replay_values, profile), "NAME", "auto", 0, 0,
     "original or ours; auto: as the recorded endpoint behaves"},
    {"lost", 0, CLI_TIME, offsetof(struct replay_values, lost_ns), "TIME", NULL, 0, 0,
     "between two lists of lost fragments; default: as recorded"},
    {"timeout", 0, CLI_TIME, offsetof(struct replay_values, timeout_ns), "TIME", NULL, 0, 0,
     "until a transmission is given up; default: as recorded"},
    {"memory", 0, CLI_SIZE, offsetof(struct replay_values, memory_max), "SIZE", "256MiB", 1, 0,
     "for one capture"},
    {.name = NULL},
};

const struct cli_command cmd_replay = {
    .name = "replay",
    .args = "CAPTURE...",
    .sentence = "Puts our node in the place of a recorded one, and compares what the two send.",
    .about =
        "The node gets what the recorded one got, at the same times, and its application does\n"
        "what the recorded one evidently did: joins, sends, resends. The clock is virtual, so\n"
        "this takes no time. What the two send is identical; or equivalent, and each difference\n"
        "is allowed by a rule that is named with its section of PROTOCOL.md; or different, and\n"
        "then the first difference is shown side by side and the exit code is 1.",
    .example = "  q2p replay capture.pcapng --as 10.77.0.1:10000\n"
               "  q2p replay --all pcaps",
    .options = options,
    .values_size = sizeof(struct replay_values),
    .args_min = 1,
    .args_max = -1,
    .run = run,
};
