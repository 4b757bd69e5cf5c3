// SPDX-License-Identifier: Apache-2.0
/*
 * node interface.js ABI >ISIPchain.sol: the contract's functions, errors and
 * events as a Solidity interface. The tests speak to it: so they compile in
 * seconds, as they do not drag the contract through the compiler again, and
 * see just what any other caller sees.
 */
'use strict';
const fs = require('fs');

const LOCATED = /^(string|bytes)$|\]$/; // types that need a data location

function list(parts, location) {
	return parts.map((p) => [
		p.type,
		location && LOCATED.test(p.type) ? location : '',
		p.indexed ? 'indexed' : '',
		p.name,
	].filter(Boolean).join(' ')).join(', ');
}

function declare(entry) {
	switch (entry.type) {
	case 'function': {
		const view = entry.stateMutability === 'nonpayable' ? '' : ' ' + entry.stateMutability;
		const out = entry.outputs.length ? ` returns (${list(entry.outputs, 'memory')})` : '';
		return `function ${entry.name}(${list(entry.inputs, 'calldata')}) external${view}${out};`;
	}
	case 'error':
	case 'event':
		return `${entry.type} ${entry.name}(${list(entry.inputs)});`;
	default:
		return '';
	}
}

console.log(`// SPDX-License-Identifier: Apache-2.0
// Made by build.sh from artifact/SIPchain.abi.json: do not change it by hand.
pragma solidity 0.8.37;

interface ISIPchain {
${JSON.parse(fs.readFileSync(process.argv[2], 'utf8')).map(declare).filter(Boolean)
		.map((line) => '    ' + line).join('\n')}
}`);
