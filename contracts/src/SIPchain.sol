// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";

/**
 * @title Indicators as intervals
 * @notice An indicator is 144 bits, `kind 8 | plen 8 | value 128`, with the value left-justified:
 * an interval [first, last] in the one ordered space of (kind, value). The kind stands in the
 * upper bits of both bounds, so intervals of two kinds never meet, and containment and overlap
 * are comparisons of numbers. Two prefixes are disjoint or one lies in the other.
 * @dev Here an indicator is the lower 144 bits of a uint256, as `word >> 112` gives it.
 */
library Interval {
    /// @dev Kinds of indicators: an IPv4 prefix.
    uint256 internal constant IP4 = 1;
    /// @dev An IPv6 prefix.
    uint256 internal constant IP6 = 2;
    /// @dev A telephone number or prefix of numbers (E.164), in BCD digits from the left.
    uint256 internal constant NUMBER = 3;
    /// @dev The only prefix length of the kinds 4 to 6 (URI, domain, user agent), whose value is
    /// a hash, in a byte for each.
    // Three bytes of 128 above four of zero.
    // slither-disable-next-line too-many-digits
    uint256 private constant HASHED = 0x80808000000000;
    /// @dev Bytes of an indicator, and so of an entry of a table.
    uint256 internal constant SIZE = 18;

    /// @dev All bits of a value.
    uint256 private constant VALUE = 0xffffffffffffffffffffffffffffffff;
    /// @dev All bits of an indicator but those of its prefix length.
    uint256 private constant POINT = 0xff00ffffffffffffffffffffffffffffffff;
    /// @dev The same in the upper bits of 256.
    // 18 bytes, the second zero, above 14 of zero.
    // slither-disable-next-line too-many-digits
    uint256 private constant POINT_LEFT =
        0xff00ffffffffffffffffffffffffffffffff0000000000000000000000000000;
    /// @dev The odd powers of 2: after so many entries, find() has an odd number of steps to do.
    uint256 private constant ODD_STEPS = 0x2aaaaaaa;
    /// @dev The lowest bit of each of a value's 32 digits.
    uint256 private constant DIGITS = VALUE / 15;
    /// @dev What an exact number of 15 digits, the most there are, has as its padding: 17 Fs.
    uint256 private constant PADDING = (1 << 68) - 1;
    /// @dev The first octets with an unroutable range in them; 224 to 255 are wholly so.
    uint256 private constant IP4_OCTETS = (1 << 0) | (1 << 10) | (1 << 100) | (1 << 127)
        | (1 << 169) | (1 << 172) | (1 << 192) | (1 << 198) | (1 << 203) | (0xffffffff << 224);

    /// @notice Bytes of the IPv4 ranges, which come first in UNROUTABLE.
    uint256 internal constant UNROUTABLE_IP4 = 16 * SIZE;
    /**
     * @notice The ranges that IANA's special-purpose address registries do not call globally
     * reachable, and multicast, as entries of 18 bytes. Where one lies in another the narrower
     * stands first, so that it is named.
     */
    // Each line has its address beside it.
    // slither-disable-next-line too-many-digits
    bytes internal constant UNROUTABLE = hex"010800000000000000000000000000000000" // 0.0.0.0/8 RFC 791
        hex"01080a000000000000000000000000000000" // 10.0.0.0/8 RFC 1918
        hex"010a64400000000000000000000000000000" // 100.64.0.0/10 RFC 6598
        hex"01087f000000000000000000000000000000" // 127.0.0.0/8 RFC 1122
        hex"0110a9fe0000000000000000000000000000" // 169.254.0.0/16 RFC 3927
        hex"010cac100000000000000000000000000000" // 172.16.0.0/12 RFC 1918
        hex"0118c0000000000000000000000000000000" // 192.0.0.0/24 RFC 6890
        hex"0118c0000200000000000000000000000000" // 192.0.2.0/24 RFC 5737
        hex"0118c0586300000000000000000000000000" // 192.88.99.0/24 RFC 7526
        hex"0110c0a80000000000000000000000000000" // 192.168.0.0/16 RFC 1918
        hex"010fc6120000000000000000000000000000" // 198.18.0.0/15 RFC 2544
        hex"0118c6336400000000000000000000000000" // 198.51.100.0/24 RFC 5737
        hex"0118cb007100000000000000000000000000" // 203.0.113.0/24 RFC 5737
        hex"0104e0000000000000000000000000000000" // 224.0.0.0/4 RFC 5771
        hex"0120ffffffff000000000000000000000000" // 255.255.255.255/32 RFC 919
        hex"0104f0000000000000000000000000000000" // 240.0.0.0/4 RFC 1112
        hex"028000000000000000000000000000000001" // ::1/128 RFC 4291
        hex"028000000000000000000000000000000000" // ::/128 RFC 4291
        hex"026000000000000000000000ffff00000000" // ::ffff:0:0/96 RFC 4291
        hex"026000000000000000000000000000000000" // ::/96 RFC 4291
        hex"02300064ff9b000100000000000000000000" // 64:ff9b:1::/48 RFC 8215
        hex"024001000000000000000000000000000000" // 100::/64 RFC 6666
        hex"024001000000000000010000000000000000" // 100:0:0:1::/64 RFC 9780
        hex"022020010000000000000000000000000000" // 2001::/32 RFC 4380
        hex"023020010002000000000000000000000000" // 2001:2::/48 RFC 5180
        hex"021c20010010000000000000000000000000" // 2001:10::/28 RFC 4843
        hex"021c20010020000000000000000000000000" // 2001:20::/28 RFC 7343
        hex"021720010000000000000000000000000000" // 2001::/23 RFC 2928
        hex"022020010db8000000000000000000000000" // 2001:db8::/32 RFC 3849
        hex"021020020000000000000000000000000000" // 2002::/16 RFC 3056
        hex"02143fff0000000000000000000000000000" // 3fff::/20 RFC 9637
        hex"02105f000000000000000000000000000000" // 5f00::/16 RFC 9602
        hex"0207fc000000000000000000000000000000" // fc00::/7 RFC 4193
        hex"020afe800000000000000000000000000000" // fe80::/10 RFC 4291
        hex"020afec00000000000000000000000000000" // fec0::/10 RFC 3879
        hex"0208ff000000000000000000000000000000"; // ff00::/8 RFC 4291

    /**
     * @notice The lowest point of an indicator.
     * @param i the indicator
     * @return it with the bits of the prefix length cleared: these numbers are in the order of
     * kind, then value
     */
    function first(uint256 i) internal pure returns (uint256) {
        return i & POINT;
    }

    /**
     * @notice The highest point of an indicator.
     * @param i the indicator; a prefix length past 128 counts as 128
     * @return its lowest point with all bits past the prefix length set
     */
    function last(uint256 i) internal pure returns (uint256) {
        return (i & POINT) | (VALUE >> ((i >> 128) & 0xff));
    }

    /**
     * @notice Whether one indicator lies inside another; each lies inside itself.
     * @param outer the one around
     * @param inner the one inside
     * @return whether every point of inner is one of outer
     */
    function contains(uint256 outer, uint256 inner) internal pure returns (bool) {
        return first(outer) <= first(inner) && last(inner) <= last(outer);
    }

    /**
     * @notice The prefix lengths that each kind may have, for wellFormed().
     * @param v4 the shortest of an IPv4 prefix
     * @param v6 the shortest of an IPv6 prefix
     * @param digits the fewest digits of a number prefix
     * @return the shortest, a byte for each kind, and 128 bits above it how many from there on
     */
    function lengths(uint256 v4, uint256 v6, uint256 digits) internal pure returns (uint256) {
        uint256 e164 = 4 * digits;
        uint256 shortest = (v4 << 8) | (v6 << 16) | (e164 << 24) | HASHED;
        uint256 counts = ((33 - v4) << 8) | ((129 - v6) << 16) | ((129 - e164) << 24) | HASHED / 128;

        return (counts << 128) | shortest;
    }

    /**
     * @notice Whether an indicator has the form that its kind asks for: a known kind, a prefix
     * length that is allowed, no bits past it, decimal digits in numbers.
     * @param i the indicator
     * @param allowed the lengths(): for the widest of each kind those of 0, 0 and 1
     * @return whether it has
     */
    function wellFormed(uint256 i, uint256 allowed) internal pure returns (bool) {
        uint256 kind = i >> 136;
        uint256 plen = (i >> 128) & 0xff;

        unchecked {
            // One comparison for both ends: what is shorter wraps around. A kind past the last
            // finds no length allowed.
            allowed >>= kind << 3;
            if (plen - (allowed & 0xff) >= (allowed >> 128) & 0xff) return false;
        }
        if (kind < NUMBER) return i & (VALUE >> plen) == 0;
        return kind != NUMBER || _isNumber(plen, i & VALUE);
    }

    /**
     * @dev A number prefix is 1 to 15 decimal digits, then zeros, 4 bits of length a digit; an
     * exact number as many digits, then Fs, and 128. No country code begins with 0.
     * @param plen the prefix length, at least 4
     * @param value the 128 bits of digits
     * @return whether they are a number's
     */
    function _isNumber(uint256 plen, uint256 value) private pure returns (bool) {
        // A bit for each digit that is not decimal: 8 and (4 or 2) are set in it.
        uint256 others = (value >> 3) & ((value >> 2) | (value >> 1)) & DIGITS;

        if (value >> 124 == 0) return false;
        if (plen != 128) {
            return others == 0 && plen & 3 == 0 && plen <= 60 && value & (VALUE >> plen) == 0;
        }
        // They must be the last ones without a gap (one less than a power of 2 when all their
        // bits are set), at least 17, not all 32, and each an F.
        others *= 15;
        return others & (others + 1) == 0 && others >= PADDING && others != VALUE
            && value & others == others;
    }

    /**
     * @notice Where find() begins in a table.
     * @param count the table's entries, at least 1
     * @return step the greatest power of 2 that is not more than count, in bytes of entries
     */
    function firstStep(uint256 count) internal pure returns (uint256 step) {
        step = SIZE;
        for (; count > 1; count >>= 1) {
            step <<= 1;
        }
    }

    /**
     * @notice The entry of a table that an indicator overlaps, either way round; of several the
     * first.
     * @param table where in memory the table's first entry stands: 18 bytes each, sorted and
     * disjoint, at least one
     * @param end where it ends
     * @param step firstStep() of its count
     * @param i the indicator
     * @return found the entry; 0 when there is none
     */
    // Assembly: see inside.
    // slither-disable-next-line assembly
    function find(uint256 table, uint256 end, uint256 step, uint256 i)
        internal
        pure
        returns (uint256 found)
    {
        uint256 point = last(i);
        uint256 place; // of the last entry that begins at or before point; none: before the table

        // Assembly: this is the dearest part of a report after its storage, and Solidity would
        // check bounds and assemble each entry from bytes.
        assembly ("memory-safe") {
            // The first step chooses between the entries before the one it asks and as many up
            // to the end; from then on each halves what is left, and none leaves the table.
            point := shl(112, point)
            place := sub(table, SIZE)
            if iszero(gt(and(mload(add(place, step)), POINT_LEFT), point)) {
                place := sub(end, step)
            }
            // Two steps in a round, as a round costs as much as half a step; so one before them if
            // their number is odd. A product, as it is cheaper than a jump.
            if and(div(step, SIZE), ODD_STEPS) {
                step := shr(1, step)
                place := add(
                    place,
                    mul(step, iszero(gt(and(mload(add(place, step)), POINT_LEFT), point)))
                )
            }
            for {} gt(step, SIZE) {} {
                step := shr(1, step)
                place := add(
                    place,
                    mul(step, iszero(gt(and(mload(add(place, step)), POINT_LEFT), point)))
                )
                step := shr(1, step)
                place := add(
                    place,
                    mul(step, iszero(gt(and(mload(add(place, step)), POINT_LEFT), point)))
                )
            }
        }
        if (place < table) return 0;
        // None of those before it ends later. So if it does not reach i, none does.
        point = first(i);
        for (uint256 entry = load(place); point <= last(entry); entry = load(place)) {
            found = entry;
            if (place == table) break;
            unchecked {
                place -= SIZE;
            }
        }
    }

    /**
     * @notice Whether an address may overlap an unroutable range: a cheap look at its first
     * bits, after which scan() is for few.
     * @param i a well-formed indicator; an IPv4 one of at least /8, an IPv6 one of at least /16
     * @return false when it overlaps none for certain
     */
    function suspect(uint256 i) internal pure returns (bool) {
        uint256 kind = i >> 136;

        if (kind == IP4) return (IP4_OCTETS >> ((i >> 120) & 0xff)) & 1 != 0;
        if (kind != IP6) return false;

        uint256 group = (i >> 112) & 0xffff;

        if (group == 0x2001) {
            // Much of it is ordinary: only 2001::/23 and 2001:db8::/32 are not.
            uint256 second = (i >> 96) & 0xffff;
            return (i >> 128) & 0xff < 32 || second < 0x200 || second == 0xdb8;
        }
        return
            group <= 0x100 || group == 0x2002 || group == 0x3fff || group == 0x5f00
                || group >= 0xfc00;
    }

    /**
     * @notice The unroutable range to name: the first around an indicator, else the first
     * inside it.
     * @param ranges where in memory the bytes of UNROUTABLE stand
     * @param i an IPv4 or IPv6 indicator
     * @return inside the range; 0 when it overlaps none
     */
    function scan(uint256 ranges, uint256 i) internal pure returns (uint256 inside) {
        uint256 end = ranges + UNROUTABLE_IP4;

        if (i >> 136 == IP6) (ranges, end) = (end, ranges + UNROUTABLE.length);
        for (; ranges < end; ranges += SIZE) {
            uint256 range = load(ranges);

            if (contains(range, i)) return range;
            if (inside == 0 && contains(i, range)) inside = range;
        }
    }

    /**
     * @notice An indicator as it stands in a table and in an error.
     * @param i the indicator
     * @return its 18 bytes
     */
    function toBytes(uint256 i) internal pure returns (bytes18) {
        // An indicator has no more than 144 bits.
        // forge-lint: disable-next-line(unsafe-typecast)
        return bytes18(uint144(i));
    }

    /**
     * @notice The entry at an address in memory.
     * @param pointer the address of its first byte
     * @return entry the indicator there
     */
    // Assembly: Solidity cannot read memory at an address.
    // slither-disable-next-line assembly
    function load(uint256 pointer) internal pure returns (uint256 entry) {
        assembly ("memory-safe") {
            entry := shr(112, mload(pointer))
        }
    }
}

