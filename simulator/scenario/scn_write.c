/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scn_write.c - a scenario with every default said aloud, as a file that gives the same run. */
#include <inttypes.h>
#include <string.h>

#include "scn_schema.h"

/* Texts that are no plain words are quoted. */
static void write_value(const struct scn_key *key, const char *value, FILE *out)
{
    bool plain = key->kind != SCN_TEXT || strcspn(value, ":#{}[],&*!|>'\"%@`\\\n") == strlen(value);
    if (plain && value[strspn(value, " -?")] == value[0]) {
        fputs(value, out);
        return;
    }
    fputc('"', out);
    for (; *value; value++) {
        if (*value == '\n')
            fputs("\\n", out);
        else
            fprintf(out, "%s%c", *value == '"' || *value == '\\' ? "\\" : "", *value);
    }
    fputc('"', out);
}

/* The keys of a section that have a value, and differ from `ground` if there is one. */
static int write_keys(const char *section, const void *object, const void *ground, int written,
                      FILE *out)
{
    for (const struct scn_key *key = scn_schema; key->section; key++) {
        char value[400], same[400] = "";
        if (strcmp(key->section, section) != 0 || key->kind == SCN_PART)
            continue;
        scn_value_write(key, object, value, sizeof value);
        if (ground)
            scn_value_write(key, ground, same, sizeof same);
        if (!*value || strcmp(value, same) == 0)
            continue;
        fprintf(out, "%s%s: ", written++ ? ", " : "", key->name);
        write_value(key, value, out);
    }
    return written;
}

void scn_write_step(const struct scn_step *step, FILE *out)
{
    static const struct scn_step ground = {.at_ns = -1};
    fputs("  - {", out);
    write_keys("script", step, &ground, 0, out);
    if (step->has_send) {
        fputs(", send: {", out);
        write_keys("send", &step->send, NULL, 0, out);
        fputs("}", out);
    } else if (step->has_set) {
        char value[400];
        fputs(", set: {", out);
        int written = 0;
        uint64_t bit = 1;
        for (const struct scn_key *key = scn_schema; key->section; key++) {
            if (strcmp(key->section, "set") != 0)
                continue;
            bool given = step->set.given & bit;
            bit <<= 1;
            if (!given)
                continue;
            scn_value_write(key, &step->set, value, sizeof value);
            fprintf(out, "%s%s: ", written++ ? ", " : "", key->name);
            write_value(key, value, out);
        }
        fputs("}", out);
    }
    fputs("}\n", out);
}

void scn_write(const struct scenario *scenario, FILE *out)
{
    for (const struct scn_key *key = scn_schema; !*key->section; key++) {
        char value[400];
        scn_value_write(key, scenario, value, sizeof value);
        if (!*value)
            continue;
        fprintf(out, "%s: ", key->name);
        write_value(key, value, out);
        fputc('\n', out);
    }
    fputs("protocol: {", out);
    write_keys("protocol", &scenario->protocol, NULL, 0, out);
    fprintf(out, "}\nnodes:%s\n", scenario->nodes.count ? "" : " {}");
    for (size_t i = 0; i < scenario->nodes.count; i++) {
        const struct scn_node *node = &scenario->nodes.items[i];
        fprintf(out, "  %s: {", node->name);
        int written = write_keys("nodes", node, NULL, 0, out);
        write_keys("protocol", &node->protocol, &scenario->protocol, written, out);
        fputs("}\n", out);
    }
    fprintf(out, "nats:%s\n", scenario->nats.count ? "" : " {}");
    for (size_t i = 0; i < scenario->nats.count; i++) {
        fprintf(out, "  %s: {", scenario->nats.items[i].name);
        write_keys("nats", &scenario->nats.items[i], NULL, 0, out);
        fputs("}\n", out);
    }
    fprintf(out, "links:%s\n", scenario->links.count ? "" : " []");
    for (size_t i = 0; i < scenario->links.count; i++) {
        fputs("  - {", out);
        write_keys("links", &scenario->links.items[i], NULL, 0, out);
        fputs("}\n", out);
    }
    fputs("default: {", out);
    write_keys("default", &scenario->link_default, NULL, 0, out);
    fprintf(out, "}\nscript:%s\n", scenario->script.count ? "" : " []");
    for (size_t i = 0; i < scenario->script.count; i++)
        scn_write_step(&scenario->script.items[i], out);
    fprintf(out, "expect:%s\n", scenario->expect.count ? "" : " []");
    for (size_t i = 0; i < scenario->expect.count; i++) {
        fputs("  - {", out);
        write_keys("expect", &scenario->expect.items[i], NULL, 0, out);
        fputs("}\n", out);
    }
}
