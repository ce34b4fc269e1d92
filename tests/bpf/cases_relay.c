// SPDX-License-Identifier: BSD-2-Clause
/* relay: lengths, every byte, the ticket, VLAN tags, copiers. */
#include "cases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <arpa/inet.h>
#include <linux/bpf.h>
#include <cmocka.h>

#include "check.h"

#define SSRC 0xcafe0001u
#define SLOT 5u
#define BODY 40u

static const uint32_t publishers[] = {PUB4, PUB6};

struct sent {
	struct tables tables;
	struct packet packet;
	uint8_t payload[256];
	uint8_t frame[PACKET_MAX];
	struct world_run run;
};

/* An RTP packet of a publisher with a registered stream; nothing written to the kernel yet. */
static void prepare(struct sent *sent, uint32_t publisher)
{
	memset(sent, 0, sizeof(*sent));
	tables_base(&sent->tables);
	tables_stream(&sent->tables, publisher, SSRC, SLOT);
	tables_packet_from(&sent->tables, publisher, &sent->packet);
	sent->packet.payload = sent->payload;
	sent->packet.payload_length = payload_rtp(sent->payload, SSRC, 2, 1, BODY);
	sent->run.program = PROGRAM_RELAY;
	sent->run.in = sent->frame;
}

static uint32_t ip_length(const struct sent *sent)
{
	return (uint32_t)packet_ip_length(&sent->packet);
}

static void expect_forwarded(struct world *world, struct sent *sent, uint32_t publisher)
{
	check_run(world, &sent->run,
		  EXPECT(.reason = BR_FORWARDED, .bytes = ip_length(sent), .rx = publisher,
			 .stream = STREAM(SLOT), .leg_bytes = ip_length(sent), .tickets = 1));
}

/* A frame cut anywhere: what the headers promise is not there. */
void test_relay_every_length(void **state)
{
	struct world *world = *state;
	struct sent sent;

	for (size_t i = 0; i < 2; i++) {
		size_t whole, headers, udp;

		prepare(&sent, publishers[i]);
		world_write(world, &sent.tables);
		sent.packet.tags = 1;
		sent.packet.tpid[0] = TPID_C;
		whole = packet_build(&sent.packet, sent.frame);
		headers = packet_udp(&sent.packet);
		udp = headers + UDP_HEADER;
		for (sent.run.length = 14; sent.run.length < whole; sent.run.length++) {
			bool parsed = sent.run.length >= headers;

			if (sent.run.length < udp)
				check_run(world, &sent.run,
					  EXPECT(.reason = BR_NOT_MEDIA,
						 .bytes = parsed ? ip_length(&sent) : 0));
			else
				check_run(
					world, &sent.run,
					EXPECT(.reason = BR_BAD_LENGTH, .bytes = ip_length(&sent)));
			check_unchanged(&sent.run);
		}
		expect_forwarded(world, &sent, publishers[i]);
	}
}

/*
 * Every byte of a valid packet inverted, one at a time: only bytes that the relay does not
 * read may leave it forwarded, and those come out as they went in.
 */
void test_relay_every_byte(void **state)
{
	struct world *world = *state;
	struct sent sent;

	for (size_t i = 0; i < 2; i++) {
		/* DSCP, identification, TTL, checksums: not a reason to drop */
		static const bool free_ipv4[20] = {
			[1] = 1, [4] = 1, [5] = 1, [8] = 1, [10] = 1, [11] = 1};
		/* the second byte of the flow label and on; byte 1 is class and label */
		static const bool free_ipv6[40] = {[1] = 1, [2] = 1, [3] = 1, [7] = 1};
		size_t l3, udp, length;

		prepare(&sent, publishers[i]);
		length = packet_build(&sent.packet, sent.frame);
		l3 = packet_l3(&sent.packet);
		udp = packet_udp(&sent.packet);
		sent.run.length = length;
		for (size_t at = 0; at < length; at++) {
			size_t rtp = at - udp - UDP_HEADER; /* may wrap: then it is large */
			bool forwarded = at < 12 || (rtp < 0x10000 && at >= udp + UDP_HEADER);
			uint32_t changed = UINT32_MAX;

			if (at >= l3 && at < udp)
				forwarded = sent.packet.family == 4 ? free_ipv4[at - l3]
								    : free_ipv6[at - l3];
			else if (at == udp + 6 || at == udp + 7) /* never 0 afterwards: checked */
				forwarded = true;
			else if (rtp == 0 || (rtp >= 8 && rtp < 12) || rtp == 22 || rtp == 23)
				forwarded = false; /* class, SSRC, length of the extension */
			world_write(world, &sent.tables);
			sent.frame[at] ^= 0xff;
			assert_int_not_equal(get16(sent.frame + udp + 6), 0);
			world_run(world, &sent.run);
			if (forwarded != (sent.run.verdict == XDP_REDIRECT))
				changed = sent.run.verdict;
			if (rtp >= 8 && rtp < 12) /* another SSRC: learned, and forwarded */
				changed = sent.run.verdict == XDP_REDIRECT ? UINT32_MAX : 0;
			if (changed != UINT32_MAX)
				fail_msg("IPv%d: byte %zu inverted: verdict %u", sent.packet.family,
					 at, sent.run.verdict);
			assert_int_equal(sent.run.out_length, length);
			assert_memory_equal(sent.run.out + 12, sent.frame + 12, length - 12);
			sent.frame[at] ^= 0xff;
		}
	}
}

