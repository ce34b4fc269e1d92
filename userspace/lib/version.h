/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BR_VERSION_H
#define BR_VERSION_H

#define BR_VERSION "0.1.0"

#endif
