/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli_data.h - files: what is sent is read whole, what is received appears whole or not at all. */
#ifndef CLI_DATA_H
#define CLI_DATA_H

#include <q2p/node.h>

#include "cli_opts.h"

/* What is to be sent, hashed as it came in. */
struct cli_data {
    uint8_t *bytes;
    size_t len;
    struct q2p_digest digest;
};

/*
 * Reads a file, "-" for standard input, as one transmission. CLI_FINE, or the exit code with all
 * said. out->bytes are the caller's to free either way.
 */
int cli_data_read(const char *path, struct cli_data *out);

/* Writes all of it. 0, or -1 with errno set. */
int cli_data_write(int fd, const void *data, size_t len);

/* Writes a file; its name appears when it is whole. CLI_FINE, or the exit code with all said. */
int cli_data_save(const char *path, const void *data, size_t len);

/* Before there is anything to save: could it be? CLI_FINE, or the exit code with all said. */
int cli_data_can_save(const char *path);

/* The path of what is called name in a directory, which may end in a slash; cut to room. */
void cli_data_name_in(const char *dir, const char *name, char *path, size_t room);

/* Makes a directory to save in unless it is there. CLI_FINE, or the exit code with all said. */
int cli_data_make_dir(const char *dir);

/*
 * Saves what was delivered to dir, under its SHA-256: nobody outside can choose a name, and what is
 * there already need not be written again. The name goes to path.
 */
int cli_data_save_in(const char *dir, const struct q2p_happening *on, char *path, size_t room);

#endif
