/* SPDX-License-Identifier: BSD-2-Clause */
/* Rooms and legs: the routes each role means, the errors, the limits, the cost. */
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

#define MAX_ROOMS 3
#define MAX_LEGS  5

struct fixture {
	struct br_plane *plane;
	struct br_rooms *rooms;
	struct br_room *room;
};

static struct br_rooms *open_rooms(struct br_plane *plane, uint32_t max_legs, const char *allow)
{
	struct br_network network;
	struct br_rooms_options options = {.max_rooms = MAX_ROOMS,
					   .max_legs_per_room = max_legs,
					   .ssrc_limit = 7,
					   .static_allow = &network,
					   .static_allow_count = allow ? 1 : 0};
	struct br_rooms *rooms;

	if (allow)
		assert_true(br_network_parse(allow, &network));
	rooms = br_rooms_new(plane, &options);
	assert_non_null(rooms);
	return rooms;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->plane = fake_plane_new(16, 64);
	f->rooms = open_rooms(f->plane, MAX_LEGS, "10.0.0.0/8");
	assert_int_equal(br_room_create(f->rooms, "hall", &f->room, NULL), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	br_rooms_free(f->rooms);
	assert_int_equal(fake_plane_legs(f->plane), 0);
	assert_int_equal(fake_plane_streams(f->plane), 0);
	fake_plane_free(f->plane);
	free(f);
	return 0;
}

static struct br_static_leg leg_spec(const char *name, enum br_role role)
{
	static unsigned int host;
	struct br_static_leg spec = {.role = role};
	char address[BR_ENDPOINT_TEXT];

	host = host % 60000 + 1;
	snprintf(spec.name, sizeof(spec.name), "%s", name);
	snprintf(address, sizeof(address), "10.1.%u.%u:5004", host / 250, host % 250 + 1);
	assert_true(br_endpoint_parse(address, &spec.remote));
	return spec;
}

static struct br_room_leg *add(struct fixture *f, const struct br_static_leg *spec)
{
	struct br_room_leg *leg = NULL;
	struct br_error error = {0};

	if (br_room_leg_add(f->rooms, f->room, spec, &leg, &error))
		fail_msg("%s: %s: %s", spec->name, error.field, error.detail);
	return leg;
}

static struct br_room_leg *add_role(struct fixture *f, const char *name, enum br_role role)
{
	struct br_static_leg spec = leg_spec(name, role);

