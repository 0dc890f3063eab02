// SPDX-License-Identifier: GPL-2.0-only
/*
 * loops.c - the loops by themselves, as an object that holds no helper.
 */
#include <pygfp/types.h>
#include "native/abi.h"
#include "native/loops.h"

extern __attribute__((visibility("default"))) const struct pygfp_table PYGFP_TABLE_NAME;
const struct pygfp_table PYGFP_TABLE_NAME = { PYGFP_ABI, 0, 0, &pygfp_loops };
