"""Plans are read whole, and what is wrong with them is said with its place before a rig is touched."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from harness.documents import Node, parse_yaml
from harness.errors import ConfigError, PlanError
from harness.plan.load import find_plans, load_plans, read_plan, read_plans
from harness.plan.look import is_plan
from harness.plan.needs import check_hubs, missing
from harness.plan.vocabulary import STEPS, bind_step
from harness.smets.version import SmetsVersion

OURS = Path(__file__).parents[2] / "test_plans"
CASE = """
  - id: {id}
    title: A case
    steps:
      - prenotify: {{as: SMETS1}}
"""


def plan(*cases, head="title: A plan"):
    return "schema: ppmid-bench/plan@1\n" + head + "\ncases:\n" + "".join(cases)


def write(folder, text, name="plan.yaml"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def step(text):
    return bind_step(parse_yaml(text, Path("p.yaml")))


def test_our_plans_are_right_and_cover_every_requirement():
    found = load_plans([OURS])
    assert [case.row for plan in found for case in plan.cases if case.row] == [1, 2, 3, 4]
    covered = {requirement for plan in found for case in plan.cases for requirement in case.covers}
    assert covered == {requirement for plan in found for requirement in plan.requirements}


def test_a_case_has_what_the_file_says(tmp_path):
    path = write(
        tmp_path,
        dedent(
            """\
            schema: ppmid-bench/plan@1
            title: A plan
            requirements: reqs.yaml
            cases:
              - id: ONE
                title: First
                covers: [R-1]
                needs: [hub.smets1, power]
                timeout: 2 min
                row: 3
                steps:
                  - prenotify: {as: SMETS2+}
                  - unjoin
                  - power_cycle:
            """
        ),
    )
    write(
        tmp_path,
        "schema: ppmid-bench/requirements@1\nrequirements: {R-1: {text: t, source: s}}\n",
        "reqs.yaml",
    )
    (found,) = load_plans([path])
    (case,) = found.cases
    assert (case.id, case.covers, case.needs, case.row) == ("ONE", ("R-1",), ("hub.smets1", "power"), 3)
    assert (case.timeout, case.place) == (120.0, f"{path}:5")
    assert [entry.word for entry in case.steps] == ["prenotify", "unjoin", "power_cycle"]
    assert case.steps[0].as_ is SmetsVersion.SMETS2_PLUS
    assert (case.steps[0].title, case.steps[0].place) == ("prenotify {as: SMETS2+}", f"{path}:12")
    assert case.steps[1].title == "unjoin"


WRONG = {
    "unknown step": ("- whitlist: {hub: smets1}", "1:3: unknown step `whitlist`; did you mean `whitelist`?"),
    "unknown bare step": ("- unjion", "1:3: unknown step `unjion`; did you mean `unjoin`?"),
    "unknown key": ("- whitelist: {hubb: x}", "1:21: unknown key `hubb`; did you mean `hub`?"),
    "word of Python": ("- prenotify: {has: x}", "1:20: unknown key `has`; did you mean `as`?"),
    "missing key": ("- whitelist", "1:3: `hub` is missing"),
    "missing word of Python": ("- wait: {}", "1:9: `for` is missing"),
    "no unit": ("- join: {within: 60}", "1:18: `within` must be a duration with its unit"),
    "no family": (
        "- prenotify: {as: SMETS3}",
        "1:19: `as` must be one of `SMETS1`, `SMETS2+`; found 'SMETS3'",
    ),
    "not one word": ("- {join: {within: 1 s}, wait: {for: 1 s}}", "1:3: a step is one word"),
    "a number": ("- 7", "1:3: a step is one word"),
    "arguments no mapping": ("- join: 60 s", "1:9: the arguments of `join` are a mapping, not '60 s'"),
    "window too short": ("- whitelist: {hub: a, window: 500 ms}", "1:14: `window` is 1 to 3600 s"),
    "window broken": ("- whitelist: {hub: a, window: 1.5 s}", "1:14: `window` is 1 to 3600 s, in whole"),
    "install code": ("- whitelist: {hub: a, install_code: '00'}", "1:14: `install_code` has 6, 8, 12 or 16"),
    "own install code": ("- set_install_code: {value: 'AABB'}", "1:21: `value` has 16 octets"),
    "no hex": ("- set_install_code: {value: 'xy'}", "1:29: `value` must be octets as hex digits"),
    "suite": ("- expect_han: {mode: SMETS1, key_establishment: 3}", "1:15: `key_establishment` is suite 1"),
    "route": ("- expect_route: {via: dsp}", "1:23: `via` must be `gbcs` or `s1sp`, found 'dsp'"),
    "use case of nothing": ("- expect_route: {via: s1sp, use_case: CS08}", "`use_case` is a GBCS use case"),
    "status of nothing": ("- expect_status: {}", "1:18: `state` or `mode` is missing"),
    "refusal": ("- expect_stays_out: {within: 1 s, refusal: rude}", "`refusal` must be one of `not-whitel"),
    "smi status": ("- expect_inventory: {smets: SMETS1, status: Fine}", "`status` must be one of `Pending`"),
}


@pytest.mark.parametrize(("text", "says"), WRONG.values(), ids=WRONG)
def test_a_wrong_step_is_said_with_place_and_what_was_expected(text, says):
    (entry,) = parse_yaml(text, Path("p.yaml")).entries
    with pytest.raises(ConfigError) as caught:
        bind_step(entry)
    assert says in str(caught.value)
    assert str(caught.value).startswith("p.yaml:1:")


def errors_of(path):
    found, errors = read_plan(path)
    assert found is None
    return [str(error) for error in errors]


PLANS = {
    "no schema": ("title: x\n", "no `schema:` line; expected `schema: ppmid-bench/plan@1` first"),
    "another kind": ("schema: ppmid-bench/rig@1\n", "expected `schema: ppmid-bench/plan@1`"),
    "empty": ("", ":1: the file is empty"),
    "no yaml": ("schema: [\n", "not YAML"),
    "no case": (plan(head="title: x").replace("cases:", "cases: []"), ":3:8: a plan has at least one case"),
    "cases missing": ("schema: ppmid-bench/plan@1\ntitle: x\n", "`cases` is missing"),
    "key twice": (plan(CASE.format(id="A"), head="title: x\ntitle: y"), "`title` is given twice"),
    "unknown key": (plan(CASE.format(id="A"), head="title: x\nauthor: y"), "unknown key `author`"),
    "bad id": (plan(CASE.format(id='"a b"')), ":5:9: `a b` is no case id"),
    "no step": (plan("  - {id: A, title: t, steps: []}\n"), "a case has at least one step"),
    "no time": (plan("  - {id: A, title: t, timeout: 0 s, steps: [unjoin]}\n"), "longer than nothing"),
    "need": (
        plan("  - {id: A, title: t, needs: [snifer], steps: [unjoin]}\n"),
        "unknown need `snifer`; did you mean `sniffer`?",
    ),
    "no requirements": (
        plan("  - {id: A, title: t, covers: [R], steps: [unjoin]}\n"),
        "`R` is covered, but the plan names no requirements; add `requirements: FILE` to the plan",
    ),
    "requirements not there": (
        plan("  - {id: A, title: t, steps: [unjoin]}\n", head="title: x\nrequirements: no.yaml"),
        ":3:15: no such file",
    ),
}


@pytest.mark.parametrize(("text", "says"), PLANS.values(), ids=PLANS)
def test_a_wrong_plan_is_said_with_its_place(tmp_path, text, says):
    path = write(tmp_path, text)
    (error,) = errors_of(path)
    assert error.startswith(f"{path}:")
    assert says in error


def test_an_unknown_requirement_is_said_with_the_nearest(tmp_path):
    write(
        tmp_path, "schema: ppmid-bench/requirements@1\nrequirements: {R-10: {text: t, source: s}}\n", "r.yaml"
    )
    text = plan(
        "  - {id: A, title: t, covers: [R-1O], steps: [unjoin]}\n", head="title: x\nrequirements: r.yaml"
    )
    (error,) = errors_of(write(tmp_path, text))
    assert "unknown requirement `R-1O`; did you mean `R-10`?" in error


def test_everything_that_is_wrong_is_said_at_once(tmp_path):
    text = plan("  - {id: A, title: t, needs: [x], steps: [foo, join: {}]}\n", "  - {id: B}\n")
    assert len(errors_of(write(tmp_path, text))) == 4


def test_a_case_id_is_given_once_over_all_plans(tmp_path):
    first = write(tmp_path, plan(CASE.format(id="A")), "a.yaml")
    second = write(tmp_path, plan(CASE.format(id="B"), CASE.format(id="A")), "b.yaml")
    (error,) = read_plans([first, second]).errors
    assert isinstance(error, PlanError)
    assert str(error) == f"{second}:10:9: case id `A` is given twice (first in {first}, line 5)"
    with pytest.raises(ConfigError, match="given twice"):
        load_plans([tmp_path])


def test_a_folder_gives_its_plans_and_nothing_else(tmp_path):
    found = write(tmp_path, plan(CASE.format(id="A")))
    write(tmp_path, "schema: ppmid-bench/rig@1\n", "rig.yaml")
    write(tmp_path, "- 1\n", "other.yml")
    (tmp_path / "b.yaml").mkdir()
    assert find_plans([tmp_path, found]) == (found,)
    assert not is_plan(tmp_path / "none.yaml")


def test_a_path_that_is_not_there_and_a_folder_without_a_plan_are_said(tmp_path):
    with pytest.raises(ConfigError, match="no such file or folder"):
        find_plans([tmp_path / "x.yaml"])
    with pytest.raises(ConfigError, match="no plan in this folder"):
        find_plans([tmp_path])


def test_a_hub_that_the_rig_has_not_is_said_unless_the_case_needs_it(tmp_path):
    case = "  - {{id: A, title: t, needs: [{}], steps: [{{whitelist: {{hub: smets3}}}}]}}\n"
    (wrong,) = load_plans([write(tmp_path, plan(case.format("power")), "wrong.yaml")])
    offers = frozenset({"hub.smets1", "hub.smets2"})
    with pytest.raises(PlanError, match=r"wrong.yaml:4:\d+: the rig has no hub `smets3`; did you mean"):
        check_hubs(wrong.cases, offers)
    (needing,) = load_plans([write(tmp_path, plan(case.format("hub.smets3")), "needing.yaml")])
    check_hubs(needing.cases, offers)
    assert missing(needing.cases[0], offers) == ("hub.smets3",)


def test_a_word_stands_for_one_step():
    from harness.plan.steps.step import step as register

    with pytest.raises(ValueError, match="registered twice"):
        register("join")(STEPS["join"])


def test_a_step_without_arguments_may_be_written_three_ways():
    forms = [step("unjoin"), step("unjoin:"), step("unjoin: {}")]
    assert {entry.hub for entry in forms} == {None}
    assert isinstance(forms[0].where, Node)


def test_a_file_that_is_something_else_is_not_printed_whole(tmp_path):
    path = tmp_path / "poem.yaml"
    path.write_text("a line of verse\n" * 100)
    _, errors = read_plan(path)
    assert "expected a mapping, found 'a line of verse" in str(errors[0])
    assert len(str(errors[0])) < 300
