// SPDX-License-Identifier: Apache-2.0
// report_ethers.mjs URL CONTRACT KEYFILE IP TTL: one report, sent, its hash printed.
import { Contract, JsonRpcProvider, Wallet } from 'ethers';
import { ZERO, abi, freeCell, key, word } from './common.mjs';

const [url, address, path, ip, ttl] = process.argv.slice(2);
const provider = new JsonRpcProvider(url);
const wallet = new Wallet(key(path), provider);
const contract = new Contract(address, abi, wallet);
const member = await contract.memberOf(wallet.address);
const [seat, cells] = await Promise.all([contract.member(member), contract.snapshot(member, 0, 64)]);
const now = Math.floor(Date.now() / 1000);
const w = word(ip, now + Number(ttl), member, seat[1], freeCell(cells, now));
const sent = await contract.submit(member, ZERO, [w], '0x');
console.log(sent.hash);
process.exit(0);
