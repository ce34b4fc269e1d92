// SPDX-License-Identifier: BSD-2-Clause
/* The grammar of RFC 8259 over a buffer: says yes or where and why not, builds nothing. */
#include <errno.h>
#include <string.h>

#include "json.h"
#include "text.h"

/* cJSON copies a number into 64 bytes and cuts off the rest; nobody needs longer ones. */
#define BR_NUMBER_MAX 32

struct scanner {
	const unsigned char *text;
	size_t length;
	size_t at; /* next byte; moves only over what was understood */
	unsigned int depth;
	struct br_error *error;
};

static int scan_value(struct scanner *s);

static int fail(struct scanner *s, const char *expected)
{
	size_t line = 1, column = 1;
	char got[BR_QUOTE_TEXT];

	for (size_t i = 0; i < s->at; i++) {
		if (s->text[i] == '\n') {
			line++;
			column = 1;
		} else if ((s->text[i] & 0xc0) != 0x80) {
			column++;
		}
	}
	if (s->at >= s->length)
		return br_error_set(s->error, -EINVAL, NULL,
				    "line %zu column %zu: expected %s, got the end of the text",
				    line, column, expected);
	if (s->text[s->at] < ' ' || s->text[s->at] > '~')
		return br_error_set(s->error, -EINVAL, NULL,
				    "line %zu column %zu: expected %s, got byte 0x%02x", line,
				    column, expected, s->text[s->at]);
	return br_error_set(s->error, -EINVAL, NULL, "line %zu column %zu: expected %s, got %s",
			    line, column, expected,
			    br_text_quote((const char *)s->text + s->at, 1, got));
}

static int peek(const struct scanner *s)
{
	return s->at < s->length ? s->text[s->at] : -1;
}

static void skip_space(struct scanner *s)
{
	int c = peek(s);

	while (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
		s->at++;
		c = peek(s);
	}
}

static bool is_digit(int c)
{
	return c >= '0' && c <= '9';
}

/* Four hexadecimal digits after \u; the cursor stays at the first wrong one. */
static int scan_hex4(struct scanner *s, unsigned int *unit)
{
	*unit = 0;
	for (int i = 0; i < 4; i++) {
		int c = peek(s);
		int low = c | 0x20;

		if (is_digit(c))
			*unit = *unit << 4 | (unsigned int)(c - '0');
		else if (c >= 0 && low >= 'a' && low <= 'f')
			*unit = *unit << 4 | (unsigned int)(low - 'a' + 10);
		else
			return fail(s, "four hexadecimal digits after \\u");
		s->at++;
	}
	return 0;
}

static int scan_unicode_escape(struct scanner *s)
{
	size_t start = s->at;
	unsigned int unit, low;
	int err = scan_hex4(s, &unit);

	if (err)
		return err;
	if (unit == 0) { /* C strings would end here */
		s->at = start;
		return fail(s, "no NUL in a string");
	}
	if (unit < 0xd800 || unit > 0xdfff)
		return 0;
	if (unit > 0xdbff || peek(s) != '\\' || s->at + 1 >= s->length ||
	    s->text[s->at + 1] != 'u') {
		s->at = start;
		return fail(s, "a complete surrogate pair");
	}
	s->at += 2;
	err = scan_hex4(s, &low);
	if (err)
		return err;
	if (low < 0xdc00 || low > 0xdfff) {
		s->at = start;
		return fail(s, "a complete surrogate pair");
	}
	return 0;
}

static int scan_escape(struct scanner *s)
{
	int c = peek(s);

	if (c == 'u') {
		s->at++;
		return scan_unicode_escape(s);
	}
	if (c <= 0 || !strchr("\"\\/bfnrt", c))
		return fail(s, "one of \" \\ / b f n r t u after a backslash");
	s->at++;
	return 0;
}

/* One character of two to four bytes, shortest form, no surrogates (RFC 3629 section 4). */
static int scan_utf8(struct scanner *s)
{
	const unsigned char *text = s->text + s->at;
	unsigned int size = text[0] >= 0xf0 ? 4 : text[0] >= 0xe0 ? 3 : 2;
	unsigned char min = 0x80, max = 0xbf;

	if (text[0] < 0xc2 || text[0] > 0xf4 || size > s->length - s->at)
		return fail(s, "valid UTF-8");
	if (text[0] == 0xe0)
		min = 0xa0;
	else if (text[0] == 0xf0)
		min = 0x90;
	else if (text[0] == 0xed)
		max = 0x9f;
	else if (text[0] == 0xf4)
		max = 0x8f;
	if (text[1] < min || text[1] > max)
		return fail(s, "valid UTF-8");
	for (unsigned int i = 2; i < size; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return fail(s, "valid UTF-8");
	}
	s->at += size;
	return 0;
}

