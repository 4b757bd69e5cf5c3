// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LedgerTest} from "./LedgerTest.sol";
import {PaperContract} from "./PaperContract.sol";

/**
 * @title What a report costs
 * @notice Every call is a transaction of its own here (isolate), so that a figure is what a
 * sender pays: 21,000, the call's data, cold storage, all divided by the words of the batch.
 * The figures are kept in snapshots/, and test.sh refuses another one.
 */
abstract contract GasTest is LedgerTest {
    /// Hosts all over the space, so that a search takes all its steps.
    function tableOf(uint256 n) internal pure returns (bytes memory table) {
        for (uint256 k = 0; k < n; k++) {
            table = abi.encodePacked(table, bytes18(ip4(uint32(0x2e000000 + (k << 16)), 32)));
        }
    }

    function words(uint256 n, uint256 from, uint8 action)
        internal
        view
        returns (uint256[] memory made)
    {
        made = new uint256[](n);
        for (uint256 k = 0; k < n; k++) {
            made[k] = pack(plain(host(from + k * 65_537), uint24(k), action));
        }
    }

    /// The gas of a transaction with these words, all of it.
    function cost(uint256[] memory batch) internal returns (uint256) {
        VM.prank(ALICE);
        ledger.submit(1, keccak256("evidence"), batch, "");
        return VM.lastCallGas().gasTotalUsed;
    }

    /// The chain's first operation writes new slots; no other does.
    function begin(uint256 protected) internal {
        ledger.protect(tableOf(protected));
        submit(plain(host(999), 999, REPORT));
    }

    function log(string memory line) internal view {
        (bool ok,) = address(0x000000000000000000636F6e736F6c652e6c6f67)
            .staticcall(abi.encodeWithSignature("log(string)", line));
        ok;
    }

    function right(uint256 value, uint256 width) internal pure returns (string memory text) {
        text = VM.toString(value);
        while (bytes(text).length < width) {
            text = string.concat(" ", text);
        }
    }
}

/// @title By the size of the batch and of the protected table
abstract contract GasOfReports is GasTest {
    uint256 private immutable _PROTECTED;

    constructor(uint256 protected) {
        _PROTECTED = protected;
    }

    function setUp() public override {
        super.setUp();
        begin(_PROTECTED);
    }

    /// New cells, the same cells once dead, spends of them.
    function measure(uint256 n) private returns (uint256 fresh, uint256 reused, uint256 spent) {
        string memory group = string.concat("report-table-", VM.toString(_PROTECTED));
        string memory tail = string.concat("-batch-", VM.toString(n));
        uint256[] memory batch = words(n, 0, REPORT);

        fresh = cost(batch) / n;
        for (uint256 k = 0; k < n; k++) {
            batch[k] |= SPEND;
        }
        spent = cost(batch) / n;
        reused = cost(words(n, 500, REPORT)) / n;
        VM.snapshotValue(group, string.concat("new", tail), fresh);
        VM.snapshotValue(group, string.concat("reused", tail), reused);
        VM.snapshotValue(group, string.concat("spent", tail), spent);
        log(
            string.concat(
                "gas per report, protected ",
                right(_PROTECTED, 4),
                ", batch of ",
                right(n, 3),
                ": new ",
                right(fresh, 5),
                ", reused cell ",
                right(reused, 5),
                ", spent ",
                right(spent, 5)
            )
        );
    }

    function test_batch_001() external {
        measure(1);
    }

    function test_batch_010() external {
        measure(10);
    }

    function test_batch_100() external {
        (uint256 fresh, uint256 reused, uint256 spent) = measure(100);
        // What the contract was built to: with a table of 100.
        if (_PROTECTED > 100) return;
        VM.assertLe(fresh, 26_000, "a report in a new cell");
        VM.assertLe(reused, 8000, "a report in a used cell");
        VM.assertLe(spent, 8000, "a spend");
    }

    function test_batch_256() external {
        measure(256);
    }
}

/// forge-config: default.isolate = true
contract Gas0 is GasOfReports(0) {}

/// forge-config: default.isolate = true
contract Gas100 is GasOfReports(100) {}

/// forge-config: default.isolate = true
contract Gas1024 is GasOfReports(1024) {}

