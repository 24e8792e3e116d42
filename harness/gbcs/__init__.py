"""GBCS messages, for a harness or on their own: parse, check, make, sign, decrypt. Pure but for `key_files`.

::

    message     parse: octets to a GbcsMessage and back; nothing is verified
    use_cases   the messages of a use case from their fields and back, checked as their receiver does
    builder     verify, secure, sign_precommand, command_of: any message, whatever its use case
    keys        KeyStore, the face of all keys; BenchPki, derived from a seed; OwnKeys, one party's view
    key_files   PemFolderKeyStore, Zaz1KeyStore: keys that somebody else made
    certificates  the X.509 profile of devices and organisations: read and check
    encryption  payloads that only the party which asked can read
    utrn        prepayment tokens
    access, dlms, gbz, der, cosem_time    what contents are made of
    block_transfer    messages cut into blocks
    codes, alert_codes    names of message codes and alert codes

Decoders raise DecodeError naming the field; a store that has not got a key raises KeyNotFound.
docs/use-gbcs.md shows them at work.
"""

from harness.errors import DecodeError
from harness.eui64 import Eui64
from harness.gbcs.alert_codes import alert_name
from harness.gbcs.block_transfer import Assembly, Block, cut, is_block
from harness.gbcs.builder import Heading, Protection, command_of, secure, sign_precommand, verify
from harness.gbcs.certificates import Certificate, check_certificate, read_certificate
from harness.gbcs.codes import use_case_name
from harness.gbcs.cosem_time import CosemTime
from harness.gbcs.encryption import decrypt_payloads
from harness.gbcs.header import Cra
from harness.gbcs.key_files import PemFolderKeyStore, Zaz1KeyStore
from harness.gbcs.keys import ACB, SUPPLIER, BenchPki, KeyNotFound, KeyStore, KeyStores, KeyUsage, OwnKeys
from harness.gbcs.mac import KeyAgreement, check_mac, protect
from harness.gbcs.message import GbcsMessage, parse
from harness.gbcs.roles import RemotePartyRole
from harness.gbcs.signature import check_signature, sign
from harness.gbcs.use_case import AlertCase, UseCase
from harness.gbcs.utrn import check_utrn, make_utrn, read_utrn

__all__ = [
    "ACB",
    "SUPPLIER",
    "AlertCase",
    "Assembly",
    "BenchPki",
    "Block",
    "Certificate",
    "CosemTime",
    "Cra",
    "DecodeError",
    "Eui64",
    "GbcsMessage",
    "Heading",
    "KeyAgreement",
    "KeyNotFound",
    "KeyStore",
    "KeyStores",
    "KeyUsage",
    "OwnKeys",
    "PemFolderKeyStore",
    "Protection",
    "RemotePartyRole",
    "UseCase",
    "Zaz1KeyStore",
    "alert_name",
    "check_certificate",
    "check_mac",
    "check_signature",
    "check_utrn",
    "command_of",
    "cut",
    "decrypt_payloads",
    "is_block",
    "make_utrn",
    "parse",
    "protect",
    "read_certificate",
    "read_utrn",
    "secure",
    "sign",
    "sign_precommand",
    "use_case_name",
    "verify",
]
