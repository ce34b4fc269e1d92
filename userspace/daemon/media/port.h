/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The UDP media port as the stack sees it: what XDP passes up arrives here. Owning the port
 * keeps the stack from answering with ICMP port unreachable.
 */
#ifndef BR_PORT_H
#define BR_PORT_H

#include <stdint.h>

#include <uv.h>

#include <blindrelay/abi.h>
#include <blindrelay/wire.h>

#include "lib/error.h"

#define BR_CLASS_COUNT (BR_CLASS_RTCP + 1)

struct br_port_counters {
	/* datagrams read, by enum br_class; bytes are of the UDP payload */
	struct br_counter read[BR_CLASS_COUNT];
	uint64_t overflows; /* datagrams that the socket buffers had no room for */
};

struct br_port;

/**
 * br_port_open - bind a UDP port on every IPv4 and IPv6 address and read it
 * @loop: must run for datagrams to be read
 * @number: 1..65535, host byte order
 * @port: set on success; owned by the caller, freed by br_port_close
 * @error: field "media.port"
 *
 * A machine without IPv6 gets IPv4 only. Nothing handles what is read yet: it is counted
 * by class and discarded.
 *
 * Return: 0, -EADDRINUSE when somebody else has the port, or another negative errno.
 */
int br_port_open(uv_loop_t *loop, uint16_t number, struct br_port **port, struct br_error *error);
/**
 * br_port_close - stop reading and let the port go; NULL is ignored
 *
 * Memory is freed by the loop: run it once more.
 */
void br_port_close(struct br_port *port);

/** br_port_counters - since br_port_open */
const struct br_port_counters *br_port_counters(const struct br_port *port);
/** br_class_name - as in the API and the metrics: "stun", "dtls", "rtp", "rtcp", "unknown" */
const char *br_class_name(enum br_class class);

#endif
