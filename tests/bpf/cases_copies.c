// SPDX-License-Identifier: BSD-2-Clause
/* stamp: which copy belongs to which leg, and which copies are refused. */
#include "cases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "check.h"

#define BODY 40u

struct copies {
	struct tables tables;
	struct packet in;
	uint8_t payload[128];
	uint8_t frame[PACKET_MAX];
	struct world_run run;
};

static void prepare(struct copies *copies, uint32_t publisher)
{
	memset(copies, 0, sizeof(*copies));
	tables_base(&copies->tables);
	tables_packet_from(&copies->tables, publisher, &copies->in);
	copies->in.payload = copies->payload;
	copies->in.payload_length = payload_rtp(copies->payload, 1, 0, PACKET_NO_EXT, BODY);
	copies->run.program = PROGRAM_STAMP;
	copies->run.in = copies->frame;
	copies->run.length = packet_build(&copies->in, copies->frame);
}

/* The next copy of a ticket goes to this leg. */
static void expect_leg(struct world *world, struct copies *copies, uint32_t leg, uint16_t nonce,
		       uint16_t passed)
{
	uint8_t expected[PACKET_MAX];
	struct packet out;
	size_t length;
	uint32_t bytes;

	tables_packet_to(&copies->tables, leg, &copies->in, &out);
	length = packet_build(&out, expected);
	bytes = (uint32_t)packet_ip_length(&out);
	check_run(world, &copies->run,
		  EXPECT(.reason = BR_COPIED, .bytes = bytes, .tx = leg, .leg_bytes = bytes,
			 .cursor = true, .nonce = nonce, .passed = passed));
	check_bytes(&copies->run, expected, length);
}

static void expect_spent(struct world *world, struct copies *copies, uint16_t nonce,
			 uint16_t passed)
{
	check_run(world, &copies->run,
		  EXPECT(.reason = BR_TICKET_SPENT, .cursor = true, .nonce = nonce,
			 .passed = passed));
}

static uint32_t many(uint32_t index)
{
	return MANY + index % (T_LEGS - MANY);
}

void test_stamp_copies_in_order(void **state)
{
	struct world *world = *state;
	struct copies copies;

	for (uint32_t publisher = PUB4; publisher <= PUB6; publisher++) {
		prepare(&copies, publisher);
		world_write(world, &copies.tables);
		tables_ticket(copies.frame, publisher, EDGES_SIX, 6, 9);
		for (uint16_t i = 0; i < 6; i++)
			expect_leg(world, &copies, SUB4 + i, 9, i + 1);
		expect_spent(world, &copies, 9, 7);
		/* the first segment of a long route: 64 copies, what follows is the loop's */
		tables_ticket(copies.frame, publisher, EDGES_LONG, BR_CHUNK_MAX + 7, 10);
		for (uint16_t i = 0; i < BR_CHUNK_MAX; i++)
			expect_leg(world, &copies, many(i), 10, i + 1);
		expect_spent(world, &copies, 10, BR_CHUNK_MAX + 1);
		/* fewer edges than the segment has, as after a leave: the count decides */
		tables_ticket(copies.frame, publisher, EDGES_SIX, 2, 11);
		expect_leg(world, &copies, SUB4, 11, 1);
		expect_leg(world, &copies, SUB6, 11, 2);
		expect_spent(world, &copies, 11, 3);
	}
}

void test_stamp_cursor_resets(void **state)
{
	/* the wrap, and numbers that share a cursor */
	static const uint16_t nonces[] = {0xfffe, 0xffff, 0, 0x0080, 1, 0x0081, 1, 0xff01};
	struct world *world = *state;
	struct copies copies;

	prepare(&copies, PUB4);
	world_write(world, &copies.tables);
	for (size_t i = 0; i < sizeof(nonces) / sizeof(nonces[0]); i++) {
		tables_ticket(copies.frame, PUB4, EDGES_SIX, 6, nonces[i]);
		expect_leg(world, &copies, SUB4, nonces[i], 1);
		expect_leg(world, &copies, SUB6, nonces[i], 2);
		expect_leg(world, &copies, SUB4C, nonces[i], 3);
	}
}

/*
 * Two egress interfaces have a queue each, and the kernel stamps a queue of 16 when it is
 * full: copies of one ticket may pass between those of another.
 */
void test_stamp_tickets_interleaved(void **state)
{
	struct world *world = *state;
	struct copies copies;

	prepare(&copies, PUB4);
	world_write(world, &copies.tables);
	for (uint16_t i = 0; i < 6; i++)
		for (uint16_t ticket = 0; ticket < 64; ticket++) {
			uint16_t nonce = (uint16_t)(0xffe0 + ticket);

			tables_ticket(copies.frame, PUB4, EDGES_SIX, 6, nonce);
			expect_leg(world, &copies, SUB4 + i, nonce, i + 1);
		}
}

static void receiver_expired(struct tables *tables)
{
	tables->legs[SUB4].expires_ns = 1;
}

static void receiver_gone(struct tables *tables)
{
	tables->legs[SUB4].expires_ns = 0;
}

