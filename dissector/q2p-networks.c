/* SPDX-License-Identifier: GPL-2.0-or-later */
/* q2p-networks.c - the table of networks in the preferences. */
#include "q2p-networks.h"

#include <epan/uat.h>

/* A row of it. */
struct network {
    uint32_t id;
    char *name;
    char *dissector;
};

static struct network *networks;
static unsigned networks_count;

/* cppcheck-suppress unknownMacro ; of epan/uat.h: how a column is read and written */
UAT_DEC_CB_DEF(networks, id, struct network)
UAT_CSTRING_CB_DEF(networks, name, struct network)
UAT_CSTRING_CB_DEF(networks, dissector, struct network)

static void *copy_row(void *to, const void *from, size_t size _U_)
{
    const struct network *row = (const struct network *)from;

    *(struct network *)to = (struct network){
        .id = row->id, .name = g_strdup(row->name), .dissector = g_strdup(row->dissector)};
    return to;
}

static void free_row(void *data)
{
    struct network *row = (struct network *)data;

    g_free(row->name);
    g_free(row->dissector);
}

static bool is_given(const char *text)
{
    return text != NULL && *text != '\0';
}

static q2p_compat_bool check_row(void *data, char **error)
{
    const struct network *row = (const struct network *)data;

    *error = NULL;
    if (row->id > UINT16_MAX)
        *error = g_strdup_printf("A network ID is at most %u", UINT16_MAX);
    else if (is_given(row->dissector) && find_dissector(row->dissector) == NULL)
        *error = g_strdup_printf("There is no dissector called \"%s\"", row->dissector);
    return *error == NULL;
}

/* There are as many rows as somebody has typed. */
static const struct network *row_of(uint16_t network_id)
{
    for (unsigned i = 0; i < networks_count; i++)
        if (networks[i].id == network_id)
            return &networks[i];
    return NULL;
}

const char *q2p_network_name(uint16_t network_id)
{
    const struct network *row = row_of(network_id);

    return row != NULL && is_given(row->name) ? row->name : NULL;
}

const char *q2p_network_text(wmem_allocator_t *pool, uint16_t network_id)
{
    const char *name = q2p_network_name(network_id);

    if (name == NULL)
        return wmem_strdup_printf(pool, "%u", network_id);
    return wmem_strdup_printf(pool, "%u (%s)", network_id, name);
}

dissector_handle_t q2p_network_dissector(uint16_t network_id)
{
    const struct network *row = row_of(network_id);

    return row != NULL && is_given(row->dissector) ? find_dissector(row->dissector) : NULL;
}

void q2p_networks_register(module_t *module)
{
    static uat_field_t columns[] = {
        UAT_FLD_DEC(networks, id, "Network ID", "As q2p.network_id shows it"),
        UAT_FLD_CSTRING(networks, name, "Name", "Shown beside the network ID"),
        UAT_FLD_CSTRING(networks, dissector, "Dissector",
                        "Reads the data of its complete transmissions, e.g. json"),
        UAT_END_FIELDS};
    static const char *defaults[] = {NULL, "", ""};
    uat_t *table = uat_new("Q2P networks", sizeof(struct network), "q2p_networks", true, &networks,
                           &networks_count, UAT_AFFECTS_DISSECTION, NULL, copy_row, check_row,
                           free_row, NULL, NULL, columns);

    uat_set_default_values(table, defaults);
    prefs_register_uat_preference(module, "networks", "Networks",
                                  "What each network is called, and which dissector reads what its"
                                  " transmissions carry.",
                                  table);
}
