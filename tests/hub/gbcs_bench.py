"""A SMETS2+ hub that is a CHF, and the ACB's side of the messages to it."""

from __future__ import annotations

from datetime import UTC, datetime

from harness.gbcs import ACB, SUPPLIER, BenchPki, OwnKeys
from harness.gbcs.use_cases.device_log import CCS01, CS14, AddDevice, RegisteredType
from harness.hub.gbcs_hub import GbcsHub
from tests.hub.fake_radio import CODE, HUB, PPMID
from tests.hub.hub_bench import run as run_hub

PKI = BenchPki("test")
ACB_KEYS = OwnKeys(ACB, PKI)
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def run(scenario, **changes):
    """Run `scenario(bench)`; `bench.alerts` is what the hub sent unasked."""

    async def with_alerts(bench):
        bench.alerts = []
        bench.hub.listen_gbcs(lambda eui64, message: bench.alerts.append((eui64, message)))
        await scenario(bench)

    run_hub(with_alerts, kind=GbcsHub, prepare=lambda hub: hub.be_chf(PKI, lambda: NOW), **changes)


def heading(counter, device=HUB, **changes):
    values = {
        "originator": ACB,
        "device": device,
        "counter": counter,
        "supplementary_party": SUPPLIER,
        "supplementary_counter": counter + 1000,
    }
    return {**values, **changes}


def add(counter=1, *, device=HUB, **fields):
    """Return CCS01 for the PPMID."""
    values = {
        "device": PPMID,
        "install_code": CODE,
        "device_type": RegisteredType.PPMID,
        "join_timeout_s": 90,
    }
    return CCS01.build_command(AddDevice(**{**values, **fields}), ACB_KEYS, **heading(counter, device))


def logs_told(bench):
    """Return the device logs of the alerts, verified as the ACB does."""
    alerts = [CS14.read_alert(message, ACB_KEYS, originator=HUB) for _, message in bench.alerts]
    return [{one.device: one.link_key_hash for one in alert.log.devices} for alert in alerts]
