// SPDX-License-Identifier: BSD-2-Clause
/* Frames of the self-test: right ones pass, and a change of any bit that matters does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <string.h>

#include "ctl/check/wire.h"

static const uint8_t payload[] = "\x80\x60 media";
#define LENGTH (sizeof(payload) - 1)

static struct br_wire wire_of(int family)
{
	struct br_wire wire = {
		.destination_mac = {2, 0, 0, 0, 0, 1},
		.source_mac = {2, 0, 0, 0, 0, 2},
		.source.port = htons(5004),
		.destination.port = htons(40000),
		.hops = 63,
	};

	assert_true(br_addr_parse(family == 4 ? "192.0.2.10" : "2001:db8::10", &wire.source.addr));
	assert_true(
		br_addr_parse(family == 4 ? "192.0.2.1" : "2001:db8::1", &wire.destination.addr));
	return wire;
}

/* Written down by hand, checksums by another program: our sums must not agree with themselves only.
 */
static void test_known_frame(void **state)
{
	static const uint8_t known[] = {2,    0,    0,	  0,	0,    1,    2,	  0,	0,    0,
					0,    2,    0x08, 0x00, 0x45, 0x00, 0x00, 0x24, 0x00, 0x00,
					0x40, 0x00, 0x3f, 0x11, 0xb7, 0xbd, 192,  0,	2,    10,
					192,  0,    2,	  1,	0x13, 0x8c, 0x9c, 0x40, 0x00, 0x10,
					0x5c, 0x62, 0x80, 0x60, 0x20, 0x6d, 0x65, 0x64, 0x69, 0x61};
	struct br_wire wire = wire_of(4);
	uint8_t frame[BR_WIRE_FRAME_MAX];
	char why[BR_CHECK_TEXT];

	(void)state;
	assert_int_equal(br_wire_build(&wire, payload, LENGTH, frame), sizeof(known));
	assert_memory_equal(frame, known, sizeof(known));
	assert_true(br_wire_verify(&wire, payload, LENGTH, known, sizeof(known), why));
}

/* Bits that a relay may leave or set as it likes. */
static bool is_free(int family, size_t byte, unsigned int bit)
{
	size_t ip = 14;

	if (family == 6) /* traffic class and flow label */
		return byte == ip + 1 || byte == ip + 2 || byte == ip + 3 ||
		       (byte == ip && bit < 4);
	return false; /* in IPv4 the header checksum covers what is not compared */
}

static void test_every_bit(void **state)
{
	(void)state;
	for (int family = 4; family <= 6; family += 2) {
		struct br_wire wire = wire_of(family);
		uint8_t frame[BR_WIRE_FRAME_MAX];
		char why[BR_CHECK_TEXT];
		size_t size = br_wire_build(&wire, payload, LENGTH, frame);

		assert_true(br_wire_verify(&wire, payload, LENGTH, frame, size, why));
		assert_string_equal(why, "");
		for (size_t byte = 0; byte < size; byte++)
			for (unsigned int bit = 0; bit < 8; bit++) {
				bool right;

				frame[byte] ^= (uint8_t)(1u << bit);
				right = br_wire_verify(&wire, payload, LENGTH, frame, size, why);
				frame[byte] ^= (uint8_t)(1u << bit);
				if (right != is_free(family, byte, bit))
					fail_msg("IPv%d byte %zu bit %u: %s", family, byte, bit,
						 right ? "not seen" : why);
				assert_int_equal(right, !*why);
			}
	}
}

static void test_truncated(void **state)
{
	(void)state;
	for (int family = 4; family <= 6; family += 2) {
		struct br_wire wire = wire_of(family);
		uint8_t frame[BR_WIRE_FRAME_MAX];
		char why[BR_CHECK_TEXT];
		size_t size = br_wire_build(&wire, payload, LENGTH, frame);

		for (size_t length = 0; length < size; length++)
			assert_false(br_wire_verify(&wire, payload, LENGTH, frame, length, why));
		/* Ethernet pads short frames */
		memset(frame + size, 0xff, 20);
		assert_true(br_wire_verify(&wire, payload, LENGTH, frame, size + 20, why));
	}
}

/* A copy for somebody else is valid in itself: every field must be compared. */
static void test_other_receiver(void **state)
{
	struct br_wire wire = wire_of(4), other;
	uint8_t frame[BR_WIRE_FRAME_MAX];
	char why[BR_CHECK_TEXT];
	size_t size;

	(void)state;
	other = wire;
	other.destination.port = htons(40001);
	size = br_wire_build(&other, payload, LENGTH, frame);
	assert_false(br_wire_verify(&wire, payload, LENGTH, frame, size, why));
	assert_string_equal(why, "destination port is 40001 instead of 40000");

	other = wire;
	assert_true(br_addr_parse("192.0.2.7", &other.destination.addr));
	size = br_wire_build(&other, payload, LENGTH, frame);
	assert_false(br_wire_verify(&wire, payload, LENGTH, frame, size, why));
	assert_string_equal(why, "destination address is 192.0.2.7 instead of 192.0.2.1");

	other = wire;
	other.hops = 64;
	size = br_wire_build(&other, payload, LENGTH, frame);
	assert_false(br_wire_verify(&wire, payload, LENGTH, frame, size, why));
	assert_string_equal(why, "TTL is 64 instead of 63");

	other = wire;
	other.destination_mac[5] = 9;
	size = br_wire_build(&other, payload, LENGTH, frame);
	assert_false(br_wire_verify(&wire, payload, LENGTH, frame, size, why));
	assert_non_null(strstr(why, "02:00:00:00:00:09 instead of 02:00:00:00:00:01"));

	size = br_wire_build(&wire, "another", 7, frame);
	assert_false(br_wire_verify(&wire, payload, 7, frame, size, why));
	assert_string_equal(why, "payload differs");

	other = wire_of(6);
	size = br_wire_build(&other, payload, LENGTH, frame);
	assert_false(br_wire_verify(&wire, payload, LENGTH, frame, size, why));
	assert_string_equal(why, "IP version is 6 instead of 4");
}

static void test_is_udp(void **state)
{
	struct br_wire wire = wire_of(6);
	uint8_t frame[BR_WIRE_FRAME_MAX], large[BR_WIRE_FRAME_MAX] = {0};
	size_t size = br_wire_build(&wire, payload, LENGTH, frame);

	(void)state;
	assert_true(br_wire_is_udp(frame, size));
	frame[20] = 58; /* ICMPv6 */
	assert_false(br_wire_is_udp(frame, size));
	frame[20] = 17;
	frame[12] = 0x08;
	frame[13] = 0x06; /* ARP */
	assert_false(br_wire_is_udp(frame, size));
	assert_int_equal(br_wire_build(&wire, large, BR_WIRE_FRAME_MAX, frame), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_frame), cmocka_unit_test(test_every_bit),
		cmocka_unit_test(test_truncated),   cmocka_unit_test(test_other_receiver),
		cmocka_unit_test(test_is_udp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
