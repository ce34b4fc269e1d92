/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames that no relay should fall over: nearly right ones, and random bytes. */
#ifndef BR_LAB_JUNK_H
#define BR_LAB_JUNK_H

#include <stddef.h>
#include <stdint.h>

#include "lib/addr.h"

#define BR_JUNK_FRAME 1514u /* longest frame */

struct br_junk {
	struct br_endpoint to; /* the relay */
	uint8_t to_mac[6], from_mac[6];
	uint64_t random; /* state of the generator, not 0 */
};

/**
 * br_junk_frame - the next frame
 * @out: Ethernet addresses are always right, so that it reaches the relay; what follows seldom is.
 * Senders are spoofed: any address of 198.18.0.0/15 (RFC 2544) or 2001:2::/48 (RFC 5180).
 *
 * Return: its bytes, from 14.
 */
size_t br_junk_frame(struct br_junk *junk, uint8_t out[static BR_JUNK_FRAME]);

#endif