	return add(f, &spec);
}

/* The spec must be refused with that error, and nothing may have changed. */
static const char *refused(struct fixture *f, const struct br_static_leg *spec, int code,
			   const char *field)
{
	static struct br_error error;
	char *before = fake_plane_snapshot(f->plane), *after;
	size_t count = br_room_leg_count(f->room);
	struct br_room_leg *leg = NULL;

	assert_int_equal(br_room_leg_add(f->rooms, f->room, spec, &leg, &error), code);
	assert_int_equal(error.code, code);
	assert_string_equal(error.field, field);
	assert_true(strlen(error.detail) > 10);
	assert_null(leg);
	assert_int_equal(br_room_leg_count(f->room), count);
	after = fake_plane_snapshot(f->plane);
	assert_string_equal(before, after);
	free(before);
	free(after);
	/* without a place for the error the answer is the same */
	assert_int_equal(br_room_leg_add(f->rooms, f->room, spec, &leg, NULL), code);
	return error.detail;
}

/* The receivers must be exactly those legs; the list ends with NULL. */
static void expect(const uint32_t *receivers, size_t count, va_list legs)
{
	struct br_room_leg *leg;
	size_t expected = 0;

	while ((leg = va_arg(legs, struct br_room_leg *)) != NULL) {
		bool found = false;

		for (size_t i = 0; i < count; i++)
			found = found || receivers[i] == br_room_leg_slot(leg);
		if (!found)
			fail_msg("%s is missing", br_room_leg_spec(leg)->name);
		expected++;
	}
	assert_int_equal(count, expected);
}

static void expect_route(struct fixture *f, const struct br_room_leg *from, ...)
{
	const uint32_t *receivers;
	size_t count = fake_plane_own_route(f->plane, br_room_leg_slot(from), &receivers);
	va_list legs;

	va_start(legs, from);
	expect(receivers, count, legs);
	va_end(legs);
}

static void expect_stream(struct fixture *f, const struct br_room_leg *from, uint32_t ssrc, ...)
{
	const uint32_t *receivers;
	size_t count = fake_plane_receivers(f->plane, br_room_leg_slot(from), ssrc, &receivers);
	va_list legs;

	va_start(legs, ssrc);
	expect(receivers, count, legs);
	va_end(legs);
}

static void roles(void **state)
{
	struct fixture *f = *state;
	struct br_room_leg *listener = add_role(f, "listener", BR_ROLE_SUBSCRIBER);
	struct br_room_leg *sender, *talker;

	/* nobody to give feedback to: not even an empty route is written */
	assert_int_equal(fake_plane_route_calls(f->plane), 0);
	sender = add_role(f, "sender", BR_ROLE_PUBLISHER);
	expect_route(f, sender, listener, NULL);
	expect_route(f, listener, sender, NULL);
	talker = add_role(f, "talker", BR_ROLE_BOTH);
	expect_route(f, sender, listener, talker, NULL);
	expect_route(f, talker, listener, NULL);
	expect_route(f, listener, sender, talker, NULL);
	br_room_leg_remove(f->rooms, f->room, sender);
	expect_route(f, talker, listener, NULL);
	expect_route(f, listener, talker, NULL);
	br_room_leg_remove(f->rooms, f->room, talker);
	expect_route(f, listener, NULL);
}

static void plane_specs(void **state)
{
	struct fixture *f = *state;
	struct br_static_leg spec = leg_spec("listed", BR_ROLE_PUBLISHER);
	const struct br_leg_spec *plane;

	spec.ssrcs[0] = 0; /* an SSRC like any other (RFC 3550 section 3) */
	spec.ssrcs[1] = 0xffffffff;
	spec.ssrc_count = 2;
	plane = fake_plane_spec(f->plane, br_room_leg_slot(add(f, &spec)));
	assert_true(plane->publish && plane->fixed_ssrcs);
	assert_int_equal(plane->ssrc_limit, 0);
	assert_int_equal(fake_plane_streams(f->plane), 2);
	plane = fake_plane_spec(f->plane, br_room_leg_slot(add_role(f, "free", BR_ROLE_PUBLISHER)));
	assert_true(plane->publish && !plane->fixed_ssrcs);
	assert_int_equal(plane->ssrc_limit, 7);
	plane = fake_plane_spec(f->plane, br_room_leg_slot(add_role(f, "ear", BR_ROLE_SUBSCRIBER)));
	assert_false(plane->publish);
}

static void chosen_streams(void **state)
{
	struct fixture *f = *state;
	struct br_room_leg *sender = add_role(f, "sender", BR_ROLE_PUBLISHER), *picker, *all;
	struct br_static_leg spec = leg_spec("picker", BR_ROLE_SUBSCRIBER);
	uint32_t slot = br_room_leg_slot(sender);

	fake_plane_learn(f->plane, slot, 100);
	spec.receive_ssrcs[0] = 200;
	spec.receive_ssrcs[1] = 100;
	spec.receive_ssrc_count = 2;
	picker = add(f, &spec);
	expect_route(f, sender, NULL);
	expect_stream(f, sender, 100, picker, NULL);
	/* learned after the picker came: at once */
	fake_plane_learn(f->plane, slot, 200);
	expect_stream(f, sender, 200, picker, NULL);
	/* nobody picks this one */
	fake_plane_learn(f->plane, slot, 300);
	assert_true(fake_plane_inherits(f->plane, slot, 300));
	all = add_role(f, "all", BR_ROLE_SUBSCRIBER);
	expect_route(f, sender, all, NULL);
	expect_stream(f, sender, 100, picker, all, NULL);
	expect_stream(f, sender, 300, all, NULL);
	br_room_leg_remove(f->rooms, f->room, picker);
	assert_true(fake_plane_inherits(f->plane, slot, 100));
	assert_true(fake_plane_inherits(f->plane, slot, 200));
	expect_stream(f, sender, 100, all, NULL);
}

/* RTCP of a leg that only listens goes to those it receives from. */
static void feedback_goes_to_senders(void **state)
{
	struct fixture *f = *state;
	struct br_room_leg *sender = add_role(f, "sender", BR_ROLE_PUBLISHER), *picker, *all,
			   *other;
	struct br_static_leg spec = leg_spec("picker", BR_ROLE_SUBSCRIBER);

	spec.receive_ssrcs[0] = 100;
	spec.receive_ssrcs[1] = 200;
	spec.receive_ssrcs[2] = 300;
	spec.receive_ssrc_count = 3;
	picker = add(f, &spec);
	all = add_role(f, "all", BR_ROLE_SUBSCRIBER);
	expect_route(f, picker, NULL);
	expect_route(f, all, sender, NULL);
	fake_plane_learn(f->plane, br_room_leg_slot(sender), 7);
	expect_route(f, picker, NULL);
	fake_plane_learn(f->plane, br_room_leg_slot(sender), 100);
	expect_route(f, picker, sender, NULL);
	fake_plane_learn(f->plane, br_room_leg_slot(sender), 200); /* named once */
	expect_route(f, picker, sender, NULL);

	spec = leg_spec("other", BR_ROLE_PUBLISHER);
	spec.ssrcs[0] = 300;
	spec.ssrc_count = 1;
	other = add(f, &spec);
	expect_route(f, picker, sender, other, NULL);
	expect_route(f, all, sender, other, NULL);
	br_room_leg_remove(f->rooms, f->room, sender);
	expect_route(f, picker, other, NULL);
	expect_route(f, all, other, NULL);
}

static void own_stream_is_not_chosen(void **state)
{
	struct fixture *f = *state;
	struct br_static_leg spec = leg_spec("echo", BR_ROLE_BOTH);
	struct br_room_leg *echo;

	spec.ssrcs[0] = spec.receive_ssrcs[0] = 5;
	spec.ssrc_count = spec.receive_ssrc_count = 1;
	echo = add(f, &spec);
	assert_true(fake_plane_inherits(f->plane, br_room_leg_slot(echo), 5));
	expect_stream(f, echo, 5, NULL);
}

static void late_events_are_harmless(void **state)
{
	struct fixture *f = *state;
	struct br_room_leg *sender = add_role(f, "sender", BR_ROLE_PUBLISHER);

	fake_plane_learn(f->plane, br_room_leg_slot(sender), 1);
	fake_plane_repeat(f->plane, br_room_leg_slot(sender), 1);
	fake_plane_repeat(f->plane, 9, 1);
	fake_plane_repeat(f->plane, UINT32_MAX, 1);
	br_room_leg_remove(f->rooms, f->room, sender);
	fake_plane_repeat(f->plane, 0, 1);
	assert_int_equal(fake_plane_streams(f->plane), 0);
}

static void no_edges_for_a_learned_stream(void **state)
{
	struct fixture *f = *state;
	struct br_room_leg *sender = add_role(f, "sender", BR_ROLE_PUBLISHER), *picker;
	struct br_static_leg spec = leg_spec("picker", BR_ROLE_SUBSCRIBER);

	spec.receive_ssrcs[0] = 8;
	spec.receive_ssrc_count = 1;
	picker = add(f, &spec);
	fake_plane_full(f->plane, true);
	fake_plane_learn(f->plane, br_room_leg_slot(sender), 8);
	expect_stream(f, sender, 8, NULL);
	br_rooms_tick(f->rooms);
	expect_stream(f, sender, 8, NULL);
	fake_plane_full(f->plane, false);
	br_rooms_tick(f->rooms);
	expect_stream(f, sender, 8, picker, NULL);
	/* nothing is left to be tried again */
	fake_plane_full(f->plane, true);
	br_rooms_tick(f->rooms);
	assert_int_equal(fake_plane_failed(f->plane), 0);
	fake_plane_full(f->plane, false);
}

static void wrong_names_and_roles(void **state)
{
	struct fixture *f = *state;
	static const char *const bad[] = {"", ".", "..", "a b", "a/b", "\xc3\xa9"};
	struct br_static_leg spec;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		spec = leg_spec(bad[i], BR_ROLE_BOTH);
		refused(f, &spec, -EINVAL, "name");
		assert_false(br_name_valid(bad[i]));
	}
	spec = leg_spec("x", BR_ROLE_BOTH);
	memset(spec.name, 'x', sizeof(spec.name)); /* no end */
	refused(f, &spec, -EINVAL, "name");
	spec.name[BR_NAME_MAX] = '\0';
	assert_true(br_name_valid(spec.name));
	add(f, &spec);
	spec.remote.port = htons(9);
	refused(f, &spec, -EEXIST, "name");
	spec = leg_spec("role", 0);
	refused(f, &spec, -EINVAL, "role");
	spec = leg_spec("role", 4);
	refused(f, &spec, -EINVAL, "role");
}

