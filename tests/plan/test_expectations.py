"""Every step and expectation can fail, and says whose fault that is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from drivers.virtual.ppmid.defects import Defect
from drivers.virtual.stack.faces import JoinFailure, JoinResult
from harness.dcc.defects import DccDefect
from harness.errors import DutFault, RigFault
from harness.hub.defects import HubDefect
from harness.hub.trust_centre import Refusal
from harness.rig.faces import JoinOutcome, ReceivedCommand
from harness.smets.cpl import Cpl, DeviceType
from harness.smets.rulebook import Basis
from harness.smets.version import SmetsVersion
from tests.plan.fake_bench import HUBS
from tests.plan.running import cases_of, run
from tests.smets.rules import changed, own

S1 = "- prenotify: {as: SMETS1}\n- whitelist: {hub: smets1}\n"
S2 = "- prenotify: {as: SMETS1}\n- whitelist: {hub: smets2}\n"
JOIN = "- join: {within: 5 s}\n"
ASK = "- request: {srv: '11.2'}\n"
GBCS = "- expect_route: {via: gbcs, use_case: CS08}\n"
S1SP = "- expect_route: {via: s1sp}\n"


def confirmed(*rule_ids):
    rules = own()
    return rules.overlay([replace(rules.rule(rule_id), basis=Basis.PUBLISHED) for rule_id in rule_ids])


@pytest.fixture
def ran(tmp_path):
    def ran(steps, arrange=None, **bench):
        return run(tmp_path, cases_of(tmp_path, steps), arrange, **bench)

    return ran


@pytest.fixture
def said(ran):
    """Return verdict and reason of one case with these steps."""

    def said(steps, arrange=None, **bench):
        result = ran(steps, arrange, **bench).only
        return result.verdict.value, result.reason or ""

    return said


def without_rows(parts, *, family):
    """Take the PPMID's CPL rows of a family away."""
    cpl = parts.bench.dcc.cpl
    parts.bench.dcc.cpl = Cpl(
        [row for row in cpl.rows if not (row.model.device_type is DeviceType.PPMID and row.family is family)],
        cpl.key_fields,
    )


def later(parts, step_word, act):
    """Do something when a verb is asked of the PPMID for the first time."""
    port, original = parts.ppmid, parts.ppmid._asked

    def asked(verb):
        if verb == step_word:
            port._asked = original
            act()
        original(verb)

    port._asked = asked


# --- the estate --------------------------------------------------------------------------------------------
def test_a_prenotification_that_is_refused_by_an_assumed_rule_fails_nobody(said):
    verdict, reason = said("- prenotify: {as: SMETS1}\n- prenotify: {as: SMETS1}\n")
    assert verdict == "inconclusive"
    assert "the DCC refused pre-notification as SMETS1 with E120203 at the stage `device known`" in reason
    assert "which is only assumed; confirm or replace the rule with --rules" in reason


def test_a_prenotification_that_is_refused_by_a_confirmed_rule_fails(said):
    def arrange(parts):
        without_rows(parts, family=SmetsVersion.SMETS1)

    assert said("- prenotify: {as: SMETS1}\n", arrange)[0] == "inconclusive"


def test_the_same_fails_once_the_rule_is_confirmed(said):
    def arrange(parts):
        without_rows(parts, family=SmetsVersion.SMETS1)

    verdict, reason = said("- prenotify: {as: SMETS1}\n", arrange, rules=confirmed("CPL-PRENOTIFY"))
    assert verdict == "fail"
    assert "with E120204 at the stage `CPL`" in reason


def test_a_whitelisting_for_which_the_cpl_has_no_row_rests_on_an_assumption(said):
    def arrange(parts):
        without_rows(parts, family=SmetsVersion.SMETS2_PLUS)

    verdict, reason = said(S2, arrange)
    assert verdict == "inconclusive"
    assert "MP202-ROW-MISSING, which is only assumed" in reason


def test_a_hub_that_keeps_who_was_removed_fails(said):
    def arrange(parts):
        async def keeps(eui64):
            return True

        later(
            parts,
            "status",
            lambda: setattr(parts.bench.hub("smets2").hub, "remove_from_device_log", keeps),
        )

    verdict, reason = said(S2 + "- expect_status: {state: out}\n- unwhitelist: {hub: smets2}\n", arrange)
    assert verdict == "fail"
    assert "hub smets2 still has 00-DB-12-34-56-78-90-A4 in its device log" in reason


