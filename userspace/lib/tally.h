/* SPDX-License-Identifier: BSD-2-Clause */
/* Counting one stream: loss, duplicates, reordering; and a histogram of delays. No I/O. */
#ifndef BR_TALLY_H
#define BR_TALLY_H

#include <stdint.h>

#define BR_TALLY_WINDOW 8192u /* how far behind the newest a duplicate is recognised, packets */

enum br_tally_verdict {
	BR_TALLY_NEW,
	BR_TALLY_REORDERED, /* new, but after a later one */
	BR_TALLY_DUPLICATE,
	BR_TALLY_LATE, /* so far behind that nobody can tell whether it is a duplicate */
};

struct br_tally {
	uint64_t received; /* packets, duplicates and late ones included */
	uint64_t unique;   /* different sequence numbers */
	uint64_t duplicates;
	uint64_t reordered;
	uint64_t late;
	uint64_t first;	  /* lowest extended sequence number; valid when unique > 0 */
	uint64_t highest; /* the same, highest */
	uint64_t seen[BR_TALLY_WINDOW / 64];
};

/** br_tally_add - count a packet with this extended sequence number */
enum br_tally_verdict br_tally_add(struct br_tally *tally, uint64_t sequence);
/** br_tally_lost - numbers missing between the first and the highest */
uint64_t br_tally_lost(const struct br_tally *tally);

/* Buckets of 1/32 octave up to 2^40 ns (18 minutes): percentiles are at most 3.2 % too high. */
#define BR_DELAY_SUB	 32u
#define BR_DELAY_OCTAVES 35u
#define BR_DELAY_BUCKETS ((BR_DELAY_OCTAVES + 1) * BR_DELAY_SUB)

/* Delays in nanoseconds. */
struct br_delays {
	uint64_t count;
	uint64_t max_ns; /* exact */
	uint32_t buckets[BR_DELAY_BUCKETS];
};

/** br_delays_add - count a delay of @ns */
void br_delays_add(struct br_delays *delays, uint64_t ns);
/** br_delays_merge - add all of @from to @to */
void br_delays_merge(struct br_delays *to, const struct br_delays *from);
/** br_delays_percentile - delay in ns not exceeded by @permille of 1000 packets; 0 without any */
uint64_t br_delays_percentile(const struct br_delays *delays, unsigned int permille);

#endif
