// SPDX-License-Identifier: BSD-2-Clause
/* What the lab counts with: the payload pattern, the tally of a stream, delays, keys as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/pattern.h"
#include "lib/srtp_key.h"
#include "lib/tally.h"

static const struct br_pattern sample = {
	.seed = 42, .sequence = 0x123456789abc, .sent_ns = 987654321012345, .ssrc = 0xcafe0001};

static size_t check(uint32_t ssrc, uint64_t seed, const uint8_t *data, size_t length,
		    struct br_pattern *out, bool *known)
{
	*out = (struct br_pattern){.seed = seed, .ssrc = ssrc};
	return br_pattern_check(out, data, length, known);
}

static void pattern_comes_back(void **state)
{
	uint8_t payload[1500];
	struct br_pattern read;
	bool known;

	(void)state;
	for (size_t length = BR_PATTERN_MIN; length <= sizeof(payload); length++) {
		br_pattern_write(&sample, payload, length);
		assert_int_equal(check(sample.ssrc, 42, payload, length, &read, &known), 0);
		assert_true(known);
		assert_true(read.sequence == sample.sequence && read.sent_ns == sample.sent_ns);
	}
}

static void pattern_sees_every_changed_bit(void **state)
{
	uint8_t payload[67];
	struct br_pattern read;
	bool known;

	(void)state;
	br_pattern_write(&sample, payload, sizeof(payload));
	for (size_t bit = 0; bit < sizeof(payload) * 8; bit++) {
		size_t altered;

		payload[bit / 8] ^= (uint8_t)(1 << bit % 8);
		altered = check(sample.ssrc, 42, payload, sizeof(payload), &read, &known);
		/* In the head nothing can be trusted any more; behind it one byte has changed. */
		assert_int_equal(altered, bit / 8 < BR_PATTERN_MIN ? sizeof(payload) : 1);
		assert_int_equal(known, bit / 8 >= BR_PATTERN_MIN);
		payload[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

static void pattern_sees_length_and_owner(void **state)
{
	uint8_t payload[100];
	struct br_pattern read;
	bool known;

	(void)state;
	memset(payload, 0, sizeof(payload));
	br_pattern_write(&sample, payload, 80);
	assert_int_equal(check(sample.ssrc, 42, payload, 75, &read, &known), 5);
	assert_int_equal(check(sample.ssrc, 42, payload, 90, &read, &known), 10);
	assert_int_equal(check(sample.ssrc, 43, payload, 80, &read, &known), 80);
	assert_int_equal(check(sample.ssrc + 1, 42, payload, 80, &read, &known), 80);
	assert_int_equal(check(sample.ssrc, 42, payload, 19, &read, &known), 19);
	assert_int_equal(check(sample.ssrc, 42, payload, 0, &read, &known), 1);
	assert_false(known);
}

static void tally_counts(void **state)
{
	static const struct {
		uint64_t sequence;
		enum br_tally_verdict verdict;
	} rows[] = {
		{65530, BR_TALLY_NEW},	     {65531, BR_TALLY_NEW},
		{65533, BR_TALLY_NEW},	     {65532, BR_TALLY_REORDERED},
		{65532, BR_TALLY_DUPLICATE}, {65533, BR_TALLY_DUPLICATE},
		{65529, BR_TALLY_REORDERED}, {65536, BR_TALLY_NEW},
		{65530, BR_TALLY_DUPLICATE},
	};
	struct br_tally tally = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(br_tally_add(&tally, rows[i].sequence), rows[i].verdict);
	assert_int_equal(tally.received, 9);
	assert_int_equal(tally.unique, 6);
	assert_int_equal(tally.duplicates, 3);
	assert_int_equal(tally.reordered, 2);
	assert_int_equal(tally.first, 65529);
	assert_int_equal(tally.highest, 65536);
	assert_int_equal(br_tally_lost(&tally), 2); /* 65534, 65535 */
}

static void tally_has_a_window(void **state)
{
	struct br_tally tally = {0};

	(void)state;
	assert_int_equal(br_tally_lost(&tally), 0);
	assert_int_equal(br_tally_add(&tally, 0), BR_TALLY_NEW);
	assert_int_equal(br_tally_add(&tally, BR_TALLY_WINDOW - 1), BR_TALLY_NEW);
	assert_int_equal(br_tally_add(&tally, 0), BR_TALLY_DUPLICATE);
	/* Takes over the bit of 0, which must not look like a duplicate. */
	assert_int_equal(br_tally_add(&tally, BR_TALLY_WINDOW), BR_TALLY_NEW);
	assert_int_equal(br_tally_add(&tally, 0), BR_TALLY_LATE);
	assert_int_equal(br_tally_add(&tally, 1), BR_TALLY_REORDERED);
	/* A jump over more than the window forgets all of it. */
	assert_int_equal(br_tally_add(&tally, BR_TALLY_WINDOW * 3), BR_TALLY_NEW);
	assert_int_equal(br_tally_add(&tally, BR_TALLY_WINDOW * 3 - 1), BR_TALLY_REORDERED);
	assert_int_equal(br_tally_add(&tally, BR_TALLY_WINDOW * 2 + 1), BR_TALLY_REORDERED);
	assert_int_equal(br_tally_add(&tally, BR_TALLY_WINDOW * 2), BR_TALLY_LATE);
	assert_int_equal(br_tally_lost(&tally), BR_TALLY_WINDOW * 3 + 1 - 7);
}

static void delays_are_near(void **state)
{
	struct br_delays delays = {0}, other = {0};
	uint64_t p50, p99;

	(void)state;
	assert_int_equal(br_delays_percentile(&delays, 500), 0);
	for (uint64_t us = 1; us <= 1000; us++)
		br_delays_add(&delays, us * 1000);
	p50 = br_delays_percentile(&delays, 500);
	p99 = br_delays_percentile(&delays, 990);
	assert_true(p50 >= 500000 && p50 <= 500000 * 1.032);
	assert_true(p99 >= 990000 && p99 <= 990000 * 1.032);
	assert_int_equal(br_delays_percentile(&delays, 1000), 1000000);
	/* Below 32 ns every delay has its own bucket. */
	br_delays_add(&other, 7);
	assert_int_equal(br_delays_percentile(&other, 500), 7);
	br_delays_add(&other, UINT64_MAX);
	assert_true(br_delays_percentile(&other, 1000) == UINT64_MAX);
	br_delays_merge(&delays, &other);
	assert_int_equal(delays.count, 1002);
	assert_true(delays.max_ns == UINT64_MAX);
	/* The second smallest is 1000; its bucket reaches from 992 to 1007. */
	assert_int_equal(br_delays_percentile(&delays, 1), 1007);
}

static void keys_come_back(void **state)
{
	uint8_t key[BR_SRTP_KEY_MAX], back[BR_SRTP_KEY_MAX];
	char text[BR_SRTP_KEY_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)(251 * i + 17);
	for (size_t length = 1; length <= sizeof(key); length++) {
		br_srtp_key_format(key, length, text);
		assert_int_equal(br_srtp_key_parse(text, back), length);
		assert_memory_equal(back, key, length);
	}
	/* RFC 4648 section 10 */
	assert_int_equal(br_srtp_key_parse("inline:Zm9vYmE=\n", back), 5);
	assert_memory_equal(back, "fooba", 5);
}

static void wrong_keys_are_refused(void **state)
{
	static const char *const wrong[] = {
		"",	"inline:", "Zm9",  "Zm9v\nYmFy", "Zm9v=", "Zm=v",
		"Z===", "====",	   "Zm9-", "Zm8=x",	 "Zh==",  "Zm9="};
	uint8_t key[BR_SRTP_KEY_MAX];
	char longest[69];

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(br_srtp_key_parse(wrong[i], key), -EBADMSG);
	memset(longest, 'A', sizeof(longest));
	longest[68] = '\0';
	assert_int_equal(br_srtp_key_parse(longest, key), -EMSGSIZE);
	longest[64] = '\0'; /* 48 bytes */
	assert_int_equal(br_srtp_key_parse(longest, key), -EMSGSIZE);
	assert_int_equal(br_srtp_suite_find("AEAD_AES_128_GCM"), BR_SRTP_AEAD_AES_128_GCM);
	assert_int_equal(br_srtp_suite_find("aead_aes_128_gcm"), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pattern_comes_back),
		cmocka_unit_test(pattern_sees_every_changed_bit),
		cmocka_unit_test(pattern_sees_length_and_owner),
		cmocka_unit_test(tally_counts),
		cmocka_unit_test(tally_has_a_window),
		cmocka_unit_test(delays_are_near),
		cmocka_unit_test(keys_come_back),
		cmocka_unit_test(wrong_keys_are_refused),
	};

	return cmocka_run_group_tests_name("lab_count", tests, NULL, NULL);
}