def test_a_removal_of_who_was_never_there_is_refused(said):
    verdict, reason = said("- prenotify: {as: SMETS1}\n- unwhitelist: {hub: smets2}\n")
    assert verdict == "inconclusive"
    assert "taking the PPMID out of hub smets2's device log" in reason


def test_an_inventory_without_the_device(said):
    verdict, reason = said("- expect_inventory: {smets: SMETS1}\n")
    assert verdict == "inconclusive"
    assert "the SMI does not know 00-DB-12-34-56-78-90-A4" in reason
    assert "SMI-PRENOTIFY" in reason


def test_before_whitelisting_the_inventory_has_what_was_prenotified(said):
    steps = "- prenotify: {as: SMETS2+}\n- expect_inventory: {smets: SMETS2+, status: Pending}\n"
    assert said(steps) == ("pass", "")


def test_a_status_in_the_inventory_rests_on_an_assumption_until_it_is_confirmed(said):
    steps = S2 + "- expect_inventory: {smets: SMETS2+, status: Commissioned}\n"
    verdict, reason = said(steps)
    assert verdict == "inconclusive"
    assert "status in the SMI: expected Commissioned, seen Whitelisted" in reason
    assert "SMI-COMMISSION" in reason


def test_a_confirmed_status_that_is_not_met_fails(said):
    rules = confirmed(*(rule.id for rule in own().starting("SMI-")))
    assert said(S2 + "- expect_inventory: {smets: SMETS2+, status: Commissioned}\n", rules=rules)[0] == "fail"


def test_the_plans_value_decides_and_the_rulebooks_is_told(said):
    verdict, reason = said(S2 + "- expect_inventory: {smets: SMETS1}\n")
    assert verdict == "fail"
    assert (
        "SMETS version in the SMI: expected SMETS1, seen SMETS2+ (the rulebook in force says SMETS2+"
        in reason
    )
    assert "MP202-TABLE-2" in reason


def test_a_table_that_an_overlay_swaps_fails_the_plan(said):
    rules = changed("MP202-TABLE-2", {"before": "SMETS1", "hub": "SMETS2+", "after": "SMETS1"})
    verdict, reason = said(S2 + "- expect_inventory: {smets: SMETS2+}\n", rules=rules)
    assert verdict == "fail"
    assert "expected SMETS2+, seen SMETS1 (the rulebook in force says SMETS1" in reason


def test_a_value_that_the_plan_wants_and_the_rulebook_does_not_proves_nothing(said):
    verdict, reason = said(S2 + "- expect_inventory: {smets: SMETS1}\n", dcc=[DccDefect.SWAP_TABLE])
    assert verdict == "inconclusive"
    assert "is SMETS1, as the plan wants; the rulebook in force says SMETS2+" in reason
    assert "correct the plan or the --rules overlay" in reason


# --- joining -----------------------------------------------------------------------------------------------
def test_a_join_needs_a_whitelisting(said):
    assert said(JOIN)[0] == "inconclusive"


def test_a_ppmid_with_another_install_code_does_not_join_and_is_at_fault(said):
    code = "- set_install_code: {value: '000102030405060708090A0B0C0D0E0F'}\n"
    verdict, reason = said(S2 + code + JOIN)
    assert verdict == "fail"
    assert "the PPMID did not join within 5 s: it says 'wrong-key'" in reason


def test_its_own_install_code_comes_back_with_the_next_case(tmp_path):
    code = "- set_install_code: {value: '000102030405060708090A0B0C0D0E0F'}\n"
    assert run(tmp_path, cases_of(tmp_path, code, S2 + JOIN)).verdicts == ["pass", "pass"]


def test_a_hub_that_refuses_a_whitelisted_device_is_at_fault(said):
    def arrange(parts):
        def shut():
            hub = parts.bench.hub("smets2").hub
            hub._log.remove(parts.bench.device)
            (key, end), parts.radios["smets2"].windows = (
                next(iter(parts.radios["smets2"].windows.values())),
                {},
            )
            parts.radios["smets2"].windows["somebody else"] = (key, end)

        later(parts, "join", shut)

    verdict, reason = said(S2 + JOIN, arrange)
    assert verdict == "fail"
    assert "hub smets2 refused it: 00-DB-12-34-56-78-90-A4 refused (not-whitelisted)" in reason


