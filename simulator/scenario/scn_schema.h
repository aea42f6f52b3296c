/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scn_schema.h - what a scenario is: the structs that hold one, and the table of all its keys,
 * from which the reader, the writer and `q2p-sim explain` come. A new key is a field here and a
 * row in scn_schema.c.
 */
#ifndef SCN_SCHEMA_H
#define SCN_SCHEMA_H

#include <stdio.h>

#include <q2p/node.h>

#include "net_link.h"
#include "net_nat.h"
#include "net_route.h"
#include "scn_yaml.h"

#define SCN_NAME_MAX 32                  /* bytes, with the terminating NUL */
#define SCN_DAY (24 * 3600 * Q2P_SECOND) /* no time is longer: they can be added up */
#define SCN_NONE UINT32_MAX
#define SCN_IS_NAT UINT32_C(0x80000000) /* in scn_ref.index: a NAT's number follows */

/* The name of something said elsewhere in the file. text is borrowed from the tree; NULL = not
 * given. index is known once everything is read. */
struct scn_ref {
    const char *text;
    const struct scn_yaml *where;
    uint32_t index;
};

struct scn_refs {
    struct scn_ref *items;
    size_t count, room;
};

struct scn_range {
    int64_t min, max;
};

struct scn_protocol {
    uint8_t profile; /* enum scn_profile */
    struct q2p_config config;
};
enum scn_profile { SCN_PROFILE_DEFAULT, SCN_PROFILE_ORIGINAL };

struct scn_node {
    char name[SCN_NAME_MAX];
    const struct scn_yaml *where;
    uint32_t count; /* in the file; afterwards each node stands for itself */
    struct q2p_addr at;
    struct scn_ref behind;
    struct scn_refs joins;
    q2p_time start_ns, stop_ns, clock_offset_ns;
    uint32_t clock_fast_ppm, clock_slow_ppm;
    struct scn_protocol protocol;
};

struct scn_nat {
    char name[SCN_NAME_MAX];
    const struct scn_yaml *where;
    struct q2p_addr outside; /* port 0 */
    struct scn_ref behind;
    uint8_t preset;
    struct scn_refs pool;   /* more outside addresses; `outsides` once everything is read */
    struct scn_range ports; /* into config.port_first, port_last */
    struct net_nat_config config;
    struct q2p_addr outsides[NET_NAT_OUTSIDES_MAX - 1];
    uint32_t outsides_count;
};

#define SCN_WAY_WORDS "both|there|back"
enum scn_way { SCN_BOTH_WAYS, SCN_THERE, SCN_BACK };

/* What stands before config goes into it by scn_link_apply. */
struct scn_link {
    struct scn_ref between[2], access; /* one of them */
    uint8_t way;                       /* enum scn_way */
    struct scn_range delay_ns;
    struct scn_ref mask, trace;
    struct scn_refs messages;
    struct scn_refs table;
    struct net_table *delays; /* owned */
    struct net_link_config config;
    uint64_t given; /* in a set: bit n = row n of it; what is not given stays as it is */
};

struct scn_send {
    struct scn_ref from, to;
    uint32_t size;
    struct scn_ref as;
};

struct scn_step {
    const struct scn_yaml *where;
    q2p_time at_ns;
    bool has_send, has_set;
    struct scn_send send;
    struct scn_link set;
    struct scn_ref rebind, reboot, crash, restart, join;
    uint16_t port; /* of a restart; 0 = as before */
    struct scn_refs partition;
    uint8_t partition_way; /* enum net_side_way */
    uint8_t heal;          /* 1 = all */
};

struct scn_expect {
    const struct scn_yaml *where;
    struct scn_ref connected[2], not_connected[2], delivered, failed, seen, never;
    struct scn_range peers; /* min -1 = not given */
    q2p_time before_ns;     /* Q2P_NEVER = whenever */
    struct scn_ref at;
};

#define SCN_LIST_OF(type)                                                                          \
    struct {                                                                                       \
        struct type *items;                                                                        \
        size_t count, room;                                                                        \
    }

