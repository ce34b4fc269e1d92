/* SPDX-License-Identifier: BSD-2-Clause */
/* The RTP and RTCP packets of a capture file, in memory. */
#ifndef BR_LAB_CAPTURE_H
#define BR_LAB_CAPTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "lab/flags.h"
#include "lib/error.h"

/* Which datagrams of a capture count. */
struct br_capture_filter {
	uint16_t source_port;	   /* host byte order; 0: any */
	uint16_t destination_port; /* the same */
	const struct br_ssrcs *ssrcs;
};

/* One datagram. Sequence numbers and SSRC in host byte order. */
struct br_packet {
	uint64_t time_ns; /* of the capture */
	size_t offset;	  /* of the UDP payload in br_capture.bytes */
	uint32_t length;
	uint32_t ssrc;
	uint16_t sequence; /* RTP only */
	bool rtcp;
};

struct br_capture {
	struct br_packet *packets; /* in the order of the file */
	size_t count, packet_room;
	uint8_t *bytes;
	size_t used, room;
	uint64_t frames;    /* in the file */
	uint64_t fragments; /* IP fragments, not looked into */
	uint64_t truncated; /* datagrams that the capture does not hold completely, left out */
	uint64_t broken;    /* frames with contradicting lengths */
};

/**
 * br_capture_read - read a pcap or pcapng file: Ethernet, Linux cooked or raw IP
 * @out: zeroed or uninitialised; br_capture_free() also after an error
 *
 * Return: 0 or negative errno; the error names the file.
 */
int br_capture_read(const char *path, const struct br_capture_filter *filter,
		    struct br_capture *out, struct br_error *error);
/** br_capture_add - append a datagram with its bytes; 0 or -ENOMEM */
int br_capture_add(struct br_capture *capture, const struct br_packet *packet,
		   const uint8_t *payload);
/** br_capture_free - free everything; twice does no harm */
void br_capture_free(struct br_capture *capture);

#endif
