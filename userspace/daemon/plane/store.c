// SPDX-License-Identifier: BSD-2-Clause
/* Cutting records into parts and putting them together again. */
#include "plane/store.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

/* Marks the parts of one generation; the two that may exist at a time differ in it. */
static uint32_t br_store_parity(uint32_t generation)
{
	return generation & 1 ? BR_STORE_ODD : 0;
}

static uint32_t br_store_sum(uint32_t kind, uint32_t id, uint32_t generation, const void *data,
			     size_t size)
{
	const uint32_t about[4] = {kind, id, generation, (uint32_t)size};
	uLong sum = crc32(0, data, (uInt)size);

	return (uint32_t)crc32(sum, (const Bytef *)about, sizeof(about));
}

/*
 * The record of one generation, into BR_STORE_RECORD_MAX bytes; its size, -ENOENT when there
 * is none, -EBADMSG when it is not whole.
 */
static int br_store_read(const struct br_store_map *map, struct br_store_key key, uint8_t *data,
			 uint32_t *generation)
{
	uint32_t parity = key.part & BR_STORE_ODD;
	struct br_store_part first, part;
	int err;

	key.part = parity;
	err = map->get(map->context, &key, &first);
	if (err)
		return err;
	if (first.parts == 0 || first.parts > BR_STORE_PARTS_MAX ||
	    br_store_parity(first.generation) != parity ||
	    (first.length + BR_STORE_PAYLOAD - 1) / BR_STORE_PAYLOAD != first.parts)
		return -EBADMSG;
	for (uint32_t i = 0; i < first.parts; i++) {
		size_t offset = (size_t)i * BR_STORE_PAYLOAD, left = first.length - offset;

		key.part = parity | i;
		if (map->get(map->context, &key, &part) || part.checksum != first.checksum ||
		    part.generation != first.generation)
			return -EBADMSG;
		memcpy(data + offset, part.payload,
		       left < BR_STORE_PAYLOAD ? left : BR_STORE_PAYLOAD);
	}
	if (first.checksum != br_store_sum(key.kind, key.id, first.generation, data, first.length))
		return -EBADMSG;
	*generation = first.generation;
	return first.length;
}

/* Delete the parts of one generation, up to @parts of them whether or not they are there. */
static int br_store_erase(const struct br_store_map *map, struct br_store_key key, uint32_t parts)
{
	uint32_t parity = key.part & BR_STORE_ODD;
	int err = 0;

	/* the first one last: without it the rest would not be found again */
	while (parts-- > 0) {
		int failed;

		key.part = parity | parts;
		failed = map->remove(map->context, &key);
		if (failed && failed != -ENOENT && !err)
			err = failed;
	}
	return err;
}

/* How many parts a generation has, by what is there and by what the first one says. */
static uint32_t br_store_count(const struct br_store_map *map, struct br_store_key key)
{
	uint32_t parity = key.part & BR_STORE_ODD, count = 0;
	struct br_store_part part;

	key.part = parity;
	if (!map->get(map->context, &key, &part) && part.parts <= BR_STORE_PARTS_MAX)
		count = part.parts;
	for (key.part = parity | count; !map->get(map->context, &key, &part); key.part++)
		if (++count == BR_STORE_PARTS_MAX)
			break;
	return count;
}

static int br_store_clear(const struct br_store_map *map, struct br_store_key key)
{
	uint32_t count = br_store_count(map, key);

	return count ? br_store_erase(map, key, count) : 0;
}

static int br_store_write(const struct br_store_map *map, struct br_store_key key,
			  uint32_t generation, const uint8_t *data, size_t size)
{
	struct br_store_part part = {
		.checksum = br_store_sum(key.kind, key.id, generation, data, size),
		.generation = generation,
		.length = (__u16)size,
		.parts = (__u16)((size + BR_STORE_PAYLOAD - 1) / BR_STORE_PAYLOAD),
	};

	for (uint32_t i = 0; i < part.parts; i++) {
		size_t offset = (size_t)i * BR_STORE_PAYLOAD, left = size - offset;
		int err;

		memset(part.payload, 0, sizeof(part.payload));
		memcpy(part.payload, data + offset,
		       left < BR_STORE_PAYLOAD ? left : BR_STORE_PAYLOAD);
		key.part = br_store_parity(generation) | i;
		err = map->put(map->context, &key, &part);
		if (err) {
			br_store_erase(map, key, i);
			return err;
		}
	}
	return 0;
}
_Static_assert(BR_STORE_RECORD_MAX <= UINT16_MAX, "br_store_part.length");

