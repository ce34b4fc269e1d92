/* SPDX-License-Identifier: BSD-2-Clause */
/* What `blindrelay check` found out: lines of a report, for people and as JSON. */
#ifndef BR_CHECK_REPORT_H
#define BR_CHECK_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define BR_CHECK_TEXT 240 /* longest text of a line, with NUL */

enum br_check_status {
	BR_CHECK_OK,
	BR_CHECK_WARN, /* media flows, but worse than it could, or not all of it */
	BR_CHECK_FAIL, /* media does not flow */
};

struct br_check_line {
	char part[32];	   /* "machine", "self-test", "together" or "interface NAME" */
	const char *check; /* what was looked at; one word, the same in every release */
	enum br_check_status status;
	char found[BR_CHECK_TEXT];
	char todo[BR_CHECK_TEXT]; /* "" when nothing is to be done */
};

struct br_check_report {
	struct br_check_line *lines;
	size_t count;
	bool failed; /* a line was lost for want of memory */
};

/**
 * br_check_add - add a line
 * @part: copied; lines of one part are added one after the other
 * @check: a literal
 * @format: what was found
 *
 * Return: the line, for br_check_todo; NULL without memory, which the report remembers.
 */
struct br_check_line *br_check_add(struct br_check_report *report, const char *part,
				   const char *check, enum br_check_status status,
				   const char *format, ...) __attribute__((format(printf, 5, 6)));
/** br_check_todo - say what to do about a line; NULL is ignored */
void br_check_todo(struct br_check_line *line, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/** br_check_free - free the lines */
void br_check_free(struct br_check_report *report);

/** br_check_worst - the worst status of all lines; FAIL when lines were lost */
enum br_check_status br_check_worst(const struct br_check_report *report);
/** br_check_find - line of a part by its check; NULL when there is none */
const struct br_check_line *br_check_find(const struct br_check_report *report, const char *part,
					  const char *check);

/** br_check_print - for people; @colour: status words in colour */
void br_check_print(const struct br_check_report *report, FILE *out, bool colour);
/** br_check_print_json - {"result", "checks": [{"part", "check", "status", "found", "todo"}]}; 0 or
 * -ENOMEM */
int br_check_print_json(const struct br_check_report *report, FILE *out);

#endif
