"""A meter, too, lives through the exchange of its hub: it comes to the new one and works there."""

from __future__ import annotations

import pytest

from tests.system.runs import RIGS, VIRTUAL, certify

PLAN = """\
schema: ppmid-bench/plan@1
title: A premises whose hub is replaced
cases:
  - id: METER-EXCHANGE
    title: Another hub takes the place of the one of the PPMID and of the meter
    timeout: 2 min
    steps:
      - install_meter: {meter: ESME, hub: smets2}
      - commission_meter: {meter: ESME}
      - prenotify: {as: SMETS2+}
      - whitelist: {hub: smets2}
      - join: {within: 60 s}
      - expect_han: {mode: SMETS2+, key_establishment: 2}
      - switch_hub_off: {hub: smets2}
      - exchange_hub: {from: smets2, hub: replacement}
      - expect_taken_over: {within: 60 s}
      - wait: {for: 15 s}
      - activate_emergency_credit: {meter: ESME}
      - expect_meter_log: {meter: ESME, lacks: [PPMID]}
"""


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_meter_works_on_the_hub_that_took_its_hubs_place(tmp_path):
    virtual, exchange = VIRTUAL.read_text(), (RIGS / "virtual-exchange.yaml").read_text()
    nodes = virtual[virtual.index("  meters:  #") : virtual.index("\nhubs:")]
    meters = virtual[virtual.index("\nmeters:\n") : virtual.index("sniffer:")]
    text = exchange.replace("\nhubs:", f"{nodes}\nhubs:", 1).replace("sniffer:", f"{meters}\nsniffer:", 1)
    (tmp_path / "rig.yaml").write_text(text)
    (tmp_path / "plan.yaml").write_text(PLAN)
    (tmp_path / "cpl-virtual.csv").write_bytes((RIGS / "cpl-virtual.csv").read_bytes())
    run = certify(tmp_path / "pack", tmp_path / "plan.yaml", rig=tmp_path / "rig.yaml")
    assert run.verdicts == {"METER-EXCHANGE": "pass"}, run.said
