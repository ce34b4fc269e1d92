// SPDX-License-Identifier: BSD-2-Clause
#include "lab/batch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "blindrelay/wire.h"
#include "lib/pattern.h"
#include "lib/rtp.h"

#define RTP_CLOCK_HZ	 90000u
#define SENDER_REPORT	 28u /* without report blocks, RFC 3550 section 6.4.1 */
#define TYPE_SR		 200
#define NTP_UNIX_SECONDS 2208988800u

struct br_batch {
	int fd;
	unsigned int count;
	struct mmsghdr messages[BR_SENDER_BURST];
	struct iovec parts[BR_SENDER_BURST];
	uint8_t packets[BR_SENDER_BURST][BR_SENDER_PACKET + SRTP_MAX_TRAILER_LEN + 8]
		__attribute__((aligned(8))); /* libsrtp wants 32-bit alignment */
};

struct br_batch *br_batch_new(void)
{
	struct br_batch *batch = calloc(1, sizeof(*batch));

	for (unsigned int i = 0; batch && i < BR_SENDER_BURST; i++) {
		batch->parts[i].iov_base = batch->packets[i];
		batch->messages[i].msg_hdr.msg_iov = &batch->parts[i];
		batch->messages[i].msg_hdr.msg_iovlen = 1;
	}
	return batch;
}

static uint32_t media_time(const struct br_sender *sender, uint64_t now_ns)
{
	return (uint32_t)((now_ns - sender->started_ns) * RTP_CLOCK_HZ / BR_NS_PER_S);
}

/* A buffer in the batch, which is sent first when it is full or belongs to another socket. */
static int reserve(struct br_sender *sender, int fd, uint8_t **out, struct br_error *error)
{
	struct br_batch *batch = sender->batch;

	if (batch->count == BR_SENDER_BURST || (batch->count && batch->fd != fd)) {
		int err = br_batch_flush(sender, error);

		if (err)
			return err;
	}
	batch->fd = fd;
	*out = batch->packets[batch->count];
	return 0;
}

static void commit(struct br_batch *batch, size_t length)
{
	batch->parts[batch->count++].iov_len = length;
}

int br_batch_rtp(struct br_sender *sender, struct br_publisher *publisher, uint64_t now_ns,
		 struct br_error *error)
{
	const struct br_sender_options *options = sender->options;
	uint64_t index = publisher->next - publisher->first;
	size_t size = options->sizes.bytes[index % options->sizes.count];
	size_t tag = sender->seal->suite ? sender->seal->suite->rtp_tag : 0;
	struct br_rtp header = {
		.ssrc = publisher->ssrc,
		.timestamp = media_time(sender, now_ns),
		.sequence = (uint16_t)publisher->next,
		.payload_type = (uint8_t)options->payload_type,
	};
	struct br_pattern pattern = {
		.seed = options->seed,
		.ssrc = publisher->ssrc,
		.sequence = publisher->next,
		.sent_ns = now_ns,
	};
	int err, length = (int)(size - tag);
	uint8_t *packet;

	err = reserve(sender, publisher->fd, &packet, error);
	if (err)
		return err;
	br_rtp_write(&header, packet);
	br_pattern_write(&pattern, packet + BR_RTP_HEADER, size - tag - BR_RTP_HEADER);
	if (publisher->session) {
		srtp_err_status_t status = srtp_protect(publisher->session, packet, &length);

		if (status != srtp_err_status_ok)
			return br_error_set(error, -EPROTO, NULL,
					    "libsrtp cannot seal packet %llu of SSRC 0x%08x: "
					    "error %d",
					    (unsigned long long)index, publisher->ssrc, status);
	}
	commit(sender->batch, (size_t)length);
	publisher->bytes += (size_t)length;
	publisher->next++;
	return 0;
}

static void put32(uint8_t *at, uint32_t value)
{
	value = htonl(value);
	memcpy(at, &value, 4);
}

int br_batch_rtcp(struct br_sender *sender, struct br_publisher *publisher, uint64_t now_ns,
		  struct br_error *error)
{
	int err, length = SENDER_REPORT;
	struct timespec wall;
	uint8_t *packet;

	err = reserve(sender, publisher->fd, &packet, error);
	if (err)
		return err;
	clock_gettime(CLOCK_REALTIME, &wall);
	packet[0] = 0x80;
	packet[1] = TYPE_SR;
	packet[2] = 0;
	packet[3] = SENDER_REPORT / 4 - 1;
	put32(packet + 4, publisher->ssrc);
	put32(packet + 8, (uint32_t)((uint64_t)wall.tv_sec + NTP_UNIX_SECONDS));
	put32(packet + 12, (uint32_t)(((uint64_t)wall.tv_nsec << 32) / BR_NS_PER_S));
	put32(packet + 16, media_time(sender, now_ns));
	put32(packet + 20, (uint32_t)(publisher->next - publisher->first));
	put32(packet + 24, (uint32_t)publisher->bytes);
	if (publisher->session) {
		srtp_err_status_t status = srtp_protect_rtcp(publisher->session, packet, &length);

		if (status != srtp_err_status_ok)
			return br_error_set(error, -EPROTO, NULL,
					    "libsrtp cannot seal RTCP of SSRC 0x%08x: error %d",
					    publisher->ssrc, status);
	}
	commit(sender->batch, (size_t)length);
	publisher->rtcp++;
	return 0;
}

int br_batch_flush(struct br_sender *sender, struct br_error *error)
{
	struct br_batch *batch = sender->batch;
	unsigned int at = 0;

	while (at < batch->count) {
		int sent = sendmmsg(batch->fd, batch->messages + at, batch->count - at, 0);

		if (sent > 0) {
			at += (unsigned int)sent;
			sender->sent += (unsigned int)sent;
			continue;
		}
		/*
		 * An ICMP error for an earlier packet is reported by the next call, which
		 * then has sent nothing: count it and send again.
		 */
		if (errno == ECONNREFUSED || errno == EHOSTUNREACH) {
			sender->refused++;
			continue;
		}
		if (errno == EINTR || errno == EAGAIN || errno == ENOBUFS)
			continue;
		if (errno == EMSGSIZE)
			return br_error_set(error, -EMSGSIZE, "--bytes",
					    "a datagram of %zu bytes is larger than the path's MTU "
					    "allows; --fragment lets IP cut it",
					    batch->parts[at].iov_len);
		return br_error_set(error, -errno, "--to", "cannot send: %s", strerror(errno));
	}
	batch->count = 0;
	return 0;
}
