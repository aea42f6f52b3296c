/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report_page.c - the template: head, style for light and dark, foot. */
#include "report_page.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include <q2p/version.h>

/* ---- numbers ----------------------------------------------------------------------------- */

/* value / unit with one decimal, rounded to the nearest. */
static struct page_word scaled(uint64_t value, uint64_t unit, const char *name)
{
    struct page_word word;
    uint64_t tenths = value / unit * 10 + (value % unit * 10 + unit / 2) / unit;
    if (tenths % 10)
        snprintf(word.s, sizeof word.s, "%" PRIu64 ".%d %s", tenths / 10, (int)(tenths % 10), name);
    else
        snprintf(word.s, sizeof word.s, "%" PRIu64 " %s", tenths / 10, name);
    return word;
}

struct page_word page_time(q2p_time time)
{
    struct page_word word;
    if (time == 0)
        return (struct page_word){"0 s"};
    if (time < Q2P_MILLISECOND)
        return scaled((uint64_t)time, (uint64_t)Q2P_MICROSECOND, "µs");
    if (time < Q2P_SECOND)
        return scaled((uint64_t)time, (uint64_t)Q2P_MILLISECOND, "ms");
    q2p_time thousandths = time / Q2P_MILLISECOND;
    if (thousandths % 1000)
        snprintf(word.s, sizeof word.s, "%" PRId64 ".%03d s", thousandths / 1000,
                 (int)(thousandths % 1000));
    else
        snprintf(word.s, sizeof word.s, "%" PRId64 " s", thousandths / 1000);
    return word;
}

struct page_word page_size(uint64_t bytes)
{
    if (bytes && bytes % (1u << 20) == 0)
        return scaled(bytes, 1u << 20, "MiB");
    return bytes && bytes % 1024 == 0 ? scaled(bytes, 1024, "KiB") : page_bytes(bytes);
}

struct page_word page_bytes(uint64_t bytes)
{
    if (bytes < 1000)
        return scaled(bytes, 1, "B");
    if (bytes < 1000000)
        return scaled(bytes, 1000, "kB");
    return bytes < 1000000000 ? scaled(bytes, 1000000, "MB") : scaled(bytes, 1000000000, "GB");
}

struct page_word page_share(uint64_t part, uint64_t whole)
{
    return whole ? scaled(part * 1000 / whole, 10, "%") : (struct page_word){"–"};
}

struct page_word page_rate(uint64_t bytes, q2p_time duration)
{
    if (duration <= 0 || bytes > UINT64_MAX / 8 / 1000000)
        return (struct page_word){"–"};
    uint64_t bits = bytes * 8 * 1000000 / (uint64_t)(duration / 1000 + 1); /* per second */
    if (bits < 1000000)
        return scaled(bits, 1000, "kbit/s");
    return bits < 1000000000 ? scaled(bits, 1000000, "Mbit/s") : scaled(bits, 1000000000, "Gbit/s");
}

/* ---- the style sheet --------------------------------------------------------------------- */

static const char style_colours[] =
    ":root{color-scheme:light dark;--page:#f4f5f7;--card:#fff;--ink:#1b2430;--soft:#5d6878;"
    "--rule:#e1e5ea;--ok:#0f7b55;--okbg:#e2f4ec;--bad:#c0293a;--badbg:#fce8ea;--half:#a86200;"
    "--first:#2c6bd6;--firstbg:#e4edfb;--again:#d96f00;--againbg:#fdeedd;--ctl:#7a57c2;"
    "--nat:#fbf3e0;--natline:#b58a33;--net:#eef2f7;--shade:0 1px 2px rgba(20,30,45,.07)}\n"
    "@media (prefers-color-scheme:dark){:root{--page:#12161c;--card:#1a2029;--ink:#e6eaf0;"
    "--soft:#97a3b3;--rule:#2d3642;--ok:#4cc79a;--okbg:#15382c;--bad:#ff7b86;--badbg:#43191f;"
    "--half:#f0b44c;--first:#6ea4ff;--firstbg:#1c2f4f;--again:#ffa34d;--againbg:#46300f;"
    "--ctl:#b59bf2;--nat:#352d18;--natline:#c9a352;--net:#212935;--shade:none}}\n";