/// @title Other costs, and the paper's
/// forge-config: default.isolate = true
contract GasOther is GasTest {
    /// A word costs as much in a batch of 256 as in one of 2.
    function test_linear() external {
        begin(100);

        cost(words(256, 1000, REPORT)); // new cells; reused ones from here on
        uint256 first = cost(words(1, 500, REPLACE));
        uint256 least = type(uint256).max;
        uint256 most = 0;

        for (uint256 n = 2; n <= 256; n *= 2) {
            uint256 each = (cost(words(n, 2000 + n, REPLACE)) - first) / (n - 1);

            if (each < least) least = each;
            if (each > most) most = each;
        }
        log(
            string.concat(
                "a further word of a batch: ", VM.toString(least), " to ", VM.toString(most)
            )
        );
        VM.assertLe(most * 100, least * 102, "within 2 %");
    }

    /// All kinds cost about the same; the dearest has all its bytes set.
    function test_kinds() external {
        uint144[4] memory made = [
            ip4(0x2d7f7f7f, 32),
            ip6(0x200141d0ffffffffffffffffffffffff, 128),
            prefix(3, 128, uint128(0x442079460000) << 80 | type(uint128).max >> 48),
            prefix(4, 128, type(uint128).max)
        ];
        string[4] memory names = ["ip4", "ip6", "number", "hash"];

        begin(100);
        for (uint256 kind = 0; kind < 4; kind++) {
            uint256[] memory batch = new uint256[](100);

            for (uint256 k = 0; k < 100; k++) {
                batch[k] = pack(plain(made[kind], uint24(200 * kind + k), REPLACE));
            }
            uint256 fresh = cost(batch) / 100;
            for (uint256 k = 0; k < 100; k++) {
                batch[k] += 1 << 80; // a second longer: else nothing is written
            }
            uint256 reused = cost(batch) / 100;
            log(
                string.concat(
                    names[kind], ": new ", VM.toString(fresh), ", reused cell ", VM.toString(reused)
                )
            );
            VM.snapshotValue("report-kinds", string.concat("new-", names[kind]), fresh);
            VM.snapshotValue("report-kinds", string.concat("reused-", names[kind]), reused);
            VM.assertLe(fresh, 26_000, "a report of any kind in a new cell");
            VM.assertLe(reused, 8500, "a report of any kind in a used cell");
        }
    }

    function test_administration() external {
        ledger.memberAdd(3, 1, 1000, "Carol", one(address(0xca)));
        VM.snapshotValue("administration", "memberAdd", VM.lastCallGas().gasTotalUsed);
        ledger.memberRemove(3);
        uint256 removal = VM.lastCallGas().gasTotalUsed;
        VM.snapshotValue("administration", "memberRemove", removal);
        // 21,000, owner and seat read, seat and two slots of the tip written: 3 x 5,000, each once.
        VM.assertLe(removal, 50_000, "a removal, however much the member has reported");
        ledger.protect(tableOf(100));
        VM.snapshotValue("administration", "protect-100", VM.lastCallGas().gasTotalUsed);
        ledger.protect(tableOf(1024));
        VM.snapshotValue("administration", "protect-1024", VM.lastCallGas().gasTotalUsed);
    }

    function text(uint256 n) private pure returns (string memory) {
        return string.concat("203.0.", VM.toString(n / 250), ".", VM.toString(1 + n % 250));
    }

    /// The paper's contract in the same run. Its figures: 49.7k to add, 37.8k to delete.
    function test_paper() external {
        uint256[4] memory sizes = [uint256(1), 10, 100, 1000];
        PaperContract paper = new PaperContract();
        uint256 n = 0;

        begin(100);
        cost(words(100, 0, REPORT));
        uint256 reused = cost(words(100, 500, REPLACE)) / 100;
        for (uint256 s = 0; s < 4; s++) {
            for (; n < sizes[s]; n++) {
                paper.addIp(text(n));
            }
            uint256 add = VM.lastCallGas().gasTotalUsed;
            paper.delIp(text(n / 2));
            uint256 del = VM.lastCallGas().gasTotalUsed;
            paper.addIp(text(n / 2));
            log(
                string.concat(
                    "the paper's contract, ",
                    right(n, 4),
                    " entries: add ",
                    right(add, 6),
                    ", delete from the middle ",
                    right(del, 7),
                    "; SIPchain: report ",
                    VM.toString(reused),
                    ", nothing to delete"
                )
            );
            VM.snapshotValue("paper", string.concat("add-", VM.toString(n)), add);
            VM.snapshotValue("paper", string.concat("delete-", VM.toString(n)), del);
            VM.assertLt(reused * 3, add + del, "a third of it at the most");
        }
        VM.assertEq(paper.getAll().length, 1000, "entries");
    }
}
