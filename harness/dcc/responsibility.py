"""Who is responsible where: a supplier reaches the devices of premises that nobody else is registered for.

A request may be about several places: a hub and the one that it replaces, a device and the hub that is to
have it, a hub and the meter point that it is said to be at. Its sender must be responsible at each of them.
Source: the rule ACCESS-BY-REGISTRATION.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from harness.dcc.defects import DccDefect
from harness.dcc.duis.requests import HubInstall, UpdateHanDeviceLog
from harness.dcc.enquiry import PASS, Enquiry, Estate, because
from harness.eui64 import Eui64
from harness.smets.access import RESPONSIBLE, UserRole
from harness.smets.requests import Answer, Judgement


def responsible(enquiry: Enquiry, estate: Estate) -> Judgement:
    """Whether a sender whose role asks for it is registered wherever the request is about, if anybody is."""
    rule = estate.rules.rule(RESPONSIBLE)
    sender = enquiry.request.request_id.originator
    if enquiry.request.srv in rule.texts("exempt") or not asks_for_registration(sender, estate):
        return PASS
    for mpxns in _places(enquiry, estate):
        if not may_act_at(mpxns, sender, estate):
            refusal = because(
                Answer.NOT_RESPONSIBLE, f"{_name(sender, estate)} is not registered there", estate.rules
            )
            return Judgement(code=refusal.code, reason=refusal.reason, rules=(rule.id, *refusal.rules))
    return Judgement(rules=(rule.id,))


def asks_for_registration(sender: Eui64, estate: Estate) -> bool:
    """Whether a user has a role that reaches a device only where it is registered, and anybody is."""
    user = estate.users.get(sender)
    if user is None or not estate.users.any_registered or DccDefect.SKIP_ACCESS_CONTROL in estate.defects:
        return False
    return bool(set(user.roles) & set(estate.rules.rule(RESPONSIBLE).choices(UserRole, "roles")))


def may_act_at(mpxns: Iterable[str], sender: Eui64, estate: Estate) -> bool:
    """Whether a user is registered for one of these meter points, or nobody is for any."""
    there = estate.users.responsible(mpxns, estate.clock())
    return not there or sender in there


def _places(enquiry: Enquiry, estate: Estate) -> Iterator[frozenset[str]]:
    request, record = enquiry.request, enquiry.record
    if isinstance(request, UpdateHanDeviceLog) and record is not None and record.hub is None:
        record = None  # it is nowhere yet, or no more
    for one in (enquiry.hub, record, enquiry.other):
        if one is not None:
            yield estate.mpxns_at(one)
    if isinstance(request, HubInstall):
        yield frozenset((request.mpxn,))


def _name(sender: Eui64, estate: Estate) -> str:
    user = estate.users.get(sender)
    return user.name if user is not None else str(sender)
