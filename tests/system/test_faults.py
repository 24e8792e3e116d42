"""What a fault of a hub's dongle must lead to: the case it happens in, and the case after it.

None of them may ever become a `fail`: the PPMID is a good one.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.system.runs import certify, changed_rig

PASS, ERROR, PASS_OR_ERROR = "pass", "error", "pass or error"
REQUEST = 'request: {srv: "11.2"}'
REPLUG = "inject_fault: {resource: hubs.smets2.radio, fault: replug}"


@dataclass(frozen=True)
class Fault:
    """`verdict` is that of the last attempt at the case; `says` must stand in its reason."""

    fault: str
    verdict: str
    says: str = ""
    arguments: str = "{}"
    when: str = "join"  # before whitelisting, the join, a restart of the hub, or a request
    then: tuple[str, ...] = ()
    id: str = ""
    slow: bool = True

    @property
    def name(self) -> str:
        return (self.id or f"{self.fault}-{self.when}").upper()


# docs/faults-and-verdicts.md has the same table in words.
TABLE = (
    # The line makes up for a few frames by itself: the case goes on.
    Fault("corrupt", PASS, arguments="{frames: 2}", slow=False),
    Fault("corrupt", PASS, arguments="{frames: 2, to: dongle}", id="corrupt-to-dongle"),
    Fault("drop", PASS, arguments="{frames: 1}"),
    Fault("drop", PASS, arguments="{frames: 1, to: dongle}", id="drop-to-dongle"),
    Fault("duplicate", PASS, arguments="{frames: 5}"),
    Fault("duplicate", PASS, arguments="{frames: 5, to: dongle}", id="duplicate-to-dongle"),
    Fault("cut", PASS, arguments="{frames: 1}"),
    Fault("delay", PASS, arguments="{frames: 3, seconds: 0.1}"),
    Fault("delay", PASS, arguments="{frames: 3, seconds: 0.1, to: dongle}", id="delay-to-dongle"),
    Fault("junk", PASS, when="request"),
    Fault("sent-twice", PASS, arguments="{frames: 9}"),
    Fault("busy", PASS, arguments="{frames: 3}"),
    Fault("network-down", PASS),
    Fault("status-twice", PASS, arguments="{frames: 3}"),
    Fault("status-twice", PASS, arguments="{frames: 3}", when="restart"),
    Fault("status-late", PASS, arguments="{frames: 3, seconds: 0.3}", when="restart"),
    Fault("scan-partial", PASS, when="restart"),
    Fault("scan-twice", PASS, when="restart"),
    # The dongle is lost or does not do its work: error, twice, and the next case is as if nothing had been.
    Fault("reset", ERROR, says="lost its radio", slow=False),
    Fault("reset", ERROR, arguments="{code: 2}", when="request", says="lost its radio"),
    Fault("error", ERROR, says="lost its radio", when="request"),
    Fault("unplug", ERROR, says="lost its radio", when="request"),
    Fault("unplug", ERROR, says="lost its radio", then=(REPLUG, REQUEST), id="unplug-and-replug"),
    Fault("second-host", ERROR, says="lost its radio"),
    Fault(
        "status-missing",
        ERROR,
        arguments="{frames: 9}",
        when="restart",
        says="gave no answer within 1.0 s (networkInit)",
    ),
    Fault("network-lost", ERROR, says="lost its radio"),
    Fault("network-lost", ERROR, arguments="{told: false}", id="network-lost-untold", says="fallen off"),
    Fault("silent", ERROR, says="not healthy"),
    # Whether a NUL is on the line in time is chance; that it fails nobody is not.
    Fault("eats-nuls", PASS_OR_ERROR),
    Fault("eats-nuls", PASS_OR_ERROR, when="request"),
    Fault("deaf", ERROR, says="not healthy", when="request"),
    Fault("ack-starved", ERROR, when="request", says="lost its radio", then=("wait: {for: 4 s}", REQUEST)),
    Fault(
        "busy",
        ERROR,
        arguments="{frames: 100000}",
        id="busy-for-good",
        says="too busy to send",
        when="request",
    ),
    Fault(
        "delivery-failed", ERROR, arguments="{frames: 100}", says="did not send what it was given", slow=False
    ),
    Fault("delivery-failed", ERROR, arguments="{frames: 100}", when="request"),
    Fault("delivery-failed", PASS, arguments="{frames: 1}", when="request", id="delivery-failed-once"),
    Fault("stays-shut", ERROR, says="told in its beacons that nobody may join", when="whitelist"),
    Fault("key-forgotten", ERROR, says="denied it, though the hub had let it in", when="whitelist"),
    Fault("key-table-full", ERROR, says="did not take the link key that was established"),
    Fault("keys-refused", ERROR, says="did not take the link key that was established", slow=False),
)
CASE = """\
  - id: {name}
    title: {fault} before the {when}
    steps:
      - prenotify: {{as: SMETS1}}
{steps}
  - id: AFTER-{name}
    title: What comes after {fault}
    steps:
      - prenotify: {{as: SMETS1}}
      - whitelist: {{hub: smets2}}
      - join: {{within: 10 s}}
      - request: {{srv: "11.2"}}
