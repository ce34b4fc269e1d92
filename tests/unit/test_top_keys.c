// SPDX-License-Identifier: BSD-2-Clause
/* What the keys of `blindrelay top` do, and where a new answer leaves the user. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/top/top.h"
#include "test_top_data.h"

static struct br_ctl_args no_args;

static struct br_top top_new(void)
{
	struct br_top top = {.args = &no_args, .interval_s = 1, .height = 24};

	br_top_take(&top, cJSON_Parse(top_data));
	assert_non_null(top.data);
	return top;
}

static void press(struct br_top *top, const char *keys)
{
	for (; *keys; keys++)
		br_top_press(top, *keys);
}

static void test_pages(void **state)
{
	struct br_top top = top_new();

	(void)state;
	assert_int_equal(br_top_press(&top, 'l'), BR_TOP_ASK);
	assert_int_equal(top.page, BR_TOP_LEGS);
	assert_int_equal(br_top_press(&top, 'd'), BR_TOP_ASK);
	assert_int_equal(top.page, BR_TOP_DROPS);
	assert_int_equal(br_top_press(&top, 27), BR_TOP_ASK);
	assert_int_equal(top.page, BR_TOP_ROOMS);
	/* nowhere to go back to */
	assert_int_equal(br_top_press(&top, 27), BR_TOP_WAIT);
	assert_int_equal(br_top_press(&top, 'x'), BR_TOP_WAIT);
	assert_int_equal(br_top_press(&top, 'q'), BR_TOP_QUIT);
	assert_int_equal(br_top_press(&top, 3), BR_TOP_QUIT);
	br_top_free(&top);
}

static void test_open_and_back(void **state)
{
	struct br_top top = top_new();

	(void)state;
	br_top_press(&top, BR_KEY_DOWN);
	br_top_press(&top, 'j');
	assert_int_equal(br_top_press(&top, BR_KEY_ENTER), BR_TOP_ASK);
	assert_int_equal(top.page, BR_TOP_ROOM);
	assert_string_equal(top.room, "quiet");
	/* nothing to open below a leg */
	assert_int_equal(br_top_press(&top, BR_KEY_ENTER), BR_TOP_WAIT);
	assert_int_equal(br_top_press(&top, BR_KEY_BACK), BR_TOP_ASK);
	assert_int_equal(top.page, BR_TOP_ROOMS);
	br_top_take(&top, cJSON_Parse(top_data));
	assert_int_equal(top.line, 2);
	/* from the legs of all rooms, and back to them */
	br_top_press(&top, 'l');
	br_top_press(&top, BR_KEY_END);
	br_top_press(&top, BR_KEY_ENTER);
	assert_string_equal(top.room, "quiet");
	br_top_press(&top, 27);
	assert_int_equal(top.page, BR_TOP_LEGS);
	br_top_free(&top);
}

static void test_lines(void **state)
{
	struct br_top top = top_new();

	(void)state;
	br_top_press(&top, BR_KEY_UP);
	assert_int_equal(top.line, 0);
	br_top_press(&top, BR_KEY_PAGE_DOWN);
	assert_int_equal(top.line, 2);
	br_top_press(&top, BR_KEY_DOWN);
	assert_int_equal(top.line, 2);
	br_top_press(&top, BR_KEY_HOME);
	assert_int_equal(top.line, 0);
	br_top_press(&top, 'G');
	assert_int_equal(top.line, 2);
	br_top_press(&top, BR_KEY_PAGE_UP);
	assert_int_equal(top.line, 0);
	/* three reasons are shown: neither those that were sent nor what is not ours */
	br_top_press(&top, 'd');
	br_top_press(&top, BR_KEY_END);
	assert_int_equal(top.line, 2);
	br_top_free(&top);
}

