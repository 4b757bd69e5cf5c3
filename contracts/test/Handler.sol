// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISIPchain} from "./ISIPchain.sol";
import {Vm} from "./Vm.sol";

/**
 * @title A consortium at random
 * @notice Owns a ledger, moves time, admits and removes, and submits what members and strangers
 * might. Beside it stands a model of what the ledger should hold, written only when the ledger
 * has accepted, by rules that are as plain as they can be; an acceptance that breaks one of them
 * fails at once.
 */
contract Handler {
    Vm private constant VM = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    bytes32 private constant TOPIC = keccak256("Operation(uint8,uint64,bytes32,uint64,bytes)");
    address private constant MALLORY = address(0xbad);

    uint16 public constant MEMBERS = 4;
    uint24 public constant CAP = 8; // the highest that a member is given
    uint32 private constant TTL = 10 days;

    ISIPchain public ledger;

    // The model.
    mapping(uint256 member => mapping(uint256 cell => uint256)) public words;
    mapping(uint256 member => uint8) public status;
    mapping(uint256 member => uint16) public generation;
    mapping(uint256 member => uint32) public cap;
    mapping(uint256 member => uint32) public highestCap;
    bool public paused;
    uint144[] public guarded;

    // The chains, folded from the events.
    bytes32[2] public tip;
    uint64[2] public seq;

    // How often what has happened.
    uint256 public accepted;
    uint256 public refused;
    uint256 public spent;
    uint256 public replaced;
    uint256 public removed;
    uint256 public readmitted;

    modifier folded() {
        VM.recordLogs();
        _;
        fold();
    }

    constructor() folded {
        VM.warp(1_800_000_000);
        ledger = ISIPchain(
            VM.deployCode(
                "SIPchain.sol:SIPchain",
                abi.encode(
                    bytes12(abi.encodePacked(uint32(0x08100100), TTL, uint32(2))), address(0)
                )
            )
        );
        for (uint16 m = 1; m <= MEMBERS; m++) {
            admit(m, CAP);
        }
    }

    function signer(uint16 m) public pure returns (address) {
        return address(uint160(0x1000 + uint256(m)));
    }

    function weight(uint16 m) public pure returns (uint16) {
        return m * m;
    }

    /// Hosts and nets in one corner, protected and unroutable ones among them.
    function indicator(uint256 n) public pure returns (uint144) {
        uint8[8] memory plens = [32, 32, 32, 31, 30, 24, 8, 32];
        uint8 plen = plens[n % 8];
        uint128 value = (n == 31 ? 0x0a000001 : 0x2d000000 + uint128(n / 8) % 4) << 96;

        return (uint144(1) << 136) | (uint144(plen) << 128) | (value & ~(type(uint128).max >> plen));
    }

    // --- what may happen ---

    function submit(uint16 member, uint256 seed) external folded {
        uint256[] memory batch = new uint256[](1 + seed % 3);
        uint16 who;

        member = 1 + member % MEMBERS;
        who = seed % 16 == 15 ? 1 + (member % MEMBERS) : member;
        for (uint256 k = 0; k < batch.length; k++) {
            batch[k] = word(member, uint256(keccak256(abi.encode(seed, k))));
        }
        VM.prank(signer(who));
        try ledger.submit(member, bytes32(seed), batch, "") {
            require(who == member && status[member] == 1, "accepted from whom it may not");
            for (uint256 k = 0; k < batch.length; k++) {
                take(member, batch[k]);
            }
            accepted++;
        } catch {
            refused++;
        }
    }

    /// Mostly right, each field now and then wrong.
    function word(uint16 m, uint256 x) private view returns (uint256) {
        uint256 c = (x >> 8) % cap[m];
        uint256 held = words[m][c];
        uint256 i = indicator((x >> 24) % 32);
        uint256 action = (x >> 16) % 2;
        uint256 expiry = block.timestamp + 1 + (x >> 32) % TTL;
        uint256 g = generation[m];

        if (isLive(m, held)) {
            if ((x >> 64) % 3 == 0) (i, action) = (held >> 112, 2); // spend it
            else if ((x >> 64) % 3 == 1) i = held >> 112; // refresh it
            else if ((x >> 72) % 8 != 0) action = 1; // replace it
        } else if ((x >> 72) % 16 == 0) {
            (i, action) = (held >> 112, 2); // spend what is dead
        }
        if ((x >> 80) % 64 == 0) expiry += TTL;
        if ((x >> 88) % 64 == 0) m++;
        if ((x >> 96) % 64 == 0) g += 0xffff; // the one before
        if ((x >> 104) % 32 == 0) c += (x >> 112) % (2 * CAP);
        return (i << 112) | (expiry << 80) | (uint256(m) << 64) | ((g & 0xffff) << 48) | (c << 24)
            | ((x >> 120) % 4 == 0 ? 255 << 16 : 1 << 16) | ((x >> 128) % 9 << 8) | action;
    }

    /// Write an accepted word into the model; it must have been acceptable.
    function take(uint16 m, uint256 w) private {
        uint256 c = (w >> 24) & 0xffffff;
        uint256 held = words[m][c];
        bool live = isLive(m, held);
        uint256 expiry = (w >> 80) & 0xffffffff;

        require((w >> 64) & 0xffff == m, "accepted for another member");
        require((w >> 48) & 0xffff == generation[m], "accepted for another generation");
        if (w & 0xff == 2) {
            require(live && held >> 112 == w >> 112, "spent what was not there");
            words[m][c] = held & ~(uint256(type(uint32).max) << 80);
            spent++;
            return;
        }
        require(!paused, "accepted while paused");
        require(c < cap[m], "accepted past the cap");
        require(
            expiry > block.timestamp && expiry <= block.timestamp + TTL, "accepted for too long"
        );
        require((w >> 232) & 0xff != 10, "accepted a private address");
        for (uint256 k = 0; k < guarded.length; k++) {
            require(!overlap(uint144(w >> 112), guarded[k]), "accepted what is protected");
        }
        if (live && held >> 112 != w >> 112) {
            require(w & 0xff == 1, "replaced without being asked to");
            replaced++;
        }
        words[m][c] = w & ~uint256(0xff);
    }

    /// What a member's cells should hold, beyond what it may have, too.
    function cells(uint16 m) external view returns (uint256[] memory held) {
        held = new uint256[](2 * CAP);
        for (uint256 c = 0; c < held.length; c++) {
            held[c] = words[m][c];
        }
    }

    function isLive(uint16 m, uint256 w) public view returns (bool) {
        return (w >> 80) & 0xffffffff > block.timestamp && (w >> 48) & 0xffff == generation[m];
    }

    function overlap(uint144 a, uint144 b) public pure returns (bool) {
        uint256 plen = (a >> 128) & 0xff < (b >> 128) & 0xff ? (a >> 128) & 0xff : (b >> 128) & 0xff;

        return uint128(a) >> (128 - plen) == uint128(b) >> (128 - plen);
    }

    function passTime(uint256 seconds_) external {
        VM.warp(block.timestamp + seconds_ % (TTL / 4));
        VM.roll(block.number + 1 + seconds_ % 7);
    }

    function remove(uint16 m) external folded {
        m = 1 + m % MEMBERS;
        if (status[m] == 3) return;
        ledger.memberRemove(m);
        (status[m], generation[m]) = (3, generation[m] + 1);
        removed++;
    }

    function readmit(uint16 m, uint32 newCap) external folded {
        m = 1 + m % MEMBERS;
        if (status[m] != 3) return;
        admit(m, 1 + newCap % CAP);
        readmitted++;
    }

    function admit(uint16 m, uint32 newCap) private {
        address[] memory signers = new address[](1);

        signers[0] = signer(m);
        ledger.memberAdd(m, weight(m), newCap, "A member", signers);
        (status[m], cap[m]) = (1, newCap);
        if (newCap > highestCap[m]) highestCap[m] = newCap;
    }

    function changeCap(uint16 m, uint32 newCap) external folded {
        (m, newCap) = (1 + m % MEMBERS, 1 + newCap % CAP);
        if (status[m] == 3) return;
        ledger.memberSet(m, weight(m), newCap);
        cap[m] = newCap;
        if (newCap > highestCap[m]) highestCap[m] = newCap;
    }

    /// Three of four times it ends with all active, so that most can submit.
    function suspendOrResume(uint16 m) external folded {
        bool suspend = m % 16 < 4;

        m = 1 + m % MEMBERS;
        if (status[m] == 1 && suspend) {
            ledger.memberSuspend(m);
            status[m] = 2;
        } else if (status[m] == 2 && !suspend) {
            ledger.memberResume(m);
            status[m] = 1;
        }
    }

    function pauseOrGoOn(uint256 seed) external folded {
        if (paused == (seed % 4 == 0)) return;
        if (paused) ledger.unpause();
        else ledger.pause();
        paused = !paused;
    }

    /// None, one or two of the hosts, a net.
    function protect(uint256 seed) external folded {
        bytes memory bytes_;

        delete guarded;
        if (seed % 3 == 0) {
            guarded.push((uint144(0x0120) << 128) | (uint144(0x2d000000 + (seed >> 8) % 2) << 96));
        }
        if (seed % 4 < 2) guarded.push((uint144(0x011f) << 128) | (uint144(0x2d000002) << 96));
        for (uint256 k = 0; k < guarded.length; k++) {
            bytes_ = bytes.concat(bytes_, bytes18(guarded[k]));
        }
        ledger.protect(bytes_);
    }

    /// Whatever a stranger calls, it is refused.
    function hostile(uint256 seed) external folded {
        bytes[12] memory calls = [
            abi.encodeCall(ISIPchain.memberAdd, (MEMBERS + 1, 1, 1, "x", new address[](0))),
            abi.encodeCall(ISIPchain.memberSet, (1, 1, 1)),
            abi.encodeCall(ISIPchain.memberRemove, (1)),
            abi.encodeCall(ISIPchain.memberSuspend, (1)),
            abi.encodeCall(ISIPchain.memberResume, (1)),
            abi.encodeCall(ISIPchain.signerAdd, (1, MALLORY)),
            abi.encodeCall(ISIPchain.signerRemove, (1, signer(1))),
            abi.encodeCall(ISIPchain.protect, ("")),
            abi.encodeCall(ISIPchain.setGuardian, (MALLORY)),
            abi.encodeCall(ISIPchain.transferOwnership, (MALLORY)),
            abi.encodeCall(ISIPchain.acceptOwnership, ()),
            abi.encodeCall(ISIPchain.renounceOwnership, ())
        ];

        // A member's signer is as much a stranger to all these.
        VM.prank(seed % 2 == 0 ? MALLORY : signer(uint16(1 + (seed >> 8) % MEMBERS)));
        (bool ok,) = address(ledger).call(calls[(seed >> 16) % 12]);
        require(!ok, "a stranger did it");
    }

    // --- the chains ---

    function fold() private {
        Vm.Log[] memory logs = VM.getRecordedLogs();

        for (uint256 k = 0; k < logs.length; k++) {
            if (logs[k].topics[0] != TOPIC) continue;
            uint256 chain = uint256(logs[k].topics[1]);
            (bytes32 before,, bytes memory operation) =
                abi.decode(logs[k].data, (bytes32, uint64, bytes));

            require(before == tip[chain], "the tip before");
            require(uint256(logs[k].topics[2]) == seq[chain], "the sequence");
            tip[chain] = keccak256(bytes.concat(before, operation));
            seq[chain]++;
        }
    }
}
