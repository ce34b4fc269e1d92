// SPDX-License-Identifier: BSD-2-Clause
#include "lab/match.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/rtp.h"

#define TAG_SHA1_80 10

/* Room below the first number for packets that were sent out of order at the start. */
#define FIRST_CYCLE 65536u

static struct br_sent_stream *find_stream(const struct br_match *match, uint32_t ssrc, bool rtcp)
{
	for (size_t i = 0; i < match->count; i++)
		if (match->streams[i].ssrc == ssrc && match->streams[i].rtcp == rtcp)
			return &match->streams[i];
	return NULL;
}

static struct br_sent_stream *add_stream(struct br_match *match, uint32_t ssrc, bool rtcp)
{
	struct br_sent_stream *stream;

	if (match->count == match->room) {
		size_t room = match->room ? match->room * 2 : 16;

		stream = realloc(match->streams, room * sizeof(*stream));
		if (!stream)
			return NULL;
		match->streams = stream;
		match->room = room;
	}
	stream = &match->streams[match->count++];
	*stream = (struct br_sent_stream){.ssrc = ssrc, .rtcp = rtcp};
	return stream;
}

/* FNV-1a */
static uint64_t hash(const uint8_t *data, size_t length)
{
	uint64_t value = 0xcbf29ce484222325ULL;

	for (size_t i = 0; i < length; i++)
		value = (value ^ data[i]) * 0x100000001b3ULL;
	return value;
}

static uint64_t rtcp_number(enum br_rtcp_number where, const uint8_t *data, size_t length)
{
	uint32_t index;

	if (where != BR_RTCP_CONTENT &&
	    !br_srtcp_index(data, length, where == BR_RTCP_LAST ? 0 : TAG_SHA1_80, &index, NULL))
		return index;
	return hash(data, length);
}

/*
 * The suite is not known to us, but the index grows by one with each packet of a sender and
 * begins near zero: see which place shows that for all packets of the stream.
 */
static enum br_rtcp_number guess_rtcp_number(const struct br_capture *sent,
					     const struct br_sent_stream *stream)
{
	for (int where = BR_RTCP_LAST; where < BR_RTCP_CONTENT; where++) {
		uint32_t before = 0, index;
		bool good = stream->count > 0;

		for (size_t i = 0; i < stream->count && good; i++) {
			const struct br_sent *packet = &stream->packets[i];

			good = !br_srtcp_index(sent->bytes + packet->offset, packet->length,
					       where == BR_RTCP_LAST ? 0 : TAG_SHA1_80, &index,
					       NULL) &&
			       (i ? index - before <= 1 : index < 1u << 24);
			before = index;
		}
		if (good)
			return where;
	}
	return BR_RTCP_CONTENT;
}

static int by_number(const void *a, const void *b)
{
	const struct br_sent *left = a, *right = b;

	if (left->number != right->number)
		return left->number < right->number ? -1 : 1;
	return left->offset < right->offset ? -1 : left->offset > right->offset;
}

/* Number, order, and merge packets that were sent more than once. */
static void order_stream(const struct br_capture *sent, struct br_sent_stream *stream)
{
	size_t kept = 0;

	if (stream->rtcp) {
		stream->rtcp_number = guess_rtcp_number(sent, stream);
		for (size_t i = 0; i < stream->count; i++)
			stream->packets[i].number = rtcp_number(
				stream->rtcp_number, sent->bytes + stream->packets[i].offset,
				stream->packets[i].length);
	}
	qsort(stream->packets, stream->count, sizeof(*stream->packets), by_number);
	for (size_t i = 0; i < stream->count; i++) {
		if (kept && stream->packets[kept - 1].number == stream->packets[i].number) {
			stream->packets[kept - 1].copies++;
			stream->repeats++;
		} else {
			stream->packets[kept++] = stream->packets[i];
		}
	}
	stream->count = kept;
}

static int add_sent(struct br_match *match, const struct br_packet *packet)
{
	struct br_sent_stream *stream = find_stream(match, packet->ssrc, packet->rtcp);
	struct br_sent *entry;

	if (!stream)
		stream = add_stream(match, packet->ssrc, packet->rtcp);
	if (!stream)
		return -ENOMEM;
	if (stream->count == stream->room) {
		size_t room = stream->room ? stream->room * 2 : 1024;

		entry = realloc(stream->packets, room * sizeof(*entry));
		if (!entry)
			return -ENOMEM;
		stream->packets = entry;
		stream->room = room;
	}
	if (!packet->rtcp) {
		stream->latest = stream->count ? br_rtp_extend(stream->latest, packet->sequence)
					       : FIRST_CYCLE + packet->sequence;
	}
	stream->packets[stream->count++] = (struct br_sent){
		.number = stream->latest,
		.time_ns = packet->time_ns,
		.offset = packet->offset,
		.length = packet->length,
		.copies = 1,
	};
	return 0;
}

int br_match_open(struct br_match *match, const struct br_capture *sent)
{
	memset(match, 0, sizeof(*match));
	match->sent = sent;
	for (size_t i = 0; i < sent->count; i++) {
		int err = add_sent(match, &sent->packets[i]);

		if (err)
			return err;
	}
	for (size_t i = 0; i < match->count; i++)
		order_stream(sent, &match->streams[i]);
	return 0;
}

void br_match_close(struct br_match *match)
{
	for (size_t i = 0; i < match->count; i++)
		free(match->streams[i].packets);
	free(match->streams);
	memset(match, 0, sizeof(*match));
}

