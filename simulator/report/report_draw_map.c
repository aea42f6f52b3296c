/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * report_draw_map.c - the network as a picture: hosts around the public network, each behind its
 * NATs, links with what they do to datagrams, and who knows whom in the end.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report_html.h"
#include "report_page.h"

#define NODES_MAX 120 /* further ones are left out */
#define LABELS_MAX 40 /* with more nodes names stand in tooltips only */
#define BOXES_MAX 12  /* more NATs are small squares */
#define ADDRESSES_MAX 14
#define LINKS_MAX 6 /* with more the table has them */
#define LINK_LETTERS 30
#define TURN 1000 /* angles are in thousandths, clockwise, 0 = right */

struct map {
    FILE *out;
    const struct report_view *view;
    const struct net *net;
    uint32_t *order; /* places of the drawn hosts, around the circle */
    uint32_t count;
    struct svg_point *at; /* of each place */
    bool *drawn;
    int32_t width, height, ring;
    int32_t edge; /* of the public network, in percent of the ring of hosts */
    bool boxes;   /* NATs have names */
};

static struct svg_point around(const struct map *map, int32_t angle, int32_t radius)
{
    return SVG_AT(map->width / 2 + radius * svg_sine(angle + TURN / 4) / 1000,
                  map->height / 2 + radius * svg_sine(angle) / 1000);
}

/* ---- layout ------------------------------------------------------------------------------ */

static uint32_t gateway_of(const struct map *map, uint32_t place)
{
    uint32_t realm = map->net->places[place]->realm;
    return realm == NET_REALM_PUBLIC ? NET_NOWHERE : map->net->gateways[realm];
}

/* True if `place` is behind `nat`, however deep. */
static bool is_behind(const struct map *map, uint32_t place, uint32_t nat)
{
    for (uint32_t at = gateway_of(map, place); at != NET_NOWHERE; at = gateway_of(map, at))
        if (at == nat)
            return true;
    return false;
}

/* Hosts in the order of the file, but those of one NAT stand together. */
static void order_hosts(struct map *map)
{
    uint32_t first = map->view->run->first_place, places = (uint32_t)map->net->places_count;
    for (uint32_t i = first; i < places && map->count < NODES_MAX; i++) {
        if (map->drawn[i])
            continue;
        uint32_t outer = net_public_place(map->net, i);
        for (uint32_t j = i; j < places && map->count < NODES_MAX; j++) {
            if (map->drawn[j] || net_public_place(map->net, j) != outer)
                continue;
            uint32_t gateway = gateway_of(map, j);
            for (uint32_t k = j; k < places && map->count < NODES_MAX; k++)
                if (!map->drawn[k] && gateway_of(map, k) == gateway &&
                    (gateway != NET_NOWHERE || k == j)) {
                    map->order[map->count++] = k;
                    map->drawn[k] = true;
                }
        }
    }
}

static int depth_of(const struct map *map, uint32_t place)
{
    int depth = 0;
    for (uint32_t at = gateway_of(map, place); at != NET_NOWHERE; at = gateway_of(map, at))
        depth++;
    return depth;
}

/* A NAT stands on the ray of the middle of its hosts; the outermost at the edge of the network. */
static void place_nats(struct map *map)
{
    int32_t edge = map->ring * map->edge / 100;
    for (uint32_t nat = 0; nat < map->view->run->first_place; nat++) {
        uint32_t low = UINT32_MAX, high = 0;
        int deepest = 1;
        for (uint32_t i = 0; i < map->count; i++)
            if (is_behind(map, map->order[i], nat)) {
                low = low < i ? low : i;
                high = i;
                int depth = depth_of(map, map->order[i]);
                deepest = depth > deepest ? depth : deepest;
            }
        map->drawn[nat] = low != UINT32_MAX;
        if (!map->drawn[nat])
            continue;
        int32_t angle = (int32_t)((low + high) * TURN / 2 / map->count) + TURN / 2;
        int32_t radius = edge + (map->ring - edge) * depth_of(map, nat) / deepest;
        map->at[nat] = around(map, angle, radius);
    }
}

