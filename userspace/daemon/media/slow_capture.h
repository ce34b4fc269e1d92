/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Captures of what the daemon forwards itself. It has no frames, so headers are made as they
 * would be on the wire; Ethernet addresses are zero. Call for legs that are captured only.
 */
#ifndef BR_SLOW_CAPTURE_H
#define BR_SLOW_CAPTURE_H

#include <stdint.h>

#include "lib/datagram.h"
#include "media/port.h"
#include "plane/plane.h"

/** br_slow_show - a datagram from @leg; @reason 0: forwarded */
void br_slow_show(struct br_plane *plane, const struct br_datagram *datagram, uint32_t leg,
		  int reason);
/**
 * br_slow_show_copy - a copy of a datagram from @from to @leg; @reason 0: sent
 * @copy: where it went; NULL: it came to nothing before
 */
void br_slow_show_copy(struct br_plane *plane, const struct br_datagram *datagram, uint32_t leg,
		       uint32_t from, int reason, const struct br_port_copy *copy);

#endif
