/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs of slots: a buddy allocator whose blocks are cut to length. A free block of order
 * o has 2^o slots and begins at a multiple of 2^o; two free halves of a block are always
 * merged. State is kept at the first slot of a block or run only; it is 0 everywhere else,
 * so that the inside of something never looks like its beginning.
 */
#include "plane/slots.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#define ORDER_MAX 12u
_Static_assert(BR_RUN_MAX == 1u << ORDER_MAX, "the longest run fills the largest block");

#define NIL UINT32_MAX

/* State of the first slot: a kind, and the order (free) or the length (run). */
#define STATE_FREE    0x4000u
#define STATE_USED    0x8000u
#define STATE_RESTING 0xc000u

struct node {
	union {
		uint32_t previous;  /* free block: on the list of its order */
		uint64_t rested_ns; /* resting run: since when */
	};
	uint32_t next;
};

struct br_runs {
	uint64_t grace_ns;
	uint64_t latest_ns; /* latest time seen */
	uint32_t count;
	uint32_t used;
	uint32_t free_heads[ORDER_MAX + 1];
	uint32_t free_orders; /* bit o: the list of order o is not empty */
	uint32_t rest_head, rest_tail;
	uint16_t *states;
	struct node *nodes;
};

static uint32_t order_of(uint32_t length)
{
	return length <= 1 ? 0 : 32 - (uint32_t)__builtin_clz(length - 1);
}

static void push_free(struct br_runs *runs, uint32_t first, uint32_t order)
{
	struct node *node = &runs->nodes[first];

	assert(order < 32);
	node->previous = NIL;
	node->next = runs->free_heads[order];
	if (node->next != NIL)
		runs->nodes[node->next].previous = first;
	runs->free_heads[order] = first;
	runs->free_orders |= 1u << order;
	runs->states[first] = (uint16_t)(STATE_FREE | order);
}

static void unlink_free(struct br_runs *runs, uint32_t first, uint32_t order)
{
	const struct node *node = &runs->nodes[first];

	if (node->previous == NIL)
		runs->free_heads[order] = node->next;
	else
		runs->nodes[node->previous].next = node->next;
	if (node->next != NIL)
		runs->nodes[node->next].previous = node->previous;
	if (runs->free_heads[order] == NIL)
		runs->free_orders &= ~(1u << order);
	runs->states[first] = 0;
}

/* Free one aligned block, merging it with its other half as often as that is free. */
static void free_block(struct br_runs *runs, uint32_t first, uint32_t order)
{
	while (order < ORDER_MAX) {
		uint32_t buddy = first ^ (1u << order);

		if (buddy >= runs->count || runs->states[buddy] != (STATE_FREE | order))
			break;
		unlink_free(runs, buddy, order);
		first &= ~(1u << order);
		order++;
	}
	push_free(runs, first, order);
}

/* Free the slots first..end-1 as the largest aligned blocks that fit. */
static void free_range(struct br_runs *runs, uint32_t first, uint32_t end)
{
	while (first < end) {
		uint32_t order = first ? (uint32_t)__builtin_ctz(first) : ORDER_MAX;

		if (order > ORDER_MAX)
			order = ORDER_MAX;
		while ((1u << order) > end - first)
			order--;
		free_block(runs, first, order);
		first += 1u << order;
	}
}

struct br_runs *br_runs_new(uint32_t count, uint64_t grace_ns)
{
	struct br_runs *runs;

	if (count == 0 || count > BR_SLOTS_MAX)
		return NULL;
	runs = calloc(1, sizeof(*runs));
	if (!runs)
		return NULL;
	runs->states = calloc(count, sizeof(*runs->states));
	runs->nodes = calloc(count, sizeof(*runs->nodes));
	if (!runs->states || !runs->nodes) {
		br_runs_free(runs);
		return NULL;
	}
	runs->grace_ns = grace_ns;
	runs->count = count;
	runs->rest_head = NIL;
	runs->rest_tail = NIL;
	for (uint32_t order = 0; order <= ORDER_MAX; order++)
		runs->free_heads[order] = NIL;
	free_range(runs, 0, count);
	return runs;
}

