// SPDX-License-Identifier: BSD-2-Clause
#include "log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const struct {
	const char *name;
	int priority; /* syslog(3), which journald reads as a prefix */
} levels[] = {
	[BR_LOG_ERROR] = {"error", 3},
	[BR_LOG_WARN] = {"warn", 4},
	[BR_LOG_INFO] = {"info", 6},
	[BR_LOG_DEBUG] = {"debug", 7},
};

#define BR_LEVELS ((int)(sizeof(levels) / sizeof(levels[0])))

static atomic_int threshold = BR_LOG_INFO;

void br_log_set_level(enum br_log_level level)
{
	atomic_store(&threshold, (int)level);
}

int br_log_level_parse(const char *text)
{
	for (int i = 0; i < BR_LEVELS; i++) {
		if (strcmp(text, levels[i].name) == 0)
			return i;
	}
	return -1;
}

/* Standard error is the journal when it is the stream that systemd names (systemd.exec(5)). */
static bool is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
	       fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

/* "<6>" for the journal, which has its own clock; else time and level. */
static int format_prefix(char *out, size_t size, enum br_log_level level)
{
	struct timespec now;
	struct tm utc;

	if (is_journal())
		return snprintf(out, size, "<%d>", levels[level].priority);
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	return snprintf(out, size, "%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ %-5s ", utc.tm_year + 1900,
			utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
			now.tv_nsec / 1000000, levels[level].name);
}

void br_log(enum br_log_level level, const char *format, ...)
{
	char line[1024];
	const size_t room = sizeof(line) - 1; /* for the newline */
	size_t start, length;
	va_list args;
	int written;

	if ((int)level > atomic_load(&threshold))
		return;
	start = (size_t)format_prefix(line, sizeof(line), level);
	va_start(args, format);
	written = vsnprintf(line + start, room - start, format, args);
	va_end(args);
	if (written < 0)
		return;
	length = start + (size_t)written;
	if (length >= room)
		length = room - 1;
	/* names in a message may come from outside: no second line, no terminal escapes */
	for (size_t i = start; i < length; i++) {
		if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
			line[i] = '?';
	}
	line[length++] = '\n';
	/* one write per line keeps lines of several threads apart */
	if (write(STDERR_FILENO, line, length) < 0)
		return; /* nowhere left to complain to */
}