static void lay_out(struct map *map)
{
    size_t places = map->net->places_count;
    map->order = sim_alloc((places + 1) * sizeof *map->order);
    map->at = sim_alloc((places + 1) * sizeof *map->at);
    map->drawn = sim_alloc(places + 1);
    order_hosts(map);
    int deepest = 1;
    for (uint32_t i = 0; i < map->count; i++)
        deepest = depth_of(map, map->order[i]) > deepest ? depth_of(map, map->order[i]) : deepest;
    map->boxes = map->view->run->first_place <= BOXES_MAX && map->count <= 2 * BOXES_MAX;
    bool crowded = map->boxes && map->view->run->first_place > 6;
    map->edge = crowded ? 70 : 60;
    map->ring = SVG_PX(crowded ? 250 : map->count > 16 ? 215 : 190) + SVG_PX(50) * (deepest - 1);
    map->width = 2 * map->ring + SVG_PX(240);
    map->height = 2 * map->ring * (map->count > 2 ? 100 : 60) / 100 + SVG_PX(86);
    for (uint32_t i = 0; i < map->count; i++)
        map->at[map->order[i]] =
            around(map, (int32_t)(i * TURN / map->count) + TURN / 2, map->ring);
    place_nats(map);
}

/* ---- ways -------------------------------------------------------------------------------- */

/* From a host out of its NATs, through the public network, and into those of the other. */
static void draw_way(const struct map *map, const char *class, uint32_t a, uint32_t b)
{
    const struct svg_point middle = {map->width / 2, map->height / 2};
    uint32_t up[16], down[16];
    int ups = 0, downs = 0;
    for (uint32_t at = a; at != NET_NOWHERE && ups < 16; at = gateway_of(map, at))
        up[ups++] = at;
    for (uint32_t at = b; at != NET_NOWHERE && downs < 16; at = gateway_of(map, at))
        down[downs++] = at;
    /* cppcheck-suppress uninitvar ; both begin at a host, so each has one at least */
    while (ups > 1 && downs > 1 && up[ups - 2] == down[downs - 2]) { /* they meet below the top */
        ups--;
        downs--;
    }
    /* cppcheck-suppress uninitvar */
    bool meet = up[ups - 1] == down[downs - 1];
    svg_path(map->out, class);
    svg_to(map->out, 'M', map->at[up[0]]);
    for (int i = 1; i < ups; i++)
        svg_to(map->out, 'L', map->at[up[i]]);
    if (!meet) {
        svg_to(map->out, 'Q', middle);
        svg_to(map->out, 0, map->at[down[downs - 1]]);
    }
    for (int i = downs - 2; i >= 0; i--)
        svg_to(map->out, 'L', map->at[down[i]]);
    svg_path_end(map->out);
}

static bool was_punched(const struct map *map, uint32_t a, uint32_t b)
{
    const struct report_story *story = map->view->story;
    for (size_t i = 0; i < story->punches_count; i++)
        if ((story->punches[i].newcomer == a && story->punches[i].known == b) ||
            (story->punches[i].newcomer == b && story->punches[i].known == a))
            return true;
    return false;
}

static bool joins(const struct scenario *scenario, uint32_t a, uint32_t b)
{
    const struct scn_refs *refs = &scenario->nodes.items[a].joins;
    for (size_t i = 0; i < refs->count; i++)
        if (refs->items[i].index == b)
            return true;
    return false;
}

/* Counts by state, for the legend: none, half, full. */
static void draw_ways(const struct map *map, uint64_t counts[3])
{
    const struct scn_run *run = map->view->run;
    static const char *const classes[] = {"none", "semi", "semi", "full"};
    static const char *const words[] = {"is not connected to", "knows (half-open)",
                                        "knows (half-open)", "is connected to"};
    for (uint32_t i = 0; i < map->count; i++)
        for (uint32_t j = i + 1; j < map->count; j++) {
            uint32_t a = map->order[i], b = map->order[j];
            uint32_t x = a - run->first_place, y = b - run->first_place;
            int known = report_known(run, x, y);
            if (known == 0 && !was_punched(map, a, b) && !joins(run->scenario, x, y) &&
                !joins(run->scenario, y, x))
                continue;
            char title[200];
            const char *first = map->net->places[known == 2 ? b : a]->name;
            snprintf(title, sizeof title, "%s %s %s", first, words[known],
                     map->net->places[known == 2 ? a : b]->name);
            counts[known == 3 ? 2 : known != 0]++;
            svg_group(map->out, NULL, title);
            draw_way(map, classes[known], a, b);
            svg_group_end(map->out);
        }
}

/* "15ms..25ms, 5%, rate 1Mbit": what needs no name has none. */
static void shorten(char *text)
{
    static const char *const plain[] = {"delay ", "loss "};
    char *values = strstr(text, *text == 'a' ? ", " : "], "), *at; /* behind access, between */
    if (values) {
        values += *values == ']' ? 3 : 2;
        memmove(text, values, strlen(values) + 1);
    }
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if ((at = strstr(text, plain[i])) && (at == text || at[-1] == ' '))
            memmove(at, at + strlen(plain[i]), strlen(at + strlen(plain[i])) + 1);
}

