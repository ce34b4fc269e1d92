/* SPDX-License-Identifier: BSD-2-Clause */
#include "room/names.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "room/room.h"

#define FIRST_BUCKETS 8u

bool br_name_valid(const char *name)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789_.-";
	size_t length = strspn(name, allowed);

	if (length == 0 || length > BR_NAME_MAX || name[length] != '\0')
		return false;
	/* names stand in URL paths, where these two mean something else */
	return strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

/* FNV-1a. Names come from authorized callers and tables are bounded: no keyed hash needed. */
static uint32_t hash(const char *name)
{
	uint32_t h = 2166136261u;

	for (; *name; name++)
		h = (h ^ (uint8_t)*name) * 16777619u;
	return h;
}

static struct br_name_entry **bucket_of(const struct br_names *names, const char *name)
{
	return &names->buckets[hash(name) & (names->bucket_count - 1)];
}

static int grow(struct br_names *names)
{
	struct br_names bigger = {.bucket_count = FIRST_BUCKETS, .count = names->count};

	if (names->bucket_count)
		bigger.bucket_count = 2 * names->bucket_count;
	bigger.buckets = calloc(bigger.bucket_count, sizeof(*bigger.buckets));
	if (!bigger.buckets)
		return -ENOMEM;
	for (uint32_t i = 0; i < names->bucket_count; i++) {
		struct br_name_entry *entry = names->buckets[i], *next;

		for (; entry; entry = next) {
			struct br_name_entry **bucket = bucket_of(&bigger, entry->name);

			next = entry->next;
			entry->next = *bucket;
			*bucket = entry;
		}
	}
	free(names->buckets);
	*names = bigger;
	return 0;
}

int br_names_insert(struct br_names *names, struct br_name_entry *entry)
{
	struct br_name_entry **bucket;

	/* a table that cannot grow is slower, not wrong */
	if (names->count >= names->bucket_count && grow(names) && !names->bucket_count)
		return -ENOMEM;
	bucket = bucket_of(names, entry->name);
	entry->next = *bucket;
	*bucket = entry;
	names->count++;
	return 0;
}

void br_names_remove(struct br_names *names, struct br_name_entry *entry)
{
	struct br_name_entry **link;

	if (!names->bucket_count)
		return;
	for (link = bucket_of(names, entry->name); *link; link = &(*link)->next) {
		if (*link == entry) {
			*link = entry->next;
			names->count--;
			return;
		}
	}
}

struct br_name_entry *br_names_find(const struct br_names *names, const char *name)
{
	struct br_name_entry *entry;

	if (!names->bucket_count)
		return NULL;
	for (entry = *bucket_of(names, name); entry; entry = entry->next)
		if (!strcmp(entry->name, name))
			return entry;
	return NULL;
}

void br_names_clear(struct br_names *names)
{
	free(names->buckets);
	memset(names, 0, sizeof(*names));
}
