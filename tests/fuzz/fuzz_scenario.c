/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_scenario.c - any bytes as a scenario file: it is read, or every complaint says where and
 * what; what was read is written out so that it reads back to the same. Sizes stay bounded.
 */
#define _GNU_SOURCE /* memmem, fmemopen */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "fuzz.h"
#include "scn_schema.h"
#include "scn_yaml.h"

#define SIZE_LIMIT 4096
#define NODES_LIMIT 1000000

/* Through standard input, as `q2p-sim run -` would, so that no file is made. */
static bool read_bytes(struct scenario *out, const void *bytes, size_t size,
                       struct scn_errors *errors)
{
    FILE *before = stdin, *input = fmemopen((void *)(uintptr_t)bytes, size, "rb");

    MUST(input);
    stdin = input;
    bool fine = scn_read(out, "-", errors);
    stdin = before;
    fclose(input);
    return fine;
}

static char *write_out(const struct scenario *scenario, size_t *len)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, len);

    MUST(out);
    scn_write(scenario, out);
    fclose(out);
    MUST(text && *len > 0);
    return text;
}

static void check_errors(const struct scn_errors *errors, size_t size)
{
    char line[256];

    MUST(errors->count > 0 && errors->count <= 100);
    for (size_t i = 0; i < errors->count; i++) {
        const struct scn_error *error = &errors->items[i];

        MUST(error->line >= 0 && (size_t)error->line <= size + 1);
        MUST(error->text[0] != '\0' && memchr(error->text, '\0', sizeof error->text));
        MUST(i == 0 || error->line >= errors->items[i - 1].line);
        scn_error_print(errors, i, line, sizeof line);
        MUST(strncmp(line, "standard input:", 15) == 0);
    }
}

static void check_written(const struct scenario *scenario)
{
    struct scn_errors errors = {0};
    struct scenario again;
    size_t len, again_len;
    char *text = write_out(scenario, &len), *again_text;

    if (!read_bytes(&again, text, len, &errors)) {
        fprintf(stderr, "line %d: %s\n", errors.items[0].line, errors.items[0].text);
        abort(); /* what was written is not read */
    }
    again_text = write_out(&again, &again_len);
    MUST(len == again_len && memcmp(text, again_text, len) == 0);
    free(text);
    free(again_text);
    scn_free(&again);
    scn_errors_free(&errors);
}

/* A million nodes are allowed, but then nothing else would be tried in this minute. */
static bool asks_for_many(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0, digits = 0; i < size; i++) {
        digits = bytes[i] >= '0' && bytes[i] <= '9' ? digits + 1 : 0;
        if (digits >= 4 && i >= 12 && memmem(bytes + i - 12, 12, "count", 5))
            return true;
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct scn_errors errors = {0};
    struct scenario scenario;

    if (size == 0 || size > SIZE_LIMIT || asks_for_many(bytes, size))
        return 0;
    bool fine = read_bytes(&scenario, bytes, size, &errors);
    MUST(scenario.nodes.count <= NODES_LIMIT && scenario.links.count <= size);
    MUST(fine == (errors.count == 0));
    if (!fine)
        check_errors(&errors, size);
    else if (scenario.nodes.count <= 100)
        check_written(&scenario);
    scn_free(&scenario);
    scn_errors_free(&errors);
    return 0;
}