/* "way back, 5ms" becomes "to alice: 5ms". */
static void say_way(const struct scn_link *link, char *text, size_t room)
{
    const char *rest = strstr(text, ", ");
    char values[120];
    if (link->way == SCN_BOTH_WAYS || strncmp(text, "way ", 4) != 0)
        return;
    snprintf(values, sizeof values, "%.110s", rest ? rest + 2 : "");
    if (link->access.text)
        snprintf(text, room, "%s: %s", link->way == SCN_THERE ? "out" : "in", values);
    else
        snprintf(text, room, "to %s: %s", link->between[link->way == SCN_THERE].text, values);
}

static void draw_link(const struct map *map, const struct scn_link *link)
{
    uint32_t places[2];
    if (!link->between[0].text) /* an access link: it stands with its host */
        return;
    for (int i = 0; i < 2; i++) {
        uint32_t index = link->between[i].index;
        places[i] = index & SCN_IS_NAT ? index & ~SCN_IS_NAT : map->view->run->first_place + index;
        places[i] = net_public_place(map->net, places[i]);
        if (!map->drawn[places[i]])
            return;
    }
    /* of one direction: nearer to where it begins */
    struct svg_point a = map->at[places[link->way == SCN_BACK]];
    struct svg_point b = map->at[places[link->way != SCN_BACK]];
    int32_t lean = link->way == SCN_BOTH_WAYS ? 0 : 1;
    struct svg_point at = {(a.x * (2 + lean) + b.x * (2 - lean)) / 10 + map->width * 3 / 10,
                           (a.y * (2 + lean) + b.y * (2 - lean)) / 10 + map->height * 3 / 10};
    char text[200];
    report_print_keys("links", link, " delay ", text, sizeof text);
    svg_group(map->out, NULL, text);
    shorten(text);
    say_way(link, text, sizeof text);
    int32_t letters = strlen(text) < LINK_LETTERS ? (int32_t)strlen(text) : LINK_LETTERS;
    int32_t wide = SVG_PX(3) * letters + SVG_PX(8);
    svg_rect(map->out, "linkbg", SVG_AT(at.x - wide, at.y - SVG_PX(9)),
             SVG_AT(2 * wide, SVG_PX(18)));
    svg_text_short(map->out, "m s", SVG_AT(at.x, at.y + SVG_PX(4)), text, LINK_LETTERS);
    svg_group_end(map->out);
}

/* ---- places ------------------------------------------------------------------------------ */

static void draw_nat(const struct map *map, uint32_t index)
{
    const struct scn_nat *nat = &map->view->run->scenario->nats.items[index];
    struct svg_point at = map->at[index];
    char text[400], kind[32];
    size_t len = (size_t)snprintf(text, sizeof text, "NAT %s\n", nat->name);
    report_print_keys("nats", nat, " mapping filtering ", text + len, sizeof text - len);
    svg_group(map->out, NULL, text);
    if (!map->boxes) {
        svg_rect(map->out, "nat", SVG_AT(at.x - SVG_PX(5), at.y - SVG_PX(5)),
                 SVG_AT(SVG_PX(10), SVG_PX(10)));
    } else {
        svg_rect(map->out, "nat", SVG_AT(at.x - SVG_PX(43), at.y - SVG_PX(18)),
                 SVG_AT(SVG_PX(86), SVG_PX(36)));
        svg_text_short(map->out, "m b", SVG_AT(at.x, at.y - SVG_PX(3)), nat->name, 12);
        svg_text(map->out, "m s", SVG_AT(at.x, at.y + SVG_PX(11)),
                 report_nat_kind(nat, kind, sizeof kind));
    }
    svg_group_end(map->out);
}

/* What is between a host and its place in the network, or nothing. */
static void print_access(const struct scenario *scenario, uint32_t node, char *out, size_t room)
{
    *out = '\0';
    for (size_t i = 0; i < scenario->links.count; i++) {
        const struct scn_link *link = &scenario->links.items[i];
        if (!link->access.text || link->access.index != node)
            continue;
        report_print_keys("links", link, "", out, room);
        shorten(out);
        say_way(link, out, room);
    }
}

