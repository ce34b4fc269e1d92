/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rtnetlink sockets over libmnl: one way to hear what the kernel announces, one way to
 * ask it many things in one system call. No knowledge of routes or neighbours here.
 */
#ifndef BR_NETLINK_H
#define BR_NETLINK_H

#include <stddef.h>
#include <stdint.h>
#include <libmnl/libmnl.h>

/* Requests that travel in one datagram: their answers fit the default receive buffer. */
#define BR_NETLINK_BATCH 32u
/* Room for one request: headers and two addresses. */
#define BR_NETLINK_REQUEST_MAX 128u

struct br_netlink {
	struct mnl_socket *socket;
	int fd;
	uint32_t seq;
	uint8_t *buffer; /* datagrams of the kernel; a socket for events reads one at a time */
};

/** br_netlink_visit - sees one message; its length has been checked against the datagram */
typedef void (*br_netlink_visit)(void *context, const struct nlmsghdr *message);

/**
 * br_netlink_answer - sees what the kernel says to one request of a batch
 * @index: of the request, from 0
 * @message: the answer; NULL when there is no more to come
 * @error: 0 or negative errno; set without a message only
 */
typedef void (*br_netlink_answer)(void *context, size_t index, const struct nlmsghdr *message,
				  int error);

/**
 * br_netlink_open_events - non-blocking socket subscribed to rtnetlink groups
 * @groups: RTNLGRP_* numbers
 * @group_count: how many; a group this kernel does not know is an error
 *
 * Return: 0 or negative errno; on success close with br_netlink_close.
 */
int br_netlink_open_events(struct br_netlink *netlink, const int *groups, size_t group_count);
/** br_netlink_open_requests - socket for batches; an answer is awaited one second at most */
int br_netlink_open_requests(struct br_netlink *netlink);
/** br_netlink_close - a zeroed or closed socket is ignored */
void br_netlink_close(struct br_netlink *netlink);

/**
 * br_netlink_receive - read one datagram and visit its messages; does not block
 *
 * Datagrams of other processes are ignored.
 *
 * Return: 1 when something was read, 0 when nothing is there, -ENOBUFS when announcements
 * were lost (more may still be waiting), another negative errno when the socket fails.
 */
int br_netlink_receive(struct br_netlink *netlink, br_netlink_visit visit, void *context);

/* Requests being collected. Lives on the stack of the caller. */
struct br_netlink_batch {
	struct br_netlink *netlink;
	uint32_t first_seq;
	size_t count;
	size_t length;
	struct nlmsghdr *open; /* the request being filled */
	_Alignas(NLMSG_ALIGNTO) uint8_t data[BR_NETLINK_BATCH * BR_NETLINK_REQUEST_MAX];
};

/** br_netlink_batch_begin - empty batch on a socket of br_netlink_open_requests */
void br_netlink_batch_begin(struct br_netlink_batch *batch, struct br_netlink *netlink);
/**
 * br_netlink_batch_add - begin the next request; at most BR_NETLINK_BATCH
 * @type: RTM_*; one that asks (RTM_GET*) for one thing is closed by its answer or by an error
 * @flags: NLM_F_* beside NLM_F_REQUEST and NLM_F_ACK; no NLM_F_DUMP
 * @header_length: of the family's header behind nlmsghdr
 * @header: set to that header, zeroed
 *
 * Return: the message, to add attributes to; up to BR_NETLINK_REQUEST_MAX bytes in all.
 */
struct nlmsghdr *br_netlink_batch_add(struct br_netlink_batch *batch, uint16_t type, uint16_t flags,
				      size_t header_length, void **header);
/**
 * br_netlink_batch_send - send all requests and hear all answers
 *
 * The kernel works a datagram off within the send, so this takes as long as the requests
 * do and waits for nobody else.
 *
 * Return: 0 when every request was answered, whatever was said; negative errno when the
 * socket failed and some requests may have no answer. The batch is empty then.
 */
int br_netlink_batch_send(struct br_netlink_batch *batch, br_netlink_answer answer, void *context);

/**
 * br_netlink_attributes - index the attributes of a message by type
 * @header_length: of the family's header
 * @table: @max + 1 pointers; NULL where an attribute is absent; the last of a type wins
 */
void br_netlink_attributes(const struct nlmsghdr *message, size_t header_length,
			   const struct nlattr **table, uint16_t max);
/** br_netlink_u32 - value of an attribute; @otherwise when absent or of another length */
uint32_t br_netlink_u32(const struct nlattr *attribute, uint32_t otherwise);

#endif
