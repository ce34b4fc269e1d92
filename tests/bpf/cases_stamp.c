// SPDX-License-Identifier: BSD-2-Clause
/* stamp: the packet that comes out, byte for byte. */
#include "cases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "check.h"

static const uint32_t publishers[] = {PUB4, PUB6};

struct copy {
	struct tables tables;
	struct packet in;
	struct packet out;
	uint8_t payload[256];
	uint8_t frame[PACKET_MAX];
	uint8_t expected[PACKET_MAX];
	size_t expected_length;
	uint32_t receiver;
	uint16_t nonce;
	struct world_run run;
};

/* A ticket for one receiver, with a route of its own; odd length, padding. */
static void prepare(struct copy *copy, uint32_t publisher, uint32_t receiver)
{
	memset(copy, 0, sizeof(*copy));
	tables_base(&copy->tables);
	copy->receiver = receiver;
	tables_segment(&copy->tables, EDGES_ONE,
		       (uint8_t)copy->tables.hops[copy->tables.legs[receiver].next_hop].egress,
		       &receiver, 1);
	tables_packet_from(&copy->tables, publisher, &copy->in);
	copy->in.payload = copy->payload;
	copy->in.payload_length = payload_rtp(copy->payload, 0xcafe, 1, 2, 41);
	copy->in.padding = 3;
	copy->nonce = 0x0100;
	copy->run.program = PROGRAM_STAMP;
	copy->run.in = copy->frame;
}

/* Describe the packet that must come out, and build both. */
static void build(struct copy *copy, uint32_t publisher)
{
	tables_ticket(copy->in.ethernet, publisher, EDGES_ONE, 1, ++copy->nonce);
	copy->run.length = packet_build(&copy->in, copy->frame);
	tables_packet_to(&copy->tables, copy->receiver, &copy->in, &copy->out);
	copy->expected_length = packet_build(&copy->out, copy->expected);
}

static void expect_copied(struct world *world, struct copy *copy)
{
	uint32_t length = (uint32_t)packet_ip_length(&copy->out);

	check_run(world, &copy->run,
		  EXPECT(.reason = BR_COPIED, .bytes = length, .tx = copy->receiver,
			 .leg_bytes = length, .cursor = true, .nonce = copy->nonce, .passed = 1));
	check_bytes(&copy->run, copy->expected, copy->expected_length);
}

void test_stamp_families_and_tags(void **state)
{
	struct world *world = *state;
	struct copy copy;

	for (size_t i = 0; i < 2; i++)
		for (uint32_t receiver = SUB4; receiver <= FAR6; receiver++) {
			prepare(&copy, publishers[i], receiver);
			world_write(world, &copy.tables);
			for (unsigned int odd = 0; odd < 8; odd++) {
				copy.in.payload_length--;
				build(&copy, publishers[i]);
				expect_copied(world, &copy);
				assert_true(packet_checksums_valid(
					copy.run.out, copy.run.out_length, packet_l3(&copy.out)));
			}
		}
}

void test_stamp_keeps_dscp_ecn_ttl(void **state)
{
	struct world *world = *state;
	struct copy copy;

	for (size_t i = 0; i < 2; i++)
		for (uint32_t receiver = SUB4; receiver <= SUB6; receiver++) {
			prepare(&copy, publishers[i], receiver);
			world_write(world, &copy.tables);
			for (unsigned int value = 0; value < 256; value++) {
				copy.in.tos = (uint8_t)value;
				/* below 2 nothing gets a ticket */
				copy.in.ttl = (uint8_t)(value < 2 ? 255 : value);
				copy.in.id = (uint16_t)(value * 257);
				copy.in.flow = value << 12 | value;
				copy.in.frag = value % 2 ? IPV4_DF : 0;
				build(&copy, publishers[i]);
				expect_copied(world, &copy);
			}
		}
}

/* RFC 768: no checksum, over IPv4 only. It stays so, and may not cross to IPv6. */
void test_stamp_zero_checksum(void **state)
{
	struct world *world = *state;
	struct copy copy;
	uint32_t length;

	prepare(&copy, PUB4, SUB4C);
	world_write(world, &copy.tables);
	copy.in.no_checksum = true;
	build(&copy, PUB4);
	assert_int_equal(get16(copy.expected + packet_udp(&copy.out) + 6), 0);
	expect_copied(world, &copy);

	prepare(&copy, PUB4, SUB6C);
	world_write(world, &copy.tables);
	copy.in.no_checksum = true;
	build(&copy, PUB4);
	length = (uint32_t)packet_ip_length(&copy.out);
	check_run(world, &copy.run,
		  EXPECT(.reason = BR_NO_CHECKSUM, .bytes = length, .tx_dropped = SUB6C,
			 .cursor = true, .nonce = copy.nonce, .passed = 1));
}

