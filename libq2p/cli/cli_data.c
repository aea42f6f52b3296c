/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli_data.c - reads what is to be sent and keeps what was received. */
#define _POSIX_C_SOURCE 200809L
#include "cli_data.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli_out.h"

/* Read at a time: whoever sends meanwhile pauses for a tenth of a millisecond to hash it. */
enum { PIECE = 1 << 16 };

int cli_data_open(struct cli_data *data)
{
    data->file = cli_open(data->path);
    q2p_digest_init(&data->digest);
    return data->file ? CLI_FINE : CLI_INPUT;
}

static void close_file(struct cli_data *data)
{
    if (data->file && data->file != stdin)
        fclose(data->file);
    data->file = NULL;
}

void cli_data_drop(struct cli_data *data)
{
    close_file(data);
    free(data->bytes);
    data->bytes = NULL;
}

bool cli_data_ready(const struct cli_data *data)
{
    struct pollfd ready = {.fd = fileno(data->file), .events = POLLIN};
    return poll(&ready, 1, 0) > 0;
}

static int make_room(struct cli_data *data)
{
    size_t room = data->room ? data->room * 2 : PIECE;
    uint8_t *larger = realloc(data->bytes, room);
    if (!larger) {
        cli_error("%s: %s", data->path, strerror(ENOMEM));
        return CLI_ENVIRONMENT;
    }
    data->bytes = larger;
    data->room = room;
    return CLI_FINE;
}

int cli_data_more(struct cli_data *data)
{
    int code = data->len < data->room ? CLI_FINE : make_room(data);
    if (code)
        return code;
    /* not fread, which waits until a piece is full */
    size_t most = data->room - data->len < PIECE ? data->room - data->len : PIECE;
    ssize_t got = read(fileno(data->file), data->bytes + data->len, most);
    if (got < 0 && errno == EINTR)
        return CLI_FINE;
    const char *why = got < 0 ? strerror(errno) : NULL;
    if (got > 0) {
        q2p_digest_add(&data->digest, data->bytes + data->len, (size_t)got);
        data->len += (size_t)got;
        if (data->len <= UINT32_MAX)
            return CLI_FINE;
        why = "over 4 GiB - 1 cannot be sent as one transmission";
    } else if (!why && !data->len) {
        why = "there is nothing in it to send";
    }
    close_file(data);
    if (!why)
        return CLI_FINE;
    cli_error("%s: %s", data->path, why);
    return CLI_INPUT;
}

int cli_data_write(int fd, const void *data, size_t len)
{
    const uint8_t *bytes = data;
    while (len) {
        ssize_t done = write(fd, bytes, len);
        if (done < 0 && errno != EINTR)
            return -1;
        if (done > 0) {
            bytes += done;
            len -= (size_t)done;
        }
    }
    return 0;
}

int cli_data_save(const char *path, const void *data, size_t len)
{
    char part[4096];
    struct stat there;
    /* what is no file, such as a device, is written into: a file in its place would replace it */
    bool whole = stat(path, &there) < 0 || S_ISREG(there.st_mode);
    int wrote = snprintf(part, sizeof part, "%s%s", path, whole ? ".part" : "");
    int fd = -1;
    if (wrote > 0 && (size_t)wrote < sizeof part)
        fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    else
        errno = ENAMETOOLONG;
    int status = fd < 0 ? -1 : cli_data_write(fd, data, len);
    int why = errno;
    if (fd >= 0 && close(fd) < 0 && !status) {
        status = -1;
        why = errno;
    }
    if (!status && (!whole || rename(part, path) == 0))
        return CLI_FINE;
    if (!status)
        why = errno;
    if (fd >= 0 && whole)
        unlink(part);
    cli_error("cannot write %s: %s", path, strerror(why));
    return CLI_ENVIRONMENT;
}

int cli_data_can_save(const char *path)
{
    char folder[4096];
    struct stat there;
    const char *slash = strrchr(path, '/');
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash + 1 - path) : 1,
             slash ? path : ".");
    bool whole = stat(path, &there) < 0 || S_ISREG(there.st_mode);
    if (*path && access(whole ? folder : path, W_OK) == 0)
        return CLI_FINE;
    cli_error("cannot write `%s`: %s", path, strerror(*path ? errno : ENOENT));
    return CLI_ENVIRONMENT;
}

int cli_data_make_dir(const char *dir)
{
    struct stat there;
    if (mkdir(dir, 0777) == 0)
        return CLI_FINE;
    int why = errno;
    bool is_there = why == EEXIST && stat(dir, &there) == 0;
    bool is_dir = is_there && S_ISDIR(there.st_mode);
    if (is_dir && access(dir, W_OK) == 0)
        return CLI_FINE;
    if (is_there)
        why = is_dir ? errno : ENOTDIR;
    cli_error("cannot %s %s: %s", is_dir ? "write into" : "make", dir, strerror(why));
    return CLI_ENVIRONMENT;
}

void cli_data_name_in(const char *dir, const char *name, char *path, size_t room)
{
    size_t len = strlen(dir);
    snprintf(path, room, "%s%s%s", dir, len && dir[len - 1] == '/' ? "" : "/", name);
}

int cli_data_save_in(const char *dir, const struct q2p_happening *on, char *path, size_t room)
{
    char sha256[CLI_SHA256_TEXT];
    cli_sha256(sha256, on->data, on->data_len);
    cli_data_name_in(dir, sha256, path, room);
    return cli_data_save(path, on->data, on->data_len);
}
