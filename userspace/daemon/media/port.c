// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/addr.h"
#include "lib/log.h"
#include "media/port_private.h"

/* Bytes of a socket's buffers; the default holds about 48 datagrams. */
#define BR_RECEIVE_BUF (1024 * 1024)
#define BR_SEND_BUF    (4 * 1024 * 1024) /* also holds what waits for a neighbour to answer */

static int bind_family(struct br_port_socket *out, int family, uint16_t number,
		       struct br_error *error)
{
	const int on = 1, receive = BR_RECEIVE_BUF, send = BR_SEND_BUF;
	struct br_endpoint any = {.addr = {.family = family == AF_INET ? 4 : 6},
				  .port = htons(number)};
	struct sockaddr_storage addr;
	socklen_t length = br_endpoint_to_sockaddr(&any, &addr);
	int fd, err;

	fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return br_error_set(error, -errno, "media.port", "cannot make a UDP socket: %m");
	if ((family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on))) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive, sizeof(receive)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send, sizeof(send)) ||
	    br_port_read_setup(fd, family)) {
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
	/* more than the limits for everybody, where the daemon may */
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &receive, sizeof(receive));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &send, sizeof(send));
	out->fd = fd;
	out->family = family;
	out->number = number;
	out->dont_fragment = -1;
	return 0;
close:
	close(fd);
	return err;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct br_port *port = poll->data;

	(void)status; /* an error of the socket is read, and so cleared, like data */
	(void)events;
	br_port_read(port, (struct br_port_socket *)poll);
}
_Static_assert(offsetof(struct br_port_socket, poll) == 0, "on_readable casts");

static void br_port_free(struct br_port *port)
{
	br_port_batch_free(port->batch);
	free(port);
}

static void on_closed(uv_handle_t *handle)
{
	struct br_port *port = handle->data;

	if (--port->open_handles == 0)
		br_port_free(port);
}

static int watch(struct br_port *port, uv_loop_t *loop, struct br_port_socket *socket)
{
	int err = uv_poll_init(loop, &socket->poll, socket->fd);

	if (err)
		return err;
	socket->poll.data = port;
	port->open_handles++;
	return uv_poll_start(&socket->poll, UV_READABLE, on_readable);
}

int br_port_open(uv_loop_t *loop, uint16_t number, struct br_port **port, struct br_error *error)
{
	struct br_port *opened = calloc(1, sizeof(*opened));
	int err;

	if (!opened)
		return br_error_set(error, -ENOMEM, "media.port", "out of memory");
	opened->sockets[0].fd = opened->sockets[1].fd = -1;
	opened->batch = br_port_batch_new();
	if (!opened->batch) {
		err = br_error_set(error, -ENOMEM, "media.port", "out of memory");
		goto fail;
	}
	err = bind_family(&opened->sockets[0], AF_INET, number, error);
	if (err)
		goto fail;
	err = bind_family(&opened->sockets[1], AF_INET6, number, error);
	if (err == -EAFNOSUPPORT || err == -EADDRNOTAVAIL)
		br_log_info("no IPv6 on this machine: media over IPv4 only");
	else if (err)
		goto fail;
	for (size_t i = 0; i < 2; i++) {
		err = opened->sockets[i].fd < 0 ? 0 : watch(opened, loop, &opened->sockets[i]);
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
		struct br_port_socket *socket = &port->sockets[i];

		if (socket->poll.data) {
			uv_poll_stop(&socket->poll);
			uv_close((uv_handle_t *)&socket->poll, on_closed);
		}
		/* libuv has forgotten the descriptor, so it may go before the handle does */
		if (socket->fd >= 0)
			close(socket->fd);
	}
	if (!port->open_handles)
		br_port_free(port);
}

void br_port_set_reader(struct br_port *port, br_port_reader reader, void *context)
{
	port->reader = reader;
	port->context = context;
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
