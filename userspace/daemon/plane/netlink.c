/* SPDX-License-Identifier: BSD-2-Clause */
#include "plane/netlink.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

/* The kernel never sends more than 32 KiB at once (NLMSG_GOODSIZE and dumps stay below). */
#define BR_NETLINK_DATAGRAM 32768u
/* Announcements of one burst: a flap of thousands of neighbours fits. */
#define BR_NETLINK_EVENT_BUFFER (4 << 20)

static int br_netlink_open(struct br_netlink *netlink, int flags, size_t datagrams)
{
	int rc;

	memset(netlink, 0, sizeof(*netlink));
	netlink->fd = -1;
	netlink->buffer = malloc(datagrams * BR_NETLINK_DATAGRAM);
	if (!netlink->buffer)
		return -ENOMEM;
	netlink->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | flags);
	if (!netlink->socket || mnl_socket_bind(netlink->socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		rc = -errno;
		br_netlink_close(netlink);
		return rc;
	}
	netlink->fd = mnl_socket_get_fd(netlink->socket);
	return 0;
}

int br_netlink_open_events(struct br_netlink *netlink, const int *groups, size_t group_count)
{
	int size = BR_NETLINK_EVENT_BUFFER;
	int rc = br_netlink_open(netlink, SOCK_NONBLOCK, 1);

	if (rc)
		return rc;
	/* FORCE needs CAP_NET_ADMIN; without it the system's limit applies */
	if (setsockopt(netlink->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		(void)setsockopt(netlink->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	for (size_t i = 0; i < group_count; i++) {
		int group = groups[i];

		if (mnl_socket_setsockopt(netlink->socket, NETLINK_ADD_MEMBERSHIP, &group,
					  sizeof(group)) < 0) {
			rc = -errno;
			br_netlink_close(netlink);
			return rc;
		}
	}
	return 0;
}

int br_netlink_open_requests(struct br_netlink *netlink)
{
	struct timeval timeout = {.tv_sec = 1};
	int on = 1;
	/* answers are short: of most of this memory only the first page is ever touched */
	int rc = br_netlink_open(netlink, 0, BR_NETLINK_BATCH);

	if (rc)
		return rc;
	/* an acknowledgement need not carry the request back */
	(void)mnl_socket_setsockopt(netlink->socket, NETLINK_CAP_ACK, &on, sizeof(on));
	if (setsockopt(netlink->fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) < 0) {
		rc = -errno;
		br_netlink_close(netlink);
	}
	return rc;
}

void br_netlink_close(struct br_netlink *netlink)
{
	if (netlink->socket)
		mnl_socket_close(netlink->socket);
	free(netlink->buffer);
	memset(netlink, 0, sizeof(*netlink));
	netlink->fd = -1;
}

/*
 * Up to @most datagrams of the kernel into the buffer, waiting for the first only, if at all;
 * lengths 0 for those to ignore. Returns how many, or -errno.
 */
static int br_netlink_read(struct br_netlink *netlink, size_t lengths[static BR_NETLINK_BATCH],
			   unsigned int most)
{
	struct sockaddr_nl from[BR_NETLINK_BATCH] = {0};
	struct mmsghdr headers[BR_NETLINK_BATCH];
	struct iovec iov[BR_NETLINK_BATCH];
	int count;

	for (unsigned int i = 0; i < most; i++) {
		iov[i].iov_base = netlink->buffer + i * BR_NETLINK_DATAGRAM;
		iov[i].iov_len = BR_NETLINK_DATAGRAM;
		headers[i].msg_hdr = (struct msghdr){
			.msg_name = &from[i],
			.msg_namelen = sizeof(from[i]),
			.msg_iov = &iov[i],
			.msg_iovlen = 1,
		};
	}
	do {
		count = recvmmsg(netlink->fd, headers, most, MSG_WAITFORONE, NULL);
	} while (count < 0 && errno == EINTR);
	if (count < 0)
		return -errno;
	for (int i = 0; i < count; i++) {
		bool kernel = headers[i].msg_hdr.msg_namelen == sizeof(from[i]) && !from[i].nl_pid;

		/* only port 0 is the kernel; another process could forge routes otherwise */
		lengths[i] = kernel ? headers[i].msg_len : 0;
		/* cut off: as good as lost */
		if (kernel && headers[i].msg_hdr.msg_flags & MSG_TRUNC)
			return -ENOBUFS;
	}
	return count;
}

int br_netlink_receive(struct br_netlink *netlink, br_netlink_visit visit, void *context)
{
	size_t lengths[BR_NETLINK_BATCH];
	int count = br_netlink_read(netlink, lengths, 1);
	int left;

	if (count == -EAGAIN || count == -EWOULDBLOCK)
		return 0;
	if (count <= 0)
		return count;
	left = (int)lengths[0];
	for (const struct nlmsghdr *message = (const void *)netlink->buffer;
	     mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left))
		visit(context, message);
	return 1;
}

void br_netlink_batch_begin(struct br_netlink_batch *batch, struct br_netlink *netlink)
{
	batch->netlink = netlink;
	batch->first_seq = netlink->seq + 1;
	batch->count = 0;
	batch->length = 0;
	batch->open = NULL;
}

static void br_netlink_batch_finish(struct br_netlink_batch *batch)
{
	if (batch->open)
		batch->length += NLMSG_ALIGN(batch->open->nlmsg_len);
	batch->open = NULL;
}

/* RTM_NEW, DEL, GET and SET of each kind follow one another. */
static bool br_netlink_asks(uint16_t type)
{
	return (type & 3) == (RTM_GETLINK & 3);
}

struct nlmsghdr *br_netlink_batch_add(struct br_netlink_batch *batch, uint16_t type, uint16_t flags,
				      size_t header_length, void **header)
{
	struct nlmsghdr *message;

	br_netlink_batch_finish(batch);
	message = mnl_nlmsg_put_header(batch->data + batch->length);
	message->nlmsg_type = type;
	message->nlmsg_flags = NLM_F_REQUEST | flags;
	/* an acknowledgement after the answer would be one more datagram for nothing */
	if (!br_netlink_asks(type))
		message->nlmsg_flags |= NLM_F_ACK;
	message->nlmsg_seq = ++batch->netlink->seq;
	*header = mnl_nlmsg_put_extra_header(message, header_length);
	batch->open = message;
	batch->count++;
	return message;
}

/* Hand the messages of one datagram out; returns how many requests they close. */
static size_t br_netlink_batch_hear(const struct br_netlink_batch *batch, const void *datagram,
				    size_t length, br_netlink_answer answer, void *context)
{
	const struct nlmsghdr *message = datagram;
	int left = (int)length;
	size_t closed = 0;

	for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
		uint32_t index = message->nlmsg_seq - batch->first_seq;

		if (index >= batch->count)
			continue; /* left over from a batch that was given up */
		if (message->nlmsg_type != NLMSG_ERROR) {
			answer(context, index, message, 0);
			answer(context, index, NULL, 0);
			closed++;
		} else if (mnl_nlmsg_get_payload_len(message) >= sizeof(struct nlmsgerr)) {
			const struct nlmsgerr *ack = mnl_nlmsg_get_payload(message);

			answer(context, index, NULL, ack->error);
			closed++;
		}
	}
	return closed;
}

int br_netlink_batch_send(struct br_netlink_batch *batch, br_netlink_answer answer, void *context)
{
	struct br_netlink *netlink = batch->netlink;
	size_t closed = 0;
	int rc = 0;

	br_netlink_batch_finish(batch);
	if (batch->count && mnl_socket_sendto(netlink->socket, batch->data, batch->length) < 0)
		rc = -errno;
	while (!rc && closed < batch->count) {
		size_t lengths[BR_NETLINK_BATCH];
		int count = br_netlink_read(netlink, lengths, BR_NETLINK_BATCH);

		for (int i = 0; i < count; i++)
			closed += br_netlink_batch_hear(
				batch, netlink->buffer + (size_t)i * BR_NETLINK_DATAGRAM,
				lengths[i], answer, context);
		if (count < 0)
			rc = count;
	}
	br_netlink_batch_begin(batch, netlink);
	return rc;
}

void br_netlink_attributes(const struct nlmsghdr *message, size_t header_length,
			   const struct nlattr **table, uint16_t max)
{
	const struct nlattr *attribute;

	memset(table, 0, (max + 1u) * sizeof(*table));
	if (mnl_nlmsg_get_payload_len(message) < header_length)
		return;
	mnl_attr_for_each (attribute, message, (unsigned int)header_length) {
		uint16_t type = mnl_attr_get_type(attribute);

		if (type <= max)
			table[type] = attribute;
	}
}

uint32_t br_netlink_u32(const struct nlattr *attribute, uint32_t otherwise)
{
	if (!attribute || mnl_attr_get_payload_len(attribute) != sizeof(uint32_t))
		return otherwise;
	return mnl_attr_get_u32(attribute);
}
