// SPDX-License-Identifier: BSD-2-Clause
#include "control/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/log.h"

#define BR_LISTEN_BACKLOG 128
#define BR_LISTEN_BURST	  16 /* connections taken per turn of the loop */

static void br_listen_readable(uv_poll_t *poll, int status, int events);

/* Descriptors ran out: take the connection with the spare one and hang up, else we spin. */
static void br_listen_refuse(struct br_listener *listener)
{
	int fd;

	if (listener->spare < 0)
		return;
	close(listener->spare);
	fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0)
		close(fd);
	listener->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	br_log_warn("control: no descriptors left, a connection was refused");
}

static void br_listen_readable(uv_poll_t *poll, int status, int events)
{
	struct br_listener *listener = poll->data;
	int one = 1;

	(void)events;
	if (status < 0)
		return;
	for (int i = 0; i < BR_LISTEN_BURST; i++) {
		int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0) {
			if (errno == EMFILE || errno == ENFILE)
				br_listen_refuse(listener);
			return;
		}
		if (listener->tcp)
			setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		if (!listener->accept(listener, fd))
			continue;
		if (++listener->connections == BR_LISTEN_CONNECTIONS_MAX) {
			uv_poll_stop(poll);
			return;
		}
	}
}

void br_listen_done(struct br_listener *listener)
{
	if (listener->connections-- == BR_LISTEN_CONNECTIONS_MAX && listener->fd >= 0)
		uv_poll_start(&listener->poll, UV_READABLE, br_listen_readable);
}

static int br_listen_start(struct br_listener *listener, uv_loop_t *loop)
{
	int err;

	if (listen(listener->fd, BR_LISTEN_BACKLOG))
		return -errno;
	listener->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (listener->spare < 0)
		return -errno;
	err = uv_poll_init(loop, &listener->poll, listener->fd);
	if (err)
		return err;
	listener->poll.data = listener;
	return uv_poll_start(&listener->poll, UV_READABLE, br_listen_readable);
}

int br_listen_tcp(struct br_listener *listener, uv_loop_t *loop, const struct br_endpoint *endpoint,
		  struct br_error *error)
{
	char text[BR_ENDPOINT_TEXT];
	struct sockaddr_storage addr;
	socklen_t length = br_endpoint_to_sockaddr(endpoint, &addr);
	int one = 1, err;

