/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_recv.c - `q2p recv`: waits for transmissions and puts what they carry where it is wanted. */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli_data.h"
#include "cli_out.h"
#include "cli_peer.h"
#include "cli_progress.h"
#include "cmd.h"

struct recv_values {
    struct cli_peer_values peer;
    const char *out;
    uint64_t count, length_max, memory_max;
    q2p_time timeout_ns, duration_ns; /* 0: not given */
    bool open;
};

struct receiving {
    struct cli_peer peer;
    const struct recv_values *values;
    const char *dir; /* NULL: not into one */
    int stream;      /* where data goes in a row; -1: not */
    uint64_t got;
    int worst; /* exit code */
    struct cli_progress progress;
};

/* Senders that did not hear our last word ask again: stay for an answer. */
#define LINGER_NS (Q2P_SECOND / 2)

static bool is_dir(const char *path)
{
    struct stat about;
    size_t len = strlen(path);
    return (len && path[len - 1] == '/') || (stat(path, &about) == 0 && S_ISDIR(about.st_mode));
}

/* With data on standard output, everything else goes to standard error. */
static int choose_out(struct receiving *receiving)
{
    const char *out = receiving->values->out;
    receiving->stream = -1;
    if (!strcmp(out, "-")) {
        receiving->stream = dup(STDOUT_FILENO);
        if (receiving->stream >= 0 && dup2(STDERR_FILENO, STDOUT_FILENO) >= 0)
            return CLI_FINE;
        cli_error("standard output: %s", strerror(errno));
        return CLI_ENVIRONMENT;
    }
    if (is_dir(out)) {
        receiving->dir = out;
        return cli_data_make_dir(out);
    }
    if (receiving->values->count == 1)
        return cli_data_can_save(out);
    cli_error("recv: --out %s is one file, so --count has to be 1; `%s/` would be a directory", out,
              out);
    return CLI_USAGE;
}

/* Puts it away; path is where, or empty. */
static int keep(struct receiving *receiving, const struct q2p_happening *on, char *path,
                size_t room)
{
    *path = '\0';
    if (receiving->dir)
        return cli_data_save_in(receiving->dir, on, path, room);
    if (receiving->stream < 0) {
        snprintf(path, room, "%s", receiving->values->out);
        return cli_data_save(path, on->data, on->data_len);
    }
    if (cli_data_write(receiving->stream, on->data, on->data_len) == 0)
        return CLI_FINE;
    cli_error("cannot write standard output: %s", strerror(errno));
    return CLI_ENVIRONMENT;
}

static bool is_enough(const struct receiving *receiving)
{
    return receiving->values->count && receiving->got >= receiving->values->count;
}

static void take_happenings(struct receiving *receiving)
{
    struct q2p_happening on;
    while (q2p_node_happening(receiving->peer.node, &on)) {
        char path[4096] = "";
        cli_progress_clear(&receiving->progress);
        if (on.on == Q2P_ON_DELIVERED && !on.data_len)
            continue; /* a ping, or nothing to keep */
        if (on.on == Q2P_ON_DELIVERED && is_enough(receiving)) {
            cli_error("one more came than --count asks for: it is not kept");
        } else if (on.on == Q2P_ON_DELIVERED) {
            int code = keep(receiving, &on, path, sizeof path);
            receiving->worst = code > receiving->worst ? code : receiving->worst;
            receiving->got++;
            if (code)
                *path = '\0';
        }
        cli_peer_tell(&receiving->peer, &on, *path ? path : NULL);
    }
}

static int linger(struct receiving *receiving)
{
    q2p_time end = q2p_drive_now() + LINGER_NS;
    int code = CLI_FINE;
    while (!code && !cli_peer_signal() && q2p_drive_now() < end) {
        code = cli_peer_step(&receiving->peer, end);
        take_happenings(receiving);
    }
    return code;
}