struct scenario {
    struct scn_yaml *yaml; /* owned; names are borrowed from it */
    struct scn_ref name, about;
    uint64_t seed;
    uint32_t variants; /* that `vary` makes */
    q2p_time until_ns;
    struct scn_protocol protocol;
    struct scn_link link_default;
    SCN_LIST_OF(scn_node) nodes;
    SCN_LIST_OF(scn_nat) nats;
    SCN_LIST_OF(scn_link) links;
    SCN_LIST_OF(scn_step) script;
    SCN_LIST_OF(scn_expect) expect;
};

enum scn_kind {
    SCN_TEXT,   /* struct scn_ref */
    SCN_REF,    /* struct scn_ref: node or NAT */
    SCN_REFS,   /* struct scn_refs: one name or a list */
    SCN_PAIR,   /* struct scn_ref[2] */
    SCN_COUNT,  /* integer, also 0x… */
    SCN_COUNTS, /* struct scn_range */
    SCN_BOOL,
    SCN_WORD, /* index of a word */
    SCN_TIME,
    SCN_TIMES, /* struct scn_range */
    SCN_LOSS,  /* parts per billion */
    SCN_SIZE,
    SCN_RATE, /* bytes per second, written in bits */
    SCN_ADDR,
    SCN_IP,
    SCN_PART /* a section or list of its own */
};

struct scn_key {
    const char *section;
    const char *name;
    enum scn_kind kind;
    uint16_t at, width;   /* of the field in the section's struct */
    const char *fallback; /* as written in a file; NULL = must be given; "" = none */
    const char *words;    /* SCN_WORD: a|b|c; an empty one has no name */
    int64_t min, max;
    const char *help;
};

/* Static; ends with a section of NULL. Keys of a section stand together. */
extern const struct scn_key scn_schema[];

/* The sections, in the order in which they are explained. Static; ends with NULL. */
extern const struct scn_section {
    const char *name;
    const char *help;
} scn_sections[];

/* Reads text into the key's field of object; false and an error if it is not such a value. */
bool scn_value_read(const struct scn_key *key, const struct scn_yaml *value, void *object,
                    struct scn_errors *errors);

/* Writes the field as it would stand in a file; an empty text if there is nothing to say. */
void scn_value_write(const struct scn_key *key, const void *object, char *out, size_t room);

/* "a time such as 20ms" */
void scn_value_want(const struct scn_key *key, char *out, size_t room);

/* Every field of a section gets its default. object is the section's struct. */
void scn_defaults(const char *section, void *object);

/* Reads a scenario and says everything that is wrong with it; false if anything is. The scenario
 * is to be freed in either case. */
bool scn_read(struct scenario *out, const char *file, struct scn_errors *errors);
void scn_free(struct scenario *scenario);

/* The same for one of the combinations that `vary` makes, from 1; 0 is the file as written. */
bool scn_read_variant(struct scenario *out, const char *file, uint32_t variant,
                      struct scn_errors *errors);

/* The whole scenario with every default, as a file that reads back to the same. */
void scn_write(const struct scenario *scenario, FILE *out);

/* One step of the script as a line of that file: "  - {at: 4s, rebind: home-a}". */
void scn_write_step(const struct scn_step *step, FILE *out);

/* Says what "section", "section.key" or everything (NULL) means; false if there is none. */
bool scn_explain(const char *what, FILE *out);

/* Changes a link as a `links` entry, the default or (given) a set says. scn_link.c */
void scn_link_apply(struct net_link_config *config, const struct scn_link *link, bool given);

/* Which keys of a set stand in the file. */
uint64_t scn_link_given(const struct scn_yaml *map);

/* Checks and reads what is more than one word, of a link that is described there. */
void scn_link_finish(struct scn_link *link, const struct scn_yaml *where,
                     struct scn_errors *errors);

/* The key that is spelled almost so, in a section (NULL: any) or in another one; or NULL. */
const struct scn_key *scn_key_like(const char *section, const char *also, const char *name);

/* A commented file to start from. */
void scn_starter(FILE *out);

#endif
