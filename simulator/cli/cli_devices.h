/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli_devices.h - q2p-sim matrix: what it prints of hairpins, devices and poison. */
#ifndef CLI_DEVICES_H
#define CLI_DEVICES_H

#include "lab_devices.h"

void cli_devices_text(const struct lab_devices *devices);
void cli_devices_totals(const struct lab_devices *devices);

/* Members of an object, each with a comma after it. */
void cli_devices_json(const struct lab_devices *devices);

#endif
