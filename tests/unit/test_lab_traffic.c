// SPDX-License-Identifier: BSD-2-Clause
/* Source to receiver over loopback sockets, and packets that went wrong on the way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "blindrelay/wire.h"
#include "lab/receiver.h"
#include "lab/seal.h"
#include "lab/sender.h"
#include "lib/pattern.h"
#include "lib/rtp.h"

/* Plain RTP and both suites. */
static const struct br_seal seals[] = {
	{.suite = NULL},
	{.id = BR_SRTP_AEAD_AES_128_GCM, .key = "0123456789abcdefghijklmnopqr"},
	{.id = BR_SRTP_AES_CM_128_HMAC_SHA1_80, .key = "0123456789abcdefghijklmnopqrst"},
};

static struct br_seal seal_get(size_t i)
{
	struct br_seal seal = seals[i];

	if (i)
		seal.suite = br_srtp_suite_get(seal.id);
	return seal;
}

static void open_receiver(struct br_receiver *receiver, const struct br_receiver_rules *rules,
			  const char *address, struct br_endpoint *bound)
{
	struct sockaddr_storage name;
	socklen_t length = sizeof(name);
	struct br_error error = {0};

	memset(receiver, 0, sizeof(*receiver));
	receiver->fd = -1;
	memset(bound, 0, sizeof(*bound));
	assert_true(br_addr_parse(address, &bound->addr));
	assert_int_equal(br_receiver_open(receiver, rules, bound, 1 << 20, &error), 0);
	assert_int_equal(getsockname(receiver->fd, (struct sockaddr *)&name, &length), 0);
	assert_true(br_endpoint_from_sockaddr(&name, bound));
}

/* Everything that waits: loopback delivers before send returns. */
static void drain(struct br_receiver *receiver, const struct br_receiver_rules *rules)
{
	uint8_t packet[2048] __attribute__((aligned(8)));
	struct sockaddr_storage from;
	ssize_t got;

	for (;;) {
		socklen_t length = sizeof(from);

		got = recvfrom(receiver->fd, packet, sizeof(packet), MSG_DONTWAIT,
			       (struct sockaddr *)&from, &length);
		if (got < 0)
			break;
		assert_int_equal(br_receiver_packet(receiver, rules, packet, (size_t)got, &from,
						    br_now_ns()),
				 0);
	}
	assert_int_equal(errno, EAGAIN);
}

static void expect_clean(const struct br_receiver *receiver)
{
	struct br_receiver_sums sums = br_receiver_sum(receiver);

	assert_int_equal(sums.lost + sums.duplicates + sums.reordered + sums.late, 0);
	assert_int_equal(receiver->auth_failures, 0);
	assert_int_equal(receiver->altered_packets, 0);
	assert_int_equal(receiver->altered_bytes, 0);
	assert_int_equal(receiver->unexpected_ssrc, 0);
	assert_int_equal(receiver->not_rtp, 0);
}

static void all_that_is_sent_arrives(void **state)
{
	static const char *const addresses[] = {"127.0.0.1", "::1"};

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		struct br_seal seal = seal_get(i / 2);
		struct br_receiver_rules rules = {.seal = &seal, .seed = 5};
		struct br_sender_options options = {
			.publishers = 3,
			.ssrc = 0xfffffff0,
			.burst = 4,
			.sizes = {2, {1200, 99}},
			.count = 50,
			.start_sequence = 65520,
			.seed = 5,
			.payload_type = 96,
			.rtcp_ms = 60000,
			.one_port = i % 2,
		};
		struct br_error error = {0};
		struct br_receiver receiver;
		struct br_sender sender;

		open_receiver(&receiver, &rules, addresses[i % 2], &options.to);
		assert_int_equal(br_sender_open(&sender, &options, &seal, &error), 0);
		assert_int_equal(br_sender_run(&sender, &error), 0);
		drain(&receiver, &rules);
		assert_int_equal(sender.sent, 153);
		assert_int_equal(sender.returned, 0);
		assert_int_equal(receiver.unique, 150);
		assert_int_equal(receiver.bytes, 75 * (1200 + 99));
		assert_int_equal(receiver.rtcp, 3);
		assert_int_equal(receiver.stream_count, 3);
		assert_int_equal(receiver.delays.count, 150);
		expect_clean(&receiver);
		br_sender_close(&sender);
		br_receiver_close(&receiver);
	}
}

/* A receiver without network, and packets that are made, changed and given to it. */
struct bench {
	struct br_seal seal;
	struct br_receiver_rules rules;
	struct br_receiver receiver;
	srtp_t out;
};

