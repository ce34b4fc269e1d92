/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a listener hears of rooms: a leg before anything is sent to it, and before it is gone from
 * the plane; a room before its legs; also of legs that could not be connected.
 */
#include "fake_plane.h"

#include <setjmp.h>
#include <stdarg.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "room/room.h"

struct fixture {
	struct br_plane *plane;
	struct br_rooms *rooms;
	struct br_room *room;
	char heard[256];
};

static void hear(struct fixture *f, const char *what, const char *name)
{
	size_t used = strlen(f->heard);

	snprintf(f->heard + used, sizeof(f->heard) - used, "%s%s %s", used ? ", " : "", what, name);
}

/* In every event of a leg it is found by its slot, and the plane has it. */
static const char *check_leg(const struct fixture *f, const struct br_room *room,
			     const struct br_room_leg *leg)
{
	assert_ptr_equal(room, f->room);
	assert_ptr_equal(br_room_leg_at(f->rooms, br_room_leg_slot(leg)), leg);
	assert_non_null(fake_plane_spec(f->plane, br_room_leg_slot(leg)));
	return br_room_leg_spec(leg)->name;
}

static bool receives(const struct fixture *f, uint32_t sender, uint32_t slot)
{
	const uint32_t *receivers;
	size_t count = fake_plane_own_route(f->plane, sender, &receivers);

	for (size_t i = 0; i < count; i++)
		if (receivers[i] == slot)
			return true;
	return false;
}

static void joined(void *context, const struct br_room *room, const struct br_room_leg *leg)
{
	struct fixture *f = context;
	struct br_room_leg *other = NULL;

	hear(f, "joined", check_leg(f, room, leg));
	while ((other = br_room_leg_next(room, other)))
		assert_false(receives(f, br_room_leg_slot(other), br_room_leg_slot(leg)));
}

static void leaves(void *context, const struct br_room *room, const struct br_room_leg *leg)
{
	struct fixture *f = context;

	hear(f, "leaves", check_leg(f, room, leg));
}

static void goes(void *context, const struct br_room *room)
{
	struct fixture *f = context;

	hear(f, "goes", br_room_name(room));
	assert_ptr_equal(room, f->room);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct br_rooms_options options = {.max_rooms = 2, .max_legs_per_room = 8, .ssrc_limit = 4};
	struct br_network network;

	assert_non_null(f);
	assert_true(br_network_parse("10.0.0.0/8", &network));
	options.static_allow = &network;
	options.static_allow_count = 1;
	f->plane = fake_plane_new(8, 16);
	f->rooms = br_rooms_new(f->plane, &options);
	assert_non_null(f->rooms);
	br_rooms_set_events(f->rooms, &(struct br_rooms_events){.leg_joined = joined,
								.leg_leaves = leaves,
								.room_goes = goes,
								.context = f});
	assert_int_equal(br_room_create(f->rooms, "hall", &f->room, NULL), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	br_rooms_free(f->rooms);
	fake_plane_free(f->plane);
	free(f);
	return 0;
}

static struct br_room_leg *add(struct fixture *f, const char *name, enum br_role role, int expected)
{
	struct br_static_leg spec = {.role = role};
	struct br_room_leg *leg = NULL;
	char address[32];

	snprintf(spec.name, sizeof(spec.name), "%s", name);
	snprintf(address, sizeof(address), "10.1.0.%u:5004", (unsigned int)name[0]);
	assert_true(br_endpoint_parse(address, &spec.remote));
	assert_int_equal(br_room_leg_add(f->rooms, f->room, &spec, &leg, NULL), expected);
	return leg;
}

static void test_comes_and_goes(void **state)
{
	struct fixture *f = *state;
	struct br_room_leg *bob;

	add(f, "alice", BR_ROLE_PUBLISHER, 0);
	bob = add(f, "bob", BR_ROLE_SUBSCRIBER, 0);
	br_room_leg_remove(f->rooms, f->room, bob);
	assert_string_equal(f->heard, "joined alice, joined bob, leaves bob");
}

static void test_room_before_its_legs(void **state)
{
	struct fixture *f = *state;

	add(f, "alice", BR_ROLE_PUBLISHER, 0);
	add(f, "bob", BR_ROLE_SUBSCRIBER, 0);
	br_room_delete(f->rooms, f->room);
	assert_string_equal(f->heard,
			    "joined alice, joined bob, goes hall, leaves alice, leaves bob");
}

/* Whoever was heard of is heard of again when the routes cannot be had after all. */
static void test_not_connected(void **state)
{
	struct fixture *f = *state;

	add(f, "alice", BR_ROLE_PUBLISHER, 0);
	fake_plane_full(f->plane, true);
	add(f, "bob", BR_ROLE_SUBSCRIBER, -ENOSPC);
	assert_string_equal(f->heard, "joined alice, joined bob, leaves bob");
	fake_plane_full(f->plane, false);
	add(f, "alice", BR_ROLE_PUBLISHER, -EEXIST);
	assert_string_equal(f->heard, "joined alice, joined bob, leaves bob");
}

static void test_nobody_listens(void **state)
{
	struct fixture *f = *state;
	struct br_room_leg *alice;

	br_rooms_set_events(f->rooms, NULL);
	alice = add(f, "alice", BR_ROLE_PUBLISHER, 0);
	br_room_leg_remove(f->rooms, f->room, alice);
	br_room_delete(f->rooms, f->room);
	assert_string_equal(f->heard, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_comes_and_goes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_room_before_its_legs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_connected, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nobody_listens, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
