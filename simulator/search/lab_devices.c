/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lab_devices.c - tries all hairpins and all pairs of devices, and compares. */
#include "lab_devices.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "sim_world.h"

const char *lab_device_name(enum lab_device device)
{
    static const char *const names[] = {
#define XX(name, word, preset, type) word,
        LAB_DEVICE_MAP(XX)
#undef XX
    };
    return names[device];
}

/* The number of a word in a list of them. */
static uint32_t find_word(const char *words, const char *wanted)
{
    /* cppcheck-suppress nullPointer ; its caller asks for a preset only where there is one */
    /* cppcheck-suppress ctunullpointer */
    size_t len = strlen(wanted);
    for (uint32_t number = 0;; number++) {
        size_t word = strcspn(words, "|");
        /* cppcheck-suppress nullPointer */
        if (word == len && memcmp(words, wanted, len) == 0)
            return number;
        assert(words[word] == '|');
        words += word + 1;
    }
}

static unsigned type_of(enum lab_device device)
{
    static const uint8_t types[] = {
#define XX(name, word, preset, type) type,
        LAB_DEVICE_MAP(XX)
#undef XX
    };
    return types[device];
}

struct net_nat_config lab_device_config(enum lab_device device)
{
    static const char *const presets[] = {
#define XX(name, word, preset, type) preset,
        LAB_DEVICE_MAP(XX)
#undef XX
    };
    struct net_nat_config config = {0};
    if (!presets[device]) /* a public one: nobody filters, as good as no NAT */
        return lab_nat_config(type_of(device), NET_NAT_SCOPE_MAPPING);
    net_nat_preset(find_word(NET_NAT_PRESET_WORDS, presets[device]), &config);
    return config;
}

const char *lab_hairpin_name(enum net_nat_hairpin hairpin)
{
    static const char *const names[LAB_HAIRPINS] = {[NET_NAT_HAIRPIN_NONE] = "none",
                                                    [NET_NAT_HAIRPIN_EXTERNAL] = "external",
                                                    [NET_NAT_HAIRPIN_UNFILTERED] =
                                                        "external-unfiltered",
                                                    [NET_NAT_HAIRPIN_INTERNAL] = "internal"};
    return names[hairpin];
}

/* ---- theory ------------------------------------------------------------------------------ */

/* With inside sources peers find each other on their LAN. */
enum lab_mark lab_theory_together(const struct net_nat_config *nat)
{
    bool simple = nat->mapping == NET_NAT_INDEPENDENT || nat->filtering == NET_NAT_INDEPENDENT;
    switch (nat->hairpin) {
    case NET_NAT_HAIRPIN_NONE:
        return LAB_NONE;
    case NET_NAT_HAIRPIN_UNFILTERED:
        return LAB_FULL;
    default:
        return simple ? LAB_FULL : LAB_NONE;
    }
}

enum lab_mark lab_theory_devices(enum lab_device newcomer, enum lab_device known)
{
    bool poisoned = newcomer == LAB_DEVICE_MASQ && known != LAB_DEVICE_RANDOM;
    struct net_nat_config a =
        lab_nat_config(poisoned ? 8 : type_of(newcomer), NET_NAT_SCOPE_MAPPING);
    struct net_nat_config b = lab_nat_config(type_of(known), NET_NAT_SCOPE_MAPPING);
    return lab_theory_original(&a, &b);
}

double lab_theory_poison(double wan)
{
    return wan * pow(1 - wan, 6);
}

/* ---- practice ---------------------------------------------------------------------------- */

static enum lab_mark punch(const struct lab_trial *trial)
{
    struct lab_outcome outcome = lab_punch(trial);
    return outcome.full ? LAB_FULL : outcome.half ? LAB_HALF : LAB_NONE;
}

static void try_hairpin(struct lab_devices *out, enum net_nat_hairpin hairpin, enum lab_way way,
                        uint64_t seed)
{
    for (unsigned type = 0; type < LAB_NATS; type++) {
        struct lab_trial trial;
        lab_trial_init(&trial, way, type, type, NET_NAT_SCOPE_MAPPING);
        trial.known.hairpin = hairpin;
        trial.together = true;
        trial.seed = seed;
        enum lab_mark is = out->together[hairpin][way][type] = punch(&trial);
        bool fits = (is == LAB_FULL) == (lab_theory_together(&trial.known) == LAB_FULL);
        out->together_fits[hairpin][way][type] = fits;
        out->wrong += !fits;
    }
}

static void init_devices(struct lab_trial *trial, enum lab_device newcomer, enum lab_device known)
{
    lab_trial_init(trial, LAB_ORIGINAL, 0, 0, NET_NAT_SCOPE_MAPPING);
    trial->newcomer = lab_device_config(newcomer);
    trial->known = lab_device_config(known);
}

static void try_poison(struct lab_devices *out, uint64_t seed, uint32_t wan_ppb, uint32_t trials)
{
    struct lab_trial trial;
    init_devices(&trial, LAB_DEVICE_MASQ, LAB_DEVICE_EIM_APDF);
    trial.wan_ppb = wan_ppb;
    trial.after_ns = 100 * Q2P_MILLISECOND;
    trial.until_ns = Q2P_SECOND;
    for (uint32_t i = 0; i < trials; i++) {
        trial.seed = sim_mix(seed, i);
        out->poison_full += lab_punch(&trial).full;
    }
    out->poison_trials = trials;
    out->poison_fits = lab_is_fair(out->poison_full, trials, lab_theory_poison(wan_ppb / 1e9));
    out->wrong += !out->poison_fits;
}

void lab_devices_run(struct lab_devices *out, uint64_t seed, uint32_t wan_ppb, uint32_t trials)
{
    *out = (struct lab_devices){.poison_fits = true};
    for (int hairpin = 0; hairpin < LAB_HAIRPINS; hairpin++)
        for (int way = 0; way < LAB_WAYS; way++)
            try_hairpin(out, (enum net_nat_hairpin)hairpin, (enum lab_way)way, seed);
    for (int newcomer = 0; newcomer < LAB_DEVICES; newcomer++) {
        for (int known = 0; known < LAB_DEVICES; known++) {
            struct lab_trial trial;
            init_devices(&trial, (enum lab_device)newcomer, (enum lab_device)known);
            trial.seed = seed;
            enum lab_mark is = out->cells[newcomer][known] = punch(&trial);
            bool full =
                lab_theory_devices((enum lab_device)newcomer, (enum lab_device)known) == LAB_FULL;
            out->fits[newcomer][known] = (is == LAB_FULL) == full;
            out->wrong += (is == LAB_FULL) != full;
        }
    }
    if (wan_ppb > 0)
        try_poison(out, seed, wan_ppb, trials);
}
