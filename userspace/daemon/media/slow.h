/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The slow path: what XDP cannot forward, the daemon does, with the sockets of the media port
 * and the tables of the plane; see plane/slow.h for what that is.
 */
#ifndef BR_MEDIA_SLOW_H
#define BR_MEDIA_SLOW_H

struct br_plane;
struct br_port;
struct br_slow;

/**
 * br_slow_open - forward what @port reads and what @plane's tap brings
 *
 * Both must outlive it. Return: NULL without memory; to be freed by br_slow_close.
 */
struct br_slow *br_slow_open(struct br_plane *plane, struct br_port *port);
/** br_slow_close - stop forwarding; NULL is ignored */
void br_slow_close(struct br_slow *slow);

#endif
