// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Interval, Word} from "../src/SIPchain.sol";
import {Arithmetic} from "../test/Arithmetic.sol";

/// @title The arithmetic of indicators and words, for all inputs
contract Symbolic is Arithmetic {
    function contains(uint256 outer, uint256 inner) internal pure override returns (bool) {
        return Interval.contains(outer, inner);
    }

    function first(uint256 i) internal pure override returns (uint256) {
        return Interval.first(i);
    }

    function last(uint256 i) internal pure override returns (uint256) {
        return Interval.last(i);
    }

    function wellFormed(uint256 i, uint256 v4, uint256 v6, uint256 digits)
        internal
        pure
        override
        returns (bool)
    {
        return Interval.wellFormed(i, Interval.lengths(v4, v6, digits));
    }

    function find(bytes memory table, uint256 i) internal pure override returns (uint256) {
        uint256 start;

        assembly ("memory-safe") {
            start := add(table, 32)
        }
        return Interval.find(start, start + table.length, Interval.firstStep(table.length / 18), i);
    }

    function fields(uint256 w) internal pure override returns (uint256[9] memory) {
        return [
            Word.indicator(w),
            Word.expiry(w),
            Word.seat(w),
            Word.cell(w),
            Word.category(w),
            Word.proof(w),
            Word.action(w),
            Word.stored(w),
            Word.spent(w)
        ];
    }
}
