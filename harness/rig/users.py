"""The users of a rig's DCC, and who is registered where."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from harness.dcc.users import BENCH_USERS, Premises, Registration, User, Users
from harness.documents import Node, nearest
from harness.gbcs import SUPPLIER
from harness.rig.model import Rig


def users_of(rig: Rig) -> Users:
    """Return the directory that a rig's file describes; raises ConfigError with a place."""
    entry = rig.dcc
    users = tuple(
        User(name=name, eui64=user.eui64, roles=user.roles, status=user.status)
        for name, user in entry.users.items()
    )
    if users and all(user.eui64 != SUPPLIER for user in users):
        raise _node(rig, "users").error(
            f"none of the users is {SUPPLIER}, in whose name the bench sends requests",
            remedy="name it among them",
        )
    premises = tuple(
        Premises(
            mpxns=place.mpxns,
            uprn=place.uprn,
            post_code=place.post_code,
            address_identifier=place.address,
        )
        for place in entry.premises
    )
    directory = Users(users or BENCH_USERS, premises)
    directory.begin_with(_registrations(rig, directory))
    return directory


def _registrations(rig: Rig, directory: Users) -> Iterator[Registration]:
    for place, entry in enumerate(rig.dcc.registrations):
        node = _node(rig, "registrations").entries[place]
        user = directory.named(entry.user)
        if user is None:
            raise node.items["user"].error(
                f"there is no user `{entry.user}`", remedy=nearest(entry.user, directory.names())
            )
        try:
            since = datetime.fromisoformat(entry.since)
        except ValueError:
            raise node.items["since"].error(
                f"expected a day such as 2026-01-05, found {entry.since!r}"
            ) from None
        yield Registration(mpxn=entry.mpxn, user=user.eui64, since=since.replace(tzinfo=since.tzinfo or UTC))


def _node(rig: Rig, key: str) -> Node:
    return rig.where.items["dcc"].items[key]
