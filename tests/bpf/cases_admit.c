// SPDX-License-Identifier: BSD-2-Clause
/*
 * relay: how much a leg and a stranger may send, and RTCP that the daemon asked for.
 *
 * A bucket depends on the time of the run, which is known only when the clock did not move
 * during it; checks of an exact limit are made again until it did not.
 */
#include "cases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "check.h"

#define SSRC	  0xcafe0001u
#define SLOT	  5u
#define BODY	  40u
#define ATTEMPTS  1000	      /* to find the clock standing still: a tick is at least 1 ms */
#define LONG_NS	  4000000000u /* a cost that no test outlasts */
#define BYTE_NS	  1000u
#define SECOND_NS 1000000000u

enum content { RTP, RTCP, STUN, DTLS };

struct sent {
	struct tables tables;
	struct packet packet;
	uint8_t payload[256];
	uint8_t frame[PACKET_MAX];
	struct world_run run;
};

static void build(struct sent *sent, enum content content)
{
	sent->packet.payload = sent->payload;
	switch (content) {
	case RTP:
		sent->packet.payload_length =
			payload_rtp(sent->payload, SSRC, 0, PACKET_NO_EXT, BODY);
		break;
	case RTCP:
		sent->packet.payload_length = payload_rtcp(sent->payload, 201, SSRC, BODY);
		break;
	case STUN:
		sent->packet.payload_length = payload_stun(sent->payload);
		break;
	case DTLS:
		sent->packet.payload_length = payload_dtls(sent->payload);
		break;
	}
	sent->run.length = packet_build(&sent->packet, sent->frame);
}

static void prepare(struct sent *sent, uint32_t leg, enum content content)
{
	memset(sent, 0, sizeof(*sent));
	tables_base(&sent->tables);
	tables_stream(&sent->tables, leg, SSRC, SLOT);
	tables_packet_from(&sent->tables, leg, &sent->packet);
	sent->run.program = PROGRAM_RELAY;
	sent->run.in = sent->frame;
	build(sent, content);
}

static uint32_t bytes(const struct sent *sent)
{
	return (uint32_t)packet_ip_length(&sent->packet);
}

/* Write the tables and run once; false when the clock moved, and nothing is known then. */
static bool run_at(struct world *world, struct sent *sent, uint64_t now_ns)
{
	world_write(world, &sent->tables);
	world_run(world, &sent->run);
	return sent->run.before_ns == now_ns && sent->run.after_ns == now_ns;
}

/* The time by the clock of the programs. */
static uint64_t clock_ns(struct world *world, struct sent *sent)
{
	world_run(world, &sent->run);
	return sent->run.after_ns;
}

static uint64_t packets_of(struct world *world, uint32_t reason)
{
	struct counters counters;

	world_counters(world, &counters);
	return counters.cpu.reasons[reason].packets;
}

/* The bucket of @due_ns stands @early_ns before the burst's limit: what becomes of a packet? */
static void expect_at_limit(struct world *world, struct sent *sent, uint64_t *due_ns,
			    int64_t early_ns, uint32_t reason)
{
	for (int i = 0; i < ATTEMPTS; i++) {
		uint64_t now_ns = clock_ns(world, sent);

		*due_ns = now_ns + T_BURST_NS - (uint64_t)early_ns;
		if (!run_at(world, sent, now_ns))
			continue;
		assert_int_equal(packets_of(world, reason), 1);
		return;
	}
	fail_msg("the clock never stood still");
}

void test_admit_limit_exactly(void **state)
{
	static const uint32_t legs[] = {PUB4, PUB6};
	struct world *world = *state;
	struct br_leg_state *bucket;
	struct br_leg *leg;
	struct sent sent;

	for (size_t i = 0; i < 2; i++) {
		prepare(&sent, legs[i], RTP);
		leg = &sent.tables.legs[legs[i]];
		bucket = &sent.tables.states[legs[i]];
		leg->packet_ns = 1000;
		expect_at_limit(world, &sent, (uint64_t *)&bucket->packets_due_ns, 0, BR_FORWARDED);
		expect_at_limit(world, &sent, (uint64_t *)&bucket->packets_due_ns, -1, BR_RATE);
		leg->packet_ns = 0;
		leg->kibibyte_ns = 1024 * BYTE_NS;
		expect_at_limit(world, &sent, (uint64_t *)&bucket->bytes_due_ns, 0, BR_FORWARDED);
		expect_at_limit(world, &sent, (uint64_t *)&bucket->bytes_due_ns, -1, BR_RATE);
	}
}

