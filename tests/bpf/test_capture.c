// SPDX-License-Identifier: BSD-2-Clause
/*
 * Capture: which packets are shown, with which words and bytes. Each run is made twice, with no
 * leg flagged and with all: nothing is shown the first time, and verdict and packet are the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>

#include "check.h"
#include "relay.skel.h"
#include "world.h"

#define SSRC	 0xcafe0001u
#define BODY	 40u
#define ETHERNET 14u
#define SEEN_MAX 4u
#define PAGES	 16

struct seen {
	struct br_captured what;
	uint8_t frame[PACKET_MAX];
};

static struct world *world;
static struct perf_buffer *rings;
static struct seen seen[SEEN_MAX];
static unsigned int seen_count;

static void on_sample(void *context, int cpu, void *data, __u32 size)
{
	struct seen *next = &seen[seen_count < SEEN_MAX ? seen_count : 0];

	(void)context;
	assert_int_equal(cpu, world->cpu);
	assert_in_range(size, sizeof(next->what), sizeof(*next) + 8);
	memcpy(&next->what, data, sizeof(next->what));
	assert_in_range(next->what.shown, 0, size - sizeof(next->what));
	memcpy(next->frame, (uint8_t *)data + sizeof(next->what), next->what.shown);
	seen_count++;
}

static unsigned int drain(void)
{
	seen_count = 0;
	assert_int_equal(perf_buffer__consume(rings), 0);
	assert_in_range(seen_count, 0, SEEN_MAX);
	return seen_count;
}

/* Run with these tables; what is shown is in seen. */
static void run_twice(struct tables *tables, struct world_run *run)
{
	struct world_run plain = *run;
	struct counters counters;

	world_write(world, tables);
	world_run(world, &plain);
	assert_int_equal(drain(), 0);
	for (uint32_t i = 0; i < T_LEGS; i++)
		tables->legs[i].flags |= BR_LEG_CAPTURE;
	world_write(world, tables);
	world_run(world, run);
	assert_int_equal(run->verdict, plain.verdict);
	assert_int_equal(run->out_length, plain.out_length);
	assert_memory_equal(run->out, plain.out, run->out_length);
	world_counters(world, &counters);
	assert_int_equal(counters.cpu.captured, 0);
	drain();
}

/* The frame that was shown, link header and all; returns its length. */
static size_t whole(const struct seen *one, uint8_t out[static PACKET_MAX])
{
	size_t link = one->what.link_length, skip = link ? ETHERNET : 0;

	assert_in_range(link, 0, BR_CAPTURE_LINK);
	assert_int_equal(one->what.length, one->what.shown);
	memcpy(out, one->what.link, link);
	memcpy(out + link, one->frame + skip, one->what.shown - skip);
	return link + one->what.shown - skip;
}

static void assert_seen(const struct seen *one, enum br_capture_point point, uint32_t reason,
			uint32_t leg, uint32_t from, const uint8_t *frame, size_t length)
{
	uint8_t shown[PACKET_MAX];

	assert_int_equal(one->what.point, point);
	assert_string_equal(check_reason_name(one->what.reason), check_reason_name(reason));
	assert_int_equal(one->what.leg, leg);
	assert_int_equal(one->what.from, from);
	assert_int_equal(whole(one, shown), length);
	assert_memory_equal(shown, frame, length);
}

static void assert_in(const struct world_run *run, uint32_t reason, uint32_t leg)
{
	assert_int_equal(seen_count, 1);
	assert_seen(&seen[0], BR_CAPTURE_IN, reason, leg, leg, run->in, run->length);
}

/* A packet of the publisher, and a run of the relay over it. */
struct sent {
	struct tables tables;
	struct packet packet;
	uint8_t payload[128];
	uint8_t frame[PACKET_MAX];
	struct world_run run;
};

static void prepare(struct sent *sent, enum program program, uint32_t publisher, uint8_t tags)
{
	static const uint16_t tpid[2][2] = {{TPID_C}, {TPID_S, TPID_C}};

	memset(sent, 0, sizeof(*sent));
	tables_base(&sent->tables);
	tables_packet_from(&sent->tables, publisher, &sent->packet);
	sent->packet.payload = sent->payload;
	sent->packet.payload_length = payload_rtp(sent->payload, SSRC, 0, PACKET_NO_EXT, BODY);
	sent->packet.tags = tags;
	for (uint8_t i = 0; i < tags; i++) {
		sent->packet.tpid[i] = tpid[tags - 1][i];
		sent->packet.tci[i] = (uint16_t)(0x2345 + i);
	}
	sent->run = (struct world_run){.program = program, .in = sent->frame};
	sent->run.length = packet_build(&sent->packet, sent->frame);
}

