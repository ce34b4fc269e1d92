/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The UDP media port as the stack sees it: what XDP passes up arrives here, and what the
 * daemon forwards itself leaves here. Owning the port keeps the stack from answering with ICMP
 * port unreachable.
 */
#ifndef BR_PORT_H
#define BR_PORT_H

#include <stdint.h>

#include <uv.h>

#include <blindrelay/abi.h>
#include <blindrelay/wire.h>

#include "lib/datagram.h"
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
 * A machine without IPv6 gets IPv4 only. What is read is counted by class.
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

/**
 * br_port_reader - a datagram, whole
 *
 * Return: copies made of it, so that the port knows when to let others have their turn.
 */
typedef uint32_t (*br_port_reader)(void *context, const struct br_datagram *datagram);
/** br_port_set_reader - who gets what is read; without one it is discarded */
void br_port_set_reader(struct br_port *port, br_port_reader reader, void *context);

#define BR_PORT_COPIES 64u /* of one br_port_send */

/* A copy to be sent, and how that went. */
struct br_port_copy {
	struct br_endpoint remote;
	struct br_addr local; /* source address, of the same family */
	uint32_t ifindex;     /* interface of a link-local remote address; else 0 */
	int error;	      /* set by br_port_send: 0, or a negative errno */
};

/**
 * br_port_send - send the payload of a datagram to many, in their order for each family
 * @datagram: payload; TTL or hop limit less one, DSCP, ECN and don't-fragment go along
 * @copies: @count of them, 1..BR_PORT_COPIES
 *
 * Does not wait: a copy that the socket has no room for has the error -EAGAIN. -EMSGSIZE: it
 * does not fit the path and may not be cut.
 */
void br_port_send(struct br_port *port, const struct br_datagram *datagram,
		  struct br_port_copy *copies, size_t count);

/** br_port_counters - since br_port_open */
const struct br_port_counters *br_port_counters(const struct br_port *port);
/** br_class_name - as in the API and the metrics: "stun", "dtls", "rtp", "rtcp", "unknown" */
const char *br_class_name(enum br_class class);

#endif
