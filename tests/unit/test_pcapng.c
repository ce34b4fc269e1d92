// SPDX-License-Identifier: BSD-2-Clause
/* pcapng blocks, byte by byte against draft-ietf-opsawg-pcapng; every room; what readers meet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/pcapng.h"

#define ROOM 4096u

/* These bytes, and with a byte less of room nothing at all. */
#define assert_block(call_with_room, expected)                                                     \
	do {                                                                                       \
		uint8_t out[ROOM];                                                                 \
		for (size_t room = 0; room <= sizeof(expected); room++) {                          \
			size_t length;                                                             \
			memset(out, 0xaa, sizeof(out));                                            \
			length = (call_with_room);                                                 \
			assert_int_equal(length, room < sizeof(expected) ? 0 : room);              \
			for (size_t i = room; i < sizeof(out); i++)                                \
				assert_int_equal(out[i], 0xaa);                                    \
		}                                                                                  \
		assert_memory_equal(out, expected, sizeof(expected));                              \
	} while (0)

static void test_section(void **state)
{
	static const uint8_t expected[] = {
		0x0a, 0x0d, 0x0d, 0x0a, 52,   0,    0,	  0,	/* type, length */
		0x4d, 0x3c, 0x2b, 0x1a, 1,    0,    0,	  0,	/* byte order, version 1.0 */
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, /* section length: not known */
		1,    0,    2,	  0,	'h',  'i',  0,	  0,	/* opt_comment */
		4,    0,    5,	  0,	'r',  'e',  'l',  'a',	'y', 0, 0, 0, /* shb_userappl */
		0,    0,    0,	  0,					      /* opt_endofopt */
		52,   0,    0,	  0,
	};
	const struct br_pcapng_section section = {.application = "relay", .comment = "hi"};

	(void)state;
	assert_block(br_pcapng_section(out, room, &section), expected);
}

static void test_interface(void **state)
{
	static const uint8_t expected[] = {
		1, 0, 0, 0, 48,	 0,   0,   0,
		1, 0, 0, 0, 96,	 0,   0,   0,	/* Ethernet, reserved, snaplen */
		2, 0, 3, 0, 'b', 'o', 'b', 0,	/* if_name */
		3, 0, 4, 0, 'l', 'e', 'g', '!', /* if_description */
		9, 0, 1, 0, 9,	 0,   0,   0,	/* if_tsresol: nanoseconds */
		0, 0, 0, 0, 48,	 0,   0,   0,
	};
	const struct br_pcapng_interface interface = {
		.name = "bob", .description = "leg!", .snaplen = 96};

	(void)state;
	assert_block(br_pcapng_interface(out, room, &interface), expected);
}

static void test_packet(void **state)
{
	static const uint8_t expected[] = {
		6,    0,    0,	  0,	88,   0,    0,	  0,	7, 0, 0, 0, /* interface */
		0x44, 0x33, 0x22, 0x11, 0x88, 0x77, 0x66, 0x55, /* time: upper half first */
		5,    0,    0,	  0,	200,  0,    0,	  0,	/* captured, original */
		0xe1, 0xe2, 0xe3, 0xd1, 0xd2, 0,    0,	  0,	/* link and data, padded */
		1,    0,    4,	  0,	'd',  'r',  'o',  'p',	/* opt_comment */
		2,    0,    4,	  0,	2,    0,    0,	  0,	/* epb_flags: outbound */
		4,    0,    8,	  0,	9,    0,    0,	  0,	0, 0, 0, 0, /* epb_dropcount */
		7,    0,    9,	  0,	2,    1,    0,	  0,	0, 0, 0, 0,
		0,    0,    0,	  0, /* epb_verdict: XDP_DROP */
		0,    0,    0,	  0,	88,   0,    0,	  0,
	};
	static const uint8_t link[] = {0xe1, 0xe2, 0xe3}, data[] = {0xd1, 0xd2};
	const struct br_pcapng_packet packet = {
		.interface = 7,
		.time_ns = 0x1122334455667788,
		.direction = BR_PCAPNG_OUTBOUND,
		.link = link,
		.link_length = sizeof(link),
		.data = data,
		.data_length = sizeof(data),
		.original = 200,
		.lost = 9,
		.verdict = 1,
		.comment = "drop",
	};

	(void)state;
	assert_block(br_pcapng_packet(out, room, &packet), expected);
}

