// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISIPchain} from "./ISIPchain.sol";
import {Vm} from "./Vm.sol";

/**
 * @title What the tests of the ledger share
 * @notice A ledger owned by this contract, with two members of one signer each, and short ways
 * to write words, indicators and expected errors.
 */
abstract contract LedgerTest {
    Vm internal constant VM = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    uint256 internal constant START = 1_800_000_000;
    uint32 internal constant TTL = 30 days;
    uint8 internal constant REPORT = 0;
    uint8 internal constant REPLACE = 1;
    uint8 internal constant SPEND = 2;
    uint8 internal constant SCAN = 1;
    uint8 internal constant OBJECTION = 255;

    address internal constant GUARDIAN = address(0x6a);
    address internal constant ALICE = address(0xa11ce); // signs for member 1
    address internal constant BOB = address(0xb0b); // signs for member 2
    address internal constant MALLORY = address(0xbad);

    ISIPchain internal ledger;

    function setUp() public virtual {
        VM.warp(START);
        VM.roll(1000);
        ledger = deploy(settings(16, 32, 5, false, TTL, 2));
        ledger.memberAdd(1, 1, 1000, "Alice", one(ALICE));
        ledger.memberAdd(2, 3, 100, "Bob", one(BOB));
    }

    /// The contract as forge has built it from its source.
    function deploy(bytes12 config) internal returns (ISIPchain) {
        return ISIPchain(VM.deployCode("SIPchain.sol:SIPchain", abi.encode(config, GUARDIAN)));
    }

    function settings(uint8 v4, uint8 v6, uint8 e164, bool unroutable, uint32 ttl, uint32 threshold)
        internal
        pure
        returns (bytes12)
    {
        return bytes12(abi.encodePacked(v4, v6, e164, unroutable, ttl, threshold));
    }

    function one(address a) internal pure returns (address[] memory signers) {
        signers = new address[](1);
        signers[0] = a;
    }

    // --- indicators, as 144 bits ---

    function prefix(uint8 kind, uint8 plen, uint128 value) internal pure returns (uint144) {
        return (uint144(kind) << 136) | (uint144(plen) << 128) | value;
    }

    function ip4(uint32 address_, uint8 plen) internal pure returns (uint144) {
        return prefix(1, plen, uint128(address_) << 96);
    }

    function ip6(uint128 address_, uint8 plen) internal pure returns (uint144) {
        return prefix(2, plen, address_);
    }

    /// A host that no test protects and no registry reserves: 45.0.0.0/16 and on.
    function host(uint256 n) internal pure returns (uint144) {
        return ip4(uint32(0x2d000000 + n), 32);
    }

    // --- words ---

    struct Report {
        uint144 indicator;
        uint32 expiry;
        uint16 member;
        uint16 generation;
        uint24 cell;
        uint8 category;
        uint8 proof;
        uint8 action;
    }

    /// What member 1 may report now.
    function plain(uint144 indicator, uint24 cell, uint8 action)
        internal
        view
        returns (Report memory)
    {
        return Report(indicator, uint32(block.timestamp + 1 days), 1, 0, cell, SCAN, 1, action);
    }

    function pack(Report memory r) internal pure returns (uint256) {
        return uint256(
            bytes32(
                abi.encodePacked(
                    r.indicator,
                    r.expiry,
                    r.member,
                    r.generation,
                    r.cell,
                    r.category,
                    r.proof,
                    r.action
                )
            )
        );
    }

    function list(uint256 w) internal pure returns (uint256[] memory words) {
        words = new uint256[](1);
        words[0] = w;
    }

    function list(Report memory r) internal pure returns (uint256[] memory) {
        return list(pack(r));
    }

    function pair(Report memory a, Report memory b) internal pure returns (uint256[] memory words) {
        words = new uint256[](2);
        (words[0], words[1]) = (pack(a), pack(b));
    }

    /// Submit for member 1 by its signer.
    function submit(uint256[] memory words) internal {
        VM.prank(ALICE);
        ledger.submit(1, bytes32(0), words, "");
    }

    function submit(Report memory r) internal {
        submit(list(r));
    }

    function refused(uint256[] memory words, bytes memory why) internal {
        VM.expectRevert(why);
        submit(words);
    }

    function refused(Report memory r, bytes memory why) internal {
        refused(list(r), why);
    }

    // --- errors ---

    function err(bytes4 selector) internal pure returns (bytes memory) {
        return abi.encodePacked(selector);
    }

    function err(bytes4 selector, uint256 entry) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(selector, entry);
    }

    function err(bytes4 selector, uint256 entry, uint144 conflict)
        internal
        pure
        returns (bytes memory)
    {
        return abi.encodeWithSelector(selector, entry, bytes18(conflict));
    }

    // --- storage ---

    function cellSlot(uint16 member, uint24 cell) internal pure returns (bytes32) {
        uint256 base = uint256(keccak256("SIPchain cells v1")) >> 40 << 40;

        return bytes32(base | (uint256(member) << 24) | cell);
    }

    // --- numbers ---

    /// x folded into [low, high], the ends favoured: where the rules bend.
    function bound(uint256 x, uint256 low, uint256 high) internal pure returns (uint256) {
        if (x >= low && x <= high) return x;
        if (x % 8 == 0) return low;
        if (x % 8 == 1) return high;
        return high - low == type(uint256).max ? x : low + x % (high - low + 1);
    }

    function max(uint256 a, uint256 b) internal pure returns (uint256) {
        return a > b ? a : b;
    }
}
