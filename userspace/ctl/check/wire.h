/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * UDP in IPv4 or IPv6 in Ethernet: frames that the self-test sends, and a judgement of those
 * that come back. Written apart from the relay's own rewriting, which it is to judge.
 */
#ifndef BR_CHECK_WIRE_H
#define BR_CHECK_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctl/check/report.h"
#include "lib/addr.h"

#define BR_WIRE_FRAME_MAX 2048u

/* What the headers of a datagram say. Both endpoints are of one family. */
struct br_wire {
	uint8_t destination_mac[6];
	uint8_t source_mac[6];
	struct br_endpoint source;
	struct br_endpoint destination;
	uint8_t hops; /* TTL, or hop limit */
};

/**
 * br_wire_build - write a frame with all checksums
 * @payload: of UDP, @length bytes
 * @out: the frame
 *
 * Return: bytes of the frame, or 0 when it is longer than BR_WIRE_FRAME_MAX.
 */
size_t br_wire_build(const struct br_wire *wire, const void *payload, size_t length,
		     uint8_t out[static BR_WIRE_FRAME_MAX]);

/** br_wire_is_udp - is it UDP over IPv4 without options, or over IPv6 without extensions? */
bool br_wire_is_udp(const uint8_t *frame, size_t length);

/**
 * br_wire_verify - compare a frame with what it should be
 * @wire: what all headers should say
 * @payload: the UDP payload it should have, @length bytes
 * @frame: @frame_length bytes, any content
 * @why: on failure what is wrong, as "destination port is 6001 instead of 6002"
 *
 * Return: true when addresses, ports, lengths, hops, checksums and payload are right.
 */
bool br_wire_verify(const struct br_wire *wire, const void *payload, size_t length,
		    const uint8_t *frame, size_t frame_length, char why[static BR_CHECK_TEXT]);

#endif
