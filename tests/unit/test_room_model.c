/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random joins, leaves and learned streams against a naive answer to "who should receive
 * what", with the plane failing at every call a join makes, and running out of edges.
 */
#include "fake_plane.h"

#include <setjmp.h>
#include <stdarg.h>
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "room/room.h"
#include "room/state.h" /* for what is still to be tried again */

#define LEGS	12 /* at most, in both rooms together */
#define ROOMS	2
#define SSRCS	10 /* SSRCs 0..9, so that they meet */
#define STREAMS 1000
#define STEPS	6000

struct model_leg {
	bool used;
	int room;
	struct br_static_leg spec;
	struct br_room_leg *leg;
	uint32_t slot;
	bool sends[SSRCS]; /* declared or learned */
};

struct world {
	struct br_plane *plane;
	struct br_rooms *rooms;
	struct br_room *room[ROOMS];
	struct model_leg legs[LEGS];
	unsigned int names;  /* given so far */
	unsigned int undone; /* joins that failed half-way */
};

static const char *const room_names[ROOMS] = {"red", "blue"};

static bool receives(const struct model_leg *leg)
{
	return leg->spec.role & BR_ROLE_SUBSCRIBER;
}

static bool publishes(const struct model_leg *leg)
{
	return leg->spec.role & BR_ROLE_PUBLISHER;
}

static bool asks_for(const struct model_leg *leg, uint32_t ssrc)
{
	for (size_t i = 0; i < leg->spec.receive_ssrc_count; i++)
		if (leg->spec.receive_ssrcs[i] == ssrc)
			return true;
	return false;
}

/* Should @to get what @from sends under @ssrc? SSRCS stands for an SSRC nobody knows. */
static bool should_receive(const struct model_leg *from, const struct model_leg *to, uint32_t ssrc)
{
	if (from == to || !to->used || from->room != to->room)
		return false;
	/* feedback: to whom it receives from */
	if (!publishes(from) && from->spec.receive_ssrc_count == 0)
		return publishes(to);
	for (uint32_t i = 0; !publishes(from) && i < SSRCS; i++)
		if (to->sends[i] && asks_for(from, i))
			return true;
	if (!publishes(from))
		return false;
	if (!receives(to))
		return false;
	if (to->spec.receive_ssrc_count == 0)
		return true;
	return ssrc < SSRCS && from->sends[ssrc] && asks_for(to, ssrc);
}

static bool has(const uint32_t *receivers, size_t count, uint32_t slot)
{
	for (size_t i = 0; i < count; i++)
		if (receivers[i] == slot)
			return true;
	return false;
}

/* Nobody gets what is not for him; with @complete, everybody gets what is. */
static void check(const struct world *world, bool complete)
{
	for (int f = 0; f < LEGS; f++) {
		const struct model_leg *from = &world->legs[f];

		for (uint32_t ssrc = 0; from->used && ssrc <= SSRCS; ssrc++) {
			const uint32_t *receivers;
			size_t count =
				fake_plane_receivers(world->plane, from->slot, ssrc, &receivers);
			size_t expected = 0;

			for (int t = 0; t < LEGS; t++) {
				const struct model_leg *to = &world->legs[t];
				bool should = should_receive(from, to, ssrc);
				bool does = to->used && has(receivers, count, to->slot);

				expected += should;
				if (does && !should)
					fail_msg("%s gets %u from %s", to->spec.name, ssrc,
						 from->spec.name);
				if (complete && should && !does)
					fail_msg("%s misses %u from %s", to->spec.name, ssrc,
						 from->spec.name);
			}
			assert_true(complete ? count == expected : count <= expected);
		}
	}
}

static size_t random_ssrcs(uint32_t *ssrcs, size_t most)
{
	size_t count = 0;

	for (uint32_t ssrc = 0; ssrc < SSRCS && count < most; ssrc++)
		if (rand() % 4 == 0)
			ssrcs[count++] = ssrc;
	return count;
}

