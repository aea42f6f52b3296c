/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pcap2seeds.c - the UDP payloads of captures as seed files, one for each kind of message (event
 * number and size class), so that the corpus stays small: pcap2seeds DIRECTORY CAPTURE...
 */
#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KINDS_MAX 512

struct kinds {
    uint32_t seen[KINDS_MAX];
    size_t count;
};

/* Sizes that readers treat alike belong to one class; those near a border are their own. */
static uint32_t size_class(uint32_t len)
{
    return len < 40 ? len : 40 + len / 64;
}

static bool is_new(struct kinds *kinds, const uint8_t *payload, uint32_t len)
{
    uint32_t event = len < 4 ? 0xffff : (uint32_t)(payload[2] | payload[3] << 8);
    uint32_t kind = event << 16 | size_class(len);

    for (size_t i = 0; i < kinds->count; i++)
        if (kinds->seen[i] == kind)
            return false;
    if (kinds->count == KINDS_MAX)
        return false;
    kinds->seen[kinds->count++] = kind;
    return true;
}

static void write_seed(const char *directory, const uint8_t *payload, uint32_t len)
{
    uint32_t sum = 2166136261u; /* FNV-1a: the name is the content */
    char name[4096];

    for (uint32_t i = 0; i < len; i++)
        sum = (sum ^ payload[i]) * 16777619u;
    snprintf(name, sizeof name, "%s/%08x", directory, (unsigned)sum);
    FILE *file = fopen(name, "wb");
    if (!file || fwrite(payload, 1, len, file) != len || fclose(file) != 0) {
        perror(name);
        exit(4);
    }
}

/* The UDP payload in an Ethernet frame; NULL if there is none, or only a piece of it. */
static const uint8_t *udp_payload(const uint8_t *frame, uint32_t caplen, uint32_t *len)
{
    uint32_t at = 14;

    if (caplen < at + 20)
        return NULL;
    if (frame[12] == 0x08 && frame[13] == 0x00) {
        bool piece = (frame[at + 6] & 0x3f) != 0 || frame[at + 7] != 0;
        if (frame[at + 9] != 17 || piece)
            return NULL;
        at += (uint32_t)(frame[at] & 15) * 4;
    } else if (frame[12] == 0x86 && frame[13] == 0xdd && frame[at + 6] == 17) {
        at += 40;
    } else {
        return NULL;
    }
    if (caplen < at + 8)
        return NULL;
    *len = (uint32_t)(frame[at + 4] << 8 | frame[at + 5]);
    if (*len < 8 || caplen < at + *len)
        return NULL;
    *len -= 8;
    return frame + at + 8;
}

int main(int argc, char **argv)
{
    char error[PCAP_ERRBUF_SIZE];
    struct kinds kinds = {.count = 0};

    if (argc < 3) {
        fprintf(stderr, "usage: pcap2seeds DIRECTORY CAPTURE...\n");
        return 2;
    }
    for (int i = 2; i < argc; i++) {
        pcap_t *capture = pcap_open_offline(argv[i], error);
        struct pcap_pkthdr *header;
        const uint8_t *frame;
        if (!capture || pcap_datalink(capture) != DLT_EN10MB) {
            fprintf(stderr, "%s: %s\n", argv[i], capture ? "not Ethernet" : error);
            return 3;
        }
        while (pcap_next_ex(capture, &header, &frame) == 1) {
            uint32_t len;
            const uint8_t *payload = udp_payload(frame, header->caplen, &len);
            if (payload && is_new(&kinds, payload, len))
                write_seed(argv[1], payload, len);
        }
        pcap_close(capture);
    }
    printf("%zu seeds\n", kinds.count);
    return 0;
}