/**
 * @title Report words
 * @notice A report is 256 bits: `indicator 144 | expiry 32 (unix seconds) | member 16 |
 * generation 16 | cell 24 | category 8 | proof 8 | action 8`. A stored word's action is zero.
 */
library Word {
    /// @dev Into an empty or dead cell, or over the same indicator.
    uint256 internal constant REPORT = 0;
    /// @dev Over whatever the cell holds.
    uint256 internal constant REPLACE = 1;
    /// @dev Ends what the cell holds.
    uint256 internal constant SPEND = 2;
    /// @dev The category that speaks for an indicator.
    uint256 internal constant OBJECTION = 255;

    /**
     * @notice What a word is about.
     * @param w the word
     * @return its kind, prefix length and value: 144 bits
     */
    function indicator(uint256 w) internal pure returns (uint256) {
        return w >> 112;
    }

    /**
     * @notice When a word dies.
     * @param w the word
     * @return unix seconds
     */
    function expiry(uint256 w) internal pure returns (uint256) {
        return (w >> 80) & 0xffffffff;
    }

    /**
     * @notice A word's member and generation, which one comparison asks for.
     * @param w the word
     * @return member << 16 | generation
     */
    function seat(uint256 w) internal pure returns (uint256) {
        return (w >> 48) & 0xffffffff;
    }

    /**
     * @notice The cell of its member that a word is for.
     * @param w the word
     * @return the cell's number, 24 bits
     */
    function cell(uint256 w) internal pure returns (uint256) {
        return (w >> 24) & 0xffffff;
    }

    /**
     * @notice What the indicator is said to have done, or that it is spoken for.
     * @param w the word
     * @return the category, 8 bits
     */
    function category(uint256 w) internal pure returns (uint256) {
        return (w >> 16) & 0xff;
    }

    /**
     * @notice Why the source is believed to be real.
     * @param w the word
     * @return the class of proof, 8 bits
     */
    function proof(uint256 w) internal pure returns (uint256) {
        return (w >> 8) & 0xff;
    }

    /**
     * @notice What a submitted word asks for.
     * @param w the word
     * @return the action, 8 bits
     */
    function action(uint256 w) internal pure returns (uint256) {
        return w & 0xff;
    }

    /**
     * @notice A word as it is stored.
     * @param w the word submitted
     * @return it with a zero action
     */
    function stored(uint256 w) internal pure returns (uint256) {
        return w & ~uint256(0xff);
    }

    /**
     * @notice A stored word, spent. It is not cleared: to write a new report over what is not
     * zero costs a quarter.
     * @param w the stored word
     * @return it with a zero expiry
     */
    function spent(uint256 w) internal pure returns (uint256) {
        return w & ~(uint256(0xffffffff) << 80);
    }
}

