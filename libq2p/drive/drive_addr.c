/* SPDX-License-Identifier: GPL-2.0-or-later */
/* drive_addr.c - between socket addresses, host names and the addresses of the library. */
#define _POSIX_C_SOURCE 200809L
#include "drive_addr.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include <q2p/drive.h>
#include <q2p/status.h>

int q2p__sockaddr_read(struct q2p_addr *out, const struct sockaddr *from)
{
    memset(out, 0, sizeof *out);
    if (from->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const void *)from;
        memcpy(out->ip, &v4->sin_addr, 4);
        out->ip_len = 4;
        out->port = ntohs(v4->sin_port);
        return Q2P_OK;
    }
    if (from->sa_family != AF_INET6)
        return Q2P_ERR_ADDRESS;
    const struct sockaddr_in6 *v6 = (const void *)from;
    bool mapped = IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr);
    out->ip_len = mapped ? 4 : 16;
    memcpy(out->ip, v6->sin6_addr.s6_addr + (mapped ? 12 : 0), out->ip_len);
    out->scope_id = IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr) ? v6->sin6_scope_id : 0;
    out->port = ntohs(v6->sin6_port);
    return Q2P_OK;
}

socklen_t q2p__sockaddr_write(struct sockaddr_storage *out, const struct q2p_addr *addr, bool v6)
{
    memset(out, 0, sizeof *out);
    if (!v6) {
        struct sockaddr_in *to = (void *)out;
        to->sin_family = AF_INET;
        to->sin_port = htons(addr->port);
        memcpy(&to->sin_addr, addr->ip, 4);
        return addr->ip_len == 4 ? sizeof *to : 0;
    }
    struct sockaddr_in6 *to = (void *)out;
    to->sin6_family = AF_INET6;
    to->sin6_port = htons(addr->port);
    to->sin6_scope_id = addr->scope_id;
    if (addr->ip_len == 4)
        to->sin6_addr.s6_addr[10] = to->sin6_addr.s6_addr[11] = 0xff;
    memcpy(to->sin6_addr.s6_addr + sizeof to->sin6_addr - addr->ip_len, addr->ip, addr->ip_len);
    return addr->ip_len ? sizeof *to : 0;
}

int q2p_drive_resolve(struct q2p_addr *out, const char *text, uint8_t prefer_ip_len)
{
    char host[256];
    const char *colon = strrchr(text, ':');
    size_t len = colon ? (size_t)(colon - text) : 0;
    bool bracketed = len > 2 && text[0] == '[' && colon[-1] == ']';
    if (bracketed) {
        text++;
        len -= 2;
    }
    /* a port in digits only, no empty host, no IPv6 without brackets, no bracket without IPv6 */
    if (!len || len >= sizeof host || (!bracketed && (memchr(text, ':', len) || *text == '[')) ||
        strspn(colon + 1, "0123456789") != strlen(colon + 1) || strlen(colon + 1) > 5)
        return Q2P_ERR_ADDRESS;
    unsigned long port = strtoul(colon + 1, NULL, 10);
    if (port < 1 || port > UINT16_MAX)
        return Q2P_ERR_ADDRESS;
    memcpy(host, text, len);
    host[len] = '\0';

    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM}, *found = NULL;
    hints.ai_flags = bracketed ? AI_NUMERICHOST : 0;
    int status = getaddrinfo(host, NULL, &hints, &found);
    if (status == EAI_MEMORY)
        return Q2P_ERR_MEMORY;
    if (status)
        return bracketed ? Q2P_ERR_ADDRESS : Q2P_ERR_RESOLVE;
    struct q2p_addr addr;
    status = Q2P_ERR_RESOLVE;
    for (const struct addrinfo *each = found; each; each = each->ai_next) {
        if (q2p__sockaddr_read(&addr, each->ai_addr))
            continue;
        bool preferred = addr.ip_len == prefer_ip_len;
        if (status || preferred)
            *out = addr;
        status = Q2P_OK;
        if (preferred || !prefer_ip_len)
            break;
    }
    freeaddrinfo(found);
    if (!status)
        out->port = (uint16_t)port;
    return status;
}
