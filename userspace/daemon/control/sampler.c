// SPDX-License-Identifier: BSD-2-Clause
#include "control/sampler.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "plane/slow.h"

/* Kept for those who ask at longer intervals than others do. */
#define BR_SAMPLES 8u

/* A leg in a sample. Slots are used again, so it says whose counters these are. */
struct br_sample_leg {
	uint64_t id; /* order of the leg + 1; 0: nobody */
	struct br_counts counts;
};

struct br_sample {
	struct br_counter reasons[BR_REASON_COUNT];
	struct br_slow_totals slow;
	uint64_t begin_ns;
	uint32_t count; /* legs by slot */
	struct br_sample_leg *legs;
	uint64_t *step_ns; /* when each step was read */
};

struct br_sampler {
	const struct br_plane *plane;
	const struct br_rooms *rooms;
	struct br_sample *samples[BR_SAMPLES]; /* complete ones, the latest first */
	struct br_sample *next;		       /* being taken; NULL: none is */
	uint32_t done;			       /* legs of it that were read */
};

static void sample_free(struct br_sample *sample)
{
	if (!sample)
		return;
	free(sample->legs);
	free(sample->step_ns);
	free(sample);
}

static struct br_sample *sample_new(uint32_t count)
{
	struct br_sample *sample = calloc(1, sizeof(*sample));
	size_t steps = count / BR_SAMPLER_STEP + 1;

	if (!sample)
		return NULL;
	sample->count = count;
	sample->legs = calloc(count + 1, sizeof(*sample->legs));
	sample->step_ns = calloc(steps, sizeof(*sample->step_ns));
	if (sample->legs && sample->step_ns)
		return sample;
	sample_free(sample);
	return NULL;
}

struct br_sampler *br_sampler_new(const struct br_plane *plane, const struct br_rooms *rooms)
{
	struct br_sampler *sampler = calloc(1, sizeof(*sampler));

	if (!sampler)
		return NULL;
	sampler->plane = plane;
	sampler->rooms = rooms;
	return sampler;
}

void br_sampler_drop(struct br_sampler *sampler)
{
	for (size_t i = 0; i < BR_SAMPLES; i++)
		sample_free(sampler->samples[i]);
	memset(sampler->samples, 0, sizeof(sampler->samples));
	sample_free(sampler->next);
	sampler->next = NULL;
}

void br_sampler_free(struct br_sampler *sampler)
{
	if (!sampler)
		return;
	br_sampler_drop(sampler);
	free(sampler);
}

bool br_sampler_running(const struct br_sampler *sampler)
{
	return sampler->next;
}

static void sampler_reasons(const struct br_plane *plane, struct br_sample *sample)
{
	br_plane_counters(plane, sample->reasons);
	sample->slow = *br_plane_slow_totals(plane);
	for (int r = 0; r < BR_REASON_COUNT; r++) {
		if (br_reason_verdict((enum br_reason)r) == BR_VERDICT_PASS)
			continue;
		sample->reasons[r].packets += sample->slow.reasons[r].packets;
		sample->reasons[r].bytes += sample->slow.reasons[r].bytes;
	}
}

/* Read the next legs of the sample that is being taken. */
static int sampler_step(struct br_sampler *sampler, uint64_t now_ns)
{
	struct br_leg_counters counters[BR_SAMPLER_STEP];
	struct br_sample *sample = sampler->next;
	uint32_t first = sampler->done, left = sample->count - first;
	uint32_t count = left < BR_SAMPLER_STEP ? left : BR_SAMPLER_STEP;
	int err = br_plane_leg_counters(sampler->plane, first, count, counters);

	if (err)
		return err;
	for (uint32_t i = 0; i < count; i++) {
		const struct br_room_leg *leg = br_room_leg_at(sampler->rooms, first + i);
		struct br_sample_leg *out = &sample->legs[first + i];

		if (!leg)
			continue;
		out->id = br_room_leg_order(leg) + 1;
		out->counts = (struct br_counts){
			.rx_packets = counters[i].rx.packets,
			.rx_bytes = counters[i].rx.bytes,
			.tx_packets = counters[i].tx.packets,
			.tx_bytes = counters[i].tx.bytes,
			.rx_dropped = counters[i].rx_dropped,
			.tx_dropped = counters[i].tx_dropped,
		};
	}
	sample->step_ns[first / BR_SAMPLER_STEP] = now_ns;
	sampler->done += count;
	return 0;
}

static void sampler_keep(struct br_sampler *sampler)
{
	sample_free(sampler->samples[BR_SAMPLES - 1]);
	memmove(sampler->samples + 1, sampler->samples,
		(BR_SAMPLES - 1) * sizeof(*sampler->samples));
	sampler->samples[0] = sampler->next;
	sampler->next = NULL;
}

int br_sampler_run(struct br_sampler *sampler, uint64_t (*now)(void), uint64_t budget_ns)
{
	uint64_t begin_ns = now(), now_ns = begin_ns;
	int err = 0;

	if (!sampler->next) {
		sampler->next = sample_new(br_plane_legs_end(sampler->plane));
		if (!sampler->next)
			return -ENOMEM;
		sampler->done = 0;
		sampler->next->begin_ns = now_ns;
		sampler_reasons(sampler->plane, sampler->next);
	}
	while (!err && sampler->done < sampler->next->count && now_ns - begin_ns < budget_ns) {
		err = sampler_step(sampler, now_ns);
		now_ns = now();
	}
	if (err) {
		sample_free(sampler->next);
		sampler->next = NULL;
		return err;
	}
	if (sampler->done < sampler->next->count)
		return 0;
	sampler_keep(sampler);
	return 1;
}

struct br_sample_pair br_sampler_pair(const struct br_sampler *sampler, uint64_t interval_ns)
{
	struct br_sample_pair pair = {.now = sampler->samples[0]};

	/* who asks every second asks a little earlier or later */
	interval_ns -= interval_ns / 8;
	for (size_t i = 1; i < BR_SAMPLES && sampler->samples[i] && pair.ns < interval_ns; i++) {
		pair.before = sampler->samples[i];
		pair.ns = pair.now->begin_ns - pair.before->begin_ns;
	}
	return pair;
}

uint64_t br_sample_time_ns(const struct br_sample *sample)
{
	return sample->begin_ns;
}

const struct br_counter *br_sample_reasons(const struct br_sample *sample)
{
	return sample->reasons;
}

const struct br_slow_totals *br_sample_slow(const struct br_sample *sample)
{
	return &sample->slow;
}

/* Its entry in a sample; NULL when it was not there. */
static const struct br_sample_leg *sample_find(const struct br_sample *sample,
					       const struct br_room_leg *leg)
{
	uint32_t slot = br_room_leg_slot(leg);

	return sample && slot < sample->count && sample->legs[slot].id == br_room_leg_order(leg) + 1
		       ? &sample->legs[slot]
		       : NULL;
}

void br_sample_leg(const struct br_sample_pair *pair, const struct br_room_leg *leg,
		   struct br_counts *counts, struct br_rates *rates)
{
	static const struct br_counts none;
	const struct br_sample_leg *now = sample_find(pair->now, leg);
	const struct br_sample_leg *before = sample_find(pair->before, leg);
	uint64_t ns = pair->ns;
	uint32_t step;

	*counts = none;
	*rates = (struct br_rates){0};
	if (!now)
		return;
	*counts = now->counts;
	step = br_room_leg_slot(leg) / BR_SAMPLER_STEP;
	if (before)
		ns = pair->now->step_ns[step] - pair->before->step_ns[step];
	*rates = br_rates_between(counts, before ? &before->counts : &none, ns);
}
