/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of rooms and legs: look-up by hash. The entries live inside what they name. */
#ifndef BR_NAMES_H
#define BR_NAMES_H

#include <stddef.h>
#include <stdint.h>

/* Put first into a named object; @name must live as long as the entry is in a table. */
struct br_name_entry {
	const char *name;
	struct br_name_entry *next;
};

/* All zero: an empty table. */
struct br_names {
	struct br_name_entry **buckets;
	uint32_t bucket_count; /* a power of two, or 0 */
	uint32_t count;
};

/** br_names_insert - @entry->name must be set and not be in the table; -ENOMEM */
int br_names_insert(struct br_names *names, struct br_name_entry *entry);
/** br_names_remove - nothing happens when @entry is not in the table */
void br_names_remove(struct br_names *names, struct br_name_entry *entry);
/** br_names_find - NULL when there is none */
struct br_name_entry *br_names_find(const struct br_names *names, const char *name);
/** br_names_clear - free the table, not the entries */
void br_names_clear(struct br_names *names);

#endif
