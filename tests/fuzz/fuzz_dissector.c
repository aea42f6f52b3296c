/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_dissector.c - any bytes as a short capture, through the unchanged libwireshark with the
 * dissector built in: once in order, as TShark does, then again in order and backwards with a full
 * tree, as people click. Whatever a dissector may do wrong ends the process: sanitizers see to
 * that, and Wireshark's own checks.
 *
 * The input is a list of datagrams: a byte that says from whom to whom, and what is cut off; two
 * bytes of length; and the payload. Each input has addresses of its own, so that what was learned
 * from the ones before changes nothing; all is forgotten once in a while.
 */
#include <wireshark.h>

#include <epan/epan.h>
#include <epan/epan_dissect.h>
#include <epan/frame_data.h>
#include <epan/prefs.h>
#include <epan/proto.h>
#include <wiretap/wtap.h>
#include <wsutil/filesystem.h>
#include <wsutil/privileges.h>

#include "fuzz.h"

#define FRAMES_MAX 64
#define INPUTS_PER_FILE 2000
#define HEADERS_LEN 28
#define PORT 10000

void plugin_register(void);
int LLVMFuzzerInitialize(int *argc, char ***argv);
const char *__asan_default_options(void);

static epan_t *session;
static uint32_t inputs, frames_ever;
static guint32 bytes_ever;

struct frame {
    frame_data fd;
    wtap_rec rec;
    uint8_t bytes[HEADERS_LEN + UINT16_MAX];
    uint32_t have;
};

/* Wireshark keeps its tables to the end. */
const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}

static const nstime_t *no_time(struct packet_provider_data *provider _U_, guint32 frame _U_)
{
    static const nstime_t none = NSTIME_INIT_ZERO;
    return &none;
}

static void open_file(void)
{
    static const struct packet_provider_funcs functions = {no_time, NULL, NULL, NULL};

    if (session != NULL)
        epan_free(session);
    session = epan_new(NULL, &functions);
    frames_ever = bytes_ever = 0;
}

int LLVMFuzzerInitialize(int *argc _U_, char ***argv)
{
    static char no_geography[] = "ip.use_geoip:FALSE"; /* reads files */
    char *error = NULL;

    setenv("WIRESHARK_DEBUG_WMEM_OVERRIDE", "simple", 0);
    setenv("WIRESHARK_ABORT_ON_DISSECTOR_BUG", "1", 0);
    setenv("WIRESHARK_ABORT_ON_TOO_MANY_ITEMS", "1", 0);
    init_process_policies();
    g_free(configuration_init((*argv)[0], NULL));
    wtap_init(FALSE);
    plugin_register();
    MUST(epan_init(NULL, NULL, FALSE));
    MUST(g_setenv("WIRESHARK_CONFIG_DIR", "/nonexistent", TRUE)); /* nobody's preferences */
    epan_load_settings();
    MUST(prefs_set_pref(no_geography, &error) == PREFS_SET_OK);
    prefs_apply_all();
    open_file();
    return 0;
}

/* IPv4 and UDP in front of the payload. Node 0 has the known port. */
static void write_headers(uint8_t *out, unsigned from, unsigned to, size_t size)
{
    uint16_t ports[2] = {(uint16_t)(PORT + from), (uint16_t)(PORT + to)};
    uint32_t total = (uint32_t)size + HEADERS_LEN;
    const uint8_t start[] = {0x45, 0, (uint8_t)(total >> 8), (uint8_t)total, 0, 0, 0, 0, 64, 17};

    memset(out, 0, HEADERS_LEN);
    memcpy(out, start, sizeof start);
    for (size_t i = 0; i < 2; i++) {
        uint8_t *ip = out + 12 + 4 * i;
        ip[0] = 10;
        ip[1] = (uint8_t)(inputs >> 8);
        ip[2] = (uint8_t)inputs;
        ip[3] = (uint8_t)(1 + (i == 0 ? from : to));
        out[20 + 2 * i] = (uint8_t)(ports[i] >> 8);
        out[21 + 2 * i] = (uint8_t)ports[i];
    }
    out[24] = (uint8_t)((size + 8) >> 8);
    out[25] = (uint8_t)(size + 8);
}

/* Takes the next datagram off the input; how many bytes that were. */
static size_t read_frame(struct frame *frame, const uint8_t *bytes, size_t size)
{
    const size_t head = 3;
    size_t said = bytes[1] | (size_t)bytes[2] << 8;
    size_t len = MIN(MIN(said, size - head), UINT16_MAX - HEADERS_LEN);

    write_headers(frame->bytes, bytes[0] & 3, bytes[0] >> 2 & 3, len);
    memcpy(frame->bytes + HEADERS_LEN, bytes + head, len);
    frame->have = HEADERS_LEN + (uint32_t)(bytes[0] & 0x10 ? len / 2 : len);

    wtap_rec_init(&frame->rec);
    frame->rec.rec_type = REC_TYPE_PACKET;
    frame->rec.presence_flags = WTAP_HAS_TS | WTAP_HAS_CAP_LEN | WTAP_HAS_INTERFACE_ID;
    frame->rec.ts.secs = frames_ever;
    frame->rec.rec_header.packet_header.caplen = frame->have;
    frame->rec.rec_header.packet_header.len = HEADERS_LEN + (uint32_t)len;
    frame->rec.rec_header.packet_header.pkt_encap = WTAP_ENCAP_RAW_IP;
    frame->rec.rec_header.packet_header.interface_id = bytes[0] >> 7;
    frame_data_init(&frame->fd, ++frames_ever, &frame->rec, 0, bytes_ever);
    return head + len;
}

static void dissect(struct frame *frame, bool tree)
{
    epan_dissect_t *edt = epan_dissect_new(session, tree, tree);
    nstime_t elapsed = NSTIME_INIT_ZERO;
    const frame_data *reference = NULL;

    frame_data_set_before_dissect(&frame->fd, &elapsed, &reference, NULL);
    epan_dissect_run(
        edt, WTAP_FILE_TYPE_SUBTYPE_UNKNOWN, &frame->rec,
        tvb_new_real_data(frame->bytes, frame->have, (int)frame->rec.rec_header.packet_header.len),
        &frame->fd, NULL);
    frame_data_set_after_dissect(&frame->fd, &bytes_ever);
    epan_dissect_free(edt);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct frame frames[FRAMES_MAX];
    int count = 0;

    if (++inputs % INPUTS_PER_FILE == 0)
        open_file();
    while (size > 3 && count < FRAMES_MAX) {
        size_t used = read_frame(&frames[count], bytes, size);
        dissect(&frames[count], (bytes[0] & 0x20) != 0);
        count++;
        bytes += used, size -= used;
    }
    for (int i = 0; i < count; i++)
        dissect(&frames[i], true);
    for (int i = count - 1; i >= 0; i--)
        dissect(&frames[i], true);
    for (int i = 0; i < count; i++) {
        frame_data_destroy(&frames[i].fd);
        wtap_rec_cleanup(&frames[i].rec);
    }
    return 0;
}
