// SPDX-License-Identifier: BSD-2-Clause
#include "control/rank.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *const br_rank_names[BR_RANK_KEYS] = {
	[BR_RANK_OUT] = "out",	       [BR_RANK_OUT_BITS] = "out_bits", [BR_RANK_IN] = "in",
	[BR_RANK_IN_BITS] = "in_bits", [BR_RANK_DROPS] = "drops",	[BR_RANK_LEGS] = "legs",
	[BR_RANK_NAME] = "name",
};

static double rank_value(enum br_rank_key key, const struct br_ranked *entry)
{
	switch (key) {
	case BR_RANK_OUT:
		return entry->rates.tx_packets;
	case BR_RANK_OUT_BITS:
		return entry->rates.tx_bits;
	case BR_RANK_IN:
		return entry->rates.rx_packets;
	case BR_RANK_IN_BITS:
		return entry->rates.rx_bits;
	case BR_RANK_DROPS:
		return entry->rates.dropped;
	case BR_RANK_LEGS:
		return (double)entry->legs;
	case BR_RANK_NAME:
	case BR_RANK_KEYS:
		break;
	}
	return 0;
}

/* What it has done so far, where nothing is known of the last seconds. */
static uint64_t rank_total(const struct br_ranked *entry)
{
	return entry->counts.rx_packets + entry->counts.tx_packets;
}

/* Negative: @a comes before @b. Never 0 for two entries. */
static int rank_compare(enum br_rank_key key, const struct br_ranked *a, const struct br_ranked *b)
{
	double left = rank_value(key, a), right = rank_value(key, b);
	int names;

	if (key == BR_RANK_NAME) {
		names = strcmp(a->room, b->room);
		return names ? names : strcmp(a->name, b->name);
	}
	if (left != right)
		return left > right ? -1 : 1;
	if (rank_total(a) != rank_total(b))
		return rank_total(a) > rank_total(b) ? -1 : 1;
	return a->order < b->order ? -1 : 1;
}

static void rank_swap(struct br_ranked *a, struct br_ranked *b)
{
	struct br_ranked swap = *a;

	*a = *b;
	*b = swap;
}

/* Entry 0 is not the last in rank any more: let it sink among the first @count. */
static void rank_sink(struct br_rank *rank, size_t count)
{
	struct br_ranked *heap = rank->entries;
	size_t at = 0, child;

	while ((child = 2 * at + 1) < count) {
		if (child + 1 < count &&
		    rank_compare(rank->key, &heap[child + 1], &heap[child]) > 0)
			child++;
		if (rank_compare(rank->key, &heap[at], &heap[child]) > 0)
			return;
		rank_swap(&heap[at], &heap[child]);
		at = child;
	}
}

int br_rank_begin(struct br_rank *rank, enum br_rank_key key, size_t max)
{
	*rank = (struct br_rank){.key = key, .max = max};
	rank->entries = calloc(max + 1, sizeof(*rank->entries));
	return rank->entries ? 0 : -ENOMEM;
}

void br_rank_offer(struct br_rank *rank, const struct br_ranked *entry)
{
	struct br_ranked *heap = rank->entries;
	size_t at;

	if (rank->count == rank->max) {
		if (!rank->max || rank_compare(rank->key, entry, &heap[0]) > 0)
			return;
		heap[0] = *entry;
		rank_sink(rank, rank->count);
		return;
	}
	at = rank->count++;
	heap[at] = *entry;
	while (at && rank_compare(rank->key, &heap[at], &heap[(at - 1) / 2]) > 0) {
		rank_swap(&heap[at], &heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
}

void br_rank_sort(struct br_rank *rank)
{
	for (size_t left = rank->count; left > 1; left--) {
		rank_swap(&rank->entries[0], &rank->entries[left - 1]);
		rank_sink(rank, left - 1);
	}
}

void br_rank_end(struct br_rank *rank)
{
	free(rank->entries);
	*rank = (struct br_rank){0};
}