static void random_spec(struct world *world, struct br_static_leg *spec)
{
	char address[BR_ENDPOINT_TEXT];
	unsigned int id = world->names++;

	memset(spec, 0, sizeof(*spec));
	snprintf(spec->name, sizeof(spec->name), "leg%u", id);
	snprintf(address, sizeof(address), id % 2 ? "10.0.0.1:%u" : "[fd00::1]:%u",
		 1000 + id % 60000);
	assert_true(br_endpoint_parse(address, &spec->remote));
	spec->role = (enum br_role)(1 + rand() % 3);
	if (spec->role & BR_ROLE_PUBLISHER && rand() % 2)
		spec->ssrc_count = random_ssrcs(spec->ssrcs, SSRCS);
	if (spec->role & BR_ROLE_SUBSCRIBER && rand() % 2)
		spec->receive_ssrc_count = random_ssrcs(spec->receive_ssrcs, SSRCS);
}

static bool declared_in_room(const struct world *world, int room, const struct br_static_leg *spec)
{
	for (int i = 0; i < LEGS; i++) {
		const struct model_leg *leg = &world->legs[i];

		for (size_t s = 0; leg->used && leg->room == room && s < leg->spec.ssrc_count; s++)
			for (size_t n = 0; n < spec->ssrc_count; n++)
				if (leg->spec.ssrcs[s] == spec->ssrcs[n])
					return true;
	}
	return false;
}

/* Fails at the first call to the plane, then the second, … until none is left to fail. */
static void join(struct world *world, struct model_leg *leg)
{
	struct br_error error;
	unsigned int call = 1;
	int err;

	leg->room = rand() % ROOMS;
	random_spec(world, &leg->spec);
	if (declared_in_room(world, leg->room, &leg->spec)) {
		assert_int_equal(br_room_leg_add(world->rooms, world->room[leg->room], &leg->spec,
						 &leg->leg, &error),
				 -EEXIST);
		assert_string_equal(error.field, "ssrcs");
		return;
	}
	for (;; call++) {
		char *before = fake_plane_snapshot(world->plane), *after;
		size_t count = br_room_leg_count(world->room[leg->room]);

		fake_plane_fail_at(world->plane, call, -ENOSPC);
		err = br_room_leg_add(world->rooms, world->room[leg->room], &leg->spec, &leg->leg,
				      &error);
		if (!err) {
			free(before);
			break;
		}
		assert_int_equal(err, -ENOSPC);
		assert_int_equal(error.code, -ENOSPC);
		assert_string_equal(error.field, "");
		assert_int_equal(fake_plane_failed(world->plane), 1);
		assert_int_equal(br_room_leg_count(world->room[leg->room]), count);
		assert_null(br_room_leg_find(world->room[leg->room], leg->spec.name));
		after = fake_plane_snapshot(world->plane);
		assert_string_equal(before, after);
		free(before);
		free(after);
		world->undone++;
	}
	fake_plane_fail_at(world->plane, 0, 0);
	leg->used = true;
	leg->slot = br_room_leg_slot(leg->leg);
	memset(leg->sends, 0, sizeof(leg->sends));
	for (size_t i = 0; i < leg->spec.ssrc_count; i++)
		leg->sends[leg->spec.ssrcs[i]] = true;
	assert_int_equal(call > 1, true);
}

static void leave(struct world *world, struct model_leg *leg)
{
	unsigned int failed;

	fake_plane_fail_at(world->plane, (unsigned int)rand() % 6, -ENOSPC);
	br_room_leg_remove(world->rooms, world->room[leg->room], leg->leg);
	failed = fake_plane_failed(world->plane);
	fake_plane_fail_at(world->plane, 0, 0);
	assert_null(fake_plane_spec(world->plane, leg->slot));
	leg->used = false;
	check(world, !failed);
	br_rooms_tick(world->rooms);
	assert_int_equal(world->rooms->dirty, 0);
}

