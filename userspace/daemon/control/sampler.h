/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Samples of all counters, taken when somebody asks, and rates between two of them. A sample
 * of a full relay reads tens of thousands of legs: it is taken in steps, each of which reads
 * some hundred legs in one system call, so that the event loop is never held up for long.
 * Nobody asks: nothing is read, and br_sampler_drop gives the memory back.
 */
#ifndef BR_SAMPLER_H
#define BR_SAMPLER_H

#include <stdbool.h>
#include <stdint.h>

#include "plane/plane.h"
#include "room/room.h"

#define BR_SAMPLER_STEP 512u /* legs read at once */

/* Since a leg or a room is there; or what came between two samples. */
struct br_counts {
	uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes;
	uint64_t rx_dropped, tx_dropped; /* packets */
};

/* Per second. */
struct br_rates {
	double rx_packets, rx_bits, tx_packets, tx_bits;
	double dropped; /* packets and copies */
};

/**
 * br_counts_rate - events per second
 * @now: counter, and @before: what it was @ns earlier
 *
 * A counter that has become smaller was cleared in between: all it shows is new. No time: 0.
 */
double br_counts_rate(uint64_t now, uint64_t before, uint64_t ns);
/** br_rates_between - all of them; bytes become bits */
struct br_rates br_rates_between(const struct br_counts *now, const struct br_counts *before,
				 uint64_t ns);
/** br_counts_add - add @more to @sum */
void br_counts_add(struct br_counts *sum, const struct br_counts *more);
/** br_rates_add - add @more to @sum */
void br_rates_add(struct br_rates *sum, const struct br_rates *more);

struct br_sampler;

/** br_sampler_new - nothing is read yet; both must outlive it; NULL without memory */
struct br_sampler *br_sampler_new(const struct br_plane *plane, const struct br_rooms *rooms);
void br_sampler_free(struct br_sampler *sampler);
/** br_sampler_drop - forget all samples */
void br_sampler_drop(struct br_sampler *sampler);

/**
 * br_sampler_run - go on with the sample that is being taken, or begin one
 * @now: returns CLOCK_MONOTONIC nanoseconds
 * @budget_ns: stop after a step that ends this much later
 *
 * Return: 1 when the sample is complete, 0 when there is more to do, or a negative errno; then
 * this sample is given up.
 */
int br_sampler_run(struct br_sampler *sampler, uint64_t (*now)(void), uint64_t budget_ns);
/** br_sampler_running - is there more to do? */
bool br_sampler_running(const struct br_sampler *sampler);

/* Two samples to compare; valid until the sampler runs again. */
struct br_sample_pair {
	const struct br_sample *now;	/* the latest; NULL: there is none yet */
	const struct br_sample *before; /* NULL: there is no earlier one */
	uint64_t ns;			/* between the two; 0 without an earlier one */
};

/**
 * br_sampler_pair - the latest sample, and the one about @interval_ns before it
 *
 * Only a few samples are kept: the earlier one may be nearer. Never farther than needed.
 */
struct br_sample_pair br_sampler_pair(const struct br_sampler *sampler, uint64_t interval_ns);
/** br_sample_time_ns - when it was begun, by the clock of br_sampler_run */
uint64_t br_sample_time_ns(const struct br_sample *sample);
/**
 * br_sample_reasons - BR_REASON_COUNT counters by reason, of the kernel and of the slow path
 *
 * What the kernel passed up is counted once, with the kernel's reason.
 */
const struct br_counter *br_sample_reasons(const struct br_sample *sample);
/** br_sample_slow - of these, what the daemon forwarded itself */
const struct br_slow_totals *br_sample_slow(const struct br_sample *sample);
/**
 * br_sample_leg - what the pair says of a leg
 *
 * Zero for a leg that came after the latest sample. One that came between the two has all of
 * its packets in between.
 */
void br_sample_leg(const struct br_sample_pair *pair, const struct br_room_leg *leg,
		   struct br_counts *counts, struct br_rates *rates);

#endif
