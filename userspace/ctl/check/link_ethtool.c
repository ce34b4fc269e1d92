// SPDX-License-Identifier: BSD-2-Clause
/* What ethtool tells of an interface, by the ioctl: no privilege needed to ask. */
#include "ctl/check/link.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Names of net/ethtool/common.c, stable since they are the interface of `ethtool -k`. */
static const char *const feature_names[BR_FEATURE_COUNT] = {
	[BR_FEATURE_RX_VLAN] = "rx-vlan-hw-parse",
	[BR_FEATURE_RX_LRO] = "rx-lro",
	[BR_FEATURE_RX_GRO_HW] = "rx-gro-hw",
	[BR_FEATURE_RX_GRO] = "rx-gro",
	[BR_FEATURE_TX_CHECKSUM] = "tx-checksum-ip-generic",
	[BR_FEATURE_TX_VLAN] = "tx-vlan-hw-insert",
};

/* A command whose structure begins with its number; false when the driver refuses it. */
static bool br_ethtool(int fd, const char *name, void *command)
{
	struct ifreq request = {0};

	strncpy(request.ifr_name, name, sizeof(request.ifr_name) - 1);
	request.ifr_data = command;
	return ioctl(fd, SIOCETHTOOL, &request) == 0;
}

static uint32_t br_ethtool_feature_count(int fd, const char *name)
{
	struct {
		struct ethtool_sset_info info;
		uint32_t length;
	} set = {.info = {.cmd = ETHTOOL_GSSET_INFO, .sset_mask = 1ull << ETH_SS_FEATURES}};

	if (!br_ethtool(fd, name, &set) || !(set.info.sset_mask & 1ull << ETH_SS_FEATURES))
		return 0;
	return set.length;
}

static void br_ethtool_keep(const char *name, const struct ethtool_get_features_block *block,
			    uint32_t bit, struct br_check_ethtool *out)
{
	for (int f = 0; f < BR_FEATURE_COUNT; f++) {
		if (strncmp(name, feature_names[f], ETH_GSTRING_LEN) != 0)
			continue;
		out->offloads[f].on = block->active & bit;
		out->offloads[f].fixed = !(block->available & bit) || block->never_changed & bit;
	}
}

static void br_ethtool_features(int fd, const char *name, struct br_check_ethtool *out)
{
	uint32_t count = br_ethtool_feature_count(fd, name);
	uint32_t blocks = (count + 31) / 32;
	struct ethtool_gstrings *names;
	struct ethtool_gfeatures *features;

	names = calloc(1, sizeof(*names) + (size_t)count * ETH_GSTRING_LEN);
	features = calloc(1, sizeof(*features) + blocks * sizeof(features->features[0]));
	if (!count || !names || !features)
		goto out;
	names->cmd = ETHTOOL_GSTRINGS;
	names->string_set = ETH_SS_FEATURES;
	names->len = count;
	features->cmd = ETHTOOL_GFEATURES;
	features->size = blocks;
	if (!br_ethtool(fd, name, names) || !br_ethtool(fd, name, features))
		goto out;
	for (uint32_t i = 0; i < count && i < names->len && i / 32 < features->size; i++)
		br_ethtool_keep((const char *)names->data + (size_t)i * ETH_GSTRING_LEN,
				&features->features[i / 32], 1u << i % 32, out);
out:
	free(names);
	free(features);
}

void br_check_ethtool_read(const char *name, struct br_check_ethtool *out)
{
	struct ethtool_drvinfo driver = {.cmd = ETHTOOL_GDRVINFO};
	struct ethtool_ringparam rings = {.cmd = ETHTOOL_GRINGPARAM};
	struct ethtool_channels channels = {.cmd = ETHTOOL_GCHANNELS};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	memset(out, 0, sizeof(*out));
	if (fd < 0)
		fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (br_ethtool(fd, name, &driver))
		memcpy(out->driver, driver.driver, sizeof(out->driver) - 1);
	if (br_ethtool(fd, name, &rings)) {
		out->rx_ring = rings.rx_pending;
		out->rx_ring_max = rings.rx_max_pending;
		out->tx_ring = rings.tx_pending;
		out->tx_ring_max = rings.tx_max_pending;
	}
	if (br_ethtool(fd, name, &channels)) {
		out->combined = channels.max_combined != 0;
		out->rx_queues = channels.combined_count + channels.rx_count;
		out->tx_queues = channels.combined_count + channels.tx_count;
		out->rx_queues_max = out->combined ? channels.max_combined : channels.max_rx;
	}
	br_ethtool_features(fd, name, out);
	close(fd);
}