void test_relay_ticket(void **state)
{
	struct world *world = *state;
	uint8_t expected[PACKET_MAX];
	struct sent sent;

	for (size_t i = 0; i < 2; i++) {
		prepare(&sent, publishers[i]);
		/* Ethernet padding travels on; bytes are counted without it. */
		sent.packet.padding = 9;
		tables_route(&sent.tables, publishers[i], EDGES_LONG, BR_CHUNK_MAX + 7);
		tables_route(&sent.tables, T_LEGS + SLOT, EDGES_ONE, 1);
		world_write(world, &sent.tables);
		sent.run.length = packet_build(&sent.packet, sent.frame);
		for (uint16_t nonce = 1; nonce <= 300; nonce++) {
			expect_forwarded(world, &sent, publishers[i]);
			memcpy(expected, sent.frame, sent.run.length);
			tables_ticket(expected, publishers[i], EDGES_ONE, 1, nonce);
			check_bytes(&sent.run, expected, sent.run.length);
		}
		/* RTCP of no stream takes the route of the leg */
		sent.packet.payload_length = payload_rtcp(sent.payload, 201, 99, 24);
		sent.run.length = packet_build(&sent.packet, sent.frame);
		check_run(world, &sent.run,
			  EXPECT(.reason = BR_FORWARDED, .bytes = ip_length(&sent),
				 .rx = publishers[i], .leg_bytes = ip_length(&sent), .tickets = 1,
				 .active = 1, .loop_moves = true));
		memcpy(expected, sent.frame, sent.run.length);
		tables_ticket(expected, publishers[i], EDGES_LONG, BR_CHUNK_MAX + 7, 301);
		check_bytes(&sent.run, expected, sent.run.length);
	}
}

void test_relay_tags(void **state)
{
	static const struct {
		uint8_t tags;
		uint16_t tpid[PACKET_TAGS];
		bool read;
	} rows[] = {
		{0, {0}, true},
		{1, {TPID_C}, true},
		{1, {TPID_S}, true},
		{2, {TPID_S, TPID_C}, true},
		{2, {TPID_C, TPID_C}, true},
		{3, {TPID_S, TPID_C, TPID_C}, false},
		{1, {0x9100}, false}, /* a private QinQ ethertype */
	};
	struct world *world = *state;
	uint8_t expected[PACKET_MAX];
	struct sent sent;
	size_t length;

	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		uint32_t publisher = publishers[i % 2];

		prepare(&sent, publisher);
		world_write(world, &sent.tables);
		sent.packet.tags = rows[i / 2].tags;
		memcpy(sent.packet.tpid, rows[i / 2].tpid, sizeof(sent.packet.tpid));
		sent.packet.tci[0] = 0xe123;
		sent.packet.tci[1] = 0x0fff;
		sent.run.length = packet_build(&sent.packet, sent.frame);
		if (!rows[i / 2].read) {
			check_run(world, &sent.run, EXPECT(.reason = BR_NOT_MEDIA));
			check_unchanged(&sent.run);
			continue;
		}
		expect_forwarded(world, &sent, publisher);
		sent.packet.tags = 0;
		length = packet_build(&sent.packet, expected);
		tables_ticket(expected, publisher, EDGES_SIX, 6, 1);
		check_bytes(&sent.run, expected, length);
		assert_true(packet_checksums_valid(sent.run.out, sent.run.out_length, 14));
	}
}

