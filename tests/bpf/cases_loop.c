// SPDX-License-Identifier: BSD-2-Clause
/* relay_loop: the next segment of a long route. */
#include "cases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "check.h"

#define LONG (BR_CHUNK_MAX + 7u)

static size_t build(const struct tables *tables, uint8_t frame[static PACKET_MAX])
{
	struct packet packet;
	uint8_t payload[64];

	tables_packet_from(tables, PUB4, &packet);
	packet.payload = payload;
	packet.payload_length = payload_rtp(payload, 1, 0, PACKET_NO_EXT, 30);
	return packet_build(&packet, frame);
}

/* What goes round must come out with the rest of the route and a number of its own. */
void test_loop_walks_route(void **state)
{
	struct world *world = *state;
	uint8_t frame[PACKET_MAX], expected[PACKET_MAX];
	struct world_run run = {.program = PROGRAM_LOOP, .in = frame};
	struct br_cpu cpu = {.nonce = 0xfffe};
	struct tables tables;

	tables_base(&tables);
	world_write(world, &tables);
	world_set_cpu(world, &cpu);
	run.length = build(&tables, frame);
	tables_ticket(frame, PUB4, EDGES_LONG, LONG, 77);
	memcpy(expected, frame, run.length);

	check_run(world, &run, EXPECT(.reason = BR_LOOPED, .bytes = run.length - 14, .tickets = 1));
	tables_ticket(expected, PUB4, EDGES_LONG + BR_CHUNK_MAX, 7, 0xffff);
	check_bytes(&run, expected, run.length);

	memcpy(frame, expected, run.length);
	check_run(world, &run, EXPECT(.reason = BR_LOOPED, .bytes = run.length - 14, .tickets = 1));
	tables_ticket(expected, PUB4, EDGES_LONG + BR_CHUNK_MAX + 5, 2, 0);
	check_bytes(&run, expected, run.length);

	/* The last segment is not sent to the loop; should it come nevertheless, it ends. */
	memcpy(frame, expected, run.length);
	check_run(world, &run, EXPECT(.reason = BR_TICKET_SPENT, .bytes = run.length - 14));
	check_unchanged(&run);
}

void test_loop_refuses(void **state)
{
	static const struct {
		uint32_t first;
		uint16_t count;
		uint32_t reason;
		uint16_t tickets;
	} rows[] = {
		{EDGES_LONG, 0, BR_TICKET_SPENT, 0},
		{EDGES_LONG, BR_CHUNK_MAX, BR_TICKET_SPENT, 0},
		{EDGES_LONG, BR_CHUNK_MAX + 1, BR_LOOPED, 1}, /* of five in the next segment, one */
		{EDGES_LONG, BR_CHUNK_MAX + 4, BR_LOOPED, 1},
		{EDGES_LONG, BR_CHUNK_MAX + 5, BR_LOOPED, 1},
		{EDGES_LONG, BR_CHUNK_MAX + 6, BR_LOOPED, 1},
		{EDGES_LONG + 1, LONG, BR_TICKET_SPENT, 0}, /* inside a segment */
		{EDGES_ONE, 2, BR_NO_COPIER, 0},	    /* behind it there is nothing */
		{T_EDGES - 1, 2, BR_NO_COPIER, 0},
		{T_EDGES, 2, BR_TICKET_SPENT, 0},
		{BR_TICKET_INDEX_MAX - 1, BR_TICKET_COUNT, BR_TICKET_SPENT, 0},
		{BR_TICKET_INDEX_MAX - 1, 0xffff, BR_NO_COPIER, 0},
	};
	struct world *world = *state;
	uint8_t frame[PACKET_MAX];
	struct world_run run = {.program = PROGRAM_LOOP, .in = frame};
	struct tables tables;

	tables_base(&tables);
	tables.edges[T_EDGES - 1].run = 1;
	world_write(world, &tables);
	run.length = build(&tables, frame);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		tables_ticket(frame, PUB4, rows[i].first, rows[i].count, 5);
		check_run(world, &run,
			  EXPECT(.reason = rows[i].reason, .bytes = run.length - 14,
				 .tickets = rows[i].tickets));
	}
	/* A frame that is not ours, for example neighbour discovery */
	frame[0] ^= 0x01;
	check_run(world, &run, EXPECT(.reason = BR_NO_TICKET, .bytes = run.length - 14));
	check_unchanged(&run);
}

void test_loop_every_length(void **state)
{
	struct world *world = *state;
	uint8_t frame[PACKET_MAX];
	struct world_run run = {.program = PROGRAM_LOOP, .in = frame};
	struct tables tables;
	size_t whole;

	tables_base(&tables);
	world_write(world, &tables);
	whole = build(&tables, frame);
	tables_ticket(frame, PUB4, EDGES_LONG, LONG, 5);
	/* Nothing behind the Ethernet header is read here; the stamp looks for itself. */
	for (run.length = 14; run.length <= whole; run.length++)
		check_run(world, &run,
			  EXPECT(.reason = BR_LOOPED, .bytes = run.length - 14, .tickets = 1));
}

/* A frame on the loop with a ticket, and what becomes of both. */
static void check_loop(struct world *world, uint16_t flags, uint32_t first, uint16_t count,
		       const struct expect *expect, uint16_t out_flags, uint16_t nonce)
{
	uint8_t frame[PACKET_MAX], expected[PACKET_MAX];
	struct world_run run = {.program = PROGRAM_LOOP, .in = frame};
	struct expect whole = *expect;

	run.length = build(&world->tables, frame);
	memcpy(expected, frame, run.length);
	tables_ticket(frame, PUB4, first, count | flags, 7);
	tables_ticket(expected, PUB4, first, count | out_flags, nonce);
	whole.bytes = run.length - 14;
	check_run(world, &run, &whole);
	check_bytes(&run, expected, run.length);
}