static const char style_page[] =
    "*{box-sizing:border-box}"
    "body{margin:0;background:var(--page);color:var(--ink);"
    "font:15px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif}"
    "main{max-width:1120px;margin:0 auto;padding:28px 20px 40px}"
    "h1{font-size:27px;line-height:1.2;margin:2px 0 10px;overflow-wrap:anywhere}"
    "h2{font-size:16px;margin:0 0 4px}h3{font-size:14px;margin:0}"
    "p{margin:0 0 10px}code,pre,.mono{font-family:ui-monospace,'DejaVu Sans Mono',Menlo,monospace}"
    "code,pre{font-size:13px}pre{margin:0;padding:9px 12px;background:var(--net);border-radius:7px;"
    "overflow-x:auto}pre.again{margin:0 0 16px;border:1px solid var(--rule)}"
    ".eye{color:var(--soft);font-size:12.5px;letter-spacing:.06em;text-transform:uppercase}"
    ".about,.soft{color:var(--soft)}.about{margin-top:-6px;overflow-wrap:anywhere}"
    ".card{background:var(--card);border:1px solid var(--rule);border-radius:10px;padding:16px "
    "18px;"
    "margin:0 0 16px;box-shadow:var(--shade);min-width:0}"
    ".card>p{color:var(--soft);font-size:13.5px}"
    ".verdict{display:flex;gap:12px;align-items:flex-start;border-left:5px solid var(--ok);"
    "font-size:17px;padding:12px "
    "16px;overflow-wrap:anywhere}.verdict.no{border-left-color:var(--bad)}"
    ".pill{flex:none;font-size:13px;font-weight:600;border-radius:99px;padding:3px 11px;"
    "background:var(--okbg);color:var(--ok)}.pill.no{background:var(--badbg);color:var(--bad)}"
    ".facts{display:flex;flex-wrap:wrap;gap:4px 26px;margin:0 0 14px}"
    ".facts div{display:flex;gap:7px}.facts dt{color:var(--soft)}.facts "
    "dd{margin:0;font-weight:600}"
    ".two{display:grid;grid-template-columns:minmax(0,5fr) minmax(0,7fr);gap:16px}"
    ".grid{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(310px,100%),1fr));gap:"
    "16px}"
    ".grid>.card{margin:0}.two>*>.card:last-child{margin:0}.two>.tall{display:flex}.tall>.card{"
    "flex:1}.two,.grid{margin:0 0 16px}"
    ".wide{grid-template-columns:repeat(auto-fit,minmax(min(440px,100%),1fr))}"
    "ul.ticks{list-style:none;margin:0 0 12px;padding:0}ul.ticks li{padding:7px 0 7px 26px;"
    "border-top:1px solid var(--rule);position:relative;overflow-wrap:anywhere}"
    "ul.ticks li:first-child{border-top:0}ul.ticks li::before{position:absolute;left:2px;"
    "content:'\\2713';color:var(--ok);font-weight:700}ul.ticks li.no::before{content:'\\2717';"
    "color:var(--bad)}ul.ticks small{display:block;color:var(--soft);font-size:13px}"
    "summary{cursor:pointer;color:var(--soft)}ul.ticks li.no small{color:var(--bad)}"
    ".scroll{overflow-x:auto}svg{display:block;max-width:100%;height:auto}"
    "svg.plot{width:100%;max-width:440px}.scroll>svg{max-width:none}.scroll>svg.fits{max-width:100%"
    "}"
    "table{border-collapse:collapse;width:100%;font-size:13.5px}"
    "th{color:var(--soft);font-weight:600;text-align:left;vertical-align:bottom;line-height:1.25}"
    "th,td{padding:5px 12px 5px 0;border-bottom:1px solid var(--rule)}td{white-space:nowrap}"
    "td.wrap{white-space:normal;min-width:300px}tr:last-child "
    "td{border-bottom:0}.r{text-align:right;font-variant-numeric:tabular-nums}"
    ".ok{color:var(--ok)}.no{color:var(--bad)}.half{color:var(--half)}"
    ".keys{display:flex;flex-wrap:wrap;gap:2px 16px;font-size:13px;color:var(--soft);margin:8px 0 "
    "0}"
    ".keys i{display:inline-block;width:18px;height:0;border-top:3px solid;margin-right:6px;"
    "vertical-align:middle}.keys i.box{height:10px;border-top-width:10px}"
    ".keys i.dash{border-top-style:dashed}.keys i.k1{border-color:var(--first)}"
    ".keys i.k2{border-color:var(--again)}.keys i.k3{border-color:var(--ctl)}"
    ".keys i.c0{border-color:var(--first)}.keys i.c1{border-color:var(--again)}"
    ".keys i.c2{border-color:var(--ok)}.keys i.c3{border-color:var(--ctl)}"
    "footer{color:var(--soft);font-size:13px;text-align:center}"
    "@media (max-width:760px){main{padding:18px 12px}.two{grid-template-columns:minmax(0,1fr)}"
    ".card{padding:13px 13px}h1{font-size:22px}.verdict{display:block;font-size:16px}"
    ".pill{display:inline-block;margin-bottom:6px}}\n"
    "@media print{body{background:#fff}.card{break-inside:avoid}}\n";

