/* SPDX-License-Identifier: BSD-2-Clause */
/* ethtool_test.c - SIOCETHTOOL and the generic netlink family "ethtool": both doors lead to the same values */
#include "tests/api/two_nets.h"

#include <libmnl/libmnl.h>
#include <linux/ethtool.h>
#include <linux/ethtool_netlink.h>
#include <linux/genetlink.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bed {
	struct weir_machine *m;
	struct weir_net *net, *peer;
	struct weir_file *f;
	uint16_t family;
};

/* eth0 of the net is a card on a switch, v0 a veth, and there is lo. */
static void bed_init(struct bed *b)
{
	struct weir_machine_config cfg = { .clock = WEIR_CLOCK_VIRTUAL };
	struct net_error err;

	b->m = weir_machine_create(&cfg);
	b->net = weir_net_create(b->m, "a");
	b->peer = weir_net_create(b->m, "b");
	assert_int_equal(net_medium_add(b->net, "sw0", "switch", &err), 0);
	assert_int_equal(net_nic_add(b->net, "sw0", b->net, "eth0", &err), 0);
	assert_int_equal(net_veth_add(b->net, "v0", b->peer, "v1", 0, &err), 0);
	assert_int_equal(net_link_up(b->net, "eth0", &err), 0);
	assert_int_equal(weir_socket(b->net, AF_INET, SOCK_DGRAM, 0, &b->f), 0);
}

static void bed_fini(struct bed *b)
{
	weir_close(b->f);
	weir_machine_destroy(b->m);
}

static int request(struct bed *b, const char *dev, void *arg)
{
	struct ifreq r = { .ifr_data = arg };

	strcpy(r.ifr_name, dev);
	return weir_ioctl(b->f, SIOCETHTOOL, &r);
}

static uint64_t stat_of(struct bed *b, const char *dev, const char *name)
{
	struct ethtool_gstrings *names;
	struct ethtool_stats *values;
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
	uint64_t v = UINT64_MAX;

	assert_int_equal(request(b, dev, &info), 0);
	names = calloc(1, sizeof(*names) + info.n_stats * ETH_GSTRING_LEN);
	values = calloc(1, sizeof(*values) + info.n_stats * sizeof(uint64_t));
	*names = (struct ethtool_gstrings){ ETHTOOL_GSTRINGS, ETH_SS_STATS, info.n_stats };
	*values = (struct ethtool_stats){ ETHTOOL_GSTATS, info.n_stats };
	assert_int_equal(request(b, dev, names), 0);
	assert_int_equal(request(b, dev, values), 0);
	assert_int_equal(names->len, info.n_stats);
	assert_int_equal(values->n_stats, info.n_stats);
	for (uint32_t i = 0; i < info.n_stats; i++)
		if (!strcmp((char *)names->data + i * ETH_GSTRING_LEN, name))
			v = values->data[i];
	free(names);
	free(values);
	return v;
}

/* ---- ioctl ----------------------------------------------------------------------------------------------- */

static void drivers_tell_their_names(void **state)
{
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
	struct bed b;

	bed_init(&b);
	assert_int_equal(request(&b, "eth0", &info), 0);
	assert_string_equal(info.driver, "nic");
	assert_int_equal(request(&b, "sw0", &info), 0);
	assert_string_equal(info.driver, "switch");
	assert_int_equal(request(&b, "v0", &info), 0);
	assert_string_equal(info.driver, "veth");
	assert_int_equal(request(&b, "lo", &info), -EOPNOTSUPP);
	assert_int_equal(request(&b, "none", &info), -ENODEV);
	assert_int_equal(request(&b, "eth0", NULL), -EFAULT);
	info.cmd = 0xffff;
	assert_int_equal(request(&b, "eth0", &info), -EOPNOTSUPP);
	bed_fini(&b);
}

