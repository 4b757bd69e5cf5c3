// SPDX-License-Identifier: Apache-2.0
// report_viem.mjs URL CONTRACT KEYFILE IP TTL: one report, sent, its hash printed.
import { createPublicClient, createWalletClient, http } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { ZERO, abi, freeCell, key, word } from './common.mjs';

const [url, address, path, ip, ttl] = process.argv.slice(2);
const account = privateKeyToAccount(key(path));
const reader = createPublicClient({ transport: http(url) });
const id = await reader.getChainId();
const chain = { id, name: 'bench', nativeCurrency: { name: 'c', symbol: 'c', decimals: 18 }, rpcUrls: { default: { http: [url] } } };
const writer = createWalletClient({ account, chain, transport: http(url) });
const read = (functionName, ...args) => reader.readContract({ address, abi, functionName, args });
const member = await read('memberOf', account.address);
const [seat, cells] = await Promise.all([read('member', member), read('snapshot', member, 0, 64)]);
const now = Math.floor(Date.now() / 1000);
const w = word(ip, now + Number(ttl), member, seat[1], freeCell(cells, now));
console.log(await writer.writeContract({ address, abi, functionName: 'submit', args: [member, ZERO, [w], '0x'] }));
process.exit(0);
