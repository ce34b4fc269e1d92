// SPDX-License-Identifier: BSD-2-Clause
#include "daemon.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "net.h"
#include "packet.h"

#define BR_DAEMON_LOG	   "/run/blindrelayd.log"
#define BR_DAEMON_READY_MS 20000u
#define BR_DAEMON_POLL_MS  20u

static int br_daemon_network(struct br_daemon *daemon, struct br_error *error)
{
	int err, bad;

	daemon->ns = br_net_new(error);
	if (daemon->ns < 0)
		return daemon->ns;
	err = br_net_pair(daemon->ns, "media", "host", 8, 1, error);
	if (err)
		return err;
	bad = br_net_run(daemon->ns, "ip addr add " BR_BENCH_RELAY4 "/16 dev media");
	bad |= br_net_run(BR_NET_HOME, "ip addr add " BR_DAEMON_HOST4 "/16 dev host");
	/* the relay's copies come by XDP: the receiving end must take such frames */
	bad |= br_net_run(BR_NET_HOME, "ethtool -K host gro on");
	return bad ? br_error_set(error, -EIO, NULL, "cannot set up the daemon's network") : 0;
}

/* The last words of the daemon, as an error. */
static int br_daemon_failed(int err, struct br_error *error)
{
	char line[256] = "", last[256] = "no output";
	FILE *log = fopen(BR_DAEMON_LOG, "re");

	while (log && fgets(line, sizeof(line), log)) {
		line[strcspn(line, "\n")] = '\0';
		snprintf(last, sizeof(last), "%s", line);
	}
	if (log)
		fclose(log);
	return br_error_set(error, err, NULL, "blindrelayd is not ready: %s", last);
}

static int br_daemon_wait(const struct br_daemon *daemon, struct br_error *error)
{
	const struct br_ctl_args args = {.socket = BR_DAEMON_SOCKET};
	struct br_reply reply;

	for (unsigned int ms = 0; ms < BR_DAEMON_READY_MS; ms += BR_DAEMON_POLL_MS) {
		int status = br_ctl_try(&args, "GET", "/readyz", NULL, &reply);

		br_reply_free(&reply);
		if (status == 200)
			return 0;
		if (!br_net_alive(daemon->pid))
			return br_daemon_failed(-ECHILD, error);
		br_net_pause(BR_DAEMON_POLL_MS);
	}
	return br_daemon_failed(-ETIMEDOUT, error);
}

int br_daemon_start(struct br_daemon *daemon, struct br_error *error)
{
	char program[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - 16);
	const char *const argv[] = {program,	      "--interface", "media", "--socket",
				    BR_DAEMON_SOCKET, "--listen",    "none",  "--static-allow",
				    "10.0.0.0/8",     "--log-level", "warn",  NULL};
	int err;

	*daemon = (struct br_daemon){.ns = -1};
	if (length < 0)
		return br_error_set(error, -errno, NULL, "cannot read /proc/self/exe");
	program[length] = '\0';
	snprintf(strrchr(program, '/') + 1, 16, "blindrelayd");
	if (access(program, X_OK))
		return br_error_set(error, -ENOENT, NULL, "%s is missing: run make first", program);
	err = br_daemon_network(daemon, error);
	if (!err) {
		daemon->pid = br_net_spawn(daemon->ns, -1, BR_DAEMON_LOG, argv);
		err = daemon->pid < 0
			      ? br_error_set(error, daemon->pid, NULL, "cannot start %s", program)
			      : br_daemon_wait(daemon, error);
	}
	if (err)
		br_daemon_stop(daemon);
	return err;
}

void br_daemon_stop(struct br_daemon *daemon)
{
	br_net_stop(daemon->pid);
	br_net_unpair("host");
	if (daemon->ns >= 0)
		close(daemon->ns);
	*daemon = (struct br_daemon){.ns = -1};
}
