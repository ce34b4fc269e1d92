// SPDX-License-Identifier: BSD-2-Clause
/*
 * Packets of a publisher go in one by one; each must come out as three copies, one for each
 * receiver, right in every byte. A kernel whose clones share their bytes would send three
 * copies to one receiver.
 */
#include "ctl/check/self_test_copies.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <blindrelay/wire.h>

#include "ctl/check/wire.h"
#include "lib/pattern.h"
#include "lib/rtp.h"
#include "plane/plane.h"

#define BR_TEST_PORT	   40000u
#define BR_TEST_HOPS	   64u
#define BR_TEST_SSRC	   0x62726c79u
#define BR_TEST_SEED	   0x626c696e64ull
#define BR_TEST_WAIT_MS	   2000
#define BR_TEST_TICK_MS	   100
#define BR_TEST_PUBLISHERS 2u /* one host by each family */

/* Bytes of RTP in a packet. */
static const uint16_t sizes[] = {172, 1200, 33, 1412};

struct br_copies {
	const struct br_self_test_net *net;
	struct br_plane *plane;
	struct br_self_test_result *result;
	uint32_t publishers[BR_TEST_PUBLISHERS]; /* legs */
	uint32_t receivers[BR_SELF_TEST_RECEIVERS];
	size_t receiver_count;
	int receiver_family[BR_SELF_TEST_RECEIVERS];
	uint64_t sequence; /* of the next packet */
	uint8_t payload[BR_WIRE_FRAME_MAX];
	size_t length;
};

static int64_t br_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ll + now.tv_nsec / 1000000;
}

