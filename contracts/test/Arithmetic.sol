// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Vm} from "./Vm.sol";

/**
 * @title What the arithmetic of indicators and words must be
 * @notice Written as the design says it, bit by bit and digit by digit, and held against the
 * contract's libraries: by forge on random inputs (Interval.t.sol), by halmos for all inputs
 * (prove/Symbolic.t.sol). The two reach the libraries in different ways.
 */
abstract contract Arithmetic {
    Vm internal constant VM = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    uint256 internal constant IND = (1 << 144) - 1;
    uint256 internal constant VALUE = type(uint128).max;

    // --- the libraries ---

    function contains(uint256 outer, uint256 inner) internal view virtual returns (bool);
    function first(uint256 i) internal view virtual returns (uint256);
    function last(uint256 i) internal view virtual returns (uint256);
    function wellFormed(uint256 i, uint256 v4, uint256 v6, uint256 digits)
        internal
        view
        virtual
        returns (bool);
    function find(bytes memory table, uint256 i) internal view virtual returns (uint256);
    /// indicator, expiry, seat, cell, category, proof, action, stored, spent
    function fields(uint256 w) internal view virtual returns (uint256[9] memory);

    // --- definitions ---

    function kindOf(uint256 i) internal pure returns (uint256) {
        return i >> 136;
    }

    function plenOf(uint256 i) internal pure returns (uint256) {
        return (i >> 128) & 0xff;
    }

    /// The bits of a value that are past a prefix length.
    function beyond(uint256 plen) internal pure returns (uint256) {
        return plen < 128 ? VALUE >> plen : 0;
    }

    /// The first bits of both agree, as many as the outer's prefix length says, and the inner's
    /// is not shorter.
    function isPrefix(uint256 outer, uint256 inner) internal pure returns (bool) {
        return kindOf(outer) == kindOf(inner) && plenOf(outer) <= plenOf(inner)
            && ((outer ^ inner) & VALUE & ~beyond(plenOf(outer))) == 0;
    }

    /// A prefix with no bit set past its length.
    function isClean(uint256 i) internal pure returns (bool) {
        return i <= IND && plenOf(i) <= 128 && i & beyond(plenOf(i)) == 0;
    }

    function digit(uint256 value, uint256 n) internal pure returns (uint256) {
        return (value >> (124 - 4 * n)) & 15;
    }

    /// Digit by digit, as the design says it.
    function isNumber(uint256 plen, uint256 value) internal pure returns (bool) {
        uint256 n = 0;
        uint256 padding = plen == 128 ? 15 : 0;

        if (plen == 128) {
            while (n < 15 && digit(value, n) < 10) n++;
        } else {
            if (plen % 4 != 0 || plen < 4 || plen > 60) return false;
            for (; n < plen / 4; n++) {
                if (digit(value, n) > 9) return false;
            }
        }
        if (n == 0 || digit(value, 0) == 0) return false;
        for (; n < 32; n++) {
            if (digit(value, n) != padding) return false;
        }
        return true;
    }

    function isWellFormed(uint256 i, uint256 v4, uint256 v6, uint256 digits)
        internal
        pure
        returns (bool)
    {
        uint256 kind = kindOf(i);
        uint256 plen = plenOf(i);

        if (kind == 1) return plen >= v4 && plen <= 32 && isClean(i);
        if (kind == 2) return plen >= v6 && isClean(i);
        if (kind == 3) return plen >= 4 * digits && isNumber(plen, i & VALUE);
        return kind >= 4 && kind <= 6 && plen == 128;
    }

    // --- proved ---

    /// What stands past a prefix is as many ones as the prefix lacks of 128 bits. (The definitions
    /// use the same shift as the libraries, which spares the prover hours; so it is asked here.)
    function check_beyond(uint8 plen) public pure {
        VM.assume(plen <= 128);
        assert(beyond(plen) == (uint256(1) << (128 - plen)) - 1);
    }

    /// Containment by bounds is containment by prefix.
    function check_contains(uint256 a, uint256 b) public view {
        VM.assume(isClean(a));
        VM.assume(isClean(b));
        assert(contains(a, b) == isPrefix(a, b));
    }

    /// Intervals that share a point are those of which one is a prefix of the other.
    function check_overlap(uint256 a, uint256 b) public view {
        VM.assume(isClean(a));
        VM.assume(isClean(b));
        bool meet = first(a) <= last(b) && first(b) <= last(a);
        assert(meet == (isPrefix(a, b) || isPrefix(b, a)));
    }

    /// An entry that begins past the last point of the one before is after it and disjoint.
    function check_sorted(uint256 a, uint256 b) public view {
        VM.assume(isClean(a));
        VM.assume(isClean(b));
        bool after_ = kindOf(a) < kindOf(b)
            || (kindOf(a) == kindOf(b)
                && ((a & VALUE) < (b & VALUE)
                    || ((a & VALUE) == (b & VALUE) && plenOf(a) < plenOf(b))));
        assert((first(b) > last(a)) == (after_ && !isPrefix(a, b) && !isPrefix(b, a)));
    }

    /// Each field of a word is where the drawing has it, and nothing else is in it.
    function check_word(
        uint144 indicator,
        uint32 expiry,
        uint32 seat,
        uint24 cell,
        uint8 category,
        uint8 proof,
        uint8 action
    ) public view {
        uint256 w = uint256(
            bytes32(abi.encodePacked(indicator, expiry, seat, cell, category, proof, action))
        );

        uint256[9] memory f = fields(w);

        assert(f[0] == indicator);
        assert(f[1] == expiry);
        assert(f[2] == seat);
        assert(f[3] == cell);
        assert(f[4] == category);
        assert(f[5] == proof);
        assert(f[6] == action);
        assert(f[7] == w - action);
        assert(f[8] == w - (uint256(expiry) << 80));
    }

    /// The two comparisons of an expiry are the one that is made.
    function check_expiry(uint32 expiry, uint32 time, uint32 ttl) public pure {
        bool past = expiry <= time;
        bool far = !past && uint256(expiry) - time > ttl;

        unchecked {
            assert((uint256(expiry) - time - 1 >= ttl) == (past || far));
        }
    }

    /// The shape of addresses and hashes, for every configuration.
    function check_wellFormed(uint144 i, uint8 v4, uint8 v6, uint8 digits) public view {
        VM.assume(v4 <= 32 && v6 <= 128 && digits >= 1 && digits <= 15);
        VM.assume(i >> 136 != 3);
        assert(wellFormed(i, v4, v6, digits) == isWellFormed(i, v4, v6, digits));
    }

    /// The shape of numbers, digit by digit.
    function check_number(uint136 x, uint8 digits) public view {
        uint256 i = (3 << 136) | uint256(x);

        VM.assume(digits >= 1 && digits <= 15);
        assert(wellFormed(i, 8, 16, digits) == isWellFormed(i, 8, 16, digits));
    }

    /// Of a table of one entry: found if and only if they meet, whatever intervals they are.
    /// (Where a search of more goes depends on the outcome of its comparisons only: all there can
    /// be are tried in Interval.t.sol, as its products hide from the prover where it reads.)
    function check_find(uint144 entry, uint144 i) public view {
        bool meet = first(entry) <= last(i) && first(i) <= last(entry);
        assert(find(abi.encodePacked(bytes18(entry)), i) == (meet ? entry : 0));
    }
}