void br_runs_free(struct br_runs *runs)
{
	if (!runs)
		return;
	free(runs->nodes);
	free(runs->states);
	free(runs);
}

static uint64_t advance(struct br_runs *runs, uint64_t now_ns)
{
	if (now_ns > runs->latest_ns)
		runs->latest_ns = now_ns;
	return runs->latest_ns;
}

void br_runs_settle(struct br_runs *runs, uint64_t now_ns)
{
	now_ns = advance(runs, now_ns);
	while (runs->rest_head != NIL) {
		uint32_t first = runs->rest_head;
		uint32_t length = runs->states[first] & ~STATE_RESTING;

		if (now_ns - runs->nodes[first].rested_ns < runs->grace_ns)
			break;
		runs->rest_head = runs->nodes[first].next;
		if (runs->rest_head == NIL)
			runs->rest_tail = NIL;
		runs->states[first] = 0;
		runs->used -= length;
		free_range(runs, first, first + length);
	}
}

int br_runs_take(struct br_runs *runs, uint64_t now_ns, uint32_t length, uint32_t *first)
{
	uint32_t fitting, order, block;

	if (length == 0 || length > BR_RUN_MAX)
		return -EINVAL;
	br_runs_settle(runs, now_ns);
	fitting = runs->free_orders & ~((1u << order_of(length)) - 1);
	if (!fitting)
		return -ENOSPC;
	order = (uint32_t)__builtin_ctz(fitting);
	block = runs->free_heads[order];
	unlink_free(runs, block, order);
	runs->states[block] = (uint16_t)(STATE_USED | length);
	free_range(runs, block + length, block + (1u << order));
	runs->used += length;
	*first = block;
	return 0;
}

void br_runs_rest(struct br_runs *runs, uint32_t first, uint32_t length, uint64_t now_ns)
{
	struct node *node;

	assert(first < runs->count);
	assert(runs->states[first] == (STATE_USED | length));
	runs->states[first] = (uint16_t)(STATE_RESTING | length);
	node = &runs->nodes[first];
	node->rested_ns = advance(runs, now_ns);
	node->next = NIL;
	if (runs->rest_tail == NIL)
		runs->rest_head = first;
	else
		runs->nodes[runs->rest_tail].next = first;
	runs->rest_tail = first;
}

/* Order of the free block that holds @slot, its beginning in @block; -1 when it is not free. */
static int find_free(const struct br_runs *runs, uint32_t slot, uint32_t *block)
{
	for (uint32_t order = 0; order <= ORDER_MAX; order++) {
		*block = slot & ~((1u << order) - 1);
		if (runs->states[*block] == (STATE_FREE | order))
			return (int)order;
	}
	return -1;
}

int br_runs_claim(struct br_runs *runs, uint32_t first, uint32_t length)
{
	uint32_t end, block;

	if (length == 0 || length > BR_RUN_MAX || first >= runs->count ||
	    length > runs->count - first)
		return -EINVAL;
	end = first + length;
	for (uint32_t slot = first; slot < end;) {
		int order = find_free(runs, slot, &block);

		if (order < 0)
			return -EEXIST;
		slot = block + (1u << order);
	}
	for (uint32_t slot = first; slot < end;) {
		uint32_t order = (uint32_t)find_free(runs, slot, &block);
		uint32_t after = block + (1u << order);

		unlink_free(runs, block, order);
		if (block < first)
			free_range(runs, block, first);
		if (after > end)
			free_range(runs, end, after);
		slot = after;
	}
	runs->states[first] = (uint16_t)(STATE_USED | length);
	runs->used += length;
	return 0;
}

uint32_t br_runs_used(const struct br_runs *runs)
{
	return runs->used;
}
