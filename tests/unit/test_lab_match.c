// SPDX-License-Identifier: BSD-2-Clause
/* Captures: reading files, and finding each received packet among those that were sent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lab/capture.h"
#include "lab/match.h"
#include "lib/rtp.h"

#define SSRC 0x1234u

/* RTP with 20 bytes of payload that depend on @content; @flip changes one bit of it. */
static void add_rtp(struct br_capture *capture, uint64_t number, uint64_t time, bool flip)
{
	struct br_rtp rtp = {.ssrc = SSRC, .sequence = (uint16_t)number, .payload_type = 96};
	struct br_packet packet = {
		.time_ns = time, .length = 32, .ssrc = SSRC, .sequence = (uint16_t)number};
	uint8_t data[32];

	br_rtp_write(&rtp, data);
	for (size_t i = 12; i < sizeof(data); i++)
		data[i] = (uint8_t)(number * 7 + (number >> 16) + i);
	if (flip)
		data[20] ^= 1;
	assert_int_equal(br_capture_add(capture, &packet, data), 0);
}

/* SRTCP with its index before @tag_after bytes; plain RTCP when that is negative. */
static void add_rtcp(struct br_capture *capture, uint32_t index, int tag_after, uint8_t content)
{
	struct br_packet packet = {.time_ns = index, .length = 40, .ssrc = SSRC, .rtcp = true};
	uint8_t data[40] = {0x80, 200, 0, 6, 0, 0, 0x12, 0x34};

	for (size_t i = 8; i < sizeof(data); i++)
		data[i] = (uint8_t)(index * 97 + content + i * i);
	data[8] = (uint8_t)(index >> 8); /* no two alike */
	data[9] = (uint8_t)index;
	if (tag_after >= 0) {
		uint8_t *at = data + sizeof(data) - 4 - tag_after;

		at[0] = 0x80;
		at[1] = 0;
		at[2] = (uint8_t)(index >> 8);
		at[3] = (uint8_t)index;
	}
	assert_int_equal(br_capture_add(capture, &packet, data), 0);
}

struct fixture {
	struct br_capture sent, received;
	struct br_match match;
};

static const struct br_match_result *run(struct fixture *fixture, bool from_first, bool until_last)
{
	assert_int_equal(br_match_open(&fixture->match, &fixture->sent), 0);
	br_match_receiver(&fixture->match, &fixture->received, from_first, until_last);
	assert_true(fixture->match.count > 0);
	return &fixture->match.streams[0].result;
}

static void end(struct fixture *fixture)
{
	br_match_close(&fixture->match);
	br_capture_free(&fixture->received);
	br_capture_free(&fixture->sent);
}

static void all_is_well(void **state)
{
	struct fixture f = {0};
	const struct br_match_result *result;

	(void)state;
	for (uint64_t n = 65000; n < 66000; n++) {
		add_rtp(&f.sent, n, n, false);
		add_rtp(&f.received, n, n + 5, false);
	}
	result = run(&f, false, false);
	assert_int_equal(result->sent, 1000);
	assert_int_equal(result->received, 1000);
	assert_int_equal(result->lost + result->duplicates + result->reordered, 0);
	assert_int_equal(result->altered_packets + result->altered_bytes, 0);
	assert_int_equal(f.match.unknown, 0);
	assert_int_equal(f.match.streams[0].repeats, 0);
	end(&f);
}

