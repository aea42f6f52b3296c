/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim_journal.c - entries one after the other in a buffer that only grows, and their merge. */
#include "sim_journal.h"

#include <stdlib.h>

#define ALIGNED(len) (((len) + 15) & ~(size_t)15)

void *sim_journal_add(struct sim_journal *journal, uint32_t kind, size_t len)
{
    size_t room = sizeof(struct sim_entry) + ALIGNED(len);
    while (journal->room - journal->len < room)
        journal->bytes = sim_grow(journal->bytes, &journal->room, 1);
    struct sim_entry *entry = (struct sim_entry *)(void *)(journal->bytes + journal->len);
    *entry = (struct sim_entry){journal->moment, kind, room};
    journal->len += room;
    return sim_entry_payload(entry);
}

void sim_journal_free(struct sim_journal *journal)
{
    free(journal->bytes);
    *journal = (struct sim_journal){0};
}

static struct sim_entry *first_of(const struct sim_journal *journal)
{
    return journal->told < journal->len
               ? (struct sim_entry *)(void *)(journal->bytes + journal->told)
               : NULL;
}

struct sim_entry *sim_journal_next(struct sim_journal *const journals[], uint32_t count,
                                   uint32_t *whose)
{
    struct sim_entry *next = NULL;
    for (uint32_t i = 0; i < count; i++) {
        struct sim_entry *entry = first_of(journals[i]);
        if (!entry || (next && !sim_moment_before(&entry->moment, &next->moment)))
            continue;
        next = entry;
        *whose = i;
    }
    if (next)
        journals[*whose]->told += next->room;
    for (uint32_t i = 0; !next && i < count; i++)
        journals[i]->told = journals[i]->len = 0;
    return next;
}
