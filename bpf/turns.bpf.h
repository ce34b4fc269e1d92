/* SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause) */
/*
 * Whose turn is it? The egress ring (256 frames on veth) is emptied between polls of the
 * kernel, not within one, so a poll's 64 packets times their receivers would overflow it.
 * Packets that find no room go round on the loop, in the order in which they came.
 *
 * Nothing tells an XDP program that a poll has ended, except a packet that has been on the
 * loop: it comes back in another poll, and the device behind the egress has had one as well
 * and taken BR_RING_DRAIN frames. So the backlog below is an upper bound of what is in the
 * ring, kept true by one packet at a time that goes round the other way than those that
 * wait: the one of a long route, with each segment, else the first one that had to wait.
 *
 * Each CPU works off its own queues, so these counts need no lock.
 */
#ifndef BR_TURNS_BPF_H
#define BR_TURNS_BPF_H

#include <stdbool.h>

#include "count.bpf.h"

/* Where a packet stands. */
enum br_turn {
	BR_TURN_NEW,	/* it has just come in */
	BR_TURN_PARKED, /* it has waited on the loop */
	BR_TURN_NEXT,	/* it has waited, and its return means that the ring has drained */
	BR_TURN_BEGUN,	/* it comes back for its next segment */
};

/* A loop on which nothing begins or ends for this long has lost its packets: count afresh. */
#define BR_LOOP_STUCK_NS 50000000LL

static __always_inline void br_turns_unstick(struct br_cpu *cpu, __u64 now_ns)
{
	if ((__s64)(now_ns - cpu->loop_ns) < BR_LOOP_STUCK_NS)
		return;
	cpu->loop_active = cpu->loop_parked = 0;
	cpu->loop_rest = BR_LOOP_RESTED;
	cpu->backlog = 0;
}

static __always_inline void br_turns_drained(struct br_cpu *cpu)
{
	cpu->backlog = cpu->backlog > BR_RING_DRAIN ? cpu->backlog - BR_RING_DRAIN : 0;
}

/**
 * br_turn_begin - may this packet be copied now?
 * @run: copies of its first segment
 * @more: segments follow; only BR_LOOP_ACTIVE such packets at a time
 * @turn: not BR_TURN_BEGUN
 */
static __always_inline bool br_turn_begin(struct br_cpu *cpu, __u32 run, bool more,
					  enum br_turn turn)
{
	__u64 now_ns = 0;

	if (more || cpu->loop_active || cpu->loop_parked)
		now_ns = bpf_ktime_get_coarse_ns();
	if (cpu->loop_active || cpu->loop_parked)
		br_turns_unstick(cpu, now_ns);
	if (turn == BR_TURN_NEXT) {
		br_turns_drained(cpu);
		cpu->loop_rest = BR_LOOP_RESTED;
	}
	if ((turn == BR_TURN_NEW && cpu->loop_parked) ||
	    (turn == BR_TURN_PARKED && cpu->loop_rest) ||
	    (more && cpu->loop_active >= BR_LOOP_ACTIVE) || cpu->backlog + run > BR_RING_BUDGET)
		return false;
	if (turn != BR_TURN_NEW && cpu->loop_parked)
		cpu->loop_parked--;
	cpu->backlog += run;
	cpu->loop_active += more;
	if (now_ns)
		cpu->loop_ns = now_ns;
	return true;
}

/* The packet of a long route that had begun is through, or cannot go on. */
static __always_inline void br_turn_end(struct br_cpu *cpu)
{
	if (!cpu->loop_active)
		return; /* counted afresh in between */
	cpu->loop_active--;
	cpu->loop_ns = bpf_ktime_get_coarse_ns();
}

/* A packet that has begun is back for its next segment, of @run copies. */
static __always_inline void br_turn_go_on(struct br_cpu *cpu, __u32 run, bool more)
{
	br_turns_drained(cpu);
	cpu->backlog += run;
	if (!more)
		br_turn_end(cpu);
}

/* A packet ends before it was copied. */
static __always_inline void br_turn_lost(struct br_cpu *cpu, enum br_turn turn)
{
	if (turn == BR_TURN_BEGUN)
		br_turn_end(cpu);
	if ((turn == BR_TURN_PARKED || turn == BR_TURN_NEXT) && cpu->loop_parked)
		cpu->loop_parked--;
	if (turn == BR_TURN_NEXT)
		cpu->loop_rest = BR_LOOP_RESTED;
}

/**
 * br_turn_wait - let a packet wait on the loop
 * @flags: set to the flags of its ticket
 *
 * Return: whether there is room to wait.
 */
static __always_inline bool br_turn_wait(struct br_cpu *cpu, enum br_turn turn, __u16 *flags)
{
	bool alone = !cpu->loop_active;

	*flags = BR_TICKET_PARKED;
	if (turn == BR_TURN_NEW) {
		if (cpu->loop_parked >= BR_LOOP_PARKED)
			return false;
		if (!cpu->loop_active && !cpu->loop_parked)
			cpu->loop_ns = bpf_ktime_get_coarse_ns();
		/* those ahead would have to wait for the last one */
		alone = alone && !cpu->loop_parked;
		cpu->loop_parked++;
	}
	if (alone && cpu->loop_rest == BR_LOOP_RESTED) {
		cpu->loop_rest = BR_LOOP_CHOSEN;
		*flags |= BR_TICKET_NEXT;
	}
	return true;
}

#endif
