/* SPDX-License-Identifier: BSD-2-Clause */
/* Other relays, measured on the same machine in the same run. */
#ifndef BR_BENCH_PEERS_H
#define BR_BENCH_PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

struct br_peer {
	const char *name;    /* as in --case and in the JSON */
	const char *title;   /* for people */
	const char *program; /* that must be installed; NULL: none */
	const char *versus;  /* the case of ours it is compared with */
	uint32_t receivers;  /* copies of one packet */
	uint32_t bytes;	     /* of UDP payload at the receivers */
	bool plain_relay;    /* in userspace, without opening: counts for the target */
	bool quick;
};

struct br_peer_result {
	const struct br_peer *peer;
	bool installed;
	double packets_per_s;	  /* copies that arrived, at the best load */
	double own_packets_per_s; /* of the relay in the case beside it; 0: not measured */
	double cpu; /* cores that the peer's process used then; 0: the kernel does it */
};

/** br_peer_count, br_peer_at - the table */
size_t br_peer_count(void);
const struct br_peer *br_peer_at(size_t index);
/** br_peer_measure - the packets/s that reach the receivers under rising load */
int br_peer_measure(const struct br_peer *peer, struct br_peer_result *result,
		    struct br_error *error);

#endif
