// SPDX-License-Identifier: BSD-2-Clause
/* Taking typed members from an object. */
#include "json.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

/* What a value is, for "expected ..., got ...". */
static const char *describe(const cJSON *node, char out[static BR_QUOTE_TEXT])
{
	switch (node->type & 0xff) {
	case cJSON_False:
		return "false";
	case cJSON_True:
		return "true";
	case cJSON_NULL:
		return "null";
	case cJSON_Number:
		snprintf(out, BR_QUOTE_TEXT, "%.15g", node->valuedouble);
		return out;
	case cJSON_String:
		return br_text_quote(node->valuestring, strlen(node->valuestring), out);
	case cJSON_Array:
		return "an array";
	default:
		return "an object";
	}
}

static void set_error(struct br_json_reader *reader, const char *key, const char *detail)
{
	char field[sizeof(((struct br_error *)0)->field)];

	br_json_path(field, sizeof(field), reader->path, key);
	reader->status = br_error_set(reader->error, -EINVAL, field, "%s", detail);
}

int br_json_fail(struct br_json_reader *reader, const char *key, const char *format, ...)
{
	char detail[sizeof(((struct br_error *)0)->detail)];
	va_list args;

	/* a wrong value is better news than a key that is not there */
	if (reader->status && !reader->missing)
		return reader->status;
	va_start(args, format);
	vsnprintf(detail, sizeof(detail), format, args);
	va_end(args);
	set_error(reader, key, detail);
	reader->missing = false;
	return reader->status;
}

int br_json_begin(struct br_json_reader *reader, const cJSON *node, const char *path,
		  struct br_error *error)
{
	char got[BR_QUOTE_TEXT];

	memset(reader, 0, sizeof(*reader));
	reader->error = error;
	snprintf(reader->path, sizeof(reader->path), "%s", path);
	if (cJSON_IsObject(node))
		reader->object = node;
	else
		br_json_fail(reader, NULL, "expected an object, got %s",
			     node ? describe(node, got) : "nothing");
	return reader->status;
}

/* NULL when the member is absent or an earlier error stands. */
static const cJSON *take(struct br_json_reader *reader, const char *key, enum br_json_need need)
{
	const cJSON *node;

	assert(reader->known_count < BR_JSON_KEYS_MAX);
	reader->known[reader->known_count++] = key;
	if (reader->status && !reader->missing)
		return NULL;
	node = cJSON_GetObjectItemCaseSensitive(reader->object, key);
	if (node || need == BR_JSON_OPTIONAL || reader->missing)
		return node;
	set_error(reader, key, "this key is required");
	reader->missing = true;
	return NULL;
}

static bool is_known(const struct br_json_reader *reader, const char *key)
{
	for (size_t i = 0; i < reader->known_count; i++) {
		if (strcmp(reader->known[i], key) == 0)
			return true;
	}
	return false;
}

static void refuse_unknown(struct br_json_reader *reader)
{
	for (const cJSON *item = reader->object->child; item; item = item->next) {
		char name[BR_QUOTE_TEXT];
		const char *nearest;

		if (is_known(reader, item->string))
			continue;
		br_text_name(item->string, name);
		nearest = br_text_nearest(item->string, reader->known, reader->known_count);
		if (nearest)
			br_json_fail(reader, name, "unknown key; did you mean \"%s\"?", nearest);
		else
			br_json_fail(reader, name, "unknown key");
		return;
	}
}

int br_json_end(struct br_json_reader *reader)
{
	if (!reader->status || reader->missing)
		refuse_unknown(reader);
	if (reader->parent && reader->status) {
		reader->parent->status = reader->status;
		reader->parent->missing = reader->missing;
	}
	return reader->status;
}

static bool read_uint(struct br_json_reader *reader, const char *key, const cJSON *node,
		      uint32_t min, uint32_t max, uint32_t *out)
{
	char got[BR_QUOTE_TEXT];
	double value = cJSON_IsNumber(node) ? node->valuedouble : NAN;

	/* written so that NaN fails */
	if (!(value >= min && value <= max) || value != (uint32_t)value) {
		br_json_fail(reader, key, "expected an integer from %u to %u, got %s", min, max,
			     describe(node, got));
		return false;
	}
	*out = (uint32_t)value;
	return true;
}

bool br_json_uint(struct br_json_reader *reader, const char *key, enum br_json_need need,
		  uint32_t min, uint32_t max, uint32_t *out)
{
	const cJSON *node = take(reader, key, need);

	return node && read_uint(reader, key, node, min, max, out);
}

bool br_json_bool(struct br_json_reader *reader, const char *key, enum br_json_need need, bool *out)
{
	const cJSON *node = take(reader, key, need);
	char got[BR_QUOTE_TEXT];

	if (!node)
		return false;
	if (!cJSON_IsBool(node)) {
		br_json_fail(reader, key, "expected true or false, got %s", describe(node, got));
		return false;
	}
	*out = cJSON_IsTrue(node);
	return true;
}

