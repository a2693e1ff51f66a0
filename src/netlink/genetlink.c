/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * genetlink.c - generic netlink: the registry of families, and the family "nlctrl" that tells about them
 *
 * A message's type is the number of its family; the four octets behind the netlink header name the command. The registry is filled while
 * the machine is set up and only read after, as rtnetlink's. Numbers of groups run through all families, those of families
 * begin behind nlctrl's, which is fixed (GENL_ID_CTRL).
 */
#include "netlink/genetlink.h"

#include <errno.h>

#include "core/machine.h"
#include "netlink/netlink_internal.h"

#define GENL_FIRST_GROUP 0x10 /* nlctrl's; Linux keeps those below to families from before */
#define GENL_NR_GROUPS   64
#define GENL_MAX_ATTR    63

static const struct genl_family nlctrl_family;

/* ---- families --------------------------------------------------------------------------------------------- */

static u32 family_nr_groups(const struct genl_family *f)
{
	u32 n = 0;

	while (n < GENL_MAX_GROUPS && f->groups[n])
		n++;
	return n;
}

static const struct genl_row *family_by_name(const struct rtnl_table *t, const char *name)
{
	for (u32 i = 0; i < t->nr_genl; i++)
		if (!strcmp(t->genl[i].f->name, name))
			return &t->genl[i];
	return NULL;
}

static const struct genl_row *family_by_id(const struct rtnl_table *t, u32 id)
{
	for (u32 i = 0; i < t->nr_genl; i++)
		if (t->genl[i].id == id)
			return &t->genl[i];
	return NULL;
}

int genl_register_family(struct machine *m, const struct genl_family *f)
{
	struct rtnl_table *t = m->rtnl_table;
	u32 groups = family_nr_groups(f);

	if (family_by_name(t, f->name))
		return -EEXIST;
	if (t->nr_genl == GENL_MAX_FAMILIES || t->nr_genl_groups + groups > GENL_NR_GROUPS)
		return -ENOSPC;
	for (u32 i = 0; i < f->nr_ops; i++)
		assert(f->ops[i].maxtype <= GENL_MAX_ATTR);
	t->genl[t->nr_genl] = (struct genl_row){ f, (u16)(GENL_ID_CTRL + t->nr_genl),
						 GENL_FIRST_GROUP + t->nr_genl_groups };
	t->nr_genl++;
	t->nr_genl_groups += groups;
	return 0;
}

u16 genl_family_id(const struct machine *m, const struct genl_family *f)
{
	const struct genl_row *row = family_by_name(m->rtnl_table, f->name);

	return row ? row->id : 0;
}

/* ---- messages --------------------------------------------------------------------------------------------- */

bool genl_msg_begin(struct nl_msg *m, u16 family, u32 portid, u32 seq, u16 flags, u8 cmd,
		    u8 version)
{
	struct genlmsghdr *g = nlmsg_begin(m, portid, seq, family, flags, sizeof(*g));

	if (!g)
		return false;
	g->cmd = cmd;
	g->version = version;
	return true;
}

bool genl_reply_begin(struct nl_msg *m, const struct genl_request *g, u8 cmd)
{
	return genl_msg_begin(m, g->family, g->req->portid, g->req->nlh->nlmsg_seq, 0, cmd,
			      g->hdr->version);
}

int genl_dump_parse(struct netlink_callback *cb, const struct nlattr **tb, u16 maxtype,
		    const struct nla_policy *policy)
{
	return nlmsg_parse(cb->nlh, sizeof(struct genlmsghdr), tb, maxtype, policy, cb->extack);
}

void genl_notify(struct net *net, const struct genl_family *f, const struct nl_msg *m, u32 group)
{
	const struct genl_row *row = family_by_name(net->machine->rtnl_table, f->name);

	nlmsg_notify(net, NETLINK_GENERIC, m, 0, row->first_group + group);
}

/* ---- requests ---------------------------------------------------------------------------------------------- */

static const struct genl_op *find_op(const struct genl_family *f, u8 cmd)
{
	for (u32 i = 0; i < f->nr_ops; i++)
		if (f->ops[i].cmd == cmd)
			return &f->ops[i];
	return NULL;
}

static int genl_doit(struct nl_request *req, const struct genl_row *row, const struct genl_op *op)
{
	const struct nlattr *tb[GENL_MAX_ATTR + 1];
	struct genl_request g = { .req = req,
				  .hdr = (const void *)((const char *)req->nlh + NLMSG_HDRLEN),
				  .tb = tb,
				  .family = row->id };
	u32 off = NLMSG_HDRLEN + GENL_HDRLEN;
	int err;

	if (!op->doit)
		return -EOPNOTSUPP;
	err = nla_parse(tb, op->maxtype, (const char *)req->nlh + off, req->nlh->nlmsg_len - off,
			op->policy, row->f->strict, req->extack);
	return err ? err : op->doit(&g);
}

static int genl_rcv(struct nl_request *req, struct netlink_callback **ret_dump)
{
	const struct nlmsghdr *nlh = req->nlh;
	const struct genlmsghdr *hdr = (const void *)((const char *)nlh + NLMSG_HDRLEN);
	const struct genl_row *row = family_by_id(req->net->machine->rtnl_table, nlh->nlmsg_type);
	const struct genl_op *op;

	if (!row)
		return -ENOENT;
	if (nlh->nlmsg_len < NLMSG_HDRLEN + GENL_HDRLEN)
		return -EINVAL;
	op = find_op(row->f, hdr->cmd);
	if (!op)
		return -EOPNOTSUPP;
	if (op->admin && !req->privileged)
		return -EPERM;
	if ((nlh->nlmsg_flags & NLM_F_DUMP) != NLM_F_DUMP)
		return genl_doit(req, row, op);
	if (!op->dumpit)
		return -EOPNOTSUPP;
	(*ret_dump)->dumpit = op->dumpit;
	return 0;
}