/* The newest whole record; -ENOENT when there is none. */
static int br_store_newest(const struct br_store_map *map, uint32_t kind, uint32_t id,
			   uint8_t *data, uint32_t *generation)
{
	uint8_t other[BR_STORE_RECORD_MAX];
	struct br_store_key even = {kind, id, 0}, odd = {kind, id, BR_STORE_ODD};
	uint32_t other_generation = 0;
	int size, other_size;

	*generation = 0;
	size = br_store_read(map, even, data, generation);
	other_size = br_store_read(map, odd, other, &other_generation);

	if (other_size > 0 && (size < 0 || (int32_t)(other_generation - *generation) > 0)) {
		memcpy(data, other, (size_t)other_size);
		*generation = other_generation;
		return other_size;
	}
	return size > 0 ? size : -ENOENT;
}

int br_store_put(const struct br_store_map *map, uint32_t kind, uint32_t id, const void *data,
		 size_t size)
{
	struct br_store_key fresh = {kind, id, 0}, old = {kind, id, 0};
	uint8_t present[BR_STORE_RECORD_MAX];
	uint32_t generation = 0;
	int err;

	if (size == 0 || size > BR_STORE_RECORD_MAX)
		return -EINVAL;
	if (br_store_newest(map, kind, id, present, &generation) < 0)
		generation = 0;
	old.part = br_store_parity(generation);
	fresh.part = br_store_parity(generation + 1);
	err = br_store_clear(map, fresh); /* of a write that was cut off */
	if (!err)
		err = br_store_write(map, fresh, generation + 1, data, size);
	return err ? err : br_store_clear(map, old);
}

int br_store_delete(const struct br_store_map *map, uint32_t kind, uint32_t id)
{
	struct br_store_key even = {kind, id, 0}, odd = {kind, id, BR_STORE_ODD};
	int err = br_store_clear(map, even), other = br_store_clear(map, odd);

	return err ? err : other;
}

static int br_store_compare(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return left < right ? -1 : left > right;
}

/* Every id of which something is there, each once, ascending; freed by the caller. */
static int br_store_ids(const struct br_store_map *map, uint32_t kind, uint32_t **out,
			size_t *count)
{
	struct br_store_key key, next;
	size_t room = 0, unique = 0;
	uint32_t *ids = NULL;
	int err = map->next(map->context, NULL, &key);

	for (*count = 0; !err; key = next) {
		if (key.kind == kind && *count == room) {
			uint32_t *grown = reallocarray(ids, room ? room * 2 : 256, sizeof(*ids));

			if (!grown) {
				free(ids);
				return -ENOMEM;
			}
			ids = grown;
			room = room ? room * 2 : 256;
		}
		if (key.kind == kind)
			ids[(*count)++] = key.id;
		err = map->next(map->context, &key, &next);
	}
	if (*count)
		qsort(ids, *count, sizeof(*ids), br_store_compare);
	for (size_t i = 0; i < *count; i++)
		if (i == 0 || ids[i] != ids[unique - 1])
			ids[unique++] = ids[i];
	*count = unique;
	*out = ids;
	return err == -ENOENT ? 0 : err;
}

/* Parts that no whole record owns: of a write or a deletion that was cut off. */
static void br_store_tidy(const struct br_store_map *map, uint32_t kind, size_t *dropped)
{
	struct br_store_key key = {0}, next = {0};
	int err = map->next(map->context, NULL, &key);

	for (; !err; key = next) {
		uint8_t data[BR_STORE_RECORD_MAX];
		uint32_t generation, index = key.part & ~BR_STORE_ODD;
		int size = 0;

		/* before anything is removed: behind a key that is gone the walk would restart */
		err = map->next(map->context, &key, &next);
		if (key.kind != kind)
			continue;
		size = br_store_newest(map, kind, key.id, data, &generation);
		if (size > 0 && br_store_parity(generation) == (key.part & BR_STORE_ODD) &&
		    index < ((uint32_t)size + BR_STORE_PAYLOAD - 1) / BR_STORE_PAYLOAD)
			continue;
		if (!map->remove(map->context, &key) && size < 0 && index == 0)
			(*dropped)++;
	}
}

int br_store_each(const struct br_store_map *map, uint32_t kind, br_store_visit visit,
		  void *context, size_t *dropped)
{
	uint8_t data[BR_STORE_RECORD_MAX];
	uint32_t *ids = NULL, generation;
	size_t count = 0, lost = 0;
	int err;

	br_store_tidy(map, kind, &lost);
	err = br_store_ids(map, kind, &ids, &count);
	for (size_t i = 0; i < count && !err; i++) {
		int size = br_store_newest(map, kind, ids[i], data, &generation);

		if (size > 0)
			visit(context, ids[i], data, (size_t)size);
	}
	free(ids);
	if (dropped)
		*dropped = lost;
	return err;
}
