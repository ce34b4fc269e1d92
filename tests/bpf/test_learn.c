// SPDX-License-Identifier: BSD-2-Clause
/* SSRCs: fixed lists, learning up to a limit, the events of it, routes of single streams. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "check.h"

#define RTP_BODY 30u
#define V4_BYTES (20u + UDP_HEADER + PACKET_RTP_MIN + RTP_BODY)

static struct world *world;
static struct tables tables; /* what the kernel's shall be */

static int setup(void **state)
{
	(void)state;
	tables_base(&tables);
	world_write(world, &tables);
	return 0;
}

static struct br_ticket ticket; /* of the last packet that was forwarded */

/* Send an RTP packet of a leg and compare with @expect. */
static void send_rtp(uint32_t leg, uint32_t ssrc, const struct expect *expect)
{
	static uint8_t payload[128], frame[PACKET_MAX];
	struct world_run run = {.program = PROGRAM_RELAY, .in = frame};
	struct packet packet;

	tables_packet_from(&tables, leg, &packet);
	packet.payload = payload;
	packet.payload_length = payload_rtp(payload, ssrc, 0, PACKET_NO_EXT, RTP_BODY);
	run.length = packet_build(&packet, frame);
	check_run(world, &run, expect);
	memcpy(&ticket, run.out, sizeof(ticket));
}

static const struct expect *forwarded(uint32_t leg, uint32_t slot)
{
	static struct expect expect;
	uint32_t bytes = V4_BYTES + (tables.legs[leg].family == 6 ? 20 : 0);

	expect = *EXPECT(.reason = BR_FORWARDED, .bytes = bytes, .rx = leg, .leg_bytes = bytes,
			 .stream = STREAM(slot), .tickets = 1);
	return &expect;
}

static const struct expect *dropped(uint32_t leg, uint32_t reason)
{
	static struct expect expect;
	uint32_t bytes = V4_BYTES + (tables.legs[leg].family == 6 ? 20 : 0);

	expect = *EXPECT(.reason = reason, .bytes = bytes, .rx_dropped = leg);
	return &expect;
}

/* The kernel shall have learned this one, and told so. */
static void expect_learned(uint32_t leg, uint32_t ssrc, uint32_t slot)
{
	assert_int_equal(world_events(world), 1);
	assert_int_equal(world->events[0].type, BR_EVENT_STREAM);
	assert_int_equal(world->events[0].leg, leg);
	assert_int_equal(world->events[0].ssrc, htonl(ssrc));
	assert_int_equal(world->events[0].slot, slot);
	tables_stream(&tables, leg, ssrc, slot);
	tables.states[leg].learned++;
	if (!tables.states[leg].first_stream)
		tables.states[leg].first_stream = BR_FIRST_STREAM(htonl(ssrc), slot);
	check_dynamic(world, &tables);
}

static void expect_nothing_learned(void)
{
	assert_int_equal(world_events(world), 0);
	check_dynamic(world, &tables);
}

static void test_learns_up_to_limit(void **state)
{
	(void)state;
	send_rtp(PUB4, 0x11, forwarded(PUB4, 0));
	expect_learned(PUB4, 0x11, 0);
	send_rtp(PUB4, 0x11, forwarded(PUB4, 0));
	expect_nothing_learned();
	send_rtp(PUB4, 0x22, forwarded(PUB4, 1));
	expect_learned(PUB4, 0x22, 1);
	for (uint32_t ssrc = 0x33; ssrc < 0x40; ssrc++) {
		send_rtp(PUB4, ssrc, dropped(PUB4, BR_SSRC_LIMIT));
		expect_nothing_learned();
	}
	/* the two that were first go on */
	send_rtp(PUB4, 0x22, forwarded(PUB4, 1));
	send_rtp(PUB4, 0x11, forwarded(PUB4, 0));
	/* another leg has a limit and streams of its own, of the same SSRC too */
	send_rtp(PUB6, 0x11, forwarded(PUB6, 2));
	expect_learned(PUB6, 0x11, 2);
	send_rtp(PUB6, 0x33, forwarded(PUB6, 3));
	expect_learned(PUB6, 0x33, 3);
	send_rtp(PUB6, 0x22, dropped(PUB6, BR_SSRC_LIMIT));
	expect_nothing_learned();
}