/* A line is known by its name: lists are sorted anew with every answer. */
static void test_selection_follows_the_name(void **state)
{
	struct br_top top = top_new();
	cJSON *data = cJSON_Parse(top_data), *rooms = cJSON_GetObjectItem(data, "rooms");

	(void)state;
	br_top_press(&top, BR_KEY_END);
	assert_string_equal(top.selected, "quiet");
	cJSON_InsertItemInArray(rooms, 0, cJSON_DetachItemFromArray(rooms, 2));
	br_top_take(&top, data);
	assert_int_equal(top.line, 0);
	/* it is gone: the place stays, if there is such a line */
	br_top_press(&top, BR_KEY_END);
	data = cJSON_Parse(top_data);
	rooms = cJSON_GetObjectItem(data, "rooms");
	cJSON_DeleteItemFromArray(rooms, 1);
	br_top_take(&top, data);
	assert_int_equal(top.line, 1);
	/* the first line is whoever is first */
	br_top_press(&top, BR_KEY_HOME);
	br_top_take(&top, cJSON_Parse(top_data));
	assert_int_equal(top.line, 0);
	br_top_free(&top);
}

static void test_filter(void **state)
{
	struct br_top top = top_new();

	(void)state;
	assert_int_equal(br_top_press(&top, '/'), BR_TOP_WAIT);
	/* letters are no commands now, and only those of names count */
	press(&top, "qa &/b");
	br_top_press(&top, BR_KEY_UP);
	assert_string_equal(top.edit, "qab");
	br_top_press(&top, BR_KEY_BACK);
	assert_int_equal(br_top_press(&top, BR_KEY_ENTER), BR_TOP_ASK);
	assert_string_equal(top.match, "qa");
	/* left as it was */
	press(&top, "/zz");
	assert_int_equal(br_top_press(&top, 27), BR_TOP_WAIT);
	assert_string_equal(top.match, "qa");
	assert_int_equal(br_top_press(&top, 27), BR_TOP_ASK);
	assert_string_equal(top.match, "");
	press(&top, "/");
	for (int i = 0; i < 100; i++)
		press(&top, "n");
	assert_int_equal(strlen(top.edit), BR_TOP_NAME - 1);
	br_top_free(&top);
}

static void test_sort_pause_interval_help(void **state)
{
	struct br_top top = top_new();

	(void)state;
	press(&top, "s");
	assert_string_equal(br_top_sorts[top.sort].name, "out_bits");
	press(&top, "SS");
	assert_string_equal(br_top_sorts[top.sort].name, "name");
	press(&top, "s");
	assert_string_equal(br_top_sorts[top.sort].name, "out");

	assert_int_equal(br_top_press(&top, ' '), BR_TOP_WAIT);
	assert_true(top.paused);
	assert_int_equal(br_top_press(&top, 'p'), BR_TOP_ASK);
	assert_false(top.paused);

	press(&top, "++++++++++");
	assert_true(top.interval_s >= 0.1);
	press(&top, "--------------------");
	assert_true(top.interval_s > 30 && top.interval_s <= 60);

	press(&top, "?");
	assert_true(top.help);
	assert_int_equal(br_top_press(&top, 'd'), BR_TOP_WAIT);
	assert_false(top.help);
	assert_int_equal(top.page, BR_TOP_ROOMS);
	br_top_free(&top);
}

static void test_history(void **state)
{
	struct br_top top = top_new();

	(void)state;
	for (int i = 0; i < BR_TOP_HISTORY + 9; i++)
		br_top_take(&top, cJSON_Parse(top_data));
	assert_int_equal(top.history, BR_TOP_HISTORY);
	assert_true(top.in[0] == 2970 && top.in[BR_TOP_HISTORY - 1] == 2970);
	br_top_free(&top);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pages),	cmocka_unit_test(test_open_and_back),
		cmocka_unit_test(test_lines),	cmocka_unit_test(test_selection_follows_the_name),
		cmocka_unit_test(test_filter),	cmocka_unit_test(test_sort_pause_interval_help),
		cmocka_unit_test(test_history),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
