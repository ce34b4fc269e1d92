// SPDX-License-Identifier: BSD-2-Clause
#include "lab/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXPECTED_SUITE "expected AEAD_AES_128_GCM, AES_CM_128_HMAC_SHA1_80 or none"
#define KEY_TEXT_MAX   128 /* "inline:", base64, line end */

static int open_key_file(const char *path, struct br_error *error)
{
	struct stat info;
	int err, fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return br_error_set(error, -errno, "--key-file", "cannot open %s: %s", path,
				    strerror(errno));
	if (fstat(fd, &info)) {
		err = br_error_set(error, -errno, "--key-file", "cannot examine %s: %s", path,
				   strerror(errno));
	} else if (S_ISREG(info.st_mode) && info.st_mode & 077) {
		err = br_error_set(error, -EPERM, "--key-file",
				   "%s has mode %04o, others could read the key; expected 0600 "
				   "(chmod 600 %s)",
				   path, info.st_mode & 07777, path);
	} else {
		return fd;
	}
	close(fd);
	return err;
}

static int read_text(int fd, const char *flag, char text[static KEY_TEXT_MAX],
		     struct br_error *error)
{
	size_t used = 0;

	for (;;) {
		ssize_t got = read(fd, text + used, KEY_TEXT_MAX - 1 - used);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return br_error_set(error, -errno, flag, "cannot read the key: %s",
					    strerror(errno));
		if (!got)
			break;
		used += (size_t)got;
		if (used == KEY_TEXT_MAX - 1)
			return br_error_set(error, -EMSGSIZE, flag,
					    "expected one line of base64, got %d bytes or more",
					    KEY_TEXT_MAX - 1);
	}
	text[used] = '\0';
	if (strlen(text) != used)
		return br_error_set(error, -EBADMSG, flag, "expected base64, got a NUL byte");
	return 0;
}

/* The suite by name, or the one that needs a key of @length bytes. */
static int choose_suite(struct br_seal *seal, const char *name, const char *flag, int length,
			struct br_error *error)
{
	int id = name ? br_srtp_suite_find(name) : -1;

	for (int i = 0; !name && i < BR_SRTP_SUITES; i++)
		if (br_srtp_suite_get(i)->key + br_srtp_suite_get(i)->salt == length)
			id = i;
	if (id < 0)
		return br_error_set(error, -EINVAL, flag,
				    "expected 28 bytes of key and salt in base64 for "
				    "AEAD_AES_128_GCM or 30 for AES_CM_128_HMAC_SHA1_80, got %d",
				    length);
	seal->id = id;
	seal->suite = br_srtp_suite_get(id);
	if (length != seal->suite->key + seal->suite->salt)
		return br_error_set(
			error, -EINVAL, flag, "%s needs %d bytes of key and salt in base64, got %d",
			seal->suite->name, seal->suite->key + seal->suite->salt, length);
	return 0;
}

int br_seal_load(struct br_seal *seal, const struct br_seal_flags *flags, struct br_error *error)
{
	const char *flag = flags->key_file ? "--key-file" : "--key-fd";
	char text[KEY_TEXT_MAX];
	int err, fd, length;

	memset(seal, 0, sizeof(*seal));
	if (flags->key_file && flags->key_fd != BR_SEAL_NO_FD)
		return br_error_set(error, -EINVAL, "--key-fd",
				    "expected either this or --key-file, not both");
	if (flags->suite && !strcmp(flags->suite, "none")) {
		if (flags->key_file || flags->key_fd != BR_SEAL_NO_FD)
			return br_error_set(error, -EINVAL, flag, "has no use with --suite none");
		return 0;
	}
	if (flags->suite && br_srtp_suite_find(flags->suite) < 0)
		return br_error_set(error, -EINVAL, "--suite", EXPECTED_SUITE);
	if (!flags->key_file && flags->key_fd == BR_SEAL_NO_FD)
		return br_error_set(
			error, -EINVAL, "--key-file",
			"expected a key (blindrelay-lab genkey makes one), or --key-fd, "
			"or --suite none for plain RTP");
	fd = flags->key_file ? open_key_file(flags->key_file, error) : (int)flags->key_fd;
	if (fd < 0)
		return fd;
	err = read_text(fd, flag, text, error);
	close(fd);
	if (err)
		goto out;
	length = br_srtp_key_parse(text, seal->key);
	if (length < 0)
		err = br_error_set(error, length, flag, "expected %s",
				   length == -EMSGSIZE ? "a shorter key: at most 46 bytes"
						       : "one line of base64 (RFC 4648 section 4)");
	else
		err = choose_suite(seal, flags->suite, flag, length, error);
out:
	explicit_bzero(text, sizeof(text));
	if (err)
		br_seal_wipe(seal);
	return err;
}

void br_seal_wipe(struct br_seal *seal)
{
	explicit_bzero(seal->key, sizeof(seal->key));
}

const char *br_seal_name(const struct br_seal *seal)
{
	return seal->suite ? seal->suite->name : "none";
}

int br_seal_open(const struct br_seal *seal, bool outbound, unsigned int window, srtp_t *out)
{
	srtp_policy_t policy = {
		.ssrc.type = outbound ? ssrc_any_outbound : ssrc_any_inbound,
		.key = (uint8_t *)seal->key,
		.window_size = window,
	};
	srtp_err_status_t status;

	*out = NULL;
	if (!seal->suite)
		return 0;
	switch (seal->id) {
	case BR_SRTP_AEAD_AES_128_GCM:
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp);
		break;
	case BR_SRTP_AES_CM_128_HMAC_SHA1_80:
	default:
		srtp_crypto_policy_set_rtp_default(&policy.rtp);
		srtp_crypto_policy_set_rtcp_default(&policy.rtcp);
		break;
	}
	status = srtp_create(out, &policy);
	if (status == srtp_err_status_ok)
		return 0;
	return status == srtp_err_status_alloc_fail ? -ENOMEM : -ENOTSUP;
}
