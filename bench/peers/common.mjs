// SPDX-License-Identifier: Apache-2.0
// What the three peers share: the contract's interface and the report's word.
import { readFileSync } from 'node:fs';

export const abi = JSON.parse(readFileSync(new URL('SIPchain.abi.json', import.meta.url)));

export function key(path) {
  const text = readFileSync(path, 'ascii').trim();
  return text.startsWith('0x') ? text : '0x' + text;
}

// indicator 144 | expiry 32 | member 16 | generation 16 | cell 24 | category 8 | proof 8 | action 8
export function word(ip, expiry, member, generation, cell) {
  const value = ip.split('.').reduce((n, octet) => n * 256n + BigInt(octet), 0n) << 96n;
  let w = (1n << 8n | 32n) << 128n | value;
  for (const [bits, field] of [[32n, expiry], [16n, member], [16n, generation], [24n, cell], [8n, 3n], [8n, 6n], [8n, 0n]])
    w = w << bits | BigInt(field);
  return w;
}

// The first cell of the page whose word is dead, as the client chooses it.
export function freeCell(words, now) {
  return words.findIndex(w => (BigInt(w) >> 80n & 0xffffffffn) <= BigInt(now));
}

export const ZERO = '0x' + '00'.repeat(32);

// Of one event's operation (hex): how many words its batch holds.
export function fold(live, operation) {
  const bytes = Buffer.from(operation.slice(2), 'hex');
  const count = bytes.readUInt16BE(67);
  for (let k = 0; k < count; k++) {
    const w = bytes.subarray(69 + 32 * k, 101 + 32 * k);
    live.set(w.readUInt16BE(22) * 2 ** 24 + w.readUIntBE(26, 3), w);
  }
}

export function done(name, live, started, lastByte) {
  const now = performance.now();
  console.log(JSON.stringify({ name, reports: live.size, seconds: (now - started) / 1000,
    after: (now - lastByte) / 1000, rss: process.memoryUsage().rss }));
}
