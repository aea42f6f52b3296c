/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lab_classic.c - four messages of one letter: hello (to the server), address (from it), probe and
 * answer (between peers). */
#include "lab_classic.h"

#include <string.h>

#include <q2p/status.h>

#define HELLO 'h'
#define ADDRESS 'a'
#define PROBE 'p'
#define ANSWER 'r'

#define AGAIN_NS (250 * Q2P_MILLISECOND)
#define TIMES 20
#define ALIVE_NS                                                                                   \
    (15 * Q2P_SECOND) /* hello goes on, so that the peer's own NAT keeps it in mind                \
                       */

static void say(struct lab_classic *self, const struct q2p_addr *to, uint8_t what,
                const struct q2p_addr *about)
{
    if (self->out_count == LAB_CLASSIC_OUT)
        return; /* as if lost; it is repeated */
    struct lab_classic_out *out =
        &self->out[(self->out_first + self->out_count++) % LAB_CLASSIC_OUT];
    out->to = *to;
    out->bytes[0] = what;
    out->len = 1;
    if (about) {
        memcpy(out->bytes + 1, about, sizeof *about);
        out->len += sizeof *about;
    }
}

static void serve(struct lab_classic *self, const struct q2p_addr *from)
{
    unsigned i = 0;
    while (i < self->known_count && !q2p_addr_equal(&self->known[i], from))
        i++;
    if (i == 2)
        return;
    self->known[i] = *from;
    self->known_count += i == self->known_count;
    for (i = 0; self->known_count == 2 && i < 2; i++)
        say(self, &self->known[i], ADDRESS, &self->known[1 - i]);
}

static int take(void *ctx, q2p_time now, const struct q2p_datagram *in)
{
    struct lab_classic *self = ctx;
    uint8_t what = in->len > 0 ? in->bytes[0] : 0;
    if (self->server && what == HELLO) {
        serve(self, &in->peer);
    } else if (what == ADDRESS && in->len == 1 + sizeof(struct q2p_addr) &&
               q2p_addr_equal(&in->peer, &self->known[0])) {
        memcpy(&self->known[1], in->bytes + 1, sizeof self->known[1]);
        if (self->known_count == 1)
            self->sent = 0;
        self->known_count = 2;
        self->next_ns = now;
    } else if (what == PROBE) {
        say(self, &in->peer, ANSWER, NULL);
    } else if (what == ANSWER) {
        self->connected = true;
    } else {
        return Q2P_ERR_ABSENT;
    }
    return Q2P_OK;
}

static int give(void *ctx, q2p_time now, struct q2p_datagram *out)
{
    struct lab_classic *self = ctx;
    (void)now;
    if (self->out_count == 0)
        return 0;
    struct lab_classic_out *first = &self->out[self->out_first];
    self->out_first = (self->out_first + 1) % LAB_CLASSIC_OUT;
    self->out_count--;
    *out = (struct q2p_datagram){first->to, first->bytes, first->len};
    return 1;
}

static q2p_time deadline(const void *ctx)
{
    return ((const struct lab_classic *)ctx)->next_ns;
}

static void tick(void *ctx, q2p_time now)
{
    struct lab_classic *self = ctx;
    if (self->known_count == 2)
        say(self, &self->known[1], PROBE, NULL);
    else
        say(self, &self->known[0], HELLO, NULL);
    self->next_ns = ++self->sent < TIMES    ? now + AGAIN_NS
                    : self->known_count < 2 ? now + ALIVE_NS
                                            : Q2P_NEVER;
}

const struct q2p_machine lab_classic_machine = {
    .family = "classic", .input = take, .output = give, .deadline = deadline, .tick = tick};

void lab_classic_init(struct lab_classic *self, const struct q2p_addr *server, q2p_time now)
{
    *self = (struct lab_classic){.server = !server, .next_ns = server ? now : Q2P_NEVER};
    if (server)
        self->known[self->known_count++] = *server;
}
