// SPDX-License-Identifier: BSD-2-Clause
#include "lib/tally.h"

#include <stdbool.h>
#include <string.h>

static bool seen_test_and_set(struct br_tally *tally, uint64_t sequence)
{
	uint64_t *word = &tally->seen[sequence % BR_TALLY_WINDOW / 64];
	uint64_t bit = 1ULL << (sequence % 64);
	bool was = *word & bit;

	*word |= bit;
	return was;
}

/* Forget the numbers whose bits the window reuses when it moves on to @sequence. */
static void advance(struct br_tally *tally, uint64_t sequence)
{
	if (sequence - tally->highest >= BR_TALLY_WINDOW) {
		memset(tally->seen, 0, sizeof(tally->seen));
	} else {
		for (uint64_t s = tally->highest + 1; s <= sequence; s++)
			tally->seen[s % BR_TALLY_WINDOW / 64] &= ~(1ULL << (s % 64));
	}
	tally->highest = sequence;
}

enum br_tally_verdict br_tally_add(struct br_tally *tally, uint64_t sequence)
{
	tally->received++;
	if (!tally->unique) {
		tally->first = tally->highest = sequence;
	} else if (sequence > tally->highest) {
		advance(tally, sequence);
	} else if (tally->highest - sequence >= BR_TALLY_WINDOW) {
		tally->late++;
		return BR_TALLY_LATE;
	} else if (seen_test_and_set(tally, sequence)) {
		tally->duplicates++;
		return BR_TALLY_DUPLICATE;
	} else {
		tally->unique++;
		tally->reordered++;
		if (sequence < tally->first)
			tally->first = sequence;
		return BR_TALLY_REORDERED;
	}
	seen_test_and_set(tally, sequence);
	tally->unique++;
	return BR_TALLY_NEW;
}

uint64_t br_tally_lost(const struct br_tally *tally)
{
	return tally->unique ? tally->highest - tally->first + 1 - tally->unique : 0;
}

static unsigned int bucket_of(uint64_t ns)
{
	unsigned int octave;

	if (ns < BR_DELAY_SUB)
		return (unsigned int)ns;
	octave = 63 - (unsigned int)__builtin_clzll(ns) - 5; /* 5: log2 of BR_DELAY_SUB */
	if (octave >= BR_DELAY_OCTAVES)
		return BR_DELAY_BUCKETS - 1;
	return (octave + 1) * BR_DELAY_SUB + ((unsigned int)(ns >> octave) & (BR_DELAY_SUB - 1));
}

/* Largest delay that falls into the bucket. */
static uint64_t bucket_end(unsigned int bucket)
{
	unsigned int octave = bucket / BR_DELAY_SUB;

	if (!octave)
		return bucket;
	octave--;
	return ((uint64_t)(BR_DELAY_SUB + bucket % BR_DELAY_SUB + 1) << octave) - 1;
}

void br_delays_add(struct br_delays *delays, uint64_t ns)
{
	delays->count++;
	delays->buckets[bucket_of(ns)]++;
	if (ns > delays->max_ns)
		delays->max_ns = ns;
}

void br_delays_merge(struct br_delays *to, const struct br_delays *from)
{
	to->count += from->count;
	if (from->max_ns > to->max_ns)
		to->max_ns = from->max_ns;
	for (unsigned int i = 0; i < BR_DELAY_BUCKETS; i++)
		to->buckets[i] += from->buckets[i];
}

uint64_t br_delays_percentile(const struct br_delays *delays, unsigned int permille)
{
	uint64_t rank = (delays->count * permille + 999) / 1000, below = 0;

	for (unsigned int i = 0; i < BR_DELAY_BUCKETS - 1 && delays->count; i++) {
		below += delays->buckets[i];
		if (below >= rank && below)
			return bucket_end(i) < delays->max_ns ? bucket_end(i) : delays->max_ns;
	}
	return delays->max_ns;
}
