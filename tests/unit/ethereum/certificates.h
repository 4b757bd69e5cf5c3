/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_ETHEREUM_CERTIFICATES_H
#define TESTS_ETHEREUM_CERTIFICATES_H

/*
 * Generated anew each time, in a fresh folder: an authority (ca.pem), a key for
 * all servers (key.pem), and its certificates: good.pem (127.0.0.1, localhost),
 * name.pem (another.example), expired.pem, future.pem; stranger.pem is good but
 * of another authority.
 */
struct certificates {
	char folder[64];
	char key[96], ca[96], good[96], name[96], expired[96], future[96], stranger[96];
};

void certificates_make(struct certificates *c);
void certificates_remove(struct certificates *c);

#endif
