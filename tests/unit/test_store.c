// SPDX-License-Identifier: BSD-2-Clause
/*
 * The store on a map in memory that stops working after any number of writes, as a daemon
 * does that is killed: afterwards each record is the old one or the new one, never a mixture.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "plane/store.h"

#define ENTRIES 256

struct entry {
	bool used;
	struct br_store_key key;
	struct br_store_part part;
};

struct memory {
	struct entry entries[ENTRIES];
	size_t room;	  /* entries it takes */
	long writes_left; /* until the daemon dies; negative: it lives */
	struct br_store_map map;
};

static struct entry *find(struct memory *memory, const struct br_store_key *key)
{
	for (size_t i = 0; i < ENTRIES; i++)
		if (memory->entries[i].used && !memcmp(&memory->entries[i].key, key, sizeof(*key)))
			return &memory->entries[i];
	return NULL;
}

static size_t used(const struct memory *memory)
{
	size_t count = 0;

	for (size_t i = 0; i < ENTRIES; i++)
		count += memory->entries[i].used;
	return count;
}

/* A dead daemon writes nothing, whatever its code would have gone on to do. */
static bool dead(struct memory *memory)
{
	if (memory->writes_left == 0)
		return true;
	if (memory->writes_left > 0)
		memory->writes_left--;
	return false;
}

static int put(void *context, const struct br_store_key *key, const struct br_store_part *part)
{
	struct memory *memory = context;
	struct entry *entry = find(memory, key);

	if (dead(memory))
		return 0;
	if (!entry && used(memory) >= memory->room)
		return -E2BIG;
	for (size_t i = 0; !entry; i++)
		if (!memory->entries[i].used)
			entry = &memory->entries[i];
	*entry = (struct entry){.used = true, .key = *key, .part = *part};
	return 0;
}

static int get(void *context, const struct br_store_key *key, struct br_store_part *part)
{
	const struct entry *entry = find(context, key);

	if (!entry)
		return -ENOENT;
	*part = entry->part;
	return 0;
}

static int drop(void *context, const struct br_store_key *key)
{
	struct memory *memory = context;
	struct entry *entry = find(memory, key);

	if (!entry)
		return -ENOENT;
	if (!dead(memory))
		entry->used = false;
	return 0;
}

/* As a hash map of the kernel: behind a key that is gone it begins anew. */
static int next(void *context, const struct br_store_key *key, struct br_store_key *out)
{
	struct memory *memory = context;
	const struct entry *entry = key ? find(memory, key) : NULL;

	for (size_t i = entry ? (size_t)(entry - memory->entries) + 1 : 0; i < ENTRIES; i++)
		if (memory->entries[i].used) {
			*out = memory->entries[i].key;
			return 0;
		}
	return -ENOENT;
}

