// SPDX-License-Identifier: BSD-2-Clause
#include "port.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/addr.h"
#include "lib/log.h"

#define BR_BATCH       32 /* datagrams per system call */
#define BR_TURNS       16 /* system calls per event, so that a flood cannot hold the loop */
#define BR_RECEIVE_BUF (1024 * 1024) /* bytes; the default holds about 48 datagrams */

/* One socket of the port. */
struct receiver {
	uv_poll_t poll; /* data: the port */
	int fd;		/* -1: not open */
	uint32_t lost;	/* SO_RXQ_OVFL as last seen; wraps */
};

struct br_port {
	struct receiver receivers[2]; /* IPv4, IPv6 */
	unsigned int open_handles;
	struct br_port_counters counters;
};

static int bind_family(struct receiver *receiver, int family, uint16_t number,
		       struct br_error *error)
{
	const int on = 1, size = BR_RECEIVE_BUF;
	struct br_endpoint any = {.addr = {.family = family == AF_INET ? 4 : 6},
				  .port = htons(number)};
	struct sockaddr_storage addr;
	socklen_t length = br_endpoint_to_sockaddr(&any, &addr);
	int fd, err;

	fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return br_error_set(error, -errno, "media.port", "cannot make a UDP socket: %m");
	if ((family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on))) ||
	    setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof(on)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size))) {
		err = br_error_set(error, -errno, "media.port", "cannot set up the socket: %m");
		goto close;
	}
	if (bind(fd, (struct sockaddr *)&addr, length)) {
		err = -errno;
		if (err == -EADDRINUSE)
			br_error_set(error, err, "media.port",
				     "UDP port %u (%s) is in use, perhaps by another blindrelayd; "
				     "expected a free port",
				     number, family == AF_INET ? "IPv4" : "IPv6");
		else
			br_error_set(error, err, "media.port", "cannot bind UDP port %u: %s",
				     number, strerror(-err));
		goto close;
	}
	receiver->fd = fd;
	return 0;
close:
	close(fd);
	return err;
}

/* The socket's running count of datagrams it had to drop comes with each datagram. */
static void note_overflow(struct br_port *port, struct receiver *receiver, struct msghdr *message)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		uint32_t lost;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SO_RXQ_OVFL)
			continue;
		memcpy(&lost, CMSG_DATA(c), sizeof(lost));
		port->counters.overflows += lost - receiver->lost;
		receiver->lost = lost;
	}
}

/* One batch; returns how many datagrams were there, or -errno. */
static int read_batch(struct br_port *port, struct receiver *receiver)
{
	/* two bytes tell the class; MSG_TRUNC tells the length of the rest */
	unsigned char heads[BR_BATCH][2] = {0};
	char control[BR_BATCH][CMSG_SPACE(sizeof(uint32_t))];
	struct mmsghdr messages[BR_BATCH];
	struct iovec pieces[BR_BATCH];
	int count;

	for (int i = 0; i < BR_BATCH; i++) {
		pieces[i] = (struct iovec){heads[i], sizeof(heads[i])};
		messages[i].msg_hdr = (struct msghdr){.msg_iov = &pieces[i],
						      .msg_iovlen = 1,
						      .msg_control = control[i],
						      .msg_controllen = sizeof(control[i])};
	}
	count = recvmmsg(receiver->fd, messages, BR_BATCH, MSG_DONTWAIT | MSG_TRUNC, NULL);
	if (count < 0)
		return -errno;
	for (int i = 0; i < count; i++) {
		enum br_class class = BR_CLASS_UNKNOWN;

		if (messages[i].msg_len > 0)
			class = br_classify(heads[i][0], heads[i][1]);
		port->counters.read[class].packets++;
		port->counters.read[class].bytes += messages[i].msg_len;
		note_overflow(port, receiver, &messages[i].msg_hdr);
	}
	return count;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct br_port *port = poll->data;
	struct receiver *receiver = (struct receiver *)poll;

	(void)status; /* an error of the socket is read, and so cleared, like data */
	(void)events;
	for (int turn = 0; turn < BR_TURNS; turn++) {
		if (read_batch(port, receiver) < BR_BATCH)
			break;
	}
}
_Static_assert(offsetof(struct receiver, poll) == 0, "on_readable casts");

static void on_closed(uv_handle_t *handle)
{
	struct br_port *port = handle->data;

	if (--port->open_handles == 0)
		free(port);
}

static int watch(struct br_port *port, uv_loop_t *loop, struct receiver *receiver)
{
	int err = uv_poll_init(loop, &receiver->poll, receiver->fd);

	if (err)
		return err;
	receiver->poll.data = port;
	port->open_handles++;
	return uv_poll_start(&receiver->poll, UV_READABLE, on_readable);
}

int br_port_open(uv_loop_t *loop, uint16_t number, struct br_port **port, struct br_error *error)
{
	struct br_port *opened = calloc(1, sizeof(*opened));
	int err;

	if (!opened)
		return br_error_set(error, -ENOMEM, "media.port", "out of memory");
	opened->receivers[0].fd = opened->receivers[1].fd = -1;
	err = bind_family(&opened->receivers[0], AF_INET, number, error);
	if (err)
		goto fail;
	err = bind_family(&opened->receivers[1], AF_INET6, number, error);
	if (err == -EAFNOSUPPORT || err == -EADDRNOTAVAIL)
		br_log_info("no IPv6 on this machine: media over IPv4 only");
	else if (err)
		goto fail;
	for (size_t i = 0; i < 2; i++) {
		err = opened->receivers[i].fd < 0 ? 0 : watch(opened, loop, &opened->receivers[i]);
		if (err) {
			br_error_set(error, err, "media.port", "cannot poll: %s", strerror(-err));
			goto fail;
		}
	}
	*port = opened;
	return 0;
fail:
	br_port_close(opened);
	return err;
}

void br_port_close(struct br_port *port)
{
	if (!port)
		return;
	for (size_t i = 0; i < 2; i++) {
		struct receiver *receiver = &port->receivers[i];

		if (receiver->poll.data) {
			uv_poll_stop(&receiver->poll);
			uv_close((uv_handle_t *)&receiver->poll, on_closed);
		}
		/* libuv has forgotten the descriptor, so it may go before the handle does */
		if (receiver->fd >= 0)
			close(receiver->fd);
	}
	if (!port->open_handles)
		free(port);
}

const struct br_port_counters *br_port_counters(const struct br_port *port)
{
	return &port->counters;
}

const char *br_class_name(enum br_class class)
{
	static const char *const names[BR_CLASS_COUNT] = {
		[BR_CLASS_UNKNOWN] = "unknown", [BR_CLASS_STUN] = "stun", [BR_CLASS_DTLS] = "dtls",
		[BR_CLASS_RTP] = "rtp",		[BR_CLASS_RTCP] = "rtcp",
	};

	return names[class];
}
