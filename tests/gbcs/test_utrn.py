"""UTRNs against the published tokens, and against everything that is nearly right."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import DecodeError
from harness.eui64 import Eui64
from harness.gbcs.keys import SUPPLIER, BenchPki, KeyUsage, OwnKeys
from harness.gbcs.utrn import LARGEST_VALUE, TopUp, ValueClass, check_digit, check_utrn, make_utrn, read_utrn
from tests.gbcs.vectors import ESME, GSME, rtds_keys

PKI = BenchPki("test")
TOKEN = "73946144332040217315"  # RTDS CS01a
COUNTER = 3 << 32


def bench_utrn(value: int = 1500, counter: int = COUNTER) -> str:
    return make_utrn(value, supplier=SUPPLIER, meter=ESME, counter=counter, keys=OwnKeys(SUPPLIER, PKI))


def check(utrn: str, *, supplier: Eui64 = SUPPLIER, meter: Eui64 = ESME, counter: int = COUNTER) -> TopUp:
    return check_utrn(utrn, supplier=supplier, meter=meter, counter=counter, keys=OwnKeys(meter, PKI))


@pytest.mark.dcc_data
@pytest.mark.parametrize(
    ("utrn", "meter", "counter", "value", "value_class"),
    [
        (TOKEN, ESME, 3, 10, ValueClass.POUNDS),
        ("73948959061972833313", ESME, 5, 10, ValueClass.POUNDS),
        ("73950067887105178605", GSME, 6, 1250, ValueClass.PENCE),
    ],
)
def test_the_published_tokens_are_made_and_checked(utrn, meter, counter, value, value_class):
    made = make_utrn(
        value,
        supplier=SUPPLIER,
        meter=meter,
        counter=counter << 32,
        value_class=value_class,
        keys=rtds_keys(),
    )
    assert made == utrn
    found = check_utrn(utrn, supplier=SUPPLIER, meter=meter, counter=counter << 32, keys=rtds_keys())
    assert (found.value, found.value_class, found.counter_bits) == (value, value_class, counter)


def test_the_token_of_pcs01_is_a_placeholder_without_a_mac():
    assert read_utrn("73941656880950804485") == TopUp(value=2025, value_class=0, counter_bits=0, mac=bytes(4))


@given(st.integers(0, LARGEST_VALUE), st.sampled_from(ValueClass), st.integers(0, (1 << 64) - 1))
def test_what_a_supplier_makes_the_meter_reads(value, value_class, counter):
    utrn = make_utrn(
        value,
        supplier=SUPPLIER,
        meter=ESME,
        counter=counter,
        value_class=value_class,
        keys=OwnKeys(SUPPLIER, PKI),
    )
    found = check(utrn, counter=counter)
    assert (found.value, found.value_class) == (value, value_class)


@given(st.integers(0, 18), st.integers(1, 9))
def test_one_wrong_digit_is_noticed_by_the_check_digit(place, change):
    digits = [int(digit) for digit in TOKEN]
    digits[place] = (digits[place] + change) % 10
    with pytest.raises(DecodeError, match="check digit"):
        read_utrn("".join(map(str, digits)))


@pytest.mark.parametrize("place", range(18))
def test_two_digits_changed_round_are_noticed_by_the_check_digit(place):
    swapped = TOKEN[:place] + TOKEN[place + 1] + TOKEN[place] + TOKEN[place + 2 :]
    if swapped != TOKEN:
        with pytest.raises(DecodeError, match="check digit"):
            read_utrn(swapped)


@pytest.mark.parametrize("wrong", ["", TOKEN[:-1], TOKEN + "0", "7394614433204021731x", "\uff17" + TOKEN[1:]])
def test_what_is_not_twenty_digits_is_no_utrn(wrong):
    with pytest.raises(DecodeError, match="20 digits"):
        read_utrn(wrong)


@pytest.mark.parametrize("digits", ["0" * 19, "7300000000000000000", "9999999999999999999"])
def test_a_number_outside_the_range_of_tokens_is_refused(digits):
    with pytest.raises(DecodeError, match="outside the range"):
        read_utrn(digits + check_digit(digits))


def test_a_token_for_another_meter_or_from_another_supplier_or_counter_is_refused():
    utrn = bench_utrn()
    assert check(utrn).value == 1500
    with pytest.raises(DecodeError, match="MAC of the UTRN"):
        check(utrn, meter=GSME)
    with pytest.raises(DecodeError, match="MAC of the UTRN"):
        check(utrn, supplier=Eui64(1))
    with pytest.raises(DecodeError, match="MAC of the UTRN"):
        check(utrn, counter=COUNTER + 1)
    with pytest.raises(DecodeError, match="counter bits"):
        check(utrn, counter=4 << 32)


def test_a_meter_without_keys_trusts_no_token():
    with pytest.raises(DecodeError, match="not trusted"):
        check_utrn(bench_utrn(), supplier=SUPPLIER, meter=ESME, counter=COUNTER, keys=OwnKeys(Eui64(1), PKI))


def test_a_token_is_made_with_the_prepayment_key_and_no_other():
    class WrongKey:
        def private_key(self, eui, usage):
            return PKI.private_key(eui, KeyUsage.KEY_AGREEMENT)

        def public_key(self, eui, usage):
            return PKI.public_key(eui, KeyUsage.KEY_AGREEMENT)

    utrn = make_utrn(1, supplier=SUPPLIER, meter=ESME, counter=COUNTER, keys=WrongKey())
    with pytest.raises(DecodeError, match="MAC of the UTRN"):
        check(utrn)


@pytest.mark.parametrize("value", [-1, LARGEST_VALUE + 1])
def test_a_value_that_does_not_fit_is_refused(value):
    with pytest.raises(ValueError, match="0 to 8191"):
        bench_utrn(value)
