/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_base_status.c - every status has a name and a sentence of its own. */
#include "unit.h"

#include <q2p/status.h>

static const int numbers[] = {
#define XX(name, number, sentence) Q2P_##name,
    Q2P_STATUS_MAP(XX)
#undef XX
};
enum { COUNT = sizeof numbers / sizeof numbers[0] };

static void names_and_sentences_are_those_of_the_map(void **state)
{
    (void)state;
    assert_string_equal(q2p_status_name(Q2P_OK), "OK");
    assert_string_equal(q2p_status_name(Q2P_ERR_SHORT), "ERR_SHORT");
    assert_string_equal(q2p_status_text(Q2P_ERR_SHORT), "message ends before the field does");
    assert_string_equal(q2p_status_text(Q2P_ERR_RESOLVE), "host name does not resolve");
}

static void no_two_share_a_sentence(void **state)
{
    (void)state;
    for (int i = 0; i < COUNT; i++)
        for (int j = 0; j < i; j++) {
            assert_string_not_equal(q2p_status_text(numbers[i]), q2p_status_text(numbers[j]));
            assert_string_not_equal(q2p_status_name(numbers[i]), q2p_status_name(numbers[j]));
        }
}

static void a_stranger_gets_words_too(void **state)
{
    (void)state;
    assert_string_equal(q2p_status_name(-12345), "ERR_?");
    assert_string_equal(q2p_status_text(7), "no such status");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_sentences_are_those_of_the_map),
        cmocka_unit_test(no_two_share_a_sentence),
        cmocka_unit_test(a_stranger_gets_words_too),
    };
    return cmocka_run_group_tests_name("base_status", tests, NULL, NULL);
}
