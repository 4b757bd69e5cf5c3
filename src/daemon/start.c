/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/start.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/core_dump.h"
#include "base/escape.h"
#include "base/log.h"
#include "daemon/messages.h"
#include "daemon/packet.h"
#include "daemon/parent.h"
#include "daemon/sandbox.h"
#include "daemon/supervisor.h"

#define EXIT_USAGE 2

/* How long a new role waits for the parent's first message. */
#define HELLO_WAIT_MS 10000

static const char usage[] =
	"usage: sipchaind [-c FILE] [--foreground]\n"
	"       sipchaind [-c FILE] --check\n"
	"       sipchaind --version | --help\n"
	"\n"
	"  -c, --config FILE  configuration (" CONFIG_PATH ");\n"
	"                     FILE.d/*.conf is read after it\n"
	"      --check        say what is wrong with the configuration, and end\n"
	"      --foreground   stay in the foreground, which it does anyway\n"
	"\n"
	"SIGHUP reads the configuration anew; SIGTERM and SIGINT stop the daemon.\n"
	"Exit: 0, 1 failure, 2 usage, 78 configuration.\n";

struct arguments {
	const char *config;
	const char *role;
	bool check;
};

/* Returns -1 to go on, else the exit code. */
static int parse_arguments(struct arguments *a, int argc, char **argv)
{
	enum { CHECK = 256, FOREGROUND, ROLE, VERSION };
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'},
		{"check", no_argument, NULL, CHECK},
		{"foreground", no_argument, NULL, FOREGROUND},
		{"role", required_argument, NULL, ROLE},
		{"version", no_argument, NULL, VERSION},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int c;

	optind = 0;
	while ((c = getopt_long(argc, argv, "+c:h", options, NULL)) != -1) {
		switch (c) {
		case 'c':
			a->config = optarg;
			break;
		case CHECK:
			a->check = true;
			break;
		case FOREGROUND:
			break;
		case ROLE:
			a->role = optarg;
			break;
		case VERSION:
			puts("sipchaind " SIPCHAIN_VERSION);
			return 0;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			fputs(usage, stderr);
			return EXIT_USAGE;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "sipchaind: \"%s\" is one argument too many\n%s",
			escaped(view_str(argv[optind])), usage);
		return EXIT_USAGE;
	}
	return -1;
}

/* One role's process: take the configuration from the parent and begin. */
static int start_role(enum role role, role_fn *const roles[ROLE_COUNT])
{
	uint8_t *buffer = malloc(PACKET_MAX);
	struct control_hello hello;
	struct error err = {""};
	struct config config;
	struct packet packet;
	int rc;

	if (!buffer)
		return ROLE_EXIT_FAILED;
	if (packet_wait(PARENT_FD, buffer, &packet, HELLO_WAIT_MS) != 1 ||
		packet.type != MSG_CONFIG || packet.fd < 0 ||
		packet.payload.n != sizeof hello) {
		fputs("sipchaind: --role is for sipchaind itself\n", stderr);
		free(buffer);
		return EXIT_USAGE;
	}
	memcpy(&hello, packet.payload.p, sizeof hello);
	free(buffer);
	/* The parent may have died before PR_SET_PDEATHSIG could matter. */
	if (hello.role != (uint32_t)role || getppid() != hello.parent)
		return ROLE_EXIT_FAILED;
	rc = parent_config(&config, packet.fd, &err);
	close(packet.fd);
	if (rc) {
		fprintf(stderr, "sipchaind: %s: %s\n", role_name(role), err.text);
		return ROLE_EXIT_CONFIG;
	}
	log_open(role_name(role), config.node.log_level);
	rc = roles[role](&config, PARENT_FD, &hello);
	config_free(&config);
	return rc;
}

/* Make a folder of ours unless it is there, for the user that the roles become. */
static int make_folder(const char *path, mode_t mode, const char *user)
{
	const struct passwd *pw;

	if (mkdir(path, mode) == 0) {
		pw = user[0] && geteuid() == 0 ? getpwnam(user) : NULL;
		/* EINVAL: the user is not mapped in this namespace; roles stay root. */
		if (!pw || chown(path, pw->pw_uid, pw->pw_gid) == 0 || errno == EINVAL)
			return 0;
	} else if (errno == EEXIST) {
		return 0;
	}
	log_error("%s: %s; make it, for user %s", path, strerror(errno),
		user[0] ? user : "root");
	return -1;
}

/*
 * The user and the group that the configuration names, before a role fails by
 * them again and again. Returns 0, or -1 having logged it.
 */
static int check_names(const struct config *c)
{
	const char *group = c->node.control_group;
	const struct passwd *pw;
	struct error err;

	if (sandbox_user(c->node.user, &pw, &err)) {
		log_error("%s", err.text);
		return -1;
	}
	if (!group[0] || getgrnam(group))
		return 0;
	log_error(
		"[node] control_group: there is no group `%s`; groupadd it, or leave the "
		"key out",
		group);
	return -1;
}

/* Descriptors 0, 1 and 2 must not become sockets of ours. */
static void fill_standard(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR); /* kept by exec: roles need them too */
	while (fd >= 0 && fd <= 2);
	if (fd > 2)
		close(fd);
}

/* Each line of what config_warnings() said. */
static void log_warnings(const struct buffer *lines)
{
	struct view rest = view_of(lines->p, lines->n);

	while (rest.n) {
		size_t n = view_find(rest, '\n');

		log_warning("%.*s", (int)n, (const char *)rest.p);
		rest = view_from(rest, n + 1);
	}
}

static int start_parent(const struct arguments *a)
{
	struct supervisor_options options = supervisor_options_default;
	static struct activation activation;
	struct config *config = calloc(1, sizeof *config);
	struct buffer errors = {.max = 65536};
	int rc;

	if (!config)
		return ROLE_EXIT_FAILED;
	/* What endpoints are asked with is in it; roles inherit the limit. */
	if (core_dump_forbid())
		log_warning("core dumps cannot be forbidden: %s", strerror(errno));
	rc = config_load(config, a->config, &errors);
	if (!rc)
		config_warnings(&errors, config);
	if (rc || a->check) {
		fprintf(stderr, "%.*s", (int)errors.n, errors.p ? (char *)errors.p : "");
		if (!rc)
			printf("%s: the configuration is right\n", a->config);
		config_free(config);
		free(config);
		buffer_free(&errors);
		return rc ? ROLE_EXIT_CONFIG : ROLE_EXIT_OK;
	}
	log_open("sipchaind", config->node.log_level);
	if (activation_take(&activation))
		options.activation = &activation;
	fill_standard();
	log_warnings(&errors);
	buffer_free(&errors);
	if (check_names(config)) {
		config_free(config);
		free(config);
		return ROLE_EXIT_CONFIG;
	}
	if (make_folder(config->node.state, 0750, config->node.user) ||
		make_folder(config->node.run, 0755, config->node.user)) {
		config_free(config);
		free(config);
		return ROLE_EXIT_FAILED;
	}
	options.config_path = a->config;
	return supervisor_run(&options, config);
}

int daemon_start(int argc, char **argv, role_fn *const roles[ROLE_COUNT])
{
	struct arguments a = {.config = CONFIG_PATH};
	int rc = parse_arguments(&a, argc, argv);
	int role;

	if (rc >= 0)
		return rc;
	if (!a.role)
		return start_parent(&a);
	role = role_parse(a.role);
	if (role < 0) {
		fputs("sipchaind: --role is for sipchaind itself\n", stderr);
		return EXIT_USAGE;
	}
	return start_role((enum role)role, roles);
}
