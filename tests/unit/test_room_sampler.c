// SPDX-License-Identifier: BSD-2-Clause
/* Samples of the counters: in steps, over slots that are used again, and which two are compared. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "control/sampler.h"
#include "fake_plane.h"
#include "plane/slow.h"

#define SECOND 1000000000ull
#define LEGS   (3 * BR_SAMPLER_STEP)

/* The plane's counters: what this test says. */
static struct br_leg_counters leg_counters[LEGS];
static struct br_slow_totals slow_totals;
static uint32_t legs_end;
static uint64_t forwarded;
static int read_error;
static uint64_t clock_ns, clock_step_ns;

uint32_t br_plane_legs_end(const struct br_plane *plane)
{
	(void)plane;
	return legs_end;
}

int br_plane_leg_counters(const struct br_plane *plane, uint32_t first, uint32_t count,
			  struct br_leg_counters *counters)
{
	(void)plane;
	assert_true(first + count <= legs_end);
	memcpy(counters, leg_counters + first, count * sizeof(*counters));
	return read_error;
}

void br_plane_counters(const struct br_plane *plane,
		       struct br_counter counters[static BR_REASON_COUNT])
{
	(void)plane;
	memset(counters, 0, BR_REASON_COUNT * sizeof(*counters));
	counters[BR_FORWARDED].packets = forwarded;
	counters[BR_STUN].packets = 3;
}

const struct br_slow_totals *br_plane_slow_totals(const struct br_plane *plane)
{
	(void)plane;
	return &slow_totals;
}

static uint64_t now(void)
{
	return clock_ns += clock_step_ns;
}

struct world {
	struct br_plane *plane;
	struct br_rooms *rooms;
	struct br_room *room;
	struct br_sampler *sampler;
};

static int setup(void **state)
{
	static struct br_network allow[1];
	struct br_rooms_options options = {.max_rooms = 1,
					   .max_legs_per_room = LEGS,
					   .ssrc_limit = 8,
					   .static_allow = allow,
					   .static_allow_count = 1};
	struct world *world = calloc(1, sizeof(*world));

	assert_true(br_network_parse("10.0.0.0/8", &allow[0]));
	memset(leg_counters, 0, sizeof(leg_counters));
	memset(&slow_totals, 0, sizeof(slow_totals));
	legs_end = 2;
	forwarded = 0;
	read_error = 0;
	clock_ns = SECOND;
	clock_step_ns = 0;
	world->plane = fake_plane_new(8, 8);
	world->rooms = br_rooms_new(world->plane, &options);
	assert_int_equal(br_room_create(world->rooms, "r", &world->room, NULL), 0);
	world->sampler = br_sampler_new(world->plane, world->rooms);
	assert_non_null(world->sampler);
	*state = world;
	return 0;
}

static int teardown(void **state)
{
	struct world *world = *state;

	br_sampler_free(world->sampler);
	br_rooms_free(world->rooms);
	fake_plane_free(world->plane);
	free(world);
	return 0;
}

static struct br_room_leg *add(struct world *world, const char *name, uint16_t port)
{
	struct br_static_leg spec = {.role = BR_ROLE_PUBLISHER, .remote.port = htons(port)};
	struct br_room_leg *leg = NULL;

	strcpy(spec.name, name);
	assert_true(br_addr_parse("10.0.0.1", &spec.remote.addr));
	assert_int_equal(br_room_leg_add(world->rooms, world->room, &spec, &leg, NULL), 0);
	return leg;
}

static void sample(struct world *world)
{
	assert_int_equal(br_sampler_run(world->sampler, now, SECOND), 1);
}

static double rate_in(struct world *world, const struct br_room_leg *leg, uint64_t interval_ns)
{
	struct br_sample_pair pair = br_sampler_pair(world->sampler, interval_ns);
	struct br_counts counts;
	struct br_rates rates;

	br_sample_leg(&pair, leg, &counts, &rates);
	return rates.rx_packets;
}