static int setup(void **state)
{
	struct memory *memory = calloc(1, sizeof(*memory));

	assert_non_null(memory);
	memory->room = ENTRIES;
	memory->writes_left = -1;
	memory->map = (struct br_store_map){put, get, drop, next, memory};
	*state = memory;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

/* Bytes that tell which version of which record they are of. */
static void fill(uint8_t *data, size_t size, unsigned int version)
{
	for (size_t i = 0; i < size; i++)
		data[i] = (uint8_t)(i * 7 + version * 31);
}

static int put_version(struct memory *memory, uint32_t id, size_t size, unsigned int version)
{
	uint8_t data[BR_STORE_RECORD_MAX];

	fill(data, size, version);
	return br_store_put(&memory->map, BR_STORE_LEG, id, data, size);
}

#define SEEN_MAX 16

struct seen {
	uint32_t ids[SEEN_MAX];
	size_t sizes[SEEN_MAX];
	uint8_t first[SEEN_MAX]; /* byte 0: the version */
	size_t count;
};

static void see(void *context, uint32_t id, const void *data, size_t size)
{
	struct seen *seen = context;
	uint8_t expected[BR_STORE_RECORD_MAX];
	const uint8_t *bytes = data;

	assert_true(seen->count < SEEN_MAX);
	for (size_t i = 0; i < size; i++)
		expected[i] = (uint8_t)(i * 7 + bytes[0]);
	assert_memory_equal(data, expected, size); /* no mixture */
	seen->ids[seen->count] = id;
	seen->sizes[seen->count] = size;
	seen->first[seen->count++] = bytes[0];
}

static struct seen look(struct memory *memory, size_t *dropped)
{
	struct seen seen = {0};

	assert_int_equal(br_store_each(&memory->map, BR_STORE_LEG, see, &seen, dropped), 0);
	return seen;
}

static void comes_back(void **state)
{
	static const size_t sizes[] = {1, 99, 100, 101, 200, 630, BR_STORE_RECORD_MAX};
	struct memory *memory = *state;
	size_t dropped = 0, parts = 0;
	struct seen seen;

	for (uint32_t i = 7; i-- > 0;)
		assert_int_equal(put_version(memory, i, sizes[i], i), 0);
	seen = look(memory, &dropped);
	assert_int_equal(seen.count, 7);
	for (uint32_t i = 0; i < 7; i++) {
		assert_int_equal(seen.ids[i], i); /* ascending */
		assert_int_equal(seen.sizes[i], sizes[i]);
		assert_int_equal(seen.first[i], i * 31);
		parts += (sizes[i] + BR_STORE_PAYLOAD - 1) / BR_STORE_PAYLOAD;
	}
	assert_int_equal(dropped, 0);
	assert_int_equal(used(memory), parts);
	for (uint32_t i = 0; i < 7; i++)
		assert_int_equal(br_store_delete(&memory->map, BR_STORE_LEG, i), 0);
	assert_int_equal(used(memory), 0);
	assert_int_equal(br_store_delete(&memory->map, BR_STORE_LEG, 3), 0);
}

static void wrong_sizes(void **state)
{
	struct memory *memory = *state;
	uint8_t data[BR_STORE_RECORD_MAX + 1] = {0};

	assert_int_equal(br_store_put(&memory->map, BR_STORE_LEG, 1, data, 0), -EINVAL);
	assert_int_equal(br_store_put(&memory->map, BR_STORE_LEG, 1, data, sizeof(data)), -EINVAL);
	assert_int_equal(used(memory), 0);
}

static void kinds_are_apart(void **state)
{
	struct memory *memory = *state;
	uint8_t data[10];

	fill(data, sizeof(data), 5);
	assert_int_equal(br_store_put(&memory->map, BR_STORE_ROOM, 1, data, sizeof(data)), 0);
	assert_int_equal(put_version(memory, 1, 10, 6), 0);
	assert_int_equal(br_store_delete(&memory->map, BR_STORE_ROOM, 1), 0);
	assert_int_equal(look(memory, NULL).count, 1);
}

static void replaced_many_times(void **state)
{
	struct memory *memory = *state;

	for (unsigned int version = 0; version < 100; version++) {
		size_t size = 1 + version * 37 % 500;
		struct seen seen;

		assert_int_equal(put_version(memory, 4, size, version), 0);
		seen = look(memory, NULL);
		assert_int_equal(seen.count, 1);
		assert_int_equal(seen.sizes[0], size);
		assert_int_equal(seen.first[0], (uint8_t)(version * 31));
		assert_int_equal(used(memory), (size + BR_STORE_PAYLOAD - 1) / BR_STORE_PAYLOAD);
	}
}

/* Killed after @writes writes of a put; returns whether the put had come to its end. */
static bool killed_in_put(struct memory *memory, long writes, size_t before, size_t after)
{
	struct seen seen;
	size_t dropped;
	bool ended;

	memset(memory->entries, 0, sizeof(memory->entries));
	memory->writes_left = -1;
	assert_int_equal(put_version(memory, 9, 40, 1), 0); /* another one, not touched */
	if (before)
		assert_int_equal(put_version(memory, 2, before, 2), 0);
	memory->writes_left = writes;
	put_version(memory, 2, after, 3);
	ended = memory->writes_left > 0;
	memory->writes_left = -1;

	seen = look(memory, &dropped);
	if (before)
		assert_int_equal(seen.count, 2);
	else
		assert_in_range(seen.count, 1, 2);
	assert_int_equal(seen.ids[seen.count - 1], 9);
	if (seen.count == 2)
		assert_true((seen.first[0] == 62 && seen.sizes[0] == before) ||
			    (seen.first[0] == 93 && seen.sizes[0] == after));
	/* nothing of the other version is left, and the record can be written again */
	assert_int_equal(used(memory), 1 + (seen.count == 2 ? (seen.sizes[0] + BR_STORE_PAYLOAD -
							       1) / BR_STORE_PAYLOAD
							    : 0));
	assert_int_equal(put_version(memory, 2, 300, 4), 0);
	seen = look(memory, &dropped);
	assert_int_equal(seen.first[0], 124);
	assert_int_equal(dropped, 0);
	return ended;
}

static void killed_at_every_write(void **state)
{
	static const size_t sizes[][2] = {{0, 50}, {0, 450}, {50, 50}, {450, 120}, {120, 450}};

	for (size_t i = 0; i < 5; i++) {
		long writes = 0;

		while (!killed_in_put(*state, writes, sizes[i][0], sizes[i][1]))
			assert_true(++writes < 50);
		/* it was cut off at least once per part it writes */
		assert_true(writes >= (long)(sizes[i][1] / BR_STORE_PAYLOAD));
	}
}

static void killed_in_deletion(void **state)
{
	struct memory *memory = *state;
	size_t dropped;

	for (long writes = 0; writes <= 5; writes++) {
		struct seen seen;

		assert_int_equal(put_version(memory, 2, 450, 2), 0);
		memory->writes_left = writes;
		br_store_delete(&memory->map, BR_STORE_LEG, 2);
		memory->writes_left = -1;
		seen = look(memory, &dropped);
		/* all of it, or nothing; and then no part is left over */
		assert_int_equal(seen.count, writes == 0);
		assert_int_equal(used(memory), writes == 0 ? 5 : 0);
		assert_int_equal(dropped, writes > 0 && writes < 5);
	}
}

static void damaged_bytes(void **state)
{
	struct memory *memory = *state;

	for (size_t byte = 0; byte < sizeof(struct br_store_part); byte++) {
		struct br_store_key key = {BR_STORE_LEG, 2, 1 | BR_STORE_ODD};
		struct entry *entry;
		struct seen seen;

		memset(memory->entries, 0, sizeof(memory->entries));
		assert_int_equal(put_version(memory, 2, 200, 2), 0);
		entry = find(memory, &key);
		assert_non_null(entry);
		((uint8_t *)&entry->part)[byte] ^= 0x10;
		seen = look(memory, NULL);
		/* length and number of parts stand in every part; the first one's count */
		if (byte >= offsetof(struct br_store_part, length) &&
		    byte < offsetof(struct br_store_part, payload))
			assert_int_equal(seen.count, 1);
		else
			assert_int_equal(seen.count, 0);
	}
}

/* What another program may have put there: nothing may be read beyond its end. */
static void nonsense(void **state)
{
	struct memory *memory = *state;
	unsigned int seed = 1;

	for (int round = 0; round < 2000; round++) {
		memset(memory->entries, 0, sizeof(memory->entries));
		for (size_t i = 0; i < 12; i++) {
			struct entry *entry = &memory->entries[i];

			for (size_t k = 0; k < sizeof(entry->part); k++)
				((uint8_t *)&entry->part)[k] = (uint8_t)(rand_r(&seed) >> 8);
			entry->part.parts = (uint16_t)(rand_r(&seed) % 70);
			entry->part.length = (uint16_t)(rand_r(&seed) % 7000);
			entry->key = (struct br_store_key){BR_STORE_LEG, 2, (uint32_t)i / 2};
			if (i & 1)
				entry->key.part |= BR_STORE_ODD;
			entry->used = rand_r(&seed) % 4 != 0;
		}
		assert_int_equal(look(memory, NULL).count, 0);
		assert_int_equal(used(memory), 0);
	}
}

static void full(void **state)
{
	struct memory *memory = *state;
	struct seen seen;

	memory->room = 6;
	assert_int_equal(put_version(memory, 1, 450, 1), 0);
	/* a new version needs room beside the old one */
	assert_int_equal(put_version(memory, 1, 450, 2), -E2BIG);
	assert_int_equal(put_version(memory, 2, 150, 3), -E2BIG);
	seen = look(memory, NULL);
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.first[0], 31);
	assert_int_equal(used(memory), 5);
	assert_int_equal(put_version(memory, 1, 90, 4), 0);
	assert_int_equal(used(memory), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(comes_back, setup, teardown),
		cmocka_unit_test_setup_teardown(wrong_sizes, setup, teardown),
		cmocka_unit_test_setup_teardown(kinds_are_apart, setup, teardown),
		cmocka_unit_test_setup_teardown(replaced_many_times, setup, teardown),
		cmocka_unit_test_setup_teardown(killed_at_every_write, setup, teardown),
		cmocka_unit_test_setup_teardown(killed_in_deletion, setup, teardown),
		cmocka_unit_test_setup_teardown(damaged_bytes, setup, teardown),
		cmocka_unit_test_setup_teardown(nonsense, setup, teardown),
		cmocka_unit_test_setup_teardown(full, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
