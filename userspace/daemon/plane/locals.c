// SPDX-License-Identifier: BSD-2-Clause
/*
 * Our addresses: those of the media interfaces, and those that legs use. What comes to the
 * media port of one of them is ours to refuse; elsewhere we are only a guest. An address
 * counts once for every interface and every leg that has it; the kernel hears only of the first
 * and the last, so that legs which change their address by the thousand cost no system calls.
 */
#include "plane/plane_private.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "lib/log.h"
#include "relay.skel.h"

/* An interface address as the key of `locals`. */
struct br_plane_local {
	__be32 addr[4];
};

/* Addresses are few, legs are many: those in use most stand first by themselves. */
struct br_plane_local_use {
	__be32 addr[4];
	uint32_t count;
};

static int br_locals_map(const struct br_plane *plane)
{
	return bpf_map__fd(plane->bpf->maps.locals);
}

/* The count of an address, made if need be; NULL without memory. */
static struct br_plane_local_use *br_local_use(struct br_plane *plane, const __be32 local[static 4])
{
	struct br_plane_local_use *uses = plane->local_uses;
	size_t count = plane->local_use_count;

	for (size_t i = 0; i < count; i++)
		if (!memcmp(uses[i].addr, local, sizeof(uses[i].addr)))
			return &uses[i];
	uses = reallocarray(uses, count + 1, sizeof(*uses));
	if (!uses)
		return NULL;
	memcpy(uses[count].addr, local, sizeof(uses[count].addr));
	uses[count].count = 0;
	plane->local_uses = uses;
	plane->local_use_count = count + 1;
	return &uses[count];
}

static int br_local_tell(const struct br_plane *plane, const __be32 local[static 4])
{
	static const __u32 ours = 1;

	return bpf_map_update_elem(br_locals_map(plane), local, &ours, BPF_ANY) ? -errno : 0;
}

int br_plane_local_get(struct br_plane *plane, const __be32 local[static 4])
{
	struct br_plane_local_use *use = br_local_use(plane, local);
	int err = 0;

	if (!use)
		return -ENOMEM;
	if (!use->count)
		err = br_local_tell(plane, local);
	use->count += !err;
	return err;
}

void br_plane_local_put(struct br_plane *plane, const __be32 local[static 4])
{
	struct br_plane_local_use *use = br_local_use(plane, local);

	/* one that was not to be had may be given back all the same */
	if (!use || !use->count || --use->count)
		return;
	bpf_map_delete_elem(br_locals_map(plane), local);
	*use = plane->local_uses[--plane->local_use_count];
}

/* The label of an IPv4 address may be "eth0:1"; an interface may have been renamed. */
/* Slot of the media interface that has the address, or -1. */
static int br_local_slot(const struct br_plane *plane, const struct ifaddrs *entry)
{
	char name[IF_NAMESIZE];
	uint32_t ifindex;

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(entry->ifa_name, ":"), entry->ifa_name);
	ifindex = if_nametoindex(name);
	for (size_t i = 0; ifindex && i < plane->options.interface_count; i++)
		if (plane->interfaces[i].ifindex == ifindex)
			return (int)i;
	return -1;
}

static bool br_local_read(const struct ifaddrs *entry, struct br_plane_local *out)
{
	const struct sockaddr *address = entry->ifa_addr;
	struct br_addr addr;

	if (!address)
		return false;
	if (address->sa_family == AF_INET)
		addr = br_addr_from_bytes(
			4, (const uint8_t *)&((const struct sockaddr_in *)address)->sin_addr);
	else if (address->sa_family == AF_INET6)
		addr = br_addr_from_bytes(
			6, (const uint8_t *)&((const struct sockaddr_in6 *)address)->sin6_addr);
	else
		return false;
	memcpy(out->addr, addr.words, sizeof(out->addr));
	return true;
}

bool br_plane_local_of(const struct br_plane *plane, size_t slot, const struct br_addr *remote,
		       struct br_addr *local)
{
	int family = remote->family == 4 ? AF_INET : AF_INET6;
	struct ifaddrs *list, *entry;
	bool found = false;

