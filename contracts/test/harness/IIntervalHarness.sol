// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The libraries' functions as external ones
interface IIntervalHarness {
    function contains(uint256 outer, uint256 inner) external pure returns (bool);
    function first(uint256 i) external pure returns (uint256);
    function last(uint256 i) external pure returns (uint256);
    function wellFormed(uint256 i, uint256 v4, uint256 v6, uint256 digits)
        external
        pure
        returns (bool);
    function find(bytes calldata table, uint256 i) external pure returns (uint256);
    function fields(uint256 w) external pure returns (uint256[9] memory);
    function unroutable(uint256 i) external pure returns (uint256);
    function list() external pure returns (bytes memory);
}
