// SPDX-License-Identifier: Apache-2.0
// paper.mjs: the paper's contract, compiled; its creation code and selectors as JSON.
import { readFileSync } from 'node:fs';
import solc from 'solc';

const name = 'PaperContract.sol';
const answer = JSON.parse(solc.compile(JSON.stringify({
  language: 'Solidity',
  sources: { [name]: { content: readFileSync(new URL(name, import.meta.url), 'utf8') } },
  settings: { evmVersion: 'paris', optimizer: { enabled: true, runs: 200 },
    outputSelection: { '*': { '*': ['evm.bytecode.object', 'evm.methodIdentifiers'] } } },
})));
for (const error of answer.errors ?? [])
  if (error.severity === 'error') throw new Error(error.formattedMessage);
const { bytecode, methodIdentifiers } = answer.contracts[name].PaperContract.evm;
console.log(JSON.stringify({ code: bytecode.object, add: methodIdentifiers['addIp(string)'],
  del: methodIdentifiers['delIp(string)'] }));
