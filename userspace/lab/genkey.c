// SPDX-License-Identifier: BSD-2-Clause
#include "lab/lab.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lab/flags.h"
#include "lib/srtp_key.h"

/* 0 or negative errno; the file has mode 0600 from its first moment. */
static int write_key(const char *path, bool force, const char *text)
{
	int err = 0, fd;
	size_t length = strlen(text);

	if (force && unlink(path) && errno != ENOENT)
		return -errno;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (write(fd, text, length) != (ssize_t)length || write(fd, "\n", 1) != 1)
		err = errno ? -errno : -EIO;
	if (close(fd) && !err)
		err = -errno;
	return err;
}

int br_lab_genkey(int argc, char **argv)
{
	const char *suite_name = "AEAD_AES_128_GCM", *path = NULL;
	bool force = false;
	const struct br_flag flags[] = {
		{"--suite", BR_FLAG_TEXT, &suite_name, 0, 0, "SUITE",
		 "AEAD_AES_128_GCM (default) or AES_CM_128_HMAC_SHA1_80"},
		{"-o", BR_FLAG_TEXT, &path, 0, 0, "FILE", "file to write, mode 0600"},
		{"--force", BR_FLAG_SWITCH, &force, 0, 0, NULL, "replace a file that exists"},
	};
	const struct br_command command = {
		.name = "genkey",
		.summary = "Make an SRTP master key and salt, in base64, in a file of mode 0600.",
		.examples =
			"  blindrelay-lab genkey -o room.key\n"
			"  blindrelay-lab genkey --suite AES_CM_128_HMAC_SHA1_80 -o ffmpeg.key\n",
		.flags = flags,
		.flag_count = sizeof(flags) / sizeof(flags[0]),
	};
	const struct br_srtp_suite *suite;
	uint8_t key[BR_SRTP_KEY_MAX];
	char text[BR_SRTP_KEY_TEXT];
	int err = 0, id, status = br_flags_parse(&command, argc, argv, &(int){0});

	if (status >= 0)
		return status;
	if (!path)
		return br_flags_fail(&command, "-o", "expected the file to write the key to");
	id = br_srtp_suite_find(suite_name);
	if (id < 0)
		return br_flags_fail(&command, "--suite",
				     "expected AEAD_AES_128_GCM or AES_CM_128_HMAC_SHA1_80");
	suite = br_srtp_suite_get(id);
	if (getrandom(key, suite->key + suite->salt, 0) != suite->key + suite->salt)
		err = -EIO;
	if (!err) {
		br_srtp_key_format(key, suite->key + suite->salt, text);
		err = write_key(path, force, text);
	}
	explicit_bzero(key, sizeof(key));
	explicit_bzero(text, sizeof(text));
	if (err == -EEXIST)
		return br_flags_fail(&command, "-o", "%s exists; --force replaces it", path);
	if (err) {
		br_flags_fail(&command, "-o", "cannot write %s: %s", path, strerror(-err));
		return BR_LAB_FAILED;
	}
	return BR_LAB_OK;
}
