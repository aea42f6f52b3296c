/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scn_write.c - a scenario with every default said aloud, as a file that gives the same run. */
#include <inttypes.h>
#include <string.h>

#include "scn_schema.h"
#include "svg.h"

#define VALUE_MAX 100 /* enough to see whether there is one, and for all that is one word */

/* What YAML takes for the end of a line, or does not take at all. */
static bool is_odd(uint32_t letter)
{
    return letter < 0x20 || (letter >= 0x7f && letter < 0xa0) || letter == 0x2028 ||
           letter == 0x2029 || letter == 0xfeff || (letter & 0xfffe) == 0xfffe;
}

static bool is_plain(const char *text)
{
    bool plain = !strchr(" -?", *text) && text[strlen(text) - 1] != ' ';
    while (plain && *text) {
        uint32_t letter = svg_take_letter(&text);
        plain = !is_odd(letter) && (letter >= 0x80 || !strchr(":#{}[],&*!|>'\"%@`\\", (int)letter));
    }
    return plain;
}

static void write_text(const char *text, FILE *out)
{
    if (is_plain(text)) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    while (*text) {
        const char *start = text;
        uint32_t letter = svg_take_letter(&text);
        if (letter == '\n')
            fputs("\\n", out);
        else if (is_odd(letter))
            fprintf(out, "\\U%08" PRIx32, letter);
        else
            fprintf(out, "%s%.*s", strchr("\"\\", *start) ? "\\" : "", (int)(text - start), start);
    }
    fputc('"', out);
}

static void write_list(const struct scn_ref *refs, size_t count, FILE *out)
{
    for (size_t i = 0; i < count; i++) {
        fputs(i ? ", " : "[", out);
        write_text(refs[i].text, out);
    }
    fputc(']', out);
}

/* One there is; texts and lists may be of any length. */
static void write_value(const struct scn_key *key, const void *object, FILE *out)
{
    const struct scn_ref *refs = (const void *)((const char *)object + key->at);
    const struct scn_refs *list = (const void *)refs;
    char value[VALUE_MAX];
    if (key->kind == SCN_TEXT || key->kind == SCN_REF) {
        write_text(refs->text, out);
    } else if (key->kind == SCN_REFS || key->kind == SCN_PAIR) {
        bool pair = key->kind == SCN_PAIR;
        write_list(pair ? refs : list->items, pair ? 2 : list->count, out);
    } else {
        scn_value_write(key, object, value, sizeof value);
        fputs(value, out);
    }
}

/* The keys of a section that have a value, and differ from `ground` if there is one. */
static int write_keys(const char *section, const void *object, const void *ground, int written,
                      FILE *out)
{
    for (const struct scn_key *key = scn_schema; key->section; key++) {
        char value[VALUE_MAX], same[VALUE_MAX] = "";
        if (strcmp(key->section, section) != 0 || key->kind == SCN_PART)
            continue;
        scn_value_write(key, object, value, sizeof value);
        if (ground)
            scn_value_write(key, ground, same, sizeof same);
        if (!*value || strcmp(value, same) == 0)
            continue;
        fprintf(out, "%s%s: ", written++ ? ", " : "", key->name);
        write_value(key, object, out);
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
            fprintf(out, "%s%s: ", written++ ? ", " : "", key->name);
            write_value(key, &step->set, out);
        }
        fputs("}", out);
    }
    fputs("}\n", out);
}

void scn_write(const struct scenario *scenario, FILE *out)
{
    for (const struct scn_key *key = scn_schema; !*key->section; key++) {
        char value[VALUE_MAX];
        scn_value_write(key, scenario, value, sizeof value);
        if (!*value)
            continue;
        fprintf(out, "%s: ", key->name);
        write_value(key, scenario, out);
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