/**
 * @title SIPchain: the ledger of a consortium's reports about SIP attackers
 * @notice Members report indicators (addresses, numbers, hashed names) for a limited time, into
 * numbered cells of which each has a capped number; they refresh, replace and spend only their
 * own. The owner admits and removes members, protects indicators from being reported and
 * configures; a guardian may suspend and pause. Nothing can be upgraded: a successor is
 * announced by supersede().
 *
 * Every operation is one event with its canonical bytes,
 *
 *     type u8 | seq u64 | time u32 | actor 20 bytes | body
 *
 * and is hashed into the tip of its chain, tip' = keccak256(tip, operation): chain 0 is the
 * members' (batches), chain 1 the administrative one. Who folds the events and meets the tips has
 * missed nothing. The bodies stand beside the functions.
 *
 * Storage that proofs may rely on: slot 0 owner, 1 pending owner, 2 members' tip, 3 its sequence
 * number (low 8 bytes) and block (next 8), 4 and 5 the same of the administrative chain; a
 * member's cell at `CELLS | member << 24 | cell`.
 *
 * @dev The order of the checks is that of the local ledger, so that both refuse the same
 * operation for the same reason. An error that belongs to a list (a batch, a table, signers)
 * carries the number of the entry, which is 0 where there is no list.
 */
