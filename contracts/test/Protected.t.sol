// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISIPchain} from "./ISIPchain.sol";
import {LedgerTest} from "./LedgerTest.sol";

/// @title What nobody may report, whichever way round
contract ProtectedTest is LedgerTest {
    uint144[] private _table;

    function setUp() public override {
        super.setUp();
        ledger.configure(settings(8, 16, 1, true, TTL, 2)); // the widest reports
    }

    function bytesOf(uint144[] memory table) private pure returns (bytes memory text) {
        for (uint256 k = 0; k < table.length; k++) {
            text = bytes.concat(text, bytes18(table[k]));
        }
    }

    function test_keptAsCode() external {
        bytes memory table = abi.encodePacked(host(1), host(2), prefix(3, 8, 0x44 << 120));

        ledger.protect(table);
        VM.assertEq(ledger.protectedTable(), table, "as it was given");

        // Slot 6: the configuration in the low 12 bytes, the code's address above.
        bytes32 slot = VM.load(address(ledger), bytes32(uint256(6)));
        address where = address(bytes20(slot));

        VM.assertEq(bytes12(uint96(uint256(slot))), ledger.config(), "config");
        VM.assertEq(where.code, bytes.concat(hex"00", table), "a STOP, then the table");
        (bool ok, bytes memory answer) = where.call("");
        VM.assertTrue(ok && answer.length == 0, "it does nothing");
        ledger.protect("");
        VM.assertEq(ledger.protectedTable(), "", "none");
        submit(plain(host(1), 1, REPORT));
    }

    function test_largestTable() external {
        bytes memory table;

        for (uint256 k = 0; k < 1024; k++) {
            table = bytes.concat(table, bytes18(host(2 * k)));
        }
        ledger.protect(table);
        VM.assertEq(ledger.protectedTable(), table, "as it was given");
        for (uint256 k = 0; k < 1024; k += 31) {
            submit(plain(host(2 * k + 1), 1, REPLACE));
            refused(
                plain(host(2 * k), 1, REPLACE), err(ISIPchain.Protected.selector, 0, host(2 * k))
            );
        }
        VM.expectRevert(err(ISIPchain.TableTooLarge.selector));
        ledger.protect(bytes.concat(table, bytes18(host(3000))));
        VM.expectRevert(err(ISIPchain.TableTooLarge.selector));
        ledger.protect(bytes.concat(table, hex"00"));
    }

    /// When the gas does not suffice to keep the new table, the old one stays.
    function test_outOfGas() external {
        bytes memory table;

        for (uint256 k = 0; k < 1024; k++) {
            table = bytes.concat(table, bytes18(host(2 * k)));
        }
        ledger.protect(abi.encodePacked(host(1)));
        (bool ok, bytes memory why) =
            address(ledger).call{gas: 3_500_000}(abi.encodeCall(ISIPchain.protect, (table)));
        VM.assertFalse(ok, "refused");
        VM.assertEq(why, "", "without a reason");
        VM.assertEq(ledger.protectedTable(), abi.encodePacked(host(1)), "the old one");
        (ok,) = address(ledger).call{gas: 100_000_000}(abi.encodeCall(ISIPchain.protect, (table)));
        VM.assertTrue(ok, "with enough");
    }

    function tableRefused(bytes memory table, bytes memory why) private {
        VM.expectRevert(why);
        ledger.protect(table);
    }

    function test_badTables() external {
        bytes18 a = bytes18(ip4(0x2d000000, 24));
        bytes18 within = bytes18(ip4(0x2d000040, 26));
        bytes18 around = bytes18(ip4(0x2d000000, 16));
        bytes18 next = bytes18(ip4(0x2d000100, 24));
        bytes4 unsorted = ISIPchain.TableUnsorted.selector;
        bytes4 malformed = ISIPchain.Indicator.selector;

        tableRefused(bytes.concat(a, a), err(unsorted, 1));
        tableRefused(bytes.concat(next, a), err(unsorted, 1));
        tableRefused(bytes.concat(a, within), err(unsorted, 1));
        tableRefused(bytes.concat(around, a), err(unsorted, 1));
        tableRefused(bytes.concat(a, around), err(unsorted, 1));
        tableRefused(
            bytes.concat(a, next, bytes18(prefix(2, 128, 1)), bytes18(prefix(2, 127, 0))),
            err(unsorted, 3)
        );
        tableRefused(bytes.concat(bytes18(prefix(2, 128, 0)), a), err(unsorted, 1)); // by kind first
        tableRefused(bytes.concat(a, bytes18(ip4(0x2d000101, 24))), err(malformed, 1));
        tableRefused(bytes.concat(a, bytes18(ip4(0x2d000101, 33))), err(malformed, 1));
        tableRefused(bytes.concat(bytes18(0), a), err(malformed, 0));
        tableRefused(bytes.concat(bytes18(prefix(7, 128, 0))), err(malformed, 0));
        tableRefused(bytes.concat(bytes18(prefix(3, 0, 0))), err(malformed, 0)); // no digit
        tableRefused(bytes.concat(a, hex"01"), err(malformed, 1));
        tableRefused(hex"0101", err(malformed, 0));
        // Wider than any report may be, and everything there is.
        ledger.protect(
            bytes.concat(
                bytes18(prefix(1, 0, 0)),
                bytes18(prefix(2, 0, 0)),
                bytes18(prefix(3, 4, 1 << 124)),
                bytes18(prefix(4, 128, 0)),
                bytes18(prefix(6, 128, type(uint128).max))
            )
        );
        refused(plain(host(1), 1, REPORT), err(ISIPchain.Protected.selector, 0, prefix(1, 0, 0)));
        refused(
            plain(prefix(3, 128, (uint128(0x149) << 116) | ((1 << 116) - 1)), 1, REPORT),
            err(ISIPchain.Protected.selector, 0, prefix(3, 4, 1 << 124))
        );
        submit(plain(prefix(3, 128, (uint128(0x249) << 116) | ((1 << 116) - 1)), 1, REPORT));
        submit(plain(prefix(5, 128, 0), 2, REPORT));
    }

    function test_objectionsToo() external {
        Report memory r = plain(host(1), 1, REPORT);

        ledger.protect(abi.encodePacked(host(1)));
        r.category = OBJECTION;
        refused(r, err(ISIPchain.Protected.selector, 0, host(1)));
    }

    function test_firstOfSeveralIsNamed() external {
        ledger.protect(abi.encodePacked(host(1), host(3), host(4), host(9)));
        refused(
            plain(ip4(0x2d000000, 30), 1, REPORT), err(ISIPchain.Protected.selector, 0, host(1))
        );
        refused(
            plain(ip4(0x2d000002, 31), 1, REPORT), err(ISIPchain.Protected.selector, 0, host(3))
        );
        refused(plain(ip4(0x2d000000, 8), 1, REPORT), err(ISIPchain.Protected.selector, 0, host(1)));
        submit(plain(ip4(0x2d000006, 31), 1, REPORT));
    }

    /// Any table, any indicator: refused if and only if one lies in the other, by their bits.
    function testFuzz_bothWays(uint256 seed, uint256 kind, uint256 plen, uint256 value) external {
        uint144[] memory table = makeTable(seed);
        uint144 i = make(kind, plen, value);
        uint144 conflict = 0;

        for (uint256 k = 0; k < table.length && conflict == 0; k++) {
            if (inside(i, table[k]) || inside(table[k], i)) conflict = table[k];
        }
        ledger.protect(bytesOf(table));
        if (conflict == 0) submit(plain(i, 1, REPORT));
        else refused(plain(i, 1, REPORT), err(ISIPchain.Protected.selector, 0, conflict));
    }

    /// By the bits themselves, as the design says it: same kind, and the shorter is the beginning.
    function inside(uint144 inner, uint144 outer) private pure returns (bool) {
        uint256 plen = (outer >> 128) & 0xff;

        if (inner >> 136 != outer >> 136 || plen > (inner >> 128) & 0xff) return false;
        for (uint256 bit = 0; bit < plen; bit++) {
            if ((inner >> (127 - bit)) & 1 != (outer >> (127 - bit)) & 1) return false;
        }
        return true;
    }

    /// A well-formed indicator, in a corner small enough for collisions.
    function make(uint256 kind, uint256 plen, uint256 value) private pure returns (uint144) {
        uint128 v = uint128(value % 64) << 122;

        kind = 1 + kind % 4;
        if (kind == 4) return prefix(4, 128, v);
        if (kind == 3) {
            v = uint128(0x1111 + (value % 8) * 0x100 + ((value >> 8) % 8) * 0x10) << 112;
            if (plen % 5 == 0) return prefix(3, 128, v | type(uint128).max >> 16);
            plen = 4 * (1 + plen % 4);
        } else {
            plen = (kind == 1 ? 8 : 16) + plen % 17;
            v = uint128(0x2d) << 120 | v >> 8 | uint128(value >> 6) % 16 << (kind == 1 ? 104 : 96);
        }
        return prefix(uint8(kind), uint8(plen), v & ~(type(uint128).max >> plen));
    }

    /// As many of some indicators as stay sorted and disjoint.
    function makeTable(uint256 seed) private returns (uint144[] memory) {
        delete _table;
        for (uint256 k = 0; k < seed % 40; k++) {
            uint256 x = uint256(keccak256(abi.encode(seed, k)));
            uint144 i = make(x, (x >> 32) % 2 == 0 ? 16 : x >> 64, x >> 128);
            bool clash = false;
            uint256 place = _table.length;

            for (uint256 j = 0; j < _table.length; j++) {
                if (inside(i, _table[j]) || inside(_table[j], i)) clash = true;
            }
            if (clash) continue;
            _table.push(i);
            while (place > 0 && point(_table[place - 1]) > point(i)) {
                _table[place] = _table[place - 1];
                place--;
            }
            _table[place] = i;
        }
        return _table;
    }

    function point(uint144 i) private pure returns (uint256) {
        return ((uint256(i) >> 136) << 128) | uint128(i);
    }
}
