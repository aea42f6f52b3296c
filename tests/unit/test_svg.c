/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_svg.c - what strangers write stays text; numbers are exact. */
#define _GNU_SOURCE /* open_memstream */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "svg.h"

static void expect_escaped(const char *text, const char *wanted)
{
    char *got;
    size_t len;
    FILE *out = open_memstream(&got, &len);
    svg_escape(out, text);
    fclose(out);
    assert_string_equal(got, wanted);
    free(got);
}

static void markup_becomes_text(void **state)
{
    (void)state;
    expect_escaped("<script>alert('x\")</script>&amp;",
                   "&lt;script&gt;alert(&#39;x&quot;)&lt;/script&gt;&amp;amp;");
}

static void letters_of_all_lengths_pass(void **state)
{
    (void)state;
    expect_escaped("a\tb\nµ – \xf0\x9f\x98\x80", "a\tb\nµ – \xf0\x9f\x98\x80");
}

static void what_xml_forbids_is_replaced(void **state)
{
    (void)state;
    expect_escaped("a\x01z\x1b", "a\xef\xbf\xbdz\xef\xbf\xbd");
    expect_escaped("\x7f\xc2\x85", "\xef\xbf\xbd\xef\xbf\xbd");
    expect_escaped("\xef\xbf\xbf\xef\xbf\xbe", "\xef\xbf\xbd\xef\xbf\xbd");
}

static void what_is_not_utf8_is_replaced_byte_by_byte(void **state)
{
    (void)state;
    expect_escaped("\x80", "\xef\xbf\xbd");
    expect_escaped("\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd");                 /* overlong */
    expect_escaped("\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd");                 /* cut off */
    expect_escaped("\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"); /* surrogate */
    expect_escaped("\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    expect_escaped("\xff<", "\xef\xbf\xbd&lt;");
}

static void nothing_turns_the_direction_of_writing(void **state)
{
    (void)state;
    expect_escaped("a\xe2\x80\xaetxt.exe\xe2\x81\xa6", "a\xef\xbf\xbdtxt.exe\xef\xbf\xbd");
}

static void short_text_ends_in_an_ellipsis(void **state)
{
    (void)state;
    char *got;
    size_t len;
    FILE *out = open_memstream(&got, &len);
    svg_escape_short(out, "<µµµ>", 3);
    fputc('|', out);
    svg_escape_short(out, "<µ>", 3);
    fclose(out);
    assert_string_equal(got, "&lt;µ…|&lt;µ&gt;");
    free(got);
}

static void coordinates_are_tenths_of_a_pixel(void **state)
{
    (void)state;
    char *got;
    size_t len;
    FILE *out = open_memstream(&got, &len);
    svg_line(out, "way", SVG_AT(SVG_PX(1), 25), SVG_AT(-5, 0));
    svg_group(out, NULL, "a<b");
    svg_text(out, "m", SVG_AT(1, 2), "\"");
    svg_group_end(out);
    fclose(out);
    assert_string_equal(got, "<line class=\"way\" x1=\"1\" y1=\"2.5\" x2=\"-0.5\" y2=\"0\"/>"
                             "<g><title>a&lt;b</title>"
                             "<text class=\"m\" x=\"0.1\" y=\"0.2\">&quot;</text></g>\n");
    free(got);
}

static void steps_are_1_2_or_5_times_a_power_of_ten(void **state)
{
    (void)state;
    assert_int_equal(svg_step(4, 4), 1);
    assert_int_equal(svg_step(5, 4), 2);
    assert_int_equal(svg_step(100, 4), 50);
    assert_int_equal(svg_step(1000000, 5), 200000);
    assert_int_equal(svg_step(0, 4), 1);
    assert_true(svg_step(INT64_MAX, 4) > INT64_MAX / 10);
}

static void sine_needs_no_floating_point(void **state)
{
    (void)state;
    const int32_t angles[] = {0, 250, 500, 750, 1000, -250, 125, 83};
    const int32_t sines[] = {0, 1000, 0, -1000, 0, -1000, 705, 498};
    for (size_t i = 0; i < sizeof angles / sizeof *angles; i++)
        assert_int_equal(svg_sine(angles[i]), sines[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(markup_becomes_text),
        cmocka_unit_test(letters_of_all_lengths_pass),
        cmocka_unit_test(what_xml_forbids_is_replaced),
        cmocka_unit_test(what_is_not_utf8_is_replaced_byte_by_byte),
        cmocka_unit_test(nothing_turns_the_direction_of_writing),
        cmocka_unit_test(short_text_ends_in_an_ellipsis),
        cmocka_unit_test(coordinates_are_tenths_of_a_pixel),
        cmocka_unit_test(steps_are_1_2_or_5_times_a_power_of_ten),
        cmocka_unit_test(sine_needs_no_floating_point),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
