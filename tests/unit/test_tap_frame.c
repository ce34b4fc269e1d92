// SPDX-License-Identifier: BSD-2-Clause
/* Frames of the tap: every field, every length at which one is cut off, every wrong byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "plane/tap_frame.h"

#define PAYLOAD 5

static const uint8_t frame4[] = {
	4,    9,    3,	  0x20, 0,    0,    0,	  0,	1,  0,	0, 0, 8, 0, /* a ticket, IPv4 */
	0x45, 0xb9, 0,	  33,	0x12, 0x34, 0x40, 0,	61, 17, 0, 0, /* TOS 0xb9, DF, TTL 61 */
	192,  0,    2,	  7,	198,  51,   100,  9,		      /* from, to */
	0x17, 0x70, 0x9c, 0x40, 0,    13,   0xab, 0xcd,		      /* 6000 to 40000 */
	0x80, 96,   1,	  2,	3,
};

static const uint8_t frame6[] = {
	4,    9,    3,	  0x20, 0, 0,  0,    0,	   1, 0, 0, 0, 0x86, 0xdd, /* a ticket, IPv6 */
	0x6b, 0x91, 0x23, 0x45, 0, 13, 17,   9, /* traffic class 0xb9, hop limit 9 */
	0x20, 1,    0xd,  0xb8, 0, 0,  0,    0,	   0, 0, 0, 0, 0,    0,	   0, 1, /* from */
	0x20, 1,    0xd,  0xb8, 0, 0,  0,    0,	   0, 0, 0, 0, 0,    0,	   0, 2, /* to */
	0x17, 0x70, 0x9c, 0x40, 0, 13, 0xab, 0xcd,				 /* 6000 to 40000 */
	0x80, 96,   1,	  2,	3,
};

static void check_endpoint(const struct br_endpoint *got, const char *want)
{
	char text[BR_ENDPOINT_TEXT];

	assert_string_equal(br_endpoint_format(got, text), want);
}

static void reads_ipv4(void **state)
{
	struct br_datagram datagram;

	(void)state;
	assert_int_equal(br_tap_frame_parse(frame4, sizeof(frame4), &datagram), 0);
	check_endpoint(&datagram.remote, "192.0.2.7:6000");
	check_endpoint(&datagram.local, "198.51.100.9:40000");
	assert_int_equal(datagram.ttl, 61);
	assert_int_equal(datagram.tos, 0xb9);
	assert_true(datagram.dont_fragment);
	assert_int_equal(datagram.length, PAYLOAD);
	assert_ptr_equal(datagram.payload, frame4 + sizeof(frame4) - PAYLOAD);
}

static void reads_ipv6(void **state)
{
	struct br_datagram datagram;

	(void)state;
	assert_int_equal(br_tap_frame_parse(frame6, sizeof(frame6), &datagram), 0);
	check_endpoint(&datagram.remote, "[2001:db8::1]:6000");
	check_endpoint(&datagram.local, "[2001:db8::2]:40000");
	assert_int_equal(datagram.ttl, 9);
	assert_int_equal(datagram.tos, 0xb9);
	assert_true(datagram.dont_fragment);
	assert_int_equal(datagram.length, PAYLOAD);
	assert_ptr_equal(datagram.payload, frame6 + sizeof(frame6) - PAYLOAD);
}

static void may_fragment(void **state)
{
	uint8_t frame[sizeof(frame4)];
	struct br_datagram datagram;

	(void)state;
	memcpy(frame, frame4, sizeof(frame));
	frame[20] = 0; /* flags */
	assert_int_equal(br_tap_frame_parse(frame, sizeof(frame), &datagram), 0);
	assert_false(datagram.dont_fragment);
}

/* Memory of exactly that length, so that the sanitizer sees a read behind it. */
static int parse_exactly(const uint8_t *frame, size_t length, struct br_datagram *datagram)
{
	uint8_t *copy = malloc(length ? length : 1);
	int err;

	assert_non_null(copy);
	memcpy(copy, frame, length);
	err = br_tap_frame_parse(copy, length, datagram);
	free(copy);
	return err;
}

static void every_length(void **state)
{
	uint8_t padded[sizeof(frame4) + 13] = {0};
	struct br_datagram datagram;

	(void)state;
	for (size_t length = 0; length < sizeof(frame4); length++)
		assert_int_equal(parse_exactly(frame4, length, &datagram), -EBADMSG);
	for (size_t length = 0; length < sizeof(frame6); length++)
		assert_int_equal(parse_exactly(frame6, length, &datagram), -EBADMSG);
	/* a short frame is filled up to the least that Ethernet knows */
	memcpy(padded, frame4, sizeof(frame4));
	assert_int_equal(parse_exactly(padded, sizeof(padded), &datagram), 0);
	assert_int_equal(datagram.length, PAYLOAD);
}

static void wrong_fields(void **state)
{
	static const struct {
		bool v6;
		size_t at;
		uint8_t value;
	} rows[] = {
		{false, 12, 9},			  /* ethertype */
		{false, 14, 0x65},		  /* version */
		{false, 14, 0x46},		  /* options */
		{false, 14, 0x44},		  /* a header that is too short */
		{false, 17, 27},		  /* length below the headers */
		{false, 17, 34},		  /* length beyond the frame */
		{false, 23, 6},			  /* TCP */
		{false, 39, 12},		  /* UDP length unlike the rest */
		{false, 39, 14},   {true, 13, 0}, /* ethertype */
		{true, 14, 0x4b},		  /* version */
		{true, 19, 7},			  /* length below the UDP header */
		{true, 19, 14},			  /* length beyond the frame */
		{true, 20, 44},			  /* a fragment header */
		{true, 59, 12},			  /* UDP length */
	};
	uint8_t frame[sizeof(frame6)];
	struct br_datagram datagram;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t length = rows[i].v6 ? sizeof(frame6) : sizeof(frame4);

		memcpy(frame, rows[i].v6 ? frame6 : frame4, length);
		frame[rows[i].at] = rows[i].value;
		if (br_tap_frame_parse(frame, length, &datagram) != -EBADMSG)
			fail_msg("IPv%d, byte %zu is %u", rows[i].v6 ? 6 : 4, rows[i].at,
				 rows[i].value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_ipv4),	cmocka_unit_test(reads_ipv6),
		cmocka_unit_test(may_fragment), cmocka_unit_test(every_length),
		cmocka_unit_test(wrong_fields),
	};

	return cmocka_run_group_tests_name("tap_frame", tests, NULL, NULL);
}
