// SPDX-License-Identifier: BSD-2-Clause
/* The self-test's process: a child with a network namespace of its own, and what it reports. */
#include "ctl/check/self_test.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ctl/check/self_test_copies.h"
#include "lib/log.h"

#define BR_SELF_TEST_PART    "self-test"
#define BR_SELF_TEST_SECONDS 30

static void br_child_not_run(struct br_self_test_result *results, const char *detail)
{
	for (int mode = 0; mode < BR_SELF_TEST_MODES; mode++)
		snprintf(results[mode].detail, sizeof(results[mode].detail), "%s", detail);
}

/* Everything here goes when this process does: devices, programs, tables. */
static void br_child_test(struct br_self_test_result results[static BR_SELF_TEST_MODES])
{
	char detail[BR_CHECK_TEXT];
	struct br_self_test_net net;

	br_log_set_level(BR_LOG_ERROR);
	if (unshare(CLONE_NEWNET)) {
		snprintf(detail, sizeof(detail), "cannot make a network namespace: %s",
			 strerror(errno));
		br_child_not_run(results, detail);
		return;
	}
	if (br_self_test_net_open(&net, detail)) {
		br_child_not_run(results, detail);
		return;
	}
	br_self_test_copies(&net, true, &results[BR_SELF_TEST_NATIVE]);
	br_self_test_copies(&net, false, &results[BR_SELF_TEST_GENERIC]);
	br_self_test_net_close(&net);
}

static void br_child(int out, pid_t parent)
{
	struct br_self_test_result results[BR_SELF_TEST_MODES];
	size_t sent = 0;

	memset(results, 0, sizeof(results));
	/* a check that is killed takes its self-test along */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_FAILURE);
	br_child_test(results);
	while (sent < sizeof(results)) {
		ssize_t length = write(out, (char *)results + sent, sizeof(results) - sent);

		if (length <= 0)
			_exit(EXIT_FAILURE);
		sent += (size_t)length;
	}
	_exit(EXIT_SUCCESS);
}

static int64_t br_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ll + now.tv_nsec / 1000000;
}

/* Read the child's results; false when it ended or took too long before they were complete. */
static bool br_parent_read(int in, void *results, size_t size)
{
	int64_t end = br_now_ms() + BR_SELF_TEST_SECONDS * 1000ll;
	size_t got = 0;

	while (got < size) {
		struct pollfd pipe = {.fd = in, .events = POLLIN};
		int64_t left = end - br_now_ms();
		ssize_t length;

		if (left <= 0)
			return false;
		if (poll(&pipe, 1, (int)left) <= 0)
			continue;
		length = read(in, (char *)results + got, size - got);
		if (length <= 0)
			return false;
		got += (size_t)length;
	}
	return true;
}

static void br_parent_wait(pid_t child, bool complete, struct br_self_test_result *results)
{
	char detail[BR_CHECK_TEXT];
	int status = 0;

	if (!complete)
		kill(child, SIGKILL); /* a child that has ended does not mind: it is still ours */
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (complete)
		return;
	memset(results, 0, BR_SELF_TEST_MODES * sizeof(*results));
	if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
		snprintf(detail, sizeof(detail), "the test's process died: %s",
			 strsignal(WTERMSIG(status)));
	else
		snprintf(detail, sizeof(detail), "no result within %d seconds",
			 BR_SELF_TEST_SECONDS);
	br_child_not_run(results, detail);
}

void br_self_test_run(struct br_self_test_result results[static BR_SELF_TEST_MODES])
{
	pid_t parent = getpid(), child;
	char detail[BR_CHECK_TEXT];
	int ends[2];

	memset(results, 0, BR_SELF_TEST_MODES * sizeof(*results));
	if (pipe2(ends, O_CLOEXEC)) {
		snprintf(detail, sizeof(detail), "cannot make a pipe: %s", strerror(errno));
		br_child_not_run(results, detail);
		return;
	}
	child = fork();
	if (!child) {
		close(ends[0]);
		br_child(ends[1], parent);
	}
	close(ends[1]);
	if (child < 0) {
		snprintf(detail, sizeof(detail), "cannot make a process: %s", strerror(errno));
		br_child_not_run(results, detail);
	} else {
		bool complete =
			br_parent_read(ends[0], results, BR_SELF_TEST_MODES * sizeof(*results));

		br_parent_wait(child, complete, results);
	}
	close(ends[0]);
}

static void br_judge_mode(const struct br_self_test_result *result, const char *mode, bool needed,
			  struct br_check_report *report)
{
	struct br_check_line *line;

	if (!result->ran) {
		line = br_check_add(report, BR_SELF_TEST_PART, mode, BR_CHECK_WARN,
				    "did not run: %.200s", result->detail);
		br_check_todo(line, "repair that and check again: nothing is proven without it");
		return;
	}
	if (result->right) {
		br_check_add(report, BR_SELF_TEST_PART, mode,
			     result->ipv6 ? BR_CHECK_OK : BR_CHECK_WARN,
			     "%u packets gave %u right copies, %s, also through the loop",
			     result->packets, result->copies,
			     result->ipv6 ? "IPv4, IPv6 and across"
					  : "IPv4 only: this kernel has no IPv6");
		return;
	}
	line = br_check_add(report, BR_SELF_TEST_PART, mode, needed ? BR_CHECK_FAIL : BR_CHECK_WARN,
			    "%s", result->detail);
	if (needed)
		br_check_todo(line, "repair that, or do not relay in %s mode on this kernel", mode);
	else
		br_check_todo(line, "set media.xdp_mode to \"native\", so that it is never chosen");
}

void br_self_test_judge(const struct br_self_test_result *results, const char *missing,
			bool generic, struct br_check_report *report)
{
	struct br_check_line *line;

	if (!results) {
		line = br_check_add(report, BR_SELF_TEST_PART, "copies", BR_CHECK_WARN,
				    "skipped, for want of %s", missing);
		br_check_todo(line, "run this check as root: nothing is proven without it");
		return;
	}
	br_judge_mode(&results[BR_SELF_TEST_NATIVE], "native", true, report);
	br_judge_mode(&results[BR_SELF_TEST_GENERIC], "generic", generic, report);
}
