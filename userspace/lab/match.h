/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which packet of the sender is this? Packets are the same when SSRC, kind and number agree:
 * for RTP the extended sequence number, for SRTCP the index, for plain RTCP (which has no
 * number) the content.
 */
#ifndef BR_LAB_MATCH_H
#define BR_LAB_MATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "lab/capture.h"

/* Where RTCP packets carry their number. */
enum br_rtcp_number {
	BR_RTCP_LAST,	    /* SRTCP of AEAD suites: the last 4 bytes */
	BR_RTCP_BEFORE_TAG, /* SRTCP with a tag of 10 bytes behind the index */
	BR_RTCP_CONTENT,    /* plain RTCP: no number */
};

/* A packet that was sent. */
struct br_sent {
	uint64_t number; /* extended sequence number, SRTCP index or hash of the content */
	uint64_t time_ns;
	size_t offset; /* in the bytes of the sender's capture */
	uint32_t length;
	uint32_t copies;   /* times it was sent */
	uint32_t received; /* times it was received by the receiver under examination */
};

/* What one receiver has of one stream. Packets before the window or behind it do not count. */
struct br_match_result {
	uint64_t sent;	   /* in the window */
	uint64_t received; /* different packets */
	uint64_t lost;
	uint64_t duplicates;
	uint64_t reordered;
	uint64_t altered_packets, altered_bytes;
};

/* A stream that was sent: all RTP or all RTCP of one SSRC. */
struct br_sent_stream {
	uint32_t ssrc;
	bool rtcp;
	enum br_rtcp_number rtcp_number;
	struct br_sent *packets; /* ordered by number */
	size_t count, room;
	uint64_t repeats; /* packets that were sent again */
	/* state of the receiver under examination */
	bool matched;
	uint64_t latest, highest; /* numbers */
	struct br_match_result result;
};

struct br_match {
	const struct br_capture *sent;
	struct br_sent_stream *streams;
	size_t count, room;
	uint64_t unknown; /* packets of the receiver that were never sent */
};

/**
 * br_match_open - order what was sent
 * @sent: must outlive @match
 *
 * Return: 0 or -ENOMEM; br_match_close() also after an error.
 */
int br_match_open(struct br_match *match, const struct br_capture *sent);
/**
 * br_match_receiver - examine one receiver; results are in the streams until the next call
 * @from_first: leave out what was sent before the first packet that it received
 * @until_last: leave out what was sent after the last packet that it received
 *
 * The window is found for each stream; for a stream of which nothing was received, over all
 * streams, so that a stream which never came is lost and not left out.
 */
void br_match_receiver(struct br_match *match, const struct br_capture *received, bool from_first,
		       bool until_last);
/** br_match_close - free everything */
void br_match_close(struct br_match *match);

#endif
