/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The directory in which the plane pins its links and maps, so that they outlive the daemon:
 * a bpffs of its own, mounted if need be. One daemon at a time holds a lock on it, which the
 * kernel gives back however that daemon ends.
 */
#ifndef BR_PINS_H
#define BR_PINS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <blindrelay/state.h>

#include "lib/error.h"
#include "plane/plane.h"
#include "plane/store.h"

#define BR_PIN_SETTINGS	  "settings"
#define BR_PIN_STORE	  "store"
#define BR_PIN_LOOP_QUEUE "link_queue"
#define BR_PIN_LOOP_CLOCK "link_clock"
#define BR_PIN_LINK	  "link_" /* then the slot of the interface, "queue" or "clock" */
/* Names of the ends of the loop, with the media port: see plane/loop.c. */
#define BR_LOOP_QUEUE_NAME "br-loop-%u"
#define BR_LOOP_CLOCK_NAME "br-back-%u"
#define BR_PINS_PATH_MAX   128 /* longest path of the directory, with NUL */

struct br_pins {
	char path[BR_PINS_PATH_MAX]; /* "": nothing is pinned */
	int directory;		     /* open and locked; -1: not in use */
	int settings_map;	     /* -1: none yet */
	int store_map;		     /* -1: none yet */
	bool found;		     /* an earlier daemon left its state here */
	struct br_settings settings; /* as found, or as they shall be saved */
};

/** br_pins_init - not in use: every function below does nothing then */
void br_pins_init(struct br_pins *pins);

/**
 * br_pins_open - make, mount and lock the directory, and read what an earlier daemon left
 * @path: absolute; NULL or "": nothing is pinned
 * @reset: throw away what is there
 *
 * What a start left that did not get as far as the settings is thrown away as well.
 *
 * Return: 0; -EBUSY when another daemon holds the lock, -EPROTO when the settings are of
 * another ABI (br_pins is closed then), or the errno of what failed.
 */
int br_pins_open(struct br_pins *pins, const char *path, bool reset, struct br_error *error);
/** br_pins_close - give the lock back; @keep false: detach, unpin, unmount what was mounted */
void br_pins_close(struct br_pins *pins, bool keep);
/** br_pins_in_use - is anything to be pinned? */
bool br_pins_in_use(const struct br_pins *pins);

/**
 * br_pins_check - may a daemon with these options go on with that state?
 *
 * Return: 0, or -EPROTO with the key that differs, both values and the choice.
 */
int br_pins_check(const struct br_settings *settings, const struct br_plane_options *options,
		  const char *path, struct br_error *error);

/** br_pins_mode - where XDP runs, by the settings; never BR_XDP_AUTO */
enum br_xdp_mode br_pins_mode(const struct br_settings *settings);
/** br_pins_set_mode - the opposite */
void br_pins_set_mode(struct br_settings *settings, enum br_xdp_mode mode);

/** br_pins_put - pin a map or link under @name, instead of what has that name */
int br_pins_put(const struct br_pins *pins, int fd, const char *name);
/** br_pins_get - descriptor of what is pinned, owned by the caller; or a negative errno */
int br_pins_get(const struct br_pins *pins, const char *name);
/** br_pins_remove - unpin; nothing happens when there is no such name */
void br_pins_remove(const struct br_pins *pins, const char *name);
/** br_pins_save - write pins->settings; the first time this makes the state valid */
int br_pins_save(struct br_pins *pins);
/** br_pins_open_store - make or find the map of the store, for @entries parts */
int br_pins_open_store(struct br_pins *pins, uint32_t entries);
/** br_pins_store - access to the store; false when nothing is pinned */
bool br_pins_store(const struct br_pins *pins, struct br_store_map *map);

/** br_pins_netns - inode of the network namespace of this process; 0 when unknown */
uint64_t br_pins_netns(void);
/** br_pins_holder - pid of the daemon that has the directory locked; 0: none, or not visible */
pid_t br_pins_holder(int directory);

/* What `blindrelay doctor` shows. */
struct br_pins_link {
	char name[16];	  /* of the interface when it was attached */
	bool pinned;	  /* there is a link */
	uint32_t ifindex; /* that the link is attached to; 0: that interface is gone */
};

struct br_pins_report {
	bool exists;	/* the directory */
	bool bpffs;	/* it is one */
	pid_t holder;	/* of the lock; 0: none */
	bool other_net; /* the state belongs to another network namespace than ours */
	bool settings_found;
	bool abi_agrees;
	struct br_settings settings; /* when found; beyond abi_version only when abi_agrees */
	size_t maps, links;	     /* pinned */
	uint32_t legs, rooms;	     /* in use; when abi_agrees */
	struct br_pins_link interfaces[BR_EGRESS_MAX + 2]; /* the ends of the loop last */
	size_t interface_count;
};

/** br_pins_examine - look without changing anything; -EPERM without the right to look */
int br_pins_examine(const char *path, struct br_pins_report *report, struct br_error *error);

/* pins.c, for pins_examine.c */

/**
 * br_pins_read_settings - settings of any version
 *
 * Return: 1 when found and of this ABI, 0 when found and of another (only the first three
 * members and, if it can be told, the version are set), -ENOENT when there are none.
 */
int br_pins_read_settings(int fd, struct br_settings *settings);

#endif
