// SPDX-License-Identifier: BSD-2-Clause
/*
 * The daemon decides on a packet as the kernel does: each datagram goes through `relay` under
 * BPF_PROG_TEST_RUN and through br_plane_slow_admit, on the same tables of a real plane on lo.
 * Both must find the same reason, and count it for the same leg.
 */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <cmocka.h>
#include <net/if.h>

#include "packet.h"
#include "plane/plane_private.h"
#include "relay.skel.h"
#include "world.h"

#define PORT	    40000u
#define SENDER_PORT 5000u
#define ROUNDS	    4000u

/* Who sends: one leg of each kind, and two that are none. */
enum sender {
	LEARNS,	 /* publishes, at most two SSRCs that nobody listed */
	FIXED,	 /* publishes SSRC 7 only */
	LISTENS, /* receives, sends feedback */
	EXPIRED, /* its life is over */
	ALONE,	 /* publishes, nobody receives */
	SIX,	 /* publishes, over IPv6 */
	LEGS,
	STRANGER = LEGS, /* an address of no leg, to one of a leg */
	ELSEWHERE,	 /* to an address of ours that no leg has */
	SENDERS,
};

static const char *const addresses[SENDERS] = {
	[LEARNS] = "127.0.0.2",	  [FIXED] = "127.0.0.3",     [LISTENS] = "127.0.0.4",
	[EXPIRED] = "127.0.0.5",  [ALONE] = "127.0.0.6",     [SIX] = "::1",
	[STRANGER] = "127.0.0.7", [ELSEWHERE] = "127.0.0.7",
};

static struct br_plane *plane;
static uint32_t legs[LEGS];
static struct br_endpoint locals[SENDERS];

static void lo_up(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	assert_true(fd >= 0);
	assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &request), 0);
	close(fd);
}

static void add_leg(enum sender sender, bool publish, bool fixed)
{
	struct br_leg_spec spec = {
		.remote = {.port = htons(SENDER_PORT)},
		.publish = publish,
		.fixed_ssrcs = fixed,
		.ssrc_limit = 2,
	};
	struct br_error error = {0};
	struct br_leg_info info;

	assert_true(br_addr_parse(addresses[sender], &spec.remote.addr));
	if (br_plane_leg_add(plane, &spec, &legs[sender], &error))
		fail_msg("%s: %s", addresses[sender], error.detail);
	assert_int_equal(br_plane_leg_info(plane, legs[sender], &info), 0);
	locals[sender] = info.local;
}

static int setup(void **state)
{
	struct br_plane_options options = {
		.interfaces = {"lo"},
		.interface_count = 1,
		.mode = BR_XDP_GENERIC,
		.media_port = PORT,
		.max_legs = 64,
		.max_streams = 64,
		.max_edges = 256,
		.chunk = 64,
	};
	struct br_error error = {0};

	(void)state;
	world_need_bpf();
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	lo_up();
	if (br_plane_open(&options, &plane, &error))
		fail_msg("%s", error.detail);
	for (enum sender sender = 0; sender < LEGS; sender++)
		add_leg(sender, sender != LISTENS, sender == FIXED);
	locals[STRANGER] = locals[LEARNS];
	locals[ELSEWHERE] = locals[LEARNS];
	assert_true(br_addr_parse("127.99.0.1", &locals[ELSEWHERE].addr));
	assert_int_equal(br_plane_stream_add(plane, legs[FIXED], htonl(7), &error), 0);
	for (enum sender sender = 0; sender < LEGS; sender++)
		if (sender != ALONE)
			assert_int_equal(
				br_plane_leg_route(plane, legs[sender],
						   &legs[sender == LISTENS ? LEARNS : LISTENS], 1,
						   &error),
				0);
	plane->leg_table[legs[EXPIRED]].expires_ns = 1;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	br_plane_close(plane);
	return 0;
}

/* A datagram of one sender, for both. */
struct sample {
	enum sender sender;
	uint8_t payload[64];
	size_t length;
	uint8_t ttl;
};

/* Reason by the counters of the kernel; -1: none. A copy that was turned round is not the verdict.
 */
static int counted(const struct br_counter *before, const struct br_counter *after)
{
	for (int reason = 0; reason < BR_REASON_COUNT; reason++)
		if (reason != BR_COPIED && after[reason].packets != before[reason].packets)
			return reason;
	return -1;
}

