/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cli_extract.c - a transmission is written when its last fragment has passed, as memory for all of
 * them till the end would have no bound; whether the receiver got it is known only later, so until
 * then the file is called .part.
 */
#include "cli_extract.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cli_data.h"

enum { PATH_LEN_MAX = 4096 };

bool cli_extract_open(const struct cli_extract *extract)
{
    return cli_data_make_dir(extract->folder) == CLI_FINE;
}

static bool make_path(char out[PATH_LEN_MAX], const struct cli_extract *extract,
                      const struct cli_sending *sending, const char *ending)
{
    const char *slash = strrchr(extract->capture, '/');
    const char *name = slash ? slash + 1 : extract->capture;
    const char *dot = strrchr(name, '.');
    char hash[2 * Q2P_HASH_LEN + 1];
    cli_hex(hash, sending->key.hash.bytes, Q2P_HASH_LEN);
    int len = snprintf(out, PATH_LEN_MAX, "%s/%.*s-%06" PRIu64 "-%s.%s", extract->folder,
                       dot && dot > name ? (int)(dot - name) : (int)strlen(name), name,
                       sending->first_frame, hash, ending);
    return len < PATH_LEN_MAX;
}

void cli_extract_keep(void *ctx, const struct cli_sending *sending, const uint8_t *data, size_t len)
{
    struct cli_extract *extract = ctx;
    char path[PATH_LEN_MAX];
    FILE *file = make_path(path, extract, sending, "part") ? fopen(path, "wb") : NULL;
    bool good = file && fwrite(data, 1, len, file) == len;
    if (file && fclose(file) != 0)
        good = false;
    if (good || extract->failed)
        return;
    extract->failed = errno ? errno : EIO;
    cli_error("%s: %s", path, strerror(extract->failed));
}

void cli_extract_settle(struct cli_extract *extract, const struct cli_sending *sending,
                        bool received)
{
    char part[PATH_LEN_MAX], whole[PATH_LEN_MAX];
    if (!sending->kept || !make_path(part, extract, sending, "part") ||
        !make_path(whole, extract, sending, "bin"))
        return;
    if ((received ? rename(part, whole) : remove(part)) != 0 && !extract->failed) {
        extract->failed = errno;
        cli_error("%s: %s", part, strerror(errno));
    }
}
