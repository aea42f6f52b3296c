/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cli_manifest.h - a folder of captures and what must be found in each: the small part of
 * MANIFEST.yaml that the commands need (pcaps/README.md has all of it).
 */
#ifndef CLI_MANIFEST_H
#define CLI_MANIFEST_H

#include "cli_opts.h"

/* What must be found; -1: anything. */
struct cli_expected {
    int64_t packets, complete, incomplete, pairs, malformed;
};

struct cli_entry {
    const char *path;
    bool listed; /* in a manifest; else just a file in the folder */
    struct cli_expected found;
    struct cli_list replay; /* endpoints that can be replayed */
};

/*
 * Visits every capture of a manifest; of a folder: its MANIFEST.yaml, or without one, every
 * *.pcap and *.pcapng in it, by name. Returns an exit code, and has said why if it is not 0.
 */
int cli_manifest_visit(const char *path, void (*visit)(void *ctx, const struct cli_entry *entry),
                       void *ctx);

#endif