/* ---- nlctrl ------------------------------------------------------------------------------------------------ */

static const struct nla_policy ctrl_policy[CTRL_ATTR_FAMILY_NAME + 1] = {
	[CTRL_ATTR_FAMILY_ID] = { NLA_K_U16, .help = "number of a family" },
	[CTRL_ATTR_FAMILY_NAME] = { NLA_K_NUL_STRING, .len = GENL_NAMSIZ - 1,
				    .help = "name of a family" },
};

static u32 op_flags(const struct genl_op *op)
{
	return (op->admin ? GENL_UNS_ADMIN_PERM : 0) | (op->doit ? GENL_CMD_CAP_DO : 0) |
	       (op->dumpit ? GENL_CMD_CAP_DUMP : 0) | (op->policy ? GENL_CMD_CAP_HASPOL : 0);
}

static void fill_ops(struct nl_msg *m, const struct genl_family *f)
{
	u32 nest = nla_nest_start(m, CTRL_ATTR_OPS), one;

	for (u32 i = 0; i < f->nr_ops; i++) {
		one = nla_nest_start(m, (u16)(i + 1));
		nla_put_u32(m, CTRL_ATTR_OP_ID, f->ops[i].cmd);
		nla_put_u32(m, CTRL_ATTR_OP_FLAGS, op_flags(&f->ops[i]));
		nla_nest_end(m, one);
	}
	nla_nest_end(m, nest);
}

static void fill_groups(struct nl_msg *m, const struct genl_row *row)
{
	u32 nest, one;

	if (!family_nr_groups(row->f))
		return;
	nest = nla_nest_start(m, CTRL_ATTR_MCAST_GROUPS);
	for (u32 i = 0; i < family_nr_groups(row->f); i++) {
		one = nla_nest_start(m, (u16)(i + 1));
		nla_put_u32(m, CTRL_ATTR_MCAST_GRP_ID, row->first_group + i);
		nla_put_string(m, CTRL_ATTR_MCAST_GRP_NAME, row->f->groups[i]);
		nla_nest_end(m, one);
	}
	nla_nest_end(m, nest);
}

static int fill_family(struct nl_msg *m, const struct genl_row *row)
{
	nla_put_string(m, CTRL_ATTR_FAMILY_NAME, row->f->name);
	nla_put_u16(m, CTRL_ATTR_FAMILY_ID, row->id);
	nla_put_u32(m, CTRL_ATTR_VERSION, row->f->version);
	nla_put_u32(m, CTRL_ATTR_HDRSIZE, 0);
	nla_put_u32(m, CTRL_ATTR_MAXATTR, 0);
	fill_ops(m, row->f);
	fill_groups(m, row);
	return nlmsg_finish(m);
}

static int ctrl_getfamily(const struct genl_request *g)
{
	const struct rtnl_table *t = g->req->net->machine->rtnl_table;
	const struct genl_row *row = NULL;
	char name[GENL_NAMSIZ];

	if (g->tb[CTRL_ATTR_FAMILY_ID])
		row = family_by_id(t, nla_get_u16(g->tb[CTRL_ATTR_FAMILY_ID]));
	if (g->tb[CTRL_ATTR_FAMILY_NAME] &&
	    nla_strscpy(name, g->tb[CTRL_ATTR_FAMILY_NAME], sizeof(name)) >= 0)
		row = family_by_name(t, name);
	if (!g->tb[CTRL_ATTR_FAMILY_ID] && !g->tb[CTRL_ATTR_FAMILY_NAME])
		return -EINVAL;
	if (!row)
		return -ENOENT;
	if (!genl_msg_begin(g->req->reply, GENL_ID_CTRL, g->req->portid, g->req->nlh->nlmsg_seq, 0,
			    CTRL_CMD_NEWFAMILY, nlctrl_family.version))
		return -ENOBUFS;
	return fill_family(g->req->reply, row);
}

static int ctrl_dumpfamily(struct nl_msg *m, struct netlink_callback *cb)
{
	const struct rtnl_table *t = cb->net->machine->rtnl_table;

	for (; cb->args[0] < t->nr_genl; cb->args[0]++)
		if (!genl_msg_begin(m, GENL_ID_CTRL, cb->portid, cb->nlh->nlmsg_seq, NLM_F_MULTI,
				    CTRL_CMD_NEWFAMILY, nlctrl_family.version) ||
		    fill_family(m, &t->genl[cb->args[0]]))
			return 1;
	return 0;
}

static const struct genl_op nlctrl_ops[] = {
	{ .cmd = CTRL_CMD_GETFAMILY,
	  .maxtype = CTRL_ATTR_FAMILY_NAME,
	  .policy = ctrl_policy,
	  .doit = ctrl_getfamily,
	  .dumpit = ctrl_dumpfamily },
};

static const struct genl_family nlctrl_family = {
	.name = "nlctrl",
	.version = 2,
	.ops = nlctrl_ops,
	.nr_ops = ARRAY_SIZE(nlctrl_ops),
	.groups = { "notify" },
};

int genetlink_machine_init(struct machine *m)
{
	static const struct netlink_protocol generic = {
		.protocol = NETLINK_GENERIC,
		.rcv = genl_rcv,
		.groups = GENL_FIRST_GROUP + GENL_NR_GROUPS,
	};
	int err = netlink_register(m, &generic);

	return err ? err : genl_register_family(m, &nlctrl_family);
}