/* C0, DEL and C1 (U+0080..U+009F, in UTF-8 C2 80..C2 9F) */
static bool has_control(const char *text)
{
	for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
		if (*c < ' ' || *c == 0x7f || (*c == 0xc2 && c[1] < 0xa0))
			return true;
	}
	return false;
}

static bool read_string(struct br_json_reader *reader, const char *key, const cJSON *node,
			char *out, size_t size)
{
	char got[BR_QUOTE_TEXT];
	size_t length;

	if (!cJSON_IsString(node)) {
		br_json_fail(reader, key, "expected a string, got %s", describe(node, got));
		return false;
	}
	length = strlen(node->valuestring);
	if (length == 0 || length >= size) {
		br_json_fail(reader, key, "expected a string of 1 to %zu bytes, got %zu bytes",
			     size - 1, length);
		return false;
	}
	if (has_control(node->valuestring)) {
		br_json_fail(reader, key, "expected a string without control characters, got %s",
			     describe(node, got));
		return false;
	}
	memcpy(out, node->valuestring, length + 1);
	return true;
}

bool br_json_string(struct br_json_reader *reader, const char *key, enum br_json_need need,
		    char *out, size_t size)
{
	const cJSON *node = take(reader, key, need);

	return node && read_string(reader, key, node, out, size);
}

bool br_json_choice(struct br_json_reader *reader, const char *key, enum br_json_need need,
		    const char *const *words, size_t count, int *out)
{
	const cJSON *node = take(reader, key, need);
	char got[BR_QUOTE_TEXT], list[160] = "";
	size_t used = 0;

	if (!node)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (cJSON_IsString(node) && strcmp(node->valuestring, words[i]) == 0) {
			*out = (int)i;
			return true;
		}
		if (used < sizeof(list))
			used += (size_t)snprintf(list + used, sizeof(list) - used, "%s\"%s\"",
						 i ? ", " : "", words[i]);
	}
	br_json_fail(reader, key, "expected one of %s, got %s", list, describe(node, got));
	return false;
}

bool br_json_array(struct br_json_reader *reader, const char *key, enum br_json_need need,
		   size_t min, size_t max, const cJSON **out)
{
	const cJSON *node = take(reader, key, need);
	char got[BR_QUOTE_TEXT];
	size_t count = 0;

	if (!node)
		return false;
	if (!cJSON_IsArray(node)) {
		br_json_fail(reader, key, "expected an array, got %s", describe(node, got));
		return false;
	}
	for (const cJSON *item = node->child; item; item = item->next)
		count++;
	if (count < min || count > max) {
		br_json_fail(reader, key, "expected an array of %zu to %zu elements, got %zu", min,
			     max, count);
		return false;
	}
	*out = node;
	return true;
}

/* "interfaces", 2 -> "interfaces[2]" */
static void item_key(char *out, size_t size, const char *key, size_t index)
{
	snprintf(out, size, "%s[%zu]", key, index);
}

bool br_json_uints(struct br_json_reader *reader, const char *key, enum br_json_need need,
		   uint32_t min, uint32_t max, uint32_t *out, size_t capacity, size_t *count)
{
	const cJSON *array;
	size_t index = 0;

	if (!br_json_array(reader, key, need, 0, capacity, &array))
		return false;
	for (const cJSON *item = array->child; item; item = item->next) {
		char name[BR_JSON_PATH_MAX];

		item_key(name, sizeof(name), key, index);
		if (!read_uint(reader, name, item, min, max, &out[index]))
			return false;
		index++;
	}
	*count = index;
	return true;
}

static bool open_child(struct br_json_reader *reader, const char *key, const cJSON *node,
		       struct br_json_reader *child)
{
	char path[BR_JSON_PATH_MAX];

	br_json_path(path, sizeof(path), reader->path, key);
	if (br_json_begin(child, node, path, reader->error)) {
		reader->status = child->status;
		reader->missing = false;
		return false;
	}
	child->parent = reader;
	return true;
}

bool br_json_object(struct br_json_reader *reader, const char *key, enum br_json_need need,
		    struct br_json_reader *child)
{
	const cJSON *node = take(reader, key, need);

	return node && open_child(reader, key, node, child);
}

bool br_json_item_object(struct br_json_reader *reader, const char *key, size_t index,
			 const cJSON *item, struct br_json_reader *child)
{
	char name[BR_JSON_PATH_MAX];

	if (reader->status && !reader->missing)
		return false;
	item_key(name, sizeof(name), key, index);
	return open_child(reader, name, item, child);
}

bool br_json_item_string(struct br_json_reader *reader, const char *key, size_t index,
			 const cJSON *item, char *out, size_t size)
{
	char name[BR_JSON_PATH_MAX];

	if (reader->status && !reader->missing)
		return false;
	item_key(name, sizeof(name), key, index);
	return read_string(reader, name, item, out, size);
}
