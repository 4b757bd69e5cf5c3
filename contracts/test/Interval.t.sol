// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Arithmetic} from "./Arithmetic.sol";
import {IIntervalHarness} from "./harness/IIntervalHarness.sol";

/// @title The arithmetic of indicators and words, on random inputs
contract IntervalTest is Arithmetic {
    IIntervalHarness private _harness;

    function setUp() external {
        _harness = IIntervalHarness(VM.deployCode("IntervalHarness.sol:IntervalHarness", ""));

        bytes memory list = _harness.list();

        for (uint256 k = 0; k < list.length; k += 18) {
            uint256 range = 0;

            for (uint256 b = 0; b < 18; b++) {
                range = (range << 8) | uint8(list[k + b]);
            }
            _ranges.push(range);
        }
    }

    function contains(uint256 outer, uint256 inner) internal view override returns (bool) {
        return _harness.contains(outer, inner);
    }

    function first(uint256 i) internal view override returns (uint256) {
        return _harness.first(i);
    }

    function last(uint256 i) internal view override returns (uint256) {
        return _harness.last(i);
    }

    function wellFormed(uint256 i, uint256 v4, uint256 v6, uint256 digits)
        internal
        view
        override
        returns (bool)
    {
        return _harness.wellFormed(i, v4, v6, digits);
    }

    function find(bytes memory table, uint256 i) internal view override returns (uint256) {
        return _harness.find(table, i);
    }

    function fields(uint256 w) internal view override returns (uint256[9] memory) {
        return _harness.fields(w);
    }

    // --- on random inputs ---

    /// Noise made an indicator that means something.
    function tidy(uint256 x) private pure returns (uint256) {
        uint256 kind = 1 + ((x >> 150) & 0xff) % 7;
        uint256 plen = plenOf(x);

        if ((x >> 160) % 2 == 0) plen %= 129;
        if ((x >> 161) % 2 == 0) plen &= 0xfc;
        if ((x >> 162) % 4 == 0) plen = 128;
        if (kind == 1 && (x >> 164) % 4 != 0) plen %= 33;
        x &= VALUE;
        if (plen < 128) x &= ~(VALUE >> plen);
        return (kind << 136) | (plen << 128) | x;
    }

    /// Digits, padding, and sometimes a flaw.
    function numberLike(uint256 x) private pure returns (uint256 i) {
        uint256 n = (x >> 200) % 18;
        uint256 plen = x % 3 == 0 ? 128 : 4 * n;

        for (uint256 k = 0; k < 32; k++) {
            uint256 d = k < n ? (x >> (4 * k)) % 10 : plen == 128 ? 15 : 0;

            if (k == (x >> 220) % 64) d = (x >> 230) % 16;
            i = (i << 4) | d;
        }
        if ((x >> 240) % 8 == 0) plen = (x >> 244) & 0xff;
        return (3 << 136) | (plen << 128) | i;
    }

    function testFuzz_contains(uint256 a, uint256 b, uint8 shared) external view {
        (a, b) = (tidy(a), tidy(b));
        if (shared % 4 != 0 && plenOf(a) <= 128) {
            // b begins as a does, as long as shared says.
            uint256 mask = VALUE >> (shared % 129);
            b = tidy((a & ~mask) | (b & mask) | (b & ~IND));
            b = (b & ~(uint256(0xff) << 136)) | (kindOf(a) << 136);
        }
        if (!isClean(a) || !isClean(b)) return;
        check_contains(a, b);
        check_overlap(a, b);
        check_sorted(a, b);
    }

    function testFuzz_word(uint144 i, uint32 e, uint32 s, uint24 c, uint8 g, uint8 p, uint8 a)
        external
        view
    {
        check_word(i, e, s, c, g, p, a);
    }

    function testFuzz_expiry(uint32 expiry, uint32 time, uint32 ttl) external pure {
        check_expiry(expiry, time, ttl);
        check_expiry(time, time, ttl);
        check_expiry(time, expiry, type(uint32).max);
    }

    function testFuzz_wellFormed(uint256 x, uint8 v4, uint8 v6, uint8 digits) external view {
        (v4, v6, digits) = (v4 % 33, v6 % 129, 1 + digits % 15);
        assert(wellFormed(x & IND, v4, v6, digits) == isWellFormed(x & IND, v4, v6, digits));
        x = tidy(x);
        assert(wellFormed(x, v4, v6, digits) == isWellFormed(x, v4, v6, digits));
    }

    function testFuzz_number(uint256 x, uint8 digits) external view {
        uint256 i = numberLike(x);

        digits = 1 + digits % 15;
        assert(wellFormed(i, 8, 16, digits) == isWellFormed(i, 8, 16, digits));
    }

    function test_everyKind() external view {
        for (uint256 kind = 0; kind < 256; kind++) {
            for (uint256 plen = 0; plen < 256; plen++) {
                uint256 i = (kind << 136) | (plen << 128);

                assert(wellFormed(i, 0, 0, 1) == isWellFormed(i, 0, 0, 1));
                assert(wellFormed(i, 8, 16, 5) == isWellFormed(i, 8, 16, 5));
            }
        }
    }

    /// Up to 40 entries, few kinds and values, so that they meet; by the bits, not the bounds.
    function testFuzz_find(uint256 seed, uint256 y) external view {
        uint256[] memory table = new uint256[](40);
        bytes memory packed;
        uint256 n = 0;
        uint256 found = 0;

        y = tidy(y & ~(VALUE >> 6));
        if (!isClean(y)) return;
        for (uint256 k = 0; k < 40; k++) {
            uint256 x = uint256(keccak256(abi.encode(seed, k))) & ~(VALUE >> 6);
            uint256 i = tidy((x & ~(uint256(0xff) << 150)) | ((k * 7 / 40) << 150));

            if (!isClean(i) || k % 40 > seed % 41) continue;
            if (n > 0 && first(i) <= last(table[n - 1])) continue;
            table[n++] = i;
            packed = bytes.concat(packed, bytes18(uint144(i)));
            if (found == 0 && (isPrefix(i, y) || isPrefix(y, i))) found = i;
        }
        if (n > 0) assert(find(packed, y) == found);
    }

    /// Tables of many sizes, an indicator at each entry and in each gap: every outcome that the
    /// comparisons of a search can have.
    function test_findEveryPlace() external view {
        uint16[10] memory large = [63, 64, 65, 100, 127, 128, 511, 512, 1023, 1024];

        for (uint256 s = 1; s <= 40 + large.length; s++) {
            uint256 n = s <= 40 ? s : large[s - 41];
            bytes memory table = new bytes(18 * n);

            for (uint256 k = 0; k < n; k++) {
                bytes18 entry = bytes18(uint144(host(2 * k + 1)));

                for (uint256 b = 0; b < 18; b++) {
                    table[18 * k + b] = entry[b];
                }
            }
            for (uint256 k = 0; k <= 2 * n; k++) {
                assert(find(table, host(k)) == (k % 2 == 1 ? host(k) : 0));
            }
            assert(find(table, (1 << 136) | (1 << 128)) == host(1)); // around them all
            assert(find(table, 0) == 0 && find(table, IND) == 0);
        }
    }

    function host(uint256 n) private pure returns (uint256) {
        return (1 << 136) | (32 << 128) | (n << 96);
    }

    // --- unroutable ranges ---

    uint256[] private _ranges;

    function named(uint256 i) private view returns (uint256 inside) {
        return named(_ranges, i);
    }

    /// As unroutable_find() of the local ledger does it, over all of the list.
    function named(uint256[] memory ranges, uint256 i) private pure returns (uint256 inside) {
        for (uint256 k = 0; k < ranges.length; k++) {
            if (isPrefix(ranges[k], i)) return ranges[k];
            if (inside == 0 && isPrefix(i, ranges[k])) inside = ranges[k];
        }
    }

    function test_unroutableList() external view {
        assert(_ranges.length == 36);
        for (uint256 k = 0; k < 36; k++) {
            uint256 i = _ranges[k];

            assert(isWellFormed(i, 0, 0, 1));
            assert(kindOf(i) == (k < 16 ? 1 : 2));
            assert(named(i) == i);
            if (plenOf(i) >= (k < 16 ? 8 : 16)) assert(_harness.unroutable(i) == i);
        }
    }

    /// Every first octet, every length; every first group.
    function test_unroutableBeginnings() external view {
        uint256[] memory ranges = _ranges;

        for (uint256 octet = 0; octet < 256; octet++) {
            for (uint256 plen = 8; plen <= 32; plen += 3) {
                uint256 i = (1 << 136) | (plen << 128) | (octet << 120);

                assert(_harness.unroutable(i) == named(ranges, i));
            }
        }
        for (
            uint256 group = 0; group < 0x10000; group += group < 0x110 || group >= 0xff00 ? 1 : 13) {
            uint256 i = (2 << 136) | (16 << 128) | (group << 112);

            assert(_harness.unroutable(i) == named(ranges, i));
        }
    }

    /// Addresses at and beside the ranges, of every length.
    function testFuzz_unroutable(uint256 x) external view {
        uint256 range = _ranges[(x >> 200) % 36];
        uint256 kind = kindOf(range);
        uint256 plen = kind == 1 ? 8 + (x >> 210) % 25 : 16 + (x >> 210) % 113;
        // The range's bits, one of them flipped perhaps, noise behind.
        uint256 value = (range & VALUE) ^ (x & (VALUE >> plenOf(range)));

        if ((x >> 220) % 3 == 0) value ^= 1 << (127 - (x >> 230) % 50);
        value &= ~(plen < 128 ? VALUE >> plen : 0);
        x = (kind << 136) | (plen << 128) | value;
        assert(_harness.unroutable(x) == named(x));
    }
}
