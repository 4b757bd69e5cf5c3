// SPDX-License-Identifier: Apache-2.0
// report_web3.mjs URL CONTRACT KEYFILE IP TTL: one report, sent, its hash printed.
import { Web3 } from 'web3';
import { ZERO, abi, freeCell, key, word } from './common.mjs';

const [url, address, path, ip, ttl] = process.argv.slice(2);
const web3 = new Web3(url);
const account = web3.eth.accounts.privateKeyToAccount(key(path));
web3.eth.accounts.wallet.add(account);
const contract = new web3.eth.Contract(abi, address);
const member = await contract.methods.memberOf(account.address).call();
const [seat, cells] = await Promise.all([contract.methods.member(member).call(),
  contract.methods.snapshot(member, 0, 64).call()]);
const now = Math.floor(Date.now() / 1000);
const w = word(ip, now + Number(ttl), member, seat[1], freeCell(cells, now));
const call = contract.methods.submit(member, ZERO, [w], '0x');
const gas = await call.estimateGas({ from: account.address });
call.send({ from: account.address, gas }).on('transactionHash', hash => { console.log(hash); process.exit(0); });