def test_a_ppmid_that_finds_no_network_is_at_fault_on_a_healthy_rig(said):
    def arrange(parts):
        later(parts, "join", parts.radios["smets2"].windows.clear)

    verdict, reason = said(S2 + JOIN, arrange)
    assert verdict == "fail"
    assert "it says 'no-network', it says state=out mode=none" in reason


def test_a_hub_that_sends_the_key_in_clear_is_at_fault_when_the_ppmid_does_not_join(said):
    verdict, reason = said(S2 + JOIN, hub=[HubDefect.SKIP_INSTALL_CODE_CHECK])
    assert verdict == "fail"
    assert "hub smets2 sent the network key in the clear" in reason


def test_a_ppmid_that_says_it_joined_and_has_not_is_at_fault(said, monkeypatch):
    monkeypatch.setattr("harness.plan.steps.han._HUB_NOTICES_S", 0.05)

    def arrange(parts):
        later(parts, "join", parts.radios["smets2"].windows.clear)
        parts.ppmid.outcome = lambda outcome: replace(outcome, joined=True, reason=None)

    verdict, reason = said(S2 + JOIN, arrange)
    assert verdict == "fail"
    assert "hub smets2 has not heard it announce itself" in reason


def test_a_ppmid_that_does_not_leave_is_at_fault(said, monkeypatch):
    monkeypatch.setattr("harness.plan.steps.han._LEAVES_WITHIN_S", 0.05)

    def arrange(parts):
        parts.ppmid.lies = {"state": "joined"}

    verdict, reason = said(S2 + JOIN + "- unjoin\n", arrange)
    assert verdict == "fail"
    assert "told to leave, the PPMID is still there 0.05 s later" in reason


def test_a_ppmid_leaves_by_its_own_port_or_told_by_the_hub(said):
    out = "- expect_status: {state: out, mode: none}\n"
    assert said(S2 + JOIN + "- unjoin\n" + out) == ("pass", "")


# --- on the HAN --------------------------------------------------------------------------------------------
HAN = "- expect_han: {mode: SMETS2+, key_establishment: 2}\n"


def test_a_ppmid_that_is_out_is_at_fault(said):
    verdict, reason = said(S2 + HAN)
    assert (verdict, "the PPMID is not on the HAN of hub smets2; it says state=out" in reason) == (
        "fail",
        True,
    )


@pytest.mark.parametrize(
    ("lie", "says"),
    [
        ({"channel": 11}, "channel 11, that of hub smets2 is 20"),
        ({"pan_id": 7}, "PAN id 7, that of hub smets2 is 4098"),
        ({"mode": "SMETS1"}, "expected SMETS2+, seen SMETS1"),
        ({"suites_offered": 3}, "says that hub smets2 offers suites 0x0003; on the air the hub said 0x0002"),
    ],
)
def test_a_ppmid_that_says_what_is_not_so_is_at_fault(said, lie, says):
    def arrange(parts):
        parts.ppmid.lies = lie

    verdict, reason = said(S2 + JOIN + HAN, arrange)
    assert verdict == "fail"
    assert says in reason


def test_a_hub_that_lost_its_device_is_at_fault(said):
    def arrange(parts):
        later(parts, "status", lambda: parts.bench.hub("smets2").hub._log.left(parts.bench.device))

    verdict, reason = said(S2 + JOIN + HAN, arrange)
    assert verdict == "fail"
    assert "hub smets2 does not have 00-DB-12-34-56-78-90-A4 on its HAN" in reason


@pytest.mark.parametrize("sniffer", [True, False])
def test_the_wrong_suite_fails_on_smets2_and_is_an_assumption_on_smets1(said, sniffer):
    steps = S1 + JOIN + "- expect_han: {mode: SMETS1, key_establishment: 1}\n"
    verdict, reason = said(steps, hub=[HubDefect.OFFERS_WRONG_SUITE], sniffer=sniffer)
    assert verdict == "inconclusive"
    assert "expected 1, seen suites 0x0002; that rests on KE-SUITE-SMETS1" in reason


def test_a_suite_that_is_not_the_rulebooks_proves_nothing(said):
    verdict, reason = said(S2 + JOIN + HAN, rules=changed("KE-SUITE-SMETS2", 1))
    assert verdict == "inconclusive"
    assert "is 2, as the plan wants; the rulebook in force says 1 by KE-SUITE-SMETS2" in reason


# --- staying out -------------------------------------------------------------------------------------------
def stays_out(refusal=None):
    more = f", refusal: {refusal}" if refusal else ""
    return f"- expect_stays_out: {{within: 2 s{more}}}\n"


