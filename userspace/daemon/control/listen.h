/* SPDX-License-Identifier: BSD-2-Clause */
/* Listening sockets of the control API: one TCP address, one Unix socket. */
#ifndef BR_LISTEN_H
#define BR_LISTEN_H

#include <stdbool.h>
#include <sys/types.h>
#include <uv.h>

#include "lib/addr.h"
#include "lib/error.h"

/* Connections of one listener at a time; more wait in the kernel's queue. */
#define BR_LISTEN_CONNECTIONS_MAX 128

struct br_listener;

/* A connection came; the callee owns @fd, which is non-blocking. False: not taken, fd is closed. */
typedef bool (*br_listen_accept)(struct br_listener *listener, int fd);

/* Fields are set by br_listen_*; the owner reads @loopback and keeps @context. */
struct br_listener {
	uv_poll_t poll;
	int fd;	   /* -1: not open */
	int spare; /* given up to accept and refuse a connection when descriptors run out */
	unsigned int connections;
	bool loopback; /* TCP on a loopback address */
	bool tcp;
	char path[108]; /* Unix socket; "" otherwise */
	bool made_directory;
	dev_t device; /* of the socket file */
	ino_t inode;
	br_listen_accept accept;
	void *context;
};

/**
 * br_listen_tcp - listen on an address
 * @listener: @accept and @context are set by the caller
 *
 * Return: 0, or a negative errno with field "control.listen".
 */
int br_listen_tcp(struct br_listener *listener, uv_loop_t *loop, const struct br_endpoint *endpoint,
		  struct br_error *error);
/**
 * br_listen_unix - listen on a Unix socket of mode 0660
 *
 * A missing parent directory is made with mode 0750. A socket file that nobody answers on
 * is replaced.
 *
 * Return: 0, or a negative errno with field "control.socket".
 */
int br_listen_unix(struct br_listener *listener, uv_loop_t *loop, const char *path,
		   struct br_error *error);
/** br_listen_done - a connection of this listener has ended */
void br_listen_done(struct br_listener *listener);
/**
 * br_listen_close - stop listening; the files that were made are removed
 * @closed: called by the loop when the listener's memory may go; may be NULL
 *
 * Return: true when @closed will be called, false when the listener was not open.
 */
bool br_listen_close(struct br_listener *listener, uv_close_cb closed);

#endif
