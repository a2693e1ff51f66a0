/* SPDX-License-Identifier: BSD-2-Clause */
/* fcs.c - CRC-32 with a table of half octets: the polynomial of IEEE 802.3 3.2.9, bits reflected */
#include "drivers/fcs.h"

static const u32 crc_nibble[16] = {
	0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
	0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
	0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
};

u32 fcs_compute(const u8 *p, size_t len)
{
	u32 crc = UINT32_MAX;

	for (size_t i = 0; i < len; i++) {
		crc ^= p[i];
		crc = crc >> 4 ^ crc_nibble[crc & 15];
		crc = crc >> 4 ^ crc_nibble[crc & 15];
	}
	return ~crc;
}

void fcs_append(u8 *p, size_t len)
{
	u32 crc = fcs_compute(p, len);

	for (u32 i = 0; i < FCS_LEN; i++)
		p[len + i] = (u8)(crc >> 8 * i);
}

bool fcs_ok(const u8 *p, size_t len)
{
	u32 got = 0;

	if (len < FCS_LEN)
		return false;
	for (u32 i = 0; i < FCS_LEN; i++)
		got |= (u32)p[len - FCS_LEN + i] << 8 * i;
	return got == fcs_compute(p, len - FCS_LEN);
}
