// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISIPchain} from "./ISIPchain.sol";
import {LedgerTest} from "./LedgerTest.sol";

/// @title The sum that is held against the threshold, and what else a caller may ask
contract SupportTest is LedgerTest {
    function setUp() public override {
        super.setUp();
        ledger.memberAdd(3, 5, 10, "Carol", one(address(0xca)));
    }

    function by(uint16 member, uint144 indicator, uint24 cell, uint8 category) private {
        Report memory r = plain(indicator, cell, REPORT);
        address[3] memory signers = [ALICE, BOB, address(0xca)];

        (r.member, r.category) = (member, category);
        VM.prank(signers[member - 1]);
        ledger.submit(member, 0, list(r), "");
    }

    /// The first four cells of each member.
    function support(uint144 i) private view returns (int256) {
        uint40[] memory cells = new uint40[](12);

        for (uint40 k = 0; k < 12; k++) {
            cells[k] = ((k / 4 + 1) << 24) | (k % 4);
        }
        return ledger.support(bytes18(i), cells);
    }

    function test_reportsLessObjections() external {
        uint144 around = ip4(0x2d000000, 24);

        VM.assertEq(support(host(1)), 0, "nothing yet");
        by(1, host(1), 0, SCAN);
        VM.assertEq(support(host(1)), 1, "one of weight 1");
        by(1, host(1), 1, SCAN);
        VM.assertEq(support(host(1)), 1, "a member counts once");
        by(2, host(1), 0, SCAN);
        VM.assertEq(support(host(1)), 4, "and one of weight 3");
        by(3, host(1), 0, OBJECTION);
        VM.assertEq(support(host(1)), -1, "an objection of weight 5");
        by(3, host(1), 1, OBJECTION);
        VM.assertEq(support(host(1)), -1, "counts once too");
        by(3, host(1), 2, SCAN);
        VM.assertEq(support(host(1)), 4, "beside the same member's report");
        by(2, around, 1, SCAN);
        VM.assertEq(support(around), -2, "it counts against what is around");
        VM.assertEq(support(host(2)), 0, "and against nothing else");
        by(1, ip4(0x2d000000, 23), 2, OBJECTION);
        VM.assertEq(support(around), -2, "one to more than it does not");
    }

    function test_onlyTheLiving() external {
        by(1, host(1), 0, SCAN);
        by(2, host(1), 0, SCAN);
        by(3, host(1), 0, SCAN);
        VM.assertEq(support(host(1)), 9, "all");
        ledger.memberSuspend(2);
        VM.assertEq(support(host(1)), 6, "suspended");
        ledger.memberResume(2);
        ledger.memberSet(3, 100, 10);
        VM.assertEq(support(host(1)), 104, "by the weight it has now");
        ledger.memberRemove(3);
        VM.assertEq(support(host(1)), 4, "removed");
        submit(plain(host(1), 0, SPEND));
        VM.assertEq(support(host(1)), 3, "spent");
        VM.warp(block.timestamp + 1 days - 1);
        VM.assertEq(support(host(1)), 3, "the last second");
        VM.warp(block.timestamp + 1);
        VM.assertEq(support(host(1)), 0, "expired");
    }

    function test_onlyTheCellsAsked() external {
        uint40[] memory cells = new uint40[](1);

        by(1, host(1), 0, SCAN);
        by(2, host(1), 5, SCAN);
        cells[0] = (2 << 24) | 5;
        VM.assertEq(ledger.support(bytes18(host(1)), cells), 3, "one of two");
        VM.assertEq(ledger.support(bytes18(host(1)), new uint40[](0)), 0, "none");
        cells[0] = (9 << 24) | 5;
        VM.assertEq(ledger.support(bytes18(host(1)), cells), 0, "no such member");
    }

    function test_cellsMustAscend() external {
        uint40[] memory cells = new uint40[](3);

        (cells[0], cells[1], cells[2]) = (1 << 24, (1 << 24) | 1, (1 << 24) | 1);
        VM.expectRevert(err(ISIPchain.TableUnsorted.selector, 2));
        ledger.support(bytes18(host(1)), cells);
        (cells[0], cells[1]) = (2 << 24, (1 << 24) | 9);
        VM.expectRevert(err(ISIPchain.TableUnsorted.selector, 1));
        ledger.support(bytes18(host(1)), cells);
    }

    function test_snapshot() external {
        by(1, host(1), 3, SCAN);
        by(1, host(2), 5, SCAN);

        uint256[] memory words = ledger.snapshot(1, 3, 4);

        VM.assertEq(words.length, 4, "as many as asked");
        for (uint24 k = 0; k < 4; k++) {
            VM.assertEq(words[k], ledger.cell(1, 3 + k), "a cell");
        }
        VM.assertTrue(
            words[0] != 0 && words[1] == 0 && words[2] != 0 && words[3] == 0, "cells 3 and 5"
        );
        VM.assertEq(ledger.snapshot(1, 0, 0).length, 0, "none");
        // Past the cap there may be live words; past the last cell there is another member.
        ledger.memberSet(1, 1, 4);
        VM.assertEq(ledger.snapshot(1, 5, 1)[0], words[2], "past a lowered cap");
        VM.assertEq(ledger.snapshot(1, 0xfffffe, 1000).length, 2, "up to the last cell");
        VM.assertEq(ledger.snapshot(7, 0, 1)[0], 0, "no such member");
    }
}
