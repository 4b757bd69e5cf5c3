// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Interval, Word} from "../../src/SIPchain.sol";
import {IIntervalHarness} from "./IIntervalHarness.sol";

/**
 * @title The libraries' functions as external ones
 * @notice Compiled as the contract is, so that the tests can be compiled without the optimiser.
 */
contract IntervalHarness is IIntervalHarness {
    function contains(uint256 outer, uint256 inner) external pure returns (bool) {
        return Interval.contains(outer, inner);
    }

    function first(uint256 i) external pure returns (uint256) {
        return Interval.first(i);
    }

    function last(uint256 i) external pure returns (uint256) {
        return Interval.last(i);
    }

    function wellFormed(uint256 i, uint256 v4, uint256 v6, uint256 digits)
        external
        pure
        returns (bool)
    {
        return Interval.wellFormed(i, Interval.lengths(v4, v6, digits));
    }

    function find(bytes memory table, uint256 i) external pure returns (uint256) {
        uint256 start;

        assembly ("memory-safe") {
            start := add(table, 32)
        }
        return Interval.find(start, start + table.length, Interval.firstStep(table.length / 18), i);
    }

    function fields(uint256 w) external pure returns (uint256[9] memory) {
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

    function unroutable(uint256 i) external pure returns (uint256) {
        bytes memory ranges = Interval.UNROUTABLE;
        uint256 start;

        if (!Interval.suspect(i)) return 0;
        assembly ("memory-safe") {
            start := add(ranges, 32)
        }
        return Interval.scan(start, i);
    }

    function list() external pure returns (bytes memory) {
        return Interval.UNROUTABLE;
    }
}
