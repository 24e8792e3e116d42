"""Packs to render: a small real one, written by the recorder from frames that our codecs made."""

from __future__ import annotations

from harness.eui64 import Eui64
from harness.evidence.pack import EvidencePack
from harness.evidence.verdict import CaseResult, StepResult, Verdict
from harness.rig.faces import SniffedFrame
from harness.tap import Boundary
from tests.zigbee import conversation

PPMID, HUB = Eui64.parse("00-DB-12-34-56-78-90-A4"), Eui64.parse("00-DB-12-34-56-78-91-02")
MESSAGE = bytes.fromhex(
    "DD0000000000004F1100000000DF0902000001A20FA0FC070800DB1234567890A40890B3D51F300000020012012990B3D51F30"
    "010000000001A20FA0FC060B3009040401020304020100005E7D1A97A3AEC47A27FCA080"
)
"""A response of CS08, whole."""
BENCH = [
    {"kind": "hub", "name": "smets2", "eui64": str(HUB), "channel": 20, "firmware": "7.4.4"},
    {"kind": "ppmid", "name": "ppmid", "eui64": str(PPMID), "firmware": "01020304"},
]
ROW = {
    "row": "2",
    "pre-notified": "SMETS1",
    "hub": "smets2",
    "expected": "SMETS2+",
    "SMI": "SMETS2+",
    "on-air mode": "SMETS2+",
    "route": "gbcs",
}


def step(title="expect_han {mode: SMETS2+}", verdict=Verdict.PASS, reason=None, **changes):
    values = {"title": title, "place": "plan.yaml:4", "verdict": verdict, "started_s": 0.1, "elapsed_s": 0.2}
    return StepResult(**{**values, "reason": reason, **changes})


def result(case_id="ROW-2", verdict=Verdict.PASS, reason=None, **changes):
    values = {
        "id": case_id,
        "title": "Row 2",
        "plan": "four-row-table.yaml",
        "verdict": verdict,
        "reason": reason,
        "attempt": 1,
        "started_s": 1_700_000_000.0,
        "elapsed_s": 0.5,
        "timeout_s": 120.0,
        "covers": ("MP202-T2",),
        "assumptions": ("SMI-WHITELIST",),
        "steps": (step(verdict=verdict, reason=reason),),
        "row": ROW,
    }
    return CaseResult(**{**values, **changes})


def facts(**changes):
    return {
        "rig": {"name": "a bench", "hubs": ["smets2"]},
        "bench": BENCH,
        "plans": [{"file": "four-row-table.yaml", "title": "MP202"}],
        "selected": ["ROW-2"],
        "rules": {"SMI-WHITELIST": {"title": "It is so", "source": "no public text", "basis": "assumed"}},
        "requirements": {
            "MP202-T2": {"text": "Row 2 holds", "source": "MR §3"},
            "MP202-T9": {"text": "Nobody tries this", "source": ""},
        },
        **changes,
    }


def write_pack(folder, *results, record=None, told=None):
    """Write a finished pack with these results; `record` is called with each case's recorder and tap."""
    pack = EvidencePack(folder)
    pack.describe(**(told or facts(selected=[entry.id for entry in results] or ["ROW-2"])))
    for entry in results or (result(),):
        recorder = pack.begin_case(entry.id, entry.attempt)
        recorder.save("inventory-before.json", "[]")
        (record or traffic)(recorder, pack.tap)
        recorder.save("inventory-after.json", f'[{{"DeviceID": "{PPMID}", "DeviceStatus": "Pending"}}]')
        pack.end_case(entry)
    pack.finish(0)
    return folder


def traffic(recorder, tap):
    """Record a step and one event at each boundary; on the air, a whole join."""
    recorder.add_keys([conversation.NETWORK_KEY], {PPMID: (conversation.LINK_KEY,)})
    tap.record(Boundary.STEP, "plan", "ROW-2", "expect_han {mode: SMETS2+}", step=1, place="plan.yaml:4")
    tap.record(Boundary.SERIAL, "bench", "ppmid.port", "status seq=1", b"\x7estatus seq=1\x7e")
    tap.record(Boundary.DUIS, "90-B3-D5-1F-30-01-00-00", "dsp", "request 11.2", b"<a><b>1</b></a>")
    tap.record(Boundary.INVENTORY, "dsp", "smi", "status: None > Pending")
    tap.record(Boundary.S1SP, "dsp", "s1sp", "countersigned request")
    tap.record(Boundary.HUB, "smets2", str(PPMID), "joined")
    tap.record(
        Boundary.RADIO,
        "hubs.smets2.radio",
        str(PPMID),
        "APS",
        b"\x10\x04\x00\x00\x00",
        profile=0x0109,
        cluster=0x0800,
    )
    for number, psdu in enumerate(conversation.whole_life(MESSAGE).psdus()):
        recorder.air(SniffedFrame(time_s=number, channel=20, psdu=psdu, rssi_dbm=-40.0, lqi=200))
