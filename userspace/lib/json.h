/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Strict reading of JSON (RFC 8259) for the configuration and the API. cJSON builds the
 * tree; before it does, a scanner of our own refuses what cJSON lets pass: bytes after the
 * value, raw control characters, NUL, invalid UTF-8, numbers such as 01, deep nesting.
 *
 * Members of an object are taken one by one, by type and range:
 *
 *	struct br_json_reader reader;
 *
 *	br_json_begin(&reader, root, "", error);
 *	br_json_string(&reader, "name", BR_JSON_REQUIRED, name, sizeof(name));
 *	br_json_uint(&reader, "port", BR_JSON_REQUIRED, 1, 65535, &port);
 *	err = br_json_end(&reader);
 *
 * The first error sticks, later calls do nothing, and br_json_end reports it; it also
 * refuses every key that nobody asked for. Errors name the path: "media.interfaces[1]".
 */
#ifndef BR_JSON_H
#define BR_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "error.h"

#define BR_JSON_DEPTH_MAX   16	/* arrays and objects inside each other */
#define BR_JSON_MEMBERS_MAX 256 /* members of one object */
#define BR_JSON_KEYS_MAX    32	/* keys that one reader can ask for */
#define BR_JSON_PATH_MAX    96	/* path of an object, with NUL */

/**
 * br_json_check - is this exactly one JSON value, by our strict rules?
 * @text: @length bytes, any content, no NUL needed
 * @error: detail gives line and column (from 1; columns count characters)
 *
 * Return: 0 or -EINVAL.
 */
int br_json_check(const char *text, size_t length, struct br_error *error);

/**
 * br_json_parse - check and parse
 * @text: @length bytes, any content, no NUL needed
 * @root: set on success; owned by the caller, freed by cJSON_Delete
 *
 * Return: 0, -EINVAL for everything br_json_check refuses and for duplicate keys, -ENOMEM.
 */
int br_json_parse(const char *text, size_t length, cJSON **root, struct br_error *error);

/** br_json_path - "media" and "port" give "media.port", "a" and "[1]" give "a[1]"; cut to @size */
void br_json_path(char *out, size_t size, const char *path, const char *key);

enum br_json_need {
	BR_JSON_OPTIONAL, /* absent: the output stays as it is */
	BR_JSON_REQUIRED,
};

/* Reads one object. Treat as opaque; lives on the stack, owns nothing. */
struct br_json_reader {
	const cJSON *object;
	struct br_error *error;
	int status;   /* 0 or negative errno of the first error */
	bool missing; /* the first error is an absent key */
	char path[BR_JSON_PATH_MAX];
	const char *known[BR_JSON_KEYS_MAX];
	size_t known_count;
	struct br_json_reader *parent; /* learns of errors; NULL at the root */
};

/**
 * br_json_begin - start reading an object
 * @node: must outlive the reader; an error when it is no object
 * @path: prefix for field names, "" at the root; copied
 * @error: filled with the first error; may be NULL
 *
 * Return: 0 or -EINVAL (which br_json_end returns as well).
 */
int br_json_begin(struct br_json_reader *reader, const cJSON *node, const char *path,
		  struct br_error *error);
/**
 * br_json_end - first error, else refuse keys that were not asked for, else 0
 *
 * An unknown key goes before a missing one, as the usual cause is one mistyped key.
 */
int br_json_end(struct br_json_reader *reader);

/*
 * The functions below take one member each. @key must be a literal or outlive the reader.
 * They return true when the member was present and valid and the output was set; false
 * when it is absent, or invalid, or an earlier error stands. null is a wrong type.
 */

/** br_json_uint - an integer @min..@max */
bool br_json_uint(struct br_json_reader *reader, const char *key, enum br_json_need need,
		  uint32_t min, uint32_t max, uint32_t *out);
/** br_json_bool - true or false */
bool br_json_bool(struct br_json_reader *reader, const char *key, enum br_json_need need,
		  bool *out);
/** br_json_string - 1..@size - 1 bytes of UTF-8 without control characters, copied with NUL */
bool br_json_string(struct br_json_reader *reader, const char *key, enum br_json_need need,
		    char *out, size_t size);
/** br_json_choice - one of @count words; @out is the index of the word */
bool br_json_choice(struct br_json_reader *reader, const char *key, enum br_json_need need,
		    const char *const *words, size_t count, int *out);
/** br_json_array - an array of @min..@max elements; @out points into the tree */
bool br_json_array(struct br_json_reader *reader, const char *key, enum br_json_need need,
		   size_t min, size_t max, const cJSON **out);
/** br_json_uints - an array of up to @capacity integers @min..@max; @count is set */
bool br_json_uints(struct br_json_reader *reader, const char *key, enum br_json_need need,
		   uint32_t min, uint32_t max, uint32_t *out, size_t capacity, size_t *count);
/**
 * br_json_object - an object of its own, read with @child and ended by br_json_end(child)
 *
 * An error in the child is an error of the parent, which must outlive it.
 */
bool br_json_object(struct br_json_reader *reader, const char *key, enum br_json_need need,
		    struct br_json_reader *child);

/** br_json_item_string - element @index of the array @key, as br_json_string */
bool br_json_item_string(struct br_json_reader *reader, const char *key, size_t index,
			 const cJSON *item, char *out, size_t size);

/** br_json_item_object - element @index of the array @key, as br_json_object */
bool br_json_item_object(struct br_json_reader *reader, const char *key, size_t index,
			 const cJSON *item, struct br_json_reader *child);

/**
 * br_json_fail - report a value that has the right type but a wrong meaning
 * @key: member at fault, or NULL for the object itself
 * @format: "expected ..., got ..."
 *
 * Return: the status, -EINVAL unless an earlier error stands.
 */
int br_json_fail(struct br_json_reader *reader, const char *key, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
