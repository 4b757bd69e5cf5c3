/* SPDX-License-Identifier: Apache-2.0 */
#include "../cmocka_all.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/core_dump.h"

/* In a child: whoever looks for leaks at the end traces this process. */
static void test_forbidden(void **state)
{
	const struct rlimit some = {1 << 20, 1 << 20};
	struct rlimit now = {1, 1};
	int status;
	pid_t pid;

	(void)state;
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		setrlimit(RLIMIT_CORE, &some);
		if (prctl(PR_GET_DUMPABLE) != 1 || core_dump_forbid())
			_exit(1);
		if (getrlimit(RLIMIT_CORE, &now) || now.rlim_cur || now.rlim_max)
			_exit(2);
		if (prctl(PR_GET_DUMPABLE) != 0)
			_exit(3);
		signal(SIGQUIT, SIG_DFL);
		raise(SIGQUIT); /* its default is a dump */
		_exit(4);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFSIGNALED(status))
		fail_msg("left with %d", WEXITSTATUS(status));
	assert_int_equal(WTERMSIG(status), SIGQUIT);
	assert_false(WCOREDUMP(status));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_forbidden)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
