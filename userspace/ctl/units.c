// SPDX-License-Identifier: BSD-2-Clause
/* Numbers for people. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "ctl/ctl.h"

/* Three digits and a prefix; small whole numbers as they are. */
static const char *br_unit_scale(double value, double base, const char *const *names, size_t count,
				 char out[static BR_UNIT_TEXT])
{
	size_t i = 0;

	while (value >= base && i + 1 < count) {
		value /= base;
		i++;
	}
	if (!i)
		snprintf(out, BR_UNIT_TEXT, "%.0f%s%s", value, *names[0] ? " " : "", names[0]);
	else
		snprintf(out, BR_UNIT_TEXT, "%.*f %s", value < 100 ? 1 : 0, value, names[i]);
	return out;
}

const char *br_unit_scaled(double value, char out[static BR_UNIT_TEXT])
{
	static const char *const names[] = {"", "k", "M", "G", "T"};

	return br_unit_scale(value, 1000, names, 5, out);
}

const char *br_unit_count(double value, char out[static BR_UNIT_TEXT])
{
	/* five digits are still read at a glance */
	if (value >= 100000)
		return br_unit_scaled(value, out);
	snprintf(out, BR_UNIT_TEXT, "%.0f", value);
	return out;
}

const char *br_unit_bytes(double value, char out[static BR_UNIT_TEXT])
{
	static const char *const names[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};

	return br_unit_scale(value, 1024, names, 6, out);
}

const char *br_unit_rate(double value, char out[static BR_UNIT_TEXT])
{
	/* less than one in a second is not nothing */
	if (value <= 0 || value >= 10)
		return br_unit_count(value, out);
	snprintf(out, BR_UNIT_TEXT, "%.1f", value);
	return out;
}

const char *br_unit_ms(double ms, char out[static BR_UNIT_TEXT])
{
	if (ms < 2000)
		snprintf(out, BR_UNIT_TEXT, "%.0f ms", ms);
	else if (ms < 120e3)
		snprintf(out, BR_UNIT_TEXT, "%.0f s", ms / 1e3);
	else if (ms < 7200e3)
		snprintf(out, BR_UNIT_TEXT, "%.0f min", ms / 60e3);
	else if (ms < 172800e3)
		snprintf(out, BR_UNIT_TEXT, "%.0f h", ms / 3600e3);
	else
		snprintf(out, BR_UNIT_TEXT, "%.0f d", ms / 86400e3);
	return out;
}

const char *br_unit_age(const char *text, char out[static BR_UNIT_TEXT])
{
	struct timespec now;
	struct tm tm = {0};
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	int ms = 0;
	double age;

	if (!rest) {
		snprintf(out, BR_UNIT_TEXT, "-");
		return out;
	}
	sscanf(rest, ".%3dZ", &ms);
	clock_gettime(CLOCK_REALTIME, &now);
	age = ((double)now.tv_sec - (double)timegm(&tm)) * 1e3 + (double)now.tv_nsec / 1e6 - ms;
	return br_unit_ms(age < 0 ? 0 : age, out);
}
