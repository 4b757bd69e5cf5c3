/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_SECRET_PAGE_H
#define BASE_SECRET_PAGE_H

/*
 * Memory for keys and passwords: one page, mlock()ed (never swapped),
 * MADV_DONTDUMP (in no core dump), wiped before it is given back.
 */
#define SECRET_PAGE_SIZE 4096 /* the least that any Linux page has */

/* A zeroed page, or NULL with errno (mlock(2): RLIMIT_MEMLOCK). */
void *secret_page_new(void);

/* NULL is nothing. errno stays. */
void secret_page_free(void *page);

#endif