static void test_forwarded_as_it_came(void **state)
{
	struct sent sent;

	(void)state;
	for (uint32_t publisher = PUB4; publisher <= PUB6; publisher++)
		for (uint8_t tags = 0; tags <= 2; tags++) {
			prepare(&sent, PROGRAM_RELAY, publisher, tags);
			run_twice(&sent.tables, &sent.run);
			assert_int_equal(sent.run.verdict, XDP_REDIRECT);
			assert_in(&sent.run, BR_FORWARDED, publisher);
		}
}

static void no_receiver(struct sent *sent)
{
	tables_route(&sent->tables, PUB4, 0, 0);
	tables_route(&sent->tables, PUB6, 0, 0);
}

static void no_copier(struct sent *sent)
{
	tables_route(&sent->tables, PUB4, T_EDGES, 2);
	tables_route(&sent->tables, PUB6, T_EDGES, 2);
}

static void expired(struct sent *sent)
{
	sent->tables.legs[PUB4].expires_ns = sent->tables.legs[PUB6].expires_ns = 1;
}

static void not_publisher(struct sent *sent)
{
	sent->tables.legs[PUB4].flags = sent->tables.legs[PUB6].flags = 0;
}

static void ttl(struct sent *sent)
{
	sent->packet.ttl = 1;
}

static void stun(struct sent *sent)
{
	sent->packet.payload_length = payload_stun(sent->payload);
}

static void bad_class(struct sent *sent)
{
	sent->payload[0] = 0xff;
}

static void padding(struct sent *sent)
{
	sent->packet.padding = 5;
}

static void test_every_verdict(void **state)
{
	static const struct {
		void (*edit)(struct sent *sent);
		uint32_t reason;
	} rows[] = {
		{no_receiver, BR_NO_RECEIVER},
		{no_copier, BR_NO_COPIER},
		{expired, BR_LEG_EXPIRED},
		{not_publisher, BR_NOT_PUBLISHER},
		{ttl, BR_TTL},
		{stun, BR_STUN},
		{bad_class, BR_BAD_CLASS},
		{padding, BR_FORWARDED},
	};
	struct sent sent;

	(void)state;
	for (uint32_t publisher = PUB4; publisher <= PUB6; publisher++)
		for (uint8_t tags = 0; tags <= 2; tags++)
			for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
				prepare(&sent, PROGRAM_RELAY, publisher, tags);
				rows[i].edit(&sent);
				sent.run.length = packet_build(&sent.packet, sent.frame);
				run_twice(&sent.tables, &sent.run);
				assert_int_equal(sent.run.verdict,
						 check_verdict(PROGRAM_RELAY, rows[i].reason));
				assert_in(&sent.run, rows[i].reason, publisher);
			}
}

/* Of a sender that is no leg nothing is shown, nor when somebody else is captured. */
static void test_others_are_not_shown(void **state)
{
	struct sent sent;

	(void)state;
	prepare(&sent, PROGRAM_RELAY, PUB4, 0);
	sent.tables.tuples[PUB4 - 1].tuple.remote_port ^= 1;
	run_twice(&sent.tables, &sent.run);
	assert_int_equal(seen_count, 0);
	prepare(&sent, PROGRAM_RELAY, PUB4, 0);
	sent.tables.legs[PUB6].flags |= BR_LEG_CAPTURE;
	world_write(world, &sent.tables);
	world_run(world, &sent.run);
	assert_int_equal(drain(), 0);
}

static void test_copies_as_they_go_out(void **state)
{
	uint8_t expected[PACKET_MAX];
	struct packet out;
	struct sent sent;

	(void)state;
	for (uint32_t publisher = PUB4; publisher <= PUB6; publisher++)
		for (uint32_t receiver = SUB4; receiver <= SUB6Q; receiver++) {
			prepare(&sent, PROGRAM_STAMP, publisher, 0);
			tables_segment(&sent.tables, EDGES_ONE, 0, &receiver, 1);
			tables_ticket(sent.frame, publisher, EDGES_ONE, 1, 3);
			tables_packet_to(&sent.tables, receiver, &sent.packet, &out);
			run_twice(&sent.tables, &sent.run);
			assert_int_equal(sent.run.verdict, XDP_PASS);
			assert_int_equal(seen_count, 1);
			assert_seen(&seen[0], BR_CAPTURE_OUT, BR_COPIED, receiver, publisher,
				    expected, packet_build(&out, expected));
		}
}

static void hop_none(struct tables *tables)
{
	tables->hops[HOP_PLAIN].state = BR_NEXT_HOP_NONE;
}