	listener->tcp = true;
	listener->path[0] = '\0';
	listener->spare = -1;
	listener->loopback = br_addr_is_loopback(&endpoint->addr);
	br_endpoint_format(endpoint, text);
	listener->fd = socket(addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (listener->fd < 0)
		goto fail_errno;
	setsockopt(listener->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (addr.ss_family == AF_INET6)
		setsockopt(listener->fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (bind(listener->fd, (struct sockaddr *)&addr, length))
		goto fail_errno;
	err = br_listen_start(listener, loop);
	if (!err)
		return 0;
	goto fail;

fail_errno:
	err = -errno;
fail:
	br_error_set(
		error, err, "control.listen", "cannot listen on %s: %s%s", text, strerror(-err),
		err == -EADDRINUSE ? "; expected an address and port that no program uses" : "");
	if (listener->spare >= 0)
		close(listener->spare);
	if (listener->fd >= 0)
		close(listener->fd);
	listener->fd = -1;
	return err;
}

/* Is there a file already, and may it go? 0: the path is free now. */
static int br_listen_clear(const struct sockaddr_un *addr, struct br_error *error)
{
	struct stat st;
	int fd, err;

	if (lstat(addr->sun_path, &st))
		return errno == ENOENT ? 0
				       : br_error_set(error, -errno, "control.socket", "%s: %s",
						      addr->sun_path, strerror(errno));
	if (!S_ISSOCK(st.st_mode))
		return br_error_set(error, -EEXIST, "control.socket",
				    "%s exists and is no socket; expected a path that is free",
				    addr->sun_path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return br_error_set(error, -errno, "control.socket", "%s", strerror(errno));
	err = connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) ? errno : 0;
	close(fd);
	/* EAGAIN: its queue is full, so somebody is there */
	if (err == ECONNREFUSED)
		err = unlink(addr->sun_path) && errno != ENOENT ? errno : ENOENT;
	if (err == ENOENT)
		return 0;
	if (!err || err == EAGAIN)
		return br_error_set(error, -EADDRINUSE, "control.socket",
				    "another program, perhaps a second blindrelayd, answers on %s",
				    addr->sun_path);
	return br_error_set(error, -err, "control.socket", "%s: %s", addr->sun_path, strerror(err));
}

/* The directory of the socket; one level is made when it is missing. */
static int br_listen_directory(struct br_listener *listener, struct br_error *error)
{
	char directory[sizeof(listener->path)];
	char *slash;

	memcpy(directory, listener->path, sizeof(directory));
	slash = strrchr(directory, '/');
	if (!slash || slash == directory)
		return 0;
	*slash = '\0';
	if (!mkdir(directory, 0750)) {
		listener->made_directory = true;
		return 0;
	}
	if (errno == EEXIST)
		return 0;
	return br_error_set(error, -errno, "control.socket", "cannot make directory %s: %s",
			    directory, strerror(errno));
}

static void br_listen_remove_files(struct br_listener *listener)
{
	struct stat st;
	char *slash;

	if (!listener->path[0])
		return;
	/* only our own: somebody may have replaced it */
	if (listener->inode && !lstat(listener->path, &st) && st.st_ino == listener->inode &&
	    st.st_dev == listener->device)
		unlink(listener->path);
	slash = strrchr(listener->path, '/');
	if (listener->made_directory && slash) {
		*slash = '\0';
		/* stays when others put something into it */
		rmdir(listener->path);
	}
	listener->path[0] = '\0';
}

/* Bind so that the file is never open to more people than it shall be in the end. */
static int br_listen_bind_unix(struct br_listener *listener, const struct sockaddr_un *addr)
{
	struct stat st;

	listener->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (listener->fd < 0)
		return -errno;
	if (fchmod(listener->fd, 0600) ||
	    bind(listener->fd, (const struct sockaddr *)addr, sizeof(*addr)))
		return -errno;
	if (!lstat(addr->sun_path, &st)) {
		listener->device = st.st_dev;
		listener->inode = st.st_ino;
	}
	return chmod(addr->sun_path, 0660) ? -errno : 0;
}

int br_listen_unix(struct br_listener *listener, uv_loop_t *loop, const char *path,
		   struct br_error *error)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int err;

	listener->fd = -1;
	listener->spare = -1;
	listener->inode = 0;
	listener->tcp = false;
	listener->loopback = false;
	listener->made_directory = false;
	if (strlen(path) >= sizeof(addr.sun_path))
		return br_error_set(error, -ENAMETOOLONG, "control.socket",
				    "expected a path of at most %zu bytes, got %zu",
				    sizeof(addr.sun_path) - 1, strlen(path));
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	snprintf(listener->path, sizeof(listener->path), "%s", path);
	err = br_listen_directory(listener, error);
	if (!err)
		err = br_listen_clear(&addr, error);
	if (err)
		goto fail;
	err = br_listen_bind_unix(listener, &addr);
	if (!err)
		err = br_listen_start(listener, loop);
	if (!err)
		return 0;
	br_error_set(error, err, "control.socket", "cannot listen on %s: %s", path, strerror(-err));
fail:
	br_listen_remove_files(listener);
	if (listener->spare >= 0)
		close(listener->spare);
	if (listener->fd >= 0)
		close(listener->fd);
	listener->fd = -1;
	return err;
}

bool br_listen_close(struct br_listener *listener, uv_close_cb closed)
{
	if (listener->fd < 0)
		return false;
	uv_poll_stop(&listener->poll);
	br_listen_remove_files(listener);
	close(listener->spare);
	/* libuv has taken the descriptor out of epoll at uv_poll_stop */
	close(listener->fd);
	listener->fd = -1;
	uv_close((uv_handle_t *)&listener->poll, closed);
	return true;
}
