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
		{EDGES_LONG, BR_CHUNK_MAX + 1, BR_NO_COPIER, 0}, /* next segment is 5 long */
		{EDGES_LONG, BR_CHUNK_MAX + 4, BR_NO_COPIER, 0},
		{EDGES_LONG, BR_CHUNK_MAX + 5, BR_LOOPED, 1},
		{EDGES_LONG, BR_CHUNK_MAX + 6, BR_LOOPED, 1},
		{EDGES_LONG + 1, LONG, BR_TICKET_SPENT, 0}, /* inside a segment */
		{EDGES_ONE, 2, BR_NO_COPIER, 0},	    /* behind it there is nothing */
		{T_EDGES - 1, 2, BR_NO_COPIER, 0},
		{T_EDGES, 2, BR_TICKET_SPENT, 0},
		{BR_TICKET_INDEX_MAX - 1, 0xffff, BR_TICKET_SPENT, 0},
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

/*
 * A packet that waits goes round unchanged until the one before it has ended, and once more
 * so that it begins in another turn.
 */
void test_loop_waits(void **state)
{
	struct world *world = *state;
	uint8_t parked[PACKET_MAX], last[PACKET_MAX], next[PACKET_MAX], expected[PACKET_MAX];
	struct world_run wait = {.program = PROGRAM_LOOP, .in = parked};
	struct world_run end = {.program = PROGRAM_LOOP, .in = last};
	struct world_run begin = {.program = PROGRAM_LOOP, .in = next};
	struct br_cpu cpu = {.loop_active = 1, .loop_parked = 2};
	struct timespec now;
	struct tables tables;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	cpu.loop_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	tables_base(&tables);
	world_write(world, &tables);
	world_set_cpu(world, &cpu);
	wait.length = end.length = begin.length = build(&tables, parked);
	memcpy(last, parked, wait.length);
	memcpy(next, parked, wait.length);
	memcpy(expected, parked, wait.length);
	tables_ticket(parked, PUB4, EDGES_LONG, LONG | BR_TICKET_PARKED, 7);
	tables_ticket(last, PUB4, EDGES_LONG + BR_CHUNK_MAX, 7, 6);
	tables_ticket(next, PUB4, EDGES_LONG, LONG | BR_TICKET_PARKED | BR_TICKET_NEXT, 3);

	check_run(world, &wait,
		  EXPECT(.reason = BR_PARKED, .bytes = wait.length - 14, .tickets = 1));
	tables_ticket(expected, PUB4, EDGES_LONG, LONG | BR_TICKET_PARKED, 1);
	check_bytes(&wait, expected, wait.length);
	check_run(world, &end,
		  EXPECT(.reason = BR_LOOPED, .bytes = end.length - 14, .tickets = 1, .active = -1,
			 .rest = BR_LOOP_ENDED, .loop_moves = true));

	/* the first to come round is chosen, the second is not */
	check_run(world, &wait,
		  EXPECT(.reason = BR_PARKED, .bytes = wait.length - 14, .tickets = 1,
			 .rest = BR_LOOP_CHOSEN - BR_LOOP_ENDED));
	tables_ticket(expected, PUB4, EDGES_LONG, LONG | BR_TICKET_PARKED | BR_TICKET_NEXT, 3);
	check_bytes(&wait, expected, wait.length);
	check_run(world, &wait,
		  EXPECT(.reason = BR_PARKED, .bytes = wait.length - 14, .tickets = 1));
	tables_ticket(expected, PUB4, EDGES_LONG, LONG | BR_TICKET_PARKED, 4);
	check_bytes(&wait, expected, wait.length);

	check_run(world, &begin,
		  EXPECT(.reason = BR_LOOPED, .bytes = begin.length - 14, .tickets = 1, .active = 1,
			 .parked = -1, .rest = -BR_LOOP_CHOSEN, .loop_moves = true));
	tables_ticket(expected, PUB4, EDGES_LONG, LONG, 5);
	check_bytes(&begin, expected, begin.length);
	check_run(world, &wait,
		  EXPECT(.reason = BR_PARKED, .bytes = wait.length - 14, .tickets = 1));
}
