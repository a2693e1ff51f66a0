/* SPDX-License-Identifier: BSD-2-Clause */
/* mib.c - the names of the counters of core/mib.h */
#include "core/mib.h"

#define MIB_DESC_ROW_(group, name) { #group, #name },

const struct mib_desc mib_descs[NR_MIB] = { MIB_LIST(MIB_DESC_ROW_) };
