/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rooms that outlive their daemon, on a plane without a kernel: what is restored is what
 * was, the plane is left alone where it is right, and what disagrees is put in order.
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

#include "lib/log.h"
#include "room/persist.h"
#include "room/room.h"

static struct br_rooms *rooms_open(struct br_plane *plane, const char *allow)
{
	struct br_network network;
	struct br_rooms_options options = {.max_rooms = 10,
					   .max_legs_per_room = 10,
					   .ssrc_limit = 7,
					   .static_allow = &network,
					   .static_allow_count = 1};
	struct br_rooms *rooms;

	assert_true(br_network_parse(allow, &network));
	rooms = br_rooms_new(plane, &options);
	assert_non_null(rooms);
	return rooms;
}

static struct br_room_leg *add(struct br_rooms *rooms, const char *room_name, const char *name,
			       const char *endpoint, enum br_role role, uint32_t ssrc)
{
	struct br_room *room = br_room_find(rooms, room_name);
	struct br_static_leg spec = {.role = role};
	struct br_room_leg *leg = NULL;

	if (!room)
		assert_int_equal(br_room_create(rooms, room_name, &room, NULL), 0);
	strcpy(spec.name, name);
	assert_true(br_endpoint_parse(endpoint, &spec.remote));
	if (ssrc && role == BR_ROLE_PUBLISHER)
		spec.ssrcs[spec.ssrc_count++] = ssrc;
	else if (ssrc)
		spec.receive_ssrcs[spec.receive_ssrc_count++] = ssrc;
	assert_int_equal(br_room_leg_add(rooms, room, &spec, &leg, NULL), 0);
	return leg;
}

/* Two rooms: listed and learned SSRCs, receivers with and without a filter, one that left. */
static struct br_rooms *populate(struct br_plane *plane)
{
	struct br_rooms *rooms = rooms_open(plane, "10.0.0.0/8");
	struct br_room_leg *learner, *gone;

	add(rooms, "hall", "speaker", "10.0.0.1:5000", BR_ROLE_PUBLISHER, 77);
	gone = add(rooms, "hall", "gone", "10.0.0.9:5000", BR_ROLE_SUBSCRIBER, 0);
	learner = add(rooms, "hall", "learner", "10.0.0.2:5000", BR_ROLE_BOTH, 0);
	add(rooms, "attic", "cat", "10.0.0.3:5000", BR_ROLE_BOTH, 0);
	add(rooms, "hall", "all", "10.0.0.4:5000", BR_ROLE_SUBSCRIBER, 0);
	add(rooms, "hall", "one", "10.0.0.5:5000", BR_ROLE_SUBSCRIBER, 78);
	fake_plane_learn(plane, br_room_leg_slot(learner), 78);
	fake_plane_learn(plane, br_room_leg_slot(learner), 79);
	br_room_leg_remove(rooms, br_room_find(rooms, "hall"), gone);
	return rooms;
}

/* Everything the API shows, in its order; freed by the caller. */
static char *roster(const struct br_rooms *rooms)
{
	char *text = NULL, address[BR_ENDPOINT_TEXT];
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	for (struct br_room *room = br_room_next(rooms, NULL); room;
	     room = br_room_next(rooms, room)) {
		fprintf(out, "%s %lld\n", br_room_name(room), (long long)br_room_created_ms(room));
		for (struct br_room_leg *leg = br_room_leg_next(room, NULL); leg;
		     leg = br_room_leg_next(room, leg)) {
			const struct br_static_leg *spec = br_room_leg_spec(leg);

			fprintf(out, " %s %s role %d slot %u %lld ssrcs %zu %u, %zu %u\n",
				spec->name, br_endpoint_format(&spec->remote, address), spec->role,
				br_room_leg_slot(leg), (long long)br_room_leg_created_ms(leg),
				spec->ssrc_count, spec->ssrcs[0], spec->receive_ssrc_count,
				spec->receive_ssrcs[0]);
		}
	}
	fclose(out);
	return text;
}

static struct br_rooms *restart(struct br_plane *plane, struct br_rooms *rooms,
				struct br_rooms_restored *result)
{
	br_rooms_abandon(rooms);
	rooms = rooms_open(plane, "10.0.0.0/8");
	assert_int_equal(br_rooms_restore(rooms, result, NULL), 0);
	return rooms;
}

static int setup(void **state)
{
	br_log_set_level(BR_LOG_ERROR);
	*state = fake_plane_new(16, 64);
	return 0;
}

