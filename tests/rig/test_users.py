"""The users, premises and registrations that a rig file gives its DCC."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness.dcc.duis.requests import PropertyFilter, Uprn
from harness.errors import ConfigError
from harness.eui64 import Eui64
from harness.rig.load import load_rig
from harness.rig.users import users_of
from harness.smets.access import UserRole, UserStatus

VIRTUAL = Path(__file__).parents[2] / "rigs" / "virtual.yaml"
OURS = "supplier: {eui64: 90-B3-D5-1F-30-01-00-00, roles: [IS, GS]}"
NOW = datetime(2026, 2, 1, tzinfo=UTC)


def rig(tmp_path, **entries):
    dcc = "".join(f"  {name.replace('_', '-')}: {text}\n" for name, text in entries.items())
    text = VIRTUAL.read_text().replace(
        "  cpl: cpl-virtual.csv\n", f"  cpl: {VIRTUAL.parent}/cpl-virtual.csv\n{dcc}"
    )
    path = tmp_path / "rig.yaml"
    path.write_text(text)
    return load_rig(path)


def test_without_users_there_are_those_of_the_bench():
    assert users_of(load_rig(VIRTUAL)).names() == ("supplier", "supplier2", "network-operator", "other-user")


def test_users_have_roles_and_a_status(tmp_path):
    other = "gas: {eui64: 00-DB-12-34-56-78-00-04, roles: [GT], status: suspended}"
    users = users_of(rig(tmp_path, users=f"{{{OURS}, {other}}}"))
    found = users.named("gas")
    assert (found.roles, found.status) == ((UserRole.GAS_TRANSPORTER,), UserStatus.SUSPENDED)
    assert users.get(Eui64.parse("00-DB-12-34-56-78-00-04")) is found


def test_places_are_found_and_registrations_begin_on_their_day(tmp_path):
    users = users_of(
        rig(
            tmp_path,
            premises='[{mpxns: ["19", "20"], uprn: 7, post-code: AB1 2CD, address: "12"}]',
            registrations='[{mpxn: "19", user: supplier, since: "2025-01-05"},'
            ' {mpxn: "19", user: supplier2, since: "2026-03-01"}]',
        )
    )
    assert users.mpxns_of(Uprn(7)) == ("19", "20")
    assert users.mpxns_of(PropertyFilter(post_code="AB12CD", address_identifier="12")) == ("19", "20")
    first, second = users.named("supplier").eui64, users.named("supplier2").eui64
    assert users.responsible(["19"], NOW) == {first}
    assert users.responsible(["19"], datetime(2026, 3, 2, tzinfo=UTC)) == {second}
    users.forget_registrations()
    assert users.responsible(["19"], NOW) == {first}


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        ({"users": "{x: {eui64: 00-DB-12-34-56-78-00-04, roles: [IS]}}"}, "none of the users is 90-B3"),
        ({"users": "{x: {eui64: 00-DB-12-34-56-78-00-04, roles: [XX]}}"}, "XX"),
        ({"registrations": '[{mpxn: "19", user: suplier, since: "2025-01-05"}]'}, "did you mean `supplier`"),
        ({"registrations": '[{mpxn: "19", user: supplier, since: "some day"}]'}, "a day such as"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path, entries, says):
    with pytest.raises(ConfigError, match=says) as raised:
        rig(tmp_path, **entries)
    assert "rig.yaml:" in str(raised.value)
