/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_taps.c - all that Wireshark can make of tap "q2p", collected at once as its windows do:
 * tree, tables, times, talks, endpoints, flow graph, stream, files; and the filters of its menus.
 */
#include "fuzz_taps.h"

#include <epan/conversation_filter.h>
#include <epan/conversation_table.h>
#include <epan/export_object.h>
#include <epan/follow.h>
#include <epan/srt_table.h>
#include <epan/stat_tap_ui.h>
#include <epan/stats_tree_priv.h>

#include "fuzz.h"

#define TAP "q2p"

/* Exported, but not in an installed header. */
struct seq_info;
struct seq_graph;
WS_DLL_PUBLIC struct seq_graph *sequence_analysis_find_by_name(const char *name);
WS_DLL_PUBLIC tap_packet_cb sequence_analysis_get_packet_func(struct seq_graph *graph);
WS_DLL_PUBLIC struct seq_info *sequence_analysis_info_new(void);
WS_DLL_PUBLIC void sequence_analysis_list_free(struct seq_info *info);
WS_DLL_PUBLIC int sequence_analysis_get_nodes(struct seq_info *info);
WS_DLL_PUBLIC void sequence_analysis_free_nodes(struct seq_info *info);

static struct {
    stats_tree *tree;
    stat_data_t tables[2];
    srt_data_t times;
    conv_hash_t talks, endpoints;
    struct seq_info *graph;
    follow_info_t *stream;
    export_object_list_t files;
} all;

static void listen_to(void *tapdata, tap_packet_cb packet)
{
    MUST(packet != NULL);
    MUST(register_tap_listener(TAP, tapdata, NULL, TL_REQUIRES_NOTHING, NULL, packet, NULL, NULL) ==
         NULL);
}

/* A file that is shown is let go. */
static void take_file(void *gui _U_, export_object_entry_t *entry)
{
    MUST(entry->payload_len > 0 && entry->payload_data != NULL && entry->filename != NULL);
    eo_free_entry(entry);
}

static stat_tap_table_ui *open_table(const char *name)
{
    stat_tap_table_ui *ui = stat_tap_by_name(name);

    MUST(ui != NULL);
    ui->stat_tap_init_cb(ui);
    return ui;
}

void fuzz_taps_begin(int proto)
{
    static const char *const names[] = {"q2p,transmissions", "q2p,punches"};
    stats_tree_cfg *tree = stats_tree_get_cfg_by_abbr((char *)TAP);
    register_srt_t *times = get_srt_table_by_name(TAP);
    register_ct_t *talks = get_conversation_by_proto_id(proto);
    struct seq_graph *graph = sequence_analysis_find_by_name(TAP);
    register_follow_t *stream = get_follow_by_name("Q2P");
    register_eo_t *files = get_eo_by_name(TAP);

    MUST(tree && times && talks && graph && stream && files);
    all.tree = stats_tree_new(tree, NULL, NULL);
    listen_to(all.tree, stats_tree_packet);
    for (size_t i = 0; i < array_length(names); i++) {
        all.tables[i].stat_tap_data = open_table(names[i]);
        listen_to(&all.tables[i], all.tables[i].stat_tap_data->packet_func);
    }
    all.times.srt_array = g_array_new(FALSE, TRUE, sizeof(srt_stat_table *));
    srt_table_dissector_init(times, all.times.srt_array);
    listen_to(&all.times, get_srt_packet_func(times));
    listen_to(&all.talks, get_conversation_packet_func(talks));
    listen_to(&all.endpoints, get_endpoint_packet_func(talks));
    all.graph = sequence_analysis_info_new();
    listen_to(all.graph, sequence_analysis_get_packet_func(graph));
    all.stream = g_new0(follow_info_t, 1);
    listen_to(all.stream, get_follow_tap_handler(stream));
    all.files.add_entry = take_file;
    MUST(register_tap_listener(get_eo_tap_listener_name(files), &all.files, NULL, 0, NULL,
                               get_eo_packet_func(files), NULL, NULL) == NULL);
}

/* The pieces of the stream are in order, each once, and are what was counted. */
static void look_at_stream(void)
{
    size_t bytes = 0;

    for (GList *at = all.stream->payload; at != NULL; at = at->next)
        bytes += ((const follow_record_t *)at->data)->data->len;
    MUST(bytes == (size_t)all.stream->bytes_written[0] + all.stream->bytes_written[1]);
}

static void drop_stream(void)
{
    for (GList *at = all.stream->payload; at != NULL; at = at->next) {
        g_byte_array_free(((follow_record_t *)at->data)->data, TRUE);
        g_free(at->data);
    }
    g_list_free(all.stream->payload);
    all.stream->payload = NULL;
    follow_reset_stream(all.stream);
}

/* The filter of each row of talks and endpoints; then all tables begin anew. */
static void use_windows(void)
{
    for (unsigned i = 0; all.talks.conv_array != NULL && i < all.talks.conv_array->len; i++)
        for (int way = CONV_DIR_A_TO_FROM_B; way <= CONV_DIR_ANY_FROM_B; way++)
            g_free(get_conversation_filter(&g_array_index(all.talks.conv_array, conv_item_t, i),
                                           (conv_direction_e)way));
    for (unsigned i = 0; all.endpoints.conv_array != NULL && i < all.endpoints.conv_array->len; i++)
        g_free(get_endpoint_filter(&g_array_index(all.endpoints.conv_array, endpoint_item_t, i)));
    for (size_t i = 0; i < array_length(all.tables); i++)
        all.tables[i].stat_tap_data->stat_tap_init_cb(all.tables[i].stat_tap_data);
    reset_conversation_table_data(&all.talks);
    reset_endpoint_table_data(&all.endpoints);
}

void fuzz_taps_end_of_input(bool windows)
{
    if (windows)
        use_windows();
    look_at_stream();
    drop_stream();
    sequence_analysis_get_nodes(all.graph);
    sequence_analysis_free_nodes(all.graph);
    sequence_analysis_list_free(all.graph);
    stats_tree_reinit(all.tree); /* its nodes are in lists, which get long */
}

void fuzz_taps_end_of_file(void)
{
    use_windows();
    reset_srt_table(all.times.srt_array);
}

void fuzz_taps_menus(epan_dissect_t *edt)
{
    register_follow_t *stream = get_follow_by_name("Q2P");
    packet_info *pinfo = &edt->pi;
    unsigned index, part;

    for (GList *at = packet_conv_filter_list; at != NULL; at = at->next) {
        const conversation_filter_t *filter = (const conversation_filter_t *)at->data;
        if (strcmp(filter->proto_name, TAP) == 0 && filter->is_filter_valid(pinfo))
            g_free(filter->build_filter_string(pinfo));
    }
    g_free(get_follow_conv_func(stream)(edt, pinfo, &index, &part));
    if (pinfo->net_src.type != AT_NONE)
        g_free(get_follow_address_func(stream)(&pinfo->net_src, &pinfo->net_dst,
                                               (int)pinfo->srcport, (int)pinfo->destport));
}
