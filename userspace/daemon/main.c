// SPDX-License-Identifier: BSD-2-Clause
/* blindrelayd: wiring only. Opens the layers bottom up, runs the loop, closes top down. */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <uv.h>

#include "control/control.h"
#include "lib/log.h"
#include "lib/version.h"
#include "media/port.h"
#include "media/slow.h"
#include "options.h"
#include "plane/plane.h"
#include "room/room.h"

#define BR_TICK_MS    100
#define BR_EXIT_FAIL  1 /* the relay cannot run */
#define BR_EXIT_USAGE 2 /* wrong flags or configuration */

struct daemon {
	uv_loop_t loop;
	uv_signal_t signals[2];
	uv_timer_t tick;
	uv_poll_t polls[BR_PLANE_FDS];
	int poll_fds[BR_PLANE_FDS];
	struct br_port *port;
	struct br_plane *plane;
	struct br_slow *slow;
	struct br_rooms *rooms;
	struct br_control *control;
	struct br_rooms_restored restored;
	uint64_t begin_ns; /* of uv_hrtime */
	bool stopping;
};

static void on_signal(uv_signal_t *handle, int number)
{
	struct daemon *daemon = handle->data;

	/* closing runs the loop as well: a second signal must not stop that */
	if (daemon->stopping)
		return;
	daemon->stopping = true;
	br_log_info("stopping: signal %d (%s)", number, strsignal(number));
	uv_stop(handle->loop);
}

static void on_tick(uv_timer_t *timer)
{
	struct daemon *daemon = timer->data;

	br_plane_tick(daemon->plane);
	br_rooms_tick(daemon->rooms);
}

static void on_plane_readable(uv_poll_t *poll, int status, int events)
{
	struct daemon *daemon = poll->data;

	(void)status; /* the plane meets the error when it reads */
	(void)events;
	br_plane_dispatch(daemon->plane, daemon->poll_fds[poll - daemon->polls]);
}

/* Handles are closed by close_handles, also those of a start that failed half-way. */
static int watch_signals(struct daemon *daemon)
{
	static const int numbers[] = {SIGINT, SIGTERM};
	int err = 0;

	for (size_t i = 0; i < 2 && !err; i++) {
		err = uv_signal_init(&daemon->loop, &daemon->signals[i]);
		daemon->signals[i].data = daemon;
		if (!err)
			err = uv_signal_start(&daemon->signals[i], on_signal, numbers[i]);
	}
	return err;
}

static int watch_plane(struct daemon *daemon)
{
	size_t count = br_plane_fds(daemon->plane, daemon->poll_fds);
	int err = uv_timer_init(&daemon->loop, &daemon->tick);

	daemon->tick.data = daemon;
	if (!err)
		err = uv_timer_start(&daemon->tick, on_tick, BR_TICK_MS, BR_TICK_MS);
	for (size_t i = 0; i < count && !err; i++) {
		err = uv_poll_init(&daemon->loop, &daemon->polls[i], daemon->poll_fds[i]);
		daemon->polls[i].data = daemon;
		if (!err)
			err = uv_poll_start(&daemon->polls[i], UV_READABLE, on_plane_readable);
	}
	return err;
}

static int open_plane(struct daemon *daemon, const struct br_config *config, bool reset,
		      struct br_error *error)
{
	struct br_plane_options options = {
		.interface_count = config->interface_count,
		.mode = (enum br_xdp_mode)config->xdp_mode,
		.media_port = (uint16_t)config->media_port,
		.max_legs = config->max_legs,
		.max_streams = config->max_streams,
		.max_edges = config->max_edges,
		.chunk = config->chunk,
		.burst_ms = config->burst_ms,
		.strangers_per_source = config->strangers_per_source,
		.strangers_per_cpu = config->strangers_per_cpu,
		.state = config->state,
		.reset = reset,
	};

	for (size_t i = 0; i < config->interface_count; i++)
		options.interfaces[i] = config->interfaces[i];
	return br_plane_open(&options, &daemon->plane, error);
}

static int open_rooms(struct daemon *daemon, const struct br_config *config, struct br_error *error)
{
	const struct br_rooms_options options = {
		.max_rooms = config->max_rooms,
		.max_legs_per_room = config->max_legs_per_room,
		.ssrc_limit = (uint16_t)config->ssrc_limit,
		.terms = {.max_packets_per_s = config->max_packets_per_s,
			  .max_bits_per_s = config->max_bits_per_s},
		.expired_grace_s = config->expired_grace_s,
		.static_allow = config->static_allow,
		.static_allow_count = config->static_allow_count,
	};

	daemon->rooms = br_rooms_new(daemon->plane, &options);
	if (!daemon->rooms)
		return br_error_set(error, -ENOMEM, "rooms", "out of memory");
	return br_plane_adopted(daemon->plane)
		       ? br_rooms_restore(daemon->rooms, &daemon->restored, error)
		       : 0;
}

static int open_control(struct daemon *daemon, const struct br_config *config,
			struct br_error *error)
{
	const struct br_control_options options = {
		.listen = config->listen,
		.socket_path = config->socket,
		.version = BR_VERSION,
		.media_port = (uint16_t)config->media_port,
		.port = daemon->port,
	};

	return br_control_open(&options, &daemon->loop, daemon->plane, daemon->rooms,
			       &daemon->control, error);
}

static int open_all(struct daemon *daemon, const struct br_config *config, bool reset,
		    struct br_error *error)
{
	int err = watch_signals(daemon);

