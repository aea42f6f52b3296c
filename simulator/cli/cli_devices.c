/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli_devices.c - tables of what does not fit into nine by nine. */
#include "cli_devices.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const ways[] = {"classic", "original", "ours"};

static void print_mark(enum lab_mark mark, bool fits, int width)
{
    static const char *const marks[] = {"-", "h", "ok"};
    printf("%*s%c", width, marks[mark], fits ? ' ' : '!');
}

static void print_together(const struct lab_devices *devices)
{
    printf("%-30s", "both behind one NAT; hairpin");
    for (int type = 1; type <= LAB_NATS; type++)
        printf("%2d ", type);
    putchar('\n');
    for (int hairpin = 0; hairpin < LAB_HAIRPINS; hairpin++) {
        for (int way = 0; way < LAB_WAYS; way++) {
            printf("%-20s%-10s", way ? "" : lab_hairpin_name((enum net_nat_hairpin)hairpin),
                   ways[way]);
            for (int type = 0; type < LAB_NATS; type++)
                print_mark(devices->together[hairpin][way][type],
                           devices->together_fits[hairpin][way][type], 2);
            putchar('\n');
        }
    }
    putchar('\n');
}

static void print_devices(const struct lab_devices *devices)
{
    printf("%-18s", "the original, of");
    for (int known = 1; known <= LAB_DEVICES; known++)
        printf("%2d ", known);
    putchar('\n');
    for (int newcomer = 0; newcomer < LAB_DEVICES; newcomer++) {
        printf("%d %-16s", newcomer + 1, lab_device_name((enum lab_device)newcomer));
        for (int known = 0; known < LAB_DEVICES; known++)
            print_mark(devices->cells[newcomer][known], devices->fits[newcomer][known], 2);
        putchar('\n');
    }
    putchar('\n');
}

void cli_devices_text(const struct lab_devices *devices)
{
    print_together(devices);
    print_devices(devices);
}

void cli_devices_totals(const struct lab_devices *devices)
{
    unsigned full = 0;
    for (int i = 0; i < LAB_DEVICES; i++)
        for (int j = 0; j < LAB_DEVICES; j++)
            full += devices->cells[i][j] == LAB_FULL;
    printf(
        "%s  devices                  %2u of %d (the original, as a real kernel's NATs let it; a "
        "TOUCH that comes early poisons 5)\n",
        devices->wrong ? "FAIL" : "ok  ", full, LAB_DEVICES * LAB_DEVICES);
    if (devices->poison_trials > 0)
        printf("%s  poison                   %.4f%% of %" PRIu64
               " trials (works only where the TOUCH is "
               "lost)\n",
               devices->poison_fits ? "ok  " : "FAIL",
               100.0 * (double)devices->poison_full / (double)devices->poison_trials,
               devices->poison_trials);
}

static void add_together(struct cli_devices_page *page, const struct lab_devices *devices)
{
    for (unsigned type = 0; type < LAB_NATS; type++)
        page->nats[type] = lab_nat_name(type);
    for (int hairpin = 0; hairpin < LAB_HAIRPINS; hairpin++) {
        const char *name = lab_hairpin_name((enum net_nat_hairpin)hairpin);
        page->hairpins[hairpin] =
            hairpin == NET_NAT_HAIRPIN_UNFILTERED ? strchr(name, '-') + 1 : name; /* narrow */
        for (int way = 0; way < LAB_WAYS; way++) {
            for (unsigned type = 0; type < LAB_NATS; type++) {
                struct net_nat_config nat = lab_nat_config(type, NET_NAT_SCOPE_MAPPING);
                nat.hairpin = (enum net_nat_hairpin)hairpin;
                page->together[way][hairpin][type] = (struct report_matrix_cell){
                    .state = (enum report_cell_state)devices->together[hairpin][way][type],
                    .wanted = (enum report_cell_state)lab_theory_together(&nat)};
                page->together_fits[way][hairpin][type] =
                    devices->together_fits[hairpin][way][type];
            }
        }
    }
    page->hairpin_axes = (struct report_matrix_axes){"hairpin",  "both behind", page->hairpins,
                                                     page->nats, LAB_HAIRPINS,  LAB_NATS};
}