/*
 * Packets that wait go round until there is room in the egress ring. The first one that finds
 * none is marked: when it is back, the ring has drained, and it begins.
 */
void test_loop_waits(void **state)
{
	const uint16_t parked = BR_TICKET_PARKED, next = BR_TICKET_PARKED | BR_TICKET_NEXT;
	struct world *world = *state;
	struct br_cpu cpu = {.loop_parked = 4, .backlog = BR_RING_BUDGET - 6};
	struct timespec now;
	struct tables tables;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	cpu.loop_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	tables_base(&tables);
	world_write(world, &tables);
	world_set_cpu(world, &cpu);

	/* room for six, as many receivers as it has */
	check_loop(world, parked, EDGES_SIX, 6,
		   EXPECT(.reason = BR_LOOPED, .tickets = 1, .parked = -1, .loop_moves = true,
			  .backlog = BR_RING_BUDGET),
		   0, 1);
	/* no room: it is marked, and so that it is not overtaken even one goes on waiting */
	check_loop(world, parked, EDGES_SIX, 6,
		   EXPECT(.reason = BR_PARKED, .rest = BR_LOOP_CHOSEN, .backlog = BR_RING_BUDGET),
		   next, 0);
	check_loop(world, parked | BR_TICKET_TAP, EDGES_ONE, 1,
		   EXPECT(.reason = BR_PARKED, .backlog = BR_RING_BUDGET), parked | BR_TICKET_TAP,
		   0);
	/* it is back, and begins; then there is room for the one as well */
	check_loop(world, next, EDGES_SIX, 6,
		   EXPECT(.reason = BR_LOOPED, .tickets = 1, .parked = -1, .rest = -BR_LOOP_CHOSEN,
			  .loop_moves = true, .backlog = BR_RING_BUDGET - BR_RING_DRAIN + 6),
		   0, 2);
	check_loop(world, parked | BR_TICKET_TAP, EDGES_ONE, 1,
		   EXPECT(.reason = BR_LOOPED, .tickets = 1, .parked = -1, .loop_moves = true,
			  .backlog = BR_RING_BUDGET - BR_RING_DRAIN + 7),
		   BR_TICKET_TAP, 3);
}

/* Of long routes one packet at a time; each of its segments means that the ring has drained. */
void test_loop_long(void **state)
{
	const uint16_t parked = BR_TICKET_PARKED, next = BR_TICKET_PARKED | BR_TICKET_NEXT;
	struct world *world = *state;
	uint8_t last[PACKET_MAX];
	struct world_run end = {.program = PROGRAM_LOOP, .in = last};
	struct br_cpu cpu = {.loop_active = 1, .loop_parked = 2, .backlog = 100};
	struct timespec now;
	struct tables tables;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	cpu.loop_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	tables_base(&tables);
	world_write(world, &tables);
	world_set_cpu(world, &cpu);
	/* nobody is marked meanwhile */
	check_loop(world, parked, EDGES_LONG, LONG, EXPECT(.reason = BR_PARKED, .backlog = 100),
		   parked, 0);
	end.length = build(&tables, last);
	tables_ticket(last, PUB4, EDGES_LONG + BR_CHUNK_MAX, 7, 6);
	check_run(world, &end,
		  EXPECT(.reason = BR_LOOPED, .bytes = end.length - 14, .tickets = 1, .active = -1,
			 .loop_moves = true, .backlog = 100 - BR_RING_DRAIN + 2));
	check_loop(world, parked | BR_TICKET_TAP, EDGES_LONG, LONG,
		   EXPECT(.reason = BR_LOOPED, .tickets = 1, .active = 1, .parked = -1,
			  .loop_moves = true, .backlog = 100 + 2),
		   BR_TICKET_TAP, 2);
	/* one that was marked by a count that is void goes back into the row */
	check_loop(world, next, EDGES_LONG, LONG,
		   EXPECT(.reason = BR_PARKED, .backlog = 100 - BR_RING_DRAIN + 2), parked, 0);
}

/* One that waits and finds no copier gives its place up. */
void test_loop_loses(void **state)
{
	static const uint16_t counts[] = {4 | BR_TICKET_PARKED,
					  4 | BR_TICKET_PARKED | BR_TICKET_NEXT};
	struct world *world = *state;
	struct br_cpu cpu = {.loop_parked = 2, .loop_rest = BR_LOOP_CHOSEN};
	uint8_t frame[PACKET_MAX];
	struct world_run run = {.program = PROGRAM_LOOP, .in = frame};
	struct tables tables;

	tables_base(&tables);
	world_write(world, &tables);
	world_set_cpu(world, &cpu);
	run.length = build(&tables, frame);
	for (int i = 0; i < 2; i++) {
		tables_ticket(frame, PUB4, EDGES_SIX + 1, counts[i], 5); /* inside a segment */
		check_run(world, &run,
			  EXPECT(.reason = BR_NO_COPIER, .bytes = run.length - 14, .parked = -1,
				 .rest = i ? -BR_LOOP_CHOSEN : 0));
	}
	/* a packet that has begun ends */
	cpu = (struct br_cpu){.loop_active = 1};
	world_set_cpu(world, &cpu);
	tables_ticket(frame, PUB4, EDGES_SIX, 9, 5);
	check_run(world, &run,
		  EXPECT(.reason = BR_NO_COPIER, .bytes = run.length - 14, .active = -1,
			 .loop_moves = true));
	/* nothing to copy, and yet it waits */
	tables_ticket(frame, PUB4, EDGES_SIX, BR_TICKET_PARKED | BR_TICKET_TAP, 5);
	check_run(world, &run, EXPECT(.reason = BR_TICKET_SPENT, .bytes = run.length - 14));
}
