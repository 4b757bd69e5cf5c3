// SPDX-License-Identifier: Apache-2.0
// read_ethers.mjs URL CONTRACT FROM STEP: every batch of the ledger, read and folded.
import { Contract, JsonRpcProvider } from 'ethers';
import { abi, done, fold } from './common.mjs';

const [url, address, from, step] = process.argv.slice(2);
const provider = new JsonRpcProvider(url);
const contract = new Contract(address, abi, provider);
const started = performance.now(), live = new Map();
const head = await provider.getBlockNumber();
let lastByte = started;
for (let at = Number(from); at <= head; at += Number(step)) {
  const logs = await contract.queryFilter(contract.filters.Operation(0), at, Math.min(head, at + Number(step) - 1));
  lastByte = performance.now();
  for (const log of logs) fold(live, log.args.operation);
}
done('ethers', live, started, lastByte);
process.exit(0);