static void bench_open(struct bench *bench, size_t suite)
{
	memset(bench, 0, sizeof(*bench));
	bench->seal = seal_get(suite);
	bench->rules = (struct br_receiver_rules){.seal = &bench->seal, .seed = 9};
	bench->receiver.fd = -1;
	assert_int_equal(br_seal_open(&bench->seal, true, 128, &bench->out), 0);
	assert_int_equal(
		br_seal_open(&bench->seal, false, BR_TALLY_WINDOW, &bench->receiver.session), 0);
}

static void bench_close(struct bench *bench)
{
	if (bench->out)
		srtp_dealloc(bench->out);
	br_receiver_close(&bench->receiver);
}

/* Make packet @number; byte @before is changed before sealing, @after behind it (-1: none). */
static size_t make(struct bench *bench, uint8_t packet[static 256], uint64_t number, int before,
		   int after)
{
	struct br_rtp rtp = {.ssrc = 77, .sequence = (uint16_t)number, .payload_type = 96};
	struct br_pattern pattern = {
		.seed = 9, .ssrc = 77, .sequence = number, .sent_ns = br_now_ns()};
	int length = 112;

	br_rtp_write(&rtp, packet);
	br_pattern_write(&pattern, packet + BR_RTP_HEADER, 100);
	if (before >= 0)
		packet[before] ^= 0x10;
	if (bench->out)
		assert_int_equal(srtp_protect(bench->out, packet, &length), 0);
	if (after >= 0)
		packet[after] ^= 0x10;
	return (size_t)length;
}

static void give(struct bench *bench, const uint8_t *packet, size_t length)
{
	uint8_t copy[256] __attribute__((aligned(8)));
	const struct sockaddr_storage from = {.ss_family = AF_INET};

	memcpy(copy, packet, length);
	assert_int_equal(br_receiver_packet(&bench->receiver, &bench->rules, copy, length, &from,
					    br_now_ns()),
			 0);
}

/* What a key holder changed passes authentication; only the pattern shows it. */
static void altered_before_sealing(void **state)
{
	(void)state;
	for (size_t suite = 0; suite < 3; suite++) {
		struct bench bench;
		uint8_t packet[256] __attribute__((aligned(8)));

		bench_open(&bench, suite);
		give(&bench, packet, make(&bench, packet, 1, -1, -1));
		expect_clean(&bench.receiver);
		give(&bench, packet, make(&bench, packet, 2, 60, -1));
		assert_int_equal(bench.receiver.unique, 2);
		assert_int_equal(bench.receiver.auth_failures, 0);
		assert_int_equal(bench.receiver.altered_packets, 1);
		assert_int_equal(bench.receiver.altered_bytes, 1);
		/* The head of the payload: nothing of it can be trusted, all 100 bytes count. */
		give(&bench, packet, make(&bench, packet, 3, 12 + 5, -1));
		assert_int_equal(bench.receiver.altered_packets, 2);
		assert_int_equal(bench.receiver.altered_bytes, 101);
		bench_close(&bench);
	}
}

/* What anybody else changes fails authentication; in plain RTP the pattern shows it. */
static void altered_after_sealing(void **state)
{
	(void)state;
	for (size_t suite = 0; suite < 3; suite++) {
		struct bench bench;
		uint8_t packet[256] __attribute__((aligned(8)));

		bench_open(&bench, suite);
		give(&bench, packet, make(&bench, packet, 1, -1, -1));
		give(&bench, packet, make(&bench, packet, 2, -1, 60));
		assert_int_equal(bench.receiver.auth_failures, suite ? 1 : 0);
		assert_int_equal(bench.receiver.altered_bytes, suite ? 0 : 1);
		/* Payload type: in clear, but authenticated. The pattern does not cover it. */
		give(&bench, packet, make(&bench, packet, 3, -1, 1));
		assert_int_equal(bench.receiver.auth_failures, suite ? 2 : 0);
		assert_int_equal(bench.receiver.unique, suite ? 1 : 3);
		bench_close(&bench);
	}
}

static void lost_duplicate_reordered(void **state)
{
	(void)state;
	for (size_t suite = 0; suite < 3; suite++) {
		struct bench bench;
		uint8_t packets[10][256] __attribute__((aligned(8)));
		size_t length = 0;
		static const int order[] = {0, 1, 3, 2, 3, 3, 7, 9};
		struct br_receiver_sums sums;

		bench_open(&bench, suite);
		for (int i = 0; i < 10; i++)
			length = make(&bench, packets[i], 65533 + (uint64_t)i, -1, -1);
		for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
			give(&bench, packets[order[i]], length);
		sums = br_receiver_sum(&bench.receiver);
		assert_int_equal(bench.receiver.unique, 6);
		assert_int_equal(sums.lost, 4);
		assert_int_equal(sums.duplicates, 2);
		assert_int_equal(sums.reordered, 1);
		assert_int_equal(bench.receiver.altered_packets, 0);
		bench_close(&bench);
	}
}

