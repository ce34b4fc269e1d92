/* SPDX-License-Identifier: BSD-2-Clause */
/* What the first bytes of a datagram on the media port say. No parsing beyond that. */
#ifndef BLINDRELAY_WIRE_H
#define BLINDRELAY_WIRE_H

#include <linux/types.h>

/* Demultiplexing by the first byte, RFC 7983 section 7. */
enum br_class {
	BR_CLASS_UNKNOWN,
	BR_CLASS_STUN, /* 0..3 */
	BR_CLASS_DTLS, /* 20..63 */
	BR_CLASS_RTP,  /* 128..191, and not RTCP */
	BR_CLASS_RTCP, /* 128..191, packet type 192..223 */
};

#define BR_RTP_HEADER  12u /* RFC 3550 section 5.1, without CSRCs */
#define BR_RTCP_HEADER 8u  /* RFC 3550 section 6.4: the part SRTCP leaves clear */
#define BR_RTP_SSRC    8u  /* offset of the SSRC in RTP */
#define BR_RTCP_SSRC   4u  /* offset of the sender's SSRC in RTCP */

/**
 * br_classify - class of a datagram by its first two bytes
 * @first: first byte (RFC 7983)
 * @second: second byte; tells RTCP from RTP by packet type (RFC 5761 section 4)
 */
static inline enum br_class br_classify(__u8 first, __u8 second)
{
	if (first >= 128 && first <= 191)
		return second >= 192 && second <= 223 ? BR_CLASS_RTCP : BR_CLASS_RTP;
	if (first <= 3)
		return BR_CLASS_STUN;
	if (first >= 20 && first <= 63)
		return BR_CLASS_DTLS;
	return BR_CLASS_UNKNOWN;
}

#endif
