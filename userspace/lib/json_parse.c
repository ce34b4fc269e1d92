// SPDX-License-Identifier: BSD-2-Clause
/* From text to a tree: the checks that need the tree, around cJSON. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "text.h"

void br_json_path(char *out, size_t size, const char *path, const char *key)
{
	if (!key || !*key)
		snprintf(out, size, "%s", path);
	else
		snprintf(out, size, "%s%s%s", path, *path && *key != '[' ? "." : "", key);
}

static int compare_names(const void *a, const void *b)
{
	const cJSON *const *x = a;
	const cJSON *const *y = b;

	return strcmp((*x)->string, (*y)->string);
}

static int check_members(const cJSON *object, const char *path, struct br_error *error)
{
	const cJSON *members[BR_JSON_MEMBERS_MAX];
	char field[sizeof(((struct br_error *)0)->field)], safe[BR_QUOTE_TEXT];
	size_t count = 0;

	for (const cJSON *item = object->child; item; item = item->next) {
		if (count == BR_JSON_MEMBERS_MAX)
			return br_error_set(error, -EINVAL, path,
					    "expected an object of at most %d keys",
					    BR_JSON_MEMBERS_MAX);
		members[count++] = item;
	}
	qsort(members, count, sizeof(const cJSON *), compare_names);
	for (size_t i = 1; i < count; i++) {
		const char *name = members[i]->string;

		if (strcmp(name, members[i - 1]->string) != 0)
			continue;
		br_text_name(name, safe);
		br_json_path(field, sizeof(field), path, safe);
		return br_error_set(error, -EINVAL, field,
				    "expected each key once, got \"%s\" twice", safe);
	}
	return 0;
}

/* Recursion ends at BR_JSON_DEPTH_MAX, which br_json_check has enforced. */
static int check_tree(const cJSON *node, const char *path, struct br_error *error)
{
	char child[BR_JSON_PATH_MAX];
	size_t index = 0;
	int err = 0;

	if (cJSON_IsObject(node))
		err = check_members(node, path, error);
	for (const cJSON *item = node->child; item && !err; item = item->next, index++) {
		char key[BR_QUOTE_TEXT];

		if (!cJSON_IsObject(item) && !cJSON_IsArray(item))
			continue;
		if (item->string)
			br_text_name(item->string, key);
		else
			snprintf(key, sizeof(key), "[%zu]", index);
		br_json_path(child, sizeof(child), path, key);
		err = check_tree(item, child, error);
	}
	return err;
}

int br_json_parse(const char *text, size_t length, cJSON **root, struct br_error *error)
{
	cJSON *tree;
	int err = br_json_check(text, length, error);

	if (err)
		return err;
	tree = cJSON_ParseWithLength(text, length);
	if (!tree)
		return br_error_set(error, -ENOMEM, NULL, "out of memory while reading JSON");
	err = check_tree(tree, "", error);
	if (err) {
		cJSON_Delete(tree);
		return err;
	}
	*root = tree;
	return 0;
}
