/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base_status.c - names and sentences of status.h. */
#include <q2p/status.h>

const char *q2p_status_name(int status)
{
    switch (status) {
#define XX(name, number, sentence)                                                                 \
    case number:                                                                                   \
        return #name;
        Q2P_STATUS_MAP(XX)
#undef XX
    }
    return "ERR_?";
}

const char *q2p_status_text(int status)
{
    switch (status) {
#define XX(name, number, sentence)                                                                 \
    case number:                                                                                   \
        return sentence;
        Q2P_STATUS_MAP(XX)
#undef XX
    }
    return "no such status";
}
