// SPDX-License-Identifier: BSD-2-Clause
/* Headers made for a datagram: every field where it belongs, checksums by another sum. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <string.h>

#include "lib/datagram.h"

static uint8_t payload[1500];

/* RFC 1071 over bytes at any place of the sum. */
static uint32_t sum_of(uint32_t sum, const uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		sum += (uint32_t)bytes[i] << (i % 2 ? 0 : 8);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static void check_frame(const struct br_datagram *datagram, const uint8_t *frame, size_t headers)
{
	bool v4 = datagram->remote.addr.family == 4;
	const uint8_t *ip = frame + 14, *udp = ip + (v4 ? 20 : 40);
	size_t length = headers + datagram->length, addresses = v4 ? 8 : 32;
	uint8_t pseudo[4] = {0, 17, 0, 0};
	uint32_t sum;

	assert_int_equal(headers, br_datagram_ip_length(v4 ? 4 : 6, 0) + 14);
	if (v4) {
		assert_int_equal(sum_of(0, ip, 20), 0xffff);
		assert_int_equal(ip[2] << 8 | ip[3], length - 14);
		assert_int_equal(ip[1], datagram->tos);
		assert_int_equal(ip[6], datagram->dont_fragment ? 0x40 : 0);
		assert_int_equal(ip[8], datagram->ttl);
		assert_memory_equal(ip + 12, &datagram->remote.addr.words[3], 4);
		assert_memory_equal(ip + 16, &datagram->local.addr.words[3], 4);
	} else {
		assert_int_equal((ip[0] & 15) << 4 | ip[1] >> 4, datagram->tos);
		assert_int_equal(ip[4] << 8 | ip[5], length - 14 - 40);
		assert_int_equal(ip[7], datagram->ttl);
		assert_memory_equal(ip + 8, datagram->remote.addr.words, 16);
		assert_memory_equal(ip + 24, datagram->local.addr.words, 16);
	}
	assert_memory_equal(udp, &datagram->remote.port, 2);
	assert_memory_equal(udp + 2, &datagram->local.port, 2);
	assert_int_equal(udp[4] << 8 | udp[5], 8 + datagram->length);
	assert_int_not_equal(udp[6] << 8 | udp[7], 0);
	pseudo[2] = udp[4];
	pseudo[3] = udp[5];
	sum = sum_of(0, v4 ? ip + 12 : ip + 8, addresses);
	sum = sum_of(sum, pseudo, sizeof(pseudo));
	assert_int_equal(sum_of(sum, udp, 8 + datagram->length), 0xffff);
}

static void test_every_length(void **state)
{
	static const char *const ends[2][2] = {{"192.0.2.7:5004", "198.51.100.1:40000"},
					       {"[2001:db8::7]:5004", "[2001:db8:1::1]:40000"}};
	uint8_t frame[BR_DATAGRAM_HEADERS + sizeof(payload)];

	(void)state;
	for (size_t i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)(i * 31 + 5);
	for (int family = 0; family < 2; family++)
		for (size_t length = 0; length <= sizeof(payload); length++) {
			struct br_datagram datagram = {
				.payload = payload,
				.length = length,
				.ttl = (uint8_t)(length % 255 + 1),
				.tos = (uint8_t)length,
				.dont_fragment = length & 2,
			};
			size_t headers;

			assert_true(br_endpoint_parse(ends[family][0], &datagram.remote));
			assert_true(br_endpoint_parse(ends[family][1], &datagram.local));
			headers = br_datagram_headers(&datagram, frame);
			memcpy(frame + headers, payload, length);
			check_frame(&datagram, frame, headers);
		}
}

/* A sum that comes to zero is sent as 0xffff (RFC 768). */
static void test_checksum_is_never_zero(void **state)
{
	struct br_datagram datagram = {.payload = payload, .length = 2, .ttl = 9};
	uint8_t frame[BR_DATAGRAM_HEADERS + 2];
	unsigned int seen = 0;

	(void)state;
	assert_true(br_endpoint_parse("192.0.2.7:5004", &datagram.remote));
	assert_true(br_endpoint_parse("198.51.100.1:40000", &datagram.local));
	for (uint32_t value = 0; value <= 0xffff; value++) {
		payload[0] = (uint8_t)(value >> 8);
		payload[1] = (uint8_t)value;
		br_datagram_headers(&datagram, frame);
		assert_int_not_equal(frame[40] << 8 | frame[41], 0);
		seen += frame[40] == 0xff && frame[41] == 0xff;
	}
	assert_int_not_equal(seen, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_length),
		cmocka_unit_test(test_checksum_is_never_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
