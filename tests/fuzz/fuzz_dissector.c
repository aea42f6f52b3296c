/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_dissector.c - any bytes as a short capture, through the unchanged libwireshark with the
 * dissector built in: once in order, as TShark does, then again as people click, with a full tree
 * and all statistics open. Whatever a dissector may do wrong ends the process: sanitizers see to
 * that, and Wireshark's own checks.
 *
 * The input is a byte that says how it is looked at again (LOOK_*), then datagrams: a byte that
 * says from whom to whom and what is special (FRAME_*), two bytes of length, one byte that says how
 * many bytes of the payload follow, and these; the rest of it is filled up. Short inputs are long
 * captures, then, and a change of one byte is seldom lost in a body.
 * Each input has addresses of its own, so that what was learned from the ones before changes
 * nothing; all is forgotten once in a while. To begin anew costs Wireshark a tenth of a second and
 * 10 MB that it never gives back.
 */
#include <wireshark.h>

#include <epan/epan.h>
#include <epan/epan_dissect.h>
#include <epan/frame_data.h>
#include <epan/prefs.h>
#include <epan/proto.h>
#include <epan/timestamp.h>
#include <wiretap/wtap.h>
#include <wsutil/filesystem.h>
#include <wsutil/privileges.h>
#include <wsutil/wslog.h>

#include "fuzz.h"
#include "fuzz_taps.h"

#define FRAMES_MAX 12
#define INPUTS_PER_FILE 10000
#define PORT 10000
#define FRAMES_PER_SECOND 10000 /* the tree of statistics counts each step of time */
#define PAYLOAD_MAX 1023
#define FILLER 0xa5
#define IP_LEN 20
#define UDP_LEN 8
#define ICMP_LEN 8
#define FRAME_HEAD 4 /* in the input */
#define HEADERS_MAX (IP_LEN + ICMP_LEN + IP_LEN + UDP_LEN)

enum { LOOK_AGAIN = 1, LOOK_BACKWARD = 2, LOOK_TAPS = 4, LOOK_MENUS = 8, LOOK_AT_ALL = 16 };
enum { FRAME_CUT = 0x10, FRAME_TREE = 0x20, FRAME_QUOTED = 0x40, FRAME_INTERFACE = 0x80 };

void plugin_register(void);
int LLVMFuzzerInitialize(int *argc, char ***argv);
const char *__asan_default_options(void);

static epan_t *session;
static epan_dissect_t *dissection[3]; /* without a tree, with one of ours, of everybody's */
static uint32_t inputs, frames_ever;
static guint32 bytes_ever;

struct frame {
    frame_data fd;
    wtap_rec rec;
    uint8_t bytes[HEADERS_MAX + PAYLOAD_MAX];
    uint32_t have;
};

/* Wireshark keeps its tables to the end. Long stacks of each malloc take a third of the time. */
const char *__asan_default_options(void)
{
    return "detect_leaks=0:malloc_context_size=1:quarantine_size_mb=4";
}

static const nstime_t *no_time(struct packet_provider_data *provider _U_, guint32 frame _U_)
{
    static const nstime_t none = NSTIME_INIT_ZERO;
    return &none;
}

static void open_file(void)
{
    static const struct packet_provider_funcs functions = {no_time, NULL, NULL, NULL};

    if (session != NULL) {
        fuzz_taps_end_of_file();
        for (size_t i = 0; i < array_length(dissection); i++)
            epan_dissect_free(dissection[i]);
        epan_free(session);
    }
    session = epan_new(NULL, &functions);
    dissection[0] = epan_dissect_new(session, FALSE, FALSE);
    dissection[1] = epan_dissect_new(session, TRUE, FALSE);
    dissection[2] = epan_dissect_new(session, TRUE, TRUE);
    frames_ever = bytes_ever = 0;
}

/* Only what a datagram passes on its way: other heuristics are not what is looked for. */
static void keep_protocols(void)
{
    static const char *const kept[] = {"frame", "raw", "ip", "icmp", "udp", "q2p", "data"};
    void *cookie;

    for (int id = proto_get_first_protocol(&cookie); id != -1;
         id = proto_get_next_protocol(&cookie)) {
        bool keep = false;
        for (size_t i = 0; i < array_length(kept); i++)
            keep = keep || strcmp(proto_get_protocol_filter_name(id), kept[i]) == 0;
        if (!keep && !proto_is_pino(find_protocol_by_id(id)) && proto_can_toggle_protocol(id))
            proto_set_decoding(id, FALSE);
    }
    find_heur_dissector_by_unique_short_name("q2p_udp")->enabled = TRUE;
}

