/* SPDX-License-Identifier: BSD-2-Clause */
/* What may change while a leg lives: rates, feedback, its end; and legs that have ended. */
#include "fake_plane.h"

#include <setjmp.h>
#include <stdarg.h>
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/log.h"
#include "room/room.h"

#define SECOND_NS 1000000000ULL

struct fixture {
	struct br_plane *plane;
	struct br_rooms *rooms;
	struct br_room *room;
};

static struct br_rooms *open_rooms(struct br_plane *plane, uint32_t grace_s)
{
	struct br_network network;
	struct br_rooms_options options = {
		.max_rooms = 3,
		.max_legs_per_room = 5,
		.ssrc_limit = 7,
		.static_allow = &network,
		.static_allow_count = 1,
		.terms = {.max_packets_per_s = 50, .max_bits_per_s = 60000},
		.expired_grace_s = grace_s,
	};
	struct br_rooms *rooms;

	assert_true(br_network_parse("10.0.0.0/8", &network));
	rooms = br_rooms_new(plane, &options);
	assert_non_null(rooms);
	return rooms;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	br_log_set_level(BR_LOG_ERROR);
	f->plane = fake_plane_new(16, 64);
	f->rooms = open_rooms(f->plane, 10);
	assert_int_equal(br_room_create(f->rooms, "hall", &f->room, NULL), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	br_rooms_free(f->rooms);
	assert_int_equal(fake_plane_legs(f->plane), 0);
	assert_int_equal(fake_plane_records(f->plane), 0);
	fake_plane_free(f->plane);
	free(f);
	return 0;
}

static struct br_room_leg *add(struct fixture *f, const char *name, struct br_leg_terms terms)
{
	static unsigned int host;
	struct br_static_leg spec = {.role = BR_ROLE_BOTH, .terms = terms};
	struct br_room_leg *leg = NULL;
	char address[BR_ENDPOINT_TEXT];

