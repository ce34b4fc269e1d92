/* SPDX-License-Identifier: BSD-2-Clause */
/* Slots and runs against a model that remembers, per index, who has it and since when it rests. */
#include "plane/slots.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define GRACE	  1000u
#define MODEL_MAX 9000u

enum owner { MODEL_FREE, MODEL_TAKEN, MODEL_RESTING };

struct model {
	uint32_t count;
	enum owner owner[MODEL_MAX];
	uint64_t until[MODEL_MAX];  /* resting: free from then on */
	uint32_t length[MODEL_MAX]; /* at the beginning of a taken run */
};

static struct model model;

static void model_reset(uint32_t count)
{
	assert_true(count <= MODEL_MAX);
	memset(&model, 0, sizeof(model));
	model.count = count;
}

static void model_settle(uint64_t now)
{
	for (uint32_t i = 0; i < model.count; i++)
		if (model.owner[i] == MODEL_RESTING && model.until[i] <= now)
			model.owner[i] = MODEL_FREE;
}

static bool model_all(uint32_t first, uint32_t length, enum owner owner)
{
	for (uint32_t i = first; i < first + length; i++)
		if (model.owner[i] != owner)
			return false;
	return true;
}

static void model_set(uint32_t first, uint32_t length, enum owner owner, uint64_t until)
{
	for (uint32_t i = first; i < first + length; i++) {
		model.owner[i] = owner;
		model.until[i] = until;
	}
	model.length[first] = length;
}

static uint32_t model_used(void)
{
	uint32_t used = 0;

	for (uint32_t i = 0; i < model.count; i++)
		used += model.owner[i] != MODEL_FREE;
	return used;
}

static uint32_t power_of_two(uint32_t length)
{
	uint32_t size = 1;

	while (size < length)
		size *= 2;
	return size;
}

/* Is there an aligned block of free slots for a run of @length? */
static bool model_has_block(uint32_t length)
{
	uint32_t size = power_of_two(length);

	for (uint32_t first = 0; first + size <= model.count; first += size)
		if (model_all(first, size, MODEL_FREE))
			return true;
	return false;
}

/* A taken run (or slot), picked at random; false when nothing is taken. */
static bool model_pick(uint32_t *first)
{
	uint32_t start = (uint32_t)rand() % model.count;

	for (uint32_t i = 0; i < model.count; i++) {
		uint32_t at = (start + i) % model.count;

		if (model.owner[at] == MODEL_TAKEN && model.length[at]) {
			*first = at;
			return true;
		}
	}
	return false;
}

static void slots_limits(void **state)
{
	struct br_slots *slots;
	uint32_t slot;

	(void)state;
	assert_null(br_slots_new(0, 0));
	assert_null(br_slots_new(BR_SLOTS_MAX + 1, 0));
	br_slots_free(NULL);
	slots = br_slots_new(3, GRACE);
	assert_non_null(slots);
	for (uint32_t i = 0; i < 3; i++) {
		assert_int_equal(br_slots_take(slots, 0, &slot), 0);
		assert_int_equal(slot, i);
	}
	slot = 77;
	assert_int_equal(br_slots_take(slots, 0, &slot), -ENOSPC);
	assert_int_equal(slot, 77);
	assert_int_equal(br_slots_used(slots), 3);
	br_slots_free(slots);
}

static void slots_rest_for_the_grace_time(void **state)
{
	struct br_slots *slots = br_slots_new(1, GRACE);
	uint32_t slot;

	(void)state;
	assert_int_equal(br_slots_take(slots, 5, &slot), 0);
	br_slots_rest(slots, slot, 10);
	assert_int_equal(br_slots_take(slots, 10 + GRACE - 1, &slot), -ENOSPC);
	assert_int_equal(br_slots_used(slots), 1);
	br_slots_settle(slots, 10 + GRACE);
	assert_int_equal(br_slots_used(slots), 0);
	assert_int_equal(br_slots_take(slots, 10 + GRACE, &slot), 0);
	/* a clock that steps back must not shorten the rest */
	br_slots_rest(slots, slot, 0);
	assert_int_equal(br_slots_take(slots, 10 + 2 * GRACE - 1, &slot), -ENOSPC);
	assert_int_equal(br_slots_take(slots, 10 + 2 * GRACE, &slot), 0);
	br_slots_free(slots);
}