/* From a full bucket: as many packets as begin within the burst. */
void test_admit_burst(void **state)
{
	struct world *world = *state;
	const uint32_t costs[] = {T_BURST_NS / 4, T_BURST_NS / 4 + 1, 2 * T_BURST_NS};
	const uint32_t passes[] = {5, 4, 1};
	struct sent sent;

	for (size_t i = 0; i < 3; i++) {
		int attempt;

		for (attempt = 0; attempt < ATTEMPTS; attempt++) {
			uint64_t first_ns = 0;

			prepare(&sent, PUB4, RTP);
			sent.tables.legs[PUB4].packet_ns = costs[i];
			world_write(world, &sent.tables);
			for (uint32_t n = 0; n < passes[i] + 3; n++) {
				world_run(world, &sent.run);
				first_ns = n ? first_ns : sent.run.before_ns;
			}
			if (sent.run.after_ns != first_ns)
				continue;
			assert_int_equal(packets_of(world, BR_FORWARDED), passes[i]);
			assert_int_equal(packets_of(world, BR_RATE), 3);
			/* what was refused has cost nothing */
			sent.tables.states[PUB4].packets_due_ns =
				first_ns + passes[i] * (uint64_t)costs[i];
			check_buckets(world, &sent.tables, first_ns);
			break;
		}
		assert_true(attempt < ATTEMPTS);
	}
}

/* A packet costs by its IP length; where the bytes are refused the packet is not paid for. */
void test_admit_bytes(void **state)
{
	struct world *world = *state;
	struct sent sent;
	uint64_t now_ns;
	int attempt;

	for (attempt = 0; attempt < ATTEMPTS; attempt++) {
		prepare(&sent, PUB6, RTP);
		sent.packet.padding = 30; /* of Ethernet: costs nothing */
		build(&sent, RTP);
		sent.tables.legs[PUB6].packet_ns = 5000;
		sent.tables.legs[PUB6].kibibyte_ns = 1024 * BYTE_NS;
		now_ns = clock_ns(world, &sent);
		if (!run_at(world, &sent, now_ns))
			continue;
		assert_int_equal(packets_of(world, BR_FORWARDED), 1);
		sent.tables.states[PUB6].packets_due_ns = now_ns + 5000;
		sent.tables.states[PUB6].bytes_due_ns = now_ns + BYTE_NS * bytes(&sent);
		check_buckets(world, &sent.tables, now_ns - 1);
		break;
	}
	assert_true(attempt < ATTEMPTS);

	sent.tables.states[PUB6].bytes_due_ns = now_ns + 60ull * SECOND_NS;
	sent.tables.states[PUB6].packets_due_ns = now_ns + T_BURST_NS / 2;
	world_write(world, &sent.tables);
	check_run(world, &sent.run,
		  EXPECT(.reason = BR_RATE, .bytes = bytes(&sent), .rx_dropped = PUB6));
	check_unchanged(&sent.run);
	check_buckets(world, &sent.tables, now_ns);
}

