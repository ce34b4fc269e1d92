/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control API of the daemon: JSON over HTTP on a TCP address and on a Unix socket,
 * both with the same routes (userspace/daemon/control/openapi.json describes them).
 */
#ifndef BR_CONTROL_H
#define BR_CONTROL_H

#include <uv.h>

#include "lib/addr.h"
#include "lib/error.h"
#include "media/port.h"
#include "plane/plane.h"
#include "room/room.h"

struct br_control_options {
	struct br_endpoint listen;  /* TCP address; port 0: no TCP */
	const char *socket_path;    /* Unix socket; NULL or "": none */
	const char *version;	    /* of the program, for /metrics; NULL: "unknown" */
	uint16_t media_port;	    /* host byte order, shown in /v1/stats */
	const struct br_port *port; /* its counters are shown; must outlive the control; or NULL */
};

struct br_control;

/**
 * br_control_open - listen and serve on an event loop
 * @options: copied
 * @loop: the daemon's loop; requests are handled while it runs
 * @plane: shown and used; must outlive the control
 * @rooms: changed by requests; must outlive the control
 * @control: set on success; owned by the caller, freed by br_control_close
 * @error: field "control.listen" or "control.socket"
 *
 * The Unix socket is made with mode 0660 and its parent directory, when missing, with
 * mode 0750. A socket file that nobody answers on is replaced; one that a process
 * answers on, or a file that is no socket, is left alone.
 *
 * Return: 0, or a negative errno: -EADDRINUSE, -EADDRNOTAVAIL, -EACCES, -ENAMETOOLONG,
 * -EEXIST for a file that is no socket. On failure nothing stays open.
 */
int br_control_open(const struct br_control_options *options, uv_loop_t *loop,
		    struct br_plane *plane, struct br_rooms *rooms, struct br_control **control,
		    struct br_error *error);

/**
 * br_control_close - stop serving, close every connection, remove the socket file
 *
 * Runs the loop until libwebsockets has given all of its handles back, so call it where
 * uv_run may be called: after uv_run has returned, not inside a callback. Callbacks of
 * the caller's other handles may run meanwhile. NULL is ignored.
 */
void br_control_close(struct br_control *control);

#endif
