"""Encrypted payloads: a device hides what it has read from all but the party that asked.

::

    ciphered   31 00000000 | ciphertext | tag (12)
    K          the KDF's key of kind 04, for the message's originator and its supplementary remote party or
               else its recipient, with the supplementary originator counter or else the originator counter
    AES-128-GCM, IV = originator || 00000000, AAD = 31

In DLMS, protected data are a structure of protection parameters, which name parties and counter again, and
ciphered octets (an alert has the two as elements of its own); in GBZ they are the payload of a component.
Source: facts gb-domain §3.3; proved by decrypting the RTDS vectors.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import GCM

from harness.errors import DecodeError
from harness.eui64 import Eui64
from harness.gbcs import dlms
from harness.gbcs.access import AccessResponse, Notification
from harness.gbcs.dlms import DlmsReader
from harness.gbcs.gbz import GbzAlert, GbzPayload, read_component
from harness.gbcs.header import Cra
from harness.gbcs.keys import KeyNotFound, KeyStore, KeyUsage
from harness.gbcs.mac import PAYLOAD_ENCRYPTION, KeyAgreement, derive_key, initialisation_vector
from harness.gbcs.message import GbcsMessage
from harness.gbcs.octets import Reader

TAG_LENGTH = 12
_SECURITY_CONTROL = b"\x31"
_SECURITY_HEADER = _SECURITY_CONTROL + bytes(4)
_PROTECTED = bytes.fromhex("0202010102021602")
"""How protected data begin: a structure of two, an array of one, a structure of two, protection type 2."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtectedData:
    """DLMS protected data: whom and what they name as their key's, and the ciphered octets."""

    counter: int
    originator: Eui64
    recipient: Eui64
    ciphered: bytes

    def to_bytes(self) -> bytes:
        """Return the DLMS structure."""
        key_info = dlms.structure(
            dlms.enum(2), dlms.structure(dlms.octet_string(b"\x02"), dlms.octet_string(b""))
        )
        options = dlms.structure(
            dlms.octet_string(bytes((PAYLOAD_ENCRYPTION,)) + self.counter.to_bytes(8, "big")),
            dlms.eui64(self.originator),
            dlms.eui64(self.recipient),
            dlms.octet_string(b""),
            key_info,
        )
        parameters = dlms.array(dlms.structure(dlms.enum(2), options))
        return dlms.structure(parameters, dlms.octet_string(self.ciphered))

    @classmethod
    def from_bytes(cls, octets: bytes) -> ProtectedData:
        """Read the DLMS structure; raises DecodeError."""
        reader = DlmsReader(octets)
        reader.structure("protected data", 2)
        parameters = reader.array("protection parameters", _read_parameters)
        if len(parameters) != 1:
            raise DecodeError("protection parameters", f"there are {len(parameters)}, expected one")
        ((counter, originator, recipient),) = parameters
        data = cls(
            counter=counter,
            originator=originator,
            recipient=recipient,
            ciphered=reader.octet_string("ciphered data"),
        )
        reader.end("protected data")
        return data


def reader_of(message: GbcsMessage) -> Eui64:
    """Return the party whose key opens a message's encrypted payloads."""
    return message.supplementary_party or message.recipient


def payload_key(message: GbcsMessage, keys: KeyStore) -> bytes:
    """Return the key of a message's encrypted payloads, from either end's private key; raises KeyNotFound."""
    one, other = message.originator, reader_of(message)
    try:
        private = keys.private_key(other, KeyUsage.KEY_AGREEMENT)
    except KeyNotFound:
        one, other = other, one
        private = keys.private_key(other, KeyUsage.KEY_AGREEMENT)
    counter = message.supplementary_originator_counter
    return derive_key(
        KeyAgreement(private, keys.public_key(one, KeyUsage.KEY_AGREEMENT)).shared_secret(),
        originator=message.originator,
        recipient=reader_of(message),
        counter=message.counter if counter is None else counter,
        kind=PAYLOAD_ENCRYPTION,
    )


def encrypt(key: bytes, originator: Eui64, plain: bytes) -> bytes:
    """Return a payload ciphered, security header and tag included."""
    cipher = Cipher(AES(key), GCM(initialisation_vector(originator))).encryptor()
    cipher.authenticate_additional_data(_SECURITY_CONTROL)
    ciphertext = cipher.update(plain) + cipher.finalize()
    return _SECURITY_HEADER + ciphertext + cipher.tag[:TAG_LENGTH]