static int teardown(void **state)
{
	assert_int_equal(fake_plane_legs(*state), 0);
	assert_int_equal(fake_plane_records(*state), 0);
	fake_plane_free(*state);
	return 0;
}

static void comes_back_the_same(void **state)
{
	struct br_plane *plane = *state;
	struct br_rooms *rooms = populate(plane);
	struct br_rooms_restored result;
	char *plane_before = fake_plane_snapshot(plane), *before = roster(rooms);

	for (int i = 0; i < 3; i++) {
		char *after, *plane_after;

		rooms = restart(plane, rooms, &result);
		after = roster(rooms);
		plane_after = fake_plane_snapshot(plane);
		assert_string_equal(after, before);
		assert_string_equal(plane_after, plane_before);
		free(after);
		free(plane_after);
		assert_int_equal(result.rooms, 2);
		assert_int_equal(result.legs, 5);
		assert_int_equal(result.dropped + result.readded + result.strangers, 0);
	}
	free(before);
	free(plane_before);
	br_rooms_free(rooms);
}

static void works_afterwards(void **state)
{
	struct br_plane *plane = *state;
	struct br_rooms_restored result;
	struct br_rooms *rooms = restart(plane, populate(plane), &result);
	struct br_room *hall = br_room_find(rooms, "hall");
	struct br_room_leg *speaker = br_room_leg_find(hall, "speaker");
	const uint32_t *receivers;
	uint32_t late;

	/* who joins receives, who leaves does not */
	late = br_room_leg_slot(add(rooms, "hall", "late", "10.0.0.6:5000", BR_ROLE_SUBSCRIBER, 0));
	assert_int_equal(fake_plane_receivers(plane, br_room_leg_slot(speaker), 77, &receivers), 3);
	br_room_leg_remove(rooms, hall, br_room_leg_find(hall, "all"));
	assert_int_equal(fake_plane_receivers(plane, br_room_leg_slot(speaker), 77, &receivers), 2);
	assert_true(receivers[0] == late || receivers[1] == late);
	/* a learned SSRC that somebody picks has its route, and loses it with its listener */
	assert_false(fake_plane_inherits(plane, br_room_leg_slot(br_room_leg_find(hall, "learner")),
					 78));
	br_room_leg_remove(rooms, hall, br_room_leg_find(hall, "one"));
	assert_true(fake_plane_inherits(plane, br_room_leg_slot(br_room_leg_find(hall, "learner")),
					78));
	/* what was created after a restart comes last after the next one */
	rooms = restart(plane, rooms, &result);
	hall = br_room_find(rooms, "hall");
	assert_string_equal(br_room_leg_spec(br_room_leg_find(hall, "late"))->name, "late");
	assert_null(br_room_leg_next(hall, br_room_leg_find(hall, "late")));
	br_rooms_free(rooms);
}

static void missing_legs_are_added_again(void **state)
{
	struct br_plane *plane = *state;
	struct br_rooms *rooms = populate(plane);
	struct br_rooms_restored result;
	char *before, *after;

	/* takes the slot that is free, so that a lost one is the first to be used again */
	add(rooms, "hall", "filler", "10.0.0.10:5000", BR_ROLE_SUBSCRIBER, 0);
	before = fake_plane_snapshot(plane);
	fake_plane_lose_leg(plane,
			    br_room_leg_slot(br_room_leg_find(br_room_find(rooms, "hall"), "all")));
	rooms = restart(plane, rooms, &result);
	after = fake_plane_snapshot(plane);
	assert_string_equal(after, before);
	assert_int_equal(result.readded, 1);
	assert_int_equal(result.legs, 6);
	assert_int_equal(fake_plane_records(plane), 2 + 6);
	free(before);
	free(after);
	br_rooms_free(rooms);
}

static void strangers_are_removed(void **state)
{
	struct br_plane *plane = *state;
	struct br_rooms *rooms = populate(plane);
	struct br_leg_spec spec = {.publish = true, .ssrc_limit = 1};
	struct br_rooms_restored result;
	uint32_t stranger;

	assert_true(br_endpoint_parse("10.0.0.77:1", &spec.remote));
	assert_int_equal(br_plane_leg_add(plane, &spec, &stranger, NULL), 0);
	rooms = restart(plane, rooms, &result);
	assert_int_equal(result.strangers, 1);
	assert_null(fake_plane_spec(plane, stranger));
	assert_int_equal(fake_plane_legs(plane), 5);
	br_rooms_free(rooms);
}