OPEN = "- open_for_another: {hub: smets2}\n"
WRONG_CODE = "- whitelist: {hub: smets2, install_code: '000102030405060708090A0B0C0D0E0F'}\n"
NOTIFY = "- prenotify: {as: SMETS2+}\n"


@pytest.mark.parametrize(
    ("steps", "hub"),
    [
        (NOTIFY + OPEN + stays_out("not-whitelisted"), "refused (not-whitelisted)"),
        (NOTIFY + stays_out("not-whitelisted"), "no hub has it in its device log, and none sent it a key"),
        (NOTIFY + WRONG_CODE + stays_out("wrong-install-code"), "its install code does not open it"),
        (NOTIFY + OPEN + stays_out(), None),
    ],
)
def test_who_stays_out_passes_and_the_hubs_testimony_is_kept(ran, steps, hub):
    result = ran(steps).only
    assert (result.verdict.value, result.reason) == ("pass", None)
    seen = result.steps[-1].seen
    assert seen["clear_key_looked_for"] is True
    assert (seen["hub"] is None) if hub is None else (hub in seen["hub"])


def test_another_refusal_than_the_expected_one_fails(said):
    verdict, reason = said(NOTIFY + OPEN + stays_out("window-over"))
    assert verdict == "fail"
    assert "refusal: expected window-over, seen: 00-DB-12-34-56-78-90-A4 refused (not-whitelisted)" in reason


@pytest.fixture
def soon(monkeypatch):
    """Wait for no hub that has nothing to say."""
    monkeypatch.setattr("harness.plan.steps.stays_out._HUB_MAKES_UP_ITS_MIND_S", 0.05)
    monkeypatch.setattr("harness.plan.join_tries._HUB_TELLS_WITHIN_S", 0.05)


@pytest.mark.parametrize("refusal", [refusal.value for refusal in Refusal])
def test_a_hub_that_says_nothing_of_a_refusal_fails(said, soon, refusal):
    def arrange(parts):
        radio = parts.radios["smets2"]

        def ask_in_vain():
            radio.windows.clear()
            parts.air.association_request(radio)

        later(parts, "join", ask_in_vain)

    verdict, reason = said(S2 + stays_out(refusal), arrange)
    assert verdict == "fail"
    assert "no hub says that it refused the PPMID, which asked to be let in, on the air: MAC Assoc" in reason


def never_tries(parts):
    async def join(*_):
        return JoinResult(failure=JoinFailure.NO_NETWORK)

    parts.stack.join = join


OVER = "- whitelist: {hub: smets2, window: 1 s}\n- wait: {for: 1.1 s}\n"


@pytest.mark.parametrize("sniffer", [True, False], ids=["sniffer", "no sniffer"])
@pytest.mark.parametrize(
    "steps",
    [
        NOTIFY + stays_out(),
        NOTIFY + stays_out("not-whitelisted"),
        NOTIFY + OVER + stays_out("window-over"),
        NOTIFY + OPEN + "- switch_hub_off: {hub: smets2}\n" + stays_out("not-whitelisted"),
    ],
)
def test_who_never_tries_has_not_stayed_out(said, soon, steps, sniffer):
    verdict, reason = said(steps, never_tries, sniffer=sniffer)
    assert verdict == "inconclusive"
    silent = "the sniffer heard nobody look for a network" if sniffer else "the rig has no sniffer"
    assert "not shown that the PPMID tried to join: it says 'no-network', it asked no hub" in reason
    assert silent in reason


@pytest.mark.parametrize("sniffer", [True, False], ids=["sniffer", "no sniffer"])
@pytest.mark.parametrize("refusal", [None, "not-whitelisted", "window-over", "wrong-install-code"])
def test_where_a_network_is_open_a_hub_must_have_been_asked(said, soon, refusal, sniffer):
    verdict, reason = said(NOTIFY + OPEN + stays_out(refusal), never_tries, sniffer=sniffer)
    assert verdict == "inconclusive"
    assert "not shown that the PPMID tried to join: the network of hub smets2 was open, and nobody" in reason


def test_a_look_that_is_heard_is_a_try_where_all_networks_are_shut(ran):
    result = ran(NOTIFY + OVER + stays_out("window-over")).only
    assert (result.verdict.value, result.reason) == ("pass", None)
    tried = "on the air: a beacon request on channel 20; it names no sender"
    assert result.steps[-1].seen["tried"] == tried