static void slots_claim(void **state)
{
	struct br_slots *slots = br_slots_new(8, GRACE);
	bool seen[8] = {0};
	uint32_t slot;

	(void)state;
	assert_int_equal(br_slots_claim(slots, 8), -EINVAL);
	assert_int_equal(br_slots_claim(slots, 5), 0);
	assert_int_equal(br_slots_claim(slots, 5), -EEXIST);
	assert_int_equal(br_slots_claim(slots, 2), 0);
	br_slots_rest(slots, 2, 0);
	assert_int_equal(br_slots_claim(slots, 2), -EEXIST);
	for (int i = 0; i < 6; i++) {
		assert_int_equal(br_slots_take(slots, 0, &slot), 0);
		assert_true(slot < 8 && slot != 5 && slot != 2 && !seen[slot]);
		seen[slot] = true;
	}
	assert_int_equal(br_slots_take(slots, 0, &slot), -ENOSPC);
	br_slots_free(slots);
}

static void slots_random(void **state)
{
	const uint32_t count = 61;
	struct br_slots *slots = br_slots_new(count, GRACE);
	uint32_t slot, refused = 0, taken = 0;
	uint64_t now = 0;

	(void)state;
	model_reset(count);
	srand(1);
	for (int step = 0; step < 200000; step++) {
		now += (uint64_t)(rand() % 40);
		model_settle(now);
		switch (rand() % 8) {
		case 0:
			slot = (uint32_t)rand() % count;
			br_slots_settle(slots, now);
			assert_int_equal(br_slots_claim(slots, slot),
					 model.owner[slot] == MODEL_FREE ? 0 : -EEXIST);
			if (model.owner[slot] == MODEL_FREE)
				model_set(slot, 1, MODEL_TAKEN, 0);
			break;
		case 1:
		case 2:
		case 3:
			if (!model_pick(&slot))
				break;
			br_slots_rest(slots, slot, now);
			model_set(slot, 1, MODEL_RESTING, now + GRACE);
			break;
		default:
			if (br_slots_take(slots, now, &slot)) {
				assert_int_equal(model_used(), count);
				refused++;
				break;
			}
			assert_true(slot < count);
			assert_int_equal(model.owner[slot], MODEL_FREE);
			model_set(slot, 1, MODEL_TAKEN, 0);
			taken++;
		}
		br_slots_settle(slots, now);
		assert_int_equal(br_slots_used(slots), model_used());
	}
	/* the walk must have been to both ends */
	assert_true(taken > 1000 && refused > 1000);
	br_slots_free(slots);
}

static void runs_limits(void **state)
{
	struct br_runs *runs;
	uint32_t first = 77;

	(void)state;
	assert_null(br_runs_new(0, 0));
	assert_null(br_runs_new(BR_SLOTS_MAX + 1, 0));
	br_runs_free(NULL);
	runs = br_runs_new(2 * BR_RUN_MAX, 0);
	assert_non_null(runs);
	assert_int_equal(br_runs_take(runs, 0, 0, &first), -EINVAL);
	assert_int_equal(br_runs_take(runs, 0, BR_RUN_MAX + 1, &first), -EINVAL);
	assert_int_equal(first, 77);
	assert_int_equal(br_runs_take(runs, 0, BR_RUN_MAX, &first), 0);
	assert_int_equal(br_runs_take(runs, 0, BR_RUN_MAX, &first), 0);
	assert_int_equal(br_runs_take(runs, 0, 1, &first), -ENOSPC);
	assert_int_equal(br_runs_used(runs), 2 * BR_RUN_MAX);
	br_runs_free(runs);
}

static void runs_waste_nothing_inside(void **state)
{
	struct br_runs *runs = br_runs_new(64, 0);
	uint32_t first;

	(void)state;
	/* 33 needs a block of 64; its tail of 31 must serve 16 + 8 + 4 + 2 + 1 */
	assert_int_equal(br_runs_take(runs, 0, 33, &first), 0);
	for (uint32_t length = 16; length; length /= 2)
		assert_int_equal(br_runs_take(runs, 0, length, &first), 0);
	assert_int_equal(br_runs_used(runs), 64);
	br_runs_free(runs);
}

static void runs_rest_and_merge(void **state)
{
	struct br_runs *runs = br_runs_new(BR_RUN_MAX, GRACE);
	uint32_t first[BR_RUN_MAX / 4], whole;

	(void)state;
	for (uint32_t i = 0; i < BR_RUN_MAX / 4; i++)
		assert_int_equal(br_runs_take(runs, 0, 3, &first[i]), 0);
	for (uint32_t i = 0; i < BR_RUN_MAX / 4; i++)
		br_runs_rest(runs, first[i], 3, i < 5 ? 0 : 50);
	assert_int_equal(br_runs_take(runs, 50 + GRACE - 1, BR_RUN_MAX, &whole), -ENOSPC);
	assert_int_equal(br_runs_used(runs), 3 * BR_RUN_MAX / 4 - 5 * 3);
	assert_int_equal(br_runs_take(runs, 50 + GRACE, BR_RUN_MAX, &whole), 0);
	assert_int_equal(whole, 0);
	br_runs_free(runs);
}