/* The first stream is found without a look-up, but only under its own SSRC. */
static void test_first_stream(void **state)
{
	(void)state;
	tables_stream(&tables, PUB4, 0x77, 6);
	tables.states[PUB4].first_stream = BR_FIRST_STREAM(htonl(0x88), 7);
	world_write(world, &tables);
	send_rtp(PUB4, 0x88, forwarded(PUB4, 7)); /* which stands nowhere else */
	send_rtp(PUB4, 0x77, forwarded(PUB4, 6));
	send_rtp(PUB6, 0x88, forwarded(PUB6, 0));
	expect_learned(PUB6, 0x88, 0);
	/* all bits of an SSRC may be set, or none; 0 is no stream */
	tables.states[PUB4].first_stream = BR_FIRST_STREAM(htonl(0xffffffff), 5);
	world_write(world, &tables);
	send_rtp(PUB4, 0xffffffff, forwarded(PUB4, 5));
	tables.states[PUB4].first_stream = BR_FIRST_STREAM(0, 4);
	world_write(world, &tables);
	send_rtp(PUB4, 0, forwarded(PUB4, 4));
}

static void test_limit_zero(void **state)
{
	(void)state;
	tables.legs[PUB4].ssrc_limit = 0;
	world_write(world, &tables);
	send_rtp(PUB4, 0x11, dropped(PUB4, BR_SSRC_LIMIT));
	expect_nothing_learned();
}

/* Registered SSRCs do not count as learned: the daemon knows how many it adds. */
static void test_registered_and_learned(void **state)
{
	(void)state;
	tables_stream(&tables, PUB4, 0x77, 6);
	world_write(world, &tables);
	send_rtp(PUB4, 0x77, forwarded(PUB4, 6));
	expect_nothing_learned();
	send_rtp(PUB4, 0x11, forwarded(PUB4, 0));
	expect_learned(PUB4, 0x11, 0);
	send_rtp(PUB4, 0x22, forwarded(PUB4, 1));
	expect_learned(PUB4, 0x22, 1);
}

static void test_fixed_list(void **state)
{
	(void)state;
	tables.legs[PUB6].flags |= BR_LEG_FIXED_SSRCS;
	tables_stream(&tables, PUB6, 0x77, 6);
	tables_stream(&tables, PUB6, 0x88, 2);
	world_write(world, &tables);
	send_rtp(PUB6, 0x77, forwarded(PUB6, 6));
	send_rtp(PUB6, 0x88, forwarded(PUB6, 2));
	send_rtp(PUB6, 0x99, dropped(PUB6, BR_SSRC_REFUSED));
	/* what one leg may send, another may not */
	tables.legs[PUB4].flags |= BR_LEG_FIXED_SSRCS;
	world_write(world, &tables);
	send_rtp(PUB4, 0x77, dropped(PUB4, BR_SSRC_REFUSED));
	expect_nothing_learned();
}

static void test_no_slot_left(void **state)
{
	(void)state;
	tables.free_count = 1;
	world_write(world, &tables);
	send_rtp(PUB4, 0x11, forwarded(PUB4, 0));
	expect_learned(PUB4, 0x11, 0);
	send_rtp(PUB4, 0x22, dropped(PUB4, BR_SSRC_LIMIT));
	expect_nothing_learned();
}

/* No room in the table of streams although a slot is free: the slot goes back. */
static void test_table_full(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < T_STREAMS; i++)
		tables_stream(&tables, PUB6, 0x100 + i, i % 7);
	world_write(world, &tables);
	assert_int_equal(tables.free_count, 1);
	send_rtp(PUB4, 0x11, dropped(PUB4, BR_SSRC_LIMIT));
	expect_nothing_learned();
}

/*
 * Nobody reads the events: an SSRC that the daemon cannot hear of is not taken, for nobody
 * could ever free its slot.
 */
static void test_ring_full(void **state)
{
	static const uint8_t event_bytes = 8 + sizeof(struct br_event); /* with its header */
	uint32_t room = 256 * 1024 / event_bytes;
	static uint8_t payload[128], frame[PACKET_MAX];
	struct world_run run = {.program = PROGRAM_RELAY, .in = frame};
	struct packet packet;

	(void)state;
	tables.legs[PUB4].ssrc_limit = T_STREAMS;
	tables_route(&tables, PUB4, EDGES_ONE, 1); /* which never waits */
	world_write(world, &tables);
	tables_packet_from(&tables, PUB4, &packet);
	packet.payload = payload;
	for (uint32_t sent = 0; sent < room; sent++) {
		if (sent % T_STREAMS == 0)
			world_write_streams(world, &tables);
		packet.payload_length = payload_rtp(payload, sent, 0, PACKET_NO_EXT, RTP_BODY);
		run.length = packet_build(&packet, frame);
		world_run(world, &run);
		assert_int_equal(run.verdict, check_verdict(PROGRAM_RELAY, BR_FORWARDED));
	}
	world_write_streams(world, &tables);
	send_rtp(PUB4, 0xffff, dropped(PUB4, BR_SSRC_LIMIT));
	/* slot 0 was taken and went back, to the end of the queue */
	memmove(tables.free, tables.free + 1, (T_STREAMS - 1) * sizeof(tables.free[0]));
	tables.free[T_STREAMS - 1] = 0;
	check_dynamic(world, &tables);
	assert_int_equal(world_events(world), room);
	send_rtp(PUB4, 0xffff, forwarded(PUB4, 1));
	expect_learned(PUB4, 0xffff, 1);
}

