/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lab_devices.h - punching where it is odd: two peers behind one NAT, and the NATs that a Linux
 * kernel makes, one of which a datagram that comes too early poisons.
 */
#ifndef LAB_DEVICES_H
#define LAB_DEVICES_H

#include "lab_punch.h"

/* name, word, preset (NULL: lab_nat_config of the type), type as which it behaves */
#define LAB_DEVICE_MAP(XX)                                                                         \
    XX(PUBLIC, "public", NULL, 0)                                                                  \
    XX(EIM_EIF, "eim-eif", NULL, 0)                                                                \
    XX(EIM_ADF, "eim-adf", NULL, 1)                                                                \
    XX(EIM_APDF, "eim-apdf", NULL, 2)                                                              \
    XX(MASQ, "linux-masq", "linux-masq", 2)                                                        \
    XX(MASQ_DROP, "linux-masq-drop", "linux-masq-drop", 2)                                         \
    XX(RANDOM, "linux-random", "linux-random", 8)

enum lab_device {
#define XX(name, word, preset, type) LAB_DEVICE_##name,
    LAB_DEVICE_MAP(XX)
#undef XX
        LAB_DEVICES
};
const char *lab_device_name(enum lab_device device);
struct net_nat_config lab_device_config(enum lab_device device);

#define LAB_HAIRPINS 4
const char *lab_hairpin_name(enum net_nat_hairpin hairpin);

/* Both behind one NAT, and only its outside address is known. */
enum lab_mark lab_theory_together(const struct net_nat_config *nat);

/* The original's messages between devices. The known one's TOUCH is there before the newcomer has
 * sent to it: where that takes the port, the newcomer leaves from another one. */
enum lab_mark lab_theory_devices(enum lab_device newcomer, enum lab_device known);

/* ... so that punching works only if the TOUCH gets lost, and nothing else. */
double lab_theory_poison(double wan);

struct lab_devices {
    enum lab_mark together[LAB_HAIRPINS][LAB_WAYS][LAB_NATS];
    enum lab_mark cells[LAB_DEVICES][LAB_DEVICES]; /* newcomer, known */
    bool together_fits[LAB_HAIRPINS][LAB_WAYS][LAB_NATS];
    bool fits[LAB_DEVICES][LAB_DEVICES];
    unsigned wrong;
    uint64_t poison_trials, poison_full; /* linux-masq joins eim-apdf, with loss */
    bool poison_fits;
};

/* wan_ppb 0: no trials of the poison. */
void lab_devices_run(struct lab_devices *out, uint64_t seed, uint32_t wan_ppb, uint32_t trials);

#endif