	if (err)
		return br_error_set(error, err, NULL, "cannot watch signals: %s", uv_strerror(err));
	/* the port first: a second instance fails here, before it touches an interface */
	err = br_port_open(&daemon->loop, (uint16_t)config->media_port, &daemon->port, error);
	if (err)
		return err;
	err = open_plane(daemon, config, reset, error);
	if (err)
		return err;
	err = watch_plane(daemon);
	if (err)
		return br_error_set(error, err, NULL, "cannot poll the plane: %s",
				    uv_strerror(err));
	err = open_rooms(daemon, config, error);
	if (err)
		return err;
	/* last but one: what it learns, rooms want to hear */
	daemon->slow = br_slow_open(daemon->plane, daemon->port);
	if (!daemon->slow)
		return br_error_set(error, -ENOMEM, "media", "out of memory");
	return open_control(daemon, config, error);
}

static void close_handle(uv_handle_t *handle, void *context)
{
	(void)context;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

/* @keep: media goes on without us, where there is a state directory. */
static void close_all(struct daemon *daemon, bool keep)
{
	int err;

	if (daemon->plane)
		br_plane_set_keep(daemon->plane, keep);
	br_control_close(daemon->control);
	br_slow_close(daemon->slow);
	if (keep)
		br_rooms_abandon(daemon->rooms);
	else
		br_rooms_free(daemon->rooms);
	br_port_close(daemon->port);
	/* only this file's handles are left: signals, timer and polls */
	uv_walk(&daemon->loop, close_handle, NULL);
	uv_run(&daemon->loop, UV_RUN_DEFAULT);
	br_plane_close(daemon->plane);
	err = uv_loop_close(&daemon->loop);
	if (err)
		br_log_error("event loop not clean at exit: %s", uv_strerror(err));
}

static void report_ready(const struct daemon *daemon, const struct br_config *config)
{
	struct br_interface_info interfaces[BR_EGRESS_MAX];
	size_t count = br_plane_interfaces(daemon->plane, interfaces);
	char list[BR_EGRESS_MAX * 32] = "", listen[BR_ENDPOINT_TEXT] = "", adopted[96] = "";
	size_t used = 0;

	for (size_t i = 0; i < count && used < sizeof(list); i++)
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s (%s)",
					 i ? ", " : "", interfaces[i].name,
					 br_xdp_mode_name(interfaces[i].mode));
	if (config->listen.addr.family)
		br_endpoint_format(&config->listen, listen);
	if (br_plane_adopted(daemon->plane))
		snprintf(adopted, sizeof(adopted), "; adopted %zu room%s, %zu leg%s in %llu ms",
			 daemon->restored.rooms, daemon->restored.rooms == 1 ? "" : "s",
			 daemon->restored.legs, daemon->restored.legs == 1 ? "" : "s",
			 (unsigned long long)(uv_hrtime() - daemon->begin_ns) / 1000000);
	br_log_info("ready: interfaces %s; media port %u; control %s%s%s%s%s", list,
		    config->media_port, *listen ? "http://" : "", listen,
		    *listen && *config->socket ? ", " : "", config->socket, adopted);
}

static int run(const struct br_options *options)
{
	const struct br_config *config = &options->config;
	struct daemon daemon = {.begin_ns = uv_hrtime()};
	struct br_error error = {0};
	bool keep = config->keep;
	int err = uv_loop_init(&daemon.loop);

	if (err) {
		br_log_error("cannot make an event loop: %s", uv_strerror(err));
		return BR_EXIT_FAIL;
	}
	signal(SIGPIPE, SIG_IGN); /* a client that hangs up is an error of one write */
	err = open_all(&daemon, config, options->reset, &error);
	if (err) {
		br_log_error("%s%s%s", error.field, *error.field ? ": " : "", error.detail);
		/* what was adopted has served without us so far and may go on */
		keep = daemon.plane && br_plane_adopted(daemon.plane);
	} else {
		report_ready(&daemon, config);
		uv_run(&daemon.loop, UV_RUN_DEFAULT);
	}
	close_all(&daemon, keep);
	return err ? BR_EXIT_FAIL : 0;
}

static int refuse(const struct br_options *options, const struct br_error *error)
{
	/* flags speak for themselves; for a key it helps to know which file it stands in */
	const char *file = options->file && *error->field != '-' ? options->file : NULL;

	fprintf(stderr, "blindrelayd: %s%s%s%s%s\n", file ? file : "", file ? ": " : "",
		error->field, *error->field ? ": " : "", error->detail);
	return BR_EXIT_USAGE;
}

int main(int argc, char *argv[])
{
	struct br_options options;
	struct br_error error = {0};
	int err = br_options_parse(argc, argv, &options, &error);

	if (err)
		return refuse(&options, &error);
	switch (options.action) {
	case BR_ACTION_HELP:
		br_options_help(stdout);
		break;
	case BR_ACTION_HELP_CONFIG:
		br_config_help(stdout);
		break;
	case BR_ACTION_VERSION:
		printf("blindrelayd %s\n", BR_VERSION);
		break;
	case BR_ACTION_CHECK_CONFIG:
		err = br_config_print(&options.config, stdout);
		break;
	case BR_ACTION_RUN:
		br_log_set_level((enum br_log_level)options.config.log_level);
		return run(&options);
	}
	return err || fflush(stdout) ? BR_EXIT_FAIL : 0;
}
