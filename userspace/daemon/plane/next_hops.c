/* SPDX-License-Identifier: BSD-2-Clause */
/* Public functions of next_hops, and the order in which its work is done. */
#include "plane/next_hops_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/timerfd.h>

#include "lib/log.h"

/* Datagrams read and batches asked in one dispatch; what is left wakes the loop again. */
#define BR_HOPS_READS	256u
#define BR_HOPS_BATCHES 16u
/* A request that failed (no memory, no slot) is repeated after this time. */
#define BR_HOPS_RETRY_NS (100 * 1000000ull)

uint64_t br_hops_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

static bool br_hops_have_doubts(const struct br_next_hops *hops)
{
	return !TAILQ_EMPTY(&hops->doubtful_remotes) || !TAILQ_EMPTY(&hops->doubtful_hops);
}

/* One timer for all that is planned: doubts left now, a recheck, a retry. */
static void br_hops_arm_timer(struct br_next_hops *hops)
{
	struct itimerspec timer = {0};
	uint64_t due = hops->recheck_ns;

	if (hops->retry_ns) {
		if (!due || hops->retry_ns < due)
			due = hops->retry_ns;
	} else if (br_hops_have_doubts(hops)) {
		due = 1; /* long past: at once */
	}
	if (due == hops->armed_ns)
		return;
	hops->armed_ns = due;
	timer.it_value.tv_sec = (time_t)(due / 1000000000ull);
	timer.it_value.tv_nsec = (long)(due % 1000000000ull);
	if (timerfd_settime(hops->timer_fd, TFD_TIMER_ABSTIME, &timer, NULL) < 0)
		br_log_error("timer of the next hops: %s", strerror(errno));
}

/* Read what was announced; when some was lost, everything is asked again after the rest. */
static void br_hops_read(struct br_next_hops *hops)
{
	int rc = 1;

	for (unsigned int i = 0; i < BR_HOPS_READS && rc; i++) {
		rc = br_netlink_receive(&hops->events, br_hops_event, hops);
		if (rc < 0 && rc != -ENOBUFS) {
			br_log_error("rtnetlink: %s", strerror(-rc));
			return;
		}
		if (rc < 0 && !hops->lost) {
			br_log_warn("rtnetlink: announcements were lost, asking for everything");
			hops->lost = true;
		}
	}
	/* messages older than the answers must not be applied after them */
	if (rc || !hops->lost)
		return;
	hops->lost = br_hops_links_read(hops) != 0;
	if (hops->lost) {
		hops->retry_ns = br_hops_now() + BR_HOPS_RETRY_NS;
		return;
	}
	br_hops_devices_reread(hops);
	for (uint32_t i = 1; i < hops->index_top; i++) {
		if (hops->by_index[i])
			br_hop_doubt(hops, hops->by_index[i]);
	}
	br_remotes_doubt(hops, 0, NULL, 0);
	br_hops_tell_addresses(hops);
}

static void br_hops_work(struct br_next_hops *hops)
{
	uint64_t now = br_hops_now();
	int rc = 0;

	if (hops->recheck_ns && hops->recheck_ns <= now) {
		hops->recheck_ns = 0;
		br_remotes_doubt(hops, 0, NULL, 0);
	}
	if (hops->retry_ns && hops->retry_ns > now)
		return;
	hops->retry_ns = 0;
	for (unsigned int i = 0; i < BR_HOPS_BATCHES && !rc && br_hops_have_doubts(hops); i++) {
		rc = br_hops_work_neighbours(hops);
		if (!rc)
			rc = br_hops_work_remotes(hops);
	}
	if (rc) {
		br_log_warn("next hops cannot be brought up to date: %s", strerror(-rc));
		hops->retry_ns = br_hops_now() + BR_HOPS_RETRY_NS;
	}
}

void br_next_hops_dispatch(struct br_next_hops *hops)
{
	uint64_t expired;

	if (read(hops->timer_fd, &expired, sizeof(expired)) > 0)
		hops->armed_ns = 0;
	br_hops_read(hops);
	br_hops_work(hops);
	br_hops_arm_timer(hops);
}

