/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a peer is measured:
 *
 *	generator -> feed | in: peer, on a CPU of its own, in a namespace: out | drain -> sink
 */
#ifndef BR_BENCH_PEERS_PRIVATE_H
#define BR_BENCH_PEERS_PRIVATE_H

#include <blindrelay/bench.h>

#include "packet.h"
#include "peers.h"
#include "traffic.h"

#define BR_PEER_OUT4 "10.40.0.1" /* address of `out`; that of `in` is BR_BENCH_RELAY4 */

struct br_peer_lane {
	const struct br_peer *peer;
	struct br_traffic *traffic;
	int ns;
	pid_t pid;			  /* of the peer; 0: the kernel does it */
	int cpu;			  /* that the peer may use */
	uint32_t length;		  /* of the frames sent */
	uint8_t header[BR_BENCH_HEADERS]; /* of the frames sent; the peer may want it changed */
};

/* Each starts a peer that copies from the sender to receivers 0 to peer->receivers - 1. */
int br_peer_socket_start(struct br_peer_lane *lane, struct br_error *error);
int br_peer_nftables_start(struct br_peer_lane *lane, struct br_error *error);
int br_peer_coturn_start(struct br_peer_lane *lane, struct br_error *error);

#endif