@pytest.mark.parametrize(
    ("steps", "hubs"),
    [(NOTIFY + stays_out("not-whitelisted"), HUBS), (NOTIFY + OVER + stays_out("window-over"), ["smets2"])],
)
def test_a_look_where_its_hub_is_not_shows_nothing(said, steps, hubs):
    def arrange(parts):
        for name in hubs:
            parts.radios[name].channel = 11

    assert said(steps, arrange)[0] == "inconclusive"


def test_a_radio_that_calls_an_open_network_shut_is_the_rigs_fault(said, soon):
    def arrange(parts):
        async def finds_none(*_):
            parts.air.beacon(parts.radios["smets2"], open_door=False)
            return JoinResult(failure=JoinFailure.NO_NETWORK)

        parts.stack.join = finds_none

    verdict, reason = said(NOTIFY + OPEN + stays_out("not-whitelisted"), arrange)
    assert verdict == "error"
    assert "the radio of hub smets2 told in its beacons that nobody may join, though one may" in reason


def test_a_key_that_was_sent_is_no_shut_door(said, soon):
    assert said(NOTIFY + WRONG_CODE + stays_out("not-whitelisted"))[0] == "fail"


def test_who_gets_in_fails_and_the_hub_is_named(said):
    verdict, reason = said(S2 + stays_out())
    assert verdict == "fail"
    assert (
        "the PPMID joined, which it must not; it says state=joined mode=SMETS2+; the hub let it in" in reason
    )


def test_who_gets_in_by_a_key_in_the_clear_is_the_hubs_fault(said):
    def arrange(parts):
        parts.stack.takes_clear_key = True

    verdict, reason = said(
        NOTIFY + WRONG_CODE + stays_out(), arrange, hub=[HubDefect.SKIP_INSTALL_CODE_CHECK]
    )
    assert verdict == "fail"
    assert "sent the network key in the clear" in reason


def test_without_a_sniffer_nobody_looks_for_a_key_in_the_clear(ran):
    result = ran(
        NOTIFY + WRONG_CODE + stays_out(), hub=[HubDefect.SKIP_INSTALL_CODE_CHECK], sniffer=False
    ).only
    assert result.verdict.value == "pass"
    assert result.steps[-1].seen["clear_key_looked_for"] is False


def test_a_ppmid_that_says_it_got_in_where_no_hub_heard_it_is_at_fault(said):
    def arrange(parts):
        parts.ppmid.outcome = lambda outcome: replace(outcome, joined=True, reason=None)

    verdict, reason = said(NOTIFY + stays_out(), arrange)
    assert verdict == "fail"
    assert "the PPMID says that it joined, but no hub has heard of it" in reason


def test_a_ppmid_that_could_not_join_and_is_joined_is_at_fault(said):
    def arrange(parts):
        parts.ppmid.lies = {"state": "joined"}

    verdict, reason = said(NOTIFY + stays_out(), arrange)
    assert verdict == "fail"
    assert "says that it could not join (no-network), and yet it says state=joined" in reason


def test_a_ppmid_that_hides_that_it_got_in_is_at_fault(said):
    def arrange(parts):
        def hidden(outcome):
            return JoinOutcome(joined=False, reason="no-network", elapsed_s=0.1, status=outcome.status)

        parts.ppmid.outcome = hidden
        parts.ppmid.lies = {"state": "out"}

    verdict, reason = said(S2 + stays_out(), arrange)
    assert verdict == "fail"
    assert "but a hub heard it do so: 00-DB-12-34-56-78-90-A4 joined" in reason


# --- requests and their way --------------------------------------------------------------------------------
def test_a_request_that_the_dsp_refuses_rests_on_its_rule(said):
    verdict, reason = said("- prenotify: {as: SMETS1}\n" + ASK)
    assert verdict == "inconclusive"
    assert "the DCC refused request 11.2 with E5 at the stage `status`" in reason
    assert "STATUS-11.2" in reason


def test_a_request_to_a_ppmid_that_has_not_joined_is_its_own_fault_on_a_healthy_rig(said):
    verdict, reason = said(S2 + ASK)
    assert verdict == "fail"
    assert "ended with E21" in reason
    assert "The rig is healthy, and the PPMID says state=out" in reason