static const char style_svg[] =
    "svg text{font:12px system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;"
    "fill:var(--ink)}svg .m{text-anchor:middle}svg .e{text-anchor:end}svg .b{font-weight:600}"
    "svg .s{font-size:11px;fill:var(--soft)}svg .halo{paint-order:stroke;stroke:var(--card);"
    "stroke-width:4px;stroke-linejoin:round}"
    ".life{stroke:var(--rule);stroke-width:1.5}.life.n{stroke:var(--natline);stroke-dasharray:3 4;"
    "opacity:.65}.way{stroke:var(--ink);stroke-width:1.4;fill:none}.tip{fill:var(--ink)}"
    ".gone .way{stroke:var(--bad)}.gone text.l{fill:var(--bad)}.x{stroke:var(--bad);stroke-width:2;"
    "fill:none}.dot{fill:var(--card);stroke:var(--natline);stroke-width:1.6}"
    ".gone text{fill:var(--bad)}.row:hover .way{stroke-width:2.6}"
    ".band{fill:var(--firstbg);stroke:var(--first)}.again .band{fill:var(--againbg);"
    "stroke:var(--again)}.bandtip{fill:var(--first)}.again .bandtip{fill:var(--again)}"
    ".strip{fill:var(--bad)}.note{stroke:var(--rule);stroke-width:1;stroke-dasharray:2 3}"
    ".notebg{fill:var(--net)}text.fine,.fine text{fill:var(--ok)}text.bad,.bad "
    "text{fill:var(--bad)}"
    ".axis{stroke:var(--soft);stroke-width:1}.mesh{stroke:var(--rule);stroke-width:1}"
    ".first{fill:var(--first)}.re{fill:var(--again)}.ctl{fill:var(--ctl)}"
    ".net{fill:var(--net)}.wire{stroke:var(--soft);stroke-width:1.2;fill:none;opacity:.6}"
    ".full{stroke:var(--ok);stroke-width:2.2;fill:none;opacity:.85}"
    ".thin .full{stroke-width:1;opacity:.45}"
    ".semi{stroke:var(--half);stroke-width:2.2;stroke-dasharray:7 4;fill:none}"
    ".none{stroke:var(--bad);stroke-width:1.6;stroke-dasharray:2 5;fill:none}"
    ".host{fill:var(--card);stroke:var(--first);stroke-width:2.4}.seed{fill:var(--first)}"
    ".nat{fill:var(--nat);stroke:var(--natline);stroke-width:1.4}"
    ".c0{stroke:var(--first)}.c1{stroke:var(--again)}.c2{stroke:var(--ok)}.c3{stroke:var(--ctl)}"
    ".curve{fill:none;stroke-width:2}.many .curve{stroke-width:1;opacity:.5}"
    ".linkbg{fill:var(--card);stroke:var(--rule)}"
    ".cell rect{stroke:var(--card);stroke-width:2}.cell.is0 rect{fill:var(--net)}"
    ".cell.is0 text{fill:var(--soft)}.cell.is1 rect{fill:var(--againbg)}"
    ".cell.is1 text{fill:var(--half)}.cell.is2 rect{fill:var(--okbg)}.cell.is2 text{fill:var(--ok);"
    "font-weight:600}.cell.hot "
    "text{fill:var(--ink)}rect.heat{fill:var(--ok)!important;stroke:none!important}svg "
    "rect.wrong{stroke:var(--bad)!important;stroke-width:3;fill:none!important}\n";

/* ---- the frame --------------------------------------------------------------------------- */

void page_begin(FILE *out, const char *title)
{
    fputs("<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\" "
          "xml:lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n<meta name=\"viewport\" "
          "content=\"width=device-width, initial-scale=1\"/>\n"
          "<meta http-equiv=\"Content-Security-Policy\" "
          "content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n"
          "<meta name=\"generator\" content=\"q2p-sim " Q2P_VERSION "\"/>\n<title>",
          out);
    svg_escape(out, title);
    fprintf(out, "</title>\n<style>\n%s%s%s</style>\n</head>\n<body>\n<main>\n", style_colours,
            style_page, style_svg);
}

void page_end(FILE *out, const char *foot)
{
    fputs("<footer>", out);
    svg_escape(out, foot);
    fputs("</footer>\n</main>\n</body>\n</html>\n", out);
}

void page_put(FILE *out, const char *name, const char *class, const char *format, ...)
{
    char text[2000];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fprintf(out, "<%s", name);
    if (class && *class)
        fprintf(out, " class=\"%s\"", class);
    fputc('>', out);
    svg_escape(out, text);
    fprintf(out, "</%s>", name);
}

void page_card(FILE *out, const char *title, const char *about)
{
    fputs("<section class=\"card\">", out);
    page_put(out, "h2", NULL, "%s", title);
    fputc('\n', out);
    if (about)
        page_put(out, "p", NULL, "%s", about);
}

void page_card_end(FILE *out)
{
    fputs("</section>\n", out);
}

void page_table(FILE *out, const char *heads)
{
    fputs("<div class=\"scroll\"><table>\n<thead><tr>", out);
    while (*heads) {
        size_t len = strcspn(heads, "|");
        bool right = *heads == '>';
        page_put(out, "th", right ? "r" : NULL, "%.*s", (int)len - right, heads + right);
        heads += len + (heads[len] != '\0');
    }
    fputs("</tr></thead>\n<tbody>\n", out);
}

void page_table_end(FILE *out)
{
    fputs("</tbody></table></div>\n", out);
}