static void statistics_have_names_counts_and_values(void **state)
{
	struct {
		struct ethtool_sset_info s;
		uint32_t data[2];
	} sets = { .s = { ETHTOOL_GSSET_INFO, .sset_mask = 1 << ETH_SS_STATS |
							   1 << ETH_SS_FEATURES |
							   1 << ETH_SS_TEST } };
	struct bed b;

	bed_init(&b);
	assert_int_equal(request(&b, "v0", &sets.s), 0);
	assert_int_equal(sets.s.sset_mask, 1 << ETH_SS_STATS | 1 << ETH_SS_FEATURES);
	assert_int_equal(sets.data[0], 2);
	assert_int_equal(sets.data[1], 64);
	assert_int_equal(stat_of(&b, "v0", "peer_ifindex"), 2); /* the first of the other net */
	assert_int_equal(stat_of(&b, "eth0", "rx_overruns"), 0);
	assert_int_equal(stat_of(&b, "sw0", "flooded"), 0);
	bed_fini(&b);
}

static void rings_change_while_the_card_is_up(void **state)
{
	struct ethtool_ringparam r = { .cmd = ETHTOOL_GRINGPARAM };
	struct bed b;

	bed_init(&b);
	assert_int_equal(request(&b, "eth0", &r), 0);
	assert_int_equal(r.rx_pending, 256);
	assert_int_equal(r.rx_max_pending, 4096);
	r.cmd = ETHTOOL_SRINGPARAM;
	r.rx_pending = 1024;
	r.tx_pending = 16;
	assert_int_equal(request(&b, "eth0", &r), 0);
	memset(&r, 0, sizeof(r));
	r.cmd = ETHTOOL_GRINGPARAM;
	assert_int_equal(request(&b, "eth0", &r), 0);
	assert_int_equal(r.rx_pending, 1024);
	assert_int_equal(r.tx_pending, 16);
	r.cmd = ETHTOOL_SRINGPARAM;
	r.rx_pending = 4097;
	assert_int_equal(request(&b, "eth0", &r), -EINVAL);
	r.rx_pending = 4; /* fewer than the card can work with */
	assert_int_equal(request(&b, "eth0", &r), -EINVAL);
	r.cmd = ETHTOOL_GRINGPARAM;
	assert_int_equal(request(&b, "v0", &r), -EOPNOTSUPP);
	bed_fini(&b);
}

static void moderation_takes_what_the_card_has(void **state)
{
	struct ethtool_coalesce c = { .cmd = ETHTOOL_SCOALESCE,
				      .rx_coalesce_usecs = 50,
				      .tx_max_coalesced_frames = 8 };
	struct bed b;

	bed_init(&b);
	assert_int_equal(request(&b, "eth0", &c), 0);
	memset(&c, 0, sizeof(c));
	c.cmd = ETHTOOL_GCOALESCE;
	assert_int_equal(request(&b, "eth0", &c), 0);
	assert_int_equal(c.rx_coalesce_usecs, 50);
	assert_int_equal(c.tx_max_coalesced_frames, 8);
	c.cmd = ETHTOOL_SCOALESCE;
	c.use_adaptive_rx_coalesce = 1;
	assert_int_equal(request(&b, "eth0", &c), -EINVAL);
	bed_fini(&b);
}

static uint32_t old_value(struct bed *b, const char *dev, uint32_t cmd)
{
	struct ethtool_value v = { cmd, 99 };

	assert_int_equal(request(b, dev, &v), 0);
	return v.data;
}

