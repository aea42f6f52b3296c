/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sweep.c - workers share a counter and a table of results with their parent, nothing else. */
#define _GNU_SOURCE /* fork, MAP_ANONYMOUS, prctl */
#include "sweep.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "swarm.h"

#define BLOCK_RUNS 8
#define LOOK_NS (50 * Q2P_MILLISECOND)

struct board {
    atomic_uint_fast64_t next; /* run that nobody has taken yet */
    struct {
        uint64_t at, end; /* a worker's block */
        pid_t pid;
    } workers[SWEEP_JOBS_MAX];
    struct sweep_result results[];
};

/* ---- one run ----------------------------------------------------------------------------- */

static void *copy(const void *items, size_t len)
{
    void *out = sim_alloc(len + 1);
    return len > 0 ? memcpy(out, items, len) : out;
}

void sweep_one(const struct scenario *scenario, uint64_t seed, bool swarm,
               struct sweep_result *result)
{
    struct scn_run run;
    struct scenario turned = *scenario;
    if (swarm) { /* on copies of what it turns */
        turned.nodes.items =
            copy(turned.nodes.items, turned.nodes.count * sizeof *turned.nodes.items);
        turned.nats.items = copy(turned.nats.items, turned.nats.count * sizeof *turned.nats.items);
        turned.links.items =
            copy(turned.links.items, turned.links.count * sizeof *turned.links.items);
        swarm_scenario(&turned, seed);
    }
    const char *refused = scn_run_init(&run, &turned, seed);
    if (refused) {
        snprintf(result->why, sizeof result->why, "a node cannot be made: %.100s", refused);
    } else {
        scn_run_play(&run, turned.until_ns);
        result->ok = scn_run_judge(&run);
        if (swarm)
            result->ok = swarm_judge(&run);
        if (!result->ok)
            result->failed_ns = scn_run_why(&run, swarm, result->why, sizeof result->why);
        result->sent = run.sent;
        result->trace_hash = run.trace_hash;
    }
    scn_run_free(&run);
    if (swarm) {
        free(turned.nodes.items);
        free(turned.nats.items);
        free(turned.links.items);
    }
}

/* ---- workers ----------------------------------------------------------------------------- */

static uint64_t runs_of(const struct sweep_plan *plan)
{
    uint64_t all = plan->variants_count * plan->seeds;
    return all > plan->shard ? (all - plan->shard + plan->shards - 1) / plan->shards : 0;
}

static uint64_t run_number(const struct sweep_plan *plan, uint64_t at)
{
    return plan->shard + at * plan->shards;
}

static _Noreturn void work(const struct sweep_plan *plan, struct board *board, unsigned worker)
{
    uint64_t total = runs_of(plan), *at = &board->workers[worker].at;
    for (;;) {
        for (; *at < board->workers[worker].end; (*at)++) {
            struct sweep_result *result = &board->results[*at];
            uint64_t run = run_number(plan, *at);
            result->state = SWEEP_RUNNING;
            sweep_one(&plan->variants[run / plan->seeds], plan->seed + run % plan->seeds,
                      plan->swarm, result);
            atomic_thread_fence(memory_order_release);
            result->state = SWEEP_DONE;
        }
        *at = atomic_fetch_add(&board->next, BLOCK_RUNS);
        if (*at >= total)
            _exit(0);
        board->workers[worker].end = *at + BLOCK_RUNS < total ? *at + BLOCK_RUNS : total;
    }
}

static bool hire(const struct sweep_plan *plan, struct board *board, unsigned worker)
{
    pid_t parent = getpid(), pid = fork();
    if (pid == 0) {
        /* nobody would hear of what an orphan finds, and it would go on to the last seed */
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(0);
        work(plan, board, worker);
    }
    board->workers[worker].pid = pid;
    return pid > 0;
}

/* Whose run killed it goes on behind that run. How many workers are left, or -1. */
static int look_after(const struct sweep_plan *plan, struct board *board, unsigned jobs, int alive)
{
    int status;
    pid_t pid;
    while (alive > 0 && (pid = waitpid(-1, &status, WNOHANG)) > 0) {
        unsigned worker = 0;
        while (worker < jobs && board->workers[worker].pid != pid)
            worker++;
        if (worker == jobs)
            continue;
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
            alive--;
            continue;
        }
        struct sweep_result *result = &board->results[board->workers[worker].at++];
        snprintf(result->why, sizeof result->why,
                 WIFSIGNALED(status) ? "crashed: signal %d" : "ended with exit code %d",
                 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
        result->state = SWEEP_CRASHED;
        if (!hire(plan, board, worker))
            return -1;
    }
    return alive;
}

/* Hands on what has become complete, in order. */
static uint64_t hand_on(const struct sweep_plan *plan, struct board *board, uint64_t from)
{
    uint64_t total = runs_of(plan);
    while (from < total && *(volatile uint8_t *)&board->results[from].state >= SWEEP_DONE) {
        atomic_thread_fence(memory_order_acquire);
        plan->result(plan->ctx, run_number(plan, from), &board->results[from]);
        from++;
    }
    return from;
}

bool sweep_run(const struct sweep_plan *plan)
{
    uint64_t total = runs_of(plan), handed = 0;
    unsigned jobs = plan->jobs < SWEEP_JOBS_MAX ? plan->jobs : SWEEP_JOBS_MAX;
    size_t len = sizeof(struct board) + total * sizeof(struct sweep_result);
    struct board *board =
        mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    int alive = 0;
    if (board == MAP_FAILED)
        return false;
    while (alive < (int)jobs && hire(plan, board, (unsigned)alive))
        alive++;
    bool fine = alive > 0;
    while (alive > 0) {
        struct timespec nap = {0, LOOK_NS};
        handed = hand_on(plan, board, handed);
        if (plan->progress)
            plan->progress(plan->ctx, handed, total);
        alive = look_after(plan, board, jobs, alive);
        if (handed < total && alive > 0)
            nanosleep(&nap, NULL);
    }
    fine &= alive == 0;
    int reason = errno;
    handed = hand_on(plan, board, handed);
    if (plan->progress)
        plan->progress(plan->ctx, handed, total);
    munmap(board, len);
    errno = reason;
    return fine;
}
