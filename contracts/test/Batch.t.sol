// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISIPchain} from "./ISIPchain.sol";
import {LedgerTest} from "./LedgerTest.sol";

/// @title What a batch may do, and every reason to refuse one
contract BatchTest is LedgerTest {
    function stored(Report memory r) private pure returns (uint256) {
        r.action = 0;
        return pack(r);
    }

    // --- what passes ---

    function test_report() external {
        Report memory r = plain(host(1), 7, REPORT);

        submit(r);
        VM.assertEq(ledger.cell(1, 7), stored(r), "the word, action zero");
        VM.assertEq(
            uint256(VM.load(address(ledger), cellSlot(1, 7))),
            stored(r),
            "at the slot that is agreed"
        );
    }

    function test_refresh() external {
        Report memory r = plain(host(1), 7, REPORT);

        submit(r);
        VM.warp(block.timestamp + 12 hours);
        r = plain(host(1), 7, REPORT);
        r.category = 4;
        submit(r);
        VM.assertEq(ledger.cell(1, 7), stored(r), "expiry and category are the new ones");
    }

    function test_replace() external {
        submit(plain(host(1), 7, REPORT));

        Report memory r = plain(host(2), 7, REPLACE);

        submit(r);
        VM.assertEq(ledger.cell(1, 7), stored(r), "the other indicator, action zero");
    }

    function test_reportIntoExpiredCell() external {
        submit(plain(host(1), 7, REPORT));
        VM.warp(block.timestamp + 1 days); // its expiry: no longer live

        Report memory r = plain(host(2), 7, REPORT);

        submit(r);
        VM.assertEq(ledger.cell(1, 7), stored(r), "a dead cell is free");
    }

    function test_spendKeepsTheWord() external {
        Report memory r = plain(host(1), 7, REPORT);

        submit(r);
        // Whatever else has changed: only indicator and cell are asked.
        ledger.memberSet(1, 1, 1);
        ledger.configure(settings(32, 128, 15, false, 1, 9));
        ledger.protect(abi.encodePacked(host(1)));
        ledger.pause();
        ledger.supersede("next");
        submit(Report(r.indicator, 0, 1, 0, 7, 99, 99, SPEND));
        r.expiry = 0;
        VM.assertEq(ledger.cell(1, 7), stored(r), "the word with expiry zero");
    }

    function test_spentCellIsFree() external {
        submit(plain(host(1), 7, REPORT));
        submit(plain(host(1), 7, SPEND));
        submit(plain(host(2), 7, REPORT));
    }

    function test_entriesSeeThoseBefore() external {
        uint256[] memory words = new uint256[](5);

        words[0] = pack(plain(host(1), 7, REPORT));
        words[1] = pack(plain(host(1), 7, SPEND));
        words[2] = pack(plain(host(2), 7, REPORT));
        words[3] = pack(plain(host(3), 7, REPLACE));
        words[4] = pack(plain(host(3), 7, SPEND));
        submit(words);
        VM.assertEq(ledger.cell(1, 7) >> 112, host(3), "the last one's");
        VM.assertEq((ledger.cell(1, 7) >> 80) & 0xffffffff, 0, "spent");
        VM.expectRevert(err(ISIPchain.CellNotLive.selector, 0));
        submit(plain(host(3), 7, SPEND));
    }

    function test_lastCellOfTheCapAndBeyond() external {
        submit(plain(host(1), 999, REPORT));
        refused(plain(host(1), 1000, REPORT), err(ISIPchain.CellOverCap.selector, 0));
        ledger.memberSet(1, 1, 1 << 24);
        submit(plain(host(1), 0xffffff, REPORT));
        VM.assertEq(ledger.cell(2, 0), 0, "the next member's cell 0 is another slot");
    }

    function test_anyOfTheSigners() external {
        ledger.signerAdd(1, address(0xa2));
        VM.prank(address(0xa2));
        ledger.submit(1, 0, list(plain(host(1), 7, REPORT)), "");
    }

    function test_everyCategoryAndProof() external {
        for (uint256 c = 0; c < 256; c++) {
            Report memory r = plain(host(c), uint24(c), REPORT);

            r.category = uint8(c);
            if ((c >= 1 && c <= 8) || c == 255) submit(r);
            else refused(r, err(ISIPchain.Category.selector, 0));
        }
        for (uint256 p = 0; p < 256; p++) {
            Report memory r = plain(host(p), uint24(p + 300), REPORT);

            r.proof = uint8(p);
            if (p < 9) submit(r);
            else refused(r, err(ISIPchain.Proof.selector, 0));
        }
    }

    function test_expiryToTheSecond() external {
        Report memory r = plain(host(1), 7, REPORT);

        r.expiry = uint32(block.timestamp);
        refused(r, err(ISIPchain.ExpiryPast.selector, 0));
        r.expiry = 0;
        refused(r, err(ISIPchain.ExpiryPast.selector, 0));
        r.expiry = uint32(block.timestamp + TTL + 1);
        refused(r, err(ISIPchain.ExpiryTooFar.selector, 0));
        r.expiry = type(uint32).max;
        refused(r, err(ISIPchain.ExpiryTooFar.selector, 0));
        r.expiry = uint32(block.timestamp + TTL);
        submit(r);
        r.expiry = uint32(block.timestamp + 1);
        submit(r);
        // Live in its last second, dead in the next.
        refused(plain(host(2), 7, REPORT), err(ISIPchain.CellLive.selector, 0));
        VM.warp(block.timestamp + 1);
        submit(plain(host(2), 7, REPORT));
    }

    function test_largestBatch() external {
        uint256[] memory words = new uint256[](257);
        bytes memory texts = new bytes(65_536);

        for (uint256 k = 0; k < 257; k++) {
            words[k] = pack(plain(host(k), uint24(k), REPORT));
        }
        refused(words, err(ISIPchain.BatchTooLarge.selector));
        assembly ("memory-safe") {
            mstore(words, 256)
        }
        VM.prank(ALICE);
        ledger.submit(1, 0, words, texts);
        VM.assertEq(ledger.cell(1, 255), stored(plain(host(255), 255, REPORT)), "the last one");
        VM.expectRevert(err(ISIPchain.BatchTooLarge.selector));
        VM.prank(ALICE);
        ledger.submit(1, 0, words, new bytes(65_537));
    }

    // --- what does not ---

    function test_whoMaySubmit() external {
        uint256[] memory words = list(plain(host(1), 7, REPORT));
        bytes memory why = err(ISIPchain.NotSigner.selector);

        VM.expectRevert(why); // the owner is nobody's signer
        ledger.submit(1, 0, words, "");
        VM.prank(BOB);
        VM.expectRevert(why); // another member's
        ledger.submit(1, 0, words, "");
        VM.prank(MALLORY);
        VM.expectRevert(why); // nobody's, for nobody
        ledger.submit(0, 0, words, "");
        VM.prank(MALLORY);
        VM.expectRevert(why); // for one that is not there
        ledger.submit(3, 0, words, "");
        ledger.signerRemove(1, ALICE);
        refused(words, why);
        ledger.signerAdd(1, ALICE);
        submit(words);
        ledger.memberRemove(1);
        refused(words, why); // a removal frees the signers
    }

    function test_suspended() external {
        ledger.memberSuspend(1);
        refused(plain(host(1), 7, REPORT), err(ISIPchain.MemberNotActive.selector));
        ledger.memberResume(1);
        submit(plain(host(1), 7, REPORT));
    }

    function test_emptyBatch() external {
        refused(new uint256[](0), err(ISIPchain.BatchEmpty.selector));
    }

    /// One word that is wrong in everything, put right step by step: the reasons come in order.
    function test_orderOfReasons() external {
        Report memory r = Report(ip4(0x0a000001, 33), 0, 2, 1, 1000, 0, 9, 3);

        ledger.pause();
        ledger.supersede("next");
        ledger.protect(abi.encodePacked(ip4(0x0a000000, 8), host(1)));
        submit2(plain(host(9), 5, REPORT), r, err(ISIPchain.Paused.selector, 0));
        refused(r, err(ISIPchain.ActionUnknown.selector, 0));
        r.action = REPORT;
        refused(r, err(ISIPchain.Paused.selector, 0));
        ledger.unpause();
        refused(r, err(ISIPchain.Superseded.selector, 0));
        setUp(); // superseded for good
        ledger.protect(abi.encodePacked(ip4(0x0a000000, 8), host(1)));
        submit(plain(host(9), 5, REPORT));
        refused(r, err(ISIPchain.WrongMember.selector, 0));
        r.member = 1;
        refused(r, err(ISIPchain.WrongGeneration.selector, 0));
        r.generation = 0;
        refused(r, err(ISIPchain.CellOverCap.selector, 0));
        r.cell = 5;
        refused(r, err(ISIPchain.Category.selector, 0));
        r.category = SCAN;
        refused(r, err(ISIPchain.Proof.selector, 0));
        r.proof = 8;
        refused(r, err(ISIPchain.ExpiryPast.selector, 0));
        r.expiry = uint32(block.timestamp + TTL + 1);
        refused(r, err(ISIPchain.ExpiryTooFar.selector, 0));
        r.expiry--;
        refused(r, err(ISIPchain.Indicator.selector, 0));
        r.indicator = ip4(0x0a000001, 32);
        refused(r, err(ISIPchain.Unroutable.selector, 0, ip4(0x0a000000, 8)));
        r.indicator = host(1);
        refused(r, err(ISIPchain.Protected.selector, 0, host(1)));
        r.indicator = host(2);
        refused(r, err(ISIPchain.CellLive.selector, 0));
        r.action = REPLACE;
        submit(r);
    }

    function submit2(Report memory a, Report memory b, bytes memory why) private {
        refused(pair(a, b), why);
    }

    function test_orderOfReasonsOfASpend() external {
        Report memory r = Report(host(2), 0, 2, 1, 7, 0, 0, SPEND);

        refused(r, err(ISIPchain.WrongMember.selector, 0));
        r.member = 1;
        refused(r, err(ISIPchain.WrongGeneration.selector, 0));
        r.generation = 0;
        refused(r, err(ISIPchain.CellNotLive.selector, 0));
        submit(plain(host(1), 7, REPORT));
        refused(r, err(ISIPchain.CellMismatch.selector, 0));
        r.indicator = host(1);
        submit(r);
        refused(r, err(ISIPchain.CellNotLive.selector, 0));
        submit(plain(host(1), 7, REPORT));
        VM.warp(block.timestamp + 1 days);
        refused(r, err(ISIPchain.CellNotLive.selector, 0)); // expired
    }

    function test_unknownActions() external {
        for (uint256 a = 3; a < 256; a++) {
            refused(plain(host(1), 7, uint8(a)), err(ISIPchain.ActionUnknown.selector, 0));
        }
    }

    function test_wordsOfAnOlderGenerationAreDead() external {
        submit(plain(host(1), 7, REPORT));
        ledger.memberRemove(1);
        ledger.memberAdd(1, 1, 1000, "Alice", one(ALICE));
        refused(plain(host(1), 7, SPEND), err(ISIPchain.WrongGeneration.selector, 0));

        Report memory r = plain(host(1), 7, SPEND);

        r.generation = 1;
        refused(r, err(ISIPchain.CellNotLive.selector, 0));
        r.indicator = host(2);
        r.action = REPORT;
        submit(r); // over the dead word, without replacing
    }

    function test_widthsThatTheConfigurationAllows() external {
        submit(plain(ip4(0x2d010000, 16), 1, REPORT));
        refused(plain(ip4(0x2d000000, 15), 1, REPORT), err(ISIPchain.Indicator.selector, 0));
        submit(plain(ip6(0x2a000000 << 96, 32), 2, REPORT));
        refused(plain(ip6(0x2a000000 << 96, 31), 2, REPORT), err(ISIPchain.Indicator.selector, 0));
        submit(plain(prefix(3, 20, 0x97259 << 108), 3, REPORT));
        refused(
            plain(prefix(3, 16, 0x9725 << 112), 3, REPORT), err(ISIPchain.Indicator.selector, 0)
        );
        submit(plain(prefix(4, 128, 12_345), 4, REPORT));
        refused(plain(prefix(4, 127, 0), 4, REPORT), err(ISIPchain.Indicator.selector, 0));
        ledger.configure(settings(8, 16, 1, true, TTL, 2));
        submit(plain(ip4(0x2d000000, 8), 1, REPLACE));
        submit(plain(ip6(0x2a00 << 112, 16), 2, REPLACE));
        submit(plain(prefix(3, 4, 0x9 << 124), 3, REPLACE));
        submit(plain(ip4(0x0a000000, 8), 9, REPORT)); // allow_unroutable
    }

    function test_unroutableBothWays() external {
        refused(
            plain(ip4(0xc0a80101, 32), 1, REPORT),
            err(ISIPchain.Unroutable.selector, 0, ip4(0xc0a80000, 16))
        );
        // 192.0.0.0/16 is around two ranges: the first of the list is named.
        refused(
            plain(ip4(0xc0000000, 16), 1, REPORT),
            err(ISIPchain.Unroutable.selector, 0, ip4(0xc0000000, 24))
        );
        // 2001::/32 lies in 2001::/23, but is the narrower: it stands first.
        refused(
            plain(ip6(0x20010000 << 96, 48), 1, REPORT),
            err(ISIPchain.Unroutable.selector, 0, ip6(0x20010000 << 96, 32))
        );
        submit(plain(ip4(0xc0a70101, 32), 1, REPORT));
        submit(plain(ip6(0x200141d0 << 96, 32), 2, REPORT));
    }

    /// The bad word may stand anywhere: nothing of the batch stays, and its place is told.
    function testFuzz_allOrNothing(uint256 n, uint256 bad) external {
        n = bound(n, 1, 40);
        bad = bound(bad, 0, n - 1);

        uint256[] memory words = new uint256[](n);

        for (uint256 k = 0; k < n; k++) {
            words[k] = pack(plain(host(k), uint24(k), REPORT));
        }
        words[bad] = pack(plain(host(bad), 1000, REPORT));
        (bytes32 tip,,,,,) = ledger.tips();
        refused(words, err(ISIPchain.CellOverCap.selector, bad));
        (bytes32 tip2,,,,,) = ledger.tips();
        VM.assertEq(tip, tip2, "the tip");
        for (uint24 k = 0; k < n; k++) {
            VM.assertEq(ledger.cell(1, k), 0, "a cell");
        }
        words[bad] = pack(plain(host(bad), uint24(bad), REPORT));
        submit(words);
        for (uint24 k = 0; k < n; k++) {
            VM.assertEq(ledger.cell(1, k), stored(plain(host(k), k, REPORT)), "a cell");
        }
    }

    /// Whatever words one member's signer submits, no cell of another member changes.
    function testFuzz_othersCellsStay(uint256[] memory words, uint16 index) external {
        Report memory r = plain(host(1), 7, REPORT);

        r.member = 2;
        VM.prank(BOB);
        ledger.submit(2, 0, list(r), "");
        // All noise is refused at once: most words are made to pass but for what noise remains.
        for (uint256 k = 0; k < words.length; k++) {
            Report memory e = plain(host(k), uint24(words[k] >> 24), uint8(words[k] % 2));

            if (words[k] % 7 == 0) e.member = uint16(words[k] >> 64);
            if (words[k] % 8 != 0) words[k] = pack(e);
        }
        if (index % 4 != 0) index = 1;
        if (index % 8 != 1) ledger.memberSet(1, 1, 1 << 24);
        VM.record();
        VM.prank(ALICE);
        try ledger.submit(index, 0, words, "") {
            VM.assertEq(index, 1, "only his own");
        } catch {}
        (, bytes32[] memory writes) = VM.accesses(address(ledger));
        for (uint256 k = 0; k < writes.length; k++) {
            uint256 slot = uint256(writes[k]);

            VM.assertTrue(
                slot == 2 || slot == 3 || slot >> 24 == uint256(cellSlot(1, 0)) >> 24,
                "a slot that is not the member's"
            );
        }
        VM.assertEq(ledger.cell(2, 7), stored(r), "the other's word");
    }
}
