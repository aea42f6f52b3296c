/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * q2p-stats.c - the capture in numbers: a tree of what was counted, one row for each transmission
 * and for each hole punch, and how long answers took. A row says what was known at the last
 * datagram that belongs to it; with two passes, and in Wireshark, that is all of it.
 */
#include "q2p-networks.h"
#include "q2p-taps.h"

#include <epan/srt_table.h>
#include <epan/stat_tap_ui.h>
#include <epan/stats_tree.h>
#include <epan/to_str.h>

#include <q2p/status.h>

#define TREE_MAP(XX)                                                                               \
    XX(EVENTS, "Events")                                                                           \
    XX(DIALECTS, "Dialects")                                                                       \
    XX(NETWORKS, "Network IDs")                                                                    \
    XX(ROLES, "Roles")                                                                             \
    XX(STATUS, "Well-formed")

enum branch {
#define XX(name, title) BRANCH_##name,
    TREE_MAP(XX)
#undef XX
        BRANCHES
};

static int branches[BRANCHES]; /* the same in every tree */

static void tree_begin(stats_tree *tree)
{
#define XX(name, title) branches[BRANCH_##name] = stats_tree_create_pivot(tree, title, 0);
    TREE_MAP(XX)
#undef XX
}

static tap_packet_status tree_count(stats_tree *tree, packet_info *pinfo, epan_dissect_t *edt _U_,
                                    const void *data, tap_flags_t flags _U_)
{
    const struct q2p_tap *tap = (const struct q2p_tap *)data;
    const struct q2p_packet *packet = tap->packet;
    const char *network = q2p_network_text(pinfo->pool, packet->network_id);

    stats_tree_tick_pivot(tree, branches[BRANCH_EVENTS], q2p_event_name(packet->event));
    stats_tree_tick_pivot(tree, branches[BRANCH_DIALECTS], q2p_dialect_name(packet->dialect));
    stats_tree_tick_pivot(tree, branches[BRANCH_NETWORKS], network);
    stats_tree_tick_pivot(tree, branches[BRANCH_ROLES], q2p_role_name(q2p_tap_role(tap)));
    stats_tree_tick_pivot(tree, branches[BRANCH_STATUS], tap->status == Q2P_OK ? "yes" : "no");
    return TAP_PACKET_REDRAW;
}

/* The columns: what each is called, its kind, and how TShark prints it. Texts belong to the row. */

/*     name, title, type, alignment, format */
#define TRANSMISSION_MAP(XX)                                                                       \
    XX(T_INDEX, "Transmission", UINT, RIGHT, "%u")                                                 \
    XX(T_SENDER, "Sender", STRING, LEFT, "%s")                                                     \
    XX(T_RECEIVER, "Receiver", STRING, LEFT, "%s")                                                 \
    XX(T_KEY, "Key", STRING, LEFT, "%s")                                                           \
    XX(T_DIALECT, "Dialect", STRING, LEFT, "%s")                                                   \
    XX(T_NETWORK, "Network", STRING, LEFT, "%s")                                                   \
    XX(T_SENDING, "Sending", UINT, RIGHT, "%u")                                                    \
    XX(T_LENGTH, "Bytes", UINT, RIGHT, "%u")                                                       \
    XX(T_FRAGMENTS, "Fragments", UINT, RIGHT, "%u")                                                \
    XX(T_MISSING, "Missing", UINT, RIGHT, "%u")                                                    \
    XX(T_VERDICT, "Verdict", STRING, LEFT, "%s")                                                   \
    XX(T_SECONDS, "Seconds", FLOAT, RIGHT, "%.6f")                                                 \
    XX(T_GOODPUT, "kbit/s", FLOAT, RIGHT, "%.1f")                                                  \
    XX(T_FIRST, "First frame", UINT, RIGHT, "%u")                                                  \
    XX(T_COMPLETE, "Complete in", UINT, RIGHT, "%u")

#define PUNCH_MAP(XX)                                                                              \
    XX(P_INDEX, "Punch", UINT, RIGHT, "%u")                                                        \
    XX(P_NEWCOMER, "Newcomer", STRING, LEFT, "%s")                                                 \
    XX(P_KNOWN, "Known peer", STRING, LEFT, "%s")                                                  \
    XX(P_SEED, "Seed", STRING, LEFT, "%s")                                                         \
    XX(P_STATE, "Reached", STRING, LEFT, "%s")                                                     \
    XX(P_WHY, "Why no further", STRING, LEFT, "%s")                                                \
    XX(P_SECONDS, "Seconds", FLOAT, RIGHT, "%.6f")                                                 \
    XX(P_REPEATS, "Repeats", UINT, RIGHT, "%u")                                                    \
    XX(P_JOIN, "JOIN in", UINT, RIGHT, "%u")                                                       \
    XX(P_CONNECTED, "CONNECTED in", UINT, RIGHT, "%u")

