/* SPDX-License-Identifier: BSD-2-Clause */
/* The bpffs of the pins: found or mounted, entered by root only, locked by one daemon. */
#ifndef BR_PINS_DIRECTORY_H
#define BR_PINS_DIRECTORY_H

#include <stdbool.h>

#include "lib/error.h"

/**
 * br_pins_directory_open - make the directory, mount a bpffs there unless it is on one, lock it
 * @mounted: set to true when this call mounted it
 *
 * The lock is of the open directory: the kernel gives it back when the process ends.
 *
 * Return: descriptor, closed by br_pins_directory_close; -EBUSY when another process has the
 * lock, -EPERM without the right to mount, -EACCES when others than root may enter,
 * -ENOTEMPTY when there is something else, or the errno of what failed.
 */
int br_pins_directory_open(const char *path, bool *mounted, struct br_error *error);
/** br_pins_directory_close - unlock; unmount as well when @unmount */
void br_pins_directory_close(int directory, const char *path, bool unmount);

/** br_pins_is_bpffs - is the open file on a bpffs? */
bool br_pins_is_bpffs(int fd);

#endif