static void old_and_new_commands_mean_the_same_features(void **state)
{
	struct ethtool_value v = { ETHTOOL_STSO, 0 };
	struct {
		struct ethtool_sfeatures s;
		struct ethtool_set_features_block block[2];
	} set = { .s = { ETHTOOL_SFEATURES, 2 },
		  .block = { { .valid = 1u << 16, .requested = 1u << 16 } } };
	struct bed b;

	bed_init(&b);
	assert_int_equal(old_value(&b, "eth0", ETHTOOL_GTSO), 1);
	assert_int_equal(request(&b, "eth0", &v), 0);
	assert_int_equal(old_value(&b, "eth0", ETHTOOL_GTSO), 0);
	assert_int_equal(request(&b, "eth0", &set.s), 0);
	assert_int_equal(old_value(&b, "eth0", ETHTOOL_GTSO), 1);
	/* Without scattered buffers there is no segmentation: wished, not got. */
	v = (struct ethtool_value){ ETHTOOL_SSG, 0 };
	assert_int_equal(request(&b, "eth0", &v), 0);
	assert_int_equal(old_value(&b, "eth0", ETHTOOL_GTSO), 0);
	assert_int_equal(request(&b, "eth0", &set.s), ETHTOOL_F_WISH);
	set.block[0] = (struct ethtool_set_features_block){ 1u << 15, 1u << 15 }; /* rx-lro */
	assert_int_equal(request(&b, "eth0", &set.s), ETHTOOL_F_UNSUPPORTED);
	/* VLAN tags */
	assert_int_equal(old_value(&b, "eth0", ETHTOOL_GFLAGS), 0);
	v = (struct ethtool_value){ ETHTOOL_SFLAGS, ETH_FLAG_TXVLAN | ETH_FLAG_RXVLAN };
	assert_int_equal(request(&b, "eth0", &v), 0);
	assert_int_equal(old_value(&b, "eth0", ETHTOOL_GFLAGS), ETH_FLAG_TXVLAN | ETH_FLAG_RXVLAN);
	v.data = ETH_FLAG_LRO;
	assert_int_equal(request(&b, "eth0", &v), -EOPNOTSUPP);
	v.data = 1u << 31;
	assert_int_equal(request(&b, "eth0", &v), -EINVAL);
	v = (struct ethtool_value){ ETHTOOL_SRXCSUM, 0 };
	assert_int_equal(request(&b, "lo", &v), -EOPNOTSUPP); /* fixed */
	bed_fini(&b);
}

static void link_settings_shake_hands_about_their_length(void **state)
{
	struct {
		struct ethtool_link_settings s;
		uint32_t masks[3 * 127];
	} l = { .s = { .cmd = ETHTOOL_GLINKSETTINGS } };
	struct bed b;

	bed_init(&b);
	assert_int_equal(request(&b, "eth0", &l.s), 0);
	assert_true(l.s.link_mode_masks_nwords < 0);
	l.s.link_mode_masks_nwords = (int8_t)-l.s.link_mode_masks_nwords;
	assert_int_equal(request(&b, "eth0", &l.s), 0);
	assert_int_equal(l.s.speed, 1000);
	assert_int_equal(l.s.duplex, DUPLEX_FULL);
	assert_int_equal(request(&b, "lo", &l.s), -EOPNOTSUPP);
	assert_int_equal(old_value(&b, "eth0", ETHTOOL_GLINK), 1);
	assert_int_equal(old_value(&b, "v0", ETHTOOL_GLINK), 0); /* down */
	bed_fini(&b);
}

static void the_permanent_address_is_the_one_it_was_made_with(void **state)
{
	struct {
		struct ethtool_perm_addr a;
		uint8_t data[32];
	} p = { .a = { ETHTOOL_GPERMADDR, 32 } };
	static const uint8_t none[6];
	struct ifreq r = { .ifr_name = "eth0" };
	struct bed b;

	bed_init(&b);
	assert_int_equal(weir_ioctl(b.f, SIOCGIFHWADDR, &r), 0);
	assert_int_equal(request(&b, "eth0", &p.a), 0);
	assert_int_equal(p.a.size, 6);
	assert_memory_equal(p.data, r.ifr_hwaddr.sa_data, 6);
	r.ifr_hwaddr.sa_data[5] ^= 1;
	assert_int_equal(weir_ioctl(b.f, SIOCSIFHWADDR, &r), 0);
	assert_int_equal(request(&b, "eth0", &p.a), 0);
	assert_memory_not_equal(p.data, r.ifr_hwaddr.sa_data, 6);
	assert_int_equal(request(&b, "v0", &p.a), 0);
	assert_memory_equal(p.data, none, 6); /* its address was drawn */
	p.a.size = 2;
	assert_true(request(&b, "eth0", &p.a) < 0);
	bed_fini(&b);
}

/* ---- generic netlink ---------------------------------------------------------------------------------------- */

struct answer {
	uint32_t n, value;
	uint16_t attr;
	char text[128];
};

static int take_family(const struct nlmsghdr *nlh, void *arg)
{
	const struct nlattr *a;

	mnl_attr_for_each(a, nlh, sizeof(struct genlmsghdr)) if (mnl_attr_get_type(a) ==
								 CTRL_ATTR_FAMILY_ID) *
		(uint16_t *)arg = mnl_attr_get_u16(a);
	return 0;
}

