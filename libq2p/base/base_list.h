/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * base_list.h - doubly linked rings whose links live inside the items, so that putting an item in
 * or taking it out can never fail. A head is a link of its own; a link that is in no list points
 * at itself.
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct q2p__link {
    struct q2p__link *prev, *next;
};

/* The item that contains a link. */
#define Q2P__LIST_ITEM(link, type, member) ((type *)((char *)(link)-offsetof(type, member)))

static inline void q2p__list_init(struct q2p__link *link)
{
    link->prev = link->next = link;
}

static inline bool q2p__list_empty(const struct q2p__link *head)
{
    return head->next == head;
}

/* Takes a link out of whatever list it is in; does nothing if it is in none. */
static inline void q2p__list_drop(struct q2p__link *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    q2p__list_init(link);
}

/* Puts a link behind all others, out of where it was before. */
static inline void q2p__list_append(struct q2p__link *head, struct q2p__link *link)
{
    q2p__list_drop(link);
    link->prev = head->prev;
    link->next = head;
    head->prev->next = link;
    head->prev = link;
}

#endif
