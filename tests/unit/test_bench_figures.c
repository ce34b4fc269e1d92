// SPDX-License-Identifier: BSD-2-Clause
/* What the benchmark makes of its figures: medians, JSON, targets, pictures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lab/bench/report.h"
#include "lab/bench/stats.h"
#include "lab/bench/svg.h"

static bool close_to(double a, double b)
{
	return fabs(a - b) < 1e-9;
}

static void quantiles_interpolate(void **state)
{
	double odd[] = {9, 1, 5}, even[] = {4, 1, 3, 2}, one[] = {7};

	(void)state;
	assert_true(close_to(br_stats_median(odd, 3), 5));
	assert_true(close_to(br_stats_median(even, 4), 2.5));
	assert_true(close_to(br_stats_median(one, 1), 7));
	/* sorted by now */
	assert_true(close_to(br_stats_quantile(even, 4, 0), 1));
	assert_true(close_to(br_stats_quantile(even, 4, 1), 4));
	assert_true(close_to(br_stats_quantile(even, 4, 0.9), 3.7));
	assert_true(close_to(br_stats_quantile(one, 1, 0.99), 7));
}

static void histogram_keeps_every_value(void **state)
{
	const double values[] = {-1, 0, 0.99, 1, 2.5, 3.999, 4, 100};
	size_t bins[4];

	(void)state;
	br_stats_histogram(values, 8, 0, 4, bins, 4);
	assert_int_equal(bins[0], 3);
	assert_int_equal(bins[1], 1);
	assert_int_equal(bins[2], 1);
	assert_int_equal(bins[3], 3);
}

static void ticks_are_round(void **state)
{
	(void)state;
	assert_true(close_to(br_svg_step(10, 5), 2));
	assert_true(close_to(br_svg_step(480, 5), 100));
	assert_true(close_to(br_svg_step(0.7, 5), 0.2));
	assert_true(close_to(br_svg_step(3.1e6, 5), 1e6));
	assert_true(close_to(br_svg_step(1.3, 5), 0.5));
}

static struct br_report *report_new(void)
{
	static const struct {
		const char *name;
		double ns, bare;
	} rows[] = {{"n1-redirect", 250, 200},
		    {"n10", 330, 300},
		    {"n50", 300, 250},
		    {"n1000", 420, 300},
		    {"n50-v6", 330, 300}};
	struct br_report *report = calloc(1, sizeof(*report));

	assert_non_null(report);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		report->rows[report->count++] = (struct br_report_row){
			.spec = br_bench_case_find(rows[i].name),
			.result = {.ns_per_copy = rows[i].ns,
				   .limit_ns = rows[i].bare,
				   .ratio = rows[i].ns / rows[i].bare,
				   .packets_per_s = 1e9 / rows[i].ns,
				   .lost = 3,
				   .runs = 7},
		};
	for (size_t i = 0; i < br_peer_count() && i < 3; i++)
		report->peers[report->peer_count++] = (struct br_peer_result){
			.peer = br_peer_at(i),
			.installed = i != 2,
			.packets_per_s = 100000,
			.own_packets_per_s = 2500000 * (double)(i + 1),
		};
	report->has_join = report->has_memory = true;
	report->join = (struct br_join_result){
		.ms = {0.2, 0.3, 9}, .count = 3, .median_ms = 0.3, .p99_ms = 8.8, .max_ms = 9};
	report->memory = (struct br_memory_result){
		.maps = {{"edges", 1, 8 << 20}}, .count = 1, .bytes = 8 << 20, .legs = 65536};
	return report;
}

static const struct br_target *target_of(const struct br_target *targets, size_t count,
					 const char *begin)
{
	for (size_t i = 0; i < count; i++)
		if (!strncmp(targets[i].what, begin, strlen(begin)))
			return &targets[i];
	return NULL;
}

static void targets_compare(void **state)
{
	struct br_report *report = report_new();
	struct br_target targets[BR_TARGETS_MAX];
	size_t count = br_report_targets(report, targets);
	const struct br_target *target;

	(void)state;
	target = target_of(targets, count, "N = 1 / bare redirect, same");
	assert_true(target && close_to(target->value, 1.25) && target->reached);
	target = target_of(targets, count, "copy with stamp / bare clone, N = 50");
	assert_true(target && close_to(target->value, 1.2) && !target->reached);
	target = target_of(targets, count, "ns per copy, N = 1000");
	assert_true(target && close_to(target->value, 1.4) && !target->reached);
	target = target_of(targets, count, "IPv6");
	assert_true(target && close_to(target->value, 1.1) && target->reached);
	/* the worst of those that are installed */
	target = target_of(targets, count, "our packets/s");
	assert_true(target && close_to(target->value, 25) && target->reached && target->at_least);
	target = target_of(targets, count, "kernel memory");
	assert_true(target && close_to(target->value, 128) && target->reached);
	/* not measured: not judged */
	assert_null(target_of(targets, count, "10,000 rooms"));
	free(report);
}

/* The whole of a file; freed by the caller. */
static char *file_text(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = calloc(1, 1 << 20);

	assert_non_null(file);
	assert_non_null(text);
	assert_true(fread(text, 1, (1 << 20) - 1, file) > 0);
	fclose(file);
	return text;
}

static const cJSON *row_of(const cJSON *array, const char *key, const char *value)
{
	const cJSON *row;

	cJSON_ArrayForEach (row, array) {
		const cJSON *item = cJSON_GetObjectItemCaseSensitive(row, key);

		if (cJSON_IsString(item) && !strcmp(item->valuestring, value))
			return row;
	}
	return NULL;
}

