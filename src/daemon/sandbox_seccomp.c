/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system call filter of each role: seccomp(2), written as classic BPF by
 * hand. Three answers: allowed; refused with EPERM, which libraries that only
 * try something survive; and the end of the process for what no role ever has
 * a reason to do. The kernel remembers which numbers are always allowed, so a
 * list costs nothing.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon/sandbox_calls.h"
#include "daemon/sandbox_steps.h"

#if defined(__x86_64__)
#define ARCH    AUDIT_ARCH_X86_64
#define X32_BIT 0x40000000U
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#else
#error "no system call filter is written for this architecture"
#endif

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the filter reads the low half of an argument first"
#endif

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

#ifdef SANITIZED
/*
 * The leak check at exit stops the process by ptrace from a clone of it, which
 * the filter forbids: a sealed process goes without.
 */
static int sealed;
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
	return sealed;
}
#endif

#define PROGRAM_MAX 1024

struct program {
	struct sock_filter code[PROGRAM_MAX];
	unsigned n;
	bool full;
};

static void emit(struct program *p, uint16_t code, uint32_t k, uint8_t jt, uint8_t jf)
{
	if (p->n == PROGRAM_MAX) {
		p->full = true;
		return;
	}
	p->code[p->n++] = (struct sock_filter){code, jt, jf, k};
}

#define LOAD(p, field)                                                                   \
	emit(p, BPF_LD | BPF_W | BPF_ABS,                                                \
		(uint32_t)offsetof(struct seccomp_data, field), 0, 0)

static void answer(struct program *p, uint32_t value)
{
	emit(p, BPF_RET | BPF_K, value, 0, 0);
}

/* The same answer to every call of a list. */
static void answer_all(struct program *p, const struct calls *calls, uint32_t value)
{
	for (size_t i = 0; i < calls->count; i++) {
		emit(p, BPF_JMP | BPF_JEQ | BPF_K, calls->list[i], 0, 1);
		answer(p, value);
	}
}

/*
 * Allow a call when the low half of an argument (all that the kernel looks at
 * in an int) is one of these values; refuse it otherwise.
 */
static void allow_values(struct program *p, uint32_t call, unsigned argument,
	const uint32_t *values, size_t count)
{
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, call, 0, (uint8_t)(2 + 2 * count));
	LOAD(p, args[argument]);
	for (size_t i = 0; i < count; i++) {
		emit(p, BPF_JMP | BPF_JEQ | BPF_K, values[i], 0, 1);
		answer(p, SECCOMP_RET_ALLOW);
	}
	answer(p, SECCOMP_RET_ERRNO | EPERM);
}

/* Allow a call unless the argument has one of these bits. */
static void allow_without_bits(
	struct program *p, uint32_t call, unsigned argument, uint32_t bits)
{
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, call, 0, 4);
	LOAD(p, args[argument]);
	emit(p, BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1);
	answer(p, SECCOMP_RET_ERRNO | EPERM);
	answer(p, SECCOMP_RET_ALLOW);
}

/* Allow a call when a pointer argument is NULL: both halves are zero. */
static void allow_null(struct program *p, uint32_t call, unsigned argument)
{
	uint32_t at = (uint32_t)offsetof(struct seccomp_data, args[argument]);

	emit(p, BPF_JMP | BPF_JEQ | BPF_K, call, 0, 6);
	emit(p, BPF_LD | BPF_W | BPF_ABS, at, 0, 0);
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 2);
	emit(p, BPF_LD | BPF_W | BPF_ABS, at + 4, 0, 0);
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0);
	answer(p, SECCOMP_RET_ERRNO | EPERM);
	answer(p, SECCOMP_RET_ALLOW);
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define THREAD_FLAGS                                                                     \
	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |              \
		CLONE_SYSVSEM | CLONE_SETTLS | CLONE_PARENT_SETTID |                     \
		CLONE_CHILD_CLEARTID)

