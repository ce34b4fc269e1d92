// SPDX-License-Identifier: BSD-2-Clause
/*
 * Attaching XDP programs by links. Without a state directory they go when the daemon goes,
 * however it ends; with one they are pinned and go on until they are unpinned.
 */
#include "plane/plane_private.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "lib/log.h"
#include "relay.skel.h"

int br_plane_attach_program(const struct br_plane *plane, const struct bpf_program *program,
			    uint32_t ifindex, const char *name, struct br_error *error)
{
	LIBBPF_OPTS(bpf_link_create_opts, options,
		    .flags =
			    plane->mode == BR_XDP_NATIVE ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE);
	__u32 other = 0;
	int fd;

	fd = bpf_link_create(bpf_program__fd(program), (int)ifindex, BPF_XDP, &options);
	if (fd >= 0)
		return fd;
	fd = -errno;
	if (fd == -EBUSY || fd == -EEXIST) {
		bpf_xdp_query_id((int)ifindex, 0, &other);
		return br_error_set(error, -EBUSY, "media.interfaces",
				    "interface \"%s\" already has an XDP program (id %u): is "
				    "another blindrelayd running? `bpftool prog show id %u` tells",
				    name, other, other);
	}
	if (fd == -EPERM)
		return br_error_set(error, fd, NULL,
				    "the kernel refuses to attach XDP to \"%s\": run as root, or "
				    "with CAP_NET_ADMIN",
				    name);
	return br_error_set(error, fd, "media.xdp_mode",
			    "interface \"%s\" does not take XDP in %s mode: %s", name,
			    br_xdp_mode_name(plane->mode), strerror(-fd));
}

static const char *br_attach_pin(size_t slot, char out[static 32])
{
	snprintf(out, 32, BR_PIN_LINK "%zu", slot);
	return out;
}

int br_plane_attach(struct br_plane *plane, size_t slot, struct br_error *error)
{
	struct br_plane_interface *interface = &plane->interfaces[slot];
	int fd = br_plane_attach_program(plane, plane->bpf->progs.relay, interface->ifindex,
					 interface->name, error);

	char pin[32];
	int err;

	if (fd < 0)
		return fd;
	err = br_pins_put(&plane->pins, fd, br_attach_pin(slot, pin));
	if (err) {
		close(fd);
		return br_error_set(error, err, "state.path", "cannot pin the link of \"%s\": %s",
				    interface->name, strerror(-err));
	}
	interface->link = fd;
	return 0;
}

int br_plane_attach_adopt(struct br_plane *plane, const struct bpf_program *program,
			  uint32_t ifindex, const char *pin)
{
	struct bpf_link_info info = {0};
	__u32 length = sizeof(info);
	int fd = br_pins_get(&plane->pins, pin);
	int err = 0;

	if (fd < 0)
		return fd;
	if (bpf_obj_get_info_by_fd(fd, &info, &length))
		err = -errno;
	if (!err && (!ifindex || info.xdp.ifindex != ifindex))
		err = -ENODEV; /* the interface it was attached to is gone */
	if (!err && bpf_link_update(fd, bpf_program__fd(program), NULL))
		err = -errno;
	if (!err)
		return fd;
	close(fd);
	return err;
}

void br_plane_detach(struct br_plane *plane, size_t slot)
{
	struct br_plane_interface *interface = &plane->interfaces[slot];
	char pin[32];

	if (interface->link < 0)
		return;
	br_pins_remove(&plane->pins, br_attach_pin(slot, pin));
	close(interface->link);
	interface->link = -1;
}

static int br_plane_attach_all(struct br_plane *plane, enum br_xdp_mode mode,
			       struct br_error *error)
{
	int err = 0;

	plane->mode = mode;
	for (size_t i = 0; i < plane->options.interface_count && !err; i++)
		err = br_plane_attach(plane, i, error);
	if (err)
		for (size_t i = 0; i < plane->options.interface_count; i++)
			br_plane_detach(plane, i);
	return err;
}

/*
 * All interfaces use one mode: a frame received in one mode cannot be sent out of an
 * interface that only has the other.
 */
int br_plane_choose_mode(struct br_plane *plane, struct br_error *error)
{
	enum br_xdp_mode mode = plane->options.mode;
	int err;

	plane->mode = BR_XDP_NONE;
	if (mode == BR_XDP_NONE)
		return 0;
	err = br_plane_attach_all(plane, mode == BR_XDP_AUTO ? BR_XDP_NATIVE : mode, error);
	if (!err || mode != BR_XDP_AUTO || err == -EBUSY || err == -EPERM)
		return err;
	br_log_info("%s; using generic mode", error->detail);
	memset(error, 0, sizeof(*error));
	err = br_plane_attach_all(plane, BR_XDP_GENERIC, error);
	if (!err || err == -EBUSY || err == -EPERM)
		return err;
	br_log_warn("%s; forwarding without XDP, which is slower", error->detail);
	memset(error, 0, sizeof(*error));
	plane->mode = BR_XDP_NONE;
	return 0;
}

bool br_plane_is_veth(const char *name)
{
	struct ethtool_drvinfo driver = {.cmd = ETHTOOL_GDRVINFO};
	struct ifreq request = {.ifr_data = (char *)&driver};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool asked;

	memcpy(request.ifr_name, name, sizeof(request.ifr_name));
	asked = fd >= 0 && !ioctl(fd, SIOCETHTOOL, &request);
	if (fd >= 0)
		close(fd);
	/* one that is gone may come back as anything */
	return !asked || !strcmp(driver.driver, "veth");
}

/* Interfaces on which a packet can be turned round with XDP_TX, by slot; see bpf/direct.bpf.h. */
uint32_t br_plane_turn_back(const struct br_plane *plane)
{
	uint32_t slots = 0;

	for (size_t i = 0; i < plane->options.interface_count; i++)
		if (plane->options.peers_run_xdp || !br_plane_is_veth(plane->interfaces[i].name))
			slots |= 1u << i;
	return slots;
}