static void each_fault_is_seen(void **state)
{
	struct fixture f = {0};
	const struct br_match_result *result;

	(void)state;
	for (uint64_t n = 100; n < 120; n++)
		add_rtp(&f.sent, n, n, false);
	add_rtp(&f.sent, 119, 119, false); /* the sender's own repetition: 2 copies are due */
	for (uint64_t n = 100; n < 120; n++)
		if (n != 103 && n != 110 && n != 119) /* 103 and 119 stay away, 110 comes later */
			add_rtp(&f.received, n, n, n == 105);
	add_rtp(&f.received, 110, 200, false);
	add_rtp(&f.received, 111, 200, false);	/* once more */
	add_rtp(&f.received, 9000, 200, false); /* never sent */
	result = run(&f, false, false);
	assert_int_equal(f.match.streams[0].repeats, 1);
	assert_int_equal(result->sent, 20);
	assert_int_equal(result->received, 18);
	assert_int_equal(result->lost, 2);
	assert_int_equal(result->duplicates, 1);
	assert_int_equal(result->reordered, 1);
	assert_int_equal(result->altered_packets, 1);
	assert_int_equal(result->altered_bytes, 1);
	assert_int_equal(f.match.unknown, 1);
	/* A second receiver begins anew. */
	br_capture_free(&f.received);
	for (uint64_t n = 100; n < 120; n++)
		add_rtp(&f.received, n, n, false);
	add_rtp(&f.received, 119, 119, false);
	br_match_receiver(&f.match, &f.received, false, false);
	assert_int_equal(result->received, 20);
	assert_int_equal(result->lost + result->duplicates + result->altered_bytes, 0);
	assert_int_equal(f.match.unknown, 0);
	end(&f);
}

static void joining_late_and_leaving_early(void **state)
{
	struct fixture f = {0};
	const struct br_match_result *result;

	(void)state;
	/* Three cycles of sequence numbers; the receiver is there in the third only. */
	for (uint64_t n = 50000; n < 50000 + 3 * 65536; n++)
		add_rtp(&f.sent, n, n, false);
	for (uint64_t n = 190000; n < 200000; n++)
		if (n != 195000)
			add_rtp(&f.received, n, n, false);
	result = run(&f, true, true);
	assert_int_equal(result->sent, 10000);
	assert_int_equal(result->received, 9999);
	assert_int_equal(result->lost, 1);
	assert_int_equal(result->altered_bytes, 0);
	br_match_receiver(&f.match, &f.received, true, false);
	assert_int_equal(result->sent, 50000 + 3 * 65536 - 190000);
	br_match_receiver(&f.match, &f.received, false, false);
	assert_int_equal(result->lost, 3 * 65536 - 9999);
	end(&f);
}

static void a_silent_receiver_has_lost_all(void **state)
{
	struct fixture f = {0};
	const struct br_match_result *result;

	(void)state;
	for (uint64_t n = 1; n <= 10; n++)
		add_rtp(&f.sent, n, n, false);
	result = run(&f, true, true);
	assert_int_equal(result->lost, 10);
	assert_int_equal(result->received, 0);
	end(&f);
}

/* With both places of the index, and without any. */
static void rtcp_is_matched(void **state)
{
	static const int places[] = {0, 10, -1};
	static const enum br_rtcp_number found[] = {BR_RTCP_LAST, BR_RTCP_BEFORE_TAG,
						    BR_RTCP_CONTENT};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct fixture f = {0};
		const struct br_match_result *result;

		for (uint32_t index = 1; index < 300; index++) {
			add_rtcp(&f.sent, index, places[i], 0);
			if (index != 7)
				add_rtcp(&f.received, index, places[i], index == 9);
		}
		result = run(&f, false, false);
		assert_int_equal(f.match.streams[0].rtcp_number, found[i]);
		assert_int_equal(result->sent, 299);
		/* Without a number an altered packet is one that nobody sent. */
		assert_int_equal(result->lost, places[i] < 0 ? 2 : 1);
		assert_int_equal(f.match.unknown, places[i] < 0 ? 1 : 0);
		assert_int_equal(result->altered_packets, places[i] < 0 ? 0 : 1);
		assert_int_equal(result->duplicates + result->reordered, 0);
		end(&f);
	}
}

