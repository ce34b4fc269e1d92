// SPDX-License-Identifier: BSD-2-Clause
#include "lib/rtp.h"

#include <errno.h>

#include "blindrelay/wire.h"

#define RTP_VERSION 2

static uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static uint32_t get32(const uint8_t *at)
{
	return (uint32_t)get16(at) << 16 | get16(at + 2);
}

static void put32(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 24);
	at[1] = (uint8_t)(value >> 16);
	at[2] = (uint8_t)(value >> 8);
	at[3] = (uint8_t)value;
}

int br_rtp_parse(const void *data, size_t length, struct br_rtp *out)
{
	const uint8_t *at = data;
	struct br_rtp rtp = {0};

	if (length < BR_RTP_HEADER || at[0] >> 6 != RTP_VERSION)
		return -EBADMSG;
	rtp.padding = at[0] & 0x20;
	rtp.extension = at[0] & 0x10;
	rtp.csrcs = at[0] & 0x0f;
	rtp.marker = at[1] & 0x80;
	rtp.payload_type = at[1] & 0x7f;
	rtp.sequence = get16(at + 2);
	rtp.timestamp = get32(at + 4);
	rtp.ssrc = get32(at + BR_RTP_SSRC);
	rtp.header_length = BR_RTP_HEADER + (size_t)4 * rtp.csrcs;
	if (rtp.header_length > length)
		return -EBADMSG;
	if (rtp.extension) {
		if (length - rtp.header_length < 4)
			return -EBADMSG;
		rtp.extension_profile = get16(at + rtp.header_length);
		rtp.extension_length = (size_t)4 * get16(at + rtp.header_length + 2);
		rtp.extension_offset = rtp.header_length + 4;
		if (length - rtp.extension_offset < rtp.extension_length)
			return -EBADMSG;
		rtp.header_length = rtp.extension_offset + rtp.extension_length;
	}
	*out = rtp;
	return 0;
}

int br_rtp_payload_length(const void *data, size_t length, const struct br_rtp *rtp, size_t *out)
{
	size_t payload, padding = 0;

	if (rtp->header_length > length)
		return -EBADMSG;
	payload = length - rtp->header_length;
	if (rtp->padding) {
		if (!payload)
			return -EBADMSG;
		padding = ((const uint8_t *)data)[length - 1];
		if (!padding || padding > payload)
			return -EBADMSG;
	}
	*out = payload - padding;
	return 0;
}

void br_rtp_write(const struct br_rtp *rtp, uint8_t out[static 12])
{
	out[0] = RTP_VERSION << 6;
	out[1] = (uint8_t)((rtp->marker ? 0x80 : 0) | (rtp->payload_type & 0x7f));
	out[2] = (uint8_t)(rtp->sequence >> 8);
	out[3] = (uint8_t)rtp->sequence;
	put32(out + 4, rtp->timestamp);
	put32(out + BR_RTP_SSRC, rtp->ssrc);
}

uint64_t br_rtp_extend(uint64_t reference, uint16_t sequence)
{
	/* Signed 16-bit distance: the nearest number is less than half a cycle away. */
	int16_t distance = (int16_t)(uint16_t)(sequence - (uint16_t)reference);

	if (distance < 0 && reference < (uint64_t) - (int64_t)distance)
		return sequence;
	return reference + (uint64_t)(int64_t)distance;
}

int br_rtcp_parse(const void *data, size_t length, struct br_rtcp *out)
{
	const uint8_t *at = data;
	struct br_rtcp rtcp = {0};

	if (length < BR_RTCP_HEADER || br_classify(at[0], at[1]) != BR_CLASS_RTCP)
		return -EBADMSG;
	rtcp.padding = at[0] & 0x20;
	rtcp.count = at[0] & 0x1f;
	rtcp.type = at[1];
	rtcp.length = (size_t)4 * (get16(at + 2) + 1u);
	rtcp.ssrc = get32(at + BR_RTCP_SSRC);
	if (rtcp.length < BR_RTCP_HEADER || rtcp.length > length)
		return -EBADMSG;
	*out = rtcp;
	return 0;
}

int br_srtcp_index(const void *data, size_t length, size_t tag_after, uint32_t *index,
		   bool *encrypted)
{
	uint32_t word;

	if (length < BR_RTCP_HEADER + 4 || length - BR_RTCP_HEADER - 4 < tag_after)
		return -EBADMSG;
	word = get32((const uint8_t *)data + length - tag_after - 4);
	*index = word & 0x7fffffff;
	if (encrypted)
		*encrypted = word >> 31;
	return 0;
}