static void runs_claim(void **state)
{
	struct br_runs *runs = br_runs_new(5001, GRACE);
	uint32_t first;

	(void)state;
	assert_int_equal(br_runs_claim(runs, 5001, 1), -EINVAL);
	assert_int_equal(br_runs_claim(runs, 5000, 2), -EINVAL);
	assert_int_equal(br_runs_claim(runs, 0, 0), -EINVAL);
	assert_int_equal(br_runs_claim(runs, 0, BR_RUN_MAX + 1), -EINVAL);
	/* over the border of two blocks, aligned to nothing */
	assert_int_equal(br_runs_claim(runs, 4001, 900), 0);
	assert_int_equal(br_runs_used(runs), 900);
	assert_int_equal(br_runs_claim(runs, 4900, 5), -EEXIST);
	assert_int_equal(br_runs_claim(runs, 3999, 3), -EEXIST);
	assert_int_equal(br_runs_claim(runs, 3999, 2), 0);
	assert_int_equal(br_runs_claim(runs, 4901, 100), 0);
	assert_int_equal(br_runs_take(runs, 0, 2049, &first), -ENOSPC);
	assert_int_equal(br_runs_take(runs, 0, 2048, &first), 0);
	assert_int_equal(first, 0);
	br_runs_rest(runs, 4001, 900, 0);
	assert_int_equal(br_runs_claim(runs, 4001, 1), -EEXIST);
	br_runs_rest(runs, 3999, 2, 0);
	br_runs_rest(runs, 4901, 100, 0);
	br_runs_rest(runs, 0, 2048, 0);
	assert_int_equal(br_runs_take(runs, GRACE, BR_RUN_MAX, &first), 0);
	br_runs_free(runs);
}

static uint32_t random_length(void)
{
	uint32_t top = 1u << (rand() % 13);

	return 1 + (uint32_t)rand() % top;
}

static bool random_take(struct br_runs *runs, uint64_t now)
{
	uint32_t length = random_length(), first;
	int err = br_runs_take(runs, now, length, &first);

	if (err) {
		assert_int_equal(err, -ENOSPC);
		assert_false(model_has_block(length));
		return false;
	}
	assert_true(first + length <= model.count);
	assert_int_equal(first % power_of_two(length), 0);
	assert_true(model_all(first, length, MODEL_FREE));
	model_set(first, length, MODEL_TAKEN, 0);
	return true;
}

static void random_claim(struct br_runs *runs)
{
	uint32_t length = 1 + (uint32_t)rand() % 100;
	uint32_t first = (uint32_t)rand() % (model.count - length);
	bool is_free = model_all(first, length, MODEL_FREE);

	assert_int_equal(br_runs_claim(runs, first, length), is_free ? 0 : -EEXIST);
	if (is_free)
		model_set(first, length, MODEL_TAKEN, 0);
}

static void random_rest(struct br_runs *runs, uint64_t now)
{
	uint32_t first, length;

	if (!model_pick(&first))
		return;
	length = model.length[first];
	br_runs_rest(runs, first, length, now);
	model_set(first, length, MODEL_RESTING, now + GRACE);
	model.length[first] = 0;
}

static void runs_random(void **state)
{
	const uint32_t count = 8999; /* two whole blocks and a ragged end */
	struct br_runs *runs = br_runs_new(count, GRACE);
	uint32_t refused = 0, taken = 0, first;
	uint64_t now = 0;

	(void)state;
	model_reset(count);
	srand(2);
	for (int step = 0; step < 20000; step++) {
		now += (uint64_t)(rand() % 100);
		model_settle(now);
		br_runs_settle(runs, now);
		switch (rand() % 8) {
		case 0:
			random_claim(runs);
			break;
		case 1:
		case 2:
		case 3:
			random_rest(runs, now);
			break;
		default:
			if (random_take(runs, now))
				taken++;
			else
				refused++;
		}
		assert_int_equal(br_runs_used(runs), model_used());
	}
	assert_true(taken > 1000 && refused > 1000);
	/* everything merges back into whole blocks */
	while (model_pick(&first))
		random_rest(runs, now);
	now += GRACE;
	for (int i = 0; i < 2; i++)
		assert_int_equal(br_runs_take(runs, now, BR_RUN_MAX, &first), 0);
	br_runs_free(runs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slots_limits),
		cmocka_unit_test(slots_rest_for_the_grace_time),
		cmocka_unit_test(slots_claim),
		cmocka_unit_test(slots_random),
		cmocka_unit_test(runs_limits),
		cmocka_unit_test(runs_waste_nothing_inside),
		cmocka_unit_test(runs_rest_and_merge),
		cmocka_unit_test(runs_claim),
		cmocka_unit_test(runs_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