void br_next_hops_tick(struct br_next_hops *hops)
{
	/* first what is known: an entry that has become permanent must not be asked for */
	br_next_hops_dispatch(hops);
	br_hops_ask_due(hops);
}

bool br_next_hops_busy(const struct br_next_hops *hops)
{
	return !hops->retry_ns && br_hops_have_doubts(hops);
}

int br_next_hops_fd(const struct br_next_hops *hops)
{
	return hops->poll_fd;
}

static int br_hops_open_poll(struct br_next_hops *hops)
{
	struct epoll_event event = {.events = EPOLLIN};

	hops->poll_fd = epoll_create1(EPOLL_CLOEXEC);
	hops->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (hops->poll_fd < 0 || hops->timer_fd < 0 ||
	    epoll_ctl(hops->poll_fd, EPOLL_CTL_ADD, hops->timer_fd, &event) < 0 ||
	    epoll_ctl(hops->poll_fd, EPOLL_CTL_ADD, hops->events.fd, &event) < 0)
		return -errno;
	return 0;
}

static int br_hops_check(const struct br_next_hops_options *options, struct br_error *error)
{
	if (!options->table || options->capacity < 2)
		return br_error_set(
			error, -EINVAL, "capacity",
			"a table of %u next hops has no usable entry; expected 2 or more",
			options->capacity);
	if (!options->interface_count || options->interface_count > BR_EGRESS_MAX)
		return br_error_set(error, -EINVAL, "interfaces",
				    "%zu media interfaces given; expected 1 to %u",
				    options->interface_count, BR_EGRESS_MAX);
	return 0;
}

static struct br_next_hops *br_hops_new(const struct br_next_hops_options *options)
{
	struct br_next_hops *hops = calloc(1, sizeof(*hops));

	if (!hops)
		return NULL;
	hops->table = options->table;
	hops->capacity = options->capacity;
	hops->index_top = 1;
	hops->link_count = options->interface_count;
	for (size_t i = 0; i < hops->link_count; i++) {
		hops->links[i].ifindex = options->interfaces[i].ifindex;
		memcpy(hops->links[i].name, options->interfaces[i].name,
		       sizeof(hops->links[i].name) - 1);
	}
	hops->events.fd = hops->requests.fd = hops->poll_fd = hops->timer_fd = -1;
	TAILQ_INIT(&hops->devices);
	TAILQ_INIT(&hops->resting);
	TAILQ_INIT(&hops->doubtful_hops);
	TAILQ_INIT(&hops->doubtful_remotes);
	for (size_t i = 0; i < BR_HOP_QUEUES; i++)
		TAILQ_INIT(&hops->queues[i]);
	return hops;
}

/* All interfaces must be what the caller says they are. */
static int br_hops_open_links(struct br_next_hops *hops, const struct br_next_hops_options *options,
			      struct br_error *error)
{
	int rc = br_hops_links_read(hops);

	if (rc)
		return br_error_set(error, rc, NULL, "interfaces cannot be read: %s",
				    strerror(-rc));
	for (size_t i = 0; i < hops->link_count; i++) {
		const struct br_link *link = &hops->links[i];
		uint32_t expected = options->interfaces[i].ifindex;

		if (!link->ifindex && options->interfaces[i].absent)
			continue;
		if (!link->ifindex)
			return br_error_set(error, -ENODEV, "interfaces",
					    "%s is not an Ethernet interface of this network "
					    "namespace",
					    link->name);
		if (expected && link->ifindex != expected)
			return br_error_set(error, -ENODEV, "interfaces",
					    "%s has index %u now, not %u: it was made anew",
					    link->name, link->ifindex, expected);
	}
	return 0;
}

int br_next_hops_open(const struct br_next_hops_options *options,
		      const struct br_next_hops_events *events, struct br_next_hops **out,
		      struct br_error *error)
{
	struct br_next_hops *hops;
	int rc = br_hops_check(options, error);

