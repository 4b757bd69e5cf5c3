// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Handler} from "./Handler.sol";
import {ISIPchain} from "./ISIPchain.sol";
import {Vm} from "./Vm.sol";

/// @title What holds whatever happens
contract InvariantsTest {
    Vm private constant VM = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    uint16 private constant MEMBERS = 4;
    uint24 private constant CAP = 8;

    Handler private _handler;
    ISIPchain private _ledger;

    function setUp() external {
        _handler = new Handler();
        _ledger = _handler.ledger();
    }

    /// Forge calls these contracts at random, and no others.
    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_handler);
    }

    /// One campaign for all of them: forge would play another for each function of this name.
    function invariant_all() public view {
        cellsAreTheModels();
        capsHold();
        membersAreTheModels();
        tipsAreFolded();
        supportIsTheModels();
    }

    /// Each cell holds what its own member put there last: nobody else has moved it, a batch that
    /// was refused has left nothing, a removal has not been undone.
    function cellsAreTheModels() private view {
        for (uint16 m = 1; m <= MEMBERS; m++) {
            VM.assertEq(
                keccak256(abi.encode(_ledger.snapshot(m, 0, 2 * CAP))),
                keccak256(abi.encode(_handler.cells(m))),
                "the cells"
            );
        }
    }

    /// Nothing ever stands past the highest cap that the member had, so no more live than that.
    function capsHold() private view {
        for (uint16 m = 0; m <= MEMBERS + 1; m++) {
            uint256[] memory words = _ledger.snapshot(m, 0, 2 * CAP);

            for (uint256 c = _handler.highestCap(m); c < words.length; c++) {
                VM.assertEq(words[c], 0, "a cell past the cap");
            }
        }
    }

    function membersAreTheModels() private view {
        for (uint16 m = 1; m <= MEMBERS; m++) {
            (
                uint8 status,
                uint16 generation,
                uint16 weight,
                uint32 cap,,
                address[] memory signers
            ) = _ledger.member(m);

            VM.assertEq(uint256(status), _handler.status(m), "status");
            VM.assertEq(uint256(generation), _handler.generation(m), "generation");
            VM.assertEq(uint256(weight), _handler.weight(m), "weight");
            VM.assertEq(uint256(cap), _handler.cap(m), "cap");
            VM.assertEq(signers.length, status == 3 ? 0 : 1, "signers");
            VM.assertEq(
                uint256(_ledger.memberOf(_handler.signer(m))), status == 3 ? 0 : m, "whose signer"
            );
        }
        VM.assertEq(_ledger.owner(), address(_handler), "owner");
    }

    /// The events give the tips that the ledger holds.
    function tipsAreFolded() private view {
        (bytes32 membersTip, uint64 membersSeq,, bytes32 adminTip, uint64 adminSeq,) =
            _ledger.tips();

        VM.assertEq(membersTip, _handler.tip(0), "members' tip");
        VM.assertEq(uint256(membersSeq), _handler.seq(0), "members' sequence");
        VM.assertEq(adminTip, _handler.tip(1), "administrative tip");
        VM.assertEq(uint256(adminSeq), _handler.seq(1), "administrative sequence");
    }

    /// The sum is that of the model: nothing of a removed member counts, before or after it is back.
    function supportIsTheModels() private view {
        uint40[] memory cells = new uint40[](uint256(MEMBERS) * CAP);
        uint256[][] memory words = new uint256[][](MEMBERS + 1);
        int256[] memory weights = new int256[](MEMBERS + 1);

        for (uint40 k = 0; k < cells.length; k++) {
            cells[k] = ((1 + k / CAP) << 24) | (k % CAP);
        }
        for (uint16 m = 1; m <= MEMBERS; m++) {
            words[m] = _handler.cells(m);
            weights[m] = _handler.status(m) == 1 ? int256(uint256(_handler.weight(m))) : int256(0);
            for (uint256 c = 0; c < CAP; c++) {
                if (!_handler.isLive(m, words[m][c])) words[m][c] = 0;
            }
        }
        for (uint256 n = 0; n < 7; n++) {
            uint144 i = _handler.indicator(n);

            VM.assertEq(
                _ledger.support(bytes18(i), cells), modelSupport(i, words, weights), "support"
            );
        }
    }

    function modelSupport(uint144 i, uint256[][] memory words, int256[] memory weights)
        private
        view
        returns (int256 sum)
    {
        for (uint16 m = 1; m <= MEMBERS; m++) {
            bool reports = false;
            bool objects = false;

            for (uint24 c = 0; c < CAP; c++) {
                uint256 w = words[m][c];
                uint144 j = uint144(w >> 112);

                if (w == 0) continue;
                if ((w >> 16) & 0xff != 255) {
                    reports = reports || j == i;
                } else {
                    objects = objects
                        || ((j >> 128) & 0xff >= (i >> 128) & 0xff && _handler.overlap(i, j));
                }
            }
            if (reports) sum += weights[m];
            if (objects) sum -= weights[m];
        }
    }

    /// The handler does what it is for: in a thousand steps everything happens.
    function test_everythingHappens() external {
        for (uint256 k = 0; k < 1000; k++) {
            uint256 x = uint256(keccak256(abi.encode("step", k)));

            if (x % 64 == 0) _handler.remove(uint16(x >> 8));
            else if (x % 64 < 4) _handler.readmit(uint16(x >> 8), uint32(x >> 16));
            else if (x % 64 < 6) _handler.changeCap(uint16(x >> 8), uint32(x >> 16));
            else if (x % 64 < 8) _handler.suspendOrResume(uint16(x >> 8));
            else if (x % 64 < 10) _handler.pauseOrGoOn(x >> 8);
            else if (x % 64 < 12) _handler.protect(x >> 8);
            else if (x % 64 < 16) _handler.hostile(x >> 8);
            else if (x % 64 < 20) _handler.passTime(x >> 8);
            else _handler.submit(uint16(x >> 8), x >> 24);
        }
        invariant_all();
        VM.assertGe(_handler.accepted(), 30, "accepted");
        VM.assertGe(_handler.refused(), 30, "refused");
        VM.assertGe(_handler.spent(), 10, "spent");
        VM.assertGe(_handler.replaced(), 10, "replaced");
        VM.assertGe(_handler.removed(), 5, "removed");
        VM.assertGe(_handler.readmitted(), 5, "readmitted");
    }
}