/* No comment, nothing lost, nothing of the packet. */
static void test_packet_bare(void **state)
{
	static const uint8_t expected[] = {
		6, 0, 0, 0, 60, 0, 0,  0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0,
		0, 0, 0, 0, 0,	0, 60, 0, 0, 0, 2, 0, 4, 0, 1, 0, 0, 0, /* epb_flags: inbound */
		7, 0, 9, 0, 2,	4, 0,  0, 0, 0, 0, 0, 0, 0, 0, 0,	/* XDP_REDIRECT */
		0, 0, 0, 0, 60, 0, 0,  0,
	};
	const struct br_pcapng_packet packet = {
		.time_ns = 1, .direction = BR_PCAPNG_INBOUND, .original = 60, .verdict = 4};

	(void)state;
	assert_block(br_pcapng_packet(out, room, &packet), expected);
}

static const struct br_pcapng_statistics figures = {
	.interface = 3,
	.time_ns = 0x0000000200000001,
	.begin_ns = 0x0000000400000003,
	.received = 0x1000000ff,
	.dropped = 5,
	.os_dropped = 6,
	.delivered = 7,
};

static void test_statistics(void **state)
{
	static const uint8_t expected[] = {
		5, 0, 0, 0, 100,  0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, /* interface, time */
		2, 0, 8, 0, 4,	  0, 0, 0, 3, 0, 0, 0,			       /* isb_starttime */
		3, 0, 8, 0, 2,	  0, 0, 0, 1, 0, 0, 0,			       /* isb_endtime */
		4, 0, 8, 0, 0xff, 0, 0, 0, 1, 0, 0, 0,			       /* isb_ifrecv */
		5, 0, 8, 0, 5,	  0, 0, 0, 0, 0, 0, 0,			       /* isb_ifdrop */
		7, 0, 8, 0, 6,	  0, 0, 0, 0, 0, 0, 0,			       /* isb_osdrop */
		8, 0, 8, 0, 7,	  0, 0, 0, 0, 0, 0, 0,			       /* isb_usrdeliv */
		0, 0, 0, 0, 100,  0, 0, 0,
	};

	(void)state;
	assert_block(br_pcapng_statistics(out, room, &figures), expected);
}

static void test_statistics_come_back(void **state)
{
	struct br_pcapng_statistics read;
	uint8_t block[256];
	size_t length = br_pcapng_statistics(block, sizeof(block), &figures);

	(void)state;
	assert_int_equal(br_pcapng_read_statistics(block, length, &read), 0);
	assert_int_equal(read.interface, figures.interface);
	assert_int_equal(read.time_ns, figures.time_ns);
	assert_int_equal(read.begin_ns, figures.begin_ns);
	assert_int_equal(read.received, figures.received);
	assert_int_equal(read.dropped, figures.dropped);
	assert_int_equal(read.os_dropped, figures.os_dropped);
	assert_int_equal(read.delivered, figures.delivered);
	for (size_t cut = 0; cut < 24; cut++)
		assert_int_equal(br_pcapng_read_statistics(block, cut, &read), -EBADMSG);
	block[22] = 0xff; /* an option that runs past the block */
	assert_int_equal(br_pcapng_read_statistics(block, length, &read), -EBADMSG);
}

/* Any bytes: no read behind the end, which the sanitizer would see. */
static void test_statistics_of_anything(void **state)
{
	struct br_pcapng_statistics read;

	(void)state;
	srand(7);
	for (int round = 0; round < 20000; round++) {
		size_t length = (size_t)rand() % 120;
		uint8_t *block = malloc(length ? length : 1);

		assert_non_null(block);
		for (size_t i = 0; i < length; i++)
			block[i] = (uint8_t)(rand() % 4 ? rand() % 12 : rand());
		br_pcapng_read_statistics(block, length, &read);
		free(block);
	}
}