static int serve(struct receiving *receiving)
{
    const struct recv_values *values = receiving->values;
    q2p_time end = values->duration_ns ? q2p_drive_now() + values->duration_ns : Q2P_NEVER;
    cli_progress_begin(&receiving->progress, &values->peer.common, false);
    while (!is_enough(receiving) && !cli_peer_signal() && q2p_drive_now() < end) {
        int code = cli_peer_step(&receiving->peer, end);
        if (code)
            return code;
        take_happenings(receiving);
        cli_progress_show(&receiving->progress, q2p_node_counters(receiving->peer.node), "");
    }
    int code = is_enough(receiving) ? linger(receiving) : CLI_FINE;
    cli_progress_clear(&receiving->progress);
    cli_peer_sum_up(&receiving->peer);
    if (code || receiving->worst)
        return code ? code : receiving->worst;
    if (!values->count || is_enough(receiving))
        return CLI_FINE;
    if (cli_peer_signal())
        return CLI_SIGNAL + cli_peer_signal();
    cli_error("%" PRIu64 " of %" PRIu64 " transmissions came in %.3g s", receiving->got,
              values->count, (double)values->duration_ns / 1e9);
    return CLI_FAILED;
}

static int run(const void *at, int argc, char **argv)
{
    struct receiving receiving = {.values = at};
    const struct recv_values *values = at;
    struct q2p_config config;
    (void)argc;
    (void)argv;
    int code = choose_out(&receiving);
    if (code)
        return code;
    q2p_config_init(&config);
    config.length_max = values->length_max > UINT32_MAX ? UINT32_MAX : (uint32_t)values->length_max;
    config.memory_max = (size_t)values->memory_max;
    config.timeout_ns = values->timeout_ns;
    config.open = values->open;
    code = cli_peer_open(&receiving.peer, &values->peer, &config);
    if (!code)
        code = serve(&receiving);
    cli_peer_close(&receiving.peer);
    if (receiving.stream >= 0 && close(receiving.stream) < 0 && !code) {
        cli_error("cannot write standard output: %s", strerror(errno));
        code = CLI_ENVIRONMENT;
    }
    return code;
}

static const struct cli_option options[] = {
    CLI_PEER_OPTIONS("10000"),
    {"out", 'o', CLI_TEXT, offsetof(struct recv_values, out), "FILE|DIR|-", "-", 0, 0,
     "where it goes: a file, a directory (each under its SHA-256), or standard output"},
    {"count", 'c', CLI_NUMBER, offsetof(struct recv_values, count), "NUMBER", "1", 0, 0,
     "end after so many transmissions; 0: at SIGINT or SIGTERM"},
    {"for", 0, CLI_TIME, offsetof(struct recv_values, duration_ns), "TIME", NULL, 1, 0,
     "wait no longer than this"},
    {"timeout", 0, CLI_TIME, offsetof(struct recv_values, timeout_ns), "TIME", "10s", 1, 0,
     "give a transmission up after this long without a new fragment"},
    {"length-max", 0, CLI_SIZE, offsetof(struct recv_values, length_max), "SIZE", "1GiB", 1, 0,
     "refuse what is announced longer"},
    {"memory", 0, CLI_SIZE, offsetof(struct recv_values, memory_max), "SIZE", "2GiB", 1, 0,
     "for all fragments being received"},
    {"open", 0, CLI_FLAG, offsetof(struct recv_values, open), NULL, NULL, 0, 0,
     "store whoever connects unasked"},
    {.name = NULL},
};

const struct cli_command cmd_recv = {
    .name = "recv",
    .args = "",
    .sentence = "Waits for files from peers, and keeps them or writes them to standard output.",
    .about = "Takes in transmissions from anybody who sends some; with --seed it joins first, so\n"
             "that peers behind NATs can reach it. Standard output has the data alone; with\n"
             "--out - everything else goes to standard error. Names do not travel.\n"
             "Exit code 1: less came than --count asks for.",
    .example = "  q2p recv --out picture.jpg\n"
               "  q2p recv | tar x\n"
               "  q2p recv --count 0 --out received/ --seed seed.example.org:10000",
    .options = options,
    .values_size = sizeof(struct recv_values),
    .args_min = 0,
    .args_max = 0,
    .run = run,
};
