// SPDX-License-Identifier: BSD-2-Clause
#include "ctl/check/report.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "lib/version.h"

static const struct {
	const char *word;   /* for people */
	const char *name;   /* in JSON */
	const char *colour; /* ECMA-48 */
} statuses[] = {
	[BR_CHECK_OK] = {"OK", "ok", "\033[32m"},
	[BR_CHECK_WARN] = {"WARN", "warn", "\033[33m"},
	[BR_CHECK_FAIL] = {"FAIL", "fail", "\033[31m"},
};

struct br_check_line *br_check_add(struct br_check_report *report, const char *part,
				   const char *check, enum br_check_status status,
				   const char *format, ...)
{
	struct br_check_line *line =
		reallocarray(report->lines, report->count + 1, sizeof(*report->lines));
	va_list list;

	if (!line) {
		report->failed = true;
		return NULL;
	}
	report->lines = line;
	line += report->count++;
	memset(line, 0, sizeof(*line));
	snprintf(line->part, sizeof(line->part), "%s", part);
	line->check = check;
	line->status = status;
	va_start(list, format);
	vsnprintf(line->found, sizeof(line->found), format, list);
	va_end(list);
	return line;
}

void br_check_todo(struct br_check_line *line, const char *format, ...)
{
	va_list list;

	if (!line)
		return;
	va_start(list, format);
	vsnprintf(line->todo, sizeof(line->todo), format, list);
	va_end(list);
}

void br_check_free(struct br_check_report *report)
{
	free(report->lines);
	memset(report, 0, sizeof(*report));
}

enum br_check_status br_check_worst(const struct br_check_report *report)
{
	enum br_check_status worst = report->failed ? BR_CHECK_FAIL : BR_CHECK_OK;

	for (size_t i = 0; i < report->count; i++)
		if (report->lines[i].status > worst)
			worst = report->lines[i].status;
	return worst;
}

const struct br_check_line *br_check_find(const struct br_check_report *report, const char *part,
					  const char *check)
{
	for (size_t i = 0; i < report->count; i++)
		if (!strcmp(report->lines[i].part, part) && !strcmp(report->lines[i].check, check))
			return &report->lines[i];
	return NULL;
}

static void br_check_print_line(const struct br_check_line *line, FILE *out, bool colour)
{
	const char *word = statuses[line->status].word;

	fprintf(out, "  %s%-4s%s  %-12s  %s\n", colour ? statuses[line->status].colour : "", word,
		colour ? "\033[0m" : "", line->check, line->found);
	if (*line->todo)
		fprintf(out, "        %12s  -> %s\n", "", line->todo);
}

void br_check_print(const struct br_check_report *report, FILE *out, bool colour)
{
	size_t counts[BR_CHECK_FAIL + 1] = {0};
	const char *part = "";

	for (size_t i = 0; i < report->count; i++) {
		const struct br_check_line *line = &report->lines[i];

		if (strcmp(part, line->part) != 0)
			fprintf(out, "%s%s\n", i ? "\n" : "", line->part);
		part = line->part;
		counts[line->status]++;
		br_check_print_line(line, out, colour);
	}
	fprintf(out, "\n%zu OK, %zu WARN, %zu FAIL\n", counts[BR_CHECK_OK], counts[BR_CHECK_WARN],
		counts[BR_CHECK_FAIL]);
	if (report->failed)
		fprintf(out, "this report is not complete: out of memory\n");
}

static bool br_check_json_line(cJSON *list, const struct br_check_line *line)
{
	cJSON *object = cJSON_CreateObject();

	if (!object || !cJSON_AddItemToArray(list, object)) {
		cJSON_Delete(object);
		return false;
	}
	return cJSON_AddStringToObject(object, "part", line->part) &&
	       cJSON_AddStringToObject(object, "check", line->check) &&
	       cJSON_AddStringToObject(object, "status", statuses[line->status].name) &&
	       cJSON_AddStringToObject(object, "found", line->found) &&
	       cJSON_AddStringToObject(object, "todo", line->todo);
}

int br_check_print_json(const struct br_check_report *report, FILE *out)
{
	cJSON *root = cJSON_CreateObject();
	cJSON *list = NULL;
	char *text = NULL;
	int rc = -ENOMEM;

	if (!root || report->failed || !cJSON_AddStringToObject(root, "version", BR_VERSION) ||
	    !cJSON_AddStringToObject(root, "result", statuses[br_check_worst(report)].name))
		goto out;
	list = cJSON_AddArrayToObject(root, "checks");
	for (size_t i = 0; list && i < report->count; i++)
		if (!br_check_json_line(list, &report->lines[i]))
			goto out;
	text = list ? cJSON_Print(root) : NULL;
	if (!text)
		goto out;
	fprintf(out, "%s\n", text);
	rc = 0;
out:
	cJSON_free(text);
	cJSON_Delete(root);
	return rc;
}