static void wrong_addresses(void **state)
{
	static const char *const bad[] = {"224.0.0.1:5000", "0.0.0.0:5000", "255.255.255.255:5000",
					  "[ff02::1]:5000", "[::]:5000"};
	struct fixture *f = *state;
	struct br_static_leg spec = leg_spec("a", BR_ROLE_BOTH);

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_true(br_endpoint_parse(bad[i], &spec.remote));
		refused(f, &spec, -EINVAL, "address");
	}
	assert_true(br_endpoint_parse("11.0.0.1:5000", &spec.remote));
	assert_non_null(strstr(refused(f, &spec, -EACCES, "address"), "10.0.0.0/8"));
	assert_true(br_endpoint_parse("[2001:db8::1]:5000", &spec.remote));
	refused(f, &spec, -EACCES, "address");
	assert_true(br_endpoint_parse("10.0.0.1:5000", &spec.remote));
	spec.remote.port = 0;
	refused(f, &spec, -EINVAL, "port");
	memset(&spec.remote, 0, sizeof(spec.remote));
	refused(f, &spec, -EINVAL, "address");

	spec = leg_spec("a", BR_ROLE_BOTH);
	add(f, &spec);
	strcpy(spec.name, "b");
	assert_non_null(strstr(refused(f, &spec, -EEXIST, "address"), "10.1."));
}

