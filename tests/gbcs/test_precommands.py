"""Pre-commands: signed as their user does, made into commands as the DSP does, by the published pairs."""

from __future__ import annotations

import pytest

from harness.errors import DecodeError
from harness.gbcs.builder import Protection, command_of, sign_precommand, verify
from harness.gbcs.keys import ACB, SUPPLIER, BenchPki, KeyNotFound, OwnKeys
from harness.gbcs.message import parse
from harness.gbcs.use_cases.firmware import CS06, Activate
from tests.gbcs.vectors import ESME, rtds_keys, vectors

PKI = BenchPki("test")
PRECOMMAND = CS06.compose_command(
    Activate(image_hash=bytes(32), originator_counter=7), originator=SUPPLIER, device=ESME, counter=7
).to_bytes()


@pytest.mark.dcc_data
def test_every_published_precommand_with_its_commands_signature_becomes_that_command():
    everything = vectors()
    pairs = {
        name: (octets, everything[name.replace("_PRECOMMAND_", "_COMMAND_")])
        for name, octets in everything.items()
        if "_PRECOMMAND_" in name
    }
    assert len(pairs) == 178
    for name, (precommand, command) in pairs.items():
        signed = parse(precommand).with_signature(parse(command).signature).to_bytes()
        assert command_of(signed, rtds_keys()) == command, name


@pytest.mark.dcc_data
def test_a_published_precommand_is_signed_with_its_users_key():
    for name, octets in vectors().items():
        if "_PRECOMMAND_" in name:
            for form in (octets, octets + b"\x00"):  # as the RTDS have it, and as DUIS carries it
                verify(parse(sign_precommand(form, rtds_keys())), rtds_keys(), Protection.SIGNED)


def test_the_user_signs_and_the_dsp_adds_the_mac():
    signed = sign_precommand(PRECOMMAND, OwnKeys(SUPPLIER, PKI))
    command = command_of(signed, OwnKeys(ACB, PKI))
    assert CS06.read_command(command, OwnKeys(ESME, PKI), device=ESME).originator_counter == 7


def test_a_precommand_that_another_has_signed_becomes_no_command():
    forged = parse(sign_precommand(PRECOMMAND, BenchPki("another seed")))
    with pytest.raises(DecodeError, match="signature"):
        command_of(forged.to_bytes(), OwnKeys(ACB, PKI))
    with pytest.raises(DecodeError, match="signature"):
        command_of(PRECOMMAND, OwnKeys(ACB, PKI))


def test_what_is_protected_already_is_not_signed_again():
    signed = sign_precommand(PRECOMMAND, PKI)
    for octets in (signed, command_of(signed, PKI)):
        with pytest.raises(DecodeError, match="protected already"):
            sign_precommand(octets, PKI)


def test_a_dsp_that_knows_no_key_of_the_user_makes_no_command():
    class Nobody:
        def public_key(self, eui, usage):
            raise KeyNotFound(eui, usage)

    with pytest.raises(DecodeError, match="not trusted"):
        command_of(sign_precommand(PRECOMMAND, PKI), Nobody())
