/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets and addresses of the benchmark's publishers and receivers. */
#ifndef BR_BENCH_PACKET_H
#define BR_BENCH_PACKET_H

#include <stdbool.h>
#include <stdint.h>

#include <blindrelay/bench.h>

#include "lib/addr.h"

/* Everything is sent to the relay's addresses, port BR_BENCH_PORT. */
#define BR_BENCH_RELAY4 "10.10.0.1"
#define BR_BENCH_RELAY6 "fd00:10::1"

/* Where the UDP payload of an IPv4 frame begins. */
#define BR_BENCH_PAYLOAD4 42u

/** br_packet_length - of a frame with @bytes of UDP payload, without tags */
uint32_t br_packet_length(uint8_t family, uint32_t bytes);
/**
 * br_packet_headers - first bytes of the packet that a publisher sends: an RTP packet
 * @family: 4 or 6
 * @sender: number of the publisher
 * @bytes: of UDP payload
 * @checksum: some UDP checksum, for those who update but never verify it; false: 0, for IPv4
 * @mac: destination
 */
void br_packet_headers(uint8_t family, uint32_t sender, uint32_t bytes, bool checksum,
		       const uint8_t mac[static 6], uint8_t out[static BR_BENCH_HEADERS]);
/** br_packet_endpoint - address and port of a publisher or receiver by number */
struct br_endpoint br_packet_endpoint(uint8_t family, bool publisher, uint32_t number);

#endif
