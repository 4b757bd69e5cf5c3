// SPDX-License-Identifier: Apache-2.0
// vectors.cjs: makes encoding.json and transactions.json beside it, with ethers
// and viem and the contract's committed ABI; nothing of SIPchain's own code.
//   npm install ethers@6 viem@2; NODE_PATH=node_modules node vectors.cjs
"use strict";
const fs = require("fs");
const path = require("path");
const ethers = require("ethers");
const viem = require("viem");
const accounts = require("viem/accounts");

const { concat, hexlify, keccak256, toBeHex, toUtf8Bytes, zeroPadBytes } = ethers;
const abi = JSON.parse(fs.readFileSync(
  path.join(__dirname, "../../../contracts/artifact/SIPchain.abi.json"), "utf8"));
const contract = new ethers.Interface(abi);
const MADE_BY = "ethers " + ethers.version.replace("ethers/", "") + ", viem " +
  JSON.parse(fs.readFileSync(path.join(path.dirname(require.resolve("viem")),
    "../package.json"), "utf8")).version + ", by vectors.cjs";

const bytes = (n, from) => hexlify(Uint8Array.from({ length: n }, (_, k) => (from + 7 * k) & 255));
const address = (k) => ethers.getAddress(bytes(20, k)).toLowerCase();
const u = (size, value) => toBeHex(value, size);
const word = (k) => bytes(32, 11 * k + 1);
const text = (s) => hexlify(toUtf8Bytes(s));
const CONFIG = concat([u(1, 16), u(1, 32), u(1, 5), u(1, 1), u(4, 604800), u(4, 3)]);

// The canonical bytes of an operation, src/ledger/operation.h.
function operation(type, seq, body) {
  return concat([u(1, type), u(8, seq), u(4, 0x6921a2b3 + (seq % 1000)), address(200), ...body]);
}

function batch(seq, member, count, texts) {
  const words = Array.from({ length: count }, (_, k) => word(k));
  return {
    name: "batch of " + count, chain: 0, seq,
    operation: operation(0x01, seq, [u(2, member), bytes(32, 5), u(2, count), ...words,
      u(4, ethers.dataLength(texts)), texts]),
    call: contract.encodeFunctionData("submit", [member, bytes(32, 5), words, texts]),
  };
}

function admin(type, seq, name, body, ...call) {
  return { name, chain: 1, seq, operation: operation(type, seq, body),
    call: contract.encodeFunctionData(call[0], call[1]) };
}

function memberAdd(seq, member, name, signers) {
  return admin(0x11, seq, "memberAdd " + name, [u(2, member), u(2, 9), u(4, 1 << 24),
    u(1, ethers.dataLength(text(name))), text(name), u(1, signers.length), ...signers],
  "memberAdd", [member, 9, 1 << 24, name, signers]);
}

function protect(seq, count) {
  const table = concat(Array.from({ length: count }, (_, k) => bytes(18, 3 * k)));
  return admin(0x18, seq, "protect " + count, [u(2, count), table], "protect", [table]);
}

function operations() {
  const m = 0xbeef, a = address(17);
  return [
    batch(0, 1, 1, "0x"), batch(1, 65535, 3, bytes(32, 9)), batch(2, 2, 2, bytes(33, 9)),
    batch(3, 2, 256, bytes(1000, 1)), batch(2 ** 40, 3, 0, "0x"),
    memberAdd(1, 1, "bank-a", [address(1)]),
    memberAdd(2, 2, "Universit\u00e4t zu K\u00f6ln", [1, 2, 3, 4, 5, 6, 7, 8].map(address)),
    memberAdd(3, 3, "x".repeat(64), []),
    memberAdd(4, 4, "y".repeat(32), [address(9), address(10)]),
    admin(0x12, 5, "memberSet", [u(2, m), u(2, 65535), u(4, 77)], "memberSet", [m, 65535, 77]),
    admin(0x13, 6, "memberRemove", [u(2, m)], "memberRemove", [m]),
    admin(0x14, 7, "memberSuspend", [u(2, m)], "memberSuspend", [m]),
    admin(0x15, 8, "memberResume", [u(2, m)], "memberResume", [m]),
    admin(0x16, 9, "signerAdd", [u(2, m), a], "signerAdd", [m, a]),
    admin(0x17, 10, "signerRemove", [u(2, m), a], "signerRemove", [m, a]),
    protect(11, 0), protect(12, 1), protect(13, 16), protect(14, 1024),
    admin(0x19, 15, "configure", [CONFIG], "configure", [CONFIG]),
    admin(0x1a, 16, "setGuardian", [a], "setGuardian", [a]),
    admin(0x1b, 17, "transferOwnership", [a], "transferOwnership", [a]),
    admin(0x1c, 18, "acceptOwnership", [], "acceptOwnership", []),
    admin(0x1d, 19, "pause", [], "pause", []),
    admin(0x1e, 20, "unpause", [], "unpause", []),
    admin(0x1f, 21, "supersede", [bytes(32, 99)], "supersede", [bytes(32, 99)]),
  ];
}

