// SPDX-License-Identifier: BSD-2-Clause
/* Rates from counters, and the busiest of many. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "control/rank.h"
#include "control/sampler.h"

#define SECOND 1000000000ull

static void test_rates(void **state)
{
	static const struct {
		uint64_t now, before, ns;
		double rate;
	} rows[] = {
		{0, 0, SECOND, 0},
		{100, 50, SECOND, 50},
		{100, 50, SECOND / 10, 500},
		{100, 50, 10 * SECOND, 5},
		{1, 0, 60 * SECOND, 1.0 / 60},
		/* no time, no rate */
		{100, 50, 0, 0},
		/* cleared in between: what there is has come since */
		{7, 1000000, SECOND, 7},
		{0, UINT64_MAX, SECOND, 0},
		/* a counter near its end is exact */
		{UINT64_MAX, UINT64_MAX - 5, SECOND, 5},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_true(br_counts_rate(rows[i].now, rows[i].before, rows[i].ns) ==
			    rows[i].rate);
}

static void test_rates_of_a_leg(void **state)
{
	struct br_counts before = {10, 1000, 20, 2000, 3, 4};
	struct br_counts now = {30, 5000, 20, 2000, 5, 5}, sum = {0};
	struct br_rates rates = br_rates_between(&now, &before, 2 * SECOND), twice = {0};

	(void)state;
	assert_true(rates.rx_packets == 10 && rates.rx_bits == 16000);
	assert_true(rates.tx_packets == 0 && rates.tx_bits == 0);
	assert_true(rates.dropped == 1.5);
	br_rates_add(&twice, &rates);
	br_rates_add(&twice, &rates);
	assert_true(twice.rx_packets == 20 && twice.rx_bits == 32000 && twice.dropped == 3);
	br_counts_add(&sum, &now);
	br_counts_add(&sum, &before);
	assert_int_equal(sum.rx_packets, 40);
	assert_int_equal(sum.rx_bytes, 6000);
	assert_int_equal(sum.tx_packets, 40);
	assert_int_equal(sum.tx_bytes, 4000);
	assert_int_equal(sum.rx_dropped, 8);
	assert_int_equal(sum.tx_dropped, 9);
}

#define ENTRIES 300

/* Entries with pseudo-random figures, few enough values that many are equal. */
static void make_entries(struct br_ranked entries[static ENTRIES], char names[ENTRIES][8])
{
	uint32_t seed = 12345;

	for (int i = 0; i < ENTRIES; i++) {
		struct br_ranked *entry = &entries[i];

		seed = seed * 1103515245 + 12345;
		snprintf(names[i], sizeof(names[i]), "n%u", (seed >> 8) % 50);
		*entry = (struct br_ranked){
			.room = names[i],
			.name = i % 2 ? "a" : "b",
			.order = (uint64_t)i,
			.legs = (seed >> 16) % 7,
			.counts.rx_packets = (seed >> 20) % 3,
			.rates = {(seed >> 9) % 11, (seed >> 10) % 13, (seed >> 11) % 17,
				  (seed >> 12) % 5, (seed >> 13) % 3},
		};
	}
}

static double figure(enum br_rank_key key, const struct br_ranked *entry)
{
	const double figures[BR_RANK_KEYS] = {
		[BR_RANK_OUT] = entry->rates.tx_packets, [BR_RANK_OUT_BITS] = entry->rates.tx_bits,
		[BR_RANK_IN] = entry->rates.rx_packets,	 [BR_RANK_IN_BITS] = entry->rates.rx_bits,
		[BR_RANK_DROPS] = entry->rates.dropped,	 [BR_RANK_LEGS] = (double)entry->legs,
	};

	return figures[key];
}

/* Does @a come before @b, by the words of rank.h? */
static bool before(enum br_rank_key key, const struct br_ranked *a, const struct br_ranked *b)
{
	if (key == BR_RANK_NAME) {
		int rooms = strcmp(a->room, b->room);

		return rooms ? rooms < 0 : strcmp(a->name, b->name) <= 0;
	}
	if (figure(key, a) != figure(key, b))
		return figure(key, a) > figure(key, b);
	if (a->counts.rx_packets != b->counts.rx_packets)
		return a->counts.rx_packets > b->counts.rx_packets;
	return a->order < b->order;
}

static void check_rank(enum br_rank_key key, size_t max)
{
	struct br_ranked entries[ENTRIES];
	char names[ENTRIES][8];
	struct br_rank rank;
	size_t want = max < ENTRIES ? max : ENTRIES;

	make_entries(entries, names);
	assert_int_equal(br_rank_begin(&rank, key, max), 0);
	for (int i = 0; i < ENTRIES; i++)
		br_rank_offer(&rank, &entries[i]);
	br_rank_sort(&rank);
	assert_int_equal(rank.count, want);
	for (size_t i = 1; i < want; i++)
		assert_true(before(key, &rank.entries[i - 1], &rank.entries[i]));
	/* nobody outside comes before the last one inside */
	for (int i = 0; i < ENTRIES && want; i++) {
		bool inside = false;

		for (size_t j = 0; j < want; j++)
			inside = inside || rank.entries[j].order == entries[i].order;
		if (!inside)
			assert_true(before(key, &rank.entries[want - 1], &entries[i]));
	}
	br_rank_end(&rank);
}

static void test_rank(void **state)
{
	static const size_t sizes[] = {0, 1, 2, 3, 7, 20, ENTRIES - 1, ENTRIES, 1000};

	(void)state;
	for (int key = 0; key < BR_RANK_KEYS; key++)
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
			check_rank((enum br_rank_key)key, sizes[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_rates_of_a_leg),
		cmocka_unit_test(test_rank),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
