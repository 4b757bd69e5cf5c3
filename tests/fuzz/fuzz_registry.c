/* SPDX-License-Identifier: Apache-2.0 */
/* A script of bytes as operations on a registry, held against the plain model. */
#include "fold_play.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	static struct fold_run run;

	memset(&run, 0, sizeof run);
	model_play(&run, view_of(input, size));
	return 0;
}
