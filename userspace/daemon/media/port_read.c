// SPDX-License-Identifier: BSD-2-Clause
/* Reading the media port: datagrams in batches, with what their IP headers said. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "media/port_private.h"

#define BR_TURNS	16    /* system calls per event, so that a flood cannot hold the loop */
#define BR_TURNS_COPIES 2048u /* and copies */

#define BR_CONTROL                                                                                 \
	(CMSG_SPACE(sizeof(uint32_t)) + CMSG_SPACE(sizeof(struct in6_pktinfo)) +                   \
	 3 * CMSG_SPACE(sizeof(int)))

struct br_port_batch {
	struct mmsghdr messages[BR_PORT_BATCH];
	struct iovec pieces[BR_PORT_BATCH];
	struct sockaddr_storage names[BR_PORT_BATCH];
	_Alignas(struct cmsghdr) char control[BR_PORT_BATCH][BR_CONTROL];
	uint8_t bytes[BR_PORT_BATCH][BR_PORT_DATAGRAM];
};

struct br_port_batch *br_port_batch_new(void)
{
	return malloc(sizeof(struct br_port_batch)); /* no page of it is touched before its turn */
}

void br_port_batch_free(struct br_port_batch *batch)
{
	free(batch);
}

int br_port_read_setup(int fd, int family)
{
	static const struct {
		int family, level, option;
	} wanted[] = {
		{AF_INET, IPPROTO_IP, IP_PKTINFO},
		{AF_INET, IPPROTO_IP, IP_RECVTTL},
		{AF_INET, IPPROTO_IP, IP_RECVTOS},
		{AF_INET6, IPPROTO_IPV6, IPV6_RECVPKTINFO},
		{AF_INET6, IPPROTO_IPV6, IPV6_RECVHOPLIMIT},
		{AF_INET6, IPPROTO_IPV6, IPV6_RECVTCLASS},
	};
	const int on = 1;

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (wanted[i].family == family &&
		    setsockopt(fd, wanted[i].level, wanted[i].option, &on, sizeof(on)))
			return -errno;
	return setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof(on)) ? -errno : 0;
}

/* The socket's running count of datagrams it had to drop comes with each datagram. */
static void br_port_note_overflow(struct br_port *port, struct br_port_socket *from,
				  const struct cmsghdr *c)
{
	uint32_t lost;

	memcpy(&lost, CMSG_DATA(c), sizeof(lost));
	port->counters.overflows += lost - from->lost;
	from->lost = lost;
}

static void br_port_read_ipv4(const struct cmsghdr *c, struct br_datagram *out)
{
	struct in_pktinfo info;
	int value;

	switch (c->cmsg_type) {
	case IP_PKTINFO:
		memcpy(&info, CMSG_DATA(c), sizeof(info));
		out->local.addr = br_addr_from_bytes(4, &info.ipi_addr);
		break;
	case IP_TTL:
		memcpy(&value, CMSG_DATA(c), sizeof(value));
		out->ttl = (uint8_t)value;
		break;
	case IP_TOS:
		out->tos = *CMSG_DATA(c);
		break;
	default:
		break;
	}
}

static void br_port_read_ipv6(const struct cmsghdr *c, struct br_datagram *out)
{
	struct in6_pktinfo info;
	int value;

	switch (c->cmsg_type) {
	case IPV6_PKTINFO:
		memcpy(&info, CMSG_DATA(c), sizeof(info));
		out->local.addr = br_addr_from_bytes(6, &info.ipi6_addr);
		break;
	case IPV6_HOPLIMIT:
		memcpy(&value, CMSG_DATA(c), sizeof(value));
		out->ttl = (uint8_t)value;
		break;
	case IPV6_TCLASS:
		memcpy(&value, CMSG_DATA(c), sizeof(value));
		out->tos = (uint8_t)value;
		break;
	default:
		break;
	}
}

/* False when the kernel did not tell what must be known. */
static bool br_port_describe(struct br_port *port, struct br_port_socket *from,
			     struct msghdr *message, struct br_datagram *out)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL)
			br_port_note_overflow(port, from, c);
		else if (c->cmsg_level == IPPROTO_IP)
			br_port_read_ipv4(c, out);
		else if (c->cmsg_level == IPPROTO_IPV6)
			br_port_read_ipv6(c, out);
	}
	out->local.port = htons(from->number);
	return out->local.addr.family && br_endpoint_from_sockaddr(message->msg_name, &out->remote);
}

/* One datagram; returns the copies made of it. */
static uint32_t br_port_take(struct br_port *port, struct br_port_socket *from,
			     struct mmsghdr *message)
{
	struct br_datagram datagram = {
		.payload = message->msg_hdr.msg_iov->iov_base,
		.length = message->msg_len,
	};
	enum br_class class = BR_CLASS_UNKNOWN;

	if (datagram.length >= 2)
		class = br_classify(datagram.payload[0], datagram.payload[1]);
	else if (datagram.length == 1)
		class = br_classify(datagram.payload[0], 0);
	port->counters.read[class].packets++;
	port->counters.read[class].bytes += datagram.length;
	if (!br_port_describe(port, from, &message->msg_hdr, &datagram) || !port->reader ||
	    message->msg_hdr.msg_flags & MSG_TRUNC)
		return 0;
	return port->reader(port->context, &datagram);
}

/* Returns how many datagrams were there, or -errno. */
static int br_port_read_batch(struct br_port *port, struct br_port_socket *from, uint32_t *copies)
{
	struct br_port_batch *batch = port->batch;
	int count;

	for (unsigned int i = 0; i < BR_PORT_BATCH; i++) {
		batch->pieces[i] = (struct iovec){batch->bytes[i], sizeof(batch->bytes[i])};
		batch->messages[i].msg_hdr = (struct msghdr){
			.msg_name = &batch->names[i],
			.msg_namelen = sizeof(batch->names[i]),
			.msg_iov = &batch->pieces[i],
			.msg_iovlen = 1,
			.msg_control = batch->control[i],
			.msg_controllen = sizeof(batch->control[i]),
		};
	}
	count = recvmmsg(from->fd, batch->messages, BR_PORT_BATCH, MSG_DONTWAIT, NULL);
	if (count < 0)
		return -errno;
	for (int i = 0; i < count; i++)
		*copies += br_port_take(port, from, &batch->messages[i]);
	return count;
}

void br_port_read(struct br_port *port, struct br_port_socket *from)
{
	uint32_t copies = 0;

	for (int turn = 0; turn < BR_TURNS && copies < BR_TURNS_COPIES; turn++)
		if (br_port_read_batch(port, from, &copies) < (int)BR_PORT_BATCH)
			break;
}