#define XX(name, title, type, alignment, format) name,
enum transmission_column { TRANSMISSION_MAP(XX) TRANSMISSION_COLUMNS };
enum punch_column { PUNCH_MAP(XX) PUNCH_COLUMNS };
#undef XX

#define XX(name, title, type, alignment, format)                                                   \
    {TABLE_ITEM_##type, TAP_ALIGN_##alignment, title, format},
static stat_tap_table_item transmission_columns[] = {TRANSMISSION_MAP(XX)};
static stat_tap_table_item punch_columns[] = {PUNCH_MAP(XX)};
#undef XX

static void table_begin(stat_tap_table_ui *ui)
{
    stat_tap_table *table = stat_tap_find_table(ui, ui->title);

    if (table != NULL)
        ui->stat_tap_reset_table_cb(table);
    else
        stat_tap_add_table(ui, stat_tap_init_table(ui->title, (int)ui->nfields, 0, NULL));
}

static void free_item(stat_tap_table *table _U_, guint row _U_, guint column _U_,
                      stat_tap_table_item_type *item)
{
    if (item->type == TABLE_ITEM_STRING)
        g_free((char *)item->value.string_value);
}

/* Another capture has other rows. */
static void table_reset(stat_tap_table *table)
{
    for (unsigned row = 0; row < table->num_elements; row++) {
        for (unsigned column = 0; column < table->num_fields; column++)
            free_item(table, row, column, &table->elements[row][column]);
        g_free(table->elements[row]);
    }
    table->num_elements = 0;
}

/* The only table of a window. */
static stat_tap_table *table_of(void *tapdata)
{
    const stat_data_t *window = (const stat_data_t *)tapdata;

    return g_array_index(window->stat_tap_data->tables, stat_tap_table *, 0);
}

/*
 * The row of a thing by its index, which is its first column; made if need be. Rows are in the
 * order of indices.
 */
static stat_tap_table_item_type *row_of(stat_tap_table *table, uint32_t index, bool *made)
{
    unsigned row = 0, end = table->num_elements;

    while (row < end) {
        unsigned middle = row + (end - row) / 2;
        if (table->elements[middle][0].value.uint_value < index)
            row = middle + 1;
        else
            end = middle;
    }
    *made = row == table->num_elements || table->elements[row][0].value.uint_value != index;
    if (*made) {
        stat_tap_table_item_type *empty = g_new0(stat_tap_table_item_type, table->num_fields);
        unsigned last = table->num_elements;

        stat_tap_init_table_row(table, last, table->num_fields, empty);
        g_free(empty);
        stat_tap_table_item_type *fresh = table->elements[last];
        memmove(&table->elements[row + 1], &table->elements[row],
                (last - row) * sizeof *table->elements);
        table->elements[row] = fresh;
        fresh[0].type = TABLE_ITEM_UINT;
        fresh[0].value.uint_value = index;
    }
    return table->elements[row];
}

static void put_uint(stat_tap_table_item_type *item, uint32_t value)
{
    item->type = TABLE_ITEM_UINT;
    item->value.uint_value = value;
}

static void put_float(stat_tap_table_item_type *item, double value)
{
    item->type = TABLE_ITEM_FLOAT;
    item->value.float_value = value;
}

static void put_text(stat_tap_table_item_type *item, const char *text)
{
    if (item->type == TABLE_ITEM_STRING && strcmp(item->value.string_value, text) == 0)
        return;
    if (item->type == TABLE_ITEM_STRING)
        g_free((char *)item->value.string_value);
    item->type = TABLE_ITEM_STRING;
    item->value.string_value = g_strdup(text);
}

static double seconds(q2p_time time)
{
    return (double)time / (double)Q2P_SECOND;
}

/* What a transmission has from its beginning. */
static void name_transmission(stat_tap_table_item_type *row, wmem_allocator_t *pool,
                              const struct q2p_transmission *one)
{
    const struct q2p_endpoint *from = one->talk->sides[one->side].from;
    const struct q2p_endpoint *to = one->talk->sides[!one->side].from;

    put_text(&row[T_SENDER], q2p_tap_endpoint(pool, &from->addr, from->port));
    put_text(&row[T_RECEIVER], q2p_tap_endpoint(pool, &to->addr, to->port));
    put_text(&row[T_KEY], bytes_to_str(pool, one->hash.bytes, Q2P_HASH_LEN));
    put_text(&row[T_NETWORK], q2p_network_text(pool, one->network_id));
    put_uint(&row[T_SENDING], one->sending);
}

static tap_packet_status count_transmission(void *tapdata, packet_info *pinfo,
                                            epan_dissect_t *edt _U_, const void *data,
                                            tap_flags_t flags _U_)
{
    stat_tap_table *table = table_of(tapdata);
    const struct q2p_transmission *one = ((const struct q2p_tap *)data)->transmission;
    bool made;

    if (one == NULL)
        return TAP_PACKET_DONT_REDRAW;

    stat_tap_table_item_type *row = row_of(table, one->index, &made);
    bool complete = q2p_transmission_complete(one);
    q2p_time took = complete ? one->complete_time - one->first_time : 0;

    if (made)
        name_transmission(row, pinfo->pool, one);
    put_text(&row[T_DIALECT], q2p_dialect_name(one->dialect));
    put_uint(&row[T_LENGTH], one->length_known ? one->length : 0);
    put_uint(&row[T_FRAGMENTS], one->length_known ? one->fragments : 0);
    put_uint(&row[T_MISSING],
             one->length_known ? one->fragments - one->pieces.count + one->wanted : 0);
    put_text(&row[T_VERDICT], q2p_transmission_verdict(one));
    put_float(&row[T_SECONDS], seconds(took));
    put_float(&row[T_GOODPUT], took > 0 ? one->length * 8.0 / 1000.0 / seconds(took) : 0);
    put_uint(&row[T_FIRST], one->first_frame);
    put_uint(&row[T_COMPLETE], complete ? one->complete_frame : 0);
    return TAP_PACKET_REDRAW;
}

static void fill_punch(stat_tap_table *table, wmem_allocator_t *pool, const struct q2p_punch *one)
{
    enum q2p_verdict verdict = q2p_punch_verdict(one);
    bool made;
    stat_tap_table_item_type *row = row_of(table, one->index, &made);

    put_text(&row[P_NEWCOMER], q2p_punch_address(pool, &one->newcomer));
    put_text(&row[P_KNOWN], q2p_punch_address(pool, &one->known));
    put_text(&row[P_SEED], q2p_punch_address(pool, &one->seed));
    put_text(&row[P_STATE], q2p_step_name(q2p_punch_reached(one)));
    put_text(&row[P_WHY], verdict == Q2P_VERDICT_DONE ? "" : q2p_verdict_text(verdict));
    put_float(&row[P_SECONDS], seconds(q2p_punch_time(one)));
    put_uint(&row[P_REPEATS], one->repeats);
    put_uint(&row[P_JOIN], one->frames[Q2P_STEP_JOIN]);
    put_uint(&row[P_CONNECTED], one->frames[Q2P_STEP_CONNECTED]);
}

static tap_packet_status count_punch(void *tapdata, packet_info *pinfo, epan_dissect_t *edt _U_,
                                     const void *data, tap_flags_t flags _U_)
{
    stat_tap_table *table = table_of(tapdata);
    const struct q2p_tap *tap = (const struct q2p_tap *)data;

    if (tap->punch.punch == NULL || tap->role == Q2P_ROLE_JOIN)
        return TAP_PACKET_DONT_REDRAW;
    fill_punch(table, pinfo->pool, tap->punch.punch);
    return TAP_PACKET_REDRAW;
}

#define ANSWER_MAP(XX)                                                                             \
    XX(READY, "OPTIONS to OPTIONSFEEDBACK")                                                        \
    XX(COMPLETE, "First message to last missing fragment")                                         \
    XX(TOUCHREQUEST, "JOIN to TOUCHREQUEST")                                                       \
    XX(TOUCHED, "TOUCHREQUEST to TOUCHED")                                                         \
    XX(CONNECTREQUEST, "TOUCHED to CONNECTREQUEST")                                                \
    XX(CONNECT, "CONNECTREQUEST to CONNECT")                                                       \
    XX(CONNECTED, "CONNECT to CONNECTED")                                                          \
    XX(PUNCH, "JOIN to CONNECTED")

enum answer {
#define XX(name, title) ANSWER_##name,
    ANSWER_MAP(XX)
#undef XX
        ANSWERS
};

static void answers_begin(struct register_srt *srt _U_, GArray *tables)
{
    srt_stat_table *table =
        init_srt_table("Q2P Response Times", "Q2P", tables, ANSWERS, "Step", NULL, NULL);

#define XX(name, title) init_srt_table_row(table, ANSWER_##name, title);
    ANSWER_MAP(XX)
#undef XX
}

static void add_answer(srt_stat_table *table, enum answer answer, packet_info *pinfo,
                       q2p_time since)
{
    nstime_t asked = {.secs = (time_t)(since / Q2P_SECOND), .nsecs = (int)(since % Q2P_SECOND)};

    add_srt_table_data(table, (int)answer, &asked, pinfo);
}

/* A step, counted from the one that causes it, where both were seen. */
static void add_step(srt_stat_table *table, packet_info *pinfo, const struct q2p_punch *punch,
                     enum q2p_step step)
{
    static const struct {
        enum q2p_step cause;
        enum answer answer;
    } steps[Q2P_STEPS] = {
        [Q2P_STEP_TOUCHREQUEST] = {Q2P_STEP_JOIN, ANSWER_TOUCHREQUEST},
        [Q2P_STEP_TOUCHED] = {Q2P_STEP_TOUCHREQUEST, ANSWER_TOUCHED},
        [Q2P_STEP_CONNECTREQUEST] = {Q2P_STEP_TOUCHED, ANSWER_CONNECTREQUEST},
        [Q2P_STEP_CONNECT] = {Q2P_STEP_CONNECTREQUEST, ANSWER_CONNECT},
        [Q2P_STEP_CONNECTED] = {Q2P_STEP_CONNECT, ANSWER_CONNECTED},
    };
    enum q2p_step cause = steps[step].cause;

    if (step == Q2P_STEP_JOIN || step == Q2P_STEP_TOUCH || punch->frames[step] != pinfo->num)
        return;
    if (punch->frames[cause] != 0 && punch->times[cause] <= punch->times[step])
        add_answer(table, steps[step].answer, pinfo, punch->times[cause]);
    if (step == Q2P_STEP_CONNECTED && punch->frames[Q2P_STEP_JOIN] != 0)
        add_answer(table, ANSWER_PUNCH, pinfo, punch->times[Q2P_STEP_JOIN]);
}

static tap_packet_status count_answer(void *tapdata, packet_info *pinfo, epan_dissect_t *edt _U_,
                                      const void *data, tap_flags_t flags _U_)
{
    srt_stat_table *table = g_array_index(((srt_data_t *)tapdata)->srt_array, srt_stat_table *, 0);
    const struct q2p_tap *tap = (const struct q2p_tap *)data;
    const struct q2p_transmission *one = tap->transmission;

    if (tap->punch.punch != NULL && tap->role == Q2P_ROLE_STEP)
        add_step(table, pinfo, tap->punch.punch, tap->punch.step);
    if (one != NULL && one->ready_frame == pinfo->num && one->start_frame != 0)
        add_answer(table, ANSWER_READY, pinfo, one->start_time);
    if (one != NULL && one->complete_frame == pinfo->num && q2p_transmission_complete(one))
        add_answer(table, ANSWER_COMPLETE, pinfo, one->first_time);
    return TAP_PACKET_REDRAW;
}

/* A table: what every one of ours has. */
static void register_table(stat_tap_table_ui *table)
{
    table->group = REGISTER_PACKET_STAT_GROUP_UNSORTED;
    table->tap_name = Q2P_TAP_NAME;
    table->stat_tap_init_cb = table_begin;
    table->stat_tap_reset_table_cb = table_reset;
    table->stat_tap_free_table_item_cb = free_item;
    register_stat_tap_table_ui(table);
}

void q2p_stats_register(int proto)
{
    static stat_tap_table_ui transmissions = {
        .title = "Q2P Transmissions",
        .cli_string = "q2p,transmissions",
        .packet_func = count_transmission,
        .nfields = TRANSMISSION_COLUMNS,
        .fields = transmission_columns,
    };
    static stat_tap_table_ui punches = {
        .title = "Q2P Hole Punches",
        .cli_string = "q2p,punches",
        .packet_func = count_punch,
        .nfields = PUNCH_COLUMNS,
        .fields = punch_columns,
    };

    stats_tree_register_plugin(Q2P_TAP_NAME, "q2p", "Q2P Datagrams", 0, tree_count, tree_begin,
                               NULL);
    register_table(&transmissions);
    register_table(&punches);
    register_srt_table(proto, Q2P_TAP_NAME, 1, count_answer, answers_begin, NULL);
}