void test_relay_copiers(void **state)
{
	static const struct {
		uint8_t egress;
		uint16_t run;
		uint16_t count;
		uint32_t reason;
		uint16_t tickets;
	} rows[] = {
		{0, 1, 1, BR_FORWARDED, 1},
		{0, 8, 8, BR_FORWARDED, 1},
		{0, 8, 9, BR_FORWARDED, 1}, /* eight copies and the loop */
		{0, BR_CHUNK_MAX, BR_CHUNK_MAX, BR_FORWARDED, 1},
		{0, BR_CHUNK_MAX, BR_ROUTE_MAX, BR_FORWARDED, 1},
		{0, 3, 2, BR_FORWARDED, 1}, /* the third has come since the route was read */
		{0, 9, 9, BR_NO_COPIER, 0}, /* nobody made this one */
		{1, 2, 3, BR_FORWARDED, 1},
		{1, 3, 3, BR_FORWARDED, 1},
		{1, 3, 4, BR_NO_COPIER, 0}, /* three, but not with the loop */
		{1, 4, 4, BR_NO_COPIER, 0},
		{2, 1, 1, BR_NO_COPIER, 1}, /* its interface is gone */
		{3, 1, 1, BR_NO_COPIER, 0},
		{7, 1, 1, BR_NO_COPIER, 0},
		{8, 1, 1, BR_NO_COPIER, 0}, /* no slot of an interface */
	};
	struct world *world = *state;
	uint32_t legs[BR_CHUNK_MAX];
	struct sent sent;

	for (uint32_t i = 0; i < BR_CHUNK_MAX; i++)
		legs[i] = SUB4;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		prepare(&sent, PUB4);
		tables_segment(&sent.tables, EDGES_SIX, rows[i].egress, legs, rows[i].run);
		tables_route(&sent.tables, PUB4, EDGES_SIX, rows[i].count);
		world_write(world, &sent.tables);
		sent.run.length = packet_build(&sent.packet, sent.frame);
		if (rows[i].reason)
			check_run(world, &sent.run,
				  EXPECT(.reason = rows[i].reason, .bytes = ip_length(&sent),
					 .rx_dropped = PUB4, .stream = STREAM(SLOT),
					 .leg_bytes = ip_length(&sent),
					 .tickets = rows[i].tickets));
		else
			check_run(world, &sent.run,
				  EXPECT(.reason = BR_FORWARDED, .bytes = ip_length(&sent),
					 .rx = PUB4, .stream = STREAM(SLOT),
					 .leg_bytes = ip_length(&sent), .tickets = 1,
					 .active = rows[i].run < rows[i].count,
					 .loop_moves = rows[i].run < rows[i].count));
	}
}

/* Sent on as a ticket, or waiting: then it has no number yet. */
static void expect_turn(struct world *world, struct sent *sent, int active, int parked)
{
	check_run(world, &sent->run,
		  EXPECT(.reason = BR_FORWARDED, .bytes = ip_length(sent), .rx = PUB4,
			 .stream = STREAM(SLOT), .leg_bytes = ip_length(sent),
			 .tickets = parked <= 0, .active = active, .parked = parked,
			 .loop_moves = active != 0 || parked < 0));
}

static void check_ticket(const struct sent *sent, uint32_t first, uint16_t count, uint16_t nonce)
{
	uint8_t expected[PACKET_MAX];

	memcpy(expected, sent->frame, sent->run.length);
	tables_ticket(expected, PUB4, first, count, nonce);
	check_bytes(&sent->run, expected, sent->run.length);
}

static void prepare_route(struct world *world, struct sent *sent, uint32_t first, uint16_t count)
{
	prepare(sent, PUB4);
	tables_route(&sent->tables, PUB4, first, count);
	world_write(world, &sent->tables);
	sent->run.length = packet_build(&sent->packet, sent->frame);
}

/* What has moved last on the loop has moved long after now: a slow machine is not a stuck loop. */
static void stay_busy(struct world *world)
{
	struct counters counters;

	world_counters(world, &counters);
	counters.cpu.loop_ns += 1000000000000;
	world_set_cpu(world, &counters.cpu);
}