/* The plane lost the routes: half written, say. */
static void routes_are_laid_again(void **state)
{
	struct br_plane *plane = *state;
	struct br_rooms *rooms = populate(plane);
	struct br_room *hall = br_room_find(rooms, "hall");
	uint32_t speaker = br_room_leg_slot(br_room_leg_find(hall, "speaker"));
	uint32_t learner = br_room_leg_slot(br_room_leg_find(hall, "learner"));
	uint32_t wrong = br_room_leg_slot(br_room_leg_find(br_room_find(rooms, "attic"), "cat"));
	struct br_rooms_restored result;
	char *before = fake_plane_snapshot(plane), *after;

	assert_int_equal(br_plane_leg_route(plane, speaker, &wrong, 1, NULL), 0);
	assert_int_equal(br_plane_stream_inherit(plane, learner, htonl(78)), 0);
	assert_int_equal(br_plane_stream_route(plane, learner, htonl(79), &wrong, 1, NULL), 0);
	rooms = restart(plane, rooms, &result);
	after = fake_plane_snapshot(plane);
	assert_string_equal(after, before);
	free(before);
	free(after);
	br_rooms_free(rooms);
}

static void what_is_not_allowed_any_more_goes(void **state)
{
	struct br_plane *plane = *state;
	struct br_rooms *rooms = populate(plane);
	struct br_rooms_restored result;

	br_rooms_abandon(rooms);
	rooms = rooms_open(plane, "10.0.0.0/30"); /* 10.0.0.4 and .5 are outside */
	assert_int_equal(br_rooms_restore(rooms, &result, NULL), 0);
	assert_int_equal(result.dropped, 2);
	assert_int_equal(result.legs, 3);
	assert_int_equal(fake_plane_legs(plane), 3);
	assert_null(br_room_leg_find(br_room_find(rooms, "hall"), "all"));
	br_rooms_free(rooms);
}

static void other_records_are_refused(void **state)
{
	struct br_plane *plane = *state;
	struct br_rooms *rooms = populate(plane);
	struct br_rooms_restored result;
	struct br_error error = {0};
	uint8_t record[64] = {99};
	char *before = fake_plane_snapshot(plane), *after;

	br_rooms_abandon(rooms);
	br_plane_store_put(plane, BR_STORE_ROOM, 1000, record, sizeof(record), NULL);
	rooms = rooms_open(plane, "10.0.0.0/8");
	assert_int_equal(br_rooms_restore(rooms, &result, &error), -EPROTO);
	assert_non_null(strstr(error.detail, "--reset"));
	br_rooms_abandon(rooms);
	/* and nothing was touched: the version that understands them may still come */
	after = fake_plane_snapshot(plane);
	assert_string_equal(after, before);
	free(before);
	free(after);
	br_plane_store_delete(plane, BR_STORE_ROOM, 1000);
	rooms = rooms_open(plane, "10.0.0.0/8");
	assert_int_equal(br_rooms_restore(rooms, &result, &error), 0);
	br_rooms_free(rooms);
}

/* Without room for its record nothing is created that would be lost unnoticed. */
static void full_store(void **state)
{
	struct br_plane *plane = *state;
	struct br_rooms *rooms = populate(plane);
	struct br_room *hall = br_room_find(rooms, "hall"), *room = NULL;
	struct br_static_leg spec = {.name = "new", .role = BR_ROLE_BOTH};
	char *before = fake_plane_snapshot(plane), *after;
	struct br_room_leg *leg = NULL;
	struct br_error error = {0};

	assert_true(br_endpoint_parse("10.0.0.8:5000", &spec.remote));
	fake_plane_store_room(plane, 0);
	assert_int_equal(br_room_leg_add(rooms, hall, &spec, &leg, &error), -ENOSPC);
	assert_int_equal(br_room_create(rooms, "cellar", &room, &error), -ENOSPC);
	assert_null(br_room_find(rooms, "cellar"));
	after = fake_plane_snapshot(plane);
	assert_string_equal(after, before);
	free(before);
	free(after);
	br_rooms_free(rooms);
}

/* Every length, and every value of the bytes that say how long the rest is. */
/* What is read is what was written: written again it is the same. */
static void expect_same_record(const uint8_t *bytes, size_t size)
{
	uint8_t again[BR_LEG_RECORD_MAX];
	struct br_leg_record read;

	assert_int_equal(br_record_read_leg(bytes, size, &read), 0);
	assert_int_equal(br_record_write_leg(&read, again), size);
	assert_memory_equal(again, bytes, size);
}

