/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by the files of the media port and nobody else. */
#ifndef BR_PORT_PRIVATE_H
#define BR_PORT_PRIVATE_H

#include "media/port.h"

/* Longest UDP payload of IPv4 and IPv6, so that no datagram is ever cut off. */
#define BR_PORT_DATAGRAM 65536u
#define BR_PORT_BATCH	 32u /* datagrams per system call */

struct br_port_batch;

/* One socket of the port. */
struct br_port_socket {
	uv_poll_t poll; /* data: the port */
	int fd;		/* -1: not open */
	int family;	/* AF_INET or AF_INET6 */
	uint16_t number;
	uint32_t lost;	   /* SO_RXQ_OVFL as last seen; wraps */
	int dont_fragment; /* as set for what is sent: 0, 1, or -1 when not set yet */
};

struct br_port {
	struct br_port_socket sockets[2]; /* IPv4, IPv6 */
	unsigned int open_handles;
	struct br_port_batch *batch;
	br_port_reader reader;
	void *context;
	struct br_port_counters counters;
};

/* port_read.c */

/** br_port_read_setup - have the kernel tell what a datagram's IP header said */
int br_port_read_setup(int fd, int family);
/** br_port_batch_new - NULL without memory */
struct br_port_batch *br_port_batch_new(void);
/** br_port_batch_free - NULL is ignored */
void br_port_batch_free(struct br_port_batch *batch);
/** br_port_read - read until nothing is left or enough was done in one turn */
void br_port_read(struct br_port *port, struct br_port_socket *from);

#endif
