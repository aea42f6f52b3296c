/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli_data.h - files: what is sent is read piece by piece, what is received appears whole or not at
 * all. */
#ifndef CLI_DATA_H
#define CLI_DATA_H

#include <q2p/node.h>

#include "cli_opts.h"

/* What is to be sent as one transmission, hashed as it comes in. */
struct cli_data {
    const char *path;
    FILE *file; /* NULL: not open yet, or all is read */
    uint8_t *bytes;
    size_t len, room;
    struct q2p_digest digest;
};

/* Opens data->path, "-" for standard input. CLI_FINE, or the exit code with all said. */
int cli_data_open(struct cli_data *data);

/* Is there a piece to read, or the end, without waiting for whoever writes into a pipe? */
bool cli_data_ready(const struct cli_data *data);

/* Reads a piece; behind the last one data->file is NULL. CLI_FINE, or the exit code with all said.
 */
int cli_data_more(struct cli_data *data);

/* Frees what was read, and reads no more of it. */
void cli_data_drop(struct cli_data *data);

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