def decrypt(key: bytes, originator: Eui64, ciphered: bytes) -> bytes:
    """Return what a ciphered payload says; raises DecodeError when it is cut short or its tag is wrong."""
    reader = Reader(ciphered)
    reader.literal(_SECURITY_HEADER, "security header of the payload")
    if reader.remaining < TAG_LENGTH:
        raise reader.error("ciphered payload", f"has {reader.remaining} octets, its tag alone {TAG_LENGTH}")
    ciphertext, tag = ciphered[reader.position : -TAG_LENGTH], ciphered[-TAG_LENGTH:]
    mode = GCM(initialisation_vector(originator), tag, min_tag_length=TAG_LENGTH)
    cipher = Cipher(AES(key), mode).decryptor()
    cipher.authenticate_additional_data(_SECURITY_CONTROL)
    try:
        return cipher.update(ciphertext) + cipher.finalize()
    except InvalidTag:
        raise DecodeError("ciphered payload", "does not decrypt") from None


def ciphered_payloads(message: GbcsMessage) -> tuple[bytes, ...]:
    """Return a response's or alert's ciphered payloads in order, none where nothing is encrypted.

    Raises DecodeError when the content does not decode.
    """
    if message.cra is Cra.COMMAND:
        return ()
    head = message.content[:1]
    if head == b"\x01":
        return tuple(_in_gbz(message))
    if head == b"\xda":
        data = AccessResponse.from_bytes(message.content, message.counter).data
    elif head == b"\x0f":
        data = (dlms.structure(*Notification.from_bytes(message.content, message.counter).body),)
    else:
        return ()
    return tuple(_in_dlms(data, message))


def decrypt_payloads(message: GbcsMessage, keys: KeyStore) -> tuple[bytes, ...]:
    """Return what a message's encrypted payloads say, in order; raises DecodeError, also without a key."""
    ciphered = ciphered_payloads(message)
    if not ciphered:
        return ()
    try:
        key = payload_key(message, keys)
    except KeyNotFound as missing:
        raise DecodeError("ciphered payload", f"cannot be read: {missing}") from None
    return tuple(decrypt(key, message.originator, one) for one in ciphered)


def _in_gbz(message: GbcsMessage) -> Iterator[bytes]:
    if message.cra is Cra.ALERT:
        body = GbzAlert.from_bytes(message.content).body
        components = [read_component(body)] if body[:1] == b"\x03" else []
    else:
        components = list(GbzPayload.from_bytes(message.content).components)
    yield from (one.payload for one in components if one.encrypted)


def _in_dlms(data: tuple[bytes, ...], message: GbcsMessage) -> Iterator[bytes]:
    for one in data:
        if not one.startswith(_PROTECTED):
            continue
        protected = ProtectedData.from_bytes(one)
        # RTDS ECS21b URP names the header's recipient and counter, and encrypts for the supplementary ones.
        allowed = (
            (message.originator,),
            (message.recipient, message.supplementary_party),
            (message.counter, message.supplementary_originator_counter),
        )
        named = (protected.originator, protected.recipient, protected.counter)
        if any(found not in known for found, known in zip(named, allowed, strict=True)):
            raise DecodeError("protection parameters", "do not name the message's parties and counter")
        yield protected.ciphered


def _read_parameters(reader: DlmsReader) -> tuple[int, Eui64, Eui64]:
    reader.structure("protection parameters", 2)
    reader.octets.literal(dlms.enum(2), "protection type")
    reader.structure("protection options", 5)
    transaction = Reader(reader.octet_string("transaction id", 9))
    transaction.literal(bytes((PAYLOAD_ENCRYPTION,)), "transaction id")
    originator = reader.eui64("originator")
    recipient = reader.eui64("recipient")
    reader.octet_string("other information", 0)
    reader.structure("key info", 2)
    reader.octets.literal(dlms.enum(2), "key info")
    reader.structure("agreed key", 2)
    reader.octets.literal(dlms.octet_string(b"\x02"), "key parameters")
    reader.octet_string("key ciphered data", 0)
    return transaction.number(8, "counter"), originator, recipient