"""
QUICK = (
    'path: "${environment.smets2}"',
    'path: "${environment.smets2}", command-timeout: 1 s, connect-timeout: 4 s, network-timeout: 1 s',
)


def plan_of(folder, faults):
    text = "schema: ppmid-bench/plan@1\ntitle: Faults of a dongle\ncases:\n"
    for entry in faults:
        steps = ["whitelist: {hub: smets2}", "join: {within: 6 s}", REQUEST, *entry.then]
        if entry.when == "restart":
            steps.insert(2, "restart_hub: {hub: smets2}")
        place = {"whitelist": 0, "restart": 2, "join": 1, "request": 2}[entry.when]
        step = f"{{resource: hubs.smets2.radio, fault: {entry.fault}, arguments: {entry.arguments}}}"
        steps.insert(place, f"inject_fault: {step}")
        lines = "\n".join(f"      - {line}" for line in steps)
        text += CASE.format(name=entry.name, fault=entry.fault, when=entry.when, steps=lines)
    path = folder / "plan.yaml"
    path.write_text(text)
    return path


def held(folder, faults):
    run = certify(folder / "pack", plan_of(folder, faults), rig=changed_rig(folder, QUICK))
    cases = {case["id"]: case for case in run.run["cases"]}
    wrong = []
    for entry in faults:
        case, after = cases[entry.name], cases[f"AFTER-{entry.name}"]
        if case["verdict"] not in entry.verdict.split(" or ") or entry.says not in (case["reason"] or ""):
            wrong.append((entry.name, case["verdict"], case["reason"]))
        if after["verdict"] != PASS:
            wrong.append((after["id"], after["verdict"], after["reason"]))
    assert not wrong, "\n".join(map(str, wrong))
    assert "fail" not in {case["verdict"] for case in run.run["cases"]}
    return run


def test_some_faults_of_a_dongle_and_what_they_lead_to(tmp_path):
    held(tmp_path, [entry for entry in TABLE if not entry.slow])


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_every_fault_of_a_dongle_and_what_it_leads_to(tmp_path, part):
    held(tmp_path, [entry for entry in TABLE if entry.slow][part::4])


DONGLE = "    smets2: {eui64: 00-DB-12-34-56-78-91-02}\n"


def with_fault(folder, fault):
    changed = DONGLE.replace("}", f", faults: [{fault}]}}")
    return changed_rig(folder, (DONGLE, changed), (QUICK[0], QUICK[1].replace("4 s", "1 s")))


def test_a_fault_in_the_rig_file_is_there_from_the_start(tmp_path):
    run = certify(tmp_path / "pack", "-k", "MP202-ROW-2", rig=with_fault(tmp_path, "{fault: silent}"))
    assert (run.code, "gave no EZSP answer within 1.0 s" in run.said) == (3, True), run.said


def test_a_fault_in_the_rig_file_that_there_is_not_is_named_with_its_place(tmp_path):
    run = certify(tmp_path / "pack", "-k", "MP202-ROW-2", rig=with_fault(tmp_path, "{fault: silnt}"))
    assert (run.code, "rig.yaml:12:" in run.said, "did you mean `silent`?" in run.said) == (2, True, True), (
        run.said
    )
