// SPDX-License-Identifier: Apache-2.0
// read_viem.mjs URL CONTRACT FROM STEP: every batch of the ledger, read and folded.
import { createPublicClient, http } from 'viem';
import { abi, done, fold } from './common.mjs';

const [url, address, from, step] = process.argv.slice(2);
const client = createPublicClient({ transport: http(url, { timeout: 120_000 }) });
const started = performance.now(), live = new Map();
const head = Number(await client.getBlockNumber());
let lastByte = started;
for (let at = Number(from); at <= head; at += Number(step)) {
  const logs = await client.getContractEvents({ address, abi, eventName: 'Operation', args: { chain: 0 },
    fromBlock: BigInt(at), toBlock: BigInt(Math.min(head, at + Number(step) - 1)) });
  lastByte = performance.now();
  for (const log of logs) fold(live, log.args.operation);
}
done('viem', live, started, lastByte);
process.exit(0);