/* A checksum that comes to 0 is sent as 0xffff: make one by choosing a payload word. */
void test_stamp_checksum_ffff(void **state)
{
	struct world *world = *state;
	struct copy copy;

	for (size_t i = 0; i < 4; i++) {
		uint32_t publisher = publishers[i % 2];
		uint8_t *word;
		uint16_t check;

		prepare(&copy, publisher, i < 2 ? SUB4 : SUB6);
		world_write(world, &copy.tables);
		copy.in.padding = 0;
		word = copy.payload + 40;
		put16(word, 0);
		build(&copy, publisher);
		/* What the sum lacks becomes a word of the payload, and the sum -0. */
		check = get16(copy.expected + packet_udp(&copy.out) + 6);
		put16(word, check);
		build(&copy, publisher);
		assert_int_equal(get16(copy.expected + packet_udp(&copy.out) + 6), 0xffff);
		assert_int_not_equal(get16(copy.frame + packet_udp(&copy.in) + 6), 0xffff);
		expect_copied(world, &copy);

		/* and the other way: it arrives as 0xffff */
		put16(word, 0);
		build(&copy, publisher);
		put16(word, get16(copy.frame + packet_udp(&copy.in) + 6));
		build(&copy, publisher);
		assert_int_equal(get16(copy.frame + packet_udp(&copy.in) + 6), 0xffff);
		expect_copied(world, &copy);
	}
}

/* Difference of two checksums as ones' complement numbers. */
static uint16_t distance(uint16_t a, uint16_t b)
{
	return (uint16_t)((a + 65535u - b % 65535u) % 65535u);
}

/* RFC 1624: what arrived damaged must be seen as damaged by the receiver, by the same amount. */
void test_stamp_damage_stays(void **state)
{
	static const uint16_t damages[] = {1, 2, 0x00ff, 0x0100, 0x7fff, 0x8000, 0xfffd};
	struct world *world = *state;
	struct copy copy;

	for (size_t i = 0; i < 2 * 6 * sizeof(damages) / sizeof(damages[0]); i++) {
		uint16_t damage = damages[i / 12];
		size_t in_udp, out_udp, l3;
		uint8_t *check;

		prepare(&copy, publishers[i % 2], SUB4 + i / 2 % 6);
		world_write(world, &copy.tables);
		build(&copy, publishers[i % 2]);
		in_udp = packet_udp(&copy.in) + 6;
		out_udp = packet_udp(&copy.out) + 6;
		l3 = packet_l3(&copy.out);
		check = copy.frame + in_udp;
		put16(check, (uint16_t)((get16(check) + damage) % 65535u));
		if (!get16(check))
			put16(check, 0xffff);
		world_run(world, &copy.run);
		assert_int_equal(copy.run.verdict, check_verdict(PROGRAM_STAMP, BR_COPIED));
		assert_false(packet_checksums_valid(copy.run.out, copy.run.out_length, l3));
		assert_int_equal(
			distance(get16(copy.run.out + out_udp), get16(copy.expected + out_udp)),
			damage);
		/* and nothing else differs */
		put16(copy.run.out + out_udp, get16(copy.expected + out_udp));
		check_bytes(&copy.run, copy.expected, copy.expected_length);
	}
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		prepare(&copy, PUB4, SUB4Q);
		world_write(world, &copy.tables);
		build(&copy, PUB4);
		put16(copy.frame + 24, (uint16_t)((get16(copy.frame + 24) + damages[i]) % 65535u));
		world_run(world, &copy.run);
		assert_int_equal(distance(get16(copy.run.out + 32), get16(copy.expected + 32)),
				 damages[i]);
		put16(copy.run.out + 32, get16(copy.expected + 32));
		check_bytes(&copy.run, copy.expected, copy.expected_length);
	}
}

/* Too short for the headers it must have; relay lets none through, the stamp looks again. */
void test_stamp_every_length(void **state)
{
	struct world *world = *state;
	struct copy copy;

	for (size_t i = 0; i < 2; i++)
		for (uint32_t receiver = SUB4; receiver <= SUB6Q; receiver++) {
			size_t whole, headers;

			prepare(&copy, publishers[i], receiver);
			world_write(world, &copy.tables);
			build(&copy, publishers[i]);
			whole = copy.run.length;
			headers = packet_udp(&copy.in) + UDP_HEADER;
			for (size_t length = 14; length <= whole; length++) {
				size_t cut = whole - length;

				build(&copy, publishers[i]);
				copy.run.length = length;
				copy.expected_length -= cut;
				if (length >= headers) {
					expect_copied(world, &copy);
					continue;
				}
				check_run(world, &copy.run,
					  EXPECT(.reason = BR_NO_TICKET, .tx_dropped = receiver,
						 .cursor = true, .nonce = copy.nonce, .passed = 1));
			}
		}
}
