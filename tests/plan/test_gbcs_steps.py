"""The steps about GBCS pass where all is right, and fail, naming whose fault it is, where it is not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from drivers.virtual.device.joined_devices import JoinedDevices
from drivers.virtual.ppmid.defects import Defect
from harness.dcc import stages
from harness.dcc.defects import DccDefect
from harness.dcc.gbcs_trials import GbcsTrials
from harness.gbcs.acceptance import Refusal
from harness.gbcs.use_cases.joining import JoinResult
from harness.hub.defects import HubDefect
from harness.hub.logical_device import LogicalDevice, RefusedMessage
from harness.smets.cpl import DeviceType
from harness.smets.routing import route
from harness.smets.version import SmetsVersion
from tests.plan.running import cases_of, run

ON_2 = "- prenotify: {as: SMETS2+}\n- whitelist: {hub: smets2}\n- join: {within: 5 s}\n"
ON_1 = ON_2.replace("smets2", "smets1")
JOIN_ESME = "- request: {srv: '8.7.2', with: ESME}\n"
READ = "- request: {srv: '8.9'}\n"
READ_HUB = "- request: {srv: '8.9', hub: smets2, security: true}\n"


@pytest.fixture
def said(tmp_path):
    """Return verdict and reason of one case with these steps on a bench of fakes with these defects."""

    def said(steps, **defects):
        result = run(tmp_path, cases_of(tmp_path, steps), None, **defects).only
        return result.verdict.value, result.reason or ""

    return said


@pytest.mark.parametrize(
    "steps",
    [
        JOIN_ESME + "- expect_route: {via: gbcs, use_case: CS03A2}\n",
        JOIN_ESME + "- expect_answer: {fields: {JoinResponseCode: success}}\n",
        JOIN_ESME + READ + "- expect_log: {has: [ESME], lacks: [GSME]}\n",
        "- request: {srv: '8.7.2', with: GSME}\n" + READ + "- expect_log: {has: [GSME]}\n",
        "- request: {srv: '8.8.2', with: ESME, answer: failure}\n",
        READ_HUB + "- expect_route: {via: gbcs, use_case: CCS07}\n- expect_log: {has: [PPMID]}\n",
        "- unjoin: {hub: smets2}\n- request: {srv: '8.12.1', hub: smets2, from: 00-DB-12-34-56-78-90-95}\n",
        "- raise_alert: {code: 8F8B}\n- expect_alert: {code: 8F8B}\n",
        "- expect_alert: {code: 8F12, hub: smets2}\n",
        "- expect_alert: {code: 8F12, hub: smets2, has: [PPMID], lacks: [ESME]}\n",
        "- unwhitelist: {hub: smets2}\n- expect_alert: {code: 8F12, hub: smets2, lacks: [PPMID]}\n",
        "- send_gbcs: {use_case: CS07}\n",
        "- send_gbcs: {use_case: CCS01, hub: smets2, spoilt: mac}\n",
        "- send_gbcs: {use_case: CS03A2, spoilt: signature, silent_for: 50 ms}\n",
        "- send_gbcs: {use_case: CS03C, spoilt: certificate}\n",
        "- request: {srv: '11.2'}\n- expect_response_refused: {spoilt: replayed}\n",
        *(
            f"- expect_response_refused: {{spoilt: {how}}}\n"
            for how in ("mac", "bit", "truncated", "target", "originator", "code", "counter", "user")
        ),
    ],
)
def test_it_passes_where_all_is_right(said, steps):
    assert said(ON_2 + steps) == ("pass", "")


def test_a_smets1_system_knows_no_gbcs(said):
    assert said(ON_1 + JOIN_ESME + "- expect_no_gbcs\n") == ("pass", "")


def test_gbcs_since_the_whitelisting_is_seen(said):
    verdict, reason = said(ON_2 + JOIN_ESME + "- expect_no_gbcs\n")
    assert (verdict, "made a GBCS" in reason) == ("fail", True)


GPF = "hub: smets2, function: GPF"
JOIN_GPF = f"- request: {{srv: '8.7.2', {GPF}, with: PPMID}}\n"
READ_GPF = f"- request: {{srv: '8.9', {GPF}}}\n"
UNJOIN_GPF = JOIN_GPF.replace("8.7.2", "8.8.2")
RESTORE_GPF = f"- request: {{srv: '8.12.2', {GPF}, from: 00-DB-12-34-56-78-90-B3}}\n"
BAD_JOIN = f"- send_gbcs: {{{{use_case: CS03B, {GPF}, spoilt: {{}}, silent_for: 50 ms}}}}\n"
ALERT_GPF = f"- expect_alert: {{code: '8071', {GPF}, within: 50 ms}}\n"


@pytest.mark.parametrize(
    "steps",
    [
        "- expect_gpf: {hub: smets2, smets: SMETS2+}\n",
        JOIN_GPF + "- expect_route: {via: gbcs, use_case: CS03B}\n" + ALERT_GPF,
        JOIN_GPF + READ_GPF + "- expect_log: {has: [PPMID], lacks: [GSME]}\n",
        JOIN_GPF.replace("PPMID", "GSME") + READ_GPF + "- expect_log: {has: [GSME], lacks: [PPMID]}\n",
        JOIN_GPF + UNJOIN_GPF + READ_GPF + "- expect_log: {lacks: [PPMID]}\n",
        UNJOIN_GPF.replace("PPMID", "PPMID, answer: failure"),
        RESTORE_GPF + ALERT_GPF + READ_GPF + "- expect_log: {has: [PPMID]}\n",
        "- request: {srv: '8.7.2', with: GPF}\n" + READ + "- expect_log: {has: [GPF]}\n",
        *(f"- send_gbcs: {{use_case: {one}, {GPF}}}\n" for one in ("CS03B", "CS07", "GCS59")),
        *map(BAD_JOIN.format, ("mac", "bit", "truncated", "target", "originator", "code", "replayed")),
    ],
)
def test_the_gpf_does_its_part_where_all_is_right(said, steps):
    assert said(ON_2 + steps) == ("pass", "")


def test_a_smets1_hub_has_a_gpf_in_the_smi_alone(said):
    steps = f"{JOIN_GPF}{UNJOIN_GPF}- expect_gpf: {{hub: smets1, smets: SMETS1}}\n- expect_no_gbcs\n"
    assert said(ON_1 + steps.replace("smets2", "smets1")) == ("pass", "")


def test_a_smets1_hub_without_gbcs_is_asked_by_no_gbcs(said):
    verdict, reason = said(ON_1 + f"- send_gbcs: {{use_case: CS03B, {GPF}}}\n".replace("smets2", "smets1"))
    assert (verdict, "has no GPF" in reason) == ("inconclusive", True)


def test_a_dsp_that_makes_gbcs_for_the_gpf_of_a_smets1_hub_is_at_fault(said, monkeypatch):
    def astray(version, srv, target, *args, **options):
        wrong = SmetsVersion.SMETS2_PLUS if target is DeviceType.GPF else version
        return route(wrong, srv, target, *args, **options)

    monkeypatch.setattr(stages, "route", astray)
    verdict, reason = said(ON_1 + JOIN_GPF.replace("smets2", "smets1"))
    assert (verdict, "by way of gbcs" in reason) == ("fail", True)


def test_a_ppmid_that_does_not_join_the_gpf_is_not_failed_for_it(said):
    told = "- request: {srv: '8.7.2', with: GPF}\n"
    verdict, reason = said(ON_2 + told, ppmid=[Defect.WRONG_JOIN_RESPONSE])
    assert (verdict, "JOIN-PPMID-TOLD-OF-GPF" in reason) == ("inconclusive", True)


@pytest.mark.parametrize(
    ("steps", "defect", "reason"),
    [
        (JOIN_GPF, HubDefect.GPF_ANSWERS_AS_CHF, "does not hold"),
        (JOIN_GPF + ALERT_GPF, HubDefect.GPF_RAISES_NO_ALERT, "no alert 8071"),
        (
            JOIN_GPF + UNJOIN_GPF + READ_GPF + "- expect_log: {lacks: [PPMID]}\n",
            HubDefect.GPF_KEEPS_UNJOINED,
            "the PPMID is in it",
        ),
        (
            RESTORE_GPF + READ_GPF + "- expect_log: {has: [PPMID]}\n",
            HubDefect.GPF_FORGETS_RESTORED,
            "the PPMID is not in it",
        ),
        (BAD_JOIN.format("mac"), HubDefect.GPF_IGNORES_MAC, "the GPF of hub smets2 answered"),
        (BAD_JOIN.format("replayed"), HubDefect.GPF_ACCEPTS_REPLAY, "the GPF of hub smets2 answered"),
        (BAD_JOIN.format("target"), HubDefect.GPF_OBEYS_FOR_OTHERS, "the GPF of hub smets2 answered"),
    ],
)
def test_a_break_of_the_gpf_is_the_systems(said, steps, defect, reason):
    verdict, why = said(ON_2 + steps, hub=[defect])
    assert verdict == "fail", why
    assert reason in why


QUICK = ", silent_for: 50 ms}\n"


@pytest.mark.parametrize(
    ("steps", "defects", "reason"),
    [
        (JOIN_ESME, {"ppmid": [Defect.WRONG_JOIN_RESPONSE]}, "the device says that it failed"),
        (JOIN_ESME, {"ppmid": [Defect.BAD_RESPONSE_MAC]}, "signature"),
        (JOIN_ESME + READ + "- expect_log: {lacks: [ESME]}\n", {}, "the ESME is in it"),
        (READ + "- expect_log: {has: [ESME]}\n", {}, "the ESME is not in it"),
        (JOIN_ESME + "- expect_answer: {fields: {JoinResponseCode: write failure}}\n", {}, "expected 'write"),
        (JOIN_ESME.replace("ESME}", "ESME, answer: failure}"), {}, "succeeded, which it must not"),
        (JOIN_ESME + "- expect_route: {via: gbcs, use_case: CS03C}\n", {}, "CS03A2"),
        ("- expect_alert: {code: 8F8B, within: 50 ms}\n", {}, "no alert 8F8B"),
        (
            "- raise_alert: {code: 8F8B}\n- expect_alert: {code: 8F8B, within: 300 ms}\n",
            {"ppmid": [Defect.ALERTS_WITHOUT_SIGNATURE]},
            "refused: signature",
        ),
        (
            "- expect_alert: {code: 8F12, hub: smets2, within: 50 ms}\n",
            {"hub": [HubDefect.CHF_RAISES_NO_ALERT]},
            "no alert 8F12",
        ),
        ("- send_gbcs: {use_case: CS08, spoilt: mac" + QUICK, {"ppmid": [Defect.IGNORES_MAC]}, "answered"),
        (
            "- send_gbcs: {use_case: CS08, spoilt: replayed" + QUICK,
            {"ppmid": [Defect.ACCEPTS_REPLAY]},
            "counter has been used",
        ),
        (
            "- send_gbcs: {use_case: CS03A2, spoilt: signature" + QUICK,
            {"ppmid": [Defect.IGNORES_SIGNATURE]},
            "signature is wrong",
        ),
        (
            "- send_gbcs: {use_case: CS08, spoilt: target" + QUICK,
            {"ppmid": [Defect.ANSWERS_FOR_OTHERS]},
            "target is another device",
        ),
        (
            "- send_gbcs: {use_case: CS08, spoilt: originator" + QUICK,
            {"ppmid": [Defect.OBEYS_ANYBODY]},
            "originator is not the ACB",
        ),
        ("- send_gbcs: {use_case: CS08}\n", {"ppmid": [Defect.BAD_RESPONSE_MAC]}, "does not hold"),
        (
            f"- send_gbcs: {{use_case: CS07, {GPF}}}\n",
            {"hub": [HubDefect.GPF_ANSWERS_AS_CHF]},
            "the GPF of hub smets2's response to CS07 does not hold",
        ),
        (
            "- send_gbcs: {use_case: CS03C, spoilt: certificate}\n",
            {"ppmid": [Defect.JOINS_WITHOUT_CERTIFICATE_CHECK]},
            "another's certificate",
        ),
        (
            "- send_gbcs: {use_case: CCS06, hub: smets2, spoilt: replayed}\n",
            {"hub": [HubDefect.CHF_ACCEPTS_REPLAY]},
            "the CHF of hub smets2 answered",
        ),
        (
            "- expect_response_refused: {spoilt: mac}\n",
            {"dcc": [DccDefect.SKIP_RESPONSE_MAC_CHECK]},
            "the DSP took a response",
        ),
        *(
            (
                f"- request: {{srv: '11.2'}}\n- expect_response_refused: {{spoilt: {how}}}\n",
                {"dcc": [DccDefect.SKIP_ANSWER_CHECK]},
                f"the DSP took a response whose {what}",
            )
            for how, what in (
                ("originator", "originator is another device"),
                ("counter", "originator counter is not"),
                ("user", "supplementary remote party counter is not"),
                ("replayed", "command was an earlier one"),
            )
        ),
        *(
            (2 * "- request: {srv: '11.2'}\n", {"ppmid": [defect]}, f"does not hold: {field}: is ")
            for defect, field in (
                (Defect.ANSWERS_ANOTHER_COUNTER, "originator counter"),
                (Defect.ANSWERS_ANOTHER_CODE, "message code"),
                (Defect.ANSWERS_SOMEBODY_ELSE, "business target"),
                (Defect.ANSWERS_AS_ANOTHER, "business originator"),
                (Defect.NAMES_ANOTHER_USER, "supplementary remote party counter"),
                (Defect.REPEATS_ITS_RESPONSE, "originator counter"),
            )
        ),
    ],
)
def test_it_fails_where_something_is_wrong(said, steps, defects, reason):
    verdict, why = said(ON_2 + steps, **defects)
    assert verdict == "fail", why
    assert reason in why


def test_a_ppmid_that_waits_for_a_key_of_the_meter_is_not_failed_for_it(said, monkeypatch):
    waits = JoinResult.NO_PARTNER_LINK_KEY_RECEIVED
    monkeypatch.setattr(JoinedDevices, "join", lambda *_: waits)
    verdict, reason = said(ON_2 + JOIN_ESME)
    assert (verdict, "JOIN-NO-METER" in reason) == ("inconclusive", True)


@pytest.mark.parametrize(
    "step",
    [
        "- send_gbcs: {use_case: CS08, hub: smets2}\n",
        "- send_gbcs: {use_case: CCS01}\n",
        "- send_gbcs: {use_case: CS08, spoilt: signature}\n",
        "- send_gbcs: {use_case: CS08, spoilt: certificate}\n",
        "- expect_answer: {fields: {}}\n",
        "- expect_log: {}\n",
        "- expect_meter_log: {meter: ESME}\n",
        "- raise_alert: {code: 8F}\n",
        "- request: {srv: '8.7.2'}\n",
        "- request: {srv: '11.2', with: ESME}\n",
        "- request: {srv: '11.2', security: true}\n",
        "- request: {srv: '8.12.1', hub: smets2}\n",
    ],
)
def test_what_makes_no_sense_is_a_mistake_in_the_plan(tmp_path, step):
    with pytest.raises(AssertionError, match=r"plan\.yaml:7"):
        cases_of(tmp_path, step)


@pytest.mark.parametrize(
    "step", ["- expect_log: {has: [ESME]}", "- expect_response_refused: {spoilt: replayed}"]
)
def test_an_expectation_without_its_request_is_inconclusive(said, step):
    assert said(f"{ON_2}{step}\n")[0] == "inconclusive"


@pytest.mark.parametrize(("result", "seen"), [(None, "result=None"), ("ok", "result=ok")])
def test_a_port_that_does_not_say_refused_has_refused_nothing(tmp_path, result, seen):
    def arrange(parts):
        def edited(command):
            return replace(command, fields={**command.fields, "result": result})

        parts.ppmid.edits = lambda commands: [edited(command) for command in commands]

    steps = f"{ON_2}- send_gbcs: {{use_case: CS08, spoilt: mac{QUICK}"
    only = run(tmp_path, cases_of(tmp_path, steps), arrange).only
    assert only.verdict.value == "fail"
    assert f"does not say that it refused a CS08 command whose MAC is wrong: {seen}" in only.reason


def test_a_hub_that_only_keeps_silent_has_refused_nothing(said, monkeypatch):
    monkeypatch.setattr(LogicalDevice, "_refuse", lambda *_: None)
    verdict, reason = said(f"{ON_2}- send_gbcs: {{use_case: CCS06, hub: smets2, spoilt: mac{QUICK}")
    assert (verdict, "neither answered nor refused" in reason) == ("fail", True)


def test_a_hub_that_refuses_for_something_else_has_not_seen_what_is_wrong(said, monkeypatch):
    monkeypatch.setattr(
        LogicalDevice, "_refuse", lambda self, octets, _: self._refused.append(unsupported(octets))
    )
    verdict, reason = said(f"{ON_2}- send_gbcs: {{use_case: CCS06, hub: smets2, spoilt: mac{QUICK}")
    assert (verdict, "for another reason: it knows no such use case" in reason) == ("fail", True)


def unsupported(octets):
    return RefusedMessage(octets=octets, refusal=Refusal.UNSUPPORTED, reason="it knows no such use case")


SPOILT_RESPONSE = "- expect_response_refused: {spoilt: mac}\n"


def test_a_dsp_that_got_no_response_has_taken_none(said):
    verdict, reason = said("- prenotify: {as: SMETS2+}\n" + SPOILT_RESPONSE)
    assert (verdict, "the DCC refused request 11.2" in reason) == ("inconclusive", True)


def test_a_ppmid_that_gave_no_response_is_not_the_dsps_fault(said):
    verdict, reason = said(ON_2 + SPOILT_RESPONSE, ppmid=[Defect.SILENT_TUNNEL])
    assert (verdict, "the DSP" in reason) == ("fail", False)


def test_a_radio_that_lost_the_command_is_neither_the_dsps_nor_the_ppmids_fault(tmp_path, monkeypatch):
    spoil = GbcsTrials.spoil_next_response

    def arrange(parts):
        def lost(trials, change):
            parts.radios["smets2"].unheard = True
            spoil(trials, change)

        monkeypatch.setattr(GbcsTrials, "spoil_next_response", lost)

    first = run(tmp_path, cases_of(tmp_path, ON_2 + SPOILT_RESPONSE), arrange).run_json()["cases"][0]
    assert first["verdict"] == "error", first["reason"]


def test_the_gpf_of_no_hub_is_in_no_log(said):
    steps = "- expect_alert: {code: 8F12, hub: smets2, lacks: [GPF], within: 50 ms}\n"
    unwhitelisted = "- prenotify: {as: SMETS2+}\n- open_for_another: {hub: smets2}\n"
    assert said(unwhitelisted + steps)[0] == "inconclusive"