/* One packet of a long route is spread at a time; the others wait, and too many are refused. */
void test_relay_waits(void **state)
{
	static const uint32_t full = BR_LOOP_PARKED;
	struct world *world = *state;
	struct br_cpu stuck = {.loop_active = 1, .loop_parked = full, .loop_ns = 1};
	struct sent sent;

	prepare_route(world, &sent, EDGES_LONG, BR_CHUNK_MAX + 7);
	expect_turn(world, &sent, 1, 0);
	stay_busy(world);
	for (uint32_t i = 0; i < full; i++) {
		expect_turn(world, &sent, 0, 1);
		check_ticket(&sent, EDGES_LONG, (BR_CHUNK_MAX + 7) | BR_TICKET_PARKED, 0);
	}
	check_run(world, &sent.run,
		  EXPECT(.reason = BR_OVERLOAD, .bytes = ip_length(&sent), .rx_dropped = PUB4,
			 .stream = STREAM(SLOT), .leg_bytes = ip_length(&sent)));

	/* nothing has moved since CLOCK_MONOTONIC 1 ns: what was on the loop is lost */
	world_set_cpu(world, &stuck);
	expect_turn(world, &sent, 0, -(int)full);
	prepare_route(world, &sent, EDGES_SIX, 6);
	world_set_cpu(world, &stuck);
	expect_turn(world, &sent, -1, -(int)full);
}

/* What the egress ring may still hold decides, and who already waits. */
void test_relay_backlog(void **state)
{
	struct world *world = *state;
	struct br_cpu cpu = {.backlog = BR_RING_BUDGET - 6};
	struct sent sent;
	struct expect expect;

	prepare_route(world, &sent, EDGES_SIX, 6);
	world_set_cpu(world, &cpu);
	expect = (struct expect){.reason = BR_FORWARDED,
				 .bytes = ip_length(&sent),
				 .rx = PUB4,
				 .stream = STREAM(SLOT),
				 .leg_bytes = ip_length(&sent),
				 .backlog = BR_RING_BUDGET};
	expect.tickets = 1;
	check_run(world, &sent.run, &expect);
	check_ticket(&sent, EDGES_SIX, 6, 1);

	/* full: the first to wait tells when the ring has drained, those behind it do not */
	expect.tickets = 0;
	expect.parked = 1;
	expect.rest = BR_LOOP_CHOSEN;
	expect.loop_moves = true;
	check_run(world, &sent.run, &expect);
	check_ticket(&sent, EDGES_SIX, 6 | BR_TICKET_PARKED | BR_TICKET_NEXT, 0);
	expect.rest = 0;
	expect.loop_moves = false;
	check_run(world, &sent.run, &expect);
	check_ticket(&sent, EDGES_SIX, 6 | BR_TICKET_PARKED, 0);

	/* a single receiver takes no room that was budgeted */
	prepare_route(world, &sent, EDGES_ONE, 1);
	cpu = (struct br_cpu){.backlog = BR_RING_BUDGET, .loop_parked = 3};
	world_set_cpu(world, &cpu);
	expect.parked = 0;
	expect.tickets = 1;
	check_run(world, &sent.run, &expect);
	check_ticket(&sent, EDGES_ONE, 1, 1);
}

/* The daemon serves receivers of its own: a copy for the tap, or the packet when there are no
 * others. */
void test_relay_tap(void **state)
{
	static const struct {
		uint32_t first;
		uint16_t count;
		uint32_t reason;
	} rows[] = {
		{EDGES_SIX, 6, BR_FORWARDED},
		{EDGES_ONE, 1, BR_FORWARDED},
		{EDGES_SIX, 0, BR_FORWARDED},
		{T_EDGES, 0, BR_FORWARDED},
		{EDGES_LONG, BR_CHUNK_MAX + 7, BR_FORWARDED},
		{EDGES_SIX, 5, BR_FORWARDED}, /* a sixth has come since */
		{EDGES_SIX + 1, 5, BR_NO_COPIER},
	};
	struct world *world = *state;
	struct br_route route;
	struct sent sent;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool more = rows[i].count > BR_CHUNK_MAX;

		prepare_route(world, &sent, rows[i].first, rows[i].count);
		memcpy(&route, &sent.tables.routes[PUB4], sizeof(route));
		route.flags = BR_ROUTE_TAP;
		memcpy(&sent.tables.routes[PUB4], &route, sizeof(route));
		for (uint32_t hop = 0; hop < HOP_NONE; hop++)
			sent.tables.hops[hop].ifindex = INGRESS_IFINDEX;
		world_write(world, &sent.tables);
		if (rows[i].reason) {
			check_run(world, &sent.run,
				  EXPECT(.reason = rows[i].reason, .bytes = ip_length(&sent),
					 .rx_dropped = PUB4, .stream = STREAM(SLOT),
					 .leg_bytes = ip_length(&sent)));
			continue;
		}
		expect_turn(world, &sent, more, 0);
		check_ticket(&sent, rows[i].first, rows[i].count | BR_TICKET_TAP, 1);
	}
}

