// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/**
 * @title The contract of the SIPchain paper
 * @notice As Febro, Xiao, Spring (IPTComm 2019) describe it: an array of strings that anybody
 * adds to and deletes from, a deletion looking the address up from the first entry on. It is
 * here to be measured beside its successor.
 */
contract PaperContract {
    string[] private _list;

    /// @notice Add an address, as text.
    /// @param ip the address
    function addIp(string calldata ip) external {
        _list.push(ip);
    }

    /// @notice Delete the first entry with this text; the last one takes its place.
    /// @param ip the address
    function delIp(string calldata ip) external {
        for (uint256 k = 0; k < _list.length; k++) {
            if (keccak256(bytes(_list[k])) != keccak256(bytes(ip))) continue;
            _list[k] = _list[_list.length - 1];
            _list.pop();
            return;
        }
    }

    /// @notice All entries.
    /// @return the array
    function getAll() external view returns (string[] memory) {
        return _list;
    }
}
