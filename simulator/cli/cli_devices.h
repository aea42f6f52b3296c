/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli_devices.h - q2p-sim matrix: what it prints of hairpins, devices and poison. */
#ifndef CLI_DEVICES_H
#define CLI_DEVICES_H

#include "lab_devices.h"
#include "report_matrix.h"

void cli_devices_text(const struct lab_devices *devices);
void cli_devices_totals(const struct lab_devices *devices);

/* The cells of devices as a table of a page. */
struct cli_devices_page {
    struct report_matrix_cell cells[LAB_DEVICES][LAB_DEVICES];
    const char *labels[LAB_DEVICES];
};
struct report_matrix_table cli_devices_page(struct cli_devices_page *page,
                                            const struct lab_devices *devices);

/* Members of an object, each with a comma after it. */
void cli_devices_json(const struct lab_devices *devices);

#endif
