// SPDX-License-Identifier: BSD-2-Clause
/* RTP and RTCP headers: every field, every truncation, every contradiction. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/rtp.h"

/* V=2 P X CC=2, M PT=96, two CSRCs, extension of two words, 4 bytes of payload, 3 of padding. */
static const uint8_t full[] = {
	0xb2, 0xe0, 0x12, 0x34, 0x01, 0x02, 0x03, 0x04, 0xde, 0xad, 0xbe, 0xef, /* header */
	0,    0,    0,	  1,	0,    0,    0,	  2,				/* CSRCs */
	0xbe, 0xde, 0,	  2,	1,    2,    3,	  4,	5,    6,    7,	  8,	/* extension */
	9,    9,    9,	  9,	0,    0,    3,
};

/* A copy of exactly this size, so that the sanitizer sees a read behind its end. */
static uint8_t *exact(const void *data, size_t length)
{
	uint8_t *copy = malloc(length ? length : 1);

	assert_non_null(copy);
	memcpy(copy, data, length);
	return copy;
}

static void reads_every_field(void **state)
{
	struct br_rtp rtp;
	size_t payload;

	(void)state;
	assert_int_equal(br_rtp_parse(full, sizeof(full), &rtp), 0);
	assert_int_equal(rtp.ssrc, 0xdeadbeef);
	assert_int_equal(rtp.timestamp, 0x01020304);
	assert_int_equal(rtp.sequence, 0x1234);
	assert_int_equal(rtp.payload_type, 96);
	assert_int_equal(rtp.csrcs, 2);
	assert_true(rtp.marker && rtp.padding && rtp.extension);
	assert_int_equal(rtp.extension_profile, 0xbede);
	assert_int_equal(rtp.extension_offset, 24);
	assert_int_equal(rtp.extension_length, 8);
	assert_int_equal(rtp.header_length, 32);
	assert_int_equal(br_rtp_payload_length(full, sizeof(full), &rtp, &payload), 0);
	assert_int_equal(payload, 4);
}

static void refuses_every_truncation(void **state)
{
	struct br_rtp rtp = {.ssrc = 77};

	(void)state;
	for (size_t length = 0; length < 32; length++) {
		uint8_t *copy = exact(full, length);

		assert_int_equal(br_rtp_parse(copy, length, &rtp), -EBADMSG);
		assert_int_equal(rtp.ssrc, 77);
		free(copy);
	}
	assert_int_equal(br_rtp_parse(full, 32, &rtp), 0);
}

static void refuses_other_versions(void **state)
{
	uint8_t packet[sizeof(full)];
	struct br_rtp rtp;

	(void)state;
	memcpy(packet, full, sizeof(full));
	for (int version = 0; version < 4; version++) {
		packet[0] = (uint8_t)(version << 6 | (full[0] & 0x3f));
		assert_int_equal(br_rtp_parse(packet, sizeof(packet), &rtp),
				 version == 2 ? 0 : -EBADMSG);
	}
}

static void refuses_wrong_padding(void **state)
{
	uint8_t packet[sizeof(full)];
	struct br_rtp rtp;
	size_t payload = 1234;

	(void)state;
	memcpy(packet, full, sizeof(full));
	assert_int_equal(br_rtp_parse(packet, sizeof(packet), &rtp), 0);
	packet[sizeof(packet) - 1] = 0;
	assert_int_equal(br_rtp_payload_length(packet, sizeof(packet), &rtp, &payload), -EBADMSG);
	packet[sizeof(packet) - 1] = 8; /* one more than header and padding leave */
	assert_int_equal(br_rtp_payload_length(packet, sizeof(packet), &rtp, &payload), -EBADMSG);
	assert_int_equal(br_rtp_payload_length(packet, rtp.header_length, &rtp, &payload),
			 -EBADMSG);
	assert_int_equal(payload, 1234);
	packet[sizeof(packet) - 1] = 7;
	assert_int_equal(br_rtp_payload_length(packet, sizeof(packet), &rtp, &payload), 0);
	assert_int_equal(payload, 0);
}

static void writes_what_it_reads(void **state)
{
	const struct br_rtp rtp = {.ssrc = 0xfedcba98,
				   .timestamp = 0x89abcdef,
				   .sequence = 0xfffe,
				   .payload_type = 111,
				   .marker = true};
	struct br_rtp back;
	uint8_t packet[12];

	(void)state;
	br_rtp_write(&rtp, packet);
	assert_int_equal(br_rtp_parse(packet, sizeof(packet), &back), 0);
	assert_int_equal(back.ssrc, rtp.ssrc);
	assert_int_equal(back.timestamp, rtp.timestamp);
	assert_int_equal(back.sequence, rtp.sequence);
	assert_int_equal(back.payload_type, rtp.payload_type);
	assert_true(back.marker && !back.padding && !back.extension && !back.csrcs);
	assert_int_equal(back.header_length, 12);
}

