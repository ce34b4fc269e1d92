// SPDX-License-Identifier: BSD-2-Clause
#include "lab/flags.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/text.h"

int br_flags_fail(const struct br_command *command, const char *flag, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "blindrelay-lab %s: %s: ", command->name, flag);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return BR_LAB_USAGE;
}

static int bad_value(const struct br_command *command, const struct br_flag *flag,
		     const char *value, const char *expected)
{
	char quoted[BR_QUOTE_TEXT];

	return br_flags_fail(command, flag->name, "expected %s, got %s", expected,
			     br_text_quote(value, strlen(value), quoted));
}

/* A number at *@at, moved behind it; false when there is none or it is too large. */
static bool take_number(const char **at, uint64_t *out)
{
	char *end;

	if (**at < '0' || **at > '9')
		return false;
	errno = 0;
	*out = strtoull(*at, &end, (*at)[0] == '0' && ((*at)[1] | 0x20) == 'x' ? 16 : 10);
	if (errno)
		return false;
	*at = end;
	return true;
}

static int parse_number(const struct br_command *command, const struct br_flag *flag,
			const char *value)
{
	uint64_t factor = 1, number;
	const char *at = value;
	char expected[160];

	if (flag->type == BR_FLAG_RATE && !strcmp(value, "max")) {
		*(uint64_t *)flag->out = 0;
		return -1;
	}
	snprintf(expected, sizeof(expected), "a number from %" PRIu64 " to %" PRIu64 "%s",
		 flag->min, flag->max,
		 flag->type == BR_FLAG_RATE ? " (k, M and G may follow), or max" : "");
	if (!take_number(&at, &number))
		return bad_value(command, flag, value, expected);
	if (flag->type == BR_FLAG_RATE && *at) {
		factor = *at == 'k' ? 1000 : *at == 'M' ? 1000000 : *at == 'G' ? 1000000000 : 0;
		at++;
	}
	if (*at || !factor || number > flag->max / factor || number * factor < flag->min)
		return bad_value(command, flag, value, expected);
	*(uint64_t *)flag->out = number * factor;
	return -1;
}

static int parse_seconds(const struct br_command *command, const struct br_flag *flag,
			 const char *value)
{
	uint64_t seconds, unit = 1000;
	const char *at = value;
	char expected[96];

	snprintf(expected, sizeof(expected), "seconds from %g to %g, as in 10 or 1.5",
		 (double)flag->min / 1000, (double)flag->max / 1000);
	if (!take_number(&at, &seconds) || seconds > flag->max / 1000)
		return bad_value(command, flag, value, expected);
	seconds *= 1000;
	if (*at == '.')
		for (at++; *at >= '0' && *at <= '9' && unit > 1; at++)
			seconds += (uint64_t)(*at - '0') * (unit /= 10);
	if (*at || seconds < flag->min || seconds > flag->max)
		return bad_value(command, flag, value, expected);
	*(uint64_t *)flag->out = seconds;
	return -1;
}

static int parse_ssrcs(const struct br_command *command, const struct br_flag *flag,
		       const char *value)
{
	struct br_ssrcs list = {0};
	const char *at = value;

	for (;;) {
		uint64_t first, last;

		if (list.count == BR_SSRC_RANGES || !take_number(&at, &first))
			break;
		last = first;
		if (*at == '-') {
			at++;
			if (!take_number(&at, &last))
				break;
		}
		if (first > last || last > UINT32_MAX)
			break;
		list.ranges[list.count].first = (uint32_t)first;
		list.ranges[list.count++].last = (uint32_t)last;
		if (!*at) {
			*(struct br_ssrcs *)flag->out = list;
			return -1;
		}
		if (*at++ != ',')
			break;
	}
	return bad_value(command, flag, value,
			 "up to 64 SSRCs or ranges, as in 0x1000-0x1003,77, each up to 32 bits");
}

static int parse_sizes(const struct br_command *command, const struct br_flag *flag,
		       const char *value)
{
	struct br_sizes sizes = {0};
	const char *at = value;
	char expected[160];

	for (;;) {
		uint64_t size;

		if (sizes.count == BR_SIZES || !take_number(&at, &size) || size < flag->min ||
		    size > flag->max)
			break;
		sizes.bytes[sizes.count++] = (uint32_t)size;
		if (!*at) {
			*(struct br_sizes *)flag->out = sizes;
			return -1;
		}
		if (*at++ != ',')
			break;
	}
	snprintf(expected, sizeof(expected),
		 "up to %d sizes from %" PRIu64 " to %" PRIu64 " with commas between", BR_SIZES,
		 flag->min, flag->max);
	return bad_value(command, flag, value, expected);
}