/* Our fields are made in each tree, as for a filter; those of Ethernet, IP and UDP are not. */
static void want_fields(int protocol)
{
    void *cookie;

    proto_registrar_get_nth((unsigned)protocol)->ref_type = HF_REF_TYPE_DIRECT;
    for (header_field_info *field = proto_get_first_protocol_field(protocol, &cookie);
         field != NULL; field = proto_get_next_protocol_field(protocol, &cookie))
        field->ref_type = HF_REF_TYPE_DIRECT;
}

/* libFuzzer would look for leaks of what is kept to the end, with every input. */
static void add_option(int *argc, char ***argv, const char *option)
{
    char **longer = g_new0(char *, (size_t)*argc + 2);

    memcpy(longer, *argv, (size_t)*argc * sizeof *longer);
    longer[(*argc)++] = g_strdup(option);
    *argv = longer;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static char no_geography[] = "ip.use_geoip:FALSE"; /* reads files */
    char *error = NULL;

    setenv("WIRESHARK_DEBUG_WMEM_OVERRIDE", "block_fast", 0);
    setenv("WIRESHARK_ABORT_ON_DISSECTOR_BUG", "1", 0);
    setenv("WIRESHARK_ABORT_ON_TOO_MANY_ITEMS", "1", 0);
    ws_log_init("fuzz_dissector", NULL); /* else it tells each step */
    init_process_policies();
    g_free(configuration_init((*argv)[0], NULL));
    wtap_init(FALSE);
    plugin_register();
    MUST(epan_init(NULL, NULL, FALSE));
    MUST(g_setenv("WIRESHARK_CONFIG_DIR", "/nonexistent", TRUE)); /* nobody's preferences */
    epan_load_settings();
    MUST(prefs_set_pref(no_geography, &error) == PREFS_SET_OK);
    prefs_apply_all();
    timestamp_set_type(TS_RELATIVE);
    timestamp_set_precision(TS_PREC_FIXED_USEC);
    timestamp_set_seconds_type(TS_SECONDS_DEFAULT);
    keep_protocols();
    open_file();
    want_fields(proto_get_id_by_filter_name("q2p"));
    fuzz_taps_begin(proto_get_id_by_filter_name("q2p"));
    add_option(argc, argv, "-detect_leaks=0");
    return 0;
}

static uint8_t *write_ip(uint8_t *out, uint8_t protocol, const unsigned ends[2], size_t size)
{
    size_t total = size + IP_LEN;
    const uint8_t start[] = {0x45, 0,       (uint8_t)(total >> 8), (uint8_t)total, 0, 0, 0, 0,
                             64,   protocol};

    memset(out, 0, IP_LEN);
    memcpy(out, start, sizeof start);
    for (size_t i = 0; i < 2; i++) {
        const uint8_t node[] = {10, (uint8_t)(inputs >> 8), (uint8_t)inputs,
                                (uint8_t)(1 + ends[i])};
        memcpy(out + 12 + 4 * i, node, sizeof node);
    }
    return out + IP_LEN;
}

/* What stands in front of the payload: IPv4 and UDP; if quoted, an ICMP error around them. Node 0
 * has the known port. */
static uint8_t *write_headers(uint8_t *out, uint8_t kind, size_t size)
{
    const unsigned ends[2] = {kind & 3U, kind >> 2 & 3U}, back[2] = {ends[1], ends[0]};

    if ((kind & FRAME_QUOTED) != 0) {
        const uint8_t unreachable[ICMP_LEN] = {3, 3};
        out = write_ip(out, 1, back, size + UDP_LEN + IP_LEN + ICMP_LEN);
        memcpy(out, unreachable, sizeof unreachable);
        out += ICMP_LEN;
    }
    out = write_ip(out, 17, ends, size + UDP_LEN);
    memset(out, 0, UDP_LEN);
    for (size_t i = 0; i < 2; i++) {
        out[2 * i] = (uint8_t)((PORT + ends[i]) >> 8);
        out[2 * i + 1] = (uint8_t)(PORT + ends[i]);
    }
    out[4] = (uint8_t)((size + UDP_LEN) >> 8);
    out[5] = (uint8_t)(size + UDP_LEN);
    return out + UDP_LEN;
}