/* The walk of a reader over a block: as the format says, option by option. */
static void check_options(const uint8_t *block, size_t length, size_t at)
{
	while (at + 4 < length) {
		uint16_t code = (uint16_t)(block[at] | block[at + 1] << 8);
		size_t size = (size_t)(block[at + 2] | block[at + 3] << 8);

		at += 4 + (size + 3) / 4 * 4;
		if (!code) {
			assert_int_equal(size, 0);
			assert_int_equal(at + 4, length);
			return;
		}
		assert_in_range(at, 0, length - 8);
	}
	fail_msg("no end of options");
}

/* Every length of link header, data and comment gives a block that its reader can walk. */
static void test_packet_of_every_length(void **state)
{
	static uint8_t data[1600], out[4096];
	char comment[64];
	uint32_t type;

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7 + 1);
	for (size_t length = 0; length < sizeof(data); length += length < 70 ? 1 : 97)
		for (size_t link = 0; link <= 22; link += link < 13 ? 1 : 3)
			for (size_t text = 0; text < 9; text++) {
				struct br_pcapng_packet packet = {
					.direction = BR_PCAPNG_INBOUND,
					.link = data + 1,
					.link_length = link,
					.data = data + 1 + link,
					.data_length = length > 30 ? length - 30 : length,
					.original = 1 << 20,
					.lost = text & 1,
					.comment = comment,
				};
				size_t whole = link + packet.data_length, padded, used;

				memset(comment, 'c', text);
				comment[text] = '\0';
				used = br_pcapng_packet(out, sizeof(out), &packet);
				assert_int_equal(br_pcapng_block(out, used, &type), used);
				assert_int_equal(type, BR_PCAPNG_PACKET);
				assert_memory_equal(out + used - 4, out + 4, 4);
				assert_memory_equal(out + 28, data + 1, whole);
				padded = (whole + 3) / 4 * 4;
				for (size_t i = whole; i < padded; i++)
					assert_int_equal(out[28 + i], 0);
				check_options(out, used, 28 + padded);
			}
}

static void test_long_text_is_cut(void **state)
{
	static char text[3 * BR_PCAPNG_TEXT];
	static uint8_t out[4 * BR_PCAPNG_TEXT];
	const struct br_pcapng_section section = {.comment = text};
	size_t length;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	length = br_pcapng_section(out, sizeof(out), &section);
	assert_int_equal(length, 24 + 4 + BR_PCAPNG_TEXT + 4 + 4);
	check_options(out, length, 24);
}

static void test_block_heads(void **state)
{
	static const struct {
		uint8_t bytes[8];
		size_t length;
		long result;
	} rows[] = {
		{{6, 0, 0, 0, 32, 0, 0, 0}, 8, 32},
		{{6, 0, 0, 0, 32, 0, 0, 0}, 7, 0},
		{{6, 0, 0, 0, 32, 0, 0, 0}, 0, 0},
		{{6, 0, 0, 0, 12, 0, 0, 0}, 8, 12},
		{{6, 0, 0, 0, 8, 0, 0, 0}, 8, -EBADMSG}, /* shorter than a block */
		{{6, 0, 0, 0, 0, 0, 0, 0}, 8, -EBADMSG},
		{{6, 0, 0, 0, 33, 0, 0, 0}, 8, -EBADMSG}, /* no multiple of 4 */
		{{0, 0, 0, 6, 0, 0, 0, 32}, 8, -EBADMSG}, /* big-endian */
		{{6, 0, 0, 0, 0, 0, 0, 1}, 8, 16777216},  /* as long as it may be */
		{{6, 0, 0, 0, 4, 0, 0, 1}, 8, -EBADMSG},
		{{'H', 'T', 'T', 'P', '/', '1', '.', '1'}, 8, -EBADMSG},
	};
	uint32_t type;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(br_pcapng_block(rows[i].bytes, rows[i].length, &type),
				 rows[i].result);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_section),
		cmocka_unit_test(test_interface),
		cmocka_unit_test(test_packet),
		cmocka_unit_test(test_packet_bare),
		cmocka_unit_test(test_statistics),
		cmocka_unit_test(test_statistics_come_back),
		cmocka_unit_test(test_statistics_of_anything),
		cmocka_unit_test(test_packet_of_every_length),
		cmocka_unit_test(test_long_text_is_cut),
		cmocka_unit_test(test_block_heads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
