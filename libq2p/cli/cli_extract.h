/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cli_extract.h - writes completed transmissions into a folder, one file each. Names are made of
 * the capture's name, the frame where the transmission begins, and its key; never of anything
 * that was sent.
 */
#ifndef CLI_EXTRACT_H
#define CLI_EXTRACT_H

#include "cli_sending.h"

struct cli_extract {
    const char *folder;
    const char *capture; /* path; its last part goes into the names */
    int failed;          /* errno of the first file that could not be written */
};

/* Makes the folder if it is not there; false: it cannot be, and why has been said. */
bool cli_extract_open(const struct cli_extract *extract);

/* Every fragment has passed: keeps the data for the verdict. To be a cli_sending's `whole`. */
void cli_extract_keep(void *ctx, const struct cli_sending *sending, const uint8_t *data,
                      size_t len);

/* The verdict: was it received? Then the file gets its name, else it goes. */
void cli_extract_settle(struct cli_extract *extract, const struct cli_sending *sending,
                        bool received);

#endif
