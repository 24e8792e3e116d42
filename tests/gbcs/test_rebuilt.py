"""Published messages rebuilt from their fields octet for octet, and read back to the same fields.

Where ECDSA is random the vector's own signature is put in; it is verified when the message is read.
"""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest

from harness.gbcs.builder import secure
from harness.gbcs.message import parse
from tests.dcc_data import DCC_DATA
from tests.gbcs import rebuilt
from tests.gbcs.rebuilt import Alert, Exchange
from tests.gbcs.vectors import rtds_keys, vector, vectors

pytestmark = pytest.mark.dcc_data

EXCHANGES = rebuilt.exchanges() if DCC_DATA else []
ALERTS = rebuilt.alerts() if DCC_DATA else []
_NAMES = {"ids": lambda one: one.vector.split("/")[1]}


@pytest.mark.parametrize("exchange", EXCHANGES, **_NAMES)
def test_a_command_is_rebuilt_and_read(exchange: Exchange):
    expected = vector(f"{exchange.vector}_COMMAND")
    case, keys = exchange.case, rtds_keys()
    if exchange.mac_is_unpublished:
        composed = case.compose_command(exchange.command, **exchange.heading)
        assert composed.with_mac(parse(expected).mac).to_bytes() == expected
        assert case.command_fields(parse(expected)) == exchange.command
        return
    signature = parse(expected).signature
    assert case.build_command(exchange.command, keys, signature=signature, **exchange.heading) == expected
    assert case.read_command(expected, keys, device=exchange.device) == exchange.command


@pytest.mark.parametrize("exchange", EXCHANGES, **_NAMES)
def test_a_response_is_rebuilt_and_read(exchange: Exchange):
    command, expected = (vector(f"{exchange.vector}_{kind}") for kind in ("COMMAND", "RESPONSE"))
    case, keys = exchange.case, rtds_keys()
    composed = case.compose_response(command, exchange.response, time=exchange.time)
    if exchange.mac_is_unpublished:
        assert composed.with_mac(parse(expected).mac).to_bytes() == expected
        assert case.response_fields(parse(expected)) == exchange.response
        return
    if exchange.response_quirk:
        composed = replace(composed, content=exchange.response_quirk(composed.content))
    assert secure(composed, keys, case.response, signature=parse(expected).signature) == expected
    assert case.read_response(expected, keys, command=command) == exchange.response


@pytest.mark.parametrize("exchange", [one for one in EXCHANGES if one.precommand], **_NAMES)
def test_a_precommand_is_rebuilt_and_is_the_command_before_it_was_signed(exchange: Exchange):
    composed = exchange.case.compose_command(exchange.command, **exchange.heading)
    assert composed.to_bytes() == vector(f"{exchange.vector}_PRECOMMAND")
    assert composed.body() == parse(vector(f"{exchange.vector}_COMMAND")).body()


@pytest.mark.parametrize("alert", ALERTS, **_NAMES)
def test_an_alert_is_rebuilt_and_read(alert: Alert):
    expected = vector(alert.vector)
    built = alert.case.build_alert(
        alert.fields,
        rtds_keys(),
        originator=alert.originator,
        recipient=alert.recipient,
        counter=alert.counter,
        signature=parse(expected).signature,
        **alert.more,
    )
    assert built == expected
    assert alert.case.read_alert(expected, rtds_keys(), originator=alert.originator) == alert.fields


def test_no_message_of_these_use_cases_is_left_out_of_the_table():
    directories = {one.vector.split("/")[0] for one in (*EXCHANGES, *ALERTS)}
    published = {name for name in vectors() if name.split("/")[0] in directories}
    listed = [f"{one.vector}_{kind}" for one in EXCHANGES for kind in one.kinds]
    listed += [one.vector for one in ALERTS]
    assert sorted(f"{name}_GBCS" for name in listed) == sorted(published)
    lines = rebuilt.table()
    assert len(lines) == len(listed) + 2
    sys.stdout.write("\n" + "\n".join(lines) + "\n")
