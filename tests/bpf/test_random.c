// SPDX-License-Identifier: BSD-2-Clause
/*
 * Random packets in random tables: the programs must do what the reference model says, in
 * verdict, bytes, every counter, streams and events.
 *
 * Environment: BR_TEST_SEED (default fixed), BR_TEST_PACKETS (default 50000).
 */
#include "check.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <arpa/inet.h>
#include <cmocka.h>

#define DEFAULT_SEED	0x626c696e6472656cULL
#define DEFAULT_PACKETS 50000u
#define PER_TABLE	200u /* packets until the tables change */

static struct world *world;
static uint64_t state;
static uint64_t covered[PROGRAM_COUNT][BR_REASON_COUNT];

/* SplitMix64: any seed is a good one. */
static uint64_t next_random(void)
{
	uint64_t z = (state += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static uint32_t below(uint32_t limit)
{
	return (uint32_t)(next_random() % limit);
}

static bool one_in(uint32_t n)
{
	return !below(n);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now); /* as the programs do */
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void random_hops(struct tables *tables)
{
	for (uint32_t i = 0; i < T_HOPS; i++) {
		struct br_next_hop *hop = &tables->hops[i];

		*hop = tables->hops[below(HOP_NONE + 1)];
		hop->destination[4] = (uint8_t)next_random();
		hop->vlan_tci[0] = (uint16_t)next_random();
		if (one_in(6))
			hop->mtu = (uint16_t)(60 + below(120));
		if (one_in(20))
			hop->vlans = (uint8_t)below(5);
		if (one_in(2))
			hop->ifindex = INGRESS_IFINDEX;
		if (one_in(8))
			hop->egress = (uint16_t)(one_in(8) ? next_random() : below(10));
	}
}

static void random_legs(struct tables *tables)
{
	static const uint64_t lives[] = {0, 1, BR_NEVER};

	for (uint32_t i = 1; i < T_LEGS; i++) {
		struct br_leg *leg = &tables->legs[i];
		struct br_tuple tuple;

		tables_leg(tables, i, one_in(2) ? 4 : 6,
			   one_in(3) ? 0 : BR_LEG_PUBLISH | (one_in(4) ? BR_LEG_FIXED_SSRCS : 0),
			   one_in(40) ? T_HOPS : below(T_HOPS));
		tuple = leg->tuple;
		for (int j = leg->family == 4 ? 3 : 0; j < 4; j++)
			tuple.remote[j] = (uint32_t)next_random();
		tuple.remote_port = (uint16_t)next_random();
		tables_tuple(tables, i, &tuple);
		leg->ssrc_limit = (uint16_t)below(4);
		if (one_in(4))
			leg->flags |= BR_LEG_CAPTURE; /* changes nothing */
		if (one_in(8))
			leg->expires_ns = lives[below(3)];
		if (one_in(5))
			leg->flags |= BR_LEG_FEEDBACK_UP;
	}
}

/* Empty, nearly full, full to the brim, over it. */
static uint64_t random_due(uint64_t now_ns)
{
	switch (below(5)) {
	case 0:
		return 0;
	case 1:
		return now_ns + T_BURST_NS;
	case 2:
		return now_ns + T_BURST_NS + 1;
	case 3:
		return now_ns + 60000000000u;
	default:
		return now_ns - T_BURST_NS + below(2 * T_BURST_NS);
	}
}

static void random_buckets(struct tables *tables, uint64_t now_ns)
{
	static const uint32_t costs[] = {0, 1, 1000, T_BURST_NS / 3, T_BURST_NS, UINT32_MAX};

	for (uint32_t i = 1; i < T_LEGS; i++) {
		struct br_leg *leg = &tables->legs[i];

		if (one_in(2)) {
			leg->packet_ns = costs[below(6)];
			leg->kibibyte_ns = costs[below(6)];
		}
		tables->states[i].packets_due_ns = random_due(now_ns);
		tables->states[i].bytes_due_ns = random_due(now_ns);
		if (!one_in(4))
			continue;
		memcpy(tables->strangers[tables->stranger_count].source, leg->tuple.remote,
		       leg->family == 4 ? 16 : 8);
		tables->strangers[tables->stranger_count++].due_ns = random_due(now_ns);
	}
}

static void random_routes(struct tables *tables)
{
	uint32_t left = 0;

	for (uint32_t i = 0; i < T_EDGES; i++) {
		struct br_edge *edge = &tables->edges[i];

		if (!left) {
			left = 1 + below(one_in(8) ? 12 : 6);
			*edge = (struct br_edge){.run = (uint16_t)left,
						 .egress = one_in(6) ? (uint8_t)below(10) : 0};
		} else {
			edge->run = 0;
			edge->egress = edge[-1].egress;
		}
		if (one_in(100))
			edge->run = (uint16_t)below(100);
		edge->leg = one_in(50) ? T_LEGS : below(T_LEGS);
		left--;
	}
	for (uint32_t i = 0; i < T_ROUTES; i++) {
		uint32_t first = below(T_EDGES);

		while (first && !tables->edges[first].run && !one_in(10))
			first--;
		tables_route(tables, i, one_in(50) ? T_EDGES + below(9) : first,
			     (uint16_t)(one_in(12) ? 0 : tables->edges[first].run + below(20)));
		if (i >= T_LEGS && one_in(2))
			tables->routes[i] = BR_ROUTE_INHERIT;
		if (one_in(20))
			tables->routes[i] = 0;
		if (one_in(4)) {
			struct br_route route;

			memcpy(&route, &tables->routes[i], sizeof(route));
			route.flags = BR_ROUTE_TAP;
			memcpy(&tables->routes[i], &route, sizeof(route));
		}
	}
}

static void random_tables(struct tables *tables)
{
	tables_base(tables);
	random_hops(tables);
	random_legs(tables);
	random_routes(tables);
	for (uint32_t i = 0; i < 3; i++) {
		uint32_t leg = 1 + below(T_LEGS - 1);

		tables_stream(tables, leg, 0x100 + i, i);
		if (one_in(2))
			tables->states[leg].first_stream = BR_FIRST_STREAM(htonl(0x100 + i), i);
	}
	if (one_in(4))
		tables->free_count = below(3);
	random_buckets(tables, now_ns());
	for (uint32_t i = below(3); i; i--) { /* addresses of ours, but no leg */
		tables->tuple_count--;
		tables->tuples[below((uint32_t)tables->tuple_count)] =
			tables->tuples[tables->tuple_count];
	}
}

static size_t random_payload(uint8_t *out)
{
	static const uint8_t types[] = {200, 201, 205, 206, 192, 223};

	switch (below(10)) {
	case 0:
		return payload_stun(out);
	case 1:
		return payload_dtls(out);
	case 2:
	case 3:
		return payload_rtcp(out, types[below(6)], 0x100 + below(6), 4 * below(20));
	default:
		return payload_rtp(out, 0x100 + below(6), one_in(4) ? below(16) : 0,
				   one_in(3) ? (int)below(5) : PACKET_NO_EXT, below(100));
	}
}

static size_t random_packet(const struct tables *tables, enum program program, uint8_t *frame)
{
	struct packet packet;
	uint8_t payload[PACKET_MAX];

	tables_packet_from(tables, 1 + below(T_LEGS - 1), &packet);
	packet.payload = payload;
	packet.payload_length = random_payload(payload);
	if (one_in(10)) /* too short, with lengths that agree */
		packet.payload_length = below((uint32_t)packet.payload_length);
	packet.tos = (uint8_t)next_random();
	packet.ttl = one_in(8) ? (uint8_t)below(3) : (uint8_t)next_random();
	packet.id = (uint16_t)next_random();
	packet.flow = below(1u << 20);
	packet.no_checksum = one_in(10);
	packet.padding = one_in(3) ? below(30) : 0;
	if (program == PROGRAM_RELAY)
		packet.tags = (uint8_t)(one_in(2) ? below(PACKET_TAGS + 1) : 0);
	for (unsigned int i = 0; i < packet.tags; i++) {
		packet.tpid[i] = one_in(2) ? TPID_C : TPID_S;
		packet.tci[i] = (uint16_t)next_random();
	}
	if (program != PROGRAM_RELAY) {
		uint32_t first = below(T_EDGES + 2), flags = 0;

		/* some wait on the loop; to the stamp such a frame never comes */
		if (program == PROGRAM_LOOP && one_in(2))
			flags = one_in(2) ? BR_TICKET_PARKED : BR_TICKET_PARKED | BR_TICKET_NEXT;
		if (one_in(4))
			flags |= BR_TICKET_TAP;
		while (first && first < T_EDGES && !tables->edges[first].run && !one_in(10))
			first--;
		tables_ticket(packet.ethernet, below(T_LEGS), first, (uint16_t)(below(24) | flags),
			      one_in(6) ? (uint16_t)next_random() : (uint16_t)(7 + 128 * below(2)));
	}
	return packet_build(&packet, frame);
}

static size_t mutate(uint8_t *frame, size_t length)
{
	static const uint8_t values[] = {0, 1, 0x7f, 0x80, 0xff, 17, 0x45, 0x60};
	/* half of the damage goes to the headers */
	uint32_t range = (uint32_t)(one_in(2) && length > 80 ? 80 : length);

	for (uint32_t n = 1 + below(3); n; n--) {
		uint32_t at = below(range);

		if (one_in(2))
			frame[at] ^= (uint8_t)(1u << below(8));
		else
			frame[at] = one_in(2) ? values[below(8)] : (uint8_t)next_random();
	}
	if (one_in(6))
		length = 14 + below((uint32_t)length - 13);
	return length;
}

/* Say that options follow, or a hop-by-hop header: chance alone comes upon these too seldom. */
static void add_options(uint8_t *frame, size_t length)
{
	size_t l3 = 14;

	while (l3 < 22 && (frame[l3 - 2] == 0x81 || frame[l3 - 2] == 0x88))
		l3 += 4;
	if (length < l3 + 20)
		return;
	if (frame[l3] >> 4 == 4)
		frame[l3] = 0x46;
	else
		frame[l3 + 6] = 0;
}

static size_t random_frame(const struct tables *tables, enum program program, uint8_t *frame)
{
	size_t length = 14 + below(200);

	if (one_in(20)) {
		for (size_t i = 0; i < length; i++)
			frame[i] = (uint8_t)next_random();
		return length;
	}
	length = random_packet(tables, program, frame);
	if (program == PROGRAM_RELAY && one_in(60))
		add_options(frame, length);
	return one_in(3) ? mutate(frame, length) : length;
}

static void print_frame(const uint8_t *frame, size_t length)
{
	print_error("frame of %zu bytes:", length);
	for (size_t i = 0; i < length; i++)
		print_error("%s%02x", i % 32 ? (i % 4 ? "" : " ") : "\n  ", frame[i]);
	print_error("\n");
}

static bool compare(const struct world_run *run, const struct outcome *want,
		    struct counters *counters)
{
	struct counters actual;

	world_counters(world, &actual);
	if (!check_counters(counters, &actual, run))
		return false;
	if (run->verdict != want->verdict) {
		print_error("verdict %u, expected %u\n", run->verdict, want->verdict);
		return false;
	}
	if (want->bytes_known &&
	    (run->out_length != want->length || memcmp(run->out, want->bytes, want->length))) {
		print_frame(run->out, run->out_length);
		print_error("expected ");
		print_frame(want->bytes, want->length);
		return false;
	}
	if (world_events(world) != want->event_sent ||
	    (want->event_sent && memcmp(&world->events[0], &want->event, sizeof(want->event)))) {
		print_error("%u events, or a wrong one\n", world->event_count);
		return false;
	}
	return true;
}

static uint64_t setting(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 0) : otherwise;
}

/* New tables, and what a CPU may have kept from before. */
static void random_world(struct tables *tables, struct counters *counters)
{
	random_tables(tables);
	world_write(world, tables);
	memset(counters, 0, sizeof(*counters));
	/* begin shortly before the nonce wraps, sometimes */
	counters->cpu.nonce = one_in(4) ? 0xfff0 : (uint16_t)next_random();
	/* or with a queue on the loop that is nearly full */
	if (one_in(4)) {
		counters->cpu.loop_active = one_in(2);
		counters->cpu.loop_rest = (uint16_t)(next_random() % 2);
		counters->cpu.loop_parked = BR_LOOP_PARKED - 1;
		counters->cpu.loop_ns = now_ns();
	}
	counters->cpu.backlog = (uint16_t)below(BR_RING_BUDGET + 1);
	/* strangers have their share only now and then, so that legs' own limits show as well */
	counters->cpu.strangers_due_ns = one_in(2) ? random_due(now_ns()) : 0;
	world_set_cpu(world, &counters->cpu);
}

static void test_same_as_model(void **unused)
{
	static struct tables tables;
	static struct counters counters;
	static struct outcome want;
	static uint8_t frame[PACKET_MAX];
	static struct world_run run;
	uint64_t packets = setting("BR_TEST_PACKETS", DEFAULT_PACKETS);
	uint32_t left = 0;

	(void)unused;
	for (uint64_t i = 0; i < packets; i++) {
		if (left-- == 0) {
			random_world(&tables, &counters);
			left = PER_TABLE - 1;
		}
		run.program =
			one_in(8) ? PROGRAM_LOOP : (one_in(2) ? PROGRAM_RELAY : PROGRAM_STAMP);
		run.in = frame;
		run.length = random_frame(&tables, run.program, frame);
		world_run(world, &run);
		if (run.before_ns != run.after_ns) {
			left = 0; /* when did it look at the clock? nobody knows */
			continue;
		}
		model_run(&tables, &counters, run.before_ns, run.program, frame, run.length, &want);
		covered[run.program][want.reason]++;
		if (!compare(&run, &want, &counters)) {
			print_frame(frame, run.length);
			fail_msg("packet %" PRIu64 ", program %d: the model says %s", i,
				 run.program, check_reason_name(want.reason));
		}
		if (want.event_sent || left == 0)
			check_dynamic(world, &tables);
		if (want.reason == BR_RATE || want.reason == BR_STRANGER_RATE || left == 0)
			check_buckets(world, &tables, run.before_ns);
	}
}

/* A generator that never leaves the first few checks would prove nothing. */
static void test_reasons_covered(void **unused)
{
	(void)unused;
	for (uint32_t reason = 0; reason < BR_REASON_COUNT; reason++) {
		uint64_t sum = 0;

		for (int program = 0; program < PROGRAM_COUNT; program++)
			sum += covered[program][reason];
		print_message("%-18s %7" PRIu64 " %7" PRIu64 " %7" PRIu64 "\n",
			      check_reason_name(reason), covered[PROGRAM_RELAY][reason],
			      covered[PROGRAM_LOOP][reason], covered[PROGRAM_STAMP][reason]);
		/* the model has no short headroom; test_tables reaches it */
		if (!sum && reason != BR_NO_HEADROOM)
			fail_msg("no packet ended with %s", check_reason_name(reason));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_as_model),
		cmocka_unit_test(test_reasons_covered),
	};
	int failed;

	state = setting("BR_TEST_SEED", DEFAULT_SEED);
	printf("seed: BR_TEST_SEED=0x%" PRIx64 "\n", state);
	fflush(stdout);
	world = world_open();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	world_close(world);
	return failed;
}
