// SPDX-License-Identifier: BSD-2-Clause
/* The strict JSON reader: what the scanner refuses and where, and the typed members. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* Parse a copy without NUL, so that reading past the end is seen by the sanitizers. */
static int parse(const char *text, size_t length, cJSON **root, struct br_error *error)
{
	char *copy = malloc(length ? length : 1);
	int err;

	memcpy(copy, text, length);
	memset(error, 0, sizeof(*error));
	err = br_json_parse(copy, length, root, error);
	free(copy);
	return err;
}

static void accepted(void **state)
{
	static const char *const texts[] = {
		"{}",
		"[]",
		" \t\r\n{ \"a\" : [ 1 , -2.5e+3 , 0 , 0.5 , true , false , null ] } \n",
		"\"\\u00e9\\ud83d\\ude00\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
		"\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"",
		"{\"a\":{\"a\":{\"a\":1}},\"b\":{\"a\":1}}",
		"[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]", /* 16 levels */
		"-0",
		"1E5",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct br_error error;
		cJSON *root;

		if (parse(texts[i], strlen(texts[i]), &root, &error))
			fail_msg("%s: %s", texts[i], error.detail);
		cJSON_Delete(root);
	}
}

/* A part of the message that each text must get. */
struct refusal {
	const char *text;
	const char *detail;
};

