/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_addr.c - any bytes as the text of an address, and any address as text: what is read is
 * printed in one form that reads back to the same, and nothing is written beyond the room there is.
 */
#include <stdbool.h>
#include <string.h>

#include <q2p/status.h>
#include <q2p/types.h>

#include "fuzz.h"

/* Prints, reads back, prints again: twice the same. */
static void check_round_trip(const struct q2p_addr *addr)
{
    char text[Q2P_ADDR_TEXT_MAX], small[Q2P_ADDR_TEXT_MAX];
    struct q2p_addr again;
    int len = q2p_addr_print(addr, text, sizeof text);

    MUST(len > 0 && len < Q2P_ADDR_TEXT_MAX && text[len] == '\0' && strlen(text) == (size_t)len);
    for (size_t room = 0; room <= (size_t)len + 1; room++) {
        memset(small, 0x7f, sizeof small);
        MUST(q2p_addr_print(addr, small, room) == (room > (size_t)len ? len : Q2P_ERR_ROOM));
        MUST(small[room] == 0x7f);
    }
    MUST(q2p_addr_parse(&again, text, (size_t)len) == (addr->port ? Q2P_OK : Q2P_ERR_ADDRESS));
    MUST(addr->port == 0 || q2p_addr_equal(&again, addr));
    for (size_t cut = 0; cut < (size_t)len; cut++) /* a cut text is another port, or none */
        MUST(q2p_addr_parse(&again, text, cut) != Q2P_OK || !q2p_addr_equal(&again, addr));
}

static void check_read(const char *text, size_t len)
{
    struct q2p_addr addr, none = {.ip_len = 0};
    int status = q2p_addr_parse(&addr, text, len);

    MUST(status == Q2P_OK || status == Q2P_ERR_ADDRESS);
    if (status != Q2P_OK) {
        MUST(q2p_addr_equal(&addr, &none) && !q2p_addr_usable(&addr));
        return;
    }
    MUST(len <= Q2P_ADDR_TEXT_MAX && addr.port > 0 && addr.zero == 0 && addr.scope_id == 0);
    MUST(addr.ip_len == 4 || addr.ip_len == 16);
    for (size_t i = addr.ip_len; i < sizeof addr.ip; i++)
        MUST(addr.ip[i] == 0);
    check_round_trip(&addr);
}

/* An address made of the bytes, as a socket could hand it over. */
static void check_made(const uint8_t *bytes, size_t size)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    struct q2p_addr addr = {.ip_len = size < 18 ? 4 : 16};

    if (size < 6)
        return;
    addr.port = (uint16_t)(bytes[0] | bytes[1] << 8);
    memcpy(addr.ip, bytes + 2, addr.ip_len);
    if (addr.ip_len == 16 && memcmp(addr.ip, mapped, sizeof mapped) == 0)
        return; /* always kept as IPv4 */
    MUST(!q2p_addr_usable(&addr) || addr.port > 0);
    check_round_trip(&addr);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    check_read((const char *)bytes, size);
    check_made(bytes, size);
    return 0;
}