static int take_u32(const struct nlmsghdr *nlh, void *arg)
{
	struct answer *ans = arg;
	const struct nlattr *a;

	ans->n++;
	mnl_attr_for_each(a, nlh, sizeof(struct genlmsghdr)) if (mnl_attr_get_type(a) == ans->attr)
		ans->value = mnl_attr_get_u32(a);
	return 0;
}

static struct nlmsghdr *genl_begin(char *buf, uint16_t type, uint16_t flags, uint8_t cmd)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct genlmsghdr *g;

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	nlh->nlmsg_seq = 1;
	g = mnl_nlmsg_put_extra_header(nlh, sizeof(*g));
	g->cmd = cmd;
	g->version = 1;
	return nlh;
}

static void put_dev(struct nlmsghdr *nlh, const char *dev)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, 1);

	if (dev)
		mnl_attr_put_strz(nlh, ETHTOOL_A_HEADER_DEV_NAME, dev);
	mnl_attr_nest_end(nlh, nest);
}

static int genl_ask(struct bed *b, struct nlmsghdr *nlh, struct answer *ans)
{
	return weir_netlink(b->net, NETLINK_GENERIC, nlh, take_u32, ans, ans->text,
			    sizeof(ans->text));
}

static void find_family(struct bed *b)
{
	char buf[256] __attribute__((aligned(8)));
	struct nlmsghdr *nlh = genl_begin(buf, GENL_ID_CTRL, NLM_F_ACK, CTRL_CMD_GETFAMILY);

	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, ETHTOOL_GENL_NAME);
	assert_int_equal(
		weir_netlink(b->net, NETLINK_GENERIC, nlh, take_family, &b->family, NULL, 0), 0);
	assert_true(b->family > GENL_ID_CTRL);
}

static void families_are_found_by_name_and_listed(void **state)
{
	char buf[256] __attribute__((aligned(8)));
	struct answer ans = { 0 };
	struct nlmsghdr *nlh;
	struct bed b;

	bed_init(&b);
	find_family(&b);
	nlh = genl_begin(buf, GENL_ID_CTRL, NLM_F_ACK, CTRL_CMD_GETFAMILY);
	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, "nl80211");
	assert_int_equal(genl_ask(&b, nlh, &ans), -ENOENT);
	nlh = genl_begin(buf, GENL_ID_CTRL, NLM_F_ACK, CTRL_CMD_GETFAMILY);
	assert_int_equal(genl_ask(&b, nlh, &ans), -EINVAL);
	nlh = genl_begin(buf, GENL_ID_CTRL, NLM_F_ACK, 99);
	assert_int_equal(genl_ask(&b, nlh, &ans), -EOPNOTSUPP);
	nlh = genl_begin(buf, 999, NLM_F_ACK, 1);
	assert_int_equal(genl_ask(&b, nlh, &ans), -ENOENT);
	nlh = genl_begin(buf, GENL_ID_CTRL, NLM_F_DUMP, CTRL_CMD_GETFAMILY);
	assert_int_equal(genl_ask(&b, nlh, &ans), 0);
	assert_true(ans.n >= 2);
	bed_fini(&b);
}

