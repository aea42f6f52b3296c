/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli_crew.c - a queue of jobs and some threads that take from it; whoever waits takes, too. */
#define _DEFAULT_SOURCE /* _SC_NPROCESSORS_ONLN */
#include "cli_crew.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    HANDS_MAX = 7,
    BYTES_MAX = 4 << 20 /* given and not done: little enough to stay in a processor's cache */
};

struct cli_crew {
    pthread_mutex_t lock;
    pthread_cond_t given, done;
    struct cli_job *first, **last;
    size_t bytes;
    bool leave;
    unsigned hands;
    pthread_t threads[HANDS_MAX];
};

unsigned cli_crew_spare(void)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    return processors < 2 ? 0 : processors - 1 < HANDS_MAX ? (unsigned)processors - 1 : HANDS_MAX;
}

/* Takes the oldest job and does it; to be called, and returns, with the lock held. */
static void do_one(struct cli_crew *crew)
{
    struct cli_job *job = crew->first;
    crew->first = job->next;
    if (!crew->first)
        crew->last = &crew->first;
    pthread_mutex_unlock(&crew->lock);
    job->work(job);
    pthread_mutex_lock(&crew->lock);
    crew->bytes -= job->bytes;
    job->done = true;
    pthread_cond_broadcast(&crew->done);
}

static void *lend_a_hand(void *at)
{
    struct cli_crew *crew = at;
    pthread_mutex_lock(&crew->lock);
    for (;;) {
        if (crew->first)
            do_one(crew);
        else if (crew->leave)
            break;
        else
            pthread_cond_wait(&crew->given, &crew->lock);
    }
    pthread_mutex_unlock(&crew->lock);
    return NULL;
}

struct cli_crew *cli_crew_new(unsigned hands)
{
    struct cli_crew *crew = calloc(1, sizeof *crew);
    if (!crew)
        return NULL;
    pthread_mutex_init(&crew->lock, NULL);
    pthread_cond_init(&crew->given, NULL);
    pthread_cond_init(&crew->done, NULL);
    crew->last = &crew->first;
    while (crew->hands < hands && crew->hands < HANDS_MAX &&
           pthread_create(&crew->threads[crew->hands], NULL, lend_a_hand, crew) == 0)
        crew->hands++;
    return crew;
}

void cli_crew_free(struct cli_crew *crew)
{
    if (!crew)
        return;
    pthread_mutex_lock(&crew->lock);
    crew->leave = true;
    pthread_cond_broadcast(&crew->given);
    pthread_mutex_unlock(&crew->lock);
    for (unsigned i = 0; i < crew->hands; i++)
        pthread_join(crew->threads[i], NULL);
    pthread_cond_destroy(&crew->done);
    pthread_cond_destroy(&crew->given);
    pthread_mutex_destroy(&crew->lock);
    free(crew);
}

void cli_crew_give(struct cli_crew *crew, struct cli_job *job)
{
    job->next = NULL;
    job->given = true;
    job->done = false;
    if (!crew->hands) {
        job->work(job);
        job->done = true;
        return;
    }
    pthread_mutex_lock(&crew->lock);
    while (crew->first && crew->bytes + job->bytes > BYTES_MAX)
        do_one(crew);
    *crew->last = job;
    crew->last = &job->next;
    crew->bytes += job->bytes;
    pthread_cond_signal(&crew->given);
    pthread_mutex_unlock(&crew->lock);
}

void cli_crew_wait(struct cli_crew *crew, struct cli_job *job)
{
    if (!job->given || !crew->hands)
        return;
    pthread_mutex_lock(&crew->lock);
    while (!job->done) {
        if (crew->first)
            do_one(crew);
        else
            pthread_cond_wait(&crew->done, &crew->lock);
    }
    pthread_mutex_unlock(&crew->lock);
}
