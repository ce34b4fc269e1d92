// SPDX-License-Identifier: BSD-2-Clause
/* The bytes that a client has not read yet: all or nothing goes in, in order it comes out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "control/queue.h"

static void test_limits(void **state)
{
	struct br_queue queue;
	char out[16];

	(void)state;
	assert_int_equal(br_queue_open(&queue, 8), 0);
	assert_int_equal(br_queue_take(&queue, out, sizeof(out)), 0);
	assert_true(br_queue_add(&queue, "abcd", 4, 4));
	assert_false(br_queue_add(&queue, "e", 1, 4));
	assert_true(br_queue_add(&queue, "", 0, 4));
	assert_true(br_queue_add(&queue, "efgh", 4, 8));
	assert_false(br_queue_add(&queue, "i", 1, 8));
	/* more than a lower limit is there already */
	assert_false(br_queue_add(&queue, "", 0, 4));
	assert_int_equal(br_queue_take(&queue, out, 3), 3);
	assert_memory_equal(out, "abc", 3);
	/* round the end */
	assert_true(br_queue_add(&queue, "xyz", 3, 8));
	assert_int_equal(br_queue_take(&queue, out, sizeof(out)), 8);
	assert_memory_equal(out, "defghxyz", 8);
	assert_int_equal(queue.length, 0);
	br_queue_close(&queue);
}

/* What was refused is not there in part: numbered bytes stay in order. */
static void test_anything_in_order(void **state)
{
	struct br_queue queue;
	uint8_t bytes[64], in = 0, out = 0;
	size_t refused = 0;

	(void)state;
	srand(3);
	assert_int_equal(br_queue_open(&queue, 101), 0);
	for (int round = 0; round < 50000; round++) {
		size_t length = (size_t)rand() % sizeof(bytes);

		for (size_t i = 0; i < length; i++)
			bytes[i] = (uint8_t)(in + i);
		if (br_queue_add(&queue, bytes, length, (size_t)rand() % 102))
			in = (uint8_t)(in + length);
		else
			refused++;
		assert_in_range(queue.length, 0, queue.capacity);
		length = br_queue_take(&queue, bytes, (size_t)rand() % sizeof(bytes));
		for (size_t i = 0; i < length; i++)
			assert_int_equal(bytes[i], out++);
	}
	assert_in_range(refused, 1, 49999);
	br_queue_close(&queue);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_anything_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
