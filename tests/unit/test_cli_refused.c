/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_cli_refused.c - when commands believe that nobody listens at a port. */
#include "unit.h"

#include <q2p/status.h>

#include "cli_peer.h"

static struct q2p_addr to;
static int left;

static int no_input(void *self, q2p_time now, const struct q2p_datagram *in)
{
    (void)self;
    (void)now;
    (void)in;
    return Q2P_OK;
}

static int one_output(void *self, q2p_time now, struct q2p_datagram *out)
{
    static const uint8_t touch[] = {0, 0, 2, 0};
    (void)self;
    (void)now;
    if (left == 0)
        return 0;
    left--;
    *out = (struct q2p_datagram){to, touch, sizeof touch};
    return 1;
}

static q2p_time no_deadline(const void *self)
{
    (void)self;
    return Q2P_NEVER;
}

static void no_tick(void *self, q2p_time now)
{
    (void)self;
    (void)now;
}

static const struct q2p_machine sender = {
    .family = "sender",
    .input = no_input,
    .output = one_output,
    .deadline = no_deadline,
    .tick = no_tick,
};

/* One datagram has left for a port of loopback that was just closed. */
static void send_to_closed(struct cli_peer *peer)
{
    q2p_drive *gone;
    *peer = (struct cli_peer){0};
    assert_int_equal(q2p_drive_open(&gone, "127.0.0.1", 0), Q2P_OK);
    assert_int_equal(q2p_drive_address(gone, &to), Q2P_OK);
    assert_int_equal(q2p_drive_open(&peer->drive, "127.0.0.1", 0), Q2P_OK);
    q2p_drive_close(gone);
    cli_peer_hear_refusals(peer);
    if (!peer->hears_refusals) {
        q2p_drive_close(peer->drive);
        skip();
    }
    left = 1;
    q2p_drive_step(peer->drive, &sender, NULL, 0);
}

static void a_refusal_of_the_last_that_left_is_believed(void **state)
{
    struct cli_peer peer;
    (void)state;
    send_to_closed(&peer);
    assert_true(cli_peer_refused(&peer, &to, 1, 0, 0));
    assert_true(cli_peer_refused(&peer, &to, 1, 0, 0));
    assert_false(cli_peer_refused(&peer, &to, 1, 0, 60 * Q2P_SECOND)); /* it may be starting */
    assert_false(cli_peer_refused(&peer, &to, 2, 0, 0)); /* what left since was not refused */
    q2p_drive_close(peer.drive);
}

static void a_refusal_by_somebody_else_is_not(void **state)
{
    struct cli_peer peer;
    (void)state;
    send_to_closed(&peer);
    to.port ^= 1;
    assert_false(cli_peer_refused(&peer, &to, 1, 0, 0));
    q2p_drive_close(peer.drive);
}

static void once_something_was_heard_no_refusal_counts(void **state)
{
    struct cli_peer peer;
    (void)state;
    send_to_closed(&peer);
    assert_false(cli_peer_refused(&peer, &to, 1, 1, 0));
    left = 1;
    q2p_drive_step(peer.drive, &sender, NULL, 0);
    assert_false(cli_peer_refused(&peer, &to, 2, 0, 0)); /* nor is any listened to */
    q2p_drive_close(peer.drive);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refusal_of_the_last_that_left_is_believed),
        cmocka_unit_test(a_refusal_by_somebody_else_is_not),
        cmocka_unit_test(once_something_was_heard_no_refusal_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
