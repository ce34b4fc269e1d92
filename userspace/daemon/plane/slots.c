/* SPDX-License-Identifier: BSD-2-Clause */
/* Single slots: a stack of free ones, a queue of resting ones, a mark below which all were used. */
#include "plane/slots.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#define NIL   UINT32_MAX       /* end of a list */
#define TAKEN (UINT32_MAX - 1) /* in slot.next: on no list */

struct slot {
	union {
		uint32_t previous;  /* on the free list */
		uint64_t rested_ns; /* on the resting queue: since when */
	};
	uint32_t next;
	bool resting;
};
_Static_assert(sizeof(struct slot) == 16, "the cost that slots.h promises");

struct br_slots {
	uint64_t grace_ns;
	uint64_t latest_ns; /* latest time seen */
	uint32_t count;
	uint32_t fresh; /* slots from here on were never used and are on no list */
	uint32_t used;
	uint32_t free_head;
	uint32_t rest_head, rest_tail;
	struct slot slots[];
};

struct br_slots *br_slots_new(uint32_t count, uint64_t grace_ns)
{
	struct br_slots *slots;

	if (count == 0 || count > BR_SLOTS_MAX)
		return NULL;
	slots = calloc(1, sizeof(*slots) + (size_t)count * sizeof(slots->slots[0]));
	if (!slots)
		return NULL;
	slots->grace_ns = grace_ns;
	slots->count = count;
	slots->free_head = NIL;
	slots->rest_head = NIL;
	slots->rest_tail = NIL;
	return slots;
}

void br_slots_free(struct br_slots *slots)
{
	free(slots);
}

static uint64_t advance(uint64_t *latest_ns, uint64_t now_ns)
{
	if (now_ns > *latest_ns)
		*latest_ns = now_ns;
	return *latest_ns;
}

static void push_free(struct br_slots *slots, uint32_t index)
{
	struct slot *slot = &slots->slots[index];

	slot->resting = false;
	slot->previous = NIL;
	slot->next = slots->free_head;
	if (slots->free_head != NIL)
		slots->slots[slots->free_head].previous = index;
	slots->free_head = index;
}

static void unlink_free(struct br_slots *slots, uint32_t index)
{
	const struct slot *slot = &slots->slots[index];

	if (slot->previous == NIL)
		slots->free_head = slot->next;
	else
		slots->slots[slot->previous].next = slot->next;
	if (slot->next != NIL)
		slots->slots[slot->next].previous = slot->previous;
}

static void mark_taken(struct br_slots *slots, uint32_t index)
{
	slots->slots[index].next = TAKEN;
	slots->slots[index].resting = false;
	slots->used++;
}

void br_slots_settle(struct br_slots *slots, uint64_t now_ns)
{
	now_ns = advance(&slots->latest_ns, now_ns);
	while (slots->rest_head != NIL) {
		uint32_t index = slots->rest_head;
		const struct slot *slot = &slots->slots[index];

		if (now_ns - slot->rested_ns < slots->grace_ns)
			break;
		slots->rest_head = slot->next;
		if (slots->rest_head == NIL)
			slots->rest_tail = NIL;
		push_free(slots, index);
		slots->used--;
	}
}

int br_slots_take(struct br_slots *slots, uint64_t now_ns, uint32_t *slot)
{
	uint32_t index;

	br_slots_settle(slots, now_ns);
	if (slots->free_head != NIL) {
		index = slots->free_head;
		unlink_free(slots, index);
	} else if (slots->fresh < slots->count) {
		index = slots->fresh++;
	} else {
		return -ENOSPC;
	}
	mark_taken(slots, index);
	*slot = index;
	return 0;
}

void br_slots_rest(struct br_slots *slots, uint32_t slot, uint64_t now_ns)
{
	struct slot *entry;

	assert(slot < slots->fresh);
	entry = &slots->slots[slot];
	assert(entry->next == TAKEN);
	entry->resting = true;
	entry->rested_ns = advance(&slots->latest_ns, now_ns);
	entry->next = NIL;
	if (slots->rest_tail == NIL)
		slots->rest_head = slot;
	else
		slots->slots[slots->rest_tail].next = slot;
	slots->rest_tail = slot;
}

int br_slots_claim(struct br_slots *slots, uint32_t slot)
{
	if (slot >= slots->count)
		return -EINVAL;
	/* what is skipped joins the free list: once per slot in the allocator's life */
	while (slots->fresh <= slot)
		push_free(slots, slots->fresh++);
	if (slots->slots[slot].next == TAKEN || slots->slots[slot].resting)
		return -EEXIST;
	unlink_free(slots, slot);
	mark_taken(slots, slot);
	return 0;
}

uint32_t br_slots_used(const struct br_slots *slots)
{
	return slots->used;
}

uint32_t br_slots_end(const struct br_slots *slots)
{
	return slots->fresh;
}