def test_a_request_that_is_not_acknowledged_by_a_joined_ppmid_is_an_error(ran):
    def arrange(parts):
        original = parts.ppmid.received

        async def received():
            parts.radios["smets2"].unheard = (
                parts.ppmid.asked["received"] == 1
            )  # the request's, not the reset's
            return await original()

        parts.ppmid.received = received

    first, second = ran(S2 + JOIN + ASK, arrange).run_json()["cases"]
    assert first["verdict"] == "error"
    assert "the radio of hub smets2 did not send what it was given" in first["reason"]
    assert second["verdict"] == "pass"


def test_a_radio_that_is_lost_in_mid_case_is_an_error_and_never_a_fail(said):
    def arrange(parts):
        original = parts.ppmid.received

        async def received():
            if parts.ppmid.asked["join"]:
                parts.radios["smets2"].lose(heals=False)
            return await original()

        parts.ppmid.received = received

    verdict, reason = said(S2 + JOIN + ASK, arrange)
    assert verdict == "error"
    assert "hub smets2 lost its radio" in reason


def test_a_failure_that_the_ppmid_reports_is_its_own(said):
    async def nothing(*_args, **_options):
        return {}

    def arrange(parts):
        parts.bench.hub("smets1").hub.read_attributes = nothing

    verdict, reason = said(S1 + JOIN + ASK, arrange)
    assert verdict == "fail"
    assert "ended with I0: the device says that it failed" in reason


def test_a_request_that_goes_astray_is_the_dsps_fault(said):
    verdict, reason = said(S2 + JOIN + ASK, dcc=[DccDefect.ROUTE_BY_PRENOTIFIED])
    assert verdict == "fail"
    assert "a device that is SMETS2+ is reached by way of gbcs (ROUTE-SMETS2" in reason


@pytest.mark.parametrize("step", [GBCS, S1SP, "- expect_firmware\n"])
def test_an_expectation_of_a_request_needs_one(said, step):
    verdict, reason = said(S2 + step)
    assert verdict == "inconclusive"
    assert "no request has been sent to the PPMID" in reason


@pytest.mark.parametrize(("steps", "sniffer"), [(S1, True), (S1, False), (S2, True), (S2, False)])
def test_the_right_route_passes_with_and_without_a_sniffer(said, steps, sniffer):
    route = S1SP if steps is S1 else GBCS
    assert said(steps + JOIN + ASK + route, sniffer=sniffer) == ("pass", "")


def test_another_route_than_the_plan_wants_fails(said):
    verdict, reason = said(S2 + JOIN + ASK + S1SP)
    assert verdict == "fail"
    assert "route of 11.2 at the DSP: expected s1sp, seen gbcs (the rulebook in force says gbcs" in reason


def test_another_use_case_than_the_plan_wants_fails(said):
    verdict, reason = said(S2 + JOIN + ASK + "- expect_route: {via: gbcs, use_case: ECS52}\n")
    assert verdict == "fail"
    assert "GBCS use case of 11.2 at the DSP: expected ECS52, seen CS08" in reason


TUNNEL, OTA = 0x0704, 0x0019


def tells(edit):
    """Return what makes the PPMID tell something else than what it received, once it has joined."""

    def arrange(parts):
        parts.ppmid.edits = edit

    return arrange


def nothing(commands):
    return []


def changed_fields(**fields):
    return lambda commands: [replace(command, fields={**command.fields, **fields}) for command in commands]


ONE_GBCS = ReceivedCommand(kind="gbcs", fields={"code": "0129", "mac": "valid", "result": "answered"})
WITNESSES = {
    "gbcs, not told": (S2, tells(nothing), "fail", "the CS08 command was on the air, but the PPMID says"),
    "gbcs, bad mac": (S2, tells(changed_fields(mac="invalid")), "fail", "answered CS08 and says otherwise"),
    "gbcs, other result": (S2, tells(changed_fields(result="replayed")), "fail", "result=replayed"),
    "gbcs, other code": (S2, tells(changed_fields(code="0004")), "fail", "GBCS 0129 (CS08) did not reach it"),
    "s1sp, not told": (
        S1,
        tells(nothing),
        "fail",
        "the ZCL read of the firmware version was on the air, but",
    ),
    "s1sp, gbcs told": (S1, tells(lambda commands: [*commands, ONE_GBCS]), "fail", "which nobody sent"),
}