static void named_hop_is_kept(void **state)
{
	static const struct br_named_hop hop = {
		.interface = "eth0",
		.mac = {2, 0, 0, 0, 0, 5},
		.source_mac = {2, 0, 0, 0, 0, 6},
		.mtu = 1400,
		.vlans = 2,
		.vlan = {100, 7 << 13 | 5},
	};
	struct br_leg_record leg = {.spec = {.name = "wall", .role = BR_ROLE_SUBSCRIBER}}, read;
	uint8_t bytes[BR_LEG_RECORD_MAX];
	size_t size, plain;

	(void)state;
	assert_true(br_endpoint_parse("192.0.2.7:7", &leg.spec.remote));
	plain = br_record_write_leg(&leg, bytes);
	leg.spec.hop = hop;
	assert_true(br_addr_parse("192.0.2.1", &leg.spec.source));
	size = br_record_write_leg(&leg, bytes);
	assert_true(size > plain);
	assert_int_equal(br_record_read_leg(bytes, size, &read), 0);
	assert_memory_equal(&read.spec.hop, &hop, sizeof(hop));
	assert_true(br_addr_equal(&read.spec.source, &leg.spec.source));
	expect_same_record(bytes, size);
	for (size_t length = plain; length < size; length++)
		assert_true(br_record_read_leg(bytes, length, &read) < 0);
	bytes[plain + offsetof(struct br_named_hop, vlans)] = 3;
	assert_int_equal(br_record_read_leg(bytes, size, &read), -EBADMSG);
}

static void records_are_not_trusted(void **state)
{
	struct br_leg_record leg = {.spec = {.name = "somebody", .role = BR_ROLE_BOTH}}, read;
	struct br_room_record room = {.name = "hall", .created_ms = 5, .order = 6}, room_read;
	uint8_t bytes[BR_LEG_RECORD_MAX], room_bytes[BR_ROOM_RECORD_MAX];
	size_t size, room_size;

	(void)state;
	assert_true(br_endpoint_parse("[2001:db8::1]:7", &leg.spec.remote));
	leg.spec.ssrc_count = leg.spec.receive_ssrc_count = 3;
	leg.spec.ssrcs[2] = 9;
	leg.spec.terms.max_packets_per_s = 10;
	leg.spec.terms.max_bits_per_s = 20000;
	leg.spec.terms.expires_ns = 1ull << 40;
	leg.spec.terms.feedback_up = true;
	size = br_record_write_leg(&leg, bytes);
	room_size = br_record_write_room(&room, room_bytes);
	expect_same_record(bytes, size);
	assert_int_equal(br_record_read_leg(bytes, size, &read), 0);
	assert_string_equal(read.spec.name, "somebody");
	assert_int_equal(read.spec.terms.max_bits_per_s, 20000);
	assert_true(br_addr_equal(&read.spec.remote.addr, &leg.spec.remote.addr));
	assert_int_equal(br_record_read_room(room_bytes, room_size, &room_read), 0);
	assert_string_equal(room_read.name, "hall");
	for (size_t length = 0; length < size; length++) {
		uint8_t *copy = malloc(length + 1); /* the sanitizers see an overrun */

		memcpy(copy, bytes, length);
		assert_true(br_record_read_leg(copy, length, &read) < 0);
		if (length < room_size) {
			memcpy(copy, room_bytes, length);
			assert_true(br_record_read_room(copy, length, &room_read) < 0);
		}
		free(copy);
	}
	for (int at = 1; at < 6; at++)
		for (int value = 0; value < 256; value++) {
			uint8_t copy[BR_LEG_RECORD_MAX];

			if (at == 2 || at == 3 || bytes[at] == value)
				continue; /* role and family: the rooms check them */
			memcpy(copy, bytes, size);
			copy[at] = (uint8_t)value;
			assert_true(br_record_read_leg(copy, size, &read) < 0);
		}
	bytes[0] ^= 0xff;
	assert_int_equal(br_record_read_leg(bytes, size, &read), -EPROTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(comes_back_the_same, setup, teardown),
		cmocka_unit_test_setup_teardown(works_afterwards, setup, teardown),
		cmocka_unit_test_setup_teardown(missing_legs_are_added_again, setup, teardown),
		cmocka_unit_test_setup_teardown(strangers_are_removed, setup, teardown),
		cmocka_unit_test_setup_teardown(routes_are_laid_again, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_not_allowed_any_more_goes, setup, teardown),
		cmocka_unit_test_setup_teardown(other_records_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(full_store, setup, teardown),
		cmocka_unit_test(named_hop_is_kept),
		cmocka_unit_test(records_are_not_trusted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
