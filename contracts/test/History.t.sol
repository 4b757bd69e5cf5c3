// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISIPchain} from "./ISIPchain.sol";
import {LedgerTest} from "./LedgerTest.sol";
import {Vm} from "./Vm.sol";

/// @title Events, canonical bytes, tips, and where they are stored
contract HistoryTest is LedgerTest {
    bytes32 private constant TOPIC = keccak256("Operation(uint8,uint64,bytes32,uint64,bytes)");

    // The ends of both chains, folded from the events alone.
    bytes32[2] private _tip;
    uint64[2] private _seq;
    uint64[2] private _block;

    function setUp() public override {
        VM.recordLogs();
        super.setUp();
    }

    /// Fold what has been logged since; returns the last operation.
    function fold() private returns (bytes memory operation) {
        Vm.Log[] memory logs = VM.getRecordedLogs();

        for (uint256 k = 0; k < logs.length; k++) {
            if (logs[k].topics[0] != TOPIC) continue;
            uint256 chain = uint256(logs[k].topics[1]);
            bytes32 before;
            uint64 blockBefore;

            (before, blockBefore, operation) = abi.decode(logs[k].data, (bytes32, uint64, bytes));
            VM.assertEq(logs[k].topics.length, 3, "topics");
            VM.assertEq(chain, uint8(operation[0]) == 1 ? 0 : 1, "chain");
            VM.assertEq(uint256(logs[k].topics[2]), _seq[chain], "sequence");
            VM.assertEq(before, _tip[chain], "tip before");
            VM.assertEq(uint256(blockBefore), _block[chain], "block before");
            // As the compiler would encode it: other decoders are stricter than its own.
            VM.assertEq(logs[k].data, abi.encode(before, blockBefore, operation), "encoding");
            _tip[chain] = keccak256(bytes.concat(before, operation));
            _block[chain] = uint64(block.number);
            _seq[chain]++;
        }
        check();
    }

    function check() private view {
        (bytes32 mt, uint64 ms, uint64 mb, bytes32 at_, uint64 as_, uint64 ab) = ledger.tips();

        VM.assertEq(mt, _tip[0], "members' tip");
        VM.assertEq(uint256(ms), _seq[0], "members' sequence");
        VM.assertEq(uint256(mb), _block[0], "members' block");
        VM.assertEq(at_, _tip[1], "administrative tip");
        VM.assertEq(uint256(as_), _seq[1], "administrative sequence");
        VM.assertEq(uint256(ab), _block[1], "administrative block");
        VM.assertEq(slot(2), _tip[0], "slot 2");
        VM.assertEq(uint256(slot(3)), (uint256(_block[0]) << 64) | _seq[0], "slot 3");
        VM.assertEq(slot(4), _tip[1], "slot 4");
        VM.assertEq(uint256(slot(5)), (uint256(_block[1]) << 64) | _seq[1], "slot 5");
    }

    function slot(uint256 n) private view returns (bytes32) {
        return VM.load(address(ledger), bytes32(n));
    }

    /// Time and block move on, the call is made; then its bytes must be head and body.
    function step(uint8 kind, bytes memory call, bytes memory body) private {
        stepBy(address(this), kind, call, body);
    }

    function stepBy(address who, uint8 kind, bytes memory call, bytes memory body) private {
        uint256 chain = kind == 1 ? 0 : 1;

        VM.warp(block.timestamp + 17);
        VM.roll(block.number + 3);
        bytes memory head = abi.encodePacked(kind, _seq[chain], uint32(block.timestamp), who);
        VM.prank(who);
        (bool ok,) = address(ledger).call(call);
        VM.assertTrue(ok, "accepted");
        VM.assertEq(fold(), bytes.concat(head, body), "canonical bytes");
    }

    function test_everyOperation() external {
        address[] memory two = new address[](2);
        bytes memory table = abi.encodePacked(host(1), host(2));
        bytes12 config = settings(8, 16, 1, true, 99, 7);
        address self = address(this);

        fold();
        (two[0], two[1]) = (address(0x51), address(0x52));
        step(
            0x11,
            abi.encodeCall(ISIPchain.memberAdd, (3, 4, 5, "Carol", two)),
            abi.encodePacked(
                uint16(3), uint16(4), uint32(5), uint8(5), "Carol", uint8(2), two[0], two[1]
            )
        );
        step(
            0x12,
            abi.encodeCall(ISIPchain.memberSet, (3, 6, 7)),
            abi.encodePacked(uint16(3), uint16(6), uint32(7))
        );
        stepBy(
            GUARDIAN,
            0x14,
            abi.encodeCall(ISIPchain.memberSuspend, (3)),
            abi.encodePacked(uint16(3))
        );
        step(0x15, abi.encodeCall(ISIPchain.memberResume, (3)), abi.encodePacked(uint16(3)));
        step(
            0x16,
            abi.encodeCall(ISIPchain.signerAdd, (3, MALLORY)),
            abi.encodePacked(uint16(3), MALLORY)
        );
        step(
            0x17,
            abi.encodeCall(ISIPchain.signerRemove, (3, MALLORY)),
            abi.encodePacked(uint16(3), MALLORY)
        );
        step(0x13, abi.encodeCall(ISIPchain.memberRemove, (3)), abi.encodePacked(uint16(3)));
        step(
            0x11,
            abi.encodeCall(ISIPchain.memberAdd, (3, 1, 1, "x", new address[](0))),
            abi.encodePacked(uint16(3), uint16(1), uint32(1), uint8(1), "x", uint8(0))
        );
        step(0x18, abi.encodeCall(ISIPchain.protect, (table)), abi.encodePacked(uint16(2), table));
        step(0x18, abi.encodeCall(ISIPchain.protect, ("")), abi.encodePacked(uint16(0)));
        step(0x19, abi.encodeCall(ISIPchain.configure, (config)), abi.encodePacked(config));
        step(0x1a, abi.encodeCall(ISIPchain.setGuardian, (MALLORY)), abi.encodePacked(MALLORY));
        step(0x1b, abi.encodeCall(ISIPchain.transferOwnership, (ALICE)), abi.encodePacked(ALICE));
        stepBy(ALICE, 0x1c, abi.encodeCall(ISIPchain.acceptOwnership, ()), "");
        stepBy(MALLORY, 0x1d, abi.encodeCall(ISIPchain.pause, ()), "");
        stepBy(ALICE, 0x1e, abi.encodeCall(ISIPchain.unpause, ()), "");
        stepBy(
            ALICE,
            0x1f,
            abi.encodeCall(ISIPchain.supersede, ("next")),
            abi.encodePacked(bytes32("next"))
        );
        stepBy(
            ALICE, 0x1b, abi.encodeCall(ISIPchain.transferOwnership, (self)), abi.encodePacked(self)
        );
        step(0x1c, abi.encodeCall(ISIPchain.acceptOwnership, ()), "");
    }

    function test_genesis() external {
        Vm.Log[] memory logs = VM.getRecordedLogs();
        bytes memory genesis;

        for (uint256 k = 0; genesis.length == 0; k++) {
            if (logs[k].topics[0] == TOPIC) {
                (,, genesis) = abi.decode(logs[k].data, (bytes32, uint64, bytes));
            }
        }
        VM.assertEq(
            genesis,
            abi.encodePacked(
                uint8(0x10),
                uint64(0),
                uint32(START),
                address(this),
                keccak256(abi.encode(block.chainid, address(ledger))),
                GUARDIAN,
                settings(16, 32, 5, false, TTL, 2)
            ),
            "canonical bytes"
        );
        VM.assertEq(ledger.id(), keccak256(bytes.concat("SIPchain ledger v1", genesis)), "id");
    }

    function batch(uint256 n, uint24 from, bytes32 commitment, bytes memory texts) private {
        uint256[] memory words = new uint256[](n);

        for (uint256 k = 0; k < n; k++) {
            words[k] = pack(plain(host(k), uint24(from + k), REPLACE));
            words[k] += 17 << 80; // stepBy() is that much later
        }
        stepBy(
            ALICE,
            0x01,
            abi.encodeCall(ISIPchain.submit, (1, commitment, words, texts)),
            abi.encodePacked(uint16(1), commitment, uint16(n), words, uint32(texts.length), texts)
        );
    }

    /// Any batch, any texts: texts of every length modulo 32 are padded rightly.
    function testFuzz_batches(uint256 n, uint24 from, bytes32 commitment, bytes memory texts)
        external
    {
        fold();
        batch(bound(n, 1, 256), from % 700, commitment, texts);
        batch(1, 0, 0, "");
    }

    function test_textsOfEveryLength() external {
        fold();
        for (uint256 n = 0; n < 70; n++) {
            batch(2, 0, keccak256("evidence"), new bytes(n));
        }
    }

    function test_words() external view {
        // As DESIGN draws a word: 18 bytes of indicator, 4, 2, 2, 3, 1, 1, 1.
        Report memory r = Report(
            0x0102030405060708090a0b0c0d0e0f101112, 0x13141516, 0x1718, 0x191a, 0x1b1c1d, 30, 31, 32
        );

        VM.assertEq(
            pack(r), 0x0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20, "word"
        );
        VM.assertEq(uint256(START), block.timestamp, "no time has passed");
    }

    /// Where a proof finds what: the layout is part of the interface.
    function test_storage() external {
        fold();
        ledger.transferOwnership(ALICE);
        ledger.pause();
        ledger.supersede("next");
        submit(plain(host(3), 0xabc % 1000, SPEND), false);
        VM.assertEq(slot(0), bytes32(uint256(uint160(address(this)))), "0: owner");
        VM.assertEq(slot(1), bytes32(uint256(uint160(ALICE))), "1: pending owner");
        VM.assertEq(uint256(slot(6)), uint96(ledger.config()), "6: config; no table");
        VM.assertEq(
            uint256(slot(7)),
            (uint256(2) << 176) | (1 << 168) | (1 << 160) | uint160(GUARDIAN),
            "7: members, superseded, paused, guardian"
        );
        VM.assertEq(slot(8), "next", "8: successor");
        VM.assertEq(slot(9), ledger.id(), "9: id");
        VM.assertEq(
            uint256(VM.load(address(ledger), keccak256(abi.encode(uint256(2), uint256(10))))),
            (uint256(3) << 80) | (1 << 72) | (100 << 40) | (3 << 24) | 1,
            "10: a seat"
        );
        VM.assertEq(
            uint256(cellSlot(0xffff, 0xffffff)) & 0xffffffffff, 0xffffffffff, "cells: 40 bits"
        );
        fold();
    }

    function submit(Report memory r, bool good) private {
        VM.prank(ALICE);
        try ledger.submit(1, 0, list(r), "") {
            VM.assertTrue(good, "should be refused");
        } catch {
            VM.assertFalse(good, "should pass");
        }
    }
}