@pytest.mark.parametrize(("steps", "arrange", "verdict", "says"), WITNESSES.values(), ids=WITNESSES)
def test_the_ppmid_is_a_witness(said, steps, arrange, verdict, says):
    found = said(steps + JOIN + ASK + (S1SP if steps is S1 else GBCS), arrange)
    assert (found[0], says in found[1]) == (verdict, True), found


ALONE = {
    "gbcs, not told": (S2, tells(nothing), "fail", "the PPMID says that no GBCS message reached it"),
    "s1sp, not told": (S1, tells(nothing), "fail", "the PPMID says that no ZCL command reached it"),
    "s1sp, another read": (
        S1,
        tells(changed_fields(attribute="0006")),
        "inconclusive",
        "expected a read of attribute 0002 of cluster 0019 (client side) at the PPMID",
    ),
}


@pytest.mark.parametrize(("steps", "arrange", "verdict", "says"), ALONE.values(), ids=ALONE)
def test_without_a_sniffer_the_ppmid_is_a_witness_all_the_same(said, steps, arrange, verdict, says):
    found = said(steps + JOIN + ASK + (S1SP if steps is S1 else GBCS), arrange, sniffer=False)
    assert (found[0], says in found[1]) == (verdict, True), found


def test_without_a_sniffer_a_hub_without_a_tunnel_cannot_have_carried_gbcs(said):
    def arrange(parts):
        parts.bench.hub("smets2").hub.has_tunnel = lambda eui64: False

    verdict, reason = said(S2 + JOIN + ASK + GBCS, arrange, sniffer=False)
    assert verdict == "fail"
    assert "hub smets2 has no tunnel to the PPMID" in reason


def test_a_hub_with_a_tunnel_to_a_ppmid_of_the_s1sps_fails(said):
    def arrange(parts):
        parts.bench.hub("smets1").hub.has_tunnel = lambda eui64: True

    verdict, reason = said(S1 + JOIN + ASK + S1SP, arrange)
    assert verdict == "fail"
    assert "hub smets1 has a tunnel open" in reason


@pytest.mark.parametrize(("steps", "route", "cluster"), [(S2, GBCS, TUNNEL), (S1, S1SP, OTA)])
def test_what_the_sniffer_missed_is_an_error_of_the_rig(said, steps, route, cluster):
    def arrange(parts):
        parts.air.deaf_to = {cluster}

    verdict, reason = said(steps + JOIN + ASK + route, arrange)
    assert verdict == "error"
    assert "but the sniffer did not hear it" in reason
    assert "move the sniffer nearer" in reason


def test_what_neither_air_nor_ppmid_know_of_was_never_sent(said):
    def arrange(parts):
        parts.air.deaf_to = {TUNNEL}
        parts.ppmid.edits = nothing

    verdict, reason = said(S2 + JOIN + ASK + GBCS, arrange)
    assert verdict == "fail"
    assert "no CS08 command was on the air or at the PPMID" in reason


def test_gbcs_in_a_tunnel_of_a_smets1_hub_fails(said):
    from harness.zigbee import tunnel
    from harness.zigbee.zcl import Direction

    def arrange(parts):
        def leak():
            message = tunnel.HrgpMessage(message=b"\xdf\x09\x02").to_bytes()
            frame = tunnel.frame(
                tunnel.TransferData(tunnel=1, data=message), 1, direction=Direction.TO_CLIENT
            )
            parts.air.message(
                parts.radios["smets1"],
                frame.to_bytes(),
                up=False,
                cluster=TUNNEL,
                profile=0x0109,
                source=1,
                destination=1,
                secured=True,
            )

        original = parts.ppmid.join

        async def join(timeout_s):
            leak()
            return await original(timeout_s)

        parts.ppmid.join = join

    verdict, reason = said(S1 + JOIN + ASK + S1SP, arrange)
    assert verdict == "fail"
    assert "1 GBCS message(s) were in a tunnel on the air of hub smets1" in reason


def test_frames_that_nobody_can_read_leave_it_open_whether_gbcs_passed(said):
    def arrange(parts):
        original = parts.ppmid.join

        async def join(timeout_s):
            parts.air.psdu(parts.radios["smets1"], bytes.fromhex("618801021000006F7908"))
            return await original(timeout_s)

        parts.ppmid.join = join

    verdict, reason = said(S1 + JOIN + ASK + S1SP, arrange)
    assert verdict == "error"
    assert "frame(s) on the air could not be read" in reason


