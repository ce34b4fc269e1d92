/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory runs out at every allocation in turn: an error, nothing changed, nothing leaked. */
#include "fake_plane.h"

#include <setjmp.h>
#include <stdarg.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "room/room.h"

static unsigned int fail_at; /* this allocation from now fails; 0: none */

/* The linker leads calls of calloc and reallocarray here (--wrap). */
void *__real_calloc(size_t count, size_t size);
void *__real_reallocarray(void *old, size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_reallocarray(void *old, size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
	if (fail_at && --fail_at == 0)
		return NULL;
	return __real_calloc(count, size);
}

void *__wrap_reallocarray(void *old, size_t count, size_t size)
{
	if (fail_at && --fail_at == 0)
		return NULL;
	return __real_reallocarray(old, count, size);
}

static struct br_network allow;
static const struct br_rooms_options options = {.max_rooms = 8,
						.max_legs_per_room = 100,
						.ssrc_limit = 8,
						.static_allow = &allow,
						.static_allow_count = 1};

static struct br_rooms *open_rooms(struct br_plane *plane)
{
	struct br_rooms *rooms;
	unsigned int failures = 0;

	assert_true(br_network_parse("10.0.0.0/8", &allow));
	for (;; failures++) {
		fail_at = failures + 1;
		rooms = br_rooms_new(plane, &options);
		if (rooms)
			break;
		assert_int_equal(fail_at, 0);
	}
	fail_at = 0;
	assert_true(failures > 0);
	return rooms;
}

static struct br_room *create_room(struct br_rooms *rooms)
{
	struct br_room *room = NULL;
	unsigned int failures = 0;
	int err;

	for (;; failures++) {
		fail_at = failures + 1;
		err = br_room_create(rooms, "room", &room, NULL);
		if (!err)
			break;
		assert_int_equal(err, -ENOMEM);
		assert_null(br_room_find(rooms, "room"));
		assert_int_equal(br_rooms_count(rooms), 0);
	}
	fail_at = 0;
	assert_true(failures > 0);
	return room;
}

static unsigned int add_leg(struct br_plane *plane, struct br_rooms *rooms, struct br_room *room,
			    const struct br_static_leg *spec)
{
	struct br_room_leg *leg = NULL;
	struct br_error error;
	unsigned int failures = 0;
	int err;

	for (unsigned int call = 1;; call++) {
		char *before = fake_plane_snapshot(plane), *after;

		fail_at = call;
		err = br_room_leg_add(rooms, room, spec, &leg, &error);
		/* a hash table that cannot grow makes nothing fail */
		if (!err && fail_at == 0)
			br_room_leg_remove(rooms, room, leg);
		else if (err)
			failures++;
		if (!err && fail_at) {
			fail_at = 0;
			free(before);
			return failures;
		}
		fail_at = 0;
		after = fake_plane_snapshot(plane);
		assert_string_equal(before, after);
		free(before);
		free(after);
		if (err) {
			assert_int_equal(err, -ENOMEM);
			assert_int_equal(error.code, -ENOMEM);
			assert_null(br_room_leg_find(room, spec->name));
		}
	}
}

static void without_memory(void **state)
{
	struct br_plane *plane = fake_plane_new(128, 1000);
	struct br_rooms *rooms = open_rooms(plane);
	struct br_room *room = create_room(rooms);
	struct br_room_leg *free_sender;
	struct br_static_leg spec;
	unsigned int failures = 0;

	(void)state;
	for (uint32_t i = 0; i < 90; i++) {
		memset(&spec, 0, sizeof(spec));
		snprintf(spec.name, sizeof(spec.name), "leg%u", i);
		assert_true(br_endpoint_parse("10.0.0.1:1000", &spec.remote));
		spec.remote.port = (__be16)(i + 1);
		spec.role = (enum br_role)(1 + i % 3);
		if (spec.role & BR_ROLE_PUBLISHER && i != 3)
			spec.ssrcs[spec.ssrc_count++] = i;
		if (spec.role & BR_ROLE_SUBSCRIBER && i % 2) {
			spec.receive_ssrcs[spec.receive_ssrc_count++] = i - 1;
			spec.receive_ssrcs[spec.receive_ssrc_count++] = 5000 + i;
		}
		failures += add_leg(plane, rooms, room, &spec);
	}
	assert_true(failures > 200);
	/* a learned stream that finds no memory goes the way of its leg */
	free_sender = br_room_leg_find(room, "leg3");
	assert_non_null(free_sender);
	for (uint32_t call = 1; call <= 2; call++) {
		fail_at = call;
		fake_plane_learn(plane, br_room_leg_slot(free_sender), 9000 + call);
		assert_int_equal(fail_at, 0);
		assert_true(fake_plane_inherits(plane, br_room_leg_slot(free_sender), 9000 + call));
	}
	br_rooms_free(rooms);
	assert_int_equal(fake_plane_legs(plane), 0);
	fake_plane_free(plane);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(without_memory)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