static int parse_value(const struct br_command *command, const struct br_flag *flag,
		       const char *value)
{
	switch (flag->type) {
	case BR_FLAG_SWITCH:
		break;
	case BR_FLAG_NUMBER:
	case BR_FLAG_RATE:
		return parse_number(command, flag, value);
	case BR_FLAG_SECONDS:
		return parse_seconds(command, flag, value);
	case BR_FLAG_TEXT:
		if (!*value)
			return bad_value(command, flag, value, flag->metavar);
		*(const char **)flag->out = value;
		break;
	case BR_FLAG_ADDR:
		if (!br_addr_parse(value, flag->out))
			return bad_value(command, flag, value,
					 "an IPv4 or IPv6 address, as in 192.0.2.1 or 2001:db8::1");
		break;
	case BR_FLAG_ENDPOINT:
		if (!br_endpoint_parse(value, flag->out))
			return bad_value(
				command, flag, value,
				"address and port, as in 192.0.2.1:5000 or [2001:db8::1]:5000");
		break;
	case BR_FLAG_SSRCS:
		return parse_ssrcs(command, flag, value);
	case BR_FLAG_SIZES:
		return parse_sizes(command, flag, value);
	}
	return -1;
}

static const struct br_flag *find_flag(const struct br_command *command, const char *word,
				       size_t length)
{
	for (size_t i = 0; i < command->flag_count; i++) {
		const char *name = command->flags[i].name;

		if (strlen(name) == length && !memcmp(name, word, length))
			return &command->flags[i];
	}
	return NULL;
}

static int unknown_flag(const struct br_command *command, const char *word, size_t length)
{
	const char *known[64], *nearest;
	char name[64], quoted[BR_QUOTE_TEXT];
	size_t count = 0;

	for (size_t i = 0; i < command->flag_count && count < 64; i++)
		known[count++] = command->flags[i].name;
	snprintf(name, sizeof(name), "%.*s", (int)length, word);
	nearest = br_text_nearest(name, known, count);
	if (nearest)
		return br_flags_fail(command, br_text_name(name, quoted),
				     "unknown flag; did you mean %s?", nearest);
	return br_flags_fail(command, br_text_name(name, quoted),
			     "unknown flag; expected one of those that --help lists");
}

static void print_help(const struct br_command *command)
{
	printf("%s\n\nusage: blindrelay-lab %s [FLAGS]%s%s\n\n", command->summary, command->name,
	       command->positional ? " " : "", command->positional ? command->positional : "");
	for (size_t i = 0; i < command->flag_count; i++) {
		const struct br_flag *flag = &command->flags[i];
		int width = printf("  %s%s%s", flag->name, flag->metavar ? " " : "",
				   flag->metavar ? flag->metavar : "");

		printf("%*s%s\n", width < 28 ? 28 - width : 2, "", flag->help);
	}
	printf("\nexamples:\n%s", command->examples);
	printf("\nexit status: 0 good, 1 not good (loss, altered bytes, ...), 2 wrong flag, key or "
	       "input,\n             3 could not run\n");
}

int br_flags_parse(const struct br_command *command, int argc, char **argv, int *positional)
{
	*positional = 0;
	for (int i = 0; i < argc; i++) {
		const char *word = argv[i], *value;
		const struct br_flag *flag;
		size_t length = strcspn(word, "=");
		int status;

		if (!strcmp(word, "--help") || !strcmp(word, "-h")) {
			print_help(command);
			return BR_LAB_OK;
		}
		if (word[0] != '-' || !word[1]) {
			if (!command->positional)
				return br_flags_fail(command, word,
						     "unexpected word; expected flags only");
			argv[(*positional)++] = argv[i];
			continue;
		}
		flag = find_flag(command, word, length);
		if (!flag)
			return unknown_flag(command, word, length);
		value = word[length] ? word + length + 1 : NULL;
		if (flag->type == BR_FLAG_SWITCH) {
			if (value)
				return br_flags_fail(command, flag->name, "takes no value");
			*(bool *)flag->out = true;
			continue;
		}
		if (!value && ++i < argc)
			value = argv[i];
		if (!value)
			return br_flags_fail(command, flag->name, "expected a value (%s) after it",
					     flag->metavar);
		status = parse_value(command, flag, value);
		if (status >= 0)
			return status;
	}
	return -1;
}

bool br_ssrcs_contain(const struct br_ssrcs *list, uint32_t ssrc)
{
	for (size_t i = 0; i < list->count; i++)
		if (ssrc >= list->ranges[i].first && ssrc <= list->ranges[i].last)
			return true;
	return !list->count;
}
