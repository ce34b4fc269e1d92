/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records in a map of the kernel that outlive the daemon. A record that was being written
 * when the daemon was killed is recognised and dropped; the one it should have replaced is
 * still there. The map is reached through four functions, so that tests need no kernel.
 */
#ifndef BR_STORE_H
#define BR_STORE_H

#include <stddef.h>
#include <stdint.h>

#include <blindrelay/state.h>

#define BR_STORE_RECORD_MAX (BR_STORE_PAYLOAD * BR_STORE_PARTS_MAX) /* bytes */

/* A map from struct br_store_key to struct br_store_part; 0 or a negative errno. */
struct br_store_map {
	int (*put)(void *context, const struct br_store_key *key, const struct br_store_part *part);
	int (*get)(void *context, const struct br_store_key *key, struct br_store_part *part);
	int (*remove)(void *context, const struct br_store_key *key);
	/* key after @key in any order; NULL: the first; -ENOENT behind the last */
	int (*next)(void *context, const struct br_store_key *key, struct br_store_key *next);
	void *context;
};

/**
 * br_store_put - write or replace a record
 * @data: @size bytes, 1..BR_STORE_RECORD_MAX
 *
 * Return: 0; -EINVAL for the size; -E2BIG when the map is full, and then the record is what
 * it was before.
 */
int br_store_put(const struct br_store_map *map, uint32_t kind, uint32_t id, const void *data,
		 size_t size);
/** br_store_delete - 0, also when there is no such record */
int br_store_delete(const struct br_store_map *map, uint32_t kind, uint32_t id);

typedef void (*br_store_visit)(void *context, uint32_t id, const void *data, size_t size);

/**
 * br_store_each - visit the complete records of one kind, in ascending order of id
 * @visit: may put and delete records
 * @dropped: NULL, or set to how many incomplete records were found and deleted
 *
 * Return: 0, -ENOMEM, or the error of the map.
 */
int br_store_each(const struct br_store_map *map, uint32_t kind, br_store_visit visit,
		  void *context, size_t *dropped);

#endif