static void unreachable_names_the_address(void **state)
{
	struct fixture *f = *state;
	struct br_static_leg spec = leg_spec("far", BR_ROLE_BOTH);
	struct br_room_leg *leg = NULL;
	struct br_error error;

	fake_plane_fail_at(f->plane, 1, -EHOSTUNREACH);
	assert_int_equal(br_room_leg_add(f->rooms, f->room, &spec, &leg, &error), -EHOSTUNREACH);
	assert_string_equal(error.field, "address");
	assert_string_equal(error.detail, "the fake plane was told to fail");
}

static void nothing_is_allowed_by_default(void **state)
{
	struct br_plane *plane = fake_plane_new(4, 4);
	struct fixture f = {.plane = plane, .rooms = open_rooms(plane, 4, NULL)};
	struct br_static_leg spec = leg_spec("a", BR_ROLE_BOTH);

	(void)state;
	assert_int_equal(br_room_create(f.rooms, "r", &f.room, NULL), 0);
	assert_non_null(strstr(refused(&f, &spec, -EACCES, "address"), "\"static_allow\":"));
	br_rooms_free(f.rooms);
	fake_plane_free(plane);
}

static void wrong_ssrcs(void **state)
{
	struct fixture *f = *state;
	struct br_static_leg spec = leg_spec("s", BR_ROLE_SUBSCRIBER);

	spec.ssrc_count = 1;
	refused(f, &spec, -EINVAL, "ssrcs");
	spec = leg_spec("p", BR_ROLE_PUBLISHER);
	spec.receive_ssrc_count = 1;
	refused(f, &spec, -EINVAL, "receive_ssrcs");
	spec = leg_spec("b", BR_ROLE_BOTH);
	spec.ssrcs[0] = spec.ssrcs[2] = 7;
	spec.ssrc_count = 3;
	assert_non_null(strstr(refused(f, &spec, -EINVAL, "ssrcs"), "7"));
	spec.ssrcs[2] = 8;
	spec.receive_ssrc_count = 2; /* twice zero */
	refused(f, &spec, -EINVAL, "receive_ssrcs");
	spec.receive_ssrc_count = BR_LEG_SSRCS_MAX + 1;
	refused(f, &spec, -EINVAL, "receive_ssrcs");
	spec.receive_ssrc_count = 0;
	add(f, &spec);
	spec = leg_spec("c", BR_ROLE_PUBLISHER);
	spec.ssrcs[0] = 8;
	spec.ssrc_count = 1;
	assert_non_null(strstr(refused(f, &spec, -EEXIST, "ssrcs"), "leg b"));
	br_room_leg_remove(f->rooms, f->room, br_room_leg_find(f->room, "b"));
	add(f, &spec);
}

