from __future__ import annotations

import pytest

from harness.eui64 import Eui64
from harness.hub.device_log import DeviceLog, DeviceState
from harness.hub.trust_centre import ANNOUNCE_WITHIN_S, HubEventKind, Refusal, TrustCentre
from harness.rig.faces import JoinKind, JoinNotice

PPMID = Eui64.parse("00-DB-12-34-56-78-90-A4")
STRANGER = Eui64.parse("00-DB-12-34-56-78-90-FF")
CODE = bytes.fromhex("83FED3407A939723A5C639B26916D505")
KEY = bytes.fromhex("66B6900981E1EE3CA4206B6B861C02BB")


class Book:
    def __init__(self):
        self.log = DeviceLog()
        self.events = []
        self.centre = TrustCentre(self.log, self.events.append)

    def notice(self, eui64=PPMID, *, now, kind=JoinKind.UNSECURED_JOIN, admitted=True):
        notice = JoinNotice(kind=kind, eui64=eui64, short_address=0x1234, parent=0, admitted=admitted)
        self.centre.join_notice(notice, now=now)

    def state(self):
        return self.log.get(PPMID).state

    def refusals(self):
        return [event.refusal for event in self.events if event.refusal]


@pytest.fixture
def book():
    book = Book()
    book.centre.whitelist(PPMID, CODE, window_s=60.0, now=100.0)
    return book


def test_a_whitelisted_device_has_the_link_key_of_its_install_code(book):
    assert book.log.get(PPMID).link_key == KEY
    assert book.state() is DeviceState.WHITELISTED


def test_a_device_is_joined_when_it_has_announced_itself_and_not_before(book):
    book.notice(now=101.0)
    assert book.state() is DeviceState.WHITELISTED
    assert book.centre.announced(PPMID, 0x1234, now=101.5)
    entry = book.log.get(PPMID)
    assert (entry.state, entry.short_address, entry.joined_at) == (DeviceState.JOINED, 0x1234, 101.5)
    book.centre.tick(1000.0)
    assert book.state() is DeviceState.JOINED
    assert book.refusals() == []


def test_a_device_that_was_sent_the_key_and_stays_silent_has_another_install_code(book):
    book.notice(now=101.0)
    assert book.centre.next_deadline() == 101.0 + ANNOUNCE_WITHIN_S
    book.centre.tick(101.0 + ANNOUNCE_WITHIN_S)
    assert book.refusals() == [Refusal.WRONG_INSTALL_CODE]
    assert book.centre.next_deadline() == 160.0


def test_a_device_that_leaves_without_announcing_itself_has_another_install_code(book):
    book.notice(now=101.0)
    book.notice(now=102.0, kind=JoinKind.LEFT)
    assert book.refusals() == [Refusal.WRONG_INSTALL_CODE]


@pytest.mark.parametrize(
    ("eui64", "now", "reason"),
    [
        (STRANGER, 110.0, Refusal.NOT_WHITELISTED),
        (PPMID, 110.0, Refusal.DENIED_BY_RADIO),
        (PPMID, 160.0, Refusal.WINDOW_OVER),
    ],
)
def test_a_refusal_says_why(book, eui64, now, reason):
    book.notice(eui64, now=now, admitted=False)
    assert book.refusals() == [reason]
    assert str(eui64) in str(book.events[-1])
    assert reason.value in str(book.events[-1])


def test_a_window_ends_and_whitelisting_again_opens_it(book):
    book.centre.tick(159.9)
    assert book.state() is DeviceState.WHITELISTED
    book.centre.tick(160.0)
    assert book.state() is DeviceState.EXPIRED
    assert book.events[-1].kind is HubEventKind.WINDOW_OVER
    book.centre.whitelist(PPMID, bytes(16), window_s=10.0, now=200.0)
    assert book.log.get(PPMID).install_code == bytes(16)
    assert book.state() is DeviceState.WHITELISTED


def test_adding_a_device_that_is_on_the_network_changes_nothing(book):
    book.centre.announced(PPMID, 0x1234, now=101.0)
    entry = book.centre.whitelist(PPMID, bytes(16), window_s=10.0, now=102.0)
    assert (entry.install_code, entry.state) == (CODE, DeviceState.JOINED)
    assert book.events[-1].kind is HubEventKind.ALREADY_JOINED


def test_a_device_that_announces_itself_unasked_is_reported(book):
    assert not book.centre.announced(STRANGER, 0x9999, now=101.0)
    assert "not in the device log" in book.events[-1].note


def test_leaving_and_rejoining_are_kept(book):
    book.centre.announced(PPMID, 0x1234, now=101.0)
    book.notice(now=102.0, kind=JoinKind.SECURED_REJOIN)
    book.notice(now=103.0, kind=JoinKind.LEFT)
    assert [event.kind for event in book.events[-2:]] == [HubEventKind.REJOINED, HubEventKind.LEFT]
    assert book.state() is DeviceState.REMOVED
    assert book.log.by_short_address(0x1234) is None


def test_removed_devices_are_in_the_history_fifteen_at_most(book):
    for number in range(20):
        book.centre.whitelist(Eui64(number), CODE, window_s=1.0, now=1.0)
        book.log.established(Eui64(number), bytes(16), 2)
        book.centre.unlist(Eui64(number), now=2.0)
    assert [entry.eui64.value for entry in book.log.historic] == list(range(5, 20))
    assert {entry.state for entry in book.log.historic} == {DeviceState.REMOVED}
    assert book.centre.unlist(STRANGER, now=3.0) is None


@pytest.mark.parametrize(("code", "window_s"), [(CODE[:15], 60.0), (CODE, 0.0)])
def test_a_bad_install_code_or_window_is_refused_and_leaves_nothing(book, code, window_s):
    with pytest.raises(ValueError, match=r"install code|window"):
        book.centre.whitelist(STRANGER, code, window_s=window_s, now=1.0)
    assert book.log.get(STRANGER) is None