	if (rc)
		return rc;
	hops = br_hops_new(options);
	if (!hops)
		return br_error_set(error, -ENOMEM, NULL, "out of memory");
	memset(&hops->table[0], 0, sizeof(hops->table[0]));
	/* listen before asking, so that no change falls in between */
	if (getrandom(&hops->seed, sizeof(hops->seed), 0) != sizeof(hops->seed))
		rc = -errno;
	if (!rc)
		rc = br_netlink_open_events(&hops->events, br_hops_groups, br_hops_group_count);
	if (!rc)
		rc = br_netlink_open_requests(&hops->requests);
	if (!rc)
		rc = br_hops_open_poll(hops);
	if (rc) {
		br_error_set(error, rc, NULL, "rtnetlink cannot be used: %s", strerror(-rc));
		goto out;
	}
	rc = br_hops_open_links(hops, options, error);
	if (rc)
		goto out;
	if (events)
		hops->told = *events;
	*out = hops;
	return 0;
out:
	br_next_hops_close(hops);
	return rc;
}

void br_next_hops_close(struct br_next_hops *hops)
{
	if (!hops)
		return;
	br_hops_free_remotes(hops);
	br_hops_free_table(hops);
	br_hops_free_devices(hops);
	if (hops->timer_fd >= 0)
		close(hops->timer_fd);
	if (hops->poll_fd >= 0)
		close(hops->poll_fd);
	br_netlink_close(&hops->requests);
	br_netlink_close(&hops->events);
	free(hops);
}

void br_next_hops_abandon(struct br_next_hops *hops)
{
	if (hops)
		hops->abandoned = true;
	br_next_hops_close(hops);
}

static struct br_remote *br_remote_new(struct br_next_hops *hops, const struct br_addr *addr)
{
	struct br_remote *remote = calloc(1, sizeof(*remote));

	if (!remote)
		return NULL;
	remote->addr = *addr;
	if (br_hash_insert(&hops->remotes, &remote->node, br_hash_addr(hops, addr, 0))) {
		free(remote);
		return NULL;
	}
	return remote;
}

int br_next_hops_get(struct br_next_hops *hops, const struct br_addr *addr,
		     struct br_next_hop_info *info, struct br_error *error)
{
	struct br_remote *remote = br_remote_find(hops, addr);
	int rc = 0;

	if (!remote)
		remote = br_remote_new(hops, addr);
	if (!remote)
		return br_error_set(error, -ENOMEM, NULL, "out of memory");
	remote->references++;
	/* also when others hold it in vain: the way may be back already */
	if (!remote->hop)
		rc = br_remote_settle(hops, remote, error);
	br_hops_arm_timer(hops);
	if (rc) {
		br_remote_give(hops, remote);
		return rc;
	}
	remote->held = true;
	br_remote_info(remote, info);
	return 0;
}

int br_next_hops_hold(struct br_next_hops *hops, const struct br_addr *addr,
		      struct br_next_hop_info *info)
{
	struct br_remote *remote = br_remote_find(hops, addr);

	if (!remote)
		remote = br_remote_new(hops, addr);
	if (!remote)
		return -ENOMEM;
	remote->references++;
	if (!remote->hop && br_remote_settle(hops, remote, NULL))
		br_remote_doubt(hops, remote);
	br_hops_arm_timer(hops);
	remote->held = true;
	br_remote_info(remote, info);
	return 0;
}

void br_next_hops_put(struct br_next_hops *hops, const struct br_addr *addr)
{
	struct br_remote *remote = br_remote_find(hops, addr);

	if (remote)
		br_remote_give(hops, remote);
}

int br_next_hops_info(const struct br_next_hops *hops, const struct br_addr *addr,
		      struct br_next_hop_info *info)
{
	const struct br_remote *remote = br_remote_find(hops, addr);

	if (!remote)
		return -ENOENT;
	br_remote_info(remote, info);
	return 0;
}