static void extends_to_the_nearest(void **state)
{
	(void)state;
	assert_int_equal(br_rtp_extend(5, 6), 6);
	assert_int_equal(br_rtp_extend(65535, 0), 65536);
	assert_int_equal(br_rtp_extend(65536, 65535), 65535);
	assert_int_equal(br_rtp_extend(0x2fff0, 5), 0x30005);
	assert_int_equal(br_rtp_extend(0x30005, 0xfff0), 0x2fff0);
	assert_int_equal(br_rtp_extend(0x30000, 0x7fff), 0x37fff);
	assert_int_equal(br_rtp_extend(0x30000, 0x8001), 0x28001);
	/* There is nothing before the first cycle. */
	assert_int_equal(br_rtp_extend(3, 65535), 65535);
}

/* SR of 28 bytes with one report block less than its count says: lengths only count. */
static const uint8_t report[32] = {0xa1, 200, 0, 6, 0x11, 0x22, 0x33, 0x44};

static void reads_rtcp(void **state)
{
	struct br_rtcp rtcp = {.ssrc = 77};

	(void)state;
	assert_int_equal(br_rtcp_parse(report, sizeof(report), &rtcp), 0);
	assert_int_equal(rtcp.ssrc, 0x11223344);
	assert_int_equal(rtcp.type, 200);
	assert_int_equal(rtcp.count, 1);
	assert_true(rtcp.padding);
	assert_int_equal(rtcp.length, 28);
	rtcp.ssrc = 77;
	for (size_t length = 0; length < 28; length++) {
		uint8_t *copy = exact(report, length);

		assert_int_equal(br_rtcp_parse(copy, length, &rtcp), -EBADMSG);
		assert_int_equal(rtcp.ssrc, 77);
		free(copy);
	}
}

static void refuses_what_is_not_rtcp(void **state)
{
	uint8_t packet[sizeof(report)];
	struct br_rtcp rtcp;

	(void)state;
	memcpy(packet, report, sizeof(report));
	for (int type = 0; type < 256; type++) {
		packet[1] = (uint8_t)type;
		assert_int_equal(br_rtcp_parse(packet, sizeof(packet), &rtcp),
				 type >= 192 && type <= 223 ? 0 : -EBADMSG);
	}
	packet[1] = 201;
	packet[3] = 0; /* one word: no SSRC */
	assert_int_equal(br_rtcp_parse(packet, sizeof(packet), &rtcp), -EBADMSG);
	packet[3] = 1;
	assert_int_equal(br_rtcp_parse(packet, sizeof(packet), &rtcp), 0);
	packet[0] = 0x41;
	assert_int_equal(br_rtcp_parse(packet, sizeof(packet), &rtcp), -EBADMSG);
}

static void finds_the_srtcp_index(void **state)
{
	uint8_t packet[26] = {0x80, 201, 0, 1};
	bool encrypted = false;
	uint32_t index = 0;

	(void)state;
	memcpy(packet + 12, (const uint8_t[]){0x80, 0, 1, 2}, 4); /* before a tag of 10 */
	memcpy(packet + 22, (const uint8_t[]){0x7f, 0, 3, 4}, 4); /* last */
	assert_int_equal(br_srtcp_index(packet, 26, 10, &index, &encrypted), 0);
	assert_int_equal(index, 0x102);
	assert_true(encrypted);
	assert_int_equal(br_srtcp_index(packet, 26, 0, &index, &encrypted), 0);
	assert_int_equal(index, 0x7f000304);
	assert_false(encrypted);
	assert_int_equal(br_srtcp_index(packet, 12, 0, &index, NULL), 0);
	for (size_t length = 0; length < 12; length++)
		assert_int_equal(br_srtcp_index(packet, length, 0, &index, NULL), -EBADMSG);
	for (size_t length = 0; length < 22; length++)
		assert_int_equal(br_srtcp_index(packet, length, 10, &index, NULL), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_every_field),
		cmocka_unit_test(refuses_every_truncation),
		cmocka_unit_test(refuses_other_versions),
		cmocka_unit_test(refuses_wrong_padding),
		cmocka_unit_test(writes_what_it_reads),
		cmocka_unit_test(extends_to_the_nearest),
		cmocka_unit_test(reads_rtcp),
		cmocka_unit_test(refuses_what_is_not_rtcp),
		cmocka_unit_test(finds_the_srtcp_index),
	};

	return cmocka_run_group_tests_name("rtp", tests, NULL, NULL);
}