/* An Ethernet frame with IPv4 and UDP around @payload. */
static size_t frame_of(uint8_t out[static 128], const uint8_t *payload, uint8_t length,
		       uint16_t from, uint16_t to)
{
	/* clang-format off */
	const uint8_t head[42] = {
		2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0,
		0x45, 0, 0, (uint8_t)(28 + length), 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
		(uint8_t)(from >> 8), (uint8_t)from, (uint8_t)(to >> 8), (uint8_t)to,
		0, (uint8_t)(8 + length), 0, 0,
	};
	/* clang-format on */

	memcpy(out, head, sizeof(head));
	memcpy(out + sizeof(head), payload, length);
	return sizeof(head) + length;
}

static void write_frame(pcap_dumper_t *dumper, uint16_t from, uint16_t to, uint8_t first,
			size_t cut)
{
	const uint8_t payload[16] = {first, 96, 0, 9, 0, 0, 0, 0, 0, 0, 0x12, 0x34, 1, 2, 3, 4};
	struct pcap_pkthdr header = {.ts = {1, 500}};
	uint8_t frame[128];

	header.len = (uint32_t)frame_of(frame, payload, sizeof(payload), from, to);
	header.caplen = header.len - (uint32_t)cut;
	pcap_dump((u_char *)dumper, &header, frame);
}

static void files_are_read(void **state)
{
	char path[] = "/tmp/br-test-match-XXXXXX";
	struct br_ssrcs ssrcs = {0};
	struct br_capture_filter filter = {.destination_port = 5000, .ssrcs = &ssrcs};
	struct br_capture capture;
	struct br_error error;
	pcap_t *dead =
		pcap_open_dead_with_tstamp_precision(DLT_EN10MB, 65535, PCAP_TSTAMP_PRECISION_NANO);
	int fd = mkstemp(path);
	pcap_dumper_t *dumper = pcap_dump_open(dead, path);

	(void)state;
	assert_true(fd >= 0 && dumper);
	write_frame(dumper, 4000, 5000, 0x80, 0);
	write_frame(dumper, 4000, 5001, 0x80, 0); /* other port */
	write_frame(dumper, 4000, 5000, 0x00, 0); /* STUN */
	write_frame(dumper, 4000, 5000, 0x80, 1); /* cut by the snap length */
	pcap_dump_close(dumper);
	assert_int_equal(br_capture_read(path, &filter, &capture, &error), 0);
	assert_int_equal(capture.frames, 4);
	assert_int_equal(capture.count, 1);
	assert_int_equal(capture.truncated, 1);
	assert_int_equal(capture.packets[0].time_ns, 1000000500);
	assert_int_equal(capture.packets[0].ssrc, SSRC);
	assert_int_equal(capture.packets[0].sequence, 9);
	assert_int_equal(capture.packets[0].length, 16);
	br_capture_free(&capture);
	ssrcs.count = 1; /* SSRC 0 only */
	assert_int_equal(br_capture_read(path, &filter, &capture, &error), 0);
	assert_int_equal(capture.count, 0);
	br_capture_free(&capture);
	/* Cut inside a record: what is missing is not loss. */
	assert_int_equal(truncate(path, 24 + 16 + 58 + 16 + 3), 0);
	assert_int_equal(br_capture_read(path, &filter, &capture, &error), -EBADMSG);
	assert_string_equal(error.field, path);
	br_capture_free(&capture);
	assert_int_equal(truncate(path, 3), 0);
	assert_int_equal(br_capture_read(path, &filter, &capture, &error), -EINVAL);
	br_capture_free(&capture);
	pcap_close(dead);
	close(fd);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_is_well),
		cmocka_unit_test(each_fault_is_seen),
		cmocka_unit_test(joining_late_and_leaving_early),
		cmocka_unit_test(a_silent_receiver_has_lost_all),
		cmocka_unit_test(rtcp_is_matched),
		cmocka_unit_test(files_are_read),
	};

	return cmocka_run_group_tests_name("lab_match", tests, NULL, NULL);
}