static void limits(void **state)
{
	struct fixture *f = *state;
	struct br_static_leg spec = leg_spec("six", BR_ROLE_BOTH);
	struct br_room *room = NULL;
	struct br_error error;
	char name[16];

	for (int i = 0; i < MAX_LEGS; i++) {
		snprintf(name, sizeof(name), "leg%d", i);
		add_role(f, name, BR_ROLE_BOTH);
	}
	assert_non_null(strstr(refused(f, &spec, -ENOSPC, ""), "max_legs_per_room"));
	assert_int_equal(br_room_create(f->rooms, "hall", &room, &error), -EEXIST);
	assert_string_equal(error.field, "room");
	assert_int_equal(br_room_create(f->rooms, "a/b", &room, &error), -EINVAL);
	assert_string_equal(error.field, "room");
	assert_int_equal(br_room_create(f->rooms, "r2", &room, &error), 0);
	assert_int_equal(br_room_create(f->rooms, "r3", &room, &error), 0);
	assert_int_equal(br_room_create(f->rooms, "r4", &room, &error), -ENOSPC);
	assert_string_equal(error.field, "max_rooms");
	br_room_delete(f->rooms, room);
	assert_int_equal(br_room_create(f->rooms, "r4", &room, &error), 0);
	assert_int_equal(br_rooms_count(f->rooms), MAX_ROOMS);
}