def test_a_dsp_that_made_gbcs_for_a_device_of_the_s1sp_fails(said):
    def arrange(parts):
        original = type(parts.bench.dcc).route_of

        def route_of(response):
            dcc = parts.bench.dcc
            way = original(dcc, response)
            dcc._routes.append(replace(way, command=b"\xdf\x09", use_case="CS08"))
            return way

        parts.bench.dcc.route_of = route_of

    verdict, reason = said(S1 + JOIN + ASK + S1SP, arrange)
    assert verdict == "fail"
    assert "the DSP made a GBCS CS08 command for a device of the S1SP's" in reason


# --- the bench ---------------------------------------------------------------------------------------------
def test_a_power_cycle_keeps_mode_and_place(said):
    cycle = "- power_cycle: {off_for: 10 ms, within: 1 s}\n"
    assert said(S2 + JOIN + cycle + "- expect_status: {state: joined, mode: SMETS2+}\n") == ("pass", "")


def test_a_mode_that_is_forgotten_over_a_power_cycle_fails(said):
    cycle = "- power_cycle: {off_for: 10 ms, within: 1 s}\n"
    verdict, reason = said(
        S2 + JOIN + cycle + "- expect_status: {mode: SMETS2+, within: 50 ms}\n",
        ppmid=[Defect.FORGETS_MODE_ON_POWER_CYCLE],
    )
    assert verdict == "fail"
    assert "expected mode=SMETS2+ of the PPMID within 0.05 s; it says state=joined mode=none" in reason


def test_a_rig_without_a_supply_cannot_cycle_it(said):
    verdict, reason = said("- power_cycle\n", power=False)
    assert verdict == "inconclusive"
    assert "cannot switch the PPMID's supply" in reason


def test_a_port_that_does_not_come_back_is_the_rigs_fault(said):
    def arrange(parts):
        parts.bench.power.stays_off = True

    verdict, _ = said("- power_cycle: {off_for: 10 ms, within: 50 ms}\n", arrange)
    assert verdict == "error"


def test_a_ppmid_that_does_not_come_back_is_at_fault(said):
    def arrange(parts):
        original = parts.bench.power.switch

        async def switch(*, on):
            await original(on=on)
            if not on:
                parts.ppmid.fault_at["identify"] = DutFault("silent")

        parts.bench.power.switch = switch

    found = said("- power_cycle: {off_for: 10 ms, within: 50 ms}\n", arrange)
    assert found[0] == "fail"
    assert "0.05 s after its supply came back the PPMID does not answer: silent" in found[1]


def test_a_fault_is_injected_and_taken_back_with_the_next_case(tmp_path):
    steps = "- inject_fault: {resource: hubs.smets2.radio, fault: unplug}\n- wait: {for: 20 ms}\n"
    ran = run(tmp_path, cases_of(tmp_path, steps + S2, S2 + JOIN), environment=True)
    assert ran.verdicts == ["error", "pass"]
    assert "hub smets2 lost its radio" in ran.results[0].reason


@pytest.mark.parametrize(
    ("step", "environment"),
    [
        ("{resource: hubs.smets2.radio, fault: unplug}", False),
        ("{resource: hubs.smets9.radio, fault: unplug}", True),
        ("{resource: hubs.smets2.radio, fault: explode}", True),
    ],
)
def test_a_fault_that_cannot_be_injected_is_inconclusive(said, step, environment):
    assert said(f"- inject_fault: {step}\n", environment=environment)[0] == "inconclusive"


def test_a_device_that_is_under_test_is_not_another(said):
    step = "- open_for_another: {hub: smets2, eui64: 00-DB-12-34-56-78-90-A4}\n"
    assert said(step)[0] == "inconclusive"


def test_a_ppmid_port_that_fails_is_the_rigs_fault(said):
    def arrange(parts):
        parts.ppmid.fault_at["join"] = RigFault("PPMID port /dev/ttyUSB0: unplugged")

    verdict, reason = said(S2 + JOIN, arrange)
    assert verdict == "error"
    assert "PPMID port /dev/ttyUSB0: unplugged" in reason


def test_a_ppmid_with_another_firmware_than_the_rig_files_is_blamed_for_nothing(said):
    def arrange(parts):
        parts.ppmid.firmware._config = replace(parts.ppmid.config, firmware="01020400")

    verdict, reason = said(S2 + JOIN + ASK + "- expect_firmware\n", arrange)
    assert verdict == "inconclusive"
    assert "the PPMID runs firmware 01020400, the rig file says 01020304; put that firmware back" in reason
