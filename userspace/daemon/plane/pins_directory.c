// SPDX-License-Identifier: BSD-2-Clause
#include "plane/pins_directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "plane/pins.h"

bool br_pins_is_bpffs(int fd)
{
	struct statfs fs;

	return !fstatfs(fd, &fs) && (unsigned long)fs.f_type == BPF_FS_MAGIC;
}

/*
 * The kernel's list of locks tells who has one, e.g.
 *   1: FLOCK  ADVISORY  WRITE 1234 00:28:17 0 EOF
 */
pid_t br_pins_holder(int directory)
{
	FILE *locks = fopen("/proc/locks", "re");
	struct stat st;
	char line[256];
	pid_t holder = 0;

	if (locks && !fstat(directory, &st))
		while (!holder && fgets(line, sizeof(line), locks)) {
			unsigned int major_number, minor_number;
			unsigned long long inode;
			int pid;

			if (sscanf(line, "%*d: FLOCK ADVISORY WRITE %d %x:%x:%llu", &pid,
				   &major_number, &minor_number, &inode) == 4 &&
			    makedev(major_number, minor_number) == st.st_dev && inode == st.st_ino)
				holder = pid;
		}
	if (locks)
		fclose(locks);
	return holder;
}

static int br_pins_lock(int directory, const char *path, struct br_error *error)
{
	pid_t holder;

	if (!flock(directory, LOCK_EX | LOCK_NB))
		return 0;
	if (errno != EWOULDBLOCK)
		return br_error_set(error, -errno, "state.path", "cannot lock %s: %s", path,
				    strerror(errno));
	holder = br_pins_holder(directory);
	return br_error_set(error, -EBUSY, "state.path",
			    "another blindrelayd (pid %d) keeps its state in %s; expected a "
			    "directory of its own, or that one to be stopped first",
			    (int)holder, path);
}

/* The directory and those above it. */
static int br_pins_make(const char *path, struct br_error *error)
{
	char part[BR_PINS_PATH_MAX];

	for (const char *end = strchr(path + 1, '/'); end; end = strchr(end + 1, '/')) {
		snprintf(part, sizeof(part), "%.*s", (int)(end - path), path);
		if (mkdir(part, 0755) && errno != EEXIST)
			return br_error_set(error, -errno, "state.path", "cannot make %s: %s", part,
					    strerror(errno));
	}
	if (mkdir(path, 0700) && errno != EEXIST)
		return br_error_set(error, -errno, "state.path", "cannot make %s: %s", path,
				    strerror(errno));
	return 0;
}

static int br_pins_enter(const char *path, struct br_error *error)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd >= 0 ? fd
		       : br_error_set(error, -errno, "state.path", "cannot open %s: %s", path,
				      strerror(errno));
}

/* A mount would hide what is there. */
static int br_pins_check_empty(const char *path, struct br_error *error)
{
	DIR *entries = opendir(path);
	struct dirent *entry;
	int err = 0;

	while (entries && !err && (entry = readdir(entries)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			err = br_error_set(error, -ENOTEMPTY, "state.path",
					   "%s has files in it; expected an empty directory, one "
					   "that does not exist, or one on a bpffs",
					   path);
	if (entries)
		closedir(entries);
	return err;
}

static int br_pins_mount(const char *path, bool *mounted, struct br_error *error)
{
	int plain = br_pins_enter(path, error);
	bool done = false;
	int err;

	if (plain < 0)
		return plain;
	if (br_pins_is_bpffs(plain)) {
		close(plain);
		return 0;
	}
	/* two daemons that start together must not mount one over the other */
	err = br_pins_lock(plain, path, error);
	if (!err) {
		int again = br_pins_enter(path, error);

		done = again >= 0 && br_pins_is_bpffs(again);
		err = again < 0 ? again : 0;
		if (again >= 0)
			close(again);
	}
	if (!err && !done)
		err = br_pins_check_empty(path, error);
	if (!err && !done &&
	    mount("bpf", path, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700"))
		err = br_error_set(error, -errno, "state.path",
				   "cannot mount a bpffs on %s: %s. Run as root, or mount one "
				   "beforehand (mount -t bpf -o mode=0700 bpf DIRECTORY) and run "
				   "with CAP_BPF, CAP_NET_ADMIN, CAP_NET_RAW and CAP_PERFMON; or "
				   "set state.path "
				   "to none",
				   path, strerror(errno));
	else if (!err && !done)
		*mounted = true;
	close(plain);
	return err;
}

int br_pins_directory_open(const char *path, bool *mounted, struct br_error *error)
{
	struct stat st;
	int err = br_pins_make(path, error), fd;

	if (!err)
		err = br_pins_mount(path, mounted, error);
	if (err)
		return err;
	fd = br_pins_enter(path, error);
	if (fd < 0)
		return fd;
	if (!br_pins_is_bpffs(fd) || fstat(fd, &st))
		err = br_error_set(error, -ENODEV, "state.path", "%s is no bpffs", path);
	else if (st.st_mode & 077 || st.st_uid != geteuid())
		err = br_error_set(error, -EACCES, "state.path",
				   "others may enter %s; expected a directory of our own: chmod "
				   "700 %s, or a directory below it",
				   path, path);
	else
		err = br_pins_lock(fd, path, error);
	if (!err)
		return fd;
	br_pins_directory_close(fd, path, *mounted);
	return err;
}

void br_pins_directory_close(int directory, const char *path, bool unmount)
{
	/*
	 * The empty directory stays: removing it would unmount what other mount namespaces
	 * have mounted there (detach_mounts() in the kernel).
	 */
	if (unmount)
		umount2(path, MNT_DETACH);
	close(directory);
}