// Each operation's event, as the contract would emit it.
function withEvent(o) {
  const log = contract.encodeEventLog("Operation",
    [o.chain, o.seq, bytes(32, 50), 123456789n, o.operation]);
  return { ...o, topics: log.topics, data: log.data };
}

function views() {
  const call = (name, ...args) => contract.encodeFunctionData(name, args);
  const result = (name, ...values) => contract.encodeFunctionResult(name, values);
  const addresses = Array.from({ length: 8 }, (_, k) => address(k + 1));
  return {
    calls: {
      version: call("VERSION"), id: call("id"), tips: call("tips"), config: call("config"),
      guardian: call("guardian"), owner: call("owner"), pendingOwner: call("pendingOwner"),
      paused: call("paused"), superseded: call("superseded"), memberCount: call("memberCount"),
      member: call("member", 0xbeef), memberOf: call("memberOf", address(17)),
      protectedTable: call("protectedTable"), snapshot: call("snapshot", 0xbeef, 0x123456, 1000),
      support: call("support", bytes(18, 4), [0x000100000000n, 0x0001000005ffn, 0xbeef123456n]),
      supportOfNone: call("support", bytes(18, 4), []),
    },
    results: {
      version: result("VERSION", 1), paused: result("paused", true),
      id: result("id", bytes(32, 77)), owner: result("owner", address(17)),
      config: result("config", CONFIG),
      tips: result("tips", bytes(32, 1), 2n ** 63n, 7, bytes(32, 2), 9, 2n ** 64n - 1n),
      member: result("member", 1, 3, 9, 1 << 24, "Universit\u00e4t zu K\u00f6ln, "
        + "Rechenzentrum", addresses),
      memberNone: result("member", 0, 0, 0, 0, "", []),
      memberShort: result("member", 3, 65535, 65535, 1, "z".repeat(32), [address(5)]),
      protectedTable: result("protectedTable", bytes(18 * 5, 3)),
      protectedNone: result("protectedTable", "0x"),
      snapshot: result("snapshot", [word(0), word(1), 0n]),
      snapshotNone: result("snapshot", []),
      supportMinus: result("support", -3), supportPlus: result("support", 5),
      supportLeast: result("support", -(2n ** 63n)), supportBelow: result("support", -(2n ** 63n) - 1n),
      supportAbove: result("support", 2n ** 63n),
    },
    creationArguments: ethers.AbiCoder.defaultAbiCoder().encode(
      ["bytes12", "address"], [CONFIG, address(17)]),
  };
}

// Every error that the contract's ABI has; those with a conflict show 192.0.2.0/24.
function refusals() {
  const conflict = zeroPadBytes("0x0118c0000200", 18);
  return abi.filter((e) => e.type === "error").map((e) => ({
    name: e.name, inputs: e.inputs.map((i) => i.type),
    data: contract.encodeErrorResult(e.name, e.inputs.map((i) =>
      ({ uint256: 41, bytes18: conflict, address: address(1) })[i.type])),
  }));
}

function reverts() {
  const plain = new ethers.Interface(["error Error(string)", "error Panic(uint256)"]);
  return {
    text: plain.encodeErrorResult("Error", ["no \"such\"\nthing"]),
    panic: plain.encodeErrorResult("Panic", [0x11]),
  };
}

// EIP-155's example key.
const KEY = "0x" + "46".repeat(32);