/* Neither bucket is looked at, and an SSRC over the rate is not learned. */
void test_admit_no_limit(void **state)
{
	struct world *world = *state;
	struct sent sent;

	prepare(&sent, PUB4, RTP);
	sent.tables.states[PUB4] =
		(struct br_leg_state){.packets_due_ns = BR_NEVER / 2, .bytes_due_ns = BR_NEVER / 2};
	world_write(world, &sent.tables);
	check_run(world, &sent.run,
		  EXPECT(.reason = BR_FORWARDED, .bytes = bytes(&sent), .rx = PUB4,
			 .stream = STREAM(SLOT), .leg_bytes = bytes(&sent), .tickets = 1));
	check_buckets(world, &sent.tables, 0);

	sent.tables.stream_count = 0;
	sent.tables.legs[PUB4].packet_ns = 1;
	world_write(world, &sent.tables);
	check_run(world, &sent.run,
		  EXPECT(.reason = BR_RATE, .bytes = bytes(&sent), .rx_dropped = PUB4));
	check_dynamic(world, &sent.tables);
	/* what may not be sent at all is not paid for */
	sent.tables.legs[PUB4].flags = 0;
	sent.tables.states[PUB4] = (struct br_leg_state){};
	world_write(world, &sent.tables);
	check_run(world, &sent.run,
		  EXPECT(.reason = BR_NOT_PUBLISHER, .bytes = bytes(&sent), .rx_dropped = PUB4));
	check_buckets(world, &sent.tables, 0);
}

/* STUN and DTLS of a leg pay as its media does, and strangers have nothing to do with it. */
void test_admit_signal_of_leg(void **state)
{
	static const enum content contents[] = {STUN, DTLS};
	struct world *world = *state;
	struct sent sent;

	for (size_t i = 0; i < 2; i++) {
		prepare(&sent, i ? SUB6 : PUB4, contents[i]);
		sent.tables.legs[i ? SUB6 : PUB4].packet_ns = LONG_NS;
		world_write(world, &sent.tables);
		check_run(world, &sent.run,
			  EXPECT(.reason = i ? BR_DTLS : BR_STUN, .bytes = bytes(&sent)));
		check_unchanged(&sent.run);
		check_run(world, &sent.run,
			  EXPECT(.reason = BR_RATE, .bytes = bytes(&sent),
				 .rx_dropped = i ? SUB6 : PUB4));
	}
	/* a leg that has expired is a stranger again, and so is one of the other family */
	for (size_t i = 0; i < 2; i++) {
		prepare(&sent, PUB6, STUN);
		sent.tables.legs[PUB6].packet_ns = LONG_NS;
		if (i)
			sent.tables.legs[PUB6].family = 4;
		else
			sent.tables.legs[PUB6].expires_ns = 1;
		world_write(world, &sent.tables);
		for (int n = 0; n < 2; n++)
			check_run(
				world, &sent.run,
				EXPECT(.reason = BR_STUN, .bytes = bytes(&sent), .stranger = true));
	}
}

static void make_stranger(struct sent *sent, int family)
{
	prepare(sent, family == 4 ? PUB4 : PUB6, STUN);
	sent->packet.source_port++;
	build(sent, STUN);
}

static void make_source(struct sent *sent, uint64_t due_ns)
{
	struct table_stranger *stranger = &sent->tables.strangers[0];

	memcpy(stranger->source, sent->packet.source, sent->packet.family == 4 ? 16 : 8);
	stranger->due_ns = due_ns;
	sent->tables.stranger_count = 1;
}

