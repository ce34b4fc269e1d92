/* SPDX-License-Identifier: BSD-2-Clause */
/* RTP and RTCP headers (RFC 3550) and what SRTP leaves in clear (RFC 3711). No I/O, no keys. */
#ifndef BR_RTP_H
#define BR_RTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An RTP header, RFC 3550 section 5.1. Integers in host byte order. */
struct br_rtp {
	uint32_t ssrc;
	uint32_t timestamp;
	uint16_t sequence;
	uint8_t payload_type;
	uint8_t csrcs; /* CSRCs, 4 bytes each, from offset 12 */
	bool marker;
	bool padding;		    /* last byte of the payload is the number of padding bytes */
	bool extension;		    /* header extension present, RFC 3550 section 5.3.1 */
	uint16_t extension_profile; /* 0xBEDE: one-byte headers of RFC 8285 */
	size_t extension_offset;    /* of the extension's data, after its 4-byte header */
	size_t extension_length;    /* bytes of that data */
	size_t header_length;	    /* offset of the payload */
};

/* The first RTCP packet of a datagram, RFC 3550 section 6. Integers in host byte order. */
struct br_rtcp {
	uint32_t ssrc; /* of the packet's sender */
	uint8_t type;  /* 200 SR, 201 RR, ... */
	uint8_t count; /* report blocks, or a format */
	bool padding;
	size_t length; /* bytes of this packet, header included; more may follow */
};

/**
 * br_rtp_parse - read an RTP header, CSRCs and extension included
 * @data: datagram, plain or SRTP: SRTP leaves all of this in clear
 * @length: bytes of @data
 * @out: filled on success, else untouched
 *
 * Return: 0, or -EBADMSG when the version is not 2 or the header runs past the end.
 */
int br_rtp_parse(const void *data, size_t length, struct br_rtp *out);

/**
 * br_rtp_payload_length - bytes of payload of a plain packet, without padding
 * @data: datagram that is not (or no longer) encrypted: SRTP hides the padding count
 * @length: bytes of @data, the same as given to br_rtp_parse()
 * @rtp: what br_rtp_parse() found
 * @out: filled on success
 *
 * Return: 0, or -EBADMSG when the padding count is 0 or larger than what is there.
 */
int br_rtp_payload_length(const void *data, size_t length, const struct br_rtp *rtp, size_t *out);

/**
 * br_rtp_write - write a 12-byte RTP header without CSRCs, extension and padding
 * @rtp: ssrc, timestamp, sequence, payload_type and marker are used
 */
void br_rtp_write(const struct br_rtp *rtp, uint8_t out[static 12]);

/**
 * br_rtp_extend - the extended sequence number nearest to one already known
 * @reference: extended sequence number near to which the packet must be
 * @sequence: as on the wire
 *
 * The estimate of RFC 3711 section 3.3.1, with the roll-over counter in the upper bits. Where
 * the nearest number would be negative, the one of the first cycle is returned.
 */
uint64_t br_rtp_extend(uint64_t reference, uint16_t sequence);

/**
 * br_rtcp_parse - read the header of the first RTCP packet of a datagram
 * @data: datagram, plain or SRTCP: SRTCP leaves the first 8 bytes in clear
 * @length: bytes of @data
 * @out: filled on success, else untouched
 *
 * Return: 0, or -EBADMSG when the version is not 2, the type is none of RFC 5761 section 4, or
 * the packet runs past the end.
 */
int br_rtcp_parse(const void *data, size_t length, struct br_rtcp *out);

/**
 * br_srtcp_index - the SRTCP index, RFC 3711 section 3.4 and RFC 7714 section 9.2
 * @data: datagram
 * @length: bytes of @data
 * @tag_after: bytes behind the index: 10 for HMAC_SHA1_80, 0 for AEAD suites (no MKI)
 * @index: 31-bit index on success
 * @encrypted: the E flag on success; may be NULL
 *
 * Return: 0, or -EBADMSG when the datagram is too short to hold an index behind its header.
 */
int br_srtcp_index(const void *data, size_t length, size_t tag_after, uint32_t *index,
		   bool *encrypted);

#endif