static void strangers_are_counted(void **state)
{
	uint8_t packet[256] __attribute__((aligned(8)));
	struct bench bench;
	size_t length;

	(void)state;
	bench_open(&bench, 1);
	length = make(&bench, packet, 1, -1, -1);
	bench.rules.ssrcs.count = 1;
	bench.rules.ssrcs.ranges[0].first = 78;
	bench.rules.ssrcs.ranges[0].last = 80;
	give(&bench, packet, length);
	assert_int_equal(bench.receiver.unexpected_ssrc, 1);
	bench.rules.ssrcs.ranges[0].first = 77;
	assert_true(br_endpoint_parse("127.0.0.1:9", &bench.rules.from));
	give(&bench, packet, length);
	assert_int_equal(bench.receiver.unexpected_source, 1);
	bench.rules.from.addr.family = 0;
	give(&bench, (const uint8_t *)"\x16hello", 6);
	give(&bench, packet, 1);
	give(&bench, packet, 0);
	give(&bench, packet, 11);
	assert_int_equal(bench.receiver.not_rtp, 4);
	assert_int_equal(bench.receiver.unique, 0);
	give(&bench, packet, length);
	assert_int_equal(bench.receiver.unique, 1);
	/* Every truncation of a sealed packet fails. */
	length = make(&bench, packet, 2, -1, -1);
	for (size_t cut = 12; cut < length; cut++)
		give(&bench, packet, cut);
	assert_int_equal(bench.receiver.auth_failures, length - 12);
	assert_int_equal(bench.receiver.unique, 1);
	bench_close(&bench);
}

static void write_key(const char *path, const char *text, mode_t mode)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static void key_files_are_checked(void **state)
{
	static const char gcm[] = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGw==\n";
	static const struct {
		const char *text;
		mode_t mode;
		const char *suite;
		int err;
		const char *field;
	} rows[] = {
		{gcm, 0600, NULL, 0, ""},
		{gcm, 0400, "AEAD_AES_128_GCM", 0, ""},
		{gcm, 0640, NULL, -EPERM, "--key-file"},
		{gcm, 0604, NULL, -EPERM, "--key-file"},
		{gcm, 0600, "AES_CM_128_HMAC_SHA1_80", -EINVAL, "--key-file"},
		{gcm, 0600, "AES", -EINVAL, "--suite"},
		{gcm, 0600, "none", -EINVAL, "--key-file"},
		{"AAAA\n", 0600, NULL, -EINVAL, "--key-file"},
		{"no key\n", 0600, NULL, -EBADMSG, "--key-file"},
		{"", 0600, NULL, -EBADMSG, "--key-file"},
	};
	static const uint8_t wiped[BR_SRTP_KEY_MAX];
	char path[] = "/tmp/br-test-key-XXXXXX";
	struct br_seal seal;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct br_seal_flags flags = {
			.suite = rows[i].suite, .key_file = path, .key_fd = BR_SEAL_NO_FD};
		struct br_error error = {0};

		write_key(path, rows[i].text, rows[i].mode);
		assert_int_equal(br_seal_load(&seal, &flags, &error), rows[i].err);
		assert_string_equal(error.field, rows[i].field);
		/* No message may quote the key. */
		assert_null(strstr(error.detail, "AAECAw"));
		if (rows[i].err)
			assert_memory_equal(seal.key, wiped, sizeof(wiped));
		else
			assert_int_equal(seal.id, BR_SRTP_AEAD_AES_128_GCM);
	}
	unlink(path);
}

static int start(void **state)
{
	(void)state;
	return srtp_init() == srtp_err_status_ok ? 0 : -1;
}

static int stop(void **state)
{
	(void)state;
	return srtp_shutdown() == srtp_err_status_ok ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_that_is_sent_arrives),
		cmocka_unit_test(altered_before_sealing),
		cmocka_unit_test(altered_after_sealing),
		cmocka_unit_test(lost_duplicate_reordered),
		cmocka_unit_test(strangers_are_counted),
		cmocka_unit_test(key_files_are_checked),
	};

	return cmocka_run_group_tests_name("lab_traffic", tests, start, stop);
}
