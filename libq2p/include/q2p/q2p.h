/* SPDX-License-Identifier: GPL-2.0-or-later */
/* q2p.h - everything the library offers, in reading order. */
#ifndef Q2P_Q2P_H
#define Q2P_Q2P_H

/* clang-format off */
#include <q2p/node.h>
#include <q2p/drive.h>
#include <q2p/status.h>
#include <q2p/types.h>
#include <q2p/wire.h>
#include <q2p/machine.h>
#include <q2p/version.h>
/* clang-format on */

#endif
