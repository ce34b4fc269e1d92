// SPDX-License-Identifier: BSD-2-Clause
/* Routes in the kernel's tables: segments, receivers added in place, and packets on their way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "plane/plane_private.h"

#define LEGS  600u
#define EDGES 400000u /* enough for runs that rest while a test lasts */
#define CHUNK 8u
#define ROUTE 0u

static struct br_plane *plane;
static uint32_t receivers[LEGS], receiver_count;

static int setup(void **state)
{
	(void)state;
	plane = calloc(1, sizeof(*plane));
	plane->options =
		(struct br_plane_options){.max_legs = LEGS, .max_edges = EDGES, .chunk = CHUNK};
	plane->legs = calloc(LEGS, sizeof(*plane->legs));
	plane->marks = calloc(LEGS, sizeof(*plane->marks));
	plane->routes = calloc(LEGS, sizeof(*plane->routes));
	plane->route_table = calloc(LEGS, sizeof(*plane->route_table));
	plane->edge_table = calloc(EDGES, sizeof(*plane->edge_table));
	plane->edge_runs = br_runs_new(EDGES, BR_GRACE_NS);
	for (uint32_t i = 0; i < LEGS; i++)
		plane->legs[i].used = true;
	receiver_count = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	br_runs_free(plane->edge_runs);
	free(plane->legs);
	free(plane->marks);
	free(plane->routes);
	free(plane->route_table);
	free(plane->edge_table);
	free(plane);
	return 0;
}

static struct br_route route_now(void)
{
	struct br_route route;

	memcpy(&route, &plane->route_table[ROUTE], sizeof(route));
	return route;
}

/* What the kernel makes of a packet that has read this route: legs in order, 0 when it is cut. */
static uint32_t walk(struct br_route route, uint32_t legs[static LEGS])
{
	uint32_t done = 0;

	while (done < route.count) {
		const struct br_edge *edges = &plane->edge_table[route.first + done];
		uint32_t run = edges->run, left = route.count - done;

		run = run < left ? run : left;
		if (!run || run > CHUNK || edges->egress >= BR_EGRESS_MAX)
			return 0;
		for (uint32_t i = 0; i < run; i++) {
			if (i && edges[i].run)
				return 0; /* the stamp would stop here */
			if (edges[i].egress != edges->egress)
				return 0;
			legs[done + i] = edges[i].leg;
		}
		done += run;
	}
	return done;
}

static void expect_receivers(void)
{
	bool seen[LEGS] = {false};
	uint32_t legs[LEGS];

	assert_int_equal(walk(route_now(), legs), receiver_count);
	for (uint32_t i = 0; i < receiver_count; i++) {
		assert_false(seen[legs[i]]);
		seen[legs[i]] = true;
	}
	for (uint32_t i = 0; i < receiver_count; i++)
		assert_true(seen[receivers[i]]);
}

/* Lay the route; a packet that has read the old one still reaches those of the old one. */
static void lay(void)
{
	struct br_route before = route_now();
	uint32_t old[LEGS], still[LEGS], count = before.count ? walk(before, old) : 0;

	assert_int_equal(br_plane_route_lay(plane, ROUTE, receivers, receiver_count, NULL), 0);
	expect_receivers();
	if (!count)
		return;
	assert_int_equal(walk(before, still), count);
	assert_memory_equal(still, old, count * sizeof(old[0]));
}

/* One after the other, as people come to a lecture: the runs of before do not pile up. */
static void test_joins_in_place(void **state)
{
	uint32_t moves = 0, first = 0;

	(void)state;
	for (uint32_t leg = 1; leg < LEGS; leg++) {
		receivers[receiver_count++] = leg;
		lay();
		moves += route_now().first != first;
		first = route_now().first;
	}
	/* each of the first 32 moves, then an eighth more each time: log(600 / 32) / log(9 / 8) */
	assert_in_range(moves, 32, 32 + 26);
	assert_in_range(br_runs_used(plane->edge_runs), LEGS, LEGS * 13);
}

/* A receiver over an interface that comes before the last one cannot be added behind. */
static void test_joins_over_interfaces(void **state)
{
	uint32_t first;

	(void)state;
	for (uint32_t leg = 1; leg <= 100; leg++) {
		plane->legs[leg].hop.egress = leg > 40;
		receivers[receiver_count++] = leg;
	}
	lay();
	first = route_now().first;
	plane->legs[101].hop.egress = 1;
	receivers[receiver_count++] = 101;
	lay();
	assert_int_equal(route_now().first, first);
	plane->legs[102].hop.egress = 0;
	receivers[receiver_count++] = 102;
	lay();
	assert_int_not_equal(route_now().first, first);
	first = route_now().first;
	/* one that was there moves to another interface while one joins */
	plane->legs[1].hop.egress = 2;
	plane->legs[103].hop.egress = 2;
	receivers[receiver_count++] = 103;
	lay();
	assert_int_not_equal(route_now().first, first);
}

/* The daemon serves one: its edge stands last, so nobody can be added in place. */
static void test_tapped(void **state)
{
	struct br_route route;

	(void)state;
	for (uint32_t leg = 1; leg <= 64; leg++)
		receivers[receiver_count++] = leg;
	plane->legs[9].waits = true;
	for (uint32_t more = 0; more < 3; more++) {
		assert_int_equal(br_plane_route_lay(plane, ROUTE, receivers, receiver_count, NULL),
				 0);
		route = route_now();
		assert_int_equal(route.count, receiver_count - 1);
		assert_int_equal(route.flags, BR_ROUTE_TAP);
		assert_int_equal(plane->edge_table[route.first + route.count].leg, 9);
		assert_int_equal(plane->edge_table[route.first + route.count].egress,
				 BR_EGRESS_TAP);
		receivers[receiver_count++] = 100 + more;
	}
}

/* SplitMix64, as everywhere in these tests. */
static uint32_t below(uint64_t *seed, uint32_t limit)
{
	uint64_t z = (*seed += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return (uint32_t)((z ^ (z >> 31)) % limit);
}

static void test_random_changes(void **state)
{
	bool in[LEGS] = {false};
	uint64_t seed = 7;

	(void)state;
	for (uint32_t round = 0; round < 4000; round++) {
		uint32_t changes = 1 + below(&seed, 4);

		for (uint32_t i = 0; i < changes; i++) {
			uint32_t leg = 1 + below(&seed, 120);

			in[leg] = below(&seed, 3) != 0; /* more come than go */
			if (!below(&seed, 12))
				plane->legs[leg].hop.egress = (uint16_t)below(&seed, 3);
		}
		receiver_count = 0;
		for (uint32_t leg = 1; leg <= 120; leg++)
			if (in[leg])
				receivers[receiver_count++] = leg;
		if (!receiver_count)
			continue;
		lay();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_joins_in_place, setup, teardown),
		cmocka_unit_test_setup_teardown(test_joins_over_interfaces, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tapped, setup, teardown),
		cmocka_unit_test_setup_teardown(test_random_changes, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