contract SIPchain is Ownable2Step {
    /**
     * @notice One operation of either chain.
     * @param chain 0: members', 1: administrative
     * @param seq the operation's number in its chain, from 0
     * @param tipBefore the chain's tip before it
     * @param blockBefore the number of the block with the chain's operation before it; 0 for the
     * first
     * @param operation its canonical bytes
     */
    event Operation(
        uint8 indexed chain,
        uint64 indexed seq,
        bytes32 tipBefore,
        uint64 blockBefore,
        bytes operation
    );

    /// @notice There is no such operation (renouncing the ownership).
    error Type();
    /// @notice Only the owner may do this.
    error NotOwner();
    /// @notice Only the guardian or the owner may do this.
    error NotGuardian();
    /// @notice The sender is not a signer of this member.
    error NotSigner();
    /// @notice The ownership has not been offered to the sender.
    error NotProposedOwner();
    /// @notice No such member; a new one takes the index after the last.
    error MemberUnknown();
    /// @notice This member is there already.
    error MemberExists();
    /// @notice The member is suspended or removed.
    error MemberNotActive();
    /// @notice The member is not suspended.
    error MemberNotSuspended();
    /// @notice The member was removed.
    error MemberRemoved();
    /// @notice This index was removed 65535 times.
    error Generations();
    /**
     * @notice The address is a member's signer already.
     * @param entry its place in the list
     */
    error SignerTaken(uint256 entry);
    /// @notice The address is not a signer of this member.
    error SignerUnknown();
    /// @notice A member has at most 8 signers.
    error SignerLimit();
    /**
     * @notice All zeros stand for nobody.
     * @param entry its place in the list
     */
    error Zero(uint256 entry);
    /**
     * @notice The ledger is paused: only spends pass.
     * @param entry the word's place in the batch
     */
    error Paused(uint256 entry);
    /// @notice The ledger is not paused.
    error NotPaused();
    /**
     * @notice The ledger has a successor: only spends pass.
     * @param entry the word's place in the batch
     */
    error Superseded(uint256 entry);
    /// @notice A batch needs a word.
    error BatchEmpty();
    /// @notice A batch has at most 256 words and 65536 bytes of texts.
    error BatchTooLarge();
    /**
     * @notice The action is none of 0 (report), 1 (replace) and 2 (spend).
     * @param entry the word's place in the batch
     */
    error ActionUnknown(uint256 entry);
    /**
     * @notice The word carries another member's index.
     * @param entry the word's place in the batch
     */
    error WrongMember(uint256 entry);
    /**
     * @notice The word carries another generation than the member's.
     * @param entry the word's place in the batch
     */
    error WrongGeneration(uint256 entry);
    /**
     * @notice The cell lies past the member's cap.
     * @param entry the word's place in the batch
     */
    error CellOverCap(uint256 entry);
    /**
     * @notice The cell holds another live report, and the word does not replace.
     * @param entry the word's place in the batch
     */
    error CellLive(uint256 entry);
    /**
     * @notice The cell to be spent holds no live report.
     * @param entry the word's place in the batch
     */
    error CellNotLive(uint256 entry);
    /**
     * @notice The cell to be spent holds another indicator.
     * @param entry the word's place in the batch
     */
    error CellMismatch(uint256 entry);
    /**
     * @notice The indicator is malformed or wider than the configuration allows.
     * @param entry its place in the batch or table
     */
    error Indicator(uint256 entry);
    /**
     * @notice The address is not a source on the Internet.
     * @param entry the word's place in the batch
     * @param conflict the range that it overlaps
     */
    error Unroutable(uint256 entry, bytes18 conflict);
    /**
     * @notice The expiry has passed.
     * @param entry the word's place in the batch
     */
    error ExpiryPast(uint256 entry);
    /**
     * @notice The expiry is further off than the configuration's longest time to live.
     * @param entry the word's place in the batch
     */
    error ExpiryTooFar(uint256 entry);
    /**
     * @notice The category is none of 1 to 8 and 255.
     * @param entry the word's place in the batch
     */
    error Category(uint256 entry);
    /**
     * @notice The class of proof is none of 0 to 8.
     * @param entry the word's place in the batch
     */
    error Proof(uint256 entry);
    /**
     * @notice The indicator overlaps the protected table.
     * @param entry the word's place in the batch
     * @param conflict the table's entry
     */
    error Protected(uint256 entry, bytes18 conflict);
    /**
     * @notice The entry is not after, or overlaps, the one before it.
     * @param entry its place in the table or list
     */
    error TableUnsorted(uint256 entry);
    /// @notice The protected table has at most 1024 entries.
    error TableTooLarge();
    /// @notice A name is 1 to 64 bytes of UTF-8 without control characters.
    error Name();
    /// @notice The weight must be 1 to 65535.
    error Weight();
    /// @notice The cap must be 1 to 2^24 cells.
    error Cap();
    /// @notice A number of the configuration is out of its range.
    error Config();

    /// @dev The end of one of the two chains: two slots.
    struct Tip {
        bytes32 hash;
        uint64 seq;
        uint64 number;
    }

    /// @dev What every batch reads: one slot.
    struct Rules {
        uint96 config;
        address table;
    }

    /// @dev Who may stop what, and what is stopped: one slot.
    struct Office {
        address guardian;
        bool paused;
        bool superseded;
        uint16 members;
    }

    /// @dev A member but for its name and signers: one slot, so that its removal is one write.
    struct Seat {
        uint8 status;
        uint16 generation;
        uint16 weight;
        uint32 cap;
        uint8 signers;
        uint8 nameLength;
    }

    /**
     * @dev Whose signer an address is; it is only while the member's generation is this one, so
     * that a removal need not touch it.
     */
    struct Signer {
        uint16 member;
        uint16 generation;
    }

    /// @dev What the words of a batch are checked against, in memory.
    struct Batch {
        uint256 closed; // 1: paused, 2: superseded
        uint256 seat; // member << 16 | generation
        uint256 cells; // the slot of the member's cell 0
        uint256 cap;
        uint256 time;
        uint256 ttl; // how much later than time an expiry may be
        uint256 lengths; // Interval.lengths() of the configuration
        uint256 unroutable; // 1: allowed
        uint256 ranges; // where the unroutable ranges stand in memory; 0: not yet
        address table; // the protected table's code
        uint256 entries; // where its first entry stands in memory; 0: not looked for yet
        uint256 end; // where they end
        uint256 step; // Interval.firstStep() of their count
    }

    /// @notice The version of this contract's interface.
    uint256 public constant VERSION = 1;

    /// @dev What a member may be. Zero: never added.
    uint8 private constant ACTIVE = 1;
    /// @dev Its words do not count and it may not submit, until it is resumed.
    uint8 private constant SUSPENDED = 2;
    /// @dev Its words of that generation are dead for good.
    uint8 private constant REMOVED = 3;

    /// @dev Types of operations. BATCH: member u16 | commitment 32 | count u16 | words 32 each |
    /// length of the texts u32 | texts
    uint8 private constant BATCH = 0x01;
    /// @dev salt 32 | guardian 20 | config 12
    uint8 private constant GENESIS = 0x10;
    /// @dev member u16 | weight u16 | cap u32 | length u8 | name | count u8 | signers 20 each
    uint8 private constant MEMBER_ADD = 0x11;
    /// @dev member u16 | weight u16 | cap u32
    uint8 private constant MEMBER_SET = 0x12;
    /// @dev member u16
    uint8 private constant MEMBER_REMOVE = 0x13;
    /// @dev member u16
    uint8 private constant MEMBER_SUSPEND = 0x14;
    /// @dev member u16
    uint8 private constant MEMBER_RESUME = 0x15;
    /// @dev member u16 | address 20
    uint8 private constant SIGNER_ADD = 0x16;
    /// @dev member u16 | address 20
    uint8 private constant SIGNER_REMOVE = 0x17;
    /// @dev count u16 | indicators 18 each
    uint8 private constant PROTECT = 0x18;
    /// @dev config 12
    uint8 private constant CONFIG = 0x19;
    /// @dev address 20
    uint8 private constant GUARDIAN = 0x1a;
    /// @dev address 20
    uint8 private constant OWNER_PROPOSE = 0x1b;
    /// @dev nothing
    uint8 private constant OWNER_ACCEPT = 0x1c;
    /// @dev nothing
    uint8 private constant PAUSE = 0x1d;
    /// @dev nothing
    uint8 private constant UNPAUSE = 0x1e;
    /// @dev next 32
    uint8 private constant SUPERSEDE = 0x1f;

    /// @dev The most words of a batch.
    uint256 private constant BATCH_MAX = 256;
    /// @dev The most bytes of its texts: a length and 255 bytes a word.
    uint256 private constant TEXTS_MAX = 256 * 256;
    /// @dev The most signers of a member.
    uint256 private constant SIGNERS_MAX = 8;
    /// @dev The most bytes of a name.
    uint256 private constant NAME_MAX = 64;
    /// @dev The most cells of a member, and so of its cap.
    uint256 private constant CELLS_MAX = 1 << 24;
    /// @dev The most entries of the protected table: with 18 bytes each it fits one code.
    uint256 private constant TABLE_MAX = 1024;
    /// @dev The longest time to live that may be configured, in seconds.
    uint256 private constant TTL_MAX = 366 days;
    /// @dev The categories allowed, a bit each: 1 to 8 and 255.
    uint256 private constant CATEGORIES = 0x1fe | (1 << 255);
    /// @dev The classes of proof there are.
    uint256 private constant PROOFS = 9;
    /// @dev Where the cells stand: the low 40 bits are member << 24 | cell.
    uint256 private constant CELLS =
        uint256(keccak256("SIPchain cells v1")) & ~((uint256(1) << 40) - 1);

    /// @dev Slots 2 and 3.
    Tip private _members;
    /// @dev Slots 4 and 5.
    Tip private _admin;
    /// @dev Slot 6.
    Rules private _rules;
    /// @dev Slot 7.
    Office private _office;
    /// @dev Slot 8.
    bytes32 private _next;
    /// @dev Slot 9.
    // Not immutable: the code of every deployment is the same, and can be compared.
    // slither-disable-next-line immutable-states
    bytes32 private _id;
    /// @dev By member, from 1.
    mapping(uint256 member => Seat) private _seats;
    /// @dev A member's name; its length is the seat's.
    mapping(uint256 member => bytes32[2]) private _names;
    /// @dev A member's signers; their count is the seat's.
    mapping(uint256 member => address[SIGNERS_MAX]) private _signers;
    /// @dev Whose signer an address is.
    mapping(address signer => Signer) private _memberOf;

    /**
     * @notice Begin a ledger; the sender is its owner. GENESIS: salt 32 | guardian 20 | config 12,
     * the salt being keccak256(abi.encode(chain id, this contract's address)).
     * @param newConfig min_v4 u8 | min_v6 u8 | min_e164 u8 | allow_unroutable u8 | max_ttl u32 |
     * threshold u32
     * @param newGuardian who may suspend and pause beside the owner; zero: nobody
     */
    constructor(bytes12 newConfig, address newGuardian) Ownable(msg.sender) {
        _checkConfig(newConfig);
        _rules.config = uint96(newConfig);
        _office.guardian = newGuardian;

        bytes memory body = abi.encodePacked(
            keccak256(abi.encode(block.chainid, address(this))), newGuardian, newConfig
        );

        _id = keccak256(abi.encodePacked("SIPchain ledger v1", _append(GENESIS, body)));
    }

    // --- batches ---

    /**
     * @notice Report, refresh, replace and spend: all of the words or, if one is refused, none.
     * BATCH: member u16 | commitment 32 | count u16 | words 32 each | length of texts u32 | texts.
     * @param index the member, of which the sender is a signer
     * @param commitment the Merkle root of the evidence behind the words, or zero
     * @param words 1 to 256 words, each with its action; one sees what those before it left
     * @param texts what hashed indicators are the hashes of: published, not checked
     */
    function submit(
        uint16 index,
        bytes32 commitment,
        uint256[] calldata words,
        bytes calldata texts
    ) external {
        Batch memory b = _openBatch(index);

        if (words.length == 0) revert BatchEmpty();
        if (words.length > BATCH_MAX || texts.length > TEXTS_MAX) revert BatchTooLarge();
        for (uint256 k = 0; k < words.length; k++) {
            uint256 w = words[k];

            if (Word.action(w) <= Word.REPLACE) _report(b, k, w);
            else _spend(b, k, w);
        }
        _appendBatch(index, commitment, words, texts);
    }

    /**
     * @dev What the sender's words are checked against, if he may submit any.
     * @param index the member
     * @return b the rules as they stand
     */
    function _openBatch(uint16 index) private view returns (Batch memory b) {
        Signer memory signer = _memberOf[msg.sender];
        Seat memory seat = _seats[index];
        Rules memory rules = _rules;
        Office memory office = _office;
        uint256 config_ = rules.config;

        if (index == 0 || signer.member != index || signer.generation != seat.generation) {
            revert NotSigner();
        }
        if (seat.status != ACTIVE) revert MemberNotActive();
        b.closed = office.paused ? 1 : office.superseded ? 2 : 0;
        b.seat = (uint256(index) << 16) | seat.generation;
        b.cells = CELLS | (uint256(index) << 24);
        b.cap = seat.cap;
        b.time = block.timestamp;
        b.ttl = (config_ >> 32) & 0xffffffff;
        b.lengths = Interval.lengths(config_ >> 88, (config_ >> 80) & 0xff, (config_ >> 72) & 0xff);
        b.unroutable = (config_ >> 64) & 0xff;
        b.table = rules.table;
    }

    /**
     * @dev Check a report or replacement and carry it out.
     * @param b what it is checked against
     * @param k its place in the batch
     * @param w the word
     */
    // Time: a validator can move it by seconds, reports live for hours.
    // Equality: of flags and names, never of the time.
    // Complexity: each rule is one line, in the order that is agreed.
    // slither-disable-next-line timestamp,incorrect-equality,cyclomatic-complexity
    function _report(Batch memory b, uint256 k, uint256 w) private {
        uint256 i = Word.indicator(w);
        uint256 slot = b.cells | Word.cell(w);

        if (b.closed != 0) _refuseClosed(b, k);
        if (Word.seat(w) != b.seat) _refuseSeat(b, k, w);
        if (Word.cell(w) >= b.cap) revert CellOverCap(k);
        if ((CATEGORIES >> Word.category(w)) & 1 == 0) revert Category(k);
        if (Word.proof(w) >= PROOFS) revert Proof(k);
        unchecked {
            // One comparison for both ends: what is not past time wraps around.
            if (Word.expiry(w) - b.time - 1 >= b.ttl) {
                if (Word.expiry(w) <= b.time) revert ExpiryPast(k);
                revert ExpiryTooFar(k);
            }
        }
        if (!Interval.wellFormed(i, b.lengths)) revert Indicator(k);
        if (Interval.suspect(i)) _checkRoutable(b, k, i);
        if (b.entries == 0) _loadTable(b);
        if (b.entries != b.end) {
            uint256 conflict = Interval.find(b.entries, b.end, b.step, i);

            if (conflict != 0) revert Protected(k, Interval.toBytes(conflict));
        }
        if (Word.action(w) != Word.REPLACE) {
            uint256 held = _load(slot);

            if (Word.indicator(held) != i && _live(b, held)) revert CellLive(k);
        }
        _store(slot, Word.stored(w));
    }

    /**
     * @dev Check a spend and carry it out. Nothing else is asked of it: a word that stands may be
     * spent whatever has changed since.
     * @param b what it is checked against
     * @param k its place in the batch
     * @param w the word
     */
    // Time: a validator can move it by seconds, reports live for hours.
    // slither-disable-next-line timestamp
    function _spend(Batch memory b, uint256 k, uint256 w) private {
        uint256 slot = b.cells | Word.cell(w);
        uint256 held = _load(slot);

        if (Word.action(w) != Word.SPEND) revert ActionUnknown(k);
        if (Word.seat(w) != b.seat) _refuseSeat(b, k, w);
        if (!_live(b, held)) revert CellNotLive(k);
        if (Word.indicator(held) != Word.indicator(w)) revert CellMismatch(k);
        _store(slot, Word.spent(held));
    }

    /**
     * @dev Refuse what only an open ledger takes.
     * @param b the batch
     * @param k the word's place in it
     */
    // Equality: of flags and names, never of the time.
    // slither-disable-next-line timestamp,incorrect-equality
    function _refuseClosed(Batch memory b, uint256 k) private pure {
        if (b.closed == 1) revert Paused(k);
        revert Superseded(k);
    }

    /**
     * @dev Refuse a word that is not of the batch's member and its generation.
     * @param b the batch
     * @param k the word's place in it
     * @param w the word
     */
    // Time: none is compared here.
    // slither-disable-next-line timestamp
    function _refuseSeat(Batch memory b, uint256 k, uint256 w) private pure {
        if (Word.seat(w) >> 16 != b.seat >> 16) revert WrongMember(k);
        revert WrongGeneration(k);
    }

    /**
     * @dev Refuse an address that overlaps an unroutable range, unless these are allowed.
     * @param b the batch
     * @param k the word's place in it
     * @param i the address
     */
    // Equality: of flags and names, never of the time.
    // slither-disable-next-line timestamp,incorrect-equality
    function _checkRoutable(Batch memory b, uint256 k, uint256 i) private pure {
        if (b.unroutable != 0) return;
        if (b.ranges == 0) b.ranges = _ranges();

        uint256 conflict = Interval.scan(b.ranges, i);

        if (conflict != 0) revert Unroutable(k, Interval.toBytes(conflict));
    }

    /**
     * @dev Whether a word held by the batch's member counts.
     * @param b the batch
     * @param held the stored word
     * @return whether it has not expired, been spent, or died with a removal
     */
    // Time: a validator can move it by seconds, reports live for hours.
    // Equality: of flags and names, never of the time.
    // slither-disable-next-line timestamp,incorrect-equality
    function _live(Batch memory b, uint256 held) private pure returns (bool) {
        return Word.expiry(held) > b.time && Word.seat(held) == b.seat;
    }

    /**
     * @dev Hash a batch into the members' tip and log it.
     * Assembly: words and texts go from the call's data to where they are hashed and logged in one
     * copy each, where abi.encode would copy them twice more.
     * @param index the member
     * @param commitment the evidence's
     * @param words the batch
     * @param texts the texts
     */
    // Assembly: see above.
    // slither-disable-next-line assembly
    function _appendBatch(
        uint256 index,
        bytes32 commitment,
        uint256[] calldata words,
        bytes calldata texts
    ) private {
        bytes32 topic = Operation.selector;

        assembly ("memory-safe") {
            let tip := sload(_members.slot)
            let end := sload(add(_members.slot, 1)) // block << 64 | seq
            let seq := and(end, 0xffffffffffffffff)
            // The event's data is tipBefore, blockBefore, the offset of the operation, its
            // length, and from here on the operation; all past the memory in use.
            let data := mload(0x40)
            let op := add(data, 128)
            mstore8(op, BATCH)
            mstore(
                add(op, 1),
                or(or(shl(192, seq), shl(160, and(timestamp(), 0xffffffff))), caller())
            )
            mstore(add(op, 33), shl(240, index))
            mstore(add(op, 35), commitment)
            mstore(add(op, 67), shl(240, words.length))
            let tail := add(op, 69)
            calldatacopy(tail, words.offset, shl(5, words.length))
            tail := add(tail, shl(5, words.length))
            mstore(tail, shl(224, texts.length))
            tail := add(tail, 4)
            calldatacopy(tail, texts.offset, texts.length)
            tail := add(tail, texts.length)
            mstore(tail, 0) // what pads the event's data
            let length := sub(tail, op)

            mstore(data, tip)
            mstore(add(data, 32), shr(64, end))
            mstore(add(data, 64), 96)
            mstore(add(data, 96), tip) // before the operation, for the hash
            sstore(_members.slot, keccak256(add(data, 96), add(length, 32)))
            sstore(add(_members.slot, 1), or(shl(64, number()), add(seq, 1)))
            mstore(add(data, 96), length)
            log3(data, add(128, and(add(length, 31), not(31))), topic, 0, seq)
        }
    }

    // --- members ---

    /**
     * @notice Admit a member, or one that was removed anew: none of its former words revives.
     * MEMBER_ADD: member u16 | weight u16 | cap u32 | length u8 | name | count u8 | signers 20 each.
     * @param index its index: that of a removed member or the one after the last
     * @param weight what its voice counts
     * @param cap how many cells it has
     * @param name for people: 1 to 64 bytes of UTF-8 without control characters
     * @param signers up to 8 addresses that may submit for it
     */
    function memberAdd(
        uint16 index,
        uint16 weight,
        uint32 cap,
        string calldata name,
        address[] calldata signers
    ) external onlyOwner {
        Seat memory seat = _seats[index];

        if (index == 0 || index > uint256(_office.members) + 1) revert MemberUnknown();
        if (seat.status != 0 && seat.status != REMOVED) revert MemberExists();
        // Its next removal could not raise the generation any more.
        if (seat.generation == type(uint16).max) revert Generations();
        if (bytes(name).length == 0 || bytes(name).length > NAME_MAX || !_clean(bytes(name))) {
            revert Name();
        }
        _checkTerms(weight, cap);
        if (signers.length > SIGNERS_MAX) revert SignerLimit();
        if (seat.status == 0) _office.members = index;
        (seat.status, seat.weight, seat.cap) = (ACTIVE, weight, cap);
        (seat.signers, seat.nameLength) = (uint8(signers.length), uint8(bytes(name).length));
        _seats[index] = seat;
        _names[index][0] = _piece(bytes(name), 0);
        _names[index][1] = _piece(bytes(name), 32);
        for (uint256 k = 0; k < signers.length; k++) {
            _enlist(index, seat.generation, k, k, signers[k]);
        }
        _append(
            MEMBER_ADD,
            abi.encodePacked(
                index,
                weight,
                cap,
                uint8(bytes(name).length),
                name,
                uint8(signers.length),
                _pack(signers)
            )
        );
    }

    /**
     * @notice Change what a member's voice counts and how many cells it has. Words past a lowered
     * cap live on until they expire. MEMBER_SET: member u16 | weight u16 | cap u32.
     * @param index the member
     * @param weight what its voice counts
     * @param cap how many cells it has
     */
    function memberSet(uint16 index, uint16 weight, uint32 cap) external onlyOwner {
        Seat storage seat = _known(index);

        if (seat.status == REMOVED) revert MemberRemoved();
        _checkTerms(weight, cap);
        (seat.weight, seat.cap) = (weight, cap);
        _append(MEMBER_SET, abi.encodePacked(index, weight, cap));
    }

    /**
     * @notice Remove a member: all its words are dead and its signers free, by one write.
     * MEMBER_REMOVE: member u16.
     * @param index the member
     */
    function memberRemove(uint16 index) external onlyOwner {
        Seat storage seat = _known(index);

        if (seat.status == REMOVED) revert MemberRemoved();
        (seat.status, seat.generation, seat.signers) = (REMOVED, seat.generation + 1, 0);
        _append(MEMBER_REMOVE, abi.encodePacked(index));
    }

    /**
     * @notice Suspend a member: its words do not count and it may not submit. The guardian may.
     * MEMBER_SUSPEND: member u16.
     * @param index the member
     */
    function memberSuspend(uint16 index) external {
        _checkGuardian();

        Seat storage seat = _known(index);

        if (seat.status != ACTIVE) revert MemberNotActive();
        seat.status = SUSPENDED;
        _append(MEMBER_SUSPEND, abi.encodePacked(index));
    }

    /**
     * @notice End a suspension: words that have not expired count again. MEMBER_RESUME: member u16.
     * @param index the member
     */
    function memberResume(uint16 index) external onlyOwner {
        Seat storage seat = _known(index);

        if (seat.status != SUSPENDED) revert MemberNotSuspended();
        seat.status = ACTIVE;
        _append(MEMBER_RESUME, abi.encodePacked(index));
    }

    /**
     * @notice Let one more address submit for a member. SIGNER_ADD: member u16 | address 20.
     * @param index the member
     * @param signer the address
     */
    function signerAdd(uint16 index, address signer) external onlyOwner {
        Seat storage seat = _known(index);
        uint8 count = seat.signers;

        if (seat.status == REMOVED) revert MemberRemoved();
        if (signer == address(0)) revert Zero(0);
        if (memberOf(signer) != 0) revert SignerTaken(0);
        if (count >= SIGNERS_MAX) revert SignerLimit();
        _enlist(index, seat.generation, count, 0, signer);
        seat.signers = count + 1;
        _append(SIGNER_ADD, abi.encodePacked(index, signer));
    }

    /**
     * @notice Let an address no longer submit for a member. SIGNER_REMOVE: member u16 | address 20.
     * @param index the member
     * @param signer the address
     */
    function signerRemove(uint16 index, address signer) external onlyOwner {
        Seat storage seat = _known(index);
        address[SIGNERS_MAX] storage list = _signers[index];
        uint8 count = seat.signers;
        uint256 k = 0;

        if (memberOf(signer) != index) revert SignerUnknown();
        delete _memberOf[signer];
        while (list[k] != signer) k++;
        // The order is kept, as it is part of what member() shows.
        for (; k + 1 < count; k++) {
            list[k] = list[k + 1];
        }
        seat.signers = count - 1;
        _append(SIGNER_REMOVE, abi.encodePacked(index, signer));
    }

    // --- the ledger as a whole ---

    /**
     * @notice Set what nobody may report: neither an entry, nor a part of one, nor what holds one.
     * PROTECT: count u16 | indicators 18 each.
     * @param table the whole new table: indicators of 18 bytes, sorted by kind and value, disjoint
     */
    function protect(bytes calldata table) external onlyOwner {
        uint256 count = table.length / Interval.SIZE;

        if (table.length > TABLE_MAX * Interval.SIZE) revert TableTooLarge();
        _checkTable(table, count);
        _rules.table = count == 0 ? address(0) : _deployTable(table);
        // count is at most TABLE_MAX.
        // forge-lint: disable-next-line(unsafe-typecast)
        _append(PROTECT, abi.encodePacked(uint16(count), table));
    }

    /**
     * @notice Set the configuration. CONFIG: config 12.
     * @param newConfig min_v4 u8 (8 to 32) | min_v6 u8 (16 to 128) | min_e164 u8 (1 to 15) |
     * allow_unroutable u8 (0 or 1) | max_ttl u32 (1 second to 366 days) | threshold u32 (from 1)
     */
    function configure(bytes12 newConfig) external onlyOwner {
        _checkConfig(newConfig);
        _rules.config = uint96(newConfig);
        _append(CONFIG, abi.encodePacked(newConfig));
    }

    /**
     * @notice Name who may suspend and pause beside the owner. GUARDIAN: address 20.
     * @param newGuardian the guardian; zero: nobody
     */
    function setGuardian(address newGuardian) external onlyOwner {
        _office.guardian = newGuardian;
        _append(GUARDIAN, abi.encodePacked(newGuardian));
    }

    /**
     * @notice Offer the ownership, which changes hands when it is accepted.
     * OWNER_PROPOSE: address 20.
     * @param newOwner to whom; zero takes an offer back
     */
    function transferOwnership(address newOwner) public override {
        super.transferOwnership(newOwner);
        _append(OWNER_PROPOSE, abi.encodePacked(newOwner));
    }

    /// @notice Take over the ownership that was offered to the sender. OWNER_ACCEPT: nothing.
    function acceptOwnership() public override {
        // The zero address stands for nobody, even where a node lets it ask.
        if (msg.sender != pendingOwner() || msg.sender == address(0)) revert NotProposedOwner();
        super.acceptOwnership();
        _append(OWNER_ACCEPT, "");
    }

    /// @notice Refused: a ledger without an owner could not remove a member any more.
    function renounceOwnership() public pure override {
        revert Type();
    }

    /// @notice Let only spends pass until unpause(). The guardian may. PAUSE: nothing.
    function pause() external {
        _checkGuardian();
        if (_office.paused) revert Paused(0);
        _office.paused = true;
        _append(PAUSE, "");
    }

    /// @notice Let reports pass again. UNPAUSE: nothing.
    function unpause() external onlyOwner {
        if (!_office.paused) revert NotPaused();
        _office.paused = false;
        _append(UNPAUSE, "");
    }

    /**
     * @notice Announce the successor: from now on only spends pass here. SUPERSEDE: next 32.
     * @param next the successor's ledger id
     */
    function supersede(bytes32 next) external onlyOwner {
        if (next == 0) revert Zero(0);
        if (_office.superseded) revert Superseded(0);
        _office.superseded = true;
        _next = next;
        _append(SUPERSEDE, abi.encodePacked(next));
    }

    // --- asking ---

    /**
     * @notice The ledger's id.
     * @return keccak256("SIPchain ledger v1", the genesis operation)
     */
    function id() external view returns (bytes32) {
        return _id;
    }

    /**
     * @notice The configuration.
     * @return its 12 bytes, see configure()
     */
    function config() external view returns (bytes12) {
        return bytes12(_rules.config);
    }

    /**
     * @notice Who may suspend and pause beside the owner.
     * @return the guardian; zero: nobody
     */
    function guardian() external view returns (address) {
        return _office.guardian;
    }

    /**
     * @notice Whether only spends pass until unpause().
     * @return whether the ledger is paused
     */
    function paused() external view returns (bool) {
        return _office.paused;
    }

    /**
     * @notice The successor.
     * @return its ledger id; zero: there is none
     */
    function superseded() external view returns (bytes32) {
        return _next;
    }

    /**
     * @notice How many members were ever added, which is the last index.
     * @return the count
     */
    function memberCount() external view returns (uint16) {
        return _office.members;
    }

    /**
     * @notice A member as it stands.
     * @param index the member
     * @return status 0 never added, 1 active, 2 suspended, 3 removed
     * @return generation how often it was removed
     * @return weight what its voice counts
     * @return cap how many cells it has
     * @return name for people
     * @return signers the addresses that may submit for it
     */
    // Assembly: Solidity cannot cut an array in memory.
    // slither-disable-next-line assembly
    function member(uint16 index)
        external
        view
        returns (
            uint8 status,
            uint16 generation,
            uint16 weight,
            uint32 cap,
            string memory name,
            address[] memory signers
        )
    {
        Seat memory seat = _seats[index];

        signers = new address[](seat.signers);
        for (uint256 k = 0; k < signers.length; k++) {
            signers[k] = _signers[index][k];
        }

        bytes memory text = abi.encodePacked(_names[index][0], _names[index][1]);

        assembly ("memory-safe") {
            mstore(text, mload(add(seat, 160))) // cut to nameLength, the struct's sixth word
        }
        return (seat.status, seat.generation, seat.weight, seat.cap, string(text), signers);
    }

    /**
     * @notice Whose signer an address is.
     * @param signer the address
     * @return the member; 0: none's
     */
    function memberOf(address signer) public view returns (uint16) {
        Signer memory s = _memberOf[signer];

        return s.generation == _seats[s.member].generation ? s.member : 0;
    }

    /**
     * @notice What nobody may report.
     * @return the table: indicators of 18 bytes, sorted, disjoint
     */
    // Assembly: see inside.
    // slither-disable-next-line assembly
    function protectedTable() external view returns (bytes memory) {
        address table = _rules.table;

        if (table == address(0)) return "";

        bytes memory code = table.code;

        // Without its first byte; assembly, as Solidity would copy all others.
        assembly ("memory-safe") {
            let length := sub(mload(code), 1)
            code := add(code, 1)
            mstore(code, length)
        }
        return code;
    }

    /**
     * @notice The ends of both chains.
     * @return membersTip the members' tip
     * @return membersSeq how many operations it has folded
     * @return membersBlock the number of the block with the last of them
     * @return adminTip the administrative chain's tip
     * @return adminSeq how many operations it has folded
     * @return adminBlock the number of the block with the last of them
     */
    function tips()
        external
        view
        returns (
            bytes32 membersTip,
            uint64 membersSeq,
            uint64 membersBlock,
            bytes32 adminTip,
            uint64 adminSeq,
            uint64 adminBlock
        )
    {
        return (
            _members.hash, _members.seq, _members.number, _admin.hash, _admin.seq, _admin.number
        );
    }

    /**
     * @notice A page of a member's cells as they are stored, live or not. Cells past a lowered cap
     * may still hold live words.
     * @param index the member
     * @param from the first cell
     * @param count how many; none past the last possible cell, 2^24 - 1, is returned
     * @return words the cells' words
     */
    function snapshot(uint16 index, uint24 from, uint24 count)
        external
        view
        returns (uint256[] memory words)
    {
        uint256 slot = CELLS | (uint256(index) << 24) | from;
        uint256 n = count;

        if (from + n > CELLS_MAX) n = CELLS_MAX - from;
        words = new uint256[](n);
        for (uint256 k = 0; k < n; k++) {
            words[k] = _load(slot + k);
        }
    }

    /**
     * @notice One of a member's cells as it is stored.
     * @param index the member
     * @param number the cell's
     * @return its word; zero: never used
     */
    function cell(uint16 index, uint24 number) external view returns (uint256) {
        return _load(CELLS | (uint256(index) << 24) | number);
    }

    /**
     * @notice The sum that is held against the threshold: the weights of distinct members with
     * live reports on an indicator, less those of distinct members with live objections to it or
     * to a part of it, over the cells given. The protected table is not asked.
     * @param indicator what the words are about
     * @param cells where to look: member << 24 | cell, strictly ascending
     * @return sum the sum
     */
    // Time: a validator can move it by seconds, reports live for hours.
    // Equality: of flags and names, never of the time.
    // slither-disable-next-line timestamp,incorrect-equality
    function support(bytes18 indicator, uint40[] calldata cells)
        external
        view
        returns (int256 sum)
    {
        uint256 i = uint144(indicator);
        uint256 index = 0;
        bool reported = false;
        bool objected = false;
        // Read at the first cell of each member, before it is used.
        // slither-disable-next-line uninitialized-local
        Seat memory seat;

        for (uint256 k = 0; k < cells.length; k++) {
            if (k > 0 && cells[k] <= cells[k - 1]) revert TableUnsorted(k);
            if (k == 0 || cells[k] >> 24 != index) {
                index = cells[k] >> 24;
                seat = _seats[index];
                (reported, objected) = (false, false);
            }
            if (seat.status != ACTIVE) continue;

            uint256 w = _load(CELLS | cells[k]);

            // forge-lint: disable-next-line(block-timestamp)
            if (Word.expiry(w) <= block.timestamp || Word.seat(w) & 0xffff != seat.generation) {
                continue;
            }
            if (Word.category(w) == Word.OBJECTION) {
                if (objected || !Interval.contains(i, Word.indicator(w))) continue;
                objected = true;
                sum -= int256(uint256(seat.weight));
            } else {
                if (reported || Word.indicator(w) != i) continue;
                reported = true;
                sum += int256(uint256(seat.weight));
            }
        }
    }

    // --- below ---

    /**
     * @dev Hash an administrative operation into its chain's tip and log it.
     * @param kind the operation's type
     * @param body what follows its head
     * @return operation its canonical bytes
     */
    function _append(uint8 kind, bytes memory body) private returns (bytes memory operation) {
        Tip memory tip = _admin;

        operation = abi.encodePacked(kind, tip.seq, uint32(block.timestamp), msg.sender, body);
        emit Operation(1, tip.seq, tip.hash, tip.number, operation);
        _admin.hash = keccak256(abi.encodePacked(tip.hash, operation));
        (_admin.seq, _admin.number) = (tip.seq + 1, uint64(block.number));
    }

    /// @dev The error of the local ledger in place of OpenZeppelin's.
    function _checkOwner() internal view override {
        if (msg.sender != owner()) revert NotOwner();
    }

    /// @dev Refuse who is neither guardian nor owner; the zero address stands for nobody.
    function _checkGuardian() private view {
        if (msg.sender == owner()) return;
        if (msg.sender != _office.guardian || msg.sender == address(0)) revert NotGuardian();
    }

    /**
     * @dev The seat of a member that was ever added; else refuses.
     * @param index the member
     * @return seat its seat
     */
    function _known(uint16 index) private view returns (Seat storage seat) {
        seat = _seats[index];
        if (seat.status == 0) revert MemberUnknown();
    }

    /**
     * @dev Refuse a weight or cap out of range.
     * @param weight what a member's voice counts
     * @param cap how many cells it has
     */
    function _checkTerms(uint16 weight, uint32 cap) private pure {
        if (weight == 0) revert Weight();
        if (cap == 0 || cap > CELLS_MAX) revert Cap();
    }

    /**
     * @dev Refuse a configuration with a number out of its range.
     * @param c the configuration
     */
    function _checkConfig(bytes12 c) private pure {
        uint256 ttl = uint32(uint96(c) >> 32);

        if (
            uint8(c[0]) < 8 || uint8(c[0]) > 32 || uint8(c[1]) < 16 || uint8(c[1]) > 128
                || uint8(c[2]) < 1 || uint8(c[2]) > 15 || uint8(c[3]) > 1 || ttl < 1
                || ttl > TTL_MAX || uint32(uint96(c)) < 1
        ) revert Config();
    }

    /**
     * @dev Make an address a member's signer; refuses nobody and who is one already.
     * @param index the member
     * @param generation the member's
     * @param place in the member's list
     * @param entry the address's number for the error
     * @param signer the address
     */
    function _enlist(uint16 index, uint16 generation, uint256 place, uint256 entry, address signer)
        private
    {
        if (signer == address(0)) revert Zero(entry);
        if (memberOf(signer) != 0) revert SignerTaken(entry);
        _memberOf[signer] = Signer(index, generation);
        _signers[index][place] = signer;
    }

    /**
     * @dev Addresses as 20 bytes each; abi.encodePacked gives those of an array 32.
     * @param list the addresses
     * @return packed the bytes
     */
    function _pack(address[] calldata list) private pure returns (bytes memory packed) {
        for (uint256 k = 0; k < list.length; k++) {
            packed = abi.encodePacked(packed, list[k]);
        }
    }

    /**
     * @dev Up to 32 bytes of a name, left-justified, zeros behind.
     * @param name the name
     * @param from the first byte's place
     * @return the bytes
     */
    function _piece(bytes calldata name, uint256 from) private pure returns (bytes32) {
        if (name.length <= from) return 0;
        // A slice shorter than 32 bytes is padded with zeros.
        return bytes32(name.length < from + 32 ? name[from:] : name[from:from + 32]);
    }

    /**
     * @dev Whether a text is UTF-8 (RFC 3629 section 4) without control characters (C0, DEL, C1).
     * @param text the bytes
     * @return whether it is
     */
    function _clean(bytes calldata text) private pure returns (bool) {
        uint256 from = 0;

        while (from < text.length) {
            uint8 lead = uint8(text[from]);
            uint256 length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
            uint8 low = 0x80; // bounds of the second byte
            uint8 high = 0xbf;

            if (lead < 0x20 || (lead > 0x7e && lead < 0xc2) || lead > 0xf4) return false;
            if (from + length > text.length) return false;
            if (lead == 0xc2 || lead == 0xe0) low = 0xa0; // C1; overlong
            else if (lead == 0xed) high = 0x9f; // surrogates
            else if (lead == 0xf0) low = 0x90; // overlong
            else if (lead == 0xf4) high = 0x8f; // past U+10FFFF
            for (uint256 k = 1; k < length; k++) {
                uint8 next = uint8(text[from + k]);

                if (next < low || next > high) return false;
                (low, high) = (0x80, 0xbf);
            }
            from += length;
        }
        return true;
    }

    /**
     * @dev Refuse a table with an entry that is malformed or not past the one before it.
     * @param table the table
     * @param count how many whole entries it has; bytes after them are a malformed one
     */
    function _checkTable(bytes calldata table, uint256 count) private pure {
        uint256 lengths = Interval.lengths(0, 0, 1);
        uint256 before = 0;

        for (uint256 k = 0; k < count; k++) {
            uint256 i = uint144(bytes18(table[k * Interval.SIZE:]));

            if (!Interval.wellFormed(i, lengths)) revert Indicator(k);
            // Past the last point of the one before: after it and disjoint, in one comparison.
            if (Interval.first(i) <= before) revert TableUnsorted(k);
            before = Interval.last(i);
        }
        if (table.length != count * Interval.SIZE) revert Indicator(count);
    }

    /**
     * @dev Keep a table as the code of a contract that can only be read: a STOP, then the table.
     * @param table the table
     * @return where the contract's address
     */
    // Assembly: Solidity cannot create a contract from bytes.
    // slither-disable-next-line assembly
    function _deployTable(bytes calldata table) private returns (address where) {
        // Returns all that follows its own 10 bytes:
        // PUSH2 length DUP1 PUSH1 10 RETURNDATASIZE CODECOPY RETURNDATASIZE RETURN
        bytes memory code = abi.encodePacked(
            hex"61", uint16(table.length + 1), hex"80600a3d393df3", hex"00", table
        );

        assembly ("memory-safe") {
            where := create(0, add(code, 32), mload(code))
            // Nothing but a lack of gas fails it, so it is refused as one, without a reason.
            if iszero(where) { revert(0, 0) }
        }
    }

    /**
     * @dev Copy the protected table into memory, once for a batch.
     * @param b the batch
     */
    // Assembly: Solidity cannot tell where an array stands in memory.
    // Time: a validator can move it by seconds, reports live for hours.
    // slither-disable-next-line assembly,timestamp
    function _loadTable(Batch memory b) private view {
        if (b.table == address(0)) {
            b.entries = b.end = 1; // looked for, and there are none
            return;
        }

        bytes memory code = b.table.code;
        uint256 entries;

        assembly ("memory-safe") {
            entries := add(code, 33) // past the length and the STOP
        }
        b.entries = entries;
        b.end = entries + code.length - 1;
        b.step = Interval.firstStep(code.length / Interval.SIZE);
    }

    /**
     * @dev Copy the unroutable ranges into memory, once for a batch.
     * @return ranges where the first stands
     */
    // Assembly: Solidity cannot tell where an array stands in memory.
    // slither-disable-next-line assembly
    function _ranges() private pure returns (uint256 ranges) {
        bytes memory bytes_ = Interval.UNROUTABLE;

        assembly ("memory-safe") {
            ranges := add(bytes_, 32)
        }
    }

    /**
     * @dev Read a cell: cells stand at slots that a proof can name, not in a mapping.
     * @param slot its slot
     * @return w its word
     */
    // Assembly: Solidity has no other way to a slot by its number.
    // slither-disable-next-line assembly
    function _load(uint256 slot) private view returns (uint256 w) {
        assembly ("memory-safe") {
            w := sload(slot)
        }
    }

    /**
     * @dev Write a cell.
     * @param slot its slot
     * @param w its word
     */
    // Assembly: Solidity has no other way to a slot by its number.
    // slither-disable-next-line assembly
    function _store(uint256 slot, uint256 w) private {
        assembly ("memory-safe") {
            sstore(slot, w)
        }
    }
}