static void hop_far(struct tables *tables)
{
	tables->legs[SUB4].next_hop = HOP_FAR;
}

static void gone(struct tables *tables)
{
	tables->legs[SUB4].expires_ns = 0;
}

static void small(struct tables *tables)
{
	tables->hops[HOP_PLAIN].mtu = 60;
}

/* What is dropped in the stamp is as it came there, without its ticket. */
static void test_copies_that_are_dropped(void **state)
{
	static const struct {
		void (*edit)(struct tables *tables);
		uint32_t reason;
	} rows[] = {
		{hop_none, BR_NO_NEXT_HOP},
		{hop_far, BR_WRONG_EGRESS},
		{gone, BR_RECEIVER_EXPIRED},
		{small, BR_TOO_BIG},
	};
	uint8_t expected[PACKET_MAX];
	struct sent sent;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		prepare(&sent, PROGRAM_STAMP, PUB4, 0);
		rows[i].edit(&sent.tables);
		tables_ticket(sent.frame, PUB4, EDGES_ONE, 1, 3);
		memcpy(expected, sent.frame, sent.run.length);
		memset(expected, 0, 12);
		run_twice(&sent.tables, &sent.run);
		assert_int_equal(sent.run.verdict, XDP_DROP);
		assert_int_equal(seen_count, 1);
		assert_seen(&seen[0], BR_CAPTURE_OUT, rows[i].reason, SUB4, PUB4, expected,
			    sent.run.length);
	}
	/* without a ticket nobody knows whose it is */
	prepare(&sent, PROGRAM_STAMP, PUB4, 0);
	run_twice(&sent.tables, &sent.run);
	assert_int_equal(seen_count, 0);
}

/* One receiver behind the same interface: no copier, but shown as it came and as it goes. */
static void test_turned_round(void **state)
{
	uint8_t expected[PACKET_MAX];
	struct packet out;
	struct sent sent;

	(void)state;
	for (uint32_t publisher = PUB4; publisher <= PUB6; publisher++)
		for (uint8_t tags = 0; tags <= 2; tags++)
			for (uint32_t receiver = SUB4; receiver <= SUB6Q; receiver++) {
				size_t length;

				prepare(&sent, PROGRAM_RELAY, publisher, tags);
				tables_segment(&sent.tables, EDGES_ONE, 0, &receiver, 1);
				tables_route(&sent.tables, publisher, EDGES_ONE, 1);
				for (uint32_t hop = 0; hop < HOP_FAR; hop++)
					sent.tables.hops[hop].ifindex = 1; /* of the test run */
				tables_packet_to(&sent.tables, receiver, &sent.packet, &out);
				length = packet_build(&out, expected);
				run_twice(&sent.tables, &sent.run);
				assert_int_equal(sent.run.verdict, XDP_TX);
				assert_int_equal(seen_count, 2);
				assert_seen(&seen[0], BR_CAPTURE_IN, BR_FORWARDED, publisher,
					    publisher, sent.frame, sent.run.length);
				assert_seen(&seen[1], BR_CAPTURE_OUT, BR_COPIED, receiver,
					    publisher, expected, length);
			}
}

/* Without rings, as when the daemon has died, packets go their way all the same. */
static void test_nobody_reads(void **state)
{
	struct sent sent;

	(void)state;
	perf_buffer__free(rings);
	prepare(&sent, PROGRAM_RELAY, PUB4, 1);
	sent.tables.legs[PUB4].flags |= BR_LEG_CAPTURE;
	world_write(world, &sent.tables);
	world_run(world, &sent.run);
	assert_int_equal(sent.run.verdict, XDP_REDIRECT);
	rings = perf_buffer__new(bpf_map__fd(world->bpf->maps.captured), PAGES, on_sample, NULL,
				 NULL, NULL);
	assert_non_null(rings);
	assert_int_equal(drain(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forwarded_as_it_came),
		cmocka_unit_test(test_every_verdict),
		cmocka_unit_test(test_others_are_not_shown),
		cmocka_unit_test(test_copies_as_they_go_out),
		cmocka_unit_test(test_copies_that_are_dropped),
		cmocka_unit_test(test_turned_round),
		cmocka_unit_test(test_nobody_reads),
	};
	int failed;

	world = world_open();
	rings = perf_buffer__new(bpf_map__fd(world->bpf->maps.captured), PAGES, on_sample, NULL,
				 NULL, NULL);
	if (!rings) {
		perror("cannot open the rings");
		return 1;
	}
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	perf_buffer__free(rings);
	world_close(world);
	return failed;
}