static void only_expired(struct tables *tables)
{
	tables->legs[SUB4].expires_ns = 1;
}

static void only_without_hop(struct tables *tables)
{
	tables->hops[HOP_PLAIN].state = BR_NEXT_HOP_NONE;
}

static void only_elsewhere(struct tables *tables)
{
	tables->hops[HOP_PLAIN].egress = 1;
}

static void only_small(struct tables *tables)
{
	tables->hops[HOP_PLAIN].mtu = 68;
}

static void only_sender(struct tables *tables)
{
	tables->edges[EDGES_ONE].leg = PUB4;
}

/* A single receiver behind the same interface gets the packet itself, without a ticket. */
void test_relay_turns_round(void **state)
{
	static const struct {
		void (*edit)(struct tables *tables);
		uint32_t reason;
		uint32_t dropped;
	} rows[] = {
		{NULL, BR_COPIED, NO_LEG},
		{only_expired, BR_RECEIVER_EXPIRED, SUB4},
		{only_without_hop, BR_NO_NEXT_HOP, SUB4},
		{only_elsewhere, BR_WRONG_EGRESS, SUB4},
		{only_small, BR_TOO_BIG, SUB4},
		{only_sender, BR_OWN_PACKET, NO_LEG},
	};
	struct world *world = *state;
	uint8_t expected[PACKET_MAX];
	struct packet out;
	struct sent sent;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (uint32_t tags = 0; tags <= BR_VLAN_MAX; tags++) {
			bool sends = rows[i].reason == BR_COPIED;
			bool counts = sends || rows[i].reason == BR_TOO_BIG;

			prepare_route(world, &sent, EDGES_ONE, 1);
			sent.tables.hops[HOP_PLAIN].ifindex = INGRESS_IFINDEX;
			if (rows[i].edit)
				rows[i].edit(&sent.tables);
			world_write(world, &sent.tables);
			sent.packet.tags = (uint8_t)tags;
			sent.packet.tpid[0] = sent.packet.tpid[1] = TPID_C;
			sent.run.length = packet_build(&sent.packet, sent.frame);
			check_run(world, &sent.run,
				  EXPECT(.reason = BR_FORWARDED, .bytes = ip_length(&sent),
					 .rx = PUB4, .stream = STREAM(SLOT),
					 .leg_bytes = ip_length(&sent), .copy = rows[i].reason,
					 .copy_bytes = counts ? ip_length(&sent) : 0,
					 .tx = sends ? SUB4 : NO_LEG, .tx_dropped = rows[i].dropped,
					 .verdict = sends ? XDP_TX : XDP_DROP));
			if (!sends)
				continue;
			tables_packet_to(&sent.tables, SUB4, &sent.packet, &out);
			check_bytes(&sent.run, expected, packet_build(&out, expected));
		}
}

void test_relay_nonce_wraps(void **state)
{
	struct world *world = *state;
	struct br_cpu cpu = {.nonce = 0xfffe};
	uint8_t expected[PACKET_MAX];
	struct sent sent;

	prepare(&sent, PUB4);
	world_write(world, &sent.tables);
	/* cursors that a ticket with the same number left 65536 packets ago */
	for (uint32_t i = 0; i < BR_CURSORS; i++)
		cpu.cursors[i] = (struct br_cursor){
			.nonce = (uint16_t)(i < 64 ? i : i - BR_CURSORS), .passed = 3};
	world_set_cpu(world, &cpu);
	sent.run.length = packet_build(&sent.packet, sent.frame);
	for (uint32_t nonce = 0xffff; nonce < 0x10003; nonce++) {
		expect_forwarded(world, &sent, PUB4); /* sees that the cursor is back at 0 */
		memcpy(expected, sent.frame, sent.run.length);
		tables_ticket(expected, PUB4, EDGES_SIX, 6, (uint16_t)nonce);
		check_bytes(&sent.run, expected, sent.run.length);
	}
}