static void learn(struct world *world, struct model_leg *leg)
{
	uint32_t ssrc = (uint32_t)rand() % SSRCS;

	if (!publishes(leg) || leg->spec.ssrc_count || leg->sends[ssrc])
		return;
	leg->sends[ssrc] = true;
	fake_plane_fail_at(world->plane, (unsigned int)rand() % 2, -ENOSPC);
	fake_plane_learn(world->plane, leg->slot, ssrc);
	if (fake_plane_failed(world->plane)) {
		check(world, false);
		br_rooms_tick(world->rooms);
	}
	fake_plane_fail_at(world->plane, 0, 0);
}

static void open_room(struct world *world, int room)
{
	assert_int_equal(br_room_create(world->rooms, room_names[room], &world->room[room], NULL),
			 0);
}

static void close_room(struct world *world, int room)
{
	uint64_t edges = fake_plane_edges_written(world->plane);

	/* even with no edges left */
	fake_plane_full(world->plane, true);
	br_room_delete(world->rooms, world->room[room]);
	assert_int_equal(fake_plane_failed(world->plane), 0);
	assert_int_equal(fake_plane_edges_written(world->plane), edges);
	fake_plane_full(world->plane, false);
	for (int i = 0; i < LEGS; i++)
		if (world->legs[i].room == room)
			world->legs[i].used = false;
	open_room(world, room);
}

static void world_open(struct world *world)
{
	struct br_network allow[2];
	struct br_rooms_options options = {.max_rooms = ROOMS,
					   .max_legs_per_room = LEGS,
					   .ssrc_limit = SSRCS,
					   .static_allow = allow,
					   .static_allow_count = 2};

	memset(world, 0, sizeof(*world));
	assert_true(br_network_parse("10.0.0.0/8", &allow[0]));
	assert_true(br_network_parse("fd00::/8", &allow[1]));
	world->plane = fake_plane_new(LEGS, STREAMS);
	world->rooms = br_rooms_new(world->plane, &options);
	assert_non_null(world->rooms);
	for (int i = 0; i < ROOMS; i++)
		open_room(world, i);
}

static void world_close(struct world *world)
{
	br_rooms_free(world->rooms);
	assert_int_equal(fake_plane_legs(world->plane), 0);
	assert_int_equal(fake_plane_streams(world->plane), 0);
	fake_plane_free(world->plane);
}

static void everybody_gets_what_is_theirs(void **state)
{
	struct world world;

	(void)state;
	srand(20240131);
	world_open(&world);
	for (int step = 0; step < STEPS; step++) {
		struct model_leg *leg = &world.legs[rand() % LEGS];

		if (!leg->used)
			join(&world, leg);
		else if (rand() % 3 == 0)
			leave(&world, leg);
		else
			learn(&world, leg);
		if (rand() % 500 == 0)
			close_room(&world, rand() % ROOMS);
		check(&world, true);
	}
	/* the walk must have been through the undoing */
	assert_true(world.undone > 1000);
	world_close(&world);
}

/* With no edges at all nothing can be put back or shortened: still nobody gets too much. */
static void without_edges_nobody_gets_too_much(void **state)
{
	struct world world;
	unsigned int failures = 0;
	bool full = false;

	(void)state;
	srand(7);
	world_open(&world);
	for (int step = 0; step < STEPS / 6; step++) {
		struct model_leg *leg = &world.legs[rand() % LEGS];

		if (rand() % 3 == 0) {
			fake_plane_full(world.plane, full = false);
			br_rooms_tick(world.rooms);
			assert_int_equal(world.rooms->dirty, 0);
			check(&world, true);
		}
		if (!leg->used && !full) {
			join(&world, leg);
		} else if (leg->used && !full && rand() % 2) {
			learn(&world, leg);
		} else if (leg->used) {
			fake_plane_full(world.plane, full = true);
			br_room_leg_remove(world.rooms, world.room[leg->room], leg->leg);
			leg->used = false;
			failures += fake_plane_failed(world.plane);
			br_rooms_tick(world.rooms);
		}
		check(&world, false);
	}
	assert_true(failures > 50);
	fake_plane_full(world.plane, false);
	world_close(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everybody_gets_what_is_theirs),
		cmocka_unit_test(without_edges_nobody_gets_too_much),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
