/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/sandbox_calls.h"

#include <sys/syscall.h>

/*
 * Calls that aarch64 never had (open, stat, poll, ...) or that older headers do
 * not know stand in #ifdef; the rest must exist.
 */
static const uint32_t hostile[] = {
	SYS_execve,
	SYS_execveat,
	SYS_ptrace,
	SYS_process_vm_readv,
	SYS_process_vm_writev,
	SYS_bpf,
	SYS_perf_event_open,
	SYS_userfaultfd,
	SYS_kcmp,
	SYS_personality,
	SYS_mount,
	SYS_umount2,
	SYS_pivot_root,
	SYS_chroot,
	SYS_unshare,
	SYS_setns,
	SYS_open_by_handle_at,
	SYS_name_to_handle_at,
	SYS_quotactl,
	SYS_acct,
	SYS_swapon,
	SYS_swapoff,
	SYS_reboot,
	SYS_sethostname,
	SYS_setdomainname,
	SYS_init_module,
	SYS_finit_module,
	SYS_delete_module,
	SYS_kexec_load,
	SYS_keyctl,
	SYS_add_key,
	SYS_request_key,
	SYS_settimeofday,
	SYS_clock_settime,
	SYS_clock_adjtime,
	SYS_adjtimex,
	SYS_syslog,
	SYS_vhangup,
	SYS_nfsservctl,
#ifdef SYS_kexec_file_load
	SYS_kexec_file_load,
#endif
#ifdef SYS_move_mount
	SYS_move_mount,
	SYS_open_tree,
	SYS_fsopen,
	SYS_fsconfig,
	SYS_fsmount,
	SYS_fspick,
#endif
#ifdef SYS_mount_setattr
	SYS_mount_setattr,
#endif
#ifdef SYS_pidfd_getfd
	SYS_pidfd_getfd,
#endif
#ifdef SYS_iopl
	SYS_iopl,
	SYS_ioperm,
	SYS_modify_ldt,
	SYS_uselib,
#endif
};

static const uint32_t common[] = {
	/* descriptors that are open */
	SYS_read,
	SYS_write,
	SYS_readv,
	SYS_writev,
	SYS_pread64,
	SYS_pwrite64,
	SYS_close,
	SYS_lseek,
	SYS_fcntl,
	SYS_dup,
	SYS_dup3,
	SYS_pipe2,
	SYS_fstat,
	SYS_newfstatat, /* libc's fstat() is either */
	SYS_recvfrom,
	SYS_recvmsg,
	SYS_recvmmsg,
	SYS_sendto,
	SYS_sendmsg,
	SYS_sendmmsg,
	SYS_getsockopt,
	SYS_setsockopt,
	SYS_getsockname,
	SYS_getpeername,
	SYS_shutdown,
	/* waiting */
	SYS_epoll_create1,
	SYS_epoll_ctl,
	SYS_epoll_pwait,
	SYS_ppoll,
	SYS_pselect6,
	SYS_eventfd2,
	SYS_timerfd_create,
	SYS_timerfd_settime,
	SYS_timerfd_gettime,
	SYS_nanosleep,
	SYS_clock_nanosleep,
	SYS_futex,
	SYS_sched_yield,
	SYS_restart_syscall,
	/* memory */
	SYS_brk,
	SYS_munmap,
	SYS_mremap,
	SYS_madvise,
	SYS_msync,
	SYS_mlock,
	SYS_munlock,
	/* time, chance, identity, limits */
	SYS_clock_gettime,
	SYS_clock_getres,
	SYS_gettimeofday,
	SYS_times,
	SYS_getrandom,
	SYS_getpid,
	SYS_getppid,
	SYS_gettid,
	SYS_getuid,
	SYS_geteuid,
	SYS_getgid,
	SYS_getegid,
	SYS_getresuid,
	SYS_getresgid,
	SYS_getgroups,
	SYS_uname,
	SYS_sysinfo,
	SYS_getrusage,
	SYS_getrlimit,
	SYS_getcpu,
	SYS_sched_getaffinity,
	SYS_capget,
	/* signals and the end */
	SYS_rt_sigaction,
	SYS_rt_sigprocmask,
	SYS_rt_sigreturn,
	SYS_rt_sigpending,
	SYS_sigaltstack,
	SYS_exit,
	SYS_exit_group,
	SYS_set_robust_list,
	SYS_set_tid_address,
	SYS_membarrier,
#ifdef SYS_rseq
	SYS_rseq,
#endif
#ifdef SYS_epoll_pwait2
	SYS_epoll_pwait2,
#endif
#ifdef SYS_close_range
	SYS_close_range,
#endif
#ifdef SYS_dup2
	SYS_dup2,
	SYS_epoll_create,
	SYS_epoll_wait,
	SYS_poll,
	SYS_select,
	SYS_time,
	SYS_pipe,
	SYS_eventfd,
	SYS_getpgrp,
	SYS_arch_prctl,
#endif
};

static const uint32_t opening[] = {
	SYS_openat,
	SYS_statx,
	SYS_faccessat,
	SYS_readlinkat,
	SYS_getdents64,
	SYS_getcwd,
	SYS_statfs,
	SYS_fstatfs,
	SYS_inotify_init1,
	SYS_inotify_add_watch,
	SYS_inotify_rm_watch,
	SYS_fadvise64,
	SYS_readahead,
#ifdef SYS_faccessat2
	SYS_faccessat2,
#endif
#ifdef SYS_openat2
	SYS_openat2,
#endif
#ifdef SYS_open
	SYS_open,
	SYS_stat,
	SYS_lstat,
	SYS_access,
	SYS_readlink,
#endif
};

static const uint32_t changing[] = {
	SYS_preadv,
	SYS_pwritev,
	SYS_fsync,
	SYS_fdatasync,
	SYS_sync_file_range,
	SYS_ftruncate,
	SYS_fallocate,
	SYS_flock,
	SYS_unlinkat,
	SYS_renameat2,
	SYS_mkdirat,
	SYS_linkat,
	SYS_fchmod,
	SYS_fchmodat,
	SYS_fchown,
	SYS_umask,
	SYS_utimensat,
#ifdef SYS_renameat
	SYS_renameat,
#endif
#ifdef SYS_unlink
	SYS_unlink,
	SYS_rename,
	SYS_mkdir,
	SYS_rmdir,
	SYS_chmod,
#endif
};

/* A recorder makes room by it (sense/honeypot/recorder.h). */
static const uint32_t removing[] = {
	SYS_unlinkat,
};

static const uint32_t accepting[] = {
	SYS_accept4,
	SYS_accept,
	SYS_listen,
};

static const uint32_t binding[] = {
	SYS_bind,
};

static const uint32_t connecting[] = {
	SYS_connect,
};

/* What the sanitizers' run time does on its own account, above all in reports. */
static const uint32_t sanitizer[] = {
	SYS_sched_getparam,
	SYS_sched_getscheduler,
#ifdef SYS_readlink
	SYS_readlink,
#endif
	SYS_openat,
	SYS_readlinkat,
};

#define CALLS(array)                                                                     \
	{                                                                                \
		array, sizeof(array) / sizeof((array)[0])                                \
	}

const struct calls calls_hostile = CALLS(hostile);
const struct calls calls_common = CALLS(common);
const struct calls calls_open = CALLS(opening);
const struct calls calls_change = CALLS(changing);
const struct calls calls_remove = CALLS(removing);
const struct calls calls_accept = CALLS(accepting);
const struct calls calls_bind = CALLS(binding);
const struct calls calls_connect = CALLS(connecting);
const struct calls calls_sanitizer = CALLS(sanitizer);