static void what_netlink_sets_the_ioctl_shows(void **state)
{
	char buf[512] __attribute__((aligned(8)));
	struct ethtool_ringparam r = { .cmd = ETHTOOL_GRINGPARAM };
	struct answer ans = { .attr = ETHTOOL_A_RINGS_RX };
	struct nlmsghdr *nlh;
	struct bed b;

	bed_init(&b);
	find_family(&b);
	nlh = genl_begin(buf, b.family, NLM_F_ACK, ETHTOOL_MSG_RINGS_SET);
	put_dev(nlh, "eth0");
	mnl_attr_put_u32(nlh, ETHTOOL_A_RINGS_RX, 512);
	assert_int_equal(genl_ask(&b, nlh, &ans), 0);
	assert_int_equal(request(&b, "eth0", &r), 0);
	assert_int_equal(r.rx_pending, 512);
	nlh = genl_begin(buf, b.family, NLM_F_ACK, ETHTOOL_MSG_RINGS_GET);
	put_dev(nlh, "eth0");
	assert_int_equal(genl_ask(&b, nlh, &ans), 0);
	assert_int_equal(ans.value, 512);
	nlh = genl_begin(buf, b.family, NLM_F_ACK, ETHTOOL_MSG_RINGS_SET);
	put_dev(nlh, "eth0");
	mnl_attr_put_u32(nlh, ETHTOOL_A_RINGS_RX, 5000);
	assert_int_equal(genl_ask(&b, nlh, &ans), -EINVAL);
	assert_string_equal(ans.text, "requested ring size exceeds maximum");
	nlh = genl_begin(buf, b.family, NLM_F_ACK, ETHTOOL_MSG_COALESCE_SET);
	put_dev(nlh, "eth0");
	mnl_attr_put_u8(nlh, ETHTOOL_A_COALESCE_USE_ADAPTIVE_RX, 1);
	assert_int_equal(genl_ask(&b, nlh, &ans), -EINVAL);
	assert_string_equal(ans.text, "cannot modify an unsupported parameter");
	bed_fini(&b);
}

static void requests_about_nothing_are_refused_with_a_sentence(void **state)
{
	char buf[256] __attribute__((aligned(8)));
	struct answer ans = { 0 };
	struct nlmsghdr *nlh;
	struct bed b;

	bed_init(&b);
	find_family(&b);
	nlh = genl_begin(buf, b.family, NLM_F_ACK, ETHTOOL_MSG_LINKSTATE_GET);
	put_dev(nlh, "none");
	assert_int_equal(genl_ask(&b, nlh, &ans), -ENODEV);
	assert_string_equal(ans.text, "no device matches name");
	nlh = genl_begin(buf, b.family, NLM_F_ACK, ETHTOOL_MSG_LINKSTATE_GET);
	put_dev(nlh, NULL);
	assert_int_equal(genl_ask(&b, nlh, &ans), -EINVAL);
	nlh = genl_begin(buf, b.family, NLM_F_ACK, ETHTOOL_MSG_LINKSTATE_GET);
	assert_int_equal(genl_ask(&b, nlh, &ans), -EINVAL);
	assert_string_equal(ans.text, "request header missing");
	nlh = genl_begin(buf, b.family, NLM_F_ACK, ETHTOOL_MSG_WOL_GET);
	put_dev(nlh, "eth0");
	assert_int_equal(genl_ask(&b, nlh, &ans), -EOPNOTSUPP);
	bed_fini(&b);
}

static void a_dump_visits_the_devices_that_have_an_answer(void **state)
{
	char buf[256] __attribute__((aligned(8)));
	struct answer ans = { 0 };
	struct nlmsghdr *nlh;
	struct bed b;

	bed_init(&b);
	find_family(&b);
	nlh = genl_begin(buf, b.family, NLM_F_DUMP, ETHTOOL_MSG_FEATURES_GET);
	put_dev(nlh, NULL);
	assert_int_equal(genl_ask(&b, nlh, &ans), 0);
	assert_int_equal(ans.n, 4); /* lo, sw0, eth0, v0 */
	ans.n = 0;
	nlh = genl_begin(buf, b.family, NLM_F_DUMP, ETHTOOL_MSG_RINGS_GET);
	put_dev(nlh, NULL);
	assert_int_equal(genl_ask(&b, nlh, &ans), 0);
	assert_int_equal(ans.n, 1);
	bed_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(drivers_tell_their_names),
		cmocka_unit_test(statistics_have_names_counts_and_values),
		cmocka_unit_test(rings_change_while_the_card_is_up),
		cmocka_unit_test(moderation_takes_what_the_card_has),
		cmocka_unit_test(old_and_new_commands_mean_the_same_features),
		cmocka_unit_test(link_settings_shake_hands_about_their_length),
		cmocka_unit_test(the_permanent_address_is_the_one_it_was_made_with),
		cmocka_unit_test(families_are_found_by_name_and_listed),
		cmocka_unit_test(what_netlink_sets_the_ioctl_shows),
		cmocka_unit_test(requests_about_nothing_are_refused_with_a_sentence),
		cmocka_unit_test(a_dump_visits_the_devices_that_have_an_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