	host++;
	snprintf(spec.name, sizeof(spec.name), "%s", name);
	snprintf(address, sizeof(address), "10.1.0.%u:5004", host);
	assert_true(br_endpoint_parse(address, &spec.remote));
	assert_int_equal(br_room_leg_add(f->rooms, f->room, &spec, &leg, NULL), 0);
	return leg;
}

static void expect_terms(struct fixture *f, const struct br_room_leg *leg,
			 const struct br_leg_terms *want)
{
	const struct br_leg_terms *said = &br_room_leg_spec(leg)->terms;
	const struct br_leg_terms *done = &fake_plane_spec(f->plane, br_room_leg_slot(leg))->terms;

	for (int i = 0; i < 2; i++) {
		const struct br_leg_terms *is = i ? said : done;

		assert_int_equal(is->max_packets_per_s, want->max_packets_per_s);
		assert_int_equal(is->max_bits_per_s, want->max_bits_per_s);
		assert_int_equal(is->expires_ns, want->expires_ns);
		assert_int_equal(is->feedback_up, want->feedback_up);
	}
}

static void defaults_are_the_options(void **state)
{
	struct fixture *f = *state;
	struct br_leg_terms terms = br_rooms_default_terms(f->rooms);

	assert_int_equal(terms.max_packets_per_s, 50);
	assert_int_equal(terms.max_bits_per_s, 60000);
	assert_int_equal(terms.expires_ns, 0);
	assert_false(terms.feedback_up);
	expect_terms(f, add(f, "a", terms), &terms);
}

static void change_reaches_plane_and_next_daemon(void **state)
{
	struct fixture *f = *state;
	const struct br_leg_terms terms = {.max_packets_per_s = 10000000,
					   .max_bits_per_s = 10000,
					   .expires_ns = br_now_monotonic_ns() + 99 * SECOND_NS,
					   .feedback_up = true};
	/* as the plane reads rates back from their costs, not quite what was asked for */
	const struct br_leg_terms rounded = {.max_packets_per_s = 7, .expires_ns = 5};
	struct br_room_leg *leg = add(f, "a", (struct br_leg_terms){.max_packets_per_s = 3});
	struct br_rooms_restored result;

	assert_int_equal(br_room_leg_set_terms(f->rooms, leg, &terms, NULL), 0);
	expect_terms(f, leg, &terms);
	assert_int_equal(fake_plane_route_calls(f->plane), 0);

	br_plane_leg_set_terms(f->plane, br_room_leg_slot(leg), &rounded);
	br_rooms_abandon(f->rooms);
	f->rooms = open_rooms(f->plane, 10);
	assert_int_equal(br_rooms_restore(f->rooms, &result, NULL), 0);
	assert_int_equal(result.legs, 1);
	f->room = br_room_find(f->rooms, "hall");
	expect_terms(f, br_room_leg_find(f->room, "a"), &terms);
}

static void refused(struct fixture *f, struct br_room_leg *leg, struct br_leg_terms terms,
		    const char *field)
{
	const struct br_leg_terms before = br_room_leg_spec(leg)->terms;
	struct br_static_leg spec = *br_room_leg_spec(leg);
	struct br_room_leg *other = NULL;
	struct br_error error = {0};

	assert_int_equal(br_room_leg_set_terms(f->rooms, leg, &terms, &error), -EINVAL);
	assert_string_equal(error.field, field);
	assert_true(strlen(error.detail) > 10);
	expect_terms(f, leg, &before);
	/* a new leg cannot have such terms either */
	strcpy(spec.name, "other");
	spec.remote.port++;
	spec.terms = terms;
	assert_int_equal(br_room_leg_add(f->rooms, f->room, &spec, &other, &error), -EINVAL);
	assert_string_equal(error.field, field);
}

static void wrong_terms(void **state)
{
	struct fixture *f = *state;
	struct br_room_leg *leg = add(f, "a", (struct br_leg_terms){.max_packets_per_s = 3});

	refused(f, leg, (struct br_leg_terms){.max_packets_per_s = 10000001}, "max_packets_per_s");
	refused(f, leg, (struct br_leg_terms){.max_bits_per_s = 9999}, "max_bits_per_s");
	refused(f, leg, (struct br_leg_terms){.max_bits_per_s = 1}, "max_bits_per_s");
	refused(f, leg, (struct br_leg_terms){.max_bits_per_s = 4000000001}, "max_bits_per_s");
}

/* The legs of the room, by name in their order: "a b ". */
static const char *names(const struct fixture *f)
{
	static char text[200];

	text[0] = '\0';
	for (struct br_room_leg *leg = br_room_leg_next(f->room, NULL); leg;
	     leg = br_room_leg_next(f->room, leg)) {
		strcat(text, br_room_leg_spec(leg)->name);
		strcat(text, " ");
	}
	return text;
}

static void expired_legs_go_after_the_grace(void **state)
{
	struct fixture *f = *state;
	uint64_t now_ns = br_now_monotonic_ns();
	const struct br_leg_terms late = {.expires_ns = now_ns + 1000 * SECOND_NS};
	struct br_room_leg *renewed;

	assert_true(now_ns > 30 * SECOND_NS);
	add(f, "a", (struct br_leg_terms){.expires_ns = now_ns - 20 * SECOND_NS});
	add(f, "b", (struct br_leg_terms){0});
	add(f, "c", (struct br_leg_terms){.expires_ns = now_ns - 20 * SECOND_NS});
	add(f, "d", (struct br_leg_terms){.expires_ns = now_ns - 2 * SECOND_NS});
	renewed = add(f, "e", (struct br_leg_terms){.expires_ns = now_ns - 20 * SECOND_NS});
	assert_int_equal(br_room_leg_set_terms(f->rooms, renewed, &late, NULL), 0);
	br_rooms_tick(f->rooms);
	/* d is within the grace of 10 seconds, b never ends */
	assert_string_equal(names(f), "b d e ");
	assert_int_equal(fake_plane_legs(f->plane), 3);
	br_rooms_tick(f->rooms);
	assert_string_equal(names(f), "b d e ");
	/* what ended first is looked for again: an end that comes earlier is not missed */
	renewed = br_room_leg_find(f->room, "b");
	assert_int_equal(br_room_leg_set_terms(f->rooms, renewed,
					       &(struct br_leg_terms){.expires_ns = 1}, NULL),
			 0);
	br_rooms_tick(f->rooms);
	assert_string_equal(names(f), "d e ");
}

static void expired_while_no_daemon_ran(void **state)
{
	struct fixture *f = *state;
	struct br_rooms_restored result;

	add(f, "a", (struct br_leg_terms){.expires_ns = 1});
	add(f, "b", (struct br_leg_terms){0});
	br_rooms_abandon(f->rooms);
	f->rooms = open_rooms(f->plane, 10);
	assert_int_equal(br_rooms_restore(f->rooms, &result, NULL), 0);
	assert_int_equal(result.legs, 2);
	f->room = br_room_find(f->rooms, "hall");
	br_rooms_tick(f->rooms);
	assert_string_equal(names(f), "b ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(defaults_are_the_options, setup, teardown),
		cmocka_unit_test_setup_teardown(change_reaches_plane_and_next_daemon, setup,
						teardown),
		cmocka_unit_test_setup_teardown(wrong_terms, setup, teardown),
		cmocka_unit_test_setup_teardown(expired_legs_go_after_the_grace, setup, teardown),
		cmocka_unit_test_setup_teardown(expired_while_no_daemon_ran, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