static double number_of(const cJSON *row, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(row, key);

	assert_true(cJSON_IsNumber(item));
	return item->valuedouble;
}

static void json_has_every_figure(void **state)
{
	struct br_report *report = report_new();
	char path[] = "/tmp/br-bench-test-XXXXXX", *text;
	const cJSON *row;
	cJSON *array;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(br_report_save(path, report), 0);
	text = file_text(path);
	unlink(path);
	array = cJSON_Parse(text);
	assert_true(cJSON_IsArray(array));
	row = row_of(array, "case", "n50");
	assert_true(close_to(number_of(row, "ns_per_copy"), 300));
	assert_true(close_to(number_of(row, "limit_ns"), 250));
	assert_true(close_to(number_of(row, "ratio"), 1.2));
	assert_true(close_to(number_of(row, "receivers"), 50));
	assert_true(close_to(number_of(row, "lost"), 3));
	row = row_of(array, "peer", br_peer_at(0)->name);
	assert_true(close_to(number_of(row, "peer_packets_per_s"), 100000));
	assert_true(close_to(number_of(row, "ratio"), 25));
	row = row_of(array, "peer", br_peer_at(2)->name);
	assert_true(cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(row, "installed")));
	assert_null(cJSON_GetObjectItemCaseSensitive(row, "ratio"));
	assert_true(close_to(number_of(row_of(array, "case", "join"), "median_ms"), 0.3));
	assert_true(close_to(number_of(row_of(array, "case", "memory"), "bytes_per_leg"), 128));
	assert_non_null(row_of(array, "case", "target"));
	cJSON_Delete(array);
	free(text);
	free(report);
}

static void json_that_cannot_be_written_is_an_error(void **state)
{
	struct br_report *report = report_new();

	(void)state;
	assert_true(br_report_save("/nonexistent/latest.json", report) < 0);
	assert_true(br_report_plot("/nonexistent", report) < 0);
	free(report);
}

static size_t occurrences(const char *text, const char *what)
{
	size_t count = 0;

	while ((text = strstr(text, what))) {
		text += strlen(what);
		count++;
	}
	return count;
}

/* Coordinates inside the picture, one root element, nothing unescaped. */
static void svg_is_whole(const char *text)
{
	assert_true(!strncmp(text, "<svg ", 5));
	assert_int_equal(occurrences(text, "<svg "), 1);
	assert_string_equal(text + strlen(text) - 7, "</svg>\n");
	assert_int_equal(occurrences(text, "<text "), occurrences(text, "</text>"));
	assert_int_equal(occurrences(text, "nan"), 0);
	assert_int_equal(occurrences(text, "inf\""), 0);
	assert_int_equal(occurrences(text, "=\"-"), 0);
}

static void plots_are_drawn(void **state)
{
	static const char *const names[] = {"cost.svg", "peers.svg", "join.svg"};
	struct br_report *report = report_new();
	char folder[] = "/tmp/br-bench-test-XXXXXX", path[128], *text;

	(void)state;
	assert_non_null(mkdtemp(folder));
	assert_int_equal(br_report_plot(folder, report), 0);
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		text = file_text(path);
		unlink(path);
		svg_is_whole(text);
		if (i == 0)
			assert_int_equal(occurrences(text, "<circle "), 6); /* 3 points, 2 lines */
		if (i == 1)
			assert_int_equal(occurrences(text, "packets/s</text>"), 2);
		free(text);
	}
	assert_int_equal(rmdir(folder), 0);
	free(report);
}

static void names_are_escaped(void **state)
{
	struct br_svg svg = {.x = {"a < b", 0, 1, false, NULL, 0},
			     .y = {.title = "x & y", .to = 1}};
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	assert_non_null(out);
	br_svg_begin(&svg, out, "<script>");
	br_svg_end(&svg);
	fclose(out);
	svg_is_whole(text);
	assert_non_null(strstr(text, "a &lt; b"));
	assert_non_null(strstr(text, "x &amp; y"));
	assert_non_null(strstr(text, "&lt;script&gt;"));
	free(text);
}

/* A misprint in the table of cases would compare the wrong things. */
static void cases_are_sound(void **state)
{
	size_t count;
	const struct br_bench_case *cases = br_bench_cases(&count);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		assert_ptr_equal(br_bench_case_find(cases[i].name), &cases[i]);
		assert_true(cases[i].cpus >= 1 && cases[i].cpus <= BR_BENCH_CPUS_MAX);
		assert_true(cases[i].rooms >= 1 && cases[i].receivers >= 1);
		assert_true(cases[i].bare == BR_BARE_CLONE || cases[i].receivers == 1);
	}
	for (size_t i = 0; i < br_peer_count(); i++) {
		const struct br_bench_case *own = br_bench_case_find(br_peer_at(i)->versus);

		assert_non_null(own);
		assert_int_equal(own->receivers, br_peer_at(i)->receivers);
		assert_int_equal(own->bytes, br_peer_at(i)->bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quantiles_interpolate),
		cmocka_unit_test(histogram_keeps_every_value),
		cmocka_unit_test(ticks_are_round),
		cmocka_unit_test(targets_compare),
		cmocka_unit_test(json_has_every_figure),
		cmocka_unit_test(json_that_cannot_be_written_is_an_error),
		cmocka_unit_test(plots_are_drawn),
		cmocka_unit_test(names_are_escaped),
		cmocka_unit_test(cases_are_sound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
