/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/resident.h"

#include <link.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

/* One loaded object: drop the clean pages of its read-only segments. */
static int drop(struct dl_phdr_info *object, size_t size, void *context)
{
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

	(void)size;
	(void)context;
	for (int i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *h = &object->dlpi_phdr[i];
		uintptr_t from = object->dlpi_addr + h->p_vaddr;
		uintptr_t to = (from + h->p_memsz + page - 1) & ~(page - 1);

		/*
		 * Only what was never written: relocated constants (PT_GNU_RELRO)
		 * lie in a writable segment, which is left alone.
		 */
		if (h->p_type != PT_LOAD || (h->p_flags & PF_W))
			continue;
		from &= ~(page - 1);
		/* A failure (the vdso, a locked page) costs memory, nothing else. */
		(void)madvise((void *)from, to - from, MADV_DONTNEED); /* NOLINT */
	}
	return 0;
}

void resident_trim(void)
{
	malloc_trim(0);
	dl_iterate_phdr(drop, NULL);
}

size_t resident_kib(pid_t pid)
{
	unsigned long total, resident;
	char path[32];
	size_t kib = 0;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (fscanf(f, "%lu %lu", &total, &resident) == 2)
		kib = resident * (size_t)sysconf(_SC_PAGESIZE) / 1024;
	fclose(f);
	return kib;
}
