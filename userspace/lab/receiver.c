// SPDX-License-Identifier: BSD-2-Clause
#include "lab/receiver.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "blindrelay/wire.h"
#include "lib/pattern.h"
#include "lib/rtp.h"

#define FIRST_SLOTS 16u

int br_receiver_open(struct br_receiver *receiver, const struct br_receiver_rules *rules,
		     const struct br_endpoint *endpoint, uint64_t buffer, struct br_error *error)
{
	int err, size = (int)buffer, one = 1;
	char text[BR_ENDPOINT_TEXT];
	struct sockaddr_storage addr;
	socklen_t length = br_endpoint_to_sockaddr(endpoint, &addr);

	receiver->port = ntohs(endpoint->port);
	receiver->fd = socket(addr.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (receiver->fd < 0)
		return br_error_set(error, -errno, NULL, "cannot open a socket: %s",
				    strerror(errno));
	/* The forced size needs CAP_NET_ADMIN; without it the system's maximum holds. */
	if (setsockopt(receiver->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(receiver->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (addr.ss_family == AF_INET6)
		setsockopt(receiver->fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (bind(receiver->fd, (struct sockaddr *)&addr, length))
		return br_error_set(error, -errno, "--bind", "cannot bind %s: %s",
				    br_endpoint_format(endpoint, text), strerror(errno));
	err = br_seal_open(rules->seal, false, BR_TALLY_WINDOW, &receiver->session);
	if (err)
		return br_error_set(error, err, "--suite", "libsrtp refuses the suite");
	return 0;
}

void br_receiver_close(struct br_receiver *receiver)
{
	for (size_t i = 0; i < receiver->stream_slots; i++)
		free(receiver->streams[i]);
	free(receiver->streams);
	if (receiver->session)
		srtp_dealloc(receiver->session);
	if (receiver->fd >= 0)
		close(receiver->fd);
	receiver->fd = -1;
}

static struct br_stream **find_slot(struct br_stream **table, size_t slots, uint32_t ssrc)
{
	size_t at = (size_t)(ssrc * 0x9e3779b1u) & (slots - 1);

	while (table[at] && table[at]->ssrc != ssrc)
		at = (at + 1) & (slots - 1);
	return &table[at];
}

static int grow_table(struct br_receiver *receiver)
{
	size_t slots = receiver->stream_slots ? receiver->stream_slots * 2 : FIRST_SLOTS;
	struct br_stream **table = calloc(slots, sizeof(struct br_stream *));

	if (!table)
		return -ENOMEM;
	for (size_t i = 0; i < receiver->stream_slots; i++)
		if (receiver->streams[i])
			*find_slot(table, slots, receiver->streams[i]->ssrc) = receiver->streams[i];
	free(receiver->streams);
	receiver->streams = table;
	receiver->stream_slots = slots;
	return 0;
}

/* The stream of an authentic packet, new when it is the first. NULL: out of memory. */
static struct br_stream *get_stream(struct br_receiver *receiver, uint32_t ssrc)
{
	struct br_stream **slot;

	if (receiver->latest && receiver->latest->ssrc == ssrc)
		return receiver->latest;
	if (receiver->stream_count * 2 >= receiver->stream_slots && grow_table(receiver))
		return NULL;
	slot = find_slot(receiver->streams, receiver->stream_slots, ssrc);
	if (!*slot) {
		*slot = calloc(1, sizeof(**slot));
		if (!*slot)
			return NULL;
		(*slot)->ssrc = ssrc;
		receiver->stream_count++;
	}
	receiver->latest = *slot;
	return *slot;
}

/* Count why libsrtp did not open a packet. */
static void count_refused(struct br_receiver *receiver, srtp_err_status_t status)
{
	if (status == srtp_err_status_replay_fail)
		receiver->replayed++;
	else if (status == srtp_err_status_replay_old)
		receiver->too_late++;
	else
		receiver->auth_failures++;
}

static int take_rtcp(struct br_receiver *receiver, const struct br_receiver_rules *rules,
		     uint8_t *packet, size_t length)
{
	struct br_stream *stream;
	struct br_rtcp rtcp;
	int opened = (int)length;

	if (br_rtcp_parse(packet, length, &rtcp)) {
		receiver->not_rtp++;
		return 0;
	}
	if (!br_ssrcs_contain(&rules->ssrcs, rtcp.ssrc)) {
		receiver->unexpected_ssrc++;
		return 0;
	}
	if (receiver->session) {
		srtp_err_status_t status = srtp_unprotect_rtcp(receiver->session, packet, &opened);

		if (status != srtp_err_status_ok) {
			count_refused(receiver, status);
			return 0;
		}
	}
	stream = get_stream(receiver, rtcp.ssrc);
	if (!stream)
		return -ENOMEM;
	stream->rtcp++;
	receiver->rtcp++;
	return 0;
}

/* Compare the opened payload with what the source must have put in, and count the packet. */
static void judge(struct br_receiver *receiver, const struct br_receiver_rules *rules,
		  struct br_stream *stream, const uint8_t *packet, size_t length,
		  const struct br_rtp *rtp, size_t on_wire, uint64_t now_ns)
{
	struct br_pattern pattern = {.seed = rules->seed, .ssrc = rtp->ssrc};
	size_t payload, altered;
	bool known = false;
	enum br_tally_verdict verdict;
	uint64_t sequence;

	if (br_rtp_payload_length(packet, length, rtp, &payload))
		altered = length - rtp->header_length + 1;
	else
		altered = br_pattern_check(&pattern, packet + rtp->header_length, payload, &known);
	/* A changed number in the header is an alteration as well; it is 2 bytes. */
	if (known && (uint16_t)pattern.sequence != rtp->sequence)
		altered += 2;
	if (altered) {
		receiver->altered_packets++;
		receiver->altered_bytes += altered;
	}
	sequence =
		known ? pattern.sequence
		      : br_rtp_extend(stream->tally.unique ? stream->tally.highest : rtp->sequence,
				      rtp->sequence);
	verdict = br_tally_add(&stream->tally, sequence);
	if (verdict == BR_TALLY_NEW || verdict == BR_TALLY_REORDERED) {
		receiver->unique++;
		receiver->bytes += on_wire;
		stream->bytes += on_wire;
	}
	if (known && now_ns >= pattern.sent_ns)
		br_delays_add(&receiver->delays, now_ns - pattern.sent_ns);
}

static int take_rtp(struct br_receiver *receiver, const struct br_receiver_rules *rules,
		    uint8_t *packet, size_t length, uint64_t now_ns)
{
	struct br_stream *stream;
	struct br_rtp rtp;
	int opened = (int)length;

	if (br_rtp_parse(packet, length, &rtp)) {
		receiver->not_rtp++;
		return 0;
	}
	if (!br_ssrcs_contain(&rules->ssrcs, rtp.ssrc)) {
		receiver->unexpected_ssrc++;
		return 0;
	}
	if (receiver->session) {
		srtp_err_status_t status = srtp_unprotect(receiver->session, packet, &opened);

		if (status != srtp_err_status_ok) {
			count_refused(receiver, status);
			return 0;
		}
	}
	if (receiver->stream_count >= BR_RECEIVER_STREAMS &&
	    !*find_slot(receiver->streams, receiver->stream_slots, rtp.ssrc)) {
		receiver->unexpected_ssrc++;
		return 0;
	}
	stream = get_stream(receiver, rtp.ssrc);
	if (!stream)
		return -ENOMEM;
	judge(receiver, rules, stream, packet, (size_t)opened, &rtp, length, now_ns);
	return 0;
}

int br_receiver_packet(struct br_receiver *receiver, const struct br_receiver_rules *rules,
		       uint8_t *packet, size_t length, const struct sockaddr_storage *from,
		       uint64_t now_ns)
{
	struct br_endpoint sender;

	if (rules->from.addr.family &&
	    (!br_endpoint_from_sockaddr(from, &sender) || sender.port != rules->from.port ||
	     !br_addr_equal(&sender.addr, &rules->from.addr))) {
		receiver->unexpected_source++;
		return 0;
	}
	switch (length < 2 ? BR_CLASS_UNKNOWN : br_classify(packet[0], packet[1])) {
	case BR_CLASS_RTP:
		return take_rtp(receiver, rules, packet, length, now_ns);
	case BR_CLASS_RTCP:
		return take_rtcp(receiver, rules, packet, length);
	default:
		receiver->not_rtp++;
		return 0;
	}
}

struct br_receiver_sums br_receiver_sum(const struct br_receiver *receiver)
{
	struct br_receiver_sums sums = {
		.duplicates = receiver->replayed,
		.late = receiver->too_late,
	};

	for (size_t i = 0; i < receiver->stream_slots; i++) {
		const struct br_stream *stream = receiver->streams[i];

		if (!stream)
			continue;
		sums.lost += br_tally_lost(&stream->tally);
		sums.duplicates += stream->tally.duplicates;
		sums.reordered += stream->tally.reordered;
		sums.late += stream->tally.late;
	}
	return sums;
}

void br_receiver_drops(struct br_receiver *receiver)
{
	uint32_t memory[SK_MEMINFO_VARS] = {0};
	socklen_t length = sizeof(memory);

	if (!getsockopt(receiver->fd, SOL_SOCKET, SO_MEMINFO, memory, &length) &&
	    length > SK_MEMINFO_DROPS * sizeof(memory[0]))
		receiver->socket_drops = memory[SK_MEMINFO_DROPS];
}
