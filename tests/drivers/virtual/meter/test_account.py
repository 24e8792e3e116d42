"""A meter's account: which UTRNs it credits, which it has had, and when it lends."""

from __future__ import annotations

import pytest

from drivers.virtual.meter.account import REMEMBERED, Account
from harness.gbcs import SUPPLIER, BenchPki, OwnKeys, make_utrn
from harness.gbcs.use_cases.prepayment import TopUpOutcome
from harness.gbcs.utrn import ValueClass, check_utrn
from tests.gbcs.vectors import ESME

PKI = BenchPki("test")
ACCEPTED, INVALID, DUPLICATE = (
    TopUpOutcome.ACCEPTED,
    TopUpOutcome.REJECTED_INVALID_TOP_UP,
    TopUpOutcome.REJECTED_DUPLICATE_TOP_UP,
)


def account(**habits):
    def check(utrn, counter):
        return check_utrn(utrn, supplier=SUPPLIER, meter=ESME, counter=counter, keys=OwnKeys(ESME, PKI))

    return Account(check, **habits)


def utrn(pence, number, meter=ESME, **more):
    return make_utrn(pence, supplier=SUPPLIER, meter=meter, counter=number << 32, keys=PKI, **more)


def test_a_utrn_is_credited_once_whatever_brings_it_again():
    held = account()
    assert held.top_up(utrn(1500, 7), 7 << 32) == (ACCEPTED, 1500)
    for brought_under in (7 << 32, 8 << 32, 1_795_000_000_000):
        assert held.top_up(utrn(1500, 7), brought_under) == (DUPLICATE, 0)
    assert held.balance == 1500


def test_pounds_are_pounds():
    held = account()
    assert held.top_up(utrn(25, 7, value_class=ValueClass.POUNDS), 7 << 32) == (ACCEPTED, 2500)


@pytest.mark.parametrize(
    ("token", "brought_under"),
    [
        (utrn(1500, 7), 8 << 32),
        (utrn(1500, 7), 7),
        (utrn(1500, 7, meter=SUPPLIER), 7 << 32),
        (utrn(1500, 7)[:-1] + "0123456789"[int(utrn(1500, 7)[-1]) - 1], 7 << 32),
        ("12345678910121314156", 7 << 32),
    ],
    ids=["another counter", "no counter of a top-up", "another meter", "wrong check digit", "no utrn"],
)
def test_what_is_not_the_suppliers_under_this_counter_is_credited_to_nobody(token, brought_under):
    held = account()
    assert held.top_up(token, brought_under) == (INVALID, 0)
    assert held.balance == 0


def test_a_counter_older_than_all_that_are_remembered_is_a_duplicate():
    held = account()
    for number in range(10, 10 + REMEMBERED):
        assert held.top_up(utrn(1, number), number << 32)[0] is ACCEPTED
    assert held.top_up(utrn(1, 9), 9 << 32)[0] is DUPLICATE
    assert len(held.taken) == REMEMBERED


def test_emergency_credit_is_lent_once_and_not_to_somebody_in_credit():
    held = account()
    assert held.activate_emergency_credit()
    assert not held.activate_emergency_credit()
    held.top_up(utrn(1500, 7), 7 << 32)
    assert not held.activate_emergency_credit()


def test_a_defective_meter_credits_what_it_must_not():
    again, anything = account(again=True), account(any_utrn=True)
    for _ in range(2):
        assert again.top_up(utrn(1500, 7), 7 << 32) == (ACCEPTED, 1500)
    assert anything.top_up(utrn(1500, 7, meter=SUPPLIER), 7 << 32) == (ACCEPTED, 1500)
