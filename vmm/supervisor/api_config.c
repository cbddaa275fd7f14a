/* vmm/supervisor/api_config.c - what this guest was started with. */
#include "vmm/supervisor/api_config.h"

#include <stdio.h>
#include <string.h>

#include "vmm/config.h"
#include "vmm/config_firmware.h"
#include "vmm/json_value.h"

static json_t *make_memory(const struct memory_config *m)
{
	return json_pack("{s:o, s:o, s:b, s:b}", "size",
			 json_value_u64(m->size), "hugepages",
			 json_value_u64(m->hugepages), "prefault", m->prefault,
			 "shared", m->shared);
}

static json_t *make_console(const struct console_config *c)
{
	static const char *const kinds[] = {
		[CONSOLE_STDIO] = "stdio", [CONSOLE_FILE] = "file",
		[CONSOLE_UNIX] = "unix",   [CONSOLE_PTY] = "pty",
		[CONSOLE_NONE] = "none",
	};

	if (c->path)
		return json_pack("{s:o}", kinds[c->kind],
				 json_value_text(c->path));
	return json_pack("{s:b}", kinds[c->kind], 1);
}

static json_t *make_disk(const struct disk_config *d)
{
	return json_pack("{s:o, s:b, s:b, s:o, s:o}", "path",
			 json_value_text(d->path), "ro", d->ro, "direct",
			 d->direct, "serial", json_value_text(d->serial), "lun",
			 json_value_u64(d->lun));
}

static json_t *make_disks(const struct group_list *l)
{
	const struct disk_config *d = l->v;
	json_t *j = json_array();

	for (size_t i = 0; j && i < l->n; i++)
		json_array_append_new(j, make_disk(&d[i]));
	return j;
}

static json_t *make_mac(const struct mac_config *m)
{
	char text[18];

	if (!m->given)
		return json_null();
	snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x",
		 m->bytes[0], m->bytes[1], m->bytes[2], m->bytes[3],
		 m->bytes[4], m->bytes[5]);
	return json_string(text);
}

static json_t *make_net(const struct net_config *n)
{
	json_t *j = json_pack("{s:o, s:o, s:o}", "mac", make_mac(&n->mac),
			      "mtu", json_value_u64(n->mtu), "queues",
			      json_value_u64(n->queues));

	if (!j)
		return NULL;
	if (n->tap)
		json_object_set_new(j, "tap", json_value_text(n->tap));
	else if (n->passt)
		json_object_set_new(j, "passt", json_value_text(n->passt));
	else if (n->user)
		json_object_set_new(j, "user", json_true());
	else
		json_object_set_new(j, "fd", json_value_u64(n->fd));
	return j;
}

static json_t *make_nets(const struct group_list *l)
{
	const struct net_config *n = l->v;
	json_t *j = json_array();

	for (size_t i = 0; j && i < l->n; i++)
		json_array_append_new(j, make_net(&n[i]));
	return j;
}

static json_t *make_vsock(const struct vsock_config *v)
{
	if (!v->cid)
		return json_null();
	if (v->vhost)
		return json_pack("{s:o, s:b}", "cid", json_value_u64(v->cid),
				 "vhost", 1);
	return json_pack("{s:o, s:o}", "cid", json_value_u64(v->cid), "path",
			 json_value_text(v->path));
}

static json_t *make_cgroup(const struct cgroup_config *c)
{
	if (!c->where)
		return json_null();
	return json_pack("{s:o, s:o}", "where", json_value_text(c->where),
			 "weight", json_value_u64(c->weight));
}

/* The word of a choice, as the option's table has it. */
static void set_choice(json_t *j, const char *name, int value)
{
	for (const struct option_section *s = run_option_table.sections;
	     s->title; s++)
		for (const struct option_desc *o = s->options; o->name; o++)
			if (o->kind == OPTION_CHOICE && !strcmp(o->name, name))
				json_object_set_new(
					j, name,
					json_string(o->choices[value]));
}

static void set_run(json_t *j, const struct run_config *c)
{
	json_object_set_new(j, "timeout",
			    json_real((double)c->timeout_ms / 1000));
	json_object_set_new(j, "stop-timeout",
			    json_real((double)c->stop_timeout_ms / 1000));
	set_choice(j, "on-reboot", c->on_reboot);
	set_choice(j, "seccomp", c->seccomp);
	set_choice(j, "jail", c->jail);
	json_object_set_new(j, "cgroup", make_cgroup(&c->cgroup));
	json_object_set_new(j, "oem-strings", json_value_u64(c->oem_strings.n));
}

json_t *api_config(const struct run_config *c)
{
	json_t *j;

	if (!c)
		return json_null();
	j = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "kernel",
		      json_value_text(c->kernel), "initrd",
		      json_value_text(c->initrd), "append",
		      json_value_text(c->append), "memory",
		      make_memory(&c->memory), "cpus", json_value_u64(c->cpus),
		      "console", make_console(&c->console));
	if (!j)
		return NULL;
	json_object_set_new(j, "disk", make_disks(&c->devices.disks));
	json_object_set_new(j, "net", make_nets(&c->devices.nets));
	json_object_set_new(j, "vsock", make_vsock(&c->devices.vsock));
	json_object_set_new(j, "rng", json_boolean(c->devices.rng));
	json_object_set_new(j, "firmware",
			    json_value_text(config_firmware_name(c)));
	set_choice(j, "protect", c->devices.protect);
	set_choice(j, "dma", c->devices.dma);
	set_run(j, c);
	return j;
}
