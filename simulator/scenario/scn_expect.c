/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scn_expect.c - the judge: what was expected, what came true and when, and why not. */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "scn_run.h"

__attribute__((format(printf, 4, 5))) static void decide(struct scn_run *run, size_t index, bool ok,
                                                         const char *format, ...)
{
    struct scn_verdict *verdict = &run->verdicts[index];
    va_list args;
    if (verdict->decided)
        return;
    *verdict = (struct scn_verdict){.ok = ok, .decided = true, .at_ns = run->world.now};
    run->undecided--;
    va_start(args, format);
    vsnprintf(verdict->why, sizeof verdict->why, format, args);
    va_end(args);
}

/* It came true now; early enough? */
static void come_true(struct scn_run *run, size_t index)
{
    bool ok = run->world.now <= run->scenario->expect.items[index].before_ns;
    decide(run, index, ok, "%s", ok ? "" : "too late");
}

static int known(const struct scn_run *run, const struct scn_ref *pair)
{
    return (scn_run_contact(&run->hosts[pair[0].index], pair[1].index) != NULL) +
           2 * (scn_run_contact(&run->hosts[pair[1].index], pair[0].index) != NULL);
}

void scn_expect_contact(struct scn_run *run)
{
    for (size_t i = 0; i < run->scenario->expect.count; i++) {
        const struct scn_expect *expect = &run->scenario->expect.items[i];
        if (!run->verdicts[i].decided && expect->connected[0].text &&
            known(run, expect->connected) == 3)
            come_true(run, i);
    }
}

void scn_expect_transfer(struct scn_run *run, const struct scn_transfer *transfer)
{
    for (size_t i = 0; i < run->scenario->expect.count; i++) {
        const struct scn_expect *expect = &run->scenario->expect.items[i];
        if (expect->delivered.text && expect->delivered.index == transfer->step &&
            transfer->delivered_ns != Q2P_NEVER)
            come_true(run, i);
        if (expect->failed.text && expect->failed.index == transfer->step &&
            transfer->failed_ns != Q2P_NEVER)
            come_true(run, i);
    }
}

void scn_expect_event(struct scn_run *run, uint32_t node, const char *word)
{
    for (size_t i = 0; i < run->scenario->expect.count; i++) {
        const struct scn_expect *expect = &run->scenario->expect.items[i];
        const char *wanted = expect->seen.text ? expect->seen.text : expect->never.text;
        if (!wanted || run->verdicts[i].decided || strcmp(wanted, word) != 0 ||
            (expect->at.text && expect->at.index != node))
            continue;
        if (expect->seen.text)
            come_true(run, i);
        else
            decide(run, i, false, "it was, at %s", run->scenario->nodes.items[node].name);
    }
}

bool scn_expect_reads_events(const struct scenario *scenario)
{
    for (size_t i = 0; i < scenario->expect.count; i++)
        if (scenario->expect.items[i].seen.text || scenario->expect.items[i].never.text)
            return true;
    return false;
}

static void end_pair(struct scn_run *run, size_t index, const struct scn_ref *pair, bool wanted)
{
    int state = known(run, pair);
    bool ok = (state == 3) == wanted;
    if (state == 0)
        decide(run, index, ok, "neither knows the other");
    else if (state == 3)
        decide(run, index, ok, "both know each other");
    else
        decide(run, index, ok, "half-open: only %s knows the other", pair[state == 1 ? 0 : 1].text);
}

static void end_transfer(struct scn_run *run, size_t index, uint32_t step, bool delivered)
{
    const struct scn_transfer *transfer = run->transfers;
    while (transfer->step != step)
        transfer++;
    const struct scn_send *send = transfer->send;
    if (transfer->waiting)
        decide(run, index, false, "never sent: %s is not connected to %s", send->from.text,
               send->to.text);
    else if (!delivered)
        decide(run, index, false, "it has not failed");
    else if (transfer->failed_ns != Q2P_NEVER)
        decide(run, index, false, "%s at %" PRId64 " ms", transfer->failed_how,
               transfer->failed_ns / Q2P_MILLISECOND);
    else
        decide(run, index, false, "not complete at the end");
}

bool scn_expect_end(struct scn_run *run)
{
    bool ok = true;
    for (size_t i = 0; i < run->scenario->expect.count; i++) {
        const struct scn_expect *expect = &run->scenario->expect.items[i];
        if (expect->connected[0].text) {
            end_pair(run, i, expect->connected, true);
        } else if (expect->not_connected[0].text) {
            end_pair(run, i, expect->not_connected, false);
        } else if (expect->delivered.text) {
            end_transfer(run, i, expect->delivered.index, true);
        } else if (expect->failed.text) {
            end_transfer(run, i, expect->failed.index, false);
        } else if (expect->peers.min != -1) {
            size_t peers = q2p_node_peers(run->hosts[expect->at.index].node, NULL, 0);
            decide(run, i, peers >= (size_t)expect->peers.min && peers <= (size_t)expect->peers.max,
                   "it has %zu", peers);
        } else {
            decide(run, i, expect->never.text != NULL, "%s",
                   expect->never.text ? "" : "it was not");
        }
        ok &= run->verdicts[i].ok;
    }
    return ok;
}

void scn_expect_print(const struct scn_run *run, size_t index, char *out, size_t room)
{
    const struct scn_expect *expect = &run->scenario->expect.items[index];
    size_t len = 0;
    *out = '\0';
    for (const struct scn_key *key = scn_schema; key->section; key++) {
        char value[100];
        if (strcmp(key->section, "expect") != 0)
            continue;
        scn_value_write(key, expect, value, sizeof value);
        if (!*value || len >= room)
            continue;
        size_t drop = 0; /* lists as words: [alice, bob] becomes alice bob */
        for (size_t i = 0; value[i]; i++)
            if (!strchr("[],", value[i]))
                value[drop++] = value[i];
        value[drop] = '\0';
        len += (size_t)snprintf(out + len, room - len, "%s%s %s", len ? " " : "", key->name, value);
    }
}

q2p_time scn_run_why(const struct scn_run *run, bool swarm, char *out, size_t room)
{
    *out = '\0';
    if (*run->violation) {
        snprintf(out, room, "oracle: %s", run->violation);
        return run->violation_ns;
    }
    for (size_t i = 0; i < run->scenario->expect.count; i++) {
        const struct scn_verdict *verdict = &run->verdicts[i];
        char text[200];
        if (verdict->ok || (swarm && !run->scenario->expect.items[i].never.text))
            continue;
        scn_expect_print(run, i, text, sizeof text);
        snprintf(out, room, "%s: %s", text, verdict->why);
        return verdict->at_ns;
    }
    return 0;
}
