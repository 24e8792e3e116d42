"""The users of the DCC: which roles they have, and for which meter points they are registered since when.

A request is for a user who is registered for the premises where its device is, where registrations say so;
a change of supplier is a new registration.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from harness.dcc.duis.requests import PropertyFilter, Uprn
from harness.eui64 import Eui64
from harness.smets.access import UserRole, UserStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A user by a name of the rig's choice; an EUI-64 is a user in all of its roles."""

    name: str
    eui64: Eui64
    roles: tuple[UserRole, ...]
    status: UserStatus = UserStatus.ACTIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """That a user is responsible for a meter point from `since` on, until another one is."""

    mpxn: str
    user: Eui64
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Premises:
    """A place with meter points, which the inventory can be searched for by its UPRN or address."""

    mpxns: tuple[str, ...]
    uprn: int | None = None
    post_code: str = ""
    address_identifier: str = ""

    def is_at(self, by: Uprn | PropertyFilter) -> bool:
        """Whether this is the place."""
        if isinstance(by, Uprn):
            return self.uprn == by.number
        place = (_plain(self.post_code), _plain(self.address_identifier))
        return place == (_plain(by.post_code), _plain(by.address_identifier))


def _plain(text: str) -> str:
    return "".join(text.split()).casefold()


def _user(name: str, eui64: str, *roles: str) -> User:
    return User(name=name, eui64=Eui64.parse(eui64), roles=tuple(map(UserRole, roles)))


BENCH_USERS = (
    _user("supplier", "90-B3-D5-1F-30-01-00-00", "IS", "GS"),
    _user("supplier2", "90-B3-D5-1F-30-03-00-00", "IS", "GS"),
    _user("network-operator", "90-B3-D5-1F-30-02-00-00", "ED", "GT"),
    _user("other-user", "00-DB-12-34-56-78-00-04", "OU"),
)
"""Users for a bench whose rig names none: organisations of the published test credentials."""


@dataclass(slots=True)
class Users:
    """The directory. Registrations are looked up by meter point; the last that has begun counts."""

    users: Iterable[User] = BENCH_USERS
    premises: tuple[Premises, ...] = ()
    _by_eui: Mapping[Eui64, User] = field(init=False)
    _first: tuple[Registration, ...] = field(default=(), init=False)
    _registered: dict[str, list[Registration]] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self._by_eui = {user.eui64: user for user in self.users}

    def get(self, eui64: Eui64) -> User | None:
        """Return a user."""
        return self._by_eui.get(eui64)

    def named(self, name: str) -> User | None:
        """Return a user by its name."""
        return next((user for user in self._by_eui.values() if user.name == name), None)

    def names(self) -> tuple[str, ...]:
        """Return the names of all users."""
        return tuple(user.name for user in self._by_eui.values())

    def register(self, registration: Registration) -> None:
        """Make a user responsible for a meter point."""
        entries = self._registered.setdefault(registration.mpxn, [])
        entries.append(registration)
        entries.sort(key=lambda entry: entry.since)

    def begin_with(self, registrations: Iterable[Registration]) -> None:
        """Set the registrations that a case begins with."""
        self._first = tuple(registrations)
        self.forget_registrations()

    def forget_registrations(self) -> None:
        """Take all registrations back but those that a case begins with."""
        self._registered.clear()
        for registration in self._first:
            self.register(registration)

    def mpxns_of(self, by: Uprn | PropertyFilter) -> tuple[str, ...]:
        """Return the meter points at a place."""
        return tuple(mpxn for one in self.premises if one.is_at(by) for mpxn in one.mpxns)

    @property
    def any_registered(self) -> bool:
        """Whether anybody is registered for any meter point."""
        return bool(self._registered)

    def responsible(self, mpxns: Iterable[str], at: datetime) -> frozenset[Eui64]:
        """Return who is responsible for any of these meter points at a time; empty when nobody registered."""
        found = set()
        for mpxn in mpxns:
            begun = [entry for entry in self._registered.get(mpxn, ()) if entry.since <= at]
            if begun:
                found.add(begun[-1].user)
        return frozenset(found)
