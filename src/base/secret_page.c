/* SPDX-License-Identifier: Apache-2.0 */
#include "base/secret_page.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static size_t page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

void *secret_page_new(void)
{
	void *p = mmap(NULL, page_size(), PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	if (mlock(p, page_size()) || madvise(p, page_size(), MADV_DONTDUMP)) {
		secret_page_free(p);
		return NULL;
	}
	return p;
}

void secret_page_free(void *page)
{
	int saved = errno;

	if (!page)
		return;
	explicit_bzero(page, page_size());
	munmap(page, page_size());
	errno = saved;
}
