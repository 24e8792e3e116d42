"""Zigbee security: AES-MMO hash, derived keys, the auxiliary header and AES-CCM* at level 5.

Level 5 (encryption and a 4-octet MIC) is the only one that Zigbee PRO uses; on the air the level bits
are 0, and both ends put 5 there before they compute. Source: 05-3474 §4.5 (auxiliary header),
Annex A (CCM*), Annex B (MMO hash, keyed hash).
"""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass
from typing import Annotated

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESCCM

from harness.errors import DecodeError
from harness.eui64 import Eui64
from harness.zigbee.fields import U32, Bits, Cursor, Eui, Number, OpenEnum, Present, Record, When

LEVEL = 5
_LEVEL_BITS = 0b111
MIC_OCTETS = 4
_BLOCK = 16


class AuthenticationFailed(DecodeError):
    """The MIC is not what this key makes of the frame: a wrong key, or the frame was changed."""


def mmo_hash(data: bytes) -> bytes:
    """Return the 16-octet AES-MMO hash of `data`, Annex B.6."""
    bits = 8 * len(data)
    # Up to 2^16 bits the length takes 2 octets; beyond, 4 octets after 2 zero ones.
    tail = bits.to_bytes(2, "big") if bits < 1 << 16 else bits.to_bytes(4, "big") + b"\x00\x00"
    padded = data + b"\x80"
    padded += bytes(-(len(padded) + len(tail)) % _BLOCK) + tail
    digest = bytes(_BLOCK)
    for start in range(0, len(padded), _BLOCK):
        block = padded[start : start + _BLOCK]
        digest = _xor(_aes_block(digest, block), block)
    return digest


def _aes_block(key: bytes, block: bytes) -> bytes:
    # One block a key: ECB is the bare cipher here, not a mode of use.
    return Cipher(algorithms.AES(key), modes.ECB()).encryptor().update(block)  # noqa: S305


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


def keyed_hash(key: bytes, data: bytes) -> bytes:
    """Return the 16-octet keyed hash (HMAC over AES-MMO) of `data`, Annex B.1.4. The key has 16 octets."""
    inner = mmo_hash(_xor(key, b"\x36" * _BLOCK) + data)
    return mmo_hash(_xor(key, b"\x5c" * _BLOCK) + inner)


@functools.lru_cache(maxsize=256)
def key_transport_key(link_key: bytes) -> bytes:
    """Return what protects a network key on its way to a device, §4.5.3."""
    return keyed_hash(link_key, b"\x00")


@functools.lru_cache(maxsize=256)
def key_load_key(link_key: bytes) -> bytes:
    """Return what protects a link key on its way to a device, §4.5.3."""
    return keyed_hash(link_key, b"\x02")


class KeyId(OpenEnum):
    """Which kind of key secures a frame, Table 4-31."""

    DATA = 0  # the link key itself
    NETWORK = 1
    KEY_TRANSPORT = 2
    KEY_LOAD = 3


def derived_key(link_key: bytes, key_id: KeyId) -> bytes:
    """Return the key of this kind that a link key stands for."""
    if key_id is KeyId.KEY_TRANSPORT:
        return key_transport_key(link_key)
    if key_id is KeyId.KEY_LOAD:
        return key_load_key(link_key)
    return link_key


def _with_network_key(control: int) -> bool:
    return control >> 3 & 3 == KeyId.NETWORK


@dataclass(frozen=True, slots=True, kw_only=True)
class AuxHeader(Record):
    """Auxiliary frame header, §4.5.1. `level` is 0 on the air."""

    level: Annotated[int, Bits(0, 3)] = 0
    key_id: Annotated[KeyId, Bits(3, 2)]
    reserved: Annotated[int, Bits(6, 2)] = 0
    frame_counter: U32
    source: Annotated[Eui64 | None, Eui(), Present(5)] = None
    key_sequence: Annotated[int | None, Number(1), When(_with_network_key)] = None

    def computed(self) -> AuxHeader:
        """Return the header as both ends compute with it: with the level in place."""
        return dataclasses.replace(self, level=LEVEL)


def _nonce(aux: AuxHeader, source: Eui64 | None, control: int) -> bytes:
    origin = aux.source or source
    if origin is None:
        raise DecodeError("source EUI-64", "is in neither the frame nor the address table")
    return origin.to_bytes_le() + aux.frame_counter.to_bytes(4, "little") + bytes([control])


def seal(key: bytes, header: bytes, aux: AuxHeader, payload: bytes, *, source: Eui64 | None = None) -> bytes:
    """Return auxiliary header, ciphertext and MIC, §4.3.1.1 and §4.4.1.1.

    `header` is the frame's header as it goes on the air, with its security bit set. `source` is the
    sender, needed when `aux` does not name it.
    """
    computed = aux.computed().to_bytes()
    nonce = _nonce(aux, source, computed[0])
    sealed = AESCCM(key, tag_length=MIC_OCTETS).encrypt(nonce, payload, header + computed)
    return dataclasses.replace(aux, level=0).to_bytes() + sealed


def unseal(
    key: bytes, header: bytes, secured: bytes, *, source: Eui64 | None = None
) -> tuple[AuxHeader, bytes]:
    """Return the auxiliary header and the payload in clear. The reverse of `seal`.

    Raises AuthenticationFailed when the MIC is wrong, DecodeError when octets or the source are missing.
    """
    aux, sealed = split(secured)
    if len(sealed) < MIC_OCTETS:
        raise DecodeError("MIC", f"needs {MIC_OCTETS} octets, {len(sealed)} are left", offset=len(secured))
    on_air = secured[: len(secured) - len(sealed)]
    computed = bytes([on_air[0] & ~_LEVEL_BITS | LEVEL]) + on_air[1:]
    try:
        nonce = _nonce(aux, source, computed[0])
        payload = AESCCM(key, tag_length=MIC_OCTETS).decrypt(nonce, sealed, header + computed)
    except InvalidTag:
        raise AuthenticationFailed("MIC", f"is wrong under this {aux.key_id.name} key") from None
    return aux, payload


@functools.lru_cache(maxsize=16)  # whoever opens a frame asks several times
def split(secured: bytes) -> tuple[AuxHeader, bytes]:
    """Return the auxiliary header, and the ciphertext with its MIC. Raises DecodeError."""
    cursor = Cursor(secured)
    return AuxHeader.read(cursor), cursor.rest()
