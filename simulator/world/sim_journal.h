/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sim_journal.h - what a part of a run has to tell, kept until all parts have come as far: then it
 * is told in the order in which one thread would have told it.
 *
 * One thread takes the first of all events that are pending; of several parts, each of which has
 * its own next event, that is the first of these. An event may cause one of the same instant that
 * is lower in order: it comes at once, before what waits in other parts. So an entry counts by the
 * highest event of its instant so far.
 */
#ifndef SIM_JOURNAL_H
#define SIM_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "sim_world.h"

struct sim_entry {
    struct sim_moment moment;
    uint32_t kind; /* the teller's */
    size_t room;   /* of entry and payload; what follows is the next entry */
};

struct sim_journal {
    struct sim_moment moment; /* of the event that is on */
    char *bytes;
    size_t len, room;
    size_t told; /* bytes that have been told */
};

/* Room for the payload of a new entry, aligned for anything; valid until the next one. */
void *sim_journal_add(struct sim_journal *journal, uint32_t kind, size_t len);
void sim_journal_free(struct sim_journal *journal);

static inline void *sim_entry_payload(struct sim_entry *entry)
{
    return entry + 1;
}

/* The entry that comes next of all journals, and whose it is; NULL: all is told, and they are
 * empty again. */
struct sim_entry *sim_journal_next(struct sim_journal *const journals[], uint32_t count,
                                   uint32_t *whose);

#endif
