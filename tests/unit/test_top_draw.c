// SPDX-License-Identifier: BSD-2-Clause
/*
 * The screen of `blindrelay top`, drawn into memory and compared with files of
 * tests/unit/golden. After a change that is meant, BR_GOLDEN_UPDATE=1 writes them anew: read
 * what `git diff` says of them.
 */
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

static char *read_file(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;

	if (!file)
		fail_msg("%s cannot be read", path);
	if (getdelim(&text, &size, '\0', file) < 0)
		fail_msg("%s is empty", path);
	fclose(file);
	return text;
}

static char *draw(const struct br_top *top, int width, int height, bool ascii)
{
	struct br_canvas canvas;
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(br_canvas_new(&canvas, width, height, ascii), 0);
	br_top_draw(top, &canvas);
	br_canvas_print(&canvas, out);
	fclose(out);
	br_canvas_free(&canvas);
	return text;
}

static void check(const char *name, const char *text)
{
	char path[128], *want;
	FILE *file;

	snprintf(path, sizeof(path), "tests/unit/golden/%s.txt", name);
	if (getenv("BR_GOLDEN_UPDATE")) {
		file = fopen(path, "we");
		assert_non_null(file);
		fputs(text, file);
		fclose(file);
	}
	want = read_file(path);
	assert_string_equal(text, want);
	free(want);
}

static void check_draw(const char *name, const struct br_top *top, int width, int height,
		       bool ascii)
{
	char *text = draw(top, width, height, ascii);

	check(name, text);
	free(text);
}

static void test_rooms(void **state)
{
	struct br_top top = top_new();

	(void)state;
	/* more than one value, so that the curve has a shape */
	for (int i = 0; i < 9; i++) {
		top.in[i] = i * 300.0;
		top.out[i] = (9 - i) * 1000.0;
	}
	top.history = 9;
	check_draw("top-rooms-80x24", &top, 80, 24, false);
	check_draw("top-rooms-40x10", &top, 40, 10, false);
	check_draw("top-rooms-200x60", &top, 200, 60, false);
	check_draw("top-rooms-80x24-ascii", &top, 80, 24, true);
	br_top_free(&top);
}

static void test_other_pages(void **state)
{
	struct br_top top = top_new();

	(void)state;
	br_top_go(&top, BR_TOP_LEGS);
	br_top_move(&top, 2);
	check_draw("top-legs-100x30", &top, 100, 30, false);
	strcpy(top.room, "standup");
	br_top_go(&top, BR_TOP_ROOM);
	strcpy(top.match, "view");
	check_draw("top-room-80x24", &top, 80, 24, false);
	br_top_go(&top, BR_TOP_DROPS);
	top.paused = true;
	check_draw("top-drops-80x24", &top, 80, 24, false);
	top.help = true;
	check_draw("top-help-80x24", &top, 80, 24, false);
	br_top_free(&top);
}

/* Before the first rates, without anything, and after the daemon has gone. */
static void test_nothing(void **state)
{
	struct br_top top = {.args = &no_args, .interval_s = 0.5, .height = 24};

	(void)state;
	br_top_take(&top, cJSON_Parse("{\"version\":\"0.1.0\",\"interval_ms\":null,"
				      "\"started\":\"2999-01-01T00:00:00.000Z\","
				      "\"relay\":{\"rooms\":1,\"legs\":0,\"rates\":null},"
				      "\"rooms\":[{\"name\":\"new\",\"legs\":0,\"rates\":null}],"
				      "\"legs\":[]}"));
	assert_int_equal(top.history, 0);
	check_draw("top-first-80x24", &top, 80, 24, false);
	strcpy(top.error, "no daemon answers: Connection refused");
	check_draw("top-gone-80x24", &top, 80, 24, false);
	br_top_free(&top);
	check_draw("top-empty-80x24", &top, 80, 24, false);
}

/* Every size from nothing up: no line is longer than the screen, no line is missing. */
static void test_every_size(void **state)
{
	struct br_top top = top_new();

	(void)state;
	for (int page = 0; page < BR_TOP_PAGES; page++)
		for (int width = 1; width < 130; width += 3)
			for (int height = 1; height < 40; height += 3) {
				char *text;
				int lines = 0;

				top.page = (enum br_top_page)page;
				top.line = (size_t)(height % 4);
				text = draw(&top, width, height, true);
				for (char *line = text, *end; (end = strchr(line, '\n'));
				     line = end + 1) {
					assert_true(end - line <= width);
					lines++;
				}
				assert_int_equal(lines, height);
				free(text);
			}
	br_top_free(&top);
}

