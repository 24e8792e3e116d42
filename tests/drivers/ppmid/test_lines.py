"""Lines of the test port: what is written reads back, by the other side's codec too."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.ppmid.lines import Line, parse
from drivers.virtual.ppmid import framing as device
from harness.errors import DecodeError

NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,8}", fullmatch=True)
VALUES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=30)


@given(NAMES, st.dictionaries(NAMES, VALUES, max_size=5))
def test_what_the_host_writes_reads_back_on_both_sides(verb, fields):
    text = str(Line((verb,), fields))
    assert parse(text) == Line((verb,), fields)
    assert device.read_line(text) == (verb, fields)


@given(NAMES, st.dictionaries(NAMES, VALUES, max_size=5))
def test_what_the_device_writes_the_host_reads(name, fields):
    assert parse(device.write_line("evt", name, **fields)) == Line(("evt", name), fields)


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=60))
def test_any_text_is_a_line_or_a_decode_error(text):
    try:
        line = parse(text)
    except DecodeError:
        return
    assert parse(str(line)) == line


def test_a_quoted_value_holds_blanks_quotes_and_backslashes():
    line = parse(r'err code=bad text="say \"no\" \\ stop" seq=3')
    assert line.fields == {"code": "bad", "text": r'say "no" \ stop', "seq": "3"}


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", 0),
        ("OK seq=1", 0),
        ("ok seq=1 seq=2", 9),
        ("ok seq=1 done", 9),
        ('ok text="open', 3),
        (r'ok text="\n"', 3),
        ("ok =1", 3),
        ('ok a="1"b', 3),
        ("ok a=", 3),
    ],
)
def test_a_bad_line_is_refused_with_its_place(text, place):
    with pytest.raises(DecodeError) as refused:
        parse(text)
    assert refused.value.offset == place
    assert refused.value.field == "line"


@pytest.mark.parametrize("text", ['join timeout="3', "join timeout", "join a=1 a=2", "a=1", "", '"'])
def test_the_device_refuses_a_bad_line(text):
    with pytest.raises(device.BadLine):
        device.read_line(text)
