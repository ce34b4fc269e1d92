/* SPDX-License-Identifier: BSD-2-Clause */
/* One receiver: its socket, its streams, and what it thinks of each packet. */
#ifndef BR_LAB_RECEIVER_H
#define BR_LAB_RECEIVER_H

#include <stdbool.h>
#include <stdint.h>

#include "lab/flags.h"
#include "lab/seal.h"
#include "lib/tally.h"

#define BR_RECEIVER_STREAMS 8192u /* SSRCs that one receiver keeps apart */

/* One SSRC at one receiver. */
struct br_stream {
	uint32_t ssrc;
	uint64_t bytes; /* UDP payload of different RTP packets */
	uint64_t rtcp;
	struct br_tally tally;
};

/* What is the same for all receivers. */
struct br_receiver_rules {
	const struct br_seal *seal;
	uint64_t seed;
	struct br_ssrcs ssrcs;	 /* expected; empty: all */
	struct br_endpoint from; /* the only address that may send; family 0: any */
};

struct br_receiver {
	int fd;
	uint16_t port; /* host byte order */
	srtp_t session;
	struct br_stream **streams; /* hash table by SSRC, open addressing */
	size_t stream_count, stream_slots;
	struct br_stream *latest; /* most packets come in runs of one SSRC */

	uint64_t unique; /* different authentic RTP packets with an expected SSRC */
	uint64_t bytes;	 /* of these, UDP payload */
	uint64_t rtcp;	 /* authentic RTCP packets */
	uint64_t auth_failures;
	uint64_t replayed; /* libsrtp says: a duplicate */
	uint64_t too_late; /* so far behind that libsrtp cannot tell */
	uint64_t altered_packets, altered_bytes;
	uint64_t unexpected_ssrc, unexpected_source, not_rtp;
	uint64_t socket_drops; /* by the kernel, as our socket was full */
	struct br_delays delays;
};

/* Sums over the streams of a receiver, and what libsrtp saw. */
struct br_receiver_sums {
	uint64_t lost, duplicates, reordered, late;
};

/**
 * br_receiver_open - bind a socket and make the session
 * @endpoint: where; @buffer: wanted size of the socket's buffer, bytes
 *
 * Return: 0 or negative errno; br_receiver_close() also after an error.
 */
int br_receiver_open(struct br_receiver *receiver, const struct br_receiver_rules *rules,
		     const struct br_endpoint *endpoint, uint64_t buffer, struct br_error *error);
/** br_receiver_close - free everything */
void br_receiver_close(struct br_receiver *receiver);

/**
 * br_receiver_packet - judge and count one datagram
 * @packet: changed: opened in place; 32-bit aligned
 * @from: who sent it
 * @now_ns: CLOCK_MONOTONIC when it was read
 *
 * Return: 0, or -ENOMEM.
 */
int br_receiver_packet(struct br_receiver *receiver, const struct br_receiver_rules *rules,
		       uint8_t *packet, size_t length, const struct sockaddr_storage *from,
		       uint64_t now_ns);

/** br_receiver_sum - lost, duplicates, reordered over all streams */
struct br_receiver_sums br_receiver_sum(const struct br_receiver *receiver);
/** br_receiver_drops - read the kernel's count of packets that found the socket full */
void br_receiver_drops(struct br_receiver *receiver);

#endif
