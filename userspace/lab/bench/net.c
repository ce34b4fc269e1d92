// SPDX-License-Identifier: BSD-2-Clause
#include "net.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#define BR_NET_WORDS 40

static int home = -1; /* descriptor of our namespace */

static int br_net_open_own(void)
{
	int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int br_net_begin(struct br_error *error)
{
	if (unshare(CLONE_NEWNET | CLONE_NEWNS))
		return br_error_set(error, -errno, NULL,
				    "cannot make a network namespace (root is needed): %s",
				    strerror(errno));
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("blindrelay-bench", "/run", "tmpfs", 0, "mode=0755"))
		return br_error_set(error, -errno, NULL, "cannot have a /run of our own: %s",
				    strerror(errno));
	home = br_net_open_own();
	if (home < 0 || br_net_run(BR_NET_HOME, "ip link set lo up"))
		return br_error_set(error, -EIO, NULL, "cannot run `ip` in a namespace");
	return 0;
}

int br_net_enter(int ns)
{
	return setns(ns == BR_NET_HOME ? home : ns, CLONE_NEWNET) ? -errno : 0;
}

int br_net_new(struct br_error *error)
{
	int ns = -1, err = unshare(CLONE_NEWNET) ? -errno : 0;

	if (!err) {
		ns = br_net_open_own();
		err = br_net_enter(BR_NET_HOME);
	}
	if (!err && ns < 0)
		err = ns;
	if (!err && br_net_run(ns, "ip link set lo up"))
		err = -EIO;
	return err ? br_error_set(error, err, NULL, "cannot make a network namespace: %s",
				  strerror(-err))
		   : ns;
}

int br_net_run(int ns, const char *format, ...)
{
	const char *argv[BR_NET_WORDS + 1] = {0};
	char line[1024], *rest = line, *word;
	size_t count = 0;
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (length < 0 || (size_t)length >= sizeof(line))
		return -1;
	while (count < BR_NET_WORDS && (word = strsep(&rest, " ")))
		argv[count++] = word;
	return rest ? -1 : br_net_wait(br_net_spawn(ns, -1, NULL, argv));
}

bool br_net_have(const char *program)
{
	static const char *const folders[] = {"/usr/bin", "/usr/sbin",	    "/bin",
					      "/sbin",	  "/usr/local/bin", "/usr/local/sbin"};
	char path[256];

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", folders[i], program);
		if (!access(path, X_OK))
			return true;
	}
	return false;
}

void br_net_pair_mac(unsigned int number, bool far, uint8_t mac[static 6])
{
	memset(mac, 0, 6);
	mac[0] = 2;
	mac[5] = (uint8_t)(1 + number * 2 + far);
}

static void br_net_pair_mac_text(unsigned int number, bool far, char text[static 18])
{
	uint8_t mac[6];

	br_net_pair_mac(number, far, mac);
	snprintf(text, 18, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
		 mac[5]);
}

void br_net_unpair(const char *far)
{
	if (if_nametoindex(far))
		br_net_run(BR_NET_HOME, "ip link del %s", far);
}

int br_net_pair(int ns, const char *end, const char *far, unsigned int number, unsigned int queues,
		struct br_error *error)
{
	char near_mac[18], far_mac[18];
	int bad = 0;

	br_net_unpair(far);
	br_net_pair_mac_text(number, false, near_mac);
	br_net_pair_mac_text(number, true, far_mac);
	bad |= br_net_run(BR_NET_HOME,
			  "ip link add %s address %s numtxqueues %u numrxqueues %u type veth peer "
			  "name %s address %s numtxqueues %u numrxqueues %u",
			  far, far_mac, queues, queues, end, near_mac, queues, queues);
	if (ns != BR_NET_HOME)
		bad |= br_net_run(BR_NET_HOME, "ip link set dev %s netns /proc/%d/fd/%d", end,
				  (int)getpid(), ns);
	/* multicast reports would bind the polling of a device to whatever CPU sends them */
	bad |= br_net_run(BR_NET_HOME, "ip link set dev %s addrgenmode none", far);
	bad |= br_net_run(ns, "ip link set dev %s addrgenmode none", end);
	bad |= br_net_run(BR_NET_HOME, "ethtool -K %s tx off", far);
	bad |= br_net_run(ns, "ethtool -K %s tx off gro on", end);
	bad |= br_net_run(ns, "ip link set dev %s up", end);
	bad |= br_net_run(BR_NET_HOME, "ip link set dev %s up", far);
	return bad ? br_error_set(error, -EIO, NULL,
				  "cannot set up the veth pair %s, %s with `ip` and `ethtool`", end,
				  far)
		   : 0;
}