static int by_kernel(const struct sample *sample)
{
	struct br_counter before[BR_REASON_COUNT], after[BR_REASON_COUNT];
	uint8_t frame[PACKET_MAX], out[PACKET_MAX + 64];
	struct br_addr from;
	struct packet packet = {
		.source_port = SENDER_PORT,
		.destination_port = PORT,
		.ttl = sample->ttl,
		.payload = sample->payload,
		.payload_length = sample->length,
	};
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame, .data_out = out,
		    .data_size_out = sizeof(out));

	assert_true(br_addr_parse(addresses[sample->sender], &from));
	packet.family = from.family;
	memcpy(packet.source, from.words, sizeof(packet.source));
	memcpy(packet.destination, locals[sample->sender].addr.words, sizeof(packet.destination));
	run.data_size_in = (__u32)packet_build(&packet, frame);
	br_plane_counters(plane, before);
	assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(plane->bpf->progs.relay), &run), 0);
	br_plane_counters(plane, after);
	return counted(before, after);
}

static int by_daemon(const struct sample *sample, struct br_slow_route *route)
{
	struct br_datagram datagram = {
		.remote = {.port = htons(SENDER_PORT)},
		.local = locals[sample->sender],
		.payload = sample->payload,
		.length = sample->length,
		.ttl = sample->ttl,
	};

	assert_true(br_addr_parse(addresses[sample->sender], &datagram.remote.addr));
	return br_plane_slow_admit(plane, &datagram, route);
}

/* The daemon's counters of the sender's leg have moved by one, in the right place. */
static void check_counters(const struct sample *sample, int reason,
			   const struct br_leg_counters *before)
{
	const struct br_leg_counters *after = &plane->slow_legs[legs[sample->sender]];
	bool inspected = reason != BR_BAD_CLASS && reason != BR_BAD_RTP && reason != BR_BAD_RTCP &&
			 reason != BR_STUN && reason != BR_DTLS;

	assert_int_equal(after->rx.packets - before->rx.packets, reason == 0);
	assert_int_equal(after->rx_dropped - before->rx_dropped, reason && inspected);
}

static int compare(const struct sample *sample, bool daemon_first)
{
	bool leg = sample->sender < LEGS;
	struct br_leg_counters before = {0};
	struct br_slow_route route = {0};
	int kernel = -1, daemon;

	if (leg)
		before = plane->slow_legs[legs[sample->sender]];
	if (!daemon_first)
		kernel = by_kernel(sample);
	daemon = by_daemon(sample, &route);
	if (daemon_first)
		kernel = by_kernel(sample);
	if (kernel != daemon)
		fail_msg("%s, TTL %u, %zu bytes %02x %02x: the kernel says %s, the daemon %s",
			 addresses[sample->sender], sample->ttl, sample->length, sample->payload[0],
			 sample->payload[1], kernel < 0 ? "nothing" : br_reason_name(kernel),
			 br_reason_name(daemon));
	if (leg)
		check_counters(sample, daemon, &before);
	if (!daemon) {
		assert_int_equal(route.leg, legs[sample->sender]);
		assert_int_equal(route.count, 1);
		assert_int_equal(route.edges[0].leg,
				 legs[sample->sender == LISTENS ? LEARNS : LISTENS]);
	}
	return daemon;
}

static uint8_t pick(const uint8_t *list, size_t count)
{
	return rand() % 8 ? list[(size_t)rand() % count] : (uint8_t)rand();
}

static void random_sample(struct sample *sample)
{
	static const uint8_t first[] = {0x80, 0x80, 0x90, 0x8f, 0xbf, 0x00, 0x16, 0xc0};
	static const uint8_t second[] = {96, 96, 200, 201, 223, 224};
	static const uint8_t ttl[] = {64, 64, 64, 2, 1, 0};

	sample->sender = (enum sender)(rand() % SENDERS);
	for (size_t i = 0; i < sizeof(sample->payload); i++)
		sample->payload[i] = rand() % 3 ? 0 : (uint8_t)rand();
	sample->payload[0] = pick(first, sizeof(first));
	sample->payload[1] = pick(second, sizeof(second));
	put32(sample->payload + (rand() % 4 ? 8 : 4), (uint32_t)(rand() % 8));
	sample->length = (size_t)rand() % (sizeof(sample->payload) + 1);
	sample->ttl = pick(ttl, sizeof(ttl));
}

static void test_random(void **state)
{
	static const int wanted[] = {
		BR_FORWARDED,	  BR_NOT_MEDIA,	   BR_STUN,	  BR_DTLS,	  BR_BAD_CLASS,
		BR_BAD_RTP,	  BR_BAD_RTCP,	   BR_TTL,	  BR_UNKNOWN_LEG, BR_LEG_EXPIRED,
		BR_NOT_PUBLISHER, BR_SSRC_REFUSED, BR_SSRC_LIMIT, BR_NO_RECEIVER,
	};
	unsigned int seen[BR_REASON_COUNT] = {0};
	struct sample sample;

	(void)state;
	srand(1);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		random_sample(&sample);
		seen[compare(&sample, i % 2)]++;
	}
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (!seen[wanted[i]])
			fail_msg("no sample was %s", br_reason_name(wanted[i]));
}

