/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who owns which index of a table that the kernel reads. An index that is given back
 * rests for a grace time before it is handed out again, because a packet on its way may
 * still name it. No clock and no table in here: the caller passes the time in
 * nanoseconds (CLOCK_MONOTONIC); a time earlier than one seen before counts as that one.
 *
 * Two allocators: single slots (legs, streams), and runs of neighbouring slots (edges).
 * Giving back what is not taken is an error of the program and ends it.
 */
#ifndef BR_SLOTS_H
#define BR_SLOTS_H

#include <stdint.h>

#define BR_SLOTS_MAX (1u << 24) /* indices of one allocator */
#define BR_RUN_MAX   4096u	/* longest run */

struct br_slots;

/**
 * br_slots_new - allocator of the indices 0..count-1, all free
 * @count: 1..BR_SLOTS_MAX
 * @grace_ns: how long a slot rests
 *
 * Costs 16 bytes per index, of which only those ever used are touched.
 *
 * Return: owned by the caller, freed by br_slots_free; NULL without memory or when
 * @count is out of range.
 */
struct br_slots *br_slots_new(uint32_t count, uint64_t grace_ns);
/** br_slots_free - NULL is ignored */
void br_slots_free(struct br_slots *slots);
/**
 * br_slots_take - a free slot
 * @now_ns: present time
 * @slot: set on success; a slot used before is preferred to a fresh one
 *
 * O(1), apart from slots that stop resting, each of which is handled once.
 *
 * Return: 0, or -ENOSPC when all are used or resting.
 */
int br_slots_take(struct br_slots *slots, uint64_t now_ns, uint32_t *slot);
/** br_slots_rest - give a taken slot back; it may be taken again after the grace time. O(1) */
void br_slots_rest(struct br_slots *slots, uint32_t slot, uint64_t now_ns);
/**
 * br_slots_claim - mark a certain slot as taken, as when tables are adopted after a restart
 *
 * Return: 0, -EINVAL when there is no such slot, -EEXIST when it is used or resting.
 */
int br_slots_claim(struct br_slots *slots, uint32_t slot);
/** br_slots_settle - free what has rested long enough; br_slots_take does it as well */
void br_slots_settle(struct br_slots *slots, uint64_t now_ns);
/** br_slots_used - slots that are used or resting, as of the last settle or take */
uint32_t br_slots_used(const struct br_slots *slots);

/** br_slots_end - slots from here on have never been taken */
uint32_t br_slots_end(const struct br_slots *slots);

struct br_runs;

/**
 * br_runs_new - allocator of runs inside the indices 0..count-1, all free
 * @count: 1..BR_SLOTS_MAX
 * @grace_ns: how long a run rests
 *
 * A buddy allocator: a run of length n starts at a multiple of the next power of two, so
 * it needs an aligned free block of that size and may fail with more than n slots free.
 * The tail of the block beyond n is free for shorter runs: no slot inside is wasted.
 * Costs 18 bytes per index, touched only where runs or free blocks begin.
 *
 * Return: owned by the caller, freed by br_runs_free; NULL without memory or when
 * @count is out of range.
 */
struct br_runs *br_runs_new(uint32_t count, uint64_t grace_ns);
/** br_runs_free - NULL is ignored */
void br_runs_free(struct br_runs *runs);
/**
 * br_runs_take - a run of free slots
 * @now_ns: present time
 * @length: 1..BR_RUN_MAX
 * @first: set on success: index of the first slot
 *
 * At most log2(BR_RUN_MAX) steps, apart from runs that stop resting.
 *
 * Return: 0, -EINVAL for the length, -ENOSPC when no block is large enough.
 */
int br_runs_take(struct br_runs *runs, uint64_t now_ns, uint32_t length, uint32_t *first);
/** br_runs_rest - give a whole run back, with the length it was taken with. O(1) */
void br_runs_rest(struct br_runs *runs, uint32_t first, uint32_t length, uint64_t now_ns);
/**
 * br_runs_claim - mark a certain run as taken, as when tables are adopted after a restart
 *
 * Return: 0, -EINVAL when it does not fit into the table or the length is not
 * 1..BR_RUN_MAX, -EEXIST when a slot of it is used or resting (nothing has changed).
 */
int br_runs_claim(struct br_runs *runs, uint32_t first, uint32_t length);
/** br_runs_settle - free what has rested long enough; br_runs_take does it as well */
void br_runs_settle(struct br_runs *runs, uint64_t now_ns);
/** br_runs_used - slots in runs that are used or resting, as of the last settle or take */
uint32_t br_runs_used(const struct br_runs *runs);

#endif
