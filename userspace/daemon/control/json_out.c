// SPDX-License-Identifier: BSD-2-Clause
#include "control/json_out.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

static void br_json_out_key(struct br_json_out *out, const char *key)
{
	if (out->comma)
		br_buffer_add(out->buffer, ",", 1);
	if (key)
		br_buffer_printf(out->buffer, "\"%s\":", key);
	out->comma = true;
}

static void br_json_out_open(struct br_json_out *out, const char *key, const char *brace)
{
	br_json_out_key(out, key);
	br_buffer_add(out->buffer, brace, 1);
	out->comma = false;
}

static void br_json_out_close(struct br_json_out *out, const char *brace)
{
	br_buffer_add(out->buffer, brace, 1);
	out->comma = true;
}

void br_json_out_object(struct br_json_out *out, const char *key)
{
	br_json_out_open(out, key, "{");
}

void br_json_out_object_end(struct br_json_out *out)
{
	br_json_out_close(out, "}");
}

void br_json_out_array(struct br_json_out *out, const char *key)
{
	br_json_out_open(out, key, "[");
}

void br_json_out_array_end(struct br_json_out *out)
{
	br_json_out_close(out, "]");
}

void br_json_out_string(struct br_json_out *out, const char *key, const char *value)
{
	const char *plain = value;

	br_json_out_key(out, key);
	br_buffer_add(out->buffer, "\"", 1);
	for (; *value; value++) {
		unsigned char c = (unsigned char)*value;

		if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f)
			continue;
		br_buffer_add(out->buffer, plain, (size_t)(value - plain));
		if (c == '"' || c == '\\')
			br_buffer_printf(out->buffer, "\\%c", c);
		else
			br_buffer_printf(out->buffer, "\\u%04x", c);
		plain = value + 1;
	}
	br_buffer_add(out->buffer, plain, (size_t)(value - plain));
	br_buffer_add(out->buffer, "\"", 1);
}

void br_json_out_uint(struct br_json_out *out, const char *key, uint64_t value)
{
	br_json_out_key(out, key);
	br_buffer_printf(out->buffer, "%" PRIu64, value);
}

void br_json_out_number(struct br_json_out *out, const char *key, double value)
{
	br_json_out_key(out, key);
	br_buffer_printf(out->buffer, "%.1f", value);
}

void br_json_out_bool(struct br_json_out *out, const char *key, bool value)
{
	br_json_out_key(out, key);
	br_buffer_text(out->buffer, value ? "true" : "false");
}

void br_json_out_null(struct br_json_out *out, const char *key)
{
	br_json_out_key(out, key);
	br_buffer_text(out->buffer, "null");
}

void br_json_out_time(struct br_json_out *out, const char *key, int64_t unix_ms)
{
	time_t seconds = unix_ms / 1000;
	struct tm tm;
	char date[32];

	gmtime_r(&seconds, &tm);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	br_json_out_key(out, key);
	br_buffer_printf(out->buffer, "\"%s.%03dZ\"", date, (int)(unix_ms % 1000));
}
