/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli_scenario.c - reading scenarios and saying how to run them again. */
#include "cli_scenario.h"

#include <inttypes.h>
#include <string.h>

bool cli_read_scenario(struct scenario *out, const struct cli_values *values, uint32_t variant)
{
    struct scn_errors errors = {0};
    bool fine = scn_read_variant(out, values->file, variant, &errors);
    for (size_t i = 0; i < errors.count; i++) {
        char text[600];
        scn_error_print(&errors, i, text, sizeof text);
        fprintf(stderr, "%s\n", text);
    }
    scn_errors_free(&errors);
    if (values->seed_given)
        out->seed = values->seed;
    return fine;
}

/* One word for a shell. */
static void quote(char *out, size_t room, const char *text)
{
    const char *plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./";
    if (strspn(text, plain) == strlen(text)) {
        snprintf(out, room, "%s", text);
        return;
    }
    size_t len = 0;
    out[len++] = '\'';
    for (; *text && len + 6 < room; text++)
        len += (size_t)snprintf(out + len, room - len, "%s%c", *text == '\'' ? "'\\'" : "", *text);
    snprintf(out + len, room - len, "'");
}

void cli_print_again(char *out, const struct cli_values *values, uint32_t variant, uint64_t seed)
{
    char file[520];
    quote(file, sizeof file, values->file);
    int len = snprintf(out, CLI_AGAIN_MAX, "q2p-sim run %s --seed %" PRIu64, file, seed);
    if (variant > 0)
        len += snprintf(out + len, (size_t)(CLI_AGAIN_MAX - len), " --variant %" PRIu32, variant);
    if (values->swarm)
        snprintf(out + len, (size_t)(CLI_AGAIN_MAX - len), " --swarm");
}