static struct br_sent *find_number(const struct br_sent_stream *stream, uint64_t number)
{
	struct br_sent key = {.number = number};
	size_t low = 0, high = stream->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (stream->packets[middle].number < key.number)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < stream->count && stream->packets[low].number == number)
		return &stream->packets[low];
	return NULL;
}

static size_t count_altered(const uint8_t *a, size_t a_length, const uint8_t *b, size_t b_length)
{
	size_t both = a_length < b_length ? a_length : b_length;
	size_t altered = a_length < b_length ? b_length - a_length : a_length - b_length;

	if (!memcmp(a, b, both))
		return altered;
	for (size_t i = 0; i < both; i++)
		altered += a[i] != b[i];
	return altered;
}

/*
 * Nothing is known yet of the cycle of sequence numbers in which this receiver joined: among
 * the packets sent with this number in any cycle take the one with the fewest differing bytes.
 */
static struct br_sent *find_any_cycle(const struct br_match *match,
				      const struct br_sent_stream *stream, uint16_t sequence,
				      const uint8_t *data, size_t length)
{
	struct br_sent *best = NULL;
	size_t best_altered = SIZE_MAX;
	uint64_t last = stream->packets[stream->count - 1].number;

	for (uint64_t number = sequence; number <= last; number += 65536) {
		struct br_sent *sent = find_number(stream, number);
		size_t altered;

		if (!sent)
			continue;
		altered = count_altered(match->sent->bytes + sent->offset, sent->length, data,
					length);
		if (altered < best_altered) {
			best_altered = altered;
			best = sent;
		}
	}
	return best;
}

static struct br_sent *find_sent(const struct br_match *match, struct br_sent_stream *stream,
				 const struct br_packet *packet, const uint8_t *data)
{
	struct br_sent *sent = NULL;

	if (packet->rtcp)
		return find_number(stream, rtcp_number(stream->rtcp_number, data, packet->length));
	if (stream->matched)
		sent = find_number(stream, br_rtp_extend(stream->latest, packet->sequence));
	if (!sent)
		sent = find_any_cycle(match, stream, packet->sequence, data, packet->length);
	return sent;
}

static void take_received(struct br_match *match, const struct br_packet *packet,
			  const uint8_t *data)
{
	struct br_sent_stream *stream = find_stream(match, packet->ssrc, packet->rtcp);
	struct br_sent *sent = stream ? find_sent(match, stream, packet, data) : NULL;
	size_t altered;

	if (!sent) {
		match->unknown++;
		return;
	}
	altered = count_altered(match->sent->bytes + sent->offset, sent->length, data,
				packet->length);
	if (altered) {
		stream->result.altered_packets++;
		stream->result.altered_bytes += altered;
	}
	if (++sent->received > sent->copies) {
		stream->result.duplicates++;
		return;
	}
	/* Numbers of plain RTCP are hashes: they have no order. */
	if (stream->matched && sent->number < stream->highest &&
	    (!stream->rtcp || stream->rtcp_number != BR_RTCP_CONTENT))
		stream->result.reordered++;
	if (!stream->matched || sent->number > stream->highest)
		stream->highest = sent->number;
	stream->latest = sent->number;
	stream->matched = true;
}

/* Times of sending between which a packet counts. */
struct window {
	uint64_t first, last;
};

static struct window received_window(const struct br_sent_stream *stream)
{
	struct window window = {UINT64_MAX, 0};

	for (size_t i = 0; i < stream->count; i++) {
		const struct br_sent *sent = &stream->packets[i];

		if (!sent->received)
			continue;
		if (sent->time_ns < window.first)
			window.first = sent->time_ns;
		if (sent->time_ns > window.last)
			window.last = sent->time_ns;
	}
	return window;
}

static void count_stream(struct br_sent_stream *stream, struct window window, bool from_first,
			 bool until_last)
{
	struct br_match_result *result = &stream->result;

	for (size_t i = 0; i < stream->count; i++) {
		const struct br_sent *sent = &stream->packets[i];

		if ((from_first && sent->time_ns < window.first) ||
		    (until_last && sent->time_ns > window.last))
			continue;
		result->sent++;
		if (sent->received)
			result->received++;
		else
			result->lost++;
	}
}

void br_match_receiver(struct br_match *match, const struct br_capture *received, bool from_first,
		       bool until_last)
{
	struct window all = {UINT64_MAX, 0};

	match->unknown = 0;
	for (size_t i = 0; i < match->count; i++) {
		struct br_sent_stream *stream = &match->streams[i];

		stream->matched = false;
		memset(&stream->result, 0, sizeof(stream->result));
		for (size_t j = 0; j < stream->count; j++)
			stream->packets[j].received = 0;
	}
	for (size_t i = 0; i < received->count; i++)
		take_received(match, &received->packets[i],
			      received->bytes + received->packets[i].offset);
	for (size_t i = 0; i < match->count; i++) {
		struct window window = received_window(&match->streams[i]);

		if (window.first < all.first)
			all.first = window.first;
		if (window.last > all.last)
			all.last = window.last;
	}
	for (size_t i = 0; i < match->count; i++) {
		struct br_sent_stream *stream = &match->streams[i];
		bool none = all.first == UINT64_MAX; /* nothing at all came: all of it is lost */

		count_stream(stream, stream->matched ? received_window(stream) : all,
			     from_first && !none, until_last && !none);
	}
}