static void no_next_hop(struct tables *tables)
{
	tables->hops[HOP_PLAIN].state = BR_NEXT_HOP_NONE;
}

static void hop_out_of_range(struct tables *tables)
{
	tables->legs[SUB4].next_hop = T_HOPS;
}

static void wrong_egress(struct tables *tables)
{
	tables->legs[SUB4].next_hop = HOP_FAR;
}

static void mtu_one_less(struct tables *tables)
{
	tables->hops[HOP_PLAIN].mtu = 20 + UDP_HEADER + PACKET_RTP_MIN + BODY - 1;
}

static void mtu_exact(struct tables *tables)
{
	tables->hops[HOP_PLAIN].mtu = 20 + UDP_HEADER + PACKET_RTP_MIN + BODY;
}

static void own_packet(struct tables *tables)
{
	tables->edges[EDGES_ONE].leg = PUB4;
}

static void leg_out_of_range(struct tables *tables)
{
	tables->edges[EDGES_ONE].leg = T_LEGS;
}

void test_stamp_refuses(void **state)
{
	static const struct {
		void (*edit)(struct tables *tables);
		uint32_t reason;
		uint64_t bytes;
		uint32_t dropped;
	} rows[] = {
		{receiver_expired, BR_RECEIVER_EXPIRED, 0, SUB4},
		{receiver_gone, BR_RECEIVER_EXPIRED, 0, SUB4},
		{no_next_hop, BR_NO_NEXT_HOP, 0, SUB4},
		{hop_out_of_range, BR_NO_NEXT_HOP, 0, SUB4},
		{wrong_egress, BR_WRONG_EGRESS, 0, SUB4},
		{mtu_one_less, BR_TOO_BIG, 20 + UDP_HEADER + PACKET_RTP_MIN + BODY, SUB4},
		{mtu_exact, BR_COPIED, 20 + UDP_HEADER + PACKET_RTP_MIN + BODY, NO_LEG},
		{own_packet, BR_OWN_PACKET, 0, NO_LEG},
		{leg_out_of_range, BR_RECEIVER_EXPIRED, 0, NO_LEG},
	};
	struct world *world = *state;
	struct copies copies;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		prepare(&copies, PUB4);
		rows[i].edit(&copies.tables);
		world_write(world, &copies.tables);
		tables_ticket(copies.frame, PUB4, EDGES_ONE, 1, 3);
		if (rows[i].reason == BR_COPIED)
			expect_leg(world, &copies, SUB4, 3, 1);
		else
			check_run(world, &copies.run,
				  EXPECT(.reason = rows[i].reason, .bytes = rows[i].bytes,
					 .tx_dropped = rows[i].dropped, .cursor = true, .nonce = 3,
					 .passed = 1));
	}
	/* no ticket, nothing to draw it from, and no edges at all */
	check_run(world,
		  &(struct world_run){
			  .program = PROGRAM_STAMP, .in = (const uint8_t[64]){0}, .length = 64},
		  EXPECT(.reason = BR_NO_TICKET));
	tables_ticket(copies.frame, PUB4, T_EDGES, 1, 4);
	expect_spent(world, &copies, 4, 1);
	tables_ticket(copies.frame, PUB4, EDGES_ONE, 0, 5);
	expect_spent(world, &copies, 5, 1);
}

/* Metadata in front of the packet takes the headroom that tags and larger headers need. */
void test_stamp_no_headroom(void **state)
{
	static const struct {
		size_t metadata;
		uint32_t receiver;
		bool fits;
	} rows[] = {
		/* 256 bytes, of which struct xdp_frame takes 40 */
		{212, SUB4, true},			 /* needs none */
		{212, SUB4C, true},			 /* 4 */
		{212, SUB4Q, false},			 /* 8 */
		{208, SUB4Q, true},  {196, SUB6, true},	 /* 20 */
		{200, SUB6, false},  {188, SUB6Q, true}, /* 28 */
		{192, SUB6Q, false},
	};
	struct world *world = *state;
	struct copies copies;

	if (!world_takes_metadata(world, rows[0].metadata)) {
		check_excuse(BR_NO_HEADROOM);
		print_message("this kernel takes no %zu bytes of metadata\n", rows[0].metadata);
		skip();
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint32_t receiver = rows[i].receiver;
		uint64_t bytes;

		prepare(&copies, PUB4);
		tables_segment(&copies.tables, EDGES_ONE, 0, &receiver, 1);
		world_write(world, &copies.tables);
		tables_ticket(copies.frame, PUB4, EDGES_ONE, 1, 3);
		copies.run.metadata = rows[i].metadata;
		if (rows[i].fits) {
			expect_leg(world, &copies, receiver, 3, 1);
			continue;
		}
		bytes = packet_ip_length(&copies.in) +
			(copies.tables.legs[receiver].family == 6 ? 20 : 0);
		check_run(world, &copies.run,
			  EXPECT(.reason = BR_NO_HEADROOM, .bytes = bytes, .tx_dropped = receiver,
				 .cursor = true, .nonce = 3, .passed = 1));
	}
}