void test_admit_stranger(void **state)
{
	struct world *world = *state;
	struct sent sent;
	uint64_t now_ns;

	for (int family = 4; family <= 6; family += 2) {
		int attempt;

		for (attempt = 0; attempt < ATTEMPTS; attempt++) {
			make_stranger(&sent, family);
			now_ns = clock_ns(world, &sent);
			if (!run_at(world, &sent, now_ns))
				continue;
			assert_int_equal(packets_of(world, BR_STUN), 1);
			make_source(&sent, now_ns + T_STRANGER_NS);
			check_buckets(world, &sent.tables, now_ns);
			break;
		}
		assert_true(attempt < ATTEMPTS);
		make_source(&sent, 0);
		expect_at_limit(world, &sent, &sent.tables.strangers[0].due_ns, 0, BR_STUN);
		expect_at_limit(world, &sent, &sent.tables.strangers[0].due_ns, -1,
				BR_STRANGER_RATE);

		/* refused: not even the budget of all is touched; media from there is silence */
		make_source(&sent, now_ns + 60ull * SECOND_NS);
		world_write(world, &sent.tables);
		check_run(world, &sent.run,
			  EXPECT(.reason = BR_STRANGER_RATE, .bytes = bytes(&sent)));
		check_unchanged(&sent.run);
		check_buckets(world, &sent.tables, now_ns);
		build(&sent, RTP);
		check_run(world, &sent.run,
			  EXPECT(.reason = BR_UNKNOWN_LEG, .bytes = bytes(&sent)));

		/* another port is the same source; another address is not */
		sent.packet.source_port += 7;
		build(&sent, DTLS);
		check_run(world, &sent.run,
			  EXPECT(.reason = BR_STRANGER_RATE, .bytes = bytes(&sent)));
		sent.packet.source[family == 4 ? 3 : 1] ^= htonl(1);
		build(&sent, DTLS);
		check_run(world, &sent.run,
			  EXPECT(.reason = BR_DTLS, .bytes = bytes(&sent), .stranger = true));
	}
	/* the last one was IPv6: what differs inside the /64 makes no other source */
	sent.packet.source[1] ^= htonl(1);
	sent.packet.source[2] ^= htonl(0x12345678);
	sent.packet.source[3] ^= htonl(0x9abcdef0);
	build(&sent, STUN);
	check_run(world, &sent.run, EXPECT(.reason = BR_STRANGER_RATE, .bytes = bytes(&sent)));
}

/* Over the budget of all, no source is looked at or remembered. */
void test_admit_all_strangers(void **state)
{
	struct world *world = *state;
	struct br_cpu cpu = {};
	struct sent sent;
	uint64_t now_ns;

	make_stranger(&sent, 4);
	for (int late = 0; late <= 1; late++) {
		int attempt;

		for (attempt = 0; attempt < ATTEMPTS; attempt++) {
			world_write(world, &sent.tables);
			now_ns = clock_ns(world, &sent);
			world_write(world, &sent.tables);
			cpu.strangers_due_ns = now_ns + T_BURST_NS + (uint64_t)late;
			world_set_cpu(world, &cpu);
			world_run(world, &sent.run);
			if (sent.run.before_ns != now_ns || sent.run.after_ns != now_ns)
				continue;
			assert_int_equal(packets_of(world, late ? BR_STRANGER_RATE : BR_STUN), 1);
			if (late)
				check_buckets(world, &sent.tables, now_ns);
			break;
		}
		assert_true(attempt < ATTEMPTS);
	}
}

void test_admit_feedback(void **state)
{
	static const uint32_t legs[] = {PUB4, SUB6};
	struct world *world = *state;
	struct sent sent;

	for (size_t i = 0; i < 2; i++) {
		prepare(&sent, legs[i], RTCP);
		sent.tables.legs[legs[i]].flags |= BR_LEG_FEEDBACK_UP;
		/* it has no receivers and needs none */
		tables_route(&sent.tables, legs[i], EDGES_SIX, 0);
		sent.tables.legs[legs[i]].packet_ns = LONG_NS;
		world_write(world, &sent.tables);
		check_run(world, &sent.run,
			  EXPECT(.reason = BR_FEEDBACK, .bytes = bytes(&sent), .rx = legs[i],
				 .leg_bytes = bytes(&sent)));
		check_unchanged(&sent.run);
		check_run(world, &sent.run,
			  EXPECT(.reason = BR_RATE, .bytes = bytes(&sent), .rx_dropped = legs[i]));
	}
	/* RTP of such a leg goes its way */
	prepare(&sent, PUB4, RTP);
	sent.tables.legs[PUB4].flags |= BR_LEG_FEEDBACK_UP;
	world_write(world, &sent.tables);
	check_run(world, &sent.run,
		  EXPECT(.reason = BR_FORWARDED, .bytes = bytes(&sent), .rx = PUB4,
			 .stream = STREAM(SLOT), .leg_bytes = bytes(&sent), .tickets = 1));
}