/* What the daemon learns the kernel knows, and the other way round; both count to one limit. */
static void test_learning(void **state)
{
	struct sample sample = {.sender = SIX, .payload = {0x80, 96}, .length = 20, .ttl = 64};
	struct br_slow_route route;
	uint32_t slot;

	(void)state;
	br_plane_streams_drop(plane, legs[SIX]);
	plane->state_table[legs[SIX]].learned = 0;
	put32(sample.payload + 8, 0x100);
	assert_int_equal(by_daemon(&sample, &route), 0);
	assert_int_equal(br_plane_stream_find(plane, legs[SIX], htonl(0x100), &slot), 0);
	assert_int_equal(plane->slow_streams[slot].rx.packets, 1);
	assert_int_equal(by_kernel(&sample), BR_FORWARDED);
	assert_int_equal(plane->state_table[legs[SIX]].learned, 1);
	put32(sample.payload + 8, 0x101);
	assert_int_equal(by_kernel(&sample), BR_FORWARDED);
	assert_int_equal(by_daemon(&sample, &route), 0);
	assert_int_equal(plane->state_table[legs[SIX]].learned, 2);
	put32(sample.payload + 8, 0x102);
	assert_int_equal(by_daemon(&sample, &route), BR_SSRC_LIMIT);
	assert_int_equal(by_kernel(&sample), BR_SSRC_LIMIT);
	assert_int_equal(plane->state_table[legs[SIX]].learned, 2);
}

/* A stream with receivers of its own, and one that nobody receives. */
static void test_stream_routes(void **state)
{
	struct sample sample = {.sender = FIXED, .payload = {0x80, 96}, .length = 20, .ttl = 64};
	const uint32_t receivers[] = {legs[LISTENS], legs[SIX], legs[ALONE]};
	struct br_error error = {0};
	struct br_slow_route route;

	(void)state;
	put32(sample.payload + 8, 7);
	assert_int_equal(br_plane_stream_route(plane, legs[FIXED], htonl(7), receivers, 3, &error),
			 0);
	assert_int_equal(by_daemon(&sample, &route), 0);
	assert_int_equal(route.count, 3);
	assert_int_equal(br_plane_stream_route(plane, legs[FIXED], htonl(7), NULL, 0, &error), 0);
	assert_int_equal(compare(&sample, true), BR_NO_RECEIVER);
	assert_int_equal(br_plane_stream_inherit(plane, legs[FIXED], htonl(7)), 0);
	assert_int_equal(compare(&sample, true), 0);
}

static void test_feedback_goes_up(void **state)
{
	struct sample sample = {.sender = LISTENS, .payload = {0x80, 201}, .length = 20, .ttl = 64};
	struct br_slow_route route;

	(void)state;
	assert_int_equal(by_daemon(&sample, &route), 0);
	plane->leg_table[legs[LISTENS]].flags |= BR_LEG_FEEDBACK_UP;
	assert_int_equal(by_daemon(&sample, &route), BR_FEEDBACK);
	plane->leg_table[legs[LISTENS]].flags &= (__u8)~BR_LEG_FEEDBACK_UP;
}

static void test_targets(void **state)
{
	struct br_slow_target target;
	char text[BR_ENDPOINT_TEXT];

	(void)state;
	assert_int_equal(br_plane_slow_target(plane, legs[LEARNS], legs[LEARNS], &target),
			 BR_OWN_PACKET);
	assert_int_equal(br_plane_slow_target(plane, legs[EXPIRED], legs[LEARNS], &target),
			 BR_RECEIVER_EXPIRED);
	assert_int_equal(br_plane_slow_target(plane, legs[LISTENS], legs[LEARNS], &target), 0);
	assert_string_equal(br_endpoint_format(&target.remote, text), "127.0.0.4:5000");
	assert_true(br_addr_equal(&target.local, &locals[LISTENS].addr));
	assert_int_equal(target.ifindex, 0);
	/* a slot that was given back */
	assert_int_equal(br_plane_slow_target(plane, 63, legs[LEARNS], &target),
			 BR_RECEIVER_EXPIRED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),	      cmocka_unit_test(test_learning),
		cmocka_unit_test(test_stream_routes), cmocka_unit_test(test_feedback_goes_up),
		cmocka_unit_test(test_targets),
	};

	return cmocka_run_group_tests_name("slow_admit", tests, setup, teardown);
}
