// SPDX-License-Identifier: BSD-2-Clause
/* health: is the daemon there, and can media flow? */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include "ctl/ctl.h"

/* The API tells nobody when it becomes ready, so ask again after this while. */
#define BR_HEALTH_ASK_MS 100

static int64_t br_health_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ll + now.tv_nsec / 1000000;
}

/*
 * Watch for the socket to appear in its directory, or for the directory in the one above.
 * -1 when there is nothing to watch; then time alone wakes us.
 */
static int br_health_watch(const struct br_ctl_args *args)
{
	char path[1024];
	int fd;

	if (args->url || strlen(args->socket) >= sizeof(path))
		return -1;
	fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (fd < 0)
		return -1;
	snprintf(path, sizeof(path), "%s", args->socket);
	for (int level = 0; level < 2; level++) {
		char *slash = strrchr(path, '/');

		if (!slash || slash == path)
			break;
		*slash = '\0';
		if (inotify_add_watch(fd, path, IN_CREATE | IN_MOVED_TO | IN_ATTRIB) >= 0)
			return fd;
	}
	close(fd);
	return -1;
}

static int br_health_report(const struct br_ctl_args *args, const struct br_reply *reply)
{
	const cJSON *reason;

	if (args->json && reply->text)
		puts(reply->text);
	if (reply->status == 200) {
		if (!args->json)
			puts("ready");
		return BR_CTL_OK;
	}
	if (args->json)
		return BR_CTL_FAILED;
	if (!reply->json) {
		fprintf(stderr, "blindrelay: the daemon answered with HTTP status %d\n",
			reply->status);
		return BR_CTL_FAILED;
	}
	cJSON_ArrayForEach (reason, cJSON_GetObjectItem(reply->json, "reasons"))
		printf("not ready: %s\n", br_member_text(reason, "detail"));
	return BR_CTL_FAILED;
}

int br_ctl_health(const struct br_ctl_args *args)
{
	int64_t end = br_health_now_ms() + args->wait * 1000ll;

	for (;;) {
		/* before asking, so that nothing is missed in between */
		struct pollfd watch = {.fd = args->wait ? br_health_watch(args) : -1,
				       .events = POLLIN};
		struct br_reply reply;
		int status = br_ctl_try(args, "GET", "/readyz", NULL, &reply);
		int64_t left = end - br_health_now_ms();
		int result;

		if (status == 200 || left <= 0) {
			result = status < 0 ? br_ctl_unreachable(args, status)
					    : br_health_report(args, &reply);
			br_reply_free(&reply);
			if (watch.fd >= 0)
				close(watch.fd);
			return result;
		}
		br_reply_free(&reply);
		poll(&watch, 1, left < BR_HEALTH_ASK_MS ? (int)left : BR_HEALTH_ASK_MS);
		if (watch.fd >= 0)
			close(watch.fd);
	}
}