static void draw_host(const struct map *map, uint32_t index)
{
    const struct scn_run *run = map->view->run;
    const struct net_place *place = map->net->places[index];
    struct svg_point at = map->at[index];
    uint32_t node = index - run->first_place;
    bool seed = report_is_seed(run->scenario, node);
    int32_t aside = at.x - map->width / 2, radius = SVG_PX(map->count > LABELS_MAX ? 4 : 9);
    int sign = aside > SVG_PX(30) ? 1 : aside < -SVG_PX(30) ? -1 : 0;
    bool above = at.y < map->height / 2;
    char text[200], addr[Q2P_ADDR_TEXT_MAX];
    q2p_addr_print(&place->addr, addr, sizeof addr);
    snprintf(text, sizeof text, "%s%s, %s, knows %zu", seed ? "seed " : "", place->name, addr,
             run->hosts[node].contacts_count);
    svg_group(map->out, NULL, text);
    svg_circle(map->out, seed ? "host seed" : "host", at, radius);
    if (map->count <= LABELS_MAX) {
        struct svg_point name = {at.x + sign * SVG_PX(15), at.y + SVG_PX(4)};
        if (sign == 0)
            name.y = at.y + (above ? -SVG_PX(28) : SVG_PX(24));
        const char *class = sign > 0 ? "b halo" : sign < 0 ? "b e halo" : "b m halo";
        svg_text_short(map->out, class, name, place->name, 15);
        name.y += SVG_PX(14);
        class = sign > 0 ? "s halo" : sign < 0 ? "s e halo" : "s m halo";
        if (map->count <= ADDRESSES_MAX) {
            svg_text_short(map->out, class, name, addr, 17);
            name.y += SVG_PX(14);
            print_access(run->scenario, node, text, sizeof text);
            svg_text_short(map->out, class, name, text, 20);
        }
    }
    svg_group_end(map->out);
}

/* ---- the whole --------------------------------------------------------------------------- */

static void put_legend(const struct map *map, const uint64_t counts[3])
{
    FILE *out = map->out;
    char text[300];
    fputs("<p class=\"keys\">", out);
    if (counts[2])
        fprintf(out, "<span class=\"ok\"><i></i>connected (%" PRIu64 ")</span>", counts[2]);
    if (counts[1])
        fprintf(out, "<span class=\"half\"><i class=\"dash\"></i>half-open (%" PRIu64 ")</span>",
                counts[1]);
    if (counts[0])
        fprintf(out, "<span class=\"no\"><i class=\"dash\"></i>not connected (%" PRIu64 ")</span>",
                counts[0]);
    report_print_keys("default", &map->view->run->scenario->link_default, " delay ", text,
                      sizeof text);
    page_put(out, "span", NULL, "%s links: %s",
             map->view->run->scenario->links.count ? "all other" : "all", text);
    size_t left_out = map->view->run->scenario->nodes.count - map->count;
    if (left_out)
        page_put(out, "span", NULL, "%zu more nodes are not drawn", left_out);
    fputs("</p>\n", out);
}

void report_draw_map(FILE *out, const struct report_view *view)
{
    struct map map = {.out = out, .view = view, .net = &view->run->net};
    const struct scenario *scenario = view->run->scenario;
    uint64_t counts[3] = {0};
    lay_out(&map);
    fputs("<div class=\"scroll\">", out);
    svg_begin(out, "fits", SVG_AT(map.width, map.height),
              "map of the network: nodes, NATs, and who is connected to whom");
    svg_circle(out, "net", SVG_AT(map.width / 2, map.height / 2), map.ring * map.edge / 100);
    for (uint32_t i = 0; i < map.count; i++) {
        uint32_t gateway = gateway_of(&map, map.order[i]);
        if (gateway != NET_NOWHERE)
            svg_line(out, "wire", map.at[map.order[i]], map.at[gateway]);
    }
    svg_group(out, map.count > 14 ? "thin" : NULL, NULL);
    draw_ways(&map, counts);
    svg_group_end(out);
    for (size_t i = 0; i < scenario->links.count && scenario->links.count <= LINKS_MAX; i++)
        draw_link(&map, &scenario->links.items[i]);
    for (uint32_t i = 0; i < view->run->first_place; i++)
        if (map.drawn[i])
            draw_nat(&map, i);
    for (uint32_t i = 0; i < map.count; i++)
        draw_host(&map, map.order[i]);
    svg_end(out);
    fputs("</div>\n", out);
    put_legend(&map, counts);
    free(map.order);
    free(map.at);
    free(map.drawn);
}
