/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading a frame of the tap. No I/O. */
#ifndef BR_TAP_FRAME_H
#define BR_TAP_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "lib/datagram.h"

/**
 * br_tap_frame_parse - find the datagram in a frame that `relay` has admitted
 * @frame: addresses or a ticket, ethertype, then IPv4 without options or IPv6 without
 *         extension headers; no tags
 * @length: bytes of @frame, padding included
 * @out: set on success; its payload lies inside of @frame
 *
 * Return: 0, or -EBADMSG when a header runs past the end or is none of these.
 */
int br_tap_frame_parse(const uint8_t *frame, size_t length, struct br_datagram *out);

#endif
