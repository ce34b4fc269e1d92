/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by the two files of the reference model. */
#ifndef TEST_BPF_MODEL_PRIVATE_H
#define TEST_BPF_MODEL_PRIVATE_H

#include "model.h"

#define NOBODY (~0u) /* no leg, no stream */

struct model_run {
	struct tables *tables;
	struct counters *counters;
	uint64_t now_ns;
	struct outcome *out;
};

/* Is the leg alive at this time? */
bool model_alive(const struct br_leg *leg, uint64_t now_ns);
/* Read the ticket of a frame; false when there is none. */
bool model_read_ticket(const uint8_t *in, size_t length, struct br_ticket *ticket);
/* Predict a run of the stamp; sets everything in run->out but verdict DROP. */
void model_stamp(struct model_run *run, const uint8_t *in, size_t length);
/* The same for a frame that needs no ticket, from this leg by this edge; reason is not set. */
void model_stamp_edge(struct model_run *run, const uint8_t *in, size_t length, uint32_t from,
		      const struct br_edge *edge);

#endif