static void refused(void **state)
{
	static const struct refusal rows[] = {
		{"", "line 1 column 1: expected a JSON value, got the end of the text"},
		{"  \n ", "line 2 column 2: expected a JSON value, got the end"},
		{"{", "line 1 column 2: expected a key in double quotes, got the end"},
		{"{\"a\"", "column 5: expected ':' after the key, got the end"},
		{"{\"a\":", "column 6: expected a JSON value, got the end"},
		{"{\"a\":1", "column 7: expected ',' or '}', got the end"},
		{"{\"a\":1,}", "column 8: expected a key after ',', got \"}\""},
		{"{\"a\":1,\n\n  b:2}",
		 "line 3 column 3: expected a key in double quotes, got \"b\""},
		{"{\"\xc3\xa9\" 1}", "line 1 column 6: expected ':' after the key, got \"1\""},
		{"{'a':1}", "expected a key in double quotes, got \"'\""},
		{"{\"a\" \"b\"}", "expected ':' after the key"},
		{"[1,]", "expected a value after ','"},
		{"[1 2]", "expected ',' or ']', got \"2\""},
		{"[1}", "expected ',' or ']', got \"}\""},
		{"[,1]", "expected a JSON value, got \",\""},
		{"{} {}", "column 4: expected nothing after the JSON value, got \"{\""},
		{"1 //x", "expected nothing after the JSON value"},
		{"01", "expected no digit after a leading 0"},
		{"-", "expected a digit, got the end"},
		{"+1", "expected a JSON value, got \"+\""},
		{"1.", "expected a digit"},
		{".5", "expected a JSON value"},
		{"1e", "expected a digit"},
		{"1.e5", "expected a digit"},
		{"0x10", "expected nothing after the JSON value"},
		{"NaN", "expected a JSON value"},
		{"nul", "expected a JSON value"},
		{"True", "expected a JSON value"},
		{"123456789012345678901234567890123", "at most 32 characters"},
		{"\"a", "expected a closing '\"'"},
		{"\"a\nb\"", "expected an escape instead of a control character, got byte 0x0a"},
		{"\"\\x\"", "after a backslash, got \"x\""},
		{"\"\\", "after a backslash, got the end"},
		{"\"\\u12g4\"", "expected four hexadecimal digits after \\u, got \"g\""},
		{"\"\\u12", "expected four hexadecimal digits"},
		{"\"\\u0000\"", "expected no NUL in a string"},
		{"\"\\ud800\"", "expected a complete surrogate pair"},
		{"\"\\ud800\\u0041\"", "expected a complete surrogate pair"},
		{"\"\\udc00\"", "expected a complete surrogate pair"},
		{"\"\x80\"", "expected valid UTF-8, got byte 0x80"},
		{"\"\xc0\xaf\"", "expected valid UTF-8"},	  /* overlong */
		{"\"\xe0\x80\x80\"", "expected valid UTF-8"},	  /* overlong */
		{"\"\xed\xa0\x80\"", "expected valid UTF-8"},	  /* surrogate */
		{"\"\xf4\x90\x80\x80\"", "expected valid UTF-8"}, /* above U+10FFFF */
		{"\"\xe2\x82", "expected valid UTF-8"},		  /* cut */
		{"\"\xe2\x28\xa1\"", "expected valid UTF-8"},
		{"\xef\xbb\xbf{}", "expected a JSON value, got byte 0xef"}, /* byte order mark */
		{"[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]", "no deeper nesting than 16 levels"},
		{"{\"a\":1,\"a\":2}", "expected each key once, got \"a\" twice"},
		{"{\"a\":1,\"b\":2,\"\\u0061\":2}", "expected each key once, got \"a\" twice"},
		{"[{},{\"x\":{\"k\":1,\"k\":1}}]", "expected each key once, got \"k\" twice"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct br_error error;
		cJSON *root = NULL;
		int err = parse(rows[i].text, strlen(rows[i].text), &root, &error);

		if (err != -EINVAL || root || !strstr(error.detail, rows[i].detail))
			fail_msg("%s: %d \"%s\"", rows[i].text, err, error.detail);
	}
}

static void refused_with_length(void **state)
{
	struct br_error error;
	cJSON *root = NULL;

	(void)state;
	assert_int_equal(parse("{}\0", 3, &root, &error), -EINVAL);
	assert_non_null(strstr(error.detail, "nothing after the JSON value, got byte 0x00"));
	assert_int_equal(parse("\"a\0b\"", 5, &root, &error), -EINVAL);
	assert_int_equal(parse("[{},{\"x\":{\"k\":1,\"k\":1}}]", 24, &root, &error), -EINVAL);
	assert_string_equal(error.field, "[1].x.k");
}

/* Every beginning of a document is refused, except those that are documents. */
static void truncated(void **state)
{
	static const char text[] = "{\"media\":{\"interfaces\":[\"a\\u00e9\",\"\xc3\xa9\"],"
				   "\"port\":-1.5e3},\"x\":null}";
	struct br_error error;
	cJSON *root;

	(void)state;
	for (size_t length = 0; length < sizeof(text) - 1; length++)
		assert_int_equal(parse(text, length, &root, &error), -EINVAL);
	assert_int_equal(parse(text, sizeof(text) - 1, &root, &error), 0);
	cJSON_Delete(root);
}

/*
 * Bytes changed at random (the same on every run): whatever the scanner lets pass cJSON must
 * read too, else br_json_parse takes the difference for a lack of memory.
 */
static void mutated(void **state)
{
	static const char seed[] =
		"{\"a\":[1,-2.5e+3,0.5,true,false,null,\"\\ud83d\\ude00\\n\",\"\xe2\x82\xac\"],"
		"\"b\":{\"c\":{},\"d\":[]}}";
	static const char bytes[] = "{}[]\",:\\u0189aefnrtdD+-. \t\n\x01\x80\xbf\xc3\xed\xf4";
	unsigned int random = 1, passed = 0;

	(void)state;
	for (int round = 0; round < 50000; round++) {
		char text[sizeof(seed)];
		struct br_error error;
		cJSON *root;
		int err;

		memcpy(text, seed, sizeof(seed));
		for (int i = 0; i <= round % 3; i++) {
			size_t at, byte;

			random = random * 1664525u + 1013904223u;
			at = (random >> 16) % (sizeof(seed) - 1);
			random = random * 1664525u + 1013904223u;
			byte = (random >> 16) % (sizeof(bytes) - 1);
			text[at] = bytes[byte];
		}
		err = parse(text, sizeof(seed) - 1, &root, &error);
		if (err && err != -EINVAL)
			fail_msg("%s: %s", text, error.detail);
		if (!err) {
			cJSON_Delete(root);
			passed++;
		}
	}
	/* both outcomes were met, so the loop has tested something */
	assert_in_range(passed, 1000, 45000);
}

static void many_members(void **state)
{
	char text[BR_JSON_MEMBERS_MAX * 10 + 32];
	struct br_error error;
	cJSON *root;

	(void)state;
	for (size_t extra = 0; extra < 2; extra++) {
		size_t used = 0;

		for (size_t i = 0; i < BR_JSON_MEMBERS_MAX + extra; i++)
			used += (size_t)sprintf(text + used, "%c\"k%zu\":1", i ? ',' : '{', i);
		text[used++] = '}';
		assert_int_equal(parse(text, used, &root, &error), extra ? -EINVAL : 0);
		if (!extra)
			cJSON_Delete(root);
		else
			assert_non_null(strstr(error.detail, "at most 256 keys"));
	}
}

/* What a reader with one member of each type makes of an object. */
struct taken {
	uint32_t port;
	bool on;
	char name[8];
	int mode;
	uint32_t ssrcs[3];
	size_t ssrc_count;
	uint32_t inner;
};

static int take_all(const char *text, struct taken *taken, struct br_error *error)
{
	static const char *const modes[] = {"auto", "native"};
	struct br_json_reader reader, child;
	cJSON *root;
	int err = parse(text, strlen(text), &root, error);

	if (err)
		return err;
	br_json_begin(&reader, root, "body", error);
	br_json_uint(&reader, "port", BR_JSON_REQUIRED, 1, 65535, &taken->port);
	br_json_bool(&reader, "on", BR_JSON_OPTIONAL, &taken->on);
	br_json_string(&reader, "name", BR_JSON_OPTIONAL, taken->name, sizeof(taken->name));
	br_json_choice(&reader, "mode", BR_JSON_OPTIONAL, modes, 2, &taken->mode);
	br_json_uints(&reader, "ssrcs", BR_JSON_OPTIONAL, 1, UINT32_MAX, taken->ssrcs, 3,
		      &taken->ssrc_count);
	if (br_json_object(&reader, "inner", BR_JSON_OPTIONAL, &child)) {
		br_json_uint(&child, "value", BR_JSON_REQUIRED, 0, 9, &taken->inner);
		br_json_end(&child);
	}
	err = br_json_end(&reader);
	assert_int_equal(err, error->code);
	cJSON_Delete(root);
	return err;
}

static void members(void **state)
{
	struct taken taken = {.mode = 7, .on = true};
	struct br_error error;

	(void)state;
	assert_int_equal(take_all("{\"port\":1}", &taken, &error), 0);
	assert_int_equal(taken.port, 1);
	assert_int_equal(taken.mode, 7); /* absent: as before */
	assert_true(taken.on);
	assert_int_equal(
		take_all("{\"ssrcs\":[1,4294967295],\"port\":65535,\"on\":false,"
			 "\"name\":\"abcdefg\",\"mode\":\"native\",\"inner\":{\"value\":9}}",
			 &taken, &error),
		0);
	assert_int_equal(taken.port, 65535);
	assert_false(taken.on);
	assert_string_equal(taken.name, "abcdefg");
	assert_int_equal(taken.mode, 1);
	assert_int_equal(taken.ssrc_count, 2);
	assert_int_equal(taken.ssrcs[1], UINT32_MAX);
	assert_int_equal(taken.inner, 9);
}

static void wrong_members(void **state)
{
	static const struct {
		const char *text, *field, *detail;
	} rows[] = {
		{"[]", "body", "expected an object, got an array"},
		{"\"x\"", "body", "expected an object, got \"x\""},
		{"{}", "body.port", "this key is required"},
		{"{\"port\":null}", "body.port", "expected an integer from 1 to 65535, got null"},
		{"{\"port\":\"x\"}", "body.port", "expected an integer from 1 to 65535, got \"x\""},
		{"{\"port\":0}", "body.port", "expected an integer from 1 to 65535, got 0"},
		{"{\"port\":65536}", "body.port", "got 65536"},
		{"{\"port\":-1}", "body.port", "got -1"},
		{"{\"port\":1.5}", "body.port", "got 1.5"},
		{"{\"port\":1e999}", "body.port", "got inf"},
		{"{\"port\":18446744073709551617}", "body.port", "got 1.84467440737096e+19"},
		{"{\"port\":true}", "body.port", "got true"},
		{"{\"port\":[1]}", "body.port", "got an array"},
		{"{\"port\":{}}", "body.port", "got an object"},
		{"{\"port\":1,\"on\":1}", "body.on", "expected true or false, got 1"},
		{"{\"port\":1,\"on\":\"true\"}", "body.on", "expected true or false, got \"true\""},
		{"{\"port\":1,\"name\":5}", "body.name", "expected a string, got 5"},
		{"{\"port\":1,\"name\":\"\"}", "body.name", "expected a string of 1 to 7 bytes"},
		{"{\"port\":1,\"name\":\"abcdefgh\"}", "body.name", "got 8 bytes"},
		{"{\"port\":1,\"name\":\"a\\nb\"}", "body.name",
		 "without control characters, got \"a?b\""},
		{"{\"port\":1,\"name\":\"\\u007f\"}", "body.name", "without control characters"},
		{"{\"port\":1,\"name\":\"\\u009b\"}", "body.name", "without control characters"},
		{"{\"port\":1,\"mode\":\"Auto\"}", "body.mode",
		 "expected one of \"auto\", \"native\", got \"Auto\""},
		{"{\"port\":1,\"mode\":0}", "body.mode",
		 "expected one of \"auto\", \"native\", got 0"},
		{"{\"port\":1,\"ssrcs\":1}", "body.ssrcs", "expected an array, got 1"},
		{"{\"port\":1,\"ssrcs\":[1,2,3,4]}", "body.ssrcs",
		 "expected an array of 0 to 3 elements, got 4"},
		{"{\"port\":1,\"ssrcs\":[1,\"2\"]}", "body.ssrcs[1]", "got \"2\""},
		{"{\"port\":1,\"ssrcs\":[0]}", "body.ssrcs[0]", "from 1 to 4294967295, got 0"},
		{"{\"port\":1,\"inner\":1}", "body.inner", "expected an object, got 1"},
		{"{\"port\":1,\"inner\":{}}", "body.inner.value", "this key is required"},
		{"{\"port\":1,\"inner\":{\"value\":10}}", "body.inner.value",
		 "from 0 to 9, got 10"},
		{"{\"port\":1,\"inner\":{\"value\":1,\"x\":1}}", "body.inner.x", "unknown key"},
		/* the mistyped key explains the missing one */
		{"{\"prot\":1}", "body.prot", "unknown key; did you mean \"port\"?"},
		{"{\"Port\":1}", "body.Port", "unknown key; did you mean \"port\"?"},
		{"{\"port\":1,\"zzzzzzz\":1}", "body.zzzzzzz", "unknown key"},
		{"{\"port\":1,\"a\\u001b[2J\":1}", "body.a?[2J", "unknown key"},
		/* the first wrong value goes before unknown and missing keys */
		{"{\"on\":5,\"zz\":1}", "body.on", "expected true or false, got 5"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct taken taken = {0};
		struct br_error error;
		int err = take_all(rows[i].text, &taken, &error);

		if (err != -EINVAL || strcmp(error.field, rows[i].field) != 0 ||
		    !strstr(error.detail, rows[i].detail))
			fail_msg("%s: %d %s: %s", rows[i].text, err, error.field, error.detail);
	}
}

static void long_names(void **state)
{
	char text[600];
	struct br_error error;
	struct taken taken;

	(void)state;
	/* a path longer than its buffers is cut, not overrun */
	memset(text, 'k', sizeof(text));
	memcpy(text, "{\"port\":1,\"", 11);
	strcpy(text + 500, "\":1}");
	assert_int_equal(take_all(text, &taken, &error), -EINVAL);
	assert_string_equal(error.detail, "unknown key");
	assert_int_equal(strncmp(error.field, "body.kkkk", 9), 0);
	assert_true(strlen(error.field) < 60);
}

static void semantic_error(void **state)
{
	struct br_json_reader reader;
	struct br_error error = {0};
	cJSON *root;
	uint32_t value;

	(void)state;
	assert_int_equal(parse("{\"a\":1,\"b\":2}", 13, &root, &error), 0);
	br_json_begin(&reader, root, "", &error);
	assert_true(br_json_uint(&reader, "a", BR_JSON_REQUIRED, 0, 9, &value));
	assert_int_equal(br_json_fail(&reader, "a", "expected an even number, got %u", value),
			 -EINVAL);
	assert_false(br_json_uint(&reader, "b", BR_JSON_REQUIRED, 0, 1, &value));
	assert_int_equal(br_json_end(&reader), -EINVAL);
	assert_string_equal(error.field, "a");
	assert_string_equal(error.detail, "expected an even number, got 1");
	cJSON_Delete(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepted),
		cmocka_unit_test(refused),
		cmocka_unit_test(refused_with_length),
		cmocka_unit_test(truncated),
		cmocka_unit_test(mutated),
		cmocka_unit_test(many_members),
		cmocka_unit_test(members),
		cmocka_unit_test(wrong_members),
		cmocka_unit_test(long_names),
		cmocka_unit_test(semantic_error),
	};

	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