/* Calls whose arguments decide. */
static void arguments(struct program *p, const struct sandbox *s)
{
	static const uint32_t ioctls[] = {FIONBIO, FIONREAD, FIOCLEX, FIONCLEX};
	static const uint32_t prctls[] = {PR_SET_NAME, PR_GET_NAME, PR_GET_DUMPABLE,
		PR_GET_NO_NEW_PRIVS, PR_GET_SECCOMP, PR_CAPBSET_READ, PR_SET_PDEATHSIG,
		0x53564d41 /* PR_SET_VMA, by malloc of newer libc */};
	static const uint32_t unix_family[] = {AF_UNIX};
	static const uint32_t inet_families[] = {AF_INET, AF_INET6};
	/*
	 * pthread_create() of glibc, and of musl: a thread and nothing else. These
	 * values whole, since a bit less makes a process of it.
	 */
	static const uint32_t thread[] = {THREAD_FLAGS, THREAD_FLAGS | CLONE_DETACHED};
	bool node = s->role == ROLE_NODE;
	/* abort() and raise() signal ourselves, nobody else. */
	const uint32_t self[] = {(uint32_t)getpid()};

	allow_values(p, SYS_ioctl, 1, ioctls, COUNT(ioctls));
	allow_values(p, SYS_prctl, 0, prctls, COUNT(prctls));
	allow_values(p, SYS_tgkill, 0, self, 1);
	allow_without_bits(p, SYS_mmap, 2, PROT_EXEC);
	allow_without_bits(p, SYS_mprotect, 2, PROT_EXEC);
	allow_null(p, SYS_prlimit64, 2); /* libc's getrlimit(): ask, but set nothing */
	if (s->connects)
		allow_values(p, SYS_socket, 0, inet_families, COUNT(inet_families));
	else
		allow_values(p, SYS_socket, 0, unix_family, node);
	/* libcurl's resolving thread wakes the loop by a pair. */
	allow_values(p, SYS_socketpair, 0, unix_family, node || s->connects);
	allow_values(p, SYS_clone, 0, thread, s->connects ? COUNT(thread) : 0);
	/* "No such call" makes libc fall back to what it is refused then. */
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1);
	answer(p, SECCOMP_RET_ERRNO | ENOSYS);
}

/* Whether some folder may be written to: where Landlock is, it says which. */
static bool writes(const struct sandbox *s)
{
	for (size_t i = 0; i < s->paths_count; i++)
		if (s->paths[i].rights & SANDBOX_WRITE)
			return true;
	return false;
}

static void build(struct program *p, const struct sandbox *s)
{
	enum role role = s->role;

	LOAD(p, arch);
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0);
	answer(p, SECCOMP_RET_KILL_PROCESS);
	LOAD(p, nr);
#ifdef X32_BIT
	emit(p, BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1);
	answer(p, SECCOMP_RET_KILL_PROCESS);
#endif
	answer_all(p, &calls_hostile, SECCOMP_RET_KILL_PROCESS);
	answer_all(p, &calls_common, SECCOMP_RET_ALLOW);
	if (role != ROLE_ENFORCE)
		answer_all(p, &calls_open, SECCOMP_RET_ALLOW);
	if (role == ROLE_NODE || role == ROLE_LEDGER)
		answer_all(p, &calls_change, SECCOMP_RET_ALLOW);
	if (role == ROLE_SENSE && writes(s))
		answer_all(p, &calls_remove, SECCOMP_RET_ALLOW);
	if (role == ROLE_SENSE || role == ROLE_NODE)
		answer_all(p, &calls_accept, SECCOMP_RET_ALLOW);
	if (role == ROLE_NODE)
		answer_all(p, &calls_bind, SECCOMP_RET_ALLOW);
	if (role == ROLE_NODE || s->connects)
		answer_all(p, &calls_connect, SECCOMP_RET_ALLOW);
#ifdef SANITIZED
	answer_all(p, &calls_sanitizer, SECCOMP_RET_ALLOW);
#endif
	arguments(p, s);
	answer(p, SECCOMP_RET_ERRNO | EPERM);
}

int sandbox_seccomp(const struct sandbox *s, struct error *err)
{
	struct program p = {.n = 0};
	struct sock_fprog prog;

	build(&p, s);
	if (p.full)
		return error_set(err, "sandbox: the filter has more than %u instructions",
			PROGRAM_MAX);
	prog.len = (unsigned short)p.n;
	prog.filter = p.code;
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog)) {
		if (errno == EINVAL || errno == ENOSYS)
			return error_set(err,
				"sandbox: this kernel has no seccomp filters "
				"(CONFIG_SECCOMP_FILTER); sipchaind needs them");
		return error_set(err, "sandbox: seccomp: %s", strerror(errno));
	}
#ifdef SANITIZED
	sealed = 1;
#endif
	return 0;
}