static void add_devices(struct cli_devices_page *page, const struct lab_devices *devices)
{
    static const char *const labels[LAB_DEVICES] = {"public", "EIM/EIF",   "EIM/ADF", "EIM/APDF",
                                                    "masq",   "masq/drop", "random"};
    for (int newcomer = 0; newcomer < LAB_DEVICES; newcomer++) {
        page->devices[newcomer] = labels[newcomer];
        for (int known = 0; known < LAB_DEVICES; known++)
            page->cells[newcomer][known] = (struct report_matrix_cell){
                .state = (enum report_cell_state)devices->cells[newcomer][known],
                .wanted = (enum report_cell_state)lab_theory_devices((enum lab_device)newcomer,
                                                                     (enum lab_device)known)};
    }
    page->device_axes = (struct report_matrix_axes){"newcomer",    "known",     page->devices,
                                                    page->devices, LAB_DEVICES, LAB_DEVICES};
}

void cli_devices_page(struct cli_devices_page *page, const struct lab_devices *devices,
                      struct report_matrix_table tables[CLI_DEVICES_TABLES])
{
    static const char *const titles[LAB_WAYS] = {"classic, both behind one NAT",
                                                 "original, both behind one NAT",
                                                 "ours, both behind one NAT"};
    *page = (struct cli_devices_page){0};
    add_together(page, devices);
    add_devices(page, devices);
    for (int way = 0; way < LAB_WAYS; way++)
        tables[1 + way] = (struct report_matrix_table){
            .title = titles[way],
            .about = "rows: how it leads back in what goes to its own outside",
            .fits = &page->together_fits[way][0][0],
            .cells = &page->together[way][0][0],
            .axes = &page->hairpin_axes};
    tables[0] = (struct report_matrix_table){.title = "original, behind NATs of a real kernel",
                                             .about = "masq: a TOUCH that comes early poisons it",
                                             .fits = &devices->fits[0][0],
                                             .cells = &page->cells[0][0],
                                             .axes = &page->device_axes};
}

void cli_devices_json(const struct lab_devices *devices)
{
    const char *comma = "";
    printf("\"together\":[");
    for (int hairpin = 0; hairpin < LAB_HAIRPINS; hairpin++) {
        for (int way = 0; way < LAB_WAYS; way++) {
            for (unsigned type = 0; type < LAB_NATS; type++) {
                printf("%s{\"hairpin\":\"%s\",\"table\":\"%s\",\"nat\":\"%s\",\"is\":\"%s\","
                       "\"fits\":%s}",
                       comma, lab_hairpin_name((enum net_nat_hairpin)hairpin), ways[way],
                       lab_nat_name(type), lab_mark_word(devices->together[hairpin][way][type]),
                       devices->together_fits[hairpin][way][type] ? "true" : "false");
                comma = ",";
            }
        }
    }
    printf("],\"devices\":[");
    for (int newcomer = 0; newcomer < LAB_DEVICES; newcomer++)
        for (int known = 0; known < LAB_DEVICES; known++)
            printf("%s{\"newcomer\":\"%s\",\"known\":\"%s\",\"is\":\"%s\",\"fits\":%s}",
                   newcomer + known ? "," : "", lab_device_name((enum lab_device)newcomer),
                   lab_device_name((enum lab_device)known),
                   lab_mark_word(devices->cells[newcomer][known]),
                   devices->fits[newcomer][known] ? "true" : "false");
    printf("],\"poison\":{\"trials\":%" PRIu64 ",\"full\":%" PRIu64 ",\"fits\":%s},",
           devices->poison_trials, devices->poison_full, devices->poison_fits ? "true" : "false");
}