static int scan_string(struct scanner *s)
{
	s->at++; /* the opening quote */
	for (;;) {
		int c = peek(s);
		int err = 0;

		if (c < 0)
			return fail(s, "a closing '\"'");
		if (c < ' ')
			return fail(s, "an escape instead of a control character");
		if (c >= 0x80) {
			err = scan_utf8(s);
		} else {
			s->at++;
			if (c == '"')
				return 0;
			if (c == '\\')
				err = scan_escape(s);
		}
		if (err)
			return err;
	}
}

static int scan_digits(struct scanner *s)
{
	if (!is_digit(peek(s)))
		return fail(s, "a digit");
	while (is_digit(peek(s)))
		s->at++;
	return 0;
}

static int scan_number(struct scanner *s)
{
	size_t start = s->at;
	int err = 0;

	if (peek(s) == '-')
		s->at++;
	if (peek(s) == '0') {
		s->at++;
		if (is_digit(peek(s)))
			return fail(s, "no digit after a leading 0");
	} else {
		err = scan_digits(s);
	}
	if (!err && peek(s) == '.') {
		s->at++;
		err = scan_digits(s);
	}
	if (!err && (peek(s) == 'e' || peek(s) == 'E')) {
		s->at++;
		if (peek(s) == '+' || peek(s) == '-')
			s->at++;
		err = scan_digits(s);
	}
	if (!err && s->at - start > BR_NUMBER_MAX) {
		s->at = start;
		err = fail(s, "a number of at most 32 characters");
	}
	return err;
}

static int scan_word(struct scanner *s, const char *word)
{
	size_t length = strlen(word);

	if (s->length - s->at < length || memcmp(s->text + s->at, word, length) != 0)
		return fail(s, "a JSON value");
	s->at += length;
	return 0;
}

static int scan_member_name(struct scanner *s)
{
	int err;

	if (peek(s) != '"')
		return fail(s, "a key in double quotes");
	err = scan_string(s);
	if (err)
		return err;
	skip_space(s);
	if (peek(s) != ':')
		return fail(s, "':' after the key");
	s->at++;
	skip_space(s);
	return 0;
}

/* An object or an array: the same list with and without names. */
static int scan_container(struct scanner *s, bool named)
{
	const char close = named ? '}' : ']';
	int err;

	if (s->depth == BR_JSON_DEPTH_MAX)
		return fail(s, "no deeper nesting than 16 levels");
	s->depth++;
	s->at++;
	skip_space(s);
	while (peek(s) != close) {
		err = named ? scan_member_name(s) : 0;
		if (!err)
			err = scan_value(s);
		if (err)
			return err;
		skip_space(s);
		if (peek(s) == close)
			break;
		if (peek(s) != ',')
			return fail(s, named ? "',' or '}'" : "',' or ']'");
		s->at++;
		skip_space(s);
		if (peek(s) == close)
			return fail(s, named ? "a key after ','" : "a value after ','");
	}
	s->at++;
	s->depth--;
	return 0;
}

static int scan_value(struct scanner *s)
{
	int c = peek(s);

	switch (c) {
	case '{':
		return scan_container(s, true);
	case '[':
		return scan_container(s, false);
	case '"':
		return scan_string(s);
	case 't':
		return scan_word(s, "true");
	case 'f':
		return scan_word(s, "false");
	case 'n':
		return scan_word(s, "null");
	default:
		if (c == '-' || is_digit(c))
			return scan_number(s);
		return fail(s, "a JSON value");
	}
}

int br_json_check(const char *text, size_t length, struct br_error *error)
{
	struct scanner s = {
		.text = (const unsigned char *)text,
		.length = length,
		.error = error,
	};
	int err;

	skip_space(&s);
	err = scan_value(&s);
	if (err)
		return err;
	skip_space(&s);
	return s.at == s.length ? 0 : fail(&s, "nothing after the JSON value");
}
