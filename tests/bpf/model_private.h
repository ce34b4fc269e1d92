/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by the files of the reference model. */
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

/* What the model knows about a frame on its way in. */
struct model_seen {
	struct br_tuple tuple;
	size_t l3;
	uint16_t type;
	size_t header; /* of IP */
	size_t ip_length;
	size_t udp_length;
	uint16_t check;
	uint8_t ttl;
	enum model_class { MODEL_RTP, MODEL_RTCP, MODEL_SIGNAL } class;
	uint32_t ssrc; /* as on the wire */
};

/* May the STUN or DTLS go up? @leg: NOBODY for a stranger. 0 or the reason to drop. */
uint32_t model_signal(struct model_run *run, const struct model_seen *seen, uint32_t leg);
/* May the RTP or RTCP of the leg go on, and where? 0, BR_FEEDBACK or the reason to drop. */
uint32_t model_admit(struct model_run *run, const struct model_seen *seen, uint32_t leg,
		     struct br_route *route);
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
