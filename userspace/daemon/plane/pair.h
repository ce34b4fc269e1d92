/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A veth pair of the relay's own, for frames that carry tickets. Frames of the stack would be
 * noise there: no ARP, no IPv6, no address.
 */
#ifndef BR_PAIR_H
#define BR_PAIR_H

#include <stdint.h>

/* XDP on veth wants a packet to fit into one page; this leaves room for its headroom. */
#define BR_PAIR_MTU 3000u

/**
 * br_pair_make - make a pair of devices and set both up
 * @name, @peer: of the two ends, shorter than 16 bytes
 * @queues: of each end, one per CPU
 *
 * Return: 0 or a negative errno; a pair that was made but not set up is left to br_pair_delete.
 */
int br_pair_make(const char *name, const char *peer, uint32_t queues);
/** br_pair_delete - remove a pair by one of its names; 0 also when there is none */
int br_pair_delete(const char *name);

#endif
