// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISIPchain} from "./ISIPchain.sol";
import {LedgerTest} from "./LedgerTest.sol";

/// @title What owner and guardian may do, and every reason to refuse it
contract AdministrationTest is LedgerTest {
    address private constant NEW = address(0x4e4);

    struct Member {
        uint8 status;
        uint16 generation;
        uint16 weight;
        uint32 cap;
        string name;
        address[] signers;
    }

    function member(uint16 index) private view returns (Member memory m) {
        (m.status, m.generation, m.weight, m.cap, m.name, m.signers) = ledger.member(index);
    }

    function add(uint16 index, string memory name) private {
        ledger.memberAdd(index, 1, 1, name, new address[](0));
    }

    // --- the beginning ---

    function test_genesis() external view {
        VM.assertEq(ledger.VERSION(), 1, "version");
        VM.assertEq(ledger.owner(), address(this), "owner");
        VM.assertEq(ledger.guardian(), GUARDIAN, "guardian");
        VM.assertEq(ledger.config(), settings(16, 32, 5, false, TTL, 2), "config");
        VM.assertEq(ledger.memberCount(), 2, "members");
        VM.assertFalse(ledger.paused(), "paused");
        VM.assertEq(ledger.superseded(), 0, "superseded");
        VM.assertEq(ledger.pendingOwner(), address(0), "pending owner");
        VM.assertEq(ledger.protectedTable(), "", "protected table");
    }

    function tryConfig(bytes12 config, bool good) private {
        if (!good) VM.expectRevert(err(ISIPchain.Config.selector));
        ledger.configure(config);
        if (good) VM.assertEq(ledger.config(), config, "config");
    }

    function test_configurationsToTheirEnds() external {
        for (uint256 x = 0; x < 256; x++) {
            tryConfig(settings(uint8(x), 32, 5, false, TTL, 2), x >= 8 && x <= 32);
            tryConfig(settings(16, uint8(x), 5, false, TTL, 2), x >= 16 && x <= 128);
            tryConfig(settings(16, 32, uint8(x), false, TTL, 2), x >= 1 && x <= 15);
            tryConfig(bytes12(abi.encodePacked(hex"102005", uint8(x), TTL, uint32(1))), x <= 1);
        }
        tryConfig(settings(16, 32, 5, true, 0, 2), false);
        tryConfig(settings(16, 32, 5, true, 1, type(uint32).max), true);
        tryConfig(settings(16, 32, 5, true, 366 days, 1), true);
        tryConfig(settings(16, 32, 5, true, 366 days + 1, 1), false);
        tryConfig(settings(16, 32, 5, true, TTL, 0), false);
    }

    function test_noLedgerWithABadConfiguration() external {
        bytes memory code = VM.getCode("SIPchain.sol:SIPchain");
        bytes memory bad =
            bytes.concat(code, abi.encode(settings(7, 32, 5, false, TTL, 2), GUARDIAN));
        bytes memory good =
            bytes.concat(code, abi.encode(settings(8, 32, 5, false, TTL, 2), address(0)));
        bytes memory why = new bytes(4);
        address made;

        assembly ("memory-safe") {
            made := create(0, add(bad, 32), mload(bad))
            returndatacopy(add(why, 32), 0, 4)
        }
        VM.assertEq(made, address(0), "refused");
        VM.assertEq(why, err(ISIPchain.Config.selector), "why");
        assembly ("memory-safe") {
            made := create(0, add(good, 32), mload(good))
        }
        VM.assertEq(ISIPchain(made).owner(), address(this), "made");
    }

    // --- members ---

    function test_memberAdd() external {
        address[] memory signers = new address[](8);

        for (uint160 k = 0; k < 8; k++) {
            signers[k] = address(k + 1000);
        }
        ledger.memberAdd(3, 65_535, 1 << 24, unicode"Universität Łódź", signers);

        Member memory m = member(3);

        VM.assertEq(m.status, 1, "active");
        VM.assertEq(m.generation, 0, "generation");
        VM.assertEq(m.weight, 65_535, "weight");
        VM.assertEq(m.cap, 1 << 24, "cap");
        VM.assertEq(m.name, unicode"Universität Łódź", "name");
        VM.assertEq(m.signers.length, 8, "signers");
        for (uint256 k = 0; k < 8; k++) {
            VM.assertEq(m.signers[k], signers[k], "a signer");
            VM.assertEq(ledger.memberOf(signers[k]), 3, "its member");
        }
        VM.assertEq(ledger.memberCount(), 3, "count");
    }

    function test_memberThatIsNotThere() external {
        bytes memory why = err(ISIPchain.MemberUnknown.selector);
        Member memory m = member(3);

        VM.assertEq(m.status, 0, "none");
        VM.assertEq(m.name, "", "no name");
        for (uint16 index = 0; index < 4; index += 3) {
            VM.expectRevert(why);
            ledger.memberSet(index, 1, 1);
            VM.expectRevert(why);
            ledger.memberRemove(index);
            VM.expectRevert(why);
            ledger.memberSuspend(index);
            VM.expectRevert(why);
            ledger.memberResume(index);
            VM.expectRevert(why);
            ledger.signerAdd(index, NEW);
            VM.expectRevert(why);
            ledger.signerRemove(index, MALLORY);
        }
        VM.expectRevert(why);
        add(0, "nobody");
        VM.expectRevert(why);
        add(4, "a gap");
    }

    function test_lastIndex() external {
        // 65,534 of them before it: the count is written where the layout says it stands.
        VM.store(
            address(ledger),
            bytes32(uint256(7)),
            bytes32((uint256(65_535) << 176) | uint256(uint160(GUARDIAN)))
        );
        VM.assertEq(ledger.memberCount(), 65_535, "count");
        VM.expectRevert(err(ISIPchain.MemberUnknown.selector));
        add(0, "wraps around");
    }

    function test_memberExists() external {
        VM.expectRevert(err(ISIPchain.MemberExists.selector));
        add(1, "again");
        ledger.memberSuspend(1);
        VM.expectRevert(err(ISIPchain.MemberExists.selector));
        add(1, "again");
    }

    function test_generations() external {
        ledger.memberRemove(1);
        setGeneration(65_534);
        add(1, "the last time");
        ledger.memberRemove(1);
        VM.assertEq(member(1).generation, 65_535, "generation");
        VM.expectRevert(err(ISIPchain.Generations.selector));
        add(1, "");
    }

    /// As if it had been removed as often: the seat's second and third byte.
    function setGeneration(uint256 generation) private {
        bytes32 slot = keccak256(abi.encode(uint256(1), uint256(10)));
        uint256 seat = uint256(VM.load(address(ledger), slot));

        VM.store(address(ledger), slot, bytes32((seat & ~uint256(0xffff00)) | (generation << 8)));
        VM.assertEq(member(1).generation, generation, "generation");
    }

    function test_orderOfReasonsToRefuseAMember() external {
        address[] memory nine = new address[](9);
        bytes memory long = new bytes(65);

        VM.prank(MALLORY);
        VM.expectRevert(err(ISIPchain.NotOwner.selector));
        ledger.memberAdd(9, 0, 0, "", nine);
        VM.expectRevert(err(ISIPchain.MemberUnknown.selector));
        ledger.memberAdd(9, 0, 0, "", nine);
        VM.expectRevert(err(ISIPchain.Name.selector));
        ledger.memberAdd(3, 0, 0, "", nine);
        for (uint256 k = 0; k < 65; k++) {
            long[k] = "x";
        }
        VM.expectRevert(err(ISIPchain.Name.selector));
        ledger.memberAdd(3, 0, 0, string(long), nine);
        VM.expectRevert(err(ISIPchain.Weight.selector));
        ledger.memberAdd(3, 0, 0, "x", nine);
        VM.expectRevert(err(ISIPchain.Cap.selector));
        ledger.memberAdd(3, 1, 0, "x", nine);
        VM.expectRevert(err(ISIPchain.Cap.selector));
        ledger.memberAdd(3, 1, (1 << 24) + 1, "x", nine);
        VM.expectRevert(err(ISIPchain.SignerLimit.selector));
        ledger.memberAdd(3, 1, 1, "x", nine);
    }

    function test_signersOfANewMember() external {
        address[] memory three = new address[](3);

        (three[0], three[1]) = (NEW, MALLORY);
        VM.expectRevert(err(ISIPchain.Zero.selector, 2));
        ledger.memberAdd(3, 1, 1, "x", three);
        three[2] = ALICE;
        VM.expectRevert(err(ISIPchain.SignerTaken.selector, 2));
        ledger.memberAdd(3, 1, 1, "x", three);
        three[2] = NEW;
        VM.expectRevert(err(ISIPchain.SignerTaken.selector, 2));
        ledger.memberAdd(3, 1, 1, "x", three);
        VM.assertEq(ledger.memberOf(NEW), 0, "nothing of it stays");
        VM.assertEq(ledger.memberCount(), 2, "count");
    }

    function test_memberSet() external {
        ledger.memberSet(1, 7, 9);
        VM.assertEq(member(1).weight, 7, "weight");
        VM.assertEq(member(1).cap, 9, "cap");
        VM.assertEq(member(1).name, "Alice", "name");
        VM.expectRevert(err(ISIPchain.Weight.selector));
        ledger.memberSet(1, 0, 0);
        VM.expectRevert(err(ISIPchain.Cap.selector));
        ledger.memberSet(1, 1, 0);
        VM.expectRevert(err(ISIPchain.Cap.selector));
        ledger.memberSet(1, 1, type(uint32).max);
        ledger.memberSuspend(1);
        ledger.memberSet(1, 8, 9);
        VM.assertEq(member(1).status, 2, "still suspended");
        ledger.memberRemove(1);
        VM.expectRevert(err(ISIPchain.MemberRemoved.selector));
        ledger.memberSet(1, 0, 0);
    }

    function test_suspendAndResume() external {
        VM.expectRevert(err(ISIPchain.MemberNotSuspended.selector));
        ledger.memberResume(1);
        VM.prank(GUARDIAN);
        ledger.memberSuspend(1);
        VM.assertEq(member(1).status, 2, "suspended");
        VM.expectRevert(err(ISIPchain.MemberNotActive.selector));
        ledger.memberSuspend(1);
        VM.prank(GUARDIAN);
        VM.expectRevert(err(ISIPchain.NotOwner.selector));
        ledger.memberResume(1);
        ledger.memberResume(1);
        VM.assertEq(member(1).status, 1, "active");
        ledger.memberRemove(1);
        VM.expectRevert(err(ISIPchain.MemberNotActive.selector));
        ledger.memberSuspend(1);
        VM.expectRevert(err(ISIPchain.MemberNotSuspended.selector));
        ledger.memberResume(1);
    }

    /// However much a member has reported, its removal writes its seat and the chain's tip.
    function test_removalIsOneWrite() external {
        for (uint24 k = 0; k < 50; k++) {
            submit(plain(host(k), k, REPORT));
        }
        ledger.signerAdd(1, NEW);
        VM.record();
        ledger.memberRemove(1);
        (, bytes32[] memory writes) = VM.accesses(address(ledger));

        uint256 seats = 0;
        uint256 tips = 0;

        for (uint256 k = 0; k < writes.length; k++) {
            if (writes[k] == keccak256(abi.encode(uint256(1), uint256(10)))) seats++;
            else if (writes[k] == bytes32(uint256(4)) || writes[k] == bytes32(uint256(5))) tips++;
        }
        VM.assertEq(seats + tips, writes.length, "nothing else is written");
        VM.assertGe(seats, 1, "the seat is");
        // How often: as the contract is compiled for use, by what it costs (Gas.t.sol).
    }

    function test_readmissionRevivesNothing() external {
        uint40[] memory cells = new uint40[](1);

        submit(plain(host(1), 7, REPORT));
        cells[0] = (1 << 24) | 7;
        VM.assertEq(ledger.support(bytes18(host(1)), cells), 1, "support");
        ledger.signerAdd(1, NEW);
        ledger.memberRemove(1);
        VM.assertEq(ledger.support(bytes18(host(1)), cells), 0, "support of the removed");
        VM.assertEq(ledger.memberOf(ALICE), 0, "a signer");
        VM.assertEq(ledger.memberOf(NEW), 0, "a signer");
        VM.assertEq(member(1).signers.length, 0, "signers");
        VM.assertEq(member(1).name, "Alice", "its name stays");
        VM.expectRevert(err(ISIPchain.MemberRemoved.selector));
        ledger.memberRemove(1);
        VM.expectRevert(err(ISIPchain.MemberRemoved.selector));
        ledger.signerAdd(1, NEW);
        VM.expectRevert(err(ISIPchain.SignerUnknown.selector));
        ledger.signerRemove(1, ALICE);
        ledger.memberAdd(1, 2, 10, "A", one(NEW));
        VM.assertEq(ledger.support(bytes18(host(1)), cells), 0, "support after re-admission");
        VM.assertEq(ledger.memberOf(ALICE), 0, "a former signer");
        VM.assertEq(member(1).generation, 1, "generation");
        VM.assertEq(member(1).name, "A", "the new name, nothing of the longer one");
        VM.assertEq(ledger.memberCount(), 2, "count");
        ledger.signerAdd(2, ALICE); // free for another member
        VM.assertEq(ledger.memberOf(ALICE), 2, "its member");
    }

    // --- signers ---

    function test_signers() external {
        for (uint160 k = 1; k < 8; k++) {
            ledger.signerAdd(1, address(k));
        }
        VM.expectRevert(err(ISIPchain.Zero.selector, 0));
        ledger.signerAdd(1, address(0));
        VM.expectRevert(err(ISIPchain.SignerTaken.selector, 0));
        ledger.signerAdd(1, BOB); // before the limit is asked
        VM.expectRevert(err(ISIPchain.SignerLimit.selector));
        ledger.signerAdd(1, NEW);
        ledger.signerRemove(1, address(3));
        VM.expectRevert(err(ISIPchain.SignerUnknown.selector));
        ledger.signerRemove(1, address(3));
        VM.expectRevert(err(ISIPchain.SignerUnknown.selector));
        ledger.signerRemove(1, BOB);
        ledger.signerAdd(1, NEW);

        address[] memory signers = member(1).signers;

        // The order stays, the new one comes last.
        VM.assertEq(
            keccak256(abi.encodePacked(signers)),
            keccak256(
                abi.encodePacked(
                    [
                        ALICE,
                        address(1),
                        address(2),
                        address(4),
                        address(5),
                        address(6),
                        address(7),
                        NEW
                    ]
                )
            ),
            "signers"
        );
    }

    function test_lastSigner() external {
        ledger.signerRemove(1, ALICE);
        VM.assertEq(member(1).signers.length, 0, "none");
        ledger.signerAdd(1, ALICE);
        VM.assertEq(member(1).signers[0], ALICE, "again");
    }

    // --- who ---

    function test_ownerOnly() external {
        address[3] memory who = [GUARDIAN, ALICE, MALLORY];
        bytes[] memory calls = new bytes[](13);

        calls[0] = abi.encodeCall(ISIPchain.memberAdd, (9, 0, 0, "", one(address(0))));
        calls[1] = abi.encodeCall(ISIPchain.memberSet, (9, 0, 0));
        calls[2] = abi.encodeCall(ISIPchain.memberRemove, (9));
        calls[3] = abi.encodeCall(ISIPchain.memberResume, (9));
        calls[4] = abi.encodeCall(ISIPchain.signerAdd, (9, address(0)));
        calls[5] = abi.encodeCall(ISIPchain.signerRemove, (9, address(0)));
        calls[6] = abi.encodeCall(ISIPchain.protect, (new bytes(18 * 1025)));
        calls[7] = abi.encodeCall(ISIPchain.configure, (0));
        calls[8] = abi.encodeCall(ISIPchain.setGuardian, (MALLORY));
        calls[9] = abi.encodeCall(ISIPchain.transferOwnership, (MALLORY));
        calls[10] = abi.encodeCall(ISIPchain.unpause, ());
        calls[11] = abi.encodeCall(ISIPchain.supersede, (0));
        calls[12] = abi.encodeCall(ISIPchain.unpause, ());
        for (uint256 k = 0; k < calls.length; k++) {
            for (uint256 j = 0; j < 3; j++) {
                VM.prank(who[j]);
                (bool ok, bytes memory why) = address(ledger).call(calls[k]);
                VM.assertFalse(ok, "refused");
                VM.assertEq(why, err(ISIPchain.NotOwner.selector), "NotOwner, before all else");
            }
        }
    }

    function test_guardian() external {
        bytes memory why = err(ISIPchain.NotGuardian.selector);

        VM.prank(MALLORY);
        VM.expectRevert(why);
        ledger.pause();
        VM.prank(ALICE);
        VM.expectRevert(why);
        ledger.memberSuspend(9);
        VM.prank(GUARDIAN);
        ledger.pause();
        ledger.unpause();
        ledger.setGuardian(address(0));
        VM.assertEq(ledger.guardian(), address(0), "nobody");
        VM.prank(GUARDIAN);
        VM.expectRevert(why);
        ledger.pause();
        VM.prank(address(0)); // zero stands for nobody
        VM.expectRevert(why);
        ledger.pause();
        ledger.pause(); // the owner may
    }

    function test_ownership() external {
        bytes memory why = err(ISIPchain.NotProposedOwner.selector);

        VM.prank(address(0));
        VM.expectRevert(why);
        ledger.acceptOwnership();
        ledger.transferOwnership(MALLORY);
        ledger.transferOwnership(address(0)); // taken back
        VM.prank(MALLORY);
        VM.expectRevert(why);
        ledger.acceptOwnership();
        ledger.transferOwnership(NEW);
        VM.assertEq(ledger.pendingOwner(), NEW, "pending");
        VM.assertEq(ledger.owner(), address(this), "not yet");
        VM.expectRevert(why);
        ledger.acceptOwnership();
        VM.prank(NEW);
        ledger.acceptOwnership();
        VM.assertEq(ledger.owner(), NEW, "owner");
        VM.assertEq(ledger.pendingOwner(), address(0), "done");
        VM.expectRevert(err(ISIPchain.NotOwner.selector));
        ledger.setGuardian(NEW);
        VM.prank(NEW);
        VM.expectRevert(err(ISIPchain.Type.selector));
        ledger.renounceOwnership();
    }

    // --- pause, supersede ---

    function test_pause() external {
        submit(plain(host(1), 7, REPORT));
        VM.expectRevert(err(ISIPchain.NotPaused.selector));
        ledger.unpause();
        ledger.pause();
        VM.assertTrue(ledger.paused(), "paused");
        VM.expectRevert(err(ISIPchain.Paused.selector, 0));
        ledger.pause();
        refused(plain(host(1), 7, REPORT), err(ISIPchain.Paused.selector, 0));
        refused(
            pair(plain(host(1), 7, SPEND), plain(host(1), 7, REPLACE)),
            err(ISIPchain.Paused.selector, 1)
        );
        submit(plain(host(1), 7, SPEND));
        ledger.unpause();
        VM.assertFalse(ledger.paused(), "unpaused");
        submit(plain(host(1), 7, REPORT));
    }

    function test_supersede() external {
        submit(plain(host(1), 7, REPORT));
        VM.expectRevert(err(ISIPchain.Zero.selector, 0));
        ledger.supersede(0);
        ledger.supersede("next");
        VM.assertEq(ledger.superseded(), "next", "successor");
        VM.expectRevert(err(ISIPchain.Superseded.selector, 0));
        ledger.supersede("another");
        VM.expectRevert(err(ISIPchain.Zero.selector, 0));
        ledger.supersede(0);
        refused(
            pair(plain(host(1), 7, SPEND), plain(host(1), 7, REPLACE)),
            err(ISIPchain.Superseded.selector, 1)
        );
        submit(plain(host(1), 7, SPEND));
        ledger.memberSet(1, 2, 2); // the owner may go on
    }

    // --- names ---

    function test_names() external {
        string[19] memory good = [
            "x",
            " ",
            "~",
            string(hex"efbfbd"),
            string(hex"e0a0bf"),
            string(hex"cebb"),
            string(hex"c5bb"),
            string(hex"ef8080"),
            string(hex"efbfbf"),
            string(hex"f0908081"),
            string(hex"f48fbfbf"),
            string(hex"c2a0"),
            string(hex"e0a080"),
            string(hex"ed9fbf"),
            string(hex"ee8080"),
            string(hex"f0908080"),
            string(hex"f3bfbfbf"),
            string(hex"7e41"),
            string(hex"dfbf")
        ];
        string[29] memory bad = [
            string(hex"00"),
            hex"1f",
            hex"7f",
            hex"0a",
            hex"4100",
            hex"80",
            hex"bf",
            hex"c080",
            hex"c1bf",
            hex"c280",
            hex"c29f",
            hex"c2",
            hex"c241",
            hex"e08080",
            hex"e09fbf",
            hex"e0a0",
            hex"e0a0c0",
            hex"eda080",
            hex"edbfbf",
            hex"f08080",
            hex"f0808080",
            hex"f08fbfbf",
            hex"f4908080",
            hex"f5808080",
            hex"ff",
            hex"fe",
            hex"f0908041",
            hex"e18041",
            hex"41c3"
        ];

        for (uint256 k = 0; k < good.length; k++) {
            add(uint16(3 + k), good[k]);
            VM.assertEq(member(uint16(3 + k)).name, good[k], "name");
        }
        for (uint256 k = 0; k < bad.length; k++) {
            VM.expectRevert(err(ISIPchain.Name.selector));
            add(uint16(3 + good.length), bad[k]);
        }
    }

    /// Up to 64 bytes come back as they are, whatever stood there before.
    function testFuzz_namesOfAnyLength(uint256 a, uint256 b) external {
        a = bound(a, 1, 64);
        b = bound(b, 1, 64);
        add(3, letters(a));
        VM.assertEq(member(3).name, letters(a), "name");
        ledger.memberRemove(3);
        add(3, letters(b));
        VM.assertEq(member(3).name, letters(b), "name");
    }

    function letters(uint256 n) private pure returns (string memory) {
        bytes memory text = new bytes(n);

        for (uint256 k = 0; k < n; k++) {
            text[k] = bytes1(uint8(97 + (k * 7 + n) % 26));
        }
        return string(text);
    }

    /// Any bytes: accepted if and only if a decoder written another way accepts them.
    function testFuzz_namesAreCleanText(bytes memory text, uint256 seed) external {
        // Noise is hardly ever UTF-8: a character of any length, then perhaps one bit flipped.
        if (seed % 4 != 0) text = bytes.concat(encode(seed >> 8), encode(seed >> 64));
        if (seed % 8 == 1) {
            text[(seed >> 4) % text.length] ^= bytes1(uint8(1 << ((seed >> 16) % 8)));
        }
        if (!decodes(text)) VM.expectRevert(err(ISIPchain.Name.selector));
        add(3, string(text));
    }

    function encode(uint256 x) private pure returns (bytes memory) {
        uint256 c = [x % 0x80, x % 0x800, x % 0x10000, x % 0x120000][(x >> 21) % 4];

        if (c < 0x80) return abi.encodePacked(uint8(c));
        if (c < 0x800) return abi.encodePacked(uint8(0xc0 | (c >> 6)), uint8(0x80 | (c & 63)));
        if (c < 0x10000) {
            return abi.encodePacked(
                uint8(0xe0 | (c >> 12)), uint8(0x80 | ((c >> 6) & 63)), uint8(0x80 | (c & 63))
            );
        }
        return abi.encodePacked(
            uint8(0xf0 | (c >> 18)),
            uint8(0x80 | ((c >> 12) & 63)),
            uint8(0x80 | ((c >> 6) & 63)),
            uint8(0x80 | (c & 63))
        );
    }

    /// By code points: decode, and ask whether encoding gives the same bytes back.
    function decodes(bytes memory text) private pure returns (bool) {
        uint256 place = 0;

        if (text.length < 1 || text.length > 64) return false;
        while (place < text.length) {
            uint256 lead = uint8(text[place]);
            uint256 n = lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
            uint256 c = n == 1 ? lead : lead & ((1 << (7 - n)) - 1);

            if (place + n > text.length) return false;
            for (uint256 k = 1; k < n; k++) {
                if (uint8(text[place + k]) >> 6 != 2) return false;
                c = (c << 6) | (uint8(text[place + k]) & 63);
            }
            uint256 least = [uint256(0), 0, 0x80, 0x800, 0x10000][n];
            if (c < least || (n == 1 && c > 0x7f) || lead > 0xf7) return false;
            if (c < 0x20 || (c >= 0x7f && c < 0xa0)) return false;
            if ((c >= 0xd800 && c < 0xe000) || c > 0x10ffff) return false;
            place += n;
        }
        return true;
    }
}
