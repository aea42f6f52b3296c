/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_cli_crew.c - jobs are done once each, whoever does them, and waited for. */
#define _POSIX_C_SOURCE 200809L /* nanosleep */
#include "unit.h"

#include <stdatomic.h>
#include <time.h>

#include "cli_crew.h"

enum { JOBS = 1000 };

struct counted {
    struct cli_job job; /* first: a job is what it is in */
    int done;
};

static struct counted jobs[JOBS];

static void count(struct cli_job *job)
{
    ((struct counted *)job)->done++;
}

static void give_all(struct cli_crew *crew, size_t bytes)
{
    memset(jobs, 0, sizeof jobs);
    for (int i = 0; i < JOBS; i++) {
        jobs[i].job.work = count;
        jobs[i].job.bytes = bytes;
        cli_crew_give(crew, &jobs[i].job);
    }
}

static void each_job_is_done_once_by_however_many_hands(void **state)
{
    (void)state;
    for (unsigned hands = 0; hands < 4; hands++) {
        struct cli_crew *crew = cli_crew_new(hands);
        assert_non_null(crew);
        give_all(crew, 100);
        for (int i = JOBS - 1; i >= 0; i--) {
            cli_crew_wait(crew, &jobs[i].job);
            assert_int_equal(jobs[i].done, 1);
        }
        cli_crew_free(crew);
    }
}

static void whoever_gives_too_much_works_along(void **state)
{
    (void)state;
    struct cli_crew *crew = cli_crew_new(2);
    assert_non_null(crew);
    give_all(crew, 1 << 20);
    int left = 0;
    for (int i = 0; i < JOBS - 8; i++) { /* 8 MiB: more than may lie about or be in hand */
        cli_crew_wait(crew, &jobs[i].job);
        left += jobs[i].done != 1;
    }
    assert_int_equal(left, 0);
    cli_crew_free(crew);
}

static void what_is_left_is_done_before_the_end(void **state)
{
    (void)state;
    struct cli_crew *crew = cli_crew_new(3);
    assert_non_null(crew);
    give_all(crew, 1);
    cli_crew_free(crew);
    for (int i = 0; i < JOBS; i++)
        assert_int_equal(jobs[i].done, 1);
}

static void a_job_never_given_is_not_waited_for(void **state)
{
    (void)state;
    struct cli_crew *crew = cli_crew_new(1);
    struct cli_job job = {0};
    assert_non_null(crew);
    cli_crew_wait(crew, &job);
    assert_false(job.done);
    cli_crew_free(crew);
}

static atomic_bool begun;

/* Long enough that whoever waits for it is waiting. */
static void take_time(struct cli_job *job)
{
    atomic_store(&begun, true);
    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    count(job);
}

static void a_job_in_another_hand_is_waited_for(void **state)
{
    (void)state;
    struct cli_crew *crew = cli_crew_new(1);
    struct counted slow = {.job.work = take_time};
    assert_non_null(crew);
    cli_crew_give(crew, &slow.job);
    while (!atomic_load(&begun))
        nanosleep(&(struct timespec){.tv_nsec = 1000}, NULL);
    cli_crew_wait(crew, &slow.job);
    assert_int_equal(slow.done, 1);
    cli_crew_free(crew);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_job_is_done_once_by_however_many_hands),
        cmocka_unit_test(whoever_gives_too_much_works_along),
        cmocka_unit_test(what_is_left_is_done_before_the_end),
        cmocka_unit_test(a_job_in_another_hand_is_waited_for),
        cmocka_unit_test(a_job_never_given_is_not_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
