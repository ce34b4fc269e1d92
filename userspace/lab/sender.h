/* SPDX-License-Identifier: BSD-2-Clause */
/* Publishers: sockets, sealed packets in batches, pacing. */
#ifndef BR_LAB_SENDER_H
#define BR_LAB_SENDER_H

#include <stdbool.h>
#include <stdint.h>

#include "lab/flags.h"
#include "lab/run.h"
#include "lab/seal.h"
#include "lib/error.h"

#define BR_SENDER_MAX	 4096u /* publishers */
#define BR_SENDER_BURST	 64u   /* packets in one system call */
#define BR_SENDER_PACKET 9000u /* largest datagram, bytes */

struct br_sender_options {
	struct br_endpoint to;
	struct br_addr from; /* family 0: any */
	uint64_t local_port; /* of publisher 0; 0: whatever is free */
	bool one_port;	     /* all publishers send from one socket */
	uint64_t publishers;
	uint64_t ssrc;	       /* of publisher 0 */
	uint64_t rate;	       /* packets/s of one publisher; 0: as fast as possible */
	uint64_t bitrate;      /* bit/s of one publisher, of UDP payload; 0: rate counts */
	uint64_t burst;	       /* packets of one publisher in a row */
	struct br_sizes sizes; /* UDP payload, in turn */
	uint64_t count;	       /* packets per publisher; 0: until the time is over */
	uint64_t duration_ms;  /* 0: until count */
	uint64_t start_sequence;
	uint64_t seed;
	uint64_t payload_type;
	uint64_t tos;
	uint64_t rtcp_ms;   /* a sender report per publisher every so often; 0: none */
	bool fragment;	    /* let IP fragment what is larger than the MTU */
	bool ip_options;    /* IPv4 options, or an IPv6 extension header */
	uint64_t linger_ms; /* listen so long after the last packet for packets that come back */
	bool progress;
};

/* One publisher: one SSRC. */
struct br_publisher {
	int fd;
	uint16_t local_port; /* host byte order */
	uint32_t ssrc;
	srtp_t session;	      /* NULL: plain RTP */
	uint64_t first, next; /* extended sequence numbers */
	uint64_t bytes;	      /* UDP payload of RTP */
	uint64_t rtcp;	      /* sender reports sent */
	uint64_t rtcp_due_ns;
};

struct br_sender {
	const struct br_sender_options *options;
	const struct br_seal *seal;
	struct br_publisher *publishers;
	uint64_t started_ns, ended_ns;
	uint64_t sent;	    /* datagrams of all publishers */
	uint64_t refused;   /* ICMP errors that came back */
	uint64_t behind_ns; /* time by which the schedule was put off, as we could not keep up */
	uint64_t returned;  /* packets that came back to the publishers' sockets */
	bool interrupted;
	struct br_batch *batch;
};

/**
 * br_sender_open - bind the sockets, make the sessions
 * @options, @seal: must outlive @sender
 * @error: names the flag at fault
 *
 * Return: 0 or negative errno; br_sender_close() also after an error.
 */
int br_sender_open(struct br_sender *sender, const struct br_sender_options *options,
		   const struct br_seal *seal, struct br_error *error);
/** br_sender_run - send until count, duration, SIGINT or SIGTERM; 0 or negative errno */
int br_sender_run(struct br_sender *sender, struct br_error *error);
/** br_sender_close - free everything */
void br_sender_close(struct br_sender *sender);

#endif
