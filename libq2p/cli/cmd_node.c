/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_node.c - `q2p node`: takes part in a network, tells what happens, keeps what it receives. */
#include "cli_data.h"
#include "cli_peer.h"
#include "cmd.h"

struct node_values {
    struct cli_peer_values peer;
    uint64_t peers_max, length_max, memory_max;
    q2p_time lost_ns, timeout_ns, duration_ns; /* 0: not given */
    bool original, open;
    const char *save;
};

static void configure(struct q2p_config *config, const struct node_values *values)
{
    q2p_config_init(config);
    if (values->original)
        q2p_config_original(config);
    if (values->lost_ns)
        config->lost_ns = values->lost_ns;
    if (values->timeout_ns)
        config->timeout_ns = values->timeout_ns;
    config->peers_max = (uint16_t)values->peers_max;
    config->length_max =
        values->length_max > UINT32_MAX ? UINT32_MAX : (uint32_t)values->length_max;
    config->memory_max = (size_t)values->memory_max;
    config->open = values->open || values->original;
}

static int serve(struct cli_peer *peer, const struct node_values *values)
{
    q2p_time end = values->duration_ns ? q2p_drive_now() + values->duration_ns : Q2P_NEVER;
    int worst = CLI_FINE;
    while (!cli_peer_signal() && q2p_drive_now() < end) {
        int code = cli_peer_step(peer, end);
        if (code)
            return code;
        struct q2p_happening on;
        while (q2p_node_happening(peer->node, &on)) {
            char path[4096];
            bool keep = values->save && on.on == Q2P_ON_DELIVERED;
            code = keep ? cli_data_save_in(values->save, &on, path, sizeof path) : CLI_FINE;
            worst = code > worst ? code : worst;
            cli_peer_tell(peer, &on, keep && !code ? path : NULL);
        }
    }
    cli_peer_sum_up(peer);
    return worst;
}

static int run(const void *at, int argc, char **argv)
{
    const struct node_values *values = at;
    struct q2p_config config;
    struct cli_peer peer;
    (void)argc;
    (void)argv;
    int code = values->save ? cli_data_make_dir(values->save) : CLI_FINE;
    if (code)
        return code;
    configure(&config, values);
    code = cli_peer_open(&peer, &values->peer, &config);
    if (!code)
        code = serve(&peer, values);
    cli_peer_close(&peer);
    return code;
}

static const struct cli_option options[] = {
    CLI_PEER_OPTIONS("10000"),
    {"save", 0, CLI_TEXT, offsetof(struct node_values, save), "DIR", NULL, 0, 0,
     "write what is received to DIR, each under its SHA-256"},
    {"for", 0, CLI_TIME, offsetof(struct node_values, duration_ns), "TIME", NULL, 1, 0,
     "end after this time; without it, at SIGINT or SIGTERM"},
    {"peers-max", 0, CLI_NUMBER, offsetof(struct node_values, peers_max), "NUMBER", "32", 1, 128,
     "never remember more peers"},
    {"lost", 0, CLI_TIME, offsetof(struct node_values, lost_ns), "TIME", NULL, 1, 0,
     "list missing fragments this often (500ms; 6s if original)"},
    {"timeout", 0, CLI_TIME, offsetof(struct node_values, timeout_ns), "TIME", NULL, 1, 0,
     "give up after this long without a new fragment (10s; 5s if original)"},
    {"length-max", 0, CLI_SIZE, offsetof(struct node_values, length_max), "SIZE", "64MiB", 1, 0,
     "refuse what is announced longer"},
    {"memory", 0, CLI_SIZE, offsetof(struct node_values, memory_max), "SIZE", "256MiB", 1, 0,
     "for all fragments being received"},
    {"open", 0, CLI_FLAG, offsetof(struct node_values, open), NULL, NULL, 0, 0,
     "store whoever connects unasked"},
    {"original", 0, CLI_FLAG, offsetof(struct node_values, original), NULL, NULL, 0, 0,
     "timers and single tries of the original program, for comparisons"},
    {.name = NULL},
};

const struct cli_command cmd_node = {
    .name = "node",
    .args = "",
    .sentence = "Takes part in a network: tells what happens and what is received.",
    .about =
        "Listens, joins through its seeds, lets others join through itself, connects with the\n"
        "peers that it is told of, and receives transmissions.",
    .example = "  q2p node --port 10000                          # a seed\n"
               "  q2p node --port 10001 --seed 127.0.0.1:10000 --save received --for 10min",
    .options = options,
    .values_size = sizeof(struct node_values),
    .args_min = 0,
    .args_max = 0,
    .run = run,
};