static void order_of_creation(void **state)
{
	struct fixture *f = *state;
	struct br_room_leg *b = add_role(f, "b", BR_ROLE_BOTH);
	struct br_room_leg *a = add_role(f, "a", BR_ROLE_BOTH);
	struct br_room_leg *c = add_role(f, "c", BR_ROLE_BOTH);
	struct br_room *other;

	assert_ptr_equal(br_room_leg_next(f->room, NULL), b);
	assert_ptr_equal(br_room_leg_next(f->room, b), a);
	assert_ptr_equal(br_room_leg_next(f->room, a), c);
	assert_null(br_room_leg_next(f->room, c));
	br_room_leg_remove(f->rooms, f->room, a);
	assert_ptr_equal(br_room_leg_next(f->room, b), c);
	br_room_leg_remove(f->rooms, f->room, c);
	assert_null(br_room_leg_next(f->room, b));
	a = add_role(f, "a", BR_ROLE_BOTH);
	assert_ptr_equal(br_room_leg_next(f->room, b), a);
	br_room_leg_remove(f->rooms, f->room, b);
	assert_ptr_equal(br_room_leg_next(f->room, NULL), a);
	assert_true(br_room_leg_created_ms(a) >= br_room_created_ms(f->room));
	assert_ptr_equal(br_room_leg_find(f->room, "a"), a);
	assert_null(br_room_leg_find(f->room, "b"));

	assert_int_equal(br_room_create(f->rooms, "attic", &other, NULL), 0);
	assert_ptr_equal(br_room_next(f->rooms, NULL), f->room);
	assert_ptr_equal(br_room_next(f->rooms, f->room), other);
	assert_ptr_equal(br_room_find(f->rooms, "attic"), other);
	assert_string_equal(br_room_name(other), "attic");
	br_room_delete(f->rooms, f->room);
	assert_ptr_equal(br_room_next(f->rooms, NULL), other);
	assert_null(br_room_find(f->rooms, "hall"));
}

/* The largest room: what a join, a leave and the end of the room cost, in plane calls. */
static void large_room(void **state)
{
	struct br_plane *plane = fake_plane_new(BR_ROUTE_MAX + 1, 8);
	struct fixture f = {.plane = plane,
			    .rooms = open_rooms(plane, BR_ROUTE_MAX + 1, "10.0.0.0/8")};
	struct br_static_leg spec;
	struct br_room_leg *sender;
	const uint32_t *receivers;
	uint64_t calls, edges;
	char name[16];

	(void)state;
	assert_int_equal(br_room_create(f.rooms, "stadium", &f.room, NULL), 0);
	sender = add_role(&f, "sender", BR_ROLE_PUBLISHER);
	for (uint32_t i = 0; i < BR_ROUTE_MAX; i++) {
		snprintf(name, sizeof(name), "seat%u", i);
		calls = fake_plane_route_calls(plane);
		add_role(&f, name, BR_ROLE_SUBSCRIBER);
		/* the sender's route and the feedback of the new leg */
		assert_int_equal(fake_plane_route_calls(plane) - calls, 2);
	}
	assert_int_equal(fake_plane_own_route(plane, br_room_leg_slot(sender), &receivers),
			 BR_ROUTE_MAX);
	for (uint32_t i = 0; i < BR_ROUTE_MAX; i++) {
		snprintf(name, sizeof(name), "seat%u", i);
		assert_string_equal(br_room_leg_spec(br_room_leg_find(f.room, name))->name, name);
	}
	spec = leg_spec("late", BR_ROLE_SUBSCRIBER);
	refused(&f, &spec, -ENOSPC, "");
	edges = fake_plane_edges_written(plane);
	br_room_leg_remove(f.rooms, f.room, br_room_leg_find(f.room, "seat77"));
	assert_int_equal(fake_plane_edges_written(plane) - edges, BR_ROUTE_MAX - 1);
	edges = fake_plane_edges_written(plane);
	br_room_delete(f.rooms, f.room);
	assert_int_equal(fake_plane_edges_written(plane), edges);
	assert_int_equal(fake_plane_legs(plane), 0);
	br_rooms_free(f.rooms);
	fake_plane_free(plane);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(roles),
		test(plane_specs),
		test(chosen_streams),
		test(feedback_goes_to_senders),
		test(own_stream_is_not_chosen),
		test(late_events_are_harmless),
		test(no_edges_for_a_learned_stream),
		test(wrong_names_and_roles),
		test(wrong_addresses),
		test(unreachable_names_the_address),
		cmocka_unit_test(nothing_is_allowed_by_default),
		test(wrong_ssrcs),
		test(limits),
		test(order_of_creation),
		cmocka_unit_test(large_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