static void test_two_samples(void **state)
{
	struct world *world = *state;
	struct br_room_leg *leg = add(world, "a", 1);
	struct br_leg_counters *counters = &leg_counters[br_room_leg_slot(leg)];
	struct br_sample_pair pair = br_sampler_pair(world->sampler, SECOND);

	assert_null(pair.now);
	counters->rx.packets = 1000;
	sample(world);
	pair = br_sampler_pair(world->sampler, SECOND);
	assert_non_null(pair.now);
	assert_null(pair.before);
	assert_true(rate_in(world, leg, SECOND) == 0);
	counters->rx.packets = 1500;
	clock_ns += 2 * SECOND;
	sample(world);
	assert_true(rate_in(world, leg, SECOND) == 250);
	/* cleared by a restart: not a negative rate */
	counters->rx.packets = 10;
	clock_ns += SECOND;
	sample(world);
	assert_true(rate_in(world, leg, SECOND) == 10);
}

/* The next leg in a slot has nothing to do with the one before. */
static void test_slot_used_again(void **state)
{
	struct world *world = *state;
	struct br_room_leg *leg = add(world, "a", 1);
	uint32_t slot = br_room_leg_slot(leg);

	leg_counters[slot].rx.packets = 1000;
	sample(world);
	br_room_leg_remove(world->rooms, world->room, leg);
	leg = add(world, "b", 2);
	assert_int_equal(br_room_leg_slot(leg), slot);
	/* not in any sample yet */
	assert_true(rate_in(world, leg, SECOND) == 0);
	leg_counters[slot].rx.packets = 1200;
	clock_ns += SECOND;
	sample(world);
	assert_true(rate_in(world, leg, SECOND) == 1200);
}

static void test_interval_chooses_the_sample(void **state)
{
	struct world *world = *state;
	struct br_room_leg *leg = add(world, "a", 1);
	uint32_t slot = br_room_leg_slot(leg);

	/* packets per second: 1, 2, 3, ... */
	for (uint64_t i = 0; i < 20; i++) {
		leg_counters[slot].rx.packets += i;
		sample(world);
		clock_ns += SECOND;
	}
	assert_true(rate_in(world, leg, SECOND) == 19);
	assert_true(rate_in(world, leg, 3 * SECOND) == 18);
	assert_int_equal(br_sampler_pair(world->sampler, 3 * SECOND).ns, 3 * SECOND);
	/* farther back than what is kept: as far as possible */
	assert_int_equal(br_sampler_pair(world->sampler, 60 * SECOND).ns, 7 * SECOND);
	br_sampler_drop(world->sampler);
	assert_null(br_sampler_pair(world->sampler, SECOND).now);
}

/* Many legs are read in steps, as far as the time allows; the sample counts when complete. */
static void test_steps(void **state)
{
	struct world *world = *state;

	legs_end = LEGS;
	clock_step_ns = 10;
	for (int step = 0; step < 2; step++) {
		assert_int_equal(br_sampler_run(world->sampler, now, 5), 0);
		assert_true(br_sampler_running(world->sampler));
		assert_null(br_sampler_pair(world->sampler, SECOND).now);
	}
	assert_int_equal(br_sampler_run(world->sampler, now, 5), 1);
	assert_false(br_sampler_running(world->sampler));
	assert_non_null(br_sampler_pair(world->sampler, SECOND).now);
	read_error = -5;
	assert_int_equal(br_sampler_run(world->sampler, now, SECOND), -5);
	assert_false(br_sampler_running(world->sampler));
}

static void test_slow_path_is_part_of_it(void **state)
{
	struct world *world = *state;
	const struct br_counter *reasons;
	struct br_sample_pair pair;

	forwarded = 100;
	slow_totals.reasons[BR_FORWARDED].packets = 7;
	/* the kernel passed these up and has counted them */
	slow_totals.reasons[BR_STUN].packets = 3;
	sample(world);
	pair = br_sampler_pair(world->sampler, SECOND);
	reasons = br_sample_reasons(pair.now);
	assert_int_equal(reasons[BR_FORWARDED].packets, 107);
	assert_int_equal(reasons[BR_STUN].packets, 3);
	assert_int_equal(br_sample_slow(pair.now)->reasons[BR_FORWARDED].packets, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_two_samples, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slot_used_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_interval_chooses_the_sample, setup, teardown),
		cmocka_unit_test_setup_teardown(test_steps, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slow_path_is_part_of_it, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
