/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cli_crew.h - hands that work beside the one thread of a command: for hashing, which takes longer
 * than everything else and which nobody waits for until the end. A job touches nothing but what it
 * was given, so that the results do not depend on how many hands there are.
 */
#ifndef CLI_CREW_H
#define CLI_CREW_H

#include <stdbool.h>
#include <stddef.h>

struct cli_job {
    struct cli_job *next;
    void (*work)(struct cli_job *job);
    size_t bytes; /* of memory held until it is done */
    bool given, done;
};

struct cli_crew;

/* As many hands as this machine has processors to spare, within reason. */
unsigned cli_crew_spare(void);

/* With 0 hands, or if no thread can be had, jobs are done where they are given. NULL: no memory. */
struct cli_crew *cli_crew_new(unsigned hands);

/* Does what is left, and ends the threads. */
void cli_crew_free(struct cli_crew *crew);

/* The job is the crew's until cli_crew_wait has returned. Works along if too much lies about. */
void cli_crew_give(struct cli_crew *crew, struct cli_job *job);

/* Returns when the job is done, at once if it was never given. */
void cli_crew_wait(struct cli_crew *crew, struct cli_job *job);

#endif
