/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scenario.h - a scenario from a text, as a test that runs one writes it. */
#ifndef SCENARIO_H
#define SCENARIO_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "scn_schema.h"
#include "scn_yaml.h"
#include "unit.h"

/* Wants _GNU_SOURCE for mkstemp. Fails the test with the first complaint about the text. */
static inline void load(struct scenario *out, const char *text)
{
    char path[] = "/tmp/q2p-scenario-XXXXXX";
    struct scn_errors errors = {0};
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    bool fine = scn_read(out, path, &errors);
    unlink(path);
    if (!fine)
        fail_msg("%s", errors.items[0].text);
}

#endif