function cases() {
  const fees = [[0n, 0n], [20000000000n, 1000000000n], [127n, 127n], [2n ** 62n, 128n]];
  const list = [];
  for (const dynamic of [false, true])
    for (const [chain, nonce] of [[1n, 0n], [4224n, 127n], [31337n, 128n], [2n ** 40n, 2n ** 33n]])
      for (const [k, [max, tip]] of fees.entries())
        list.push({ dynamic, chain, nonce, max, tip, gas: 21000n + 2n ** BigInt(8 * k),
          to: k === 2 ? null : address(33 + k),
          data: ["0x", "0x7f", bytes(55, 1), bytes(300, 2)][k] });
  return list;
}

function byEthers(c) {
  const wallet = new ethers.Wallet(KEY);
  const tx = ethers.Transaction.from({
    type: c.dynamic ? 2 : 0, chainId: c.chain, nonce: Number(c.nonce), gasLimit: c.gas,
    to: c.to, data: c.data, value: 0,
    ...(c.dynamic ? { maxFeePerGas: c.max, maxPriorityFeePerGas: c.tip } : { gasPrice: c.max }),
  });
  tx.signature = wallet.signingKey.sign(tx.unsignedHash);
  return { library: "ethers", raw: tx.serialized, hash: tx.hash, sender: tx.from.toLowerCase() };
}

async function byViem(c) {
  const account = accounts.privateKeyToAccount(KEY);
  const raw = await account.signTransaction({
    type: c.dynamic ? "eip1559" : "legacy", chainId: Number(c.chain), nonce: Number(c.nonce),
    gas: c.gas, to: c.to, data: c.data, value: 0n,
    ...(c.dynamic ? { maxFeePerGas: c.max, maxPriorityFeePerGas: c.tip } : { gasPrice: c.max }),
  });
  return { library: "viem", raw, hash: viem.keccak256(raw), sender: account.address.toLowerCase() };
}

async function transactions() {
  const out = [];
  for (const [k, c] of cases().entries()) {
    const made = k % 2 ? await byViem(c) : byEthers(c);
    out.push({ dynamic: c.dynamic, chain_id: String(c.chain), nonce: String(c.nonce),
      max_fee: String(c.max), priority_fee: c.dynamic ? String(c.tip) : "0",
      gas_limit: String(c.gas), to: c.to, data: c.data, ...made });
  }
  return out;
}

// What transaction_parse() must refuse, each well-formed Ethereum.
function foreign() {
  const wallet = new ethers.Wallet(KEY);
  const base = { chainId: 1, nonce: 9, gasLimit: 21000, to: "0x" + "35".repeat(20), data: "0x" };
  const made = (fields) => {
    const tx = ethers.Transaction.from({ ...base, ...fields });
    tx.signature = wallet.signingKey.sign(tx.unsignedHash);
    return tx.serialized;
  };
  const dynamic = { type: 2, maxFeePerGas: 5, maxPriorityFeePerGas: 1 };
  return {
    // EIP-155's own example, which carries one ether.
    eip155: made({ type: 0, gasPrice: 20n * 10n ** 9n, value: 10n ** 18n }),
    value: made({ ...dynamic, value: 1 }),
    accessList: made({ ...dynamic, accessList: [{ address: address(1), storageKeys: [bytes(32, 1)] }] }),
    type1: made({ type: 1, gasPrice: 5 }),
    beforeEip155: made({ type: 0, gasPrice: 5, chainId: 0 }),
  };
}

function created() {
  const from = new ethers.Wallet(KEY).address;
  return [0n, 1n, 127n, 128n, 255n, 256n, 65535n, 2n ** 32n, 2n ** 64n - 2n].map((nonce) => ({
    nonce: String(nonce), address: ethers.getCreateAddress({ from, nonce }).toLowerCase() }));
}

function write(name, value) {
  fs.writeFileSync(path.join(__dirname, name),
    JSON.stringify({ made_by: MADE_BY, ...value }, null, 1) + "\n");
}

async function main() {
  write("encoding.json", { operations: operations().map(withEvent), views: views(),
    refusals: refusals(), reverts: reverts(),
    topic: keccak256(toUtf8Bytes("Operation(uint8,uint64,bytes32,uint64,bytes)")),
    cells: keccak256(toUtf8Bytes("SIPchain cells v1")) });
  write("transactions.json", { key: KEY, sender: new ethers.Wallet(KEY).address.toLowerCase(),
    transactions: await transactions(), foreign: foreign(), created: created() });
}

main();
