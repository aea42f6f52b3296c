/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli_devices.h - q2p-sim matrix: what it prints of hairpins, devices and poison. */
#ifndef CLI_DEVICES_H
#define CLI_DEVICES_H

#include "lab_devices.h"
#include "report_matrix.h"

void cli_devices_text(const struct lab_devices *devices);
void cli_devices_totals(const struct lab_devices *devices);

/* Tables of a page: the devices, then two peers behind one NAT, for each way of punching. */
#define CLI_DEVICES_TABLES (LAB_WAYS + 1)
struct cli_devices_page {
    struct report_matrix_cell cells[LAB_DEVICES][LAB_DEVICES];
    struct report_matrix_cell together[LAB_WAYS][LAB_HAIRPINS][LAB_NATS];
    bool together_fits[LAB_WAYS][LAB_HAIRPINS][LAB_NATS];
    const char *devices[LAB_DEVICES], *hairpins[LAB_HAIRPINS], *nats[LAB_NATS];
    struct report_matrix_axes device_axes, hairpin_axes;
};
void cli_devices_page(struct cli_devices_page *page, const struct lab_devices *devices,
                      struct report_matrix_table tables[CLI_DEVICES_TABLES]);

/* Members of an object, each with a comma after it. */
void cli_devices_json(const struct lab_devices *devices);

#endif
