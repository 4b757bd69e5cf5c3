# SPDX-License-Identifier: Apache-2.0
"""Keys, addresses and signed transactions, without the client under test.

As a program it makes keys: transaction.py N prints "secret public address".

Slow (milliseconds a signature) and not constant in time: for generated keys of
test chains only. Keccak-256, RLP, secp256k1 with the nonces of RFC 6979,
legacy transactions with EIP-155, type 2 with EIP-1559.
"""
import hashlib
import hmac
import secrets
import sys

P = 2**256 - 2**32 - 977
N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
G = (0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
     0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8)
MASK = 2**64 - 1


# --- Keccak-256 (the padding before FIPS 202: 0x01, not 0x06) ---

def _round_constants():
    constants = []
    register = 1
    for _ in range(24):
        constant = 0
        for bit in range(7):
            if register & 1:
                constant |= 1 << ((1 << bit) - 1)
            register = register << 1 ^ (0x171 if register & 0x80 else 0)
        constants.append(constant)
    return constants


ROUNDS = _round_constants()


def _rotate(lane, by):
    return (lane << by | lane >> (64 - by)) & MASK if by else lane


def _permute(a):
    for constant in ROUNDS:
        c = [a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20] for x in range(5)]
        d = [c[(x + 4) % 5] ^ _rotate(c[(x + 1) % 5], 1) for x in range(5)]
        a = [lane ^ d[i % 5] for i, lane in enumerate(a)]
        x, y, lane = 1, 0, a[1]
        for t in range(24):
            x, y = y, (2 * x + 3 * y) % 5
            lane, a[x + 5 * y] = a[x + 5 * y], _rotate(lane, (t + 1) * (t + 2) // 2 % 64)
        a = [a[i] ^ (~a[i - i % 5 + (i + 1) % 5] & a[i - i % 5 + (i + 2) % 5])
             for i in range(25)]
        a[0] ^= constant
    return a


def keccak256(data):
    """The 32 bytes of Ethereum's hash."""
    rate = 136
    padded = bytearray(data) + b"\x01" + bytes(-(len(data) + 1) % rate)
    padded[-1] |= 0x80
    state = [0] * 25
    for at in range(0, len(padded), rate):
        for i in range(rate // 8):
            state[i] ^= int.from_bytes(padded[at + 8 * i:at + 8 * i + 8], "little")
        state = _permute(state)
    return b"".join(lane.to_bytes(8, "little") for lane in state[:4])


def selector(signature):
    """The 4 bytes that call a function, such as "tips()"."""
    return keccak256(signature.encode())[:4]


# --- secp256k1 ---

def _add(a, b):
    if a is None or b is None:
        return a or b
    if a[0] == b[0]:
        if (a[1] + b[1]) % P == 0:
            return None
        slope = 3 * a[0] * a[0] * pow(2 * a[1], -1, P)
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P)
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def _multiply(scalar, point):
    product = None
    while scalar:
        if scalar & 1:
            product = _add(product, point)
        point = _add(point, point)
        scalar >>= 1
    return product


def _nonces(key, digest):
    """RFC 6979, section 3.2, with SHA-256."""
    seed = key.to_bytes(32, "big") + (int.from_bytes(digest, "big") % N).to_bytes(32, "big")
    v, k = b"\x01" * 32, bytes(32)
    for tag in (b"\x00", b"\x01"):
        k = hmac.digest(k, v + tag + seed, hashlib.sha256)
        v = hmac.digest(k, v, hashlib.sha256)
    while True:
        v = hmac.digest(k, v, hashlib.sha256)
        if 0 < int.from_bytes(v, "big") < N:
            yield int.from_bytes(v, "big")
        k = hmac.digest(k, v + b"\x00", hashlib.sha256)
        v = hmac.digest(k, v, hashlib.sha256)


def _sign(key, digest):
    """(r, s, parity of y) with the lower s, as EIP-2 asks."""
    for nonce in _nonces(key, digest):
        x, y = _multiply(nonce, G)
        r = x % N
        s = pow(nonce, -1, N) * (int.from_bytes(digest, "big") + r * key) % N
        # An x beyond the order would need a recovery id that no transaction has.
        if r == 0 or s == 0 or x >= N:
            continue
        return (r, N - s, 1 - y % 2) if s > N // 2 else (r, s, y % 2)
    raise AssertionError("RFC 6979 ran dry")


# --- RLP and transactions ---

def rlp(item):
    """Bytes, unsigned integers (shortest form) and lists of these."""
    if isinstance(item, int):
        item = item.to_bytes((item.bit_length() + 7) // 8, "big")
    if isinstance(item, (bytes, bytearray)):
        if len(item) == 1 and item[0] < 0x80:
            return bytes(item)
        return _length(len(item), 0x80) + bytes(item)
    payload = b"".join(rlp(part) for part in item)
    return _length(len(payload), 0xC0) + payload


def _length(length, base):
    if length < 56:
        return bytes([base + length])
    size = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([base + 55 + len(size)]) + size


class Key:
    """A private key: an integer, 32 bytes, hex, or a new one."""

    def __init__(self, secret=None):
        if isinstance(secret, str):
            secret = int(secret, 16)
        elif isinstance(secret, (bytes, bytearray)):
            secret = int.from_bytes(secret, "big")
        self.secret = secret or secrets.randbelow(N - 1) + 1
        if not 0 < self.secret < N:
            raise ValueError("not a secp256k1 key")
        x, y = _multiply(self.secret, G)
        self.public = x.to_bytes(32, "big") + y.to_bytes(32, "big")
        self.address = "0x" + keccak256(self.public)[12:].hex()

    def hex(self):
        return "%064x" % self.secret

    def sign(self, chain_id, nonce, to=None, data=b"", value=0, gas=1000000, price=0,
             tip=None):
        """A signed transaction as "0x..."; `to` None deploys.

        Legacy with this gas price; with `tip` type 2, `price` its maximal fee.
        """
        to = bytes.fromhex(to.removeprefix("0x")) if to else b""
        data = bytes.fromhex(data.removeprefix("0x")) if isinstance(data, str) else data
        if tip is None:
            body = [nonce, price, gas, to, value, data]
            r, s, parity = _sign(self.secret, keccak256(rlp(body + [chain_id, 0, 0])))
            return "0x" + rlp(body + [chain_id * 2 + 35 + parity, r, s]).hex()
        body = [chain_id, nonce, tip, price, gas, to, value, data, []]
        r, s, parity = _sign(self.secret, keccak256(b"\x02" + rlp(body)))
        return "0x02" + rlp(body + [parity, r, s]).hex()


def hash_of(raw):
    """The hash of a signed transaction."""
    return "0x" + keccak256(bytes.fromhex(raw.removeprefix("0x"))).hex()


if __name__ == "__main__":
    for _ in range(int(sys.argv[1])):
        made = Key()
        print(made.hex(), made.public.hex(), made.address)