static int br_fail(struct br_copies *test, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int br_fail(struct br_copies *test, int code, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	vsnprintf(test->result->detail, sizeof(test->result->detail), format, list);
	va_end(list);
	return code;
}

static struct br_endpoint br_host(unsigned int host, int family, uint16_t port)
{
	struct br_endpoint endpoint = {.port = htons(port)};

	br_addr_parse(br_self_test_host_address(host, family), &endpoint.addr);
	return endpoint;
}

static struct br_endpoint br_publisher(int family)
{
	return br_host(1, family, 5004);
}

static struct br_endpoint br_receiver(const struct br_copies *test, unsigned int index)
{
	return br_host(2 + index, test->receiver_family[index], (uint16_t)(6001 + index));
}

/* --- legs --- */

static int br_add_leg(struct br_copies *test, struct br_endpoint remote, bool publish,
		      uint32_t *leg)
{
	struct br_leg_spec spec = {
		.remote = remote, .publish = publish, .ssrc_limit = publish ? 1 : 0};
	struct br_error error = {0};
	int rc = br_plane_leg_add(test->plane, &spec, leg, &error);

	return rc ? br_fail(test, rc, "cannot add a leg: %.200s", error.detail) : 0;
}

static int br_add_legs(struct br_copies *test)
{
	struct br_error error = {0};
	unsigned int publishers = test->net->ipv6 ? BR_TEST_PUBLISHERS : 1;
	int rc = 0;

	for (unsigned int i = 0; i < test->receiver_count && !rc; i++)
		rc = br_add_leg(test, br_receiver(test, i), false, &test->receivers[i]);
	for (unsigned int i = 0; i < publishers && !rc; i++) {
		rc = br_add_leg(test, br_publisher(i ? 6 : 4), true, &test->publishers[i]);
		if (!rc && br_plane_leg_route(test->plane, test->publishers[i], test->receivers,
					      test->receiver_count, &error))
			rc = br_fail(test, error.code, "cannot set a route: %.200s", error.detail);
	}
	return rc;
}

static bool br_all_ready(const struct br_copies *test)
{
	struct br_leg_info info;

	for (size_t i = 0; i < test->receiver_count; i++)
		if (br_plane_leg_info(test->plane, test->receivers[i], &info) ||
		    info.reach != BR_REACH_READY)
			return false;
	return true;
}

/* The link has just come up: the plane hears of that by rtnetlink. */
static int br_wait_ready(struct br_copies *test)
{
	int64_t end = br_now_ms() + BR_TEST_WAIT_MS;
	int fds[BR_PLANE_FDS];
	size_t count = br_plane_fds(test->plane, fds);

	while (!br_all_ready(test)) {
		struct pollfd polls[BR_PLANE_FDS];

		if (br_now_ms() >= end)
			return br_fail(test, -ETIMEDOUT, "next hops do not become ready");
		for (size_t i = 0; i < count; i++)
			polls[i] = (struct pollfd){.fd = fds[i], .events = POLLIN};
		poll(polls, (nfds_t)count, BR_TEST_TICK_MS);
		for (size_t i = 0; i < count; i++)
			if (polls[i].revents)
				br_plane_dispatch(test->plane, fds[i]);
		br_plane_tick(test->plane);
	}
	return 0;
}

/* --- packets --- */

static int br_send(struct br_copies *test, int family)
{
	struct br_rtp rtp = {
		.ssrc = BR_TEST_SSRC,
		.sequence = (uint16_t)test->sequence,
		.timestamp = (uint32_t)test->sequence * 960,
		.payload_type = 96,
	};
	struct br_pattern pattern = {
		.seed = BR_TEST_SEED, .sequence = test->sequence, .ssrc = BR_TEST_SSRC};
	struct br_wire wire = {
		.source = br_publisher(family),
		.destination = br_host(0, family, BR_TEST_PORT),
		.hops = BR_TEST_HOPS,
	};
	uint8_t frame[BR_WIRE_FRAME_MAX];
	size_t bytes;

	test->length = sizes[test->sequence % (sizeof(sizes) / sizeof(*sizes))];
	br_rtp_write(&rtp, test->payload);
	br_pattern_write(&pattern, test->payload + BR_RTP_HEADER, test->length - BR_RTP_HEADER);
	memcpy(wire.destination_mac, test->net->relay_mac, sizeof(wire.destination_mac));
	br_self_test_host_mac(1, wire.source_mac);
	bytes = br_wire_build(&wire, test->payload, test->length, frame);
	if (send(test->net->wire, frame, bytes, 0) != (ssize_t)bytes)
		return br_fail(test, -errno, "cannot send a packet: %s", strerror(errno));
	test->result->packets++;
	test->sequence++;
	return 0;
}

/* What the copy for a receiver should say. */
static struct br_wire br_expected(const struct br_copies *test, unsigned int index)
{
	struct br_wire wire = {
		.source = br_host(0, test->receiver_family[index], BR_TEST_PORT),
		.destination = br_receiver(test, index),
		.hops = BR_TEST_HOPS - 1,
	};

	br_self_test_host_mac(2 + index, wire.destination_mac);
	memcpy(wire.source_mac, test->net->relay_mac, sizeof(wire.source_mac));
	return wire;
}

/* Whose copy is it? Judged by its MAC address first, so that a fault can be named. */
static int br_judge_copy(struct br_copies *test, const uint8_t *frame, size_t length,
			 unsigned int *seen)
{
	char why[BR_CHECK_TEXT];

	for (unsigned int i = 0; i < test->receiver_count; i++) {
		struct br_wire wire = br_expected(test, i);

		if (memcmp(frame, wire.destination_mac, sizeof(wire.destination_mac)) != 0)
			continue;
		if (!br_wire_verify(&wire, test->payload, test->length, frame, length, why))
			return br_fail(test, -EBADMSG, "copy %u of 3 for receiver %u: %.180s",
				       (unsigned int)__builtin_popcount(*seen) + 1, i + 1, why);
		if (*seen & 1u << i)
			return br_fail(test, -EBADMSG,
				       "receiver %u got two copies of one packet, as when "
				       "copies share their bytes",
				       i + 1);
		*seen |= 1u << i;
		test->result->copies++;
		return 0;
	}
	return br_fail(test, -EBADMSG, "a copy goes to a MAC address that is no receiver's");
}

/* Await a copy for every receiver; what is no UDP is the stack's own talk. */
static int br_collect(struct br_copies *test)
{
	unsigned int all = (1u << test->receiver_count) - 1, seen = 0;
	int64_t end = br_now_ms() + BR_TEST_WAIT_MS;

	while (seen != all) {
		struct pollfd wire = {.fd = test->net->wire, .events = POLLIN};
		uint8_t frame[BR_WIRE_FRAME_MAX];
		int64_t left = end - br_now_ms();
		ssize_t length;
		int rc;

		if (left <= 0)
			return br_fail(test, -ETIMEDOUT, "packet %u: %d of %zu copies came out",
				       test->result->packets, __builtin_popcount(seen),
				       test->receiver_count);
		if (poll(&wire, 1, (int)left) <= 0)
			continue;
		length = recv(test->net->wire, frame, sizeof(frame), 0);
		if (length <= 0 || !br_wire_is_udp(frame, (size_t)length))
			continue;
		rc = br_judge_copy(test, frame, (size_t)length, &seen);
		if (rc)
			return rc;
	}
	return 0;
}

/* Did the kernel count what we saw, and nothing else? */
static int br_compare_counters(struct br_copies *test, uint32_t packets, uint32_t copies)
{
	struct br_counter counters[BR_REASON_COUNT];

	br_plane_counters(test->plane, counters);
	for (int reason = 0; reason < BR_REASON_COUNT; reason++)
		if (br_reason_verdict((enum br_reason)reason) == BR_VERDICT_DROP &&
		    counters[reason].packets)
			return br_fail(test, -EBADMSG, "%llu packets or copies were dropped: %s",
				       (unsigned long long)counters[reason].packets,
				       br_reason_name((enum br_reason)reason));
	if (counters[BR_FORWARDED].packets != packets || counters[BR_COPIED].packets != copies)
		return br_fail(test, -EBADMSG,
			       "the relay counts %llu packets and %llu copies instead of %u and %u",
			       (unsigned long long)counters[BR_FORWARDED].packets,
			       (unsigned long long)counters[BR_COPIED].packets, packets, copies);
	return 0;
}

/* @chunk: below the number of receivers, copies go through the loop as in large rooms. */
static int br_test_chunk(struct br_copies *test, bool native, uint32_t chunk)
{
	struct br_plane_options options = {
		.interfaces = {BR_SELF_TEST_RELAY},
		.interface_count = 1,
		.mode = native ? BR_XDP_NATIVE : BR_XDP_GENERIC,
		.media_port = BR_TEST_PORT,
		.max_legs = 16,
		.max_streams = 16,
		.max_edges = 64,
		.chunk = chunk,
	};
	uint32_t packets = test->result->packets, copies = test->result->copies;
	struct br_error error = {0};
	int rc = br_plane_open(&options, &test->plane, &error);

	if (rc)
		return br_fail(test, rc, "%.230s", error.detail);
	rc = br_add_legs(test);
	if (!rc)
		rc = br_wait_ready(test);
	for (int i = 0; i < 16 && !rc; i++) {
		rc = br_send(test, test->net->ipv6 && i & 1 ? 6 : 4);
		if (!rc)
			rc = br_collect(test);
	}
	if (!rc)
		rc = br_compare_counters(test, test->result->packets - packets,
					 test->result->copies - copies);
	br_plane_close(test->plane);
	test->plane = NULL;
	return rc;
}

void br_self_test_copies(const struct br_self_test_net *net, bool native,
			 struct br_self_test_result *result)
{
	struct br_copies test = {
		.net = net,
		.result = result,
		.receiver_count = BR_SELF_TEST_RECEIVERS,
		.receiver_family = {4, 4, net->ipv6 ? 6 : 4},
	};
	int rc;

	result->ran = true;
	result->ipv6 = net->ipv6;
	rc = br_test_chunk(&test, native, BR_CHUNK_MAX);
	if (!rc)
		rc = br_test_chunk(&test, native, BR_SELF_TEST_RECEIVERS - 1);
	result->right = !rc;
}