static void test_route_of_stream(void **state)
{
	(void)state;
	tables_stream(&tables, PUB4, 0x77, 6);
	tables_stream(&tables, PUB4, 0x88, 7);
	tables_route(&tables, T_LEGS + 7, EDGES_ONE, 0);
	world_write(world, &tables);
	send_rtp(PUB4, 0x77, forwarded(PUB4, 6));
	assert_int_equal(ticket.first_nonce % BR_TICKET_INDEX_MAX, EDGES_SIX);
	/* nobody wants this one: counted as a stream, dropped */
	send_rtp(PUB4, 0x88,
		 EXPECT(.reason = BR_NO_RECEIVER, .bytes = V4_BYTES, .rx_dropped = PUB4,
			.stream = STREAM(7), .leg_bytes = V4_BYTES));
	/* a route of its own works without one of the leg */
	tables_route(&tables, PUB4, 0, 0);
	tables_route(&tables, T_LEGS + 7, EDGES_ONE, 1);
	world_write(world, &tables);
	send_rtp(PUB4, 0x88, forwarded(PUB4, 7));
	assert_int_equal(ticket.first_nonce % BR_TICKET_INDEX_MAX, EDGES_ONE);
	send_rtp(PUB4, 0x77,
		 EXPECT(.reason = BR_NO_RECEIVER, .bytes = V4_BYTES, .rx_dropped = PUB4,
			.stream = STREAM(6), .leg_bytes = V4_BYTES));
	expect_nothing_learned();
}

/* Learned before anybody listens: the daemon hears of it all the same. */
static void test_learns_without_receiver(void **state)
{
	(void)state;
	tables_route(&tables, PUB4, 0, 0);
	world_write(world, &tables);
	send_rtp(PUB4, 0x11,
		 EXPECT(.reason = BR_NO_RECEIVER, .bytes = V4_BYTES, .rx_dropped = PUB4,
			.stream = STREAM(0), .leg_bytes = V4_BYTES));
	expect_learned(PUB4, 0x11, 0);
}

/* Receivers and expired legs teach nothing. */
static void test_learns_from_publishers_only(void **state)
{
	(void)state;
	tables.legs[PUB6].expires_ns = 1;
	world_write(world, &tables);
	send_rtp(SUB4, 0x11, dropped(SUB4, BR_NOT_PUBLISHER));
	send_rtp(PUB6, 0x11, dropped(PUB6, BR_LEG_EXPIRED));
	expect_nothing_learned();
}

static void test_rtcp_teaches_nothing(void **state)
{
	static uint8_t payload[128], frame[PACKET_MAX];
	struct world_run run = {.program = PROGRAM_RELAY, .in = frame};
	uint32_t bytes = 20 + UDP_HEADER + 8 + 20;
	struct packet packet;

	(void)state;
	tables_packet_from(&tables, PUB4, &packet);
	packet.payload = payload;
	for (uint32_t type = 192; type <= 223; type++) {
		packet.payload_length = payload_rtcp(payload, (uint8_t)type, 0x11, 20);
		run.length = packet_build(&packet, frame);
		check_run(world, &run,
			  EXPECT(.reason = BR_FORWARDED, .bytes = bytes, .rx = PUB4,
				 .leg_bytes = bytes, .tickets = 1));
	}
	expect_nothing_learned();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_learns_up_to_limit, setup),
		cmocka_unit_test_setup(test_first_stream, setup),
		cmocka_unit_test_setup(test_limit_zero, setup),
		cmocka_unit_test_setup(test_registered_and_learned, setup),
		cmocka_unit_test_setup(test_fixed_list, setup),
		cmocka_unit_test_setup(test_no_slot_left, setup),
		cmocka_unit_test_setup(test_table_full, setup),
		cmocka_unit_test_setup(test_ring_full, setup),
		cmocka_unit_test_setup(test_route_of_stream, setup),
		cmocka_unit_test_setup(test_learns_without_receiver, setup),
		cmocka_unit_test_setup(test_learns_from_publishers_only, setup),
		cmocka_unit_test_setup(test_rtcp_teaches_nothing, setup),
	};
	int failed;

	world = world_open();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	world_close(world);
	return failed;
}