/* The selected line is always on the screen. */
static void test_long_lists_scroll(void **state)
{
	struct br_top top = {.args = &no_args, .interval_s = 1, .height = 12};
	cJSON *data = cJSON_Parse(top_data), *rooms = cJSON_CreateArray();

	(void)state;
	for (int i = 0; i < 100; i++) {
		cJSON *room = cJSON_CreateObject();
		char name[16];

		snprintf(name, sizeof(name), "n%02d", i);
		cJSON_AddStringToObject(room, "name", name);
		cJSON_AddItemToArray(rooms, room);
	}
	cJSON_ReplaceItemInObject(data, "rooms", rooms);
	br_top_take(&top, data);
	for (int height = 8; height < 40; height += 4)
		for (int line = 0; line < 100; line += 9) {
			char name[16], *text;

			br_top_move(&top, line - (long)top.line);
			snprintf(name, sizeof(name), "\nn%02d ", line);
			text = draw(&top, 80, height, false);
			if (!strstr(text, name))
				fail_msg("line %d is not on %d lines:\n%s", line, height, text);
			free(text);
		}
	br_top_free(&top);
}

static void test_plain_table(void **state)
{
	struct br_top top = top_new();
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	br_top_plain_print(&top, out);
	fclose(out);
	check("top-plain", text);
	free(text);
	br_top_free(&top);
}

static void test_text_is_made_safe(void **state)
{
	struct br_canvas canvas;
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	assert_int_equal(br_canvas_new(&canvas, 12, 2, false), 0);
	br_canvas_text(&canvas, 0, 0, BR_STYLE_PLAIN, "a\033[2Jb\xff\xc3");
	br_canvas_text(&canvas, -1, 1, BR_STYLE_PLAIN, "xé€ rest is cut");
	br_canvas_text(&canvas, 0, 7, BR_STYLE_PLAIN, "nowhere");
	br_canvas_print(&canvas, out);
	fclose(out);
	assert_string_equal(text, "a?[2Jb??\né€ rest is c\n");
	br_canvas_free(&canvas);
	free(text);
}

static void test_bars(void **state)
{
	static const struct {
		double part;
		const char *bar, *ascii;
	} rows[] = {
		{0, "░░░░", "...."},	{1, "████", "####"},	   {0.5, "██░░", "##.."},
		{1e-9, "▏░░░", "...."}, {0.53125, "██▏░", "##.."}, {-1, "░░░░", "...."},
		{7, "████", "####"},
	};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		struct br_canvas canvas;
		char *text = NULL;
		size_t size = 0;
		FILE *out = open_memstream(&text, &size);

		assert_int_equal(br_canvas_new(&canvas, 4, 1, i & 1), 0);
		br_canvas_bar(&canvas, 0, 0, 4, rows[i / 2].part, BR_STYLE_PLAIN);
		br_canvas_print(&canvas, out);
		fclose(out);
		text[strlen(text) - 1] = '\0';
		assert_string_equal(text, i & 1 ? rows[i / 2].ascii : rows[i / 2].bar);
		br_canvas_free(&canvas);
		free(text);
	}
}

static void test_rates_for_people(void **state)
{
	static const struct {
		double value;
		const char *rate, *bits;
	} rows[] = {
		{0, "0", "0"},
		{0.04, "0.0", "0"},
		{0.4, "0.4", "0"},
		{9.96, "10.0", "10"},
		{10, "10", "10"},
		{999, "999", "999"},
		{1000, "1000", "1.0 k"},
		{99999, "99999", "100.0 k"},
		{123456, "123 k", "123 k"},
		{2.5e6, "2.5 M", "2.5 M"},
		{1.25e9, "1.2 G", "1.2 G"},
		{1e16, "10000 T", "10000 T"},
		{-3, "-3", "-3"},
	};
	char text[BR_UNIT_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_string_equal(br_unit_rate(rows[i].value, text), rows[i].rate);
		assert_string_equal(br_unit_scaled(rows[i].value, text), rows[i].bits);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rooms),
		cmocka_unit_test(test_other_pages),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_every_size),
		cmocka_unit_test(test_long_lists_scroll),
		cmocka_unit_test(test_plain_table),
		cmocka_unit_test(test_text_is_made_safe),
		cmocka_unit_test(test_bars),
		cmocka_unit_test(test_rates_for_people),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