/* Takes the next datagram off the input; how many bytes that were. */
static size_t read_frame(struct frame *frame, const uint8_t *bytes, size_t size)
{
    size_t len = (bytes[1] | (size_t)bytes[2] << 8) & PAYLOAD_MAX;
    size_t given = MIN(MIN(bytes[3], len), size - FRAME_HEAD);
    uint8_t *payload = write_headers(frame->bytes, bytes[0], len);
    uint32_t headers = (uint32_t)(payload - frame->bytes);

    memset(payload, FILLER, len);
    memcpy(payload, bytes + FRAME_HEAD, given);
    frame->have = headers + (uint32_t)(bytes[0] & FRAME_CUT ? len / 2 : len);

    wtap_rec_init(&frame->rec);
    frame->rec.rec_type = REC_TYPE_PACKET;
    frame->rec.presence_flags = WTAP_HAS_TS | WTAP_HAS_CAP_LEN | WTAP_HAS_INTERFACE_ID;
    frame->rec.ts.secs = frames_ever / FRAMES_PER_SECOND;
    frame->rec.ts.nsecs = (int)(frames_ever % FRAMES_PER_SECOND) * (1000000000 / FRAMES_PER_SECOND);
    frame->rec.rec_header.packet_header.caplen = frame->have;
    frame->rec.rec_header.packet_header.len = headers + (uint32_t)len;
    frame->rec.rec_header.packet_header.pkt_encap = WTAP_ENCAP_RAW_IP;
    frame->rec.rec_header.packet_header.interface_id = (bytes[0] & FRAME_INTERFACE) != 0;
    frame_data_init(&frame->fd, ++frames_ever, &frame->rec, 0, bytes_ever);
    return FRAME_HEAD + given;
}

static void dissect(struct frame *frame, bool tree, unsigned look)
{
    epan_dissect_t *edt = dissection[!tree ? 0 : (look & LOOK_AT_ALL) == 0 ? 1 : 2];
    nstime_t elapsed = NSTIME_INIT_ZERO;
    const frame_data *reference = NULL;
    int len = (int)frame->rec.rec_header.packet_header.len;
    tvbuff_t *tvb = tvb_new_real_data(frame->bytes, frame->have, len);

    frame_data_set_before_dissect(&frame->fd, &elapsed, &reference, NULL);
    if ((look & LOOK_TAPS) != 0)
        epan_dissect_run_with_taps(edt, WTAP_FILE_TYPE_SUBTYPE_UNKNOWN, &frame->rec, tvb,
                                   &frame->fd, NULL);
    else
        epan_dissect_run(edt, WTAP_FILE_TYPE_SUBTYPE_UNKNOWN, &frame->rec, tvb, &frame->fd, NULL);
    frame_data_set_after_dissect(&frame->fd, &bytes_ever);
    if ((look & LOOK_MENUS) != 0)
        fuzz_taps_menus(edt);
    epan_dissect_reset(edt);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct frame frames[FRAMES_MAX];
    unsigned look = size > 0 ? *bytes++ : 0, once = look & LOOK_AGAIN ? 0 : look;
    int count = 0;

    if (++inputs % INPUTS_PER_FILE == 0)
        open_file();
    size -= size > 0;
    while (size >= FRAME_HEAD && count < FRAMES_MAX) {
        size_t used = read_frame(&frames[count], bytes, size);
        dissect(&frames[count], (bytes[0] & FRAME_TREE) != 0, once);
        count++;
        bytes += used, size -= used;
    }
    for (int i = 0; i < count && (look & LOOK_AGAIN) != 0; i++)
        dissect(&frames[look & LOOK_BACKWARD ? count - 1 - i : i], true, look);
    for (int i = 0; i < count; i++) {
        frame_data_destroy(&frames[i].fd);
        wtap_rec_cleanup(&frames[i].rec);
    }
    if ((look & LOOK_TAPS) != 0)
        fuzz_taps_end_of_input((look & LOOK_MENUS) != 0);
    return 0;
}