	if (getifaddrs(&list))
		return false;
	for (entry = list; entry && !found; entry = entry->ifa_next) {
		struct br_plane_local addr;

		if (!entry->ifa_addr || entry->ifa_addr->sa_family != family ||
		    br_local_slot(plane, entry) != (int)slot || !br_local_read(entry, &addr))
			continue;
		local->family = remote->family;
		memcpy(local->words, addr.addr, sizeof(local->words));
		/* link-local with link-local, the others with each other */
		found = br_addr_is_link_local6(local) == br_addr_is_link_local6(remote);
	}
	freeifaddrs(list);
	if (!found)
		memset(local, 0, sizeof(*local));
	return found;
}

/* All addresses of the media interfaces as the kernel has them now; freed by the caller. */
static int br_locals_read(const struct br_plane *plane, struct br_plane_local **out, size_t *count)
{
	struct ifaddrs *list, *entry;
	struct br_plane_local *locals;
	size_t room = 0;

	*count = 0;
	if (getifaddrs(&list))
		return -errno;
	for (entry = list; entry; entry = entry->ifa_next)
		room++;
	locals = calloc(room + 1, sizeof(*locals));
	for (entry = list; locals && entry; entry = entry->ifa_next)
		if (br_local_read(entry, &locals[*count]) && br_local_slot(plane, entry) >= 0)
			(*count)++;
	freeifaddrs(list);
	*out = locals;
	return locals ? 0 : -ENOMEM;
}

static bool br_locals_take(struct br_plane_local *locals, size_t *count,
			   const struct br_plane_local *wanted)
{
	for (size_t i = 0; i < *count; i++)
		if (!memcmp(&locals[i], wanted, sizeof(*wanted))) {
			locals[i] = locals[--*count];
			return true;
		}
	return false;
}

/* New ones first: an address that moves from one interface to the other stays ours. */
void br_plane_locals_refresh(struct br_plane *plane)
{
	struct br_plane_local *now, *gone = plane->locals;
	size_t count, gone_count = plane->local_count;
	int err = br_locals_read(plane, &now, &count);

	plane->locals_changed = err != 0; /* then the next tick tries again */
	if (err)
		return;
	for (size_t i = 0; i < count; i++) {
		if (br_locals_take(gone, &gone_count, &now[i]))
			continue;
		err = br_plane_local_get(plane, now[i].addr);
		if (err)
			br_log_warn("no room for another address of a media interface: strangers "
				    "are not limited there: %s",
				    strerror(-err));
	}
	for (size_t i = 0; i < gone_count; i++)
		br_plane_local_put(plane, gone[i].addr);
	free(gone);
	plane->locals = now;
	plane->local_count = count;
}

/* Addresses in the kernel's table that nobody uses any more. */
static void br_locals_drop_unused(struct br_plane *plane)
{
	int map = br_locals_map(plane);
	__be32 key[4], next[4];
	int err = bpf_map_get_next_key(map, NULL, key);

	for (; !err; memcpy(key, next, sizeof(key))) {
		bool used = false;

		err = bpf_map_get_next_key(map, key, next);
		for (size_t i = 0; i < plane->local_use_count && !used; i++)
			used = !memcmp(plane->local_uses[i].addr, key, sizeof(key));
		if (!used)
			bpf_map_delete_elem(map, key);
	}
}

/* An earlier daemon may have been killed before it counted, or been gone while addresses were. */
int br_plane_locals_adopt(struct br_plane *plane)
{
	int err = br_locals_read(plane, &plane->locals, &plane->local_count);

	if (err)
		return err;
	/* one that finds no room was not there before either */
	for (size_t i = 0; i < plane->local_count; i++)
		(void)br_plane_local_get(plane, plane->locals[i].addr);
	for (uint32_t i = 0; i < plane->options.max_legs; i++)
		if (plane->legs[i].used)
			(void)br_plane_local_get(plane, plane->leg_table[i].tuple.local);
	br_locals_drop_unused(plane);
	return 0;
}
