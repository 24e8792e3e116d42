"""The two codecs of the test port judge each other; the standard's own figures judge both."""

from __future__ import annotations

import crcmod.predefined
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.ppmid import framing as host
from drivers.ppmid.framing import Damage, Dropped, Frame, FrameReader
from drivers.virtual.ppmid import framing as device

PRINTABLE = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=512)


def read(octets):
    return FrameReader().feed(octets)


def lines(found):
    return [each.line for each in found if isinstance(each, Frame)]


def test_the_fcs_is_x_25_with_its_published_check_value():
    assert host.fcs16(b"123456789") == 0x906E
    assert crcmod.predefined.mkCrcFun("x-25")(b"123456789") == 0x906E


@given(PRINTABLE)
def test_what_the_host_frames_the_device_reads_and_the_other_way_round(line):
    assert list(device.Deframer().feed(host.encode(line))) == [line]
    assert lines(read(device.frame(line))) == [line]
    assert host.encode(line) == device.frame(line)


@given(st.lists(PRINTABLE, min_size=1, max_size=5), st.data())
def test_it_does_not_matter_in_what_pieces_octets_arrive(texts, data):
    octets = b"".join(host.encode(text) for text in texts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(octets)), max_size=8)))
    pieces = [octets[a:b] for a, b in zip([0, *cuts], [*cuts, len(octets)], strict=True)]
    reader, deframer = FrameReader(), device.Deframer()
    assert [line for piece in pieces for line in lines(reader.feed(piece))] == texts
    assert [line for piece in pieces for line in deframer.feed(piece)] == texts


@given(st.binary(max_size=1200))
def test_junk_is_dropped_and_the_next_frame_is_read(junk):
    reader, deframer = FrameReader(), device.Deframer()
    reader.feed(junk)
    list(deframer.feed(junk))
    after = host.encode("status seq=1") * 2  # the first may be taken for the end of what the junk began
    assert lines(reader.feed(after))[-1:] == ["status seq=1"]
    assert list(deframer.feed(after))[-1:] == ["status seq=1"]


@given(st.binary(max_size=300), PRINTABLE)
def test_no_octet_is_lost_to_the_record(junk, line):
    stream = junk + host.encode(line) + b"\x7e"
    assert b"".join(each.octets for each in read(stream)) == stream.replace(b"\x7e", b"")


@given(PRINTABLE, st.data())
def test_one_flipped_bit_never_gives_another_line(line, data):
    octets = bytearray(host.encode(line))
    bit = data.draw(st.integers(0, 8 * len(octets) - 1))
    octets[bit // 8] ^= 1 << bit % 8
    assert [each for each in lines(read(bytes(octets) + b"\x7e")) if each != line] == []
    assert [each for each in device.Deframer().feed(bytes(octets) + b"\x7e") if each != line] == []


def test_one_flag_may_close_a_frame_and_open_the_next():
    octets = host.encode("ok seq=1") + host.encode("ok seq=2")[1:]
    assert lines(read(octets)) == ["ok seq=1", "ok seq=2"]
    assert list(device.Deframer().feed(octets)) == ["ok seq=1", "ok seq=2"]


def test_flag_and_escape_are_stuffed():
    octets = host.encode("x~}")
    assert octets[1:6] == b"x\x7d\x5e\x7d\x5d"
    assert octets.count(b"\x7e") == 2


@pytest.mark.parametrize(
    ("octets", "damage"),
    [
        (b"boot 1.2\r\n\x7e", Damage.NO_FLAG),
        (b"\x7eab\x7e", Damage.TOO_SHORT),
        (host.encode("ok seq=1")[:-4] + b"\x7e", Damage.WRONG_FCS),
        (host.encode("ok seq=1")[:-1] + b"\x7d\x7e", Damage.CUT),
        (b"\x7e" + b"a" * 600 + b"\x7e", Damage.TOO_LONG),
        (b"\x7e" + b"a" * 9000 + b"\x7e", Damage.TOO_LONG),
        (b"\x7e\x07" + host.fcs16(b"\x07").to_bytes(2, "little") + b"\x7e", Damage.NOT_ASCII),
    ],
    ids=lambda value: value.name if isinstance(value, Damage) else "",
)
def test_a_bad_frame_is_dropped_with_its_reason(octets, damage):
    assert [each.damage for each in read(octets) if isinstance(each, Dropped)] == [damage]
    assert list(device.Deframer().feed(octets)) == []


def test_an_endless_frame_does_not_fill_the_memory():
    reader, deframer = FrameReader(), device.Deframer()
    for octets in (b"\x7e", *[b"a" * 1000] * 100):
        reader.feed(octets)
        list(deframer.feed(octets))
    assert len(reader._octets) < 2000
    assert len(deframer._waiting or b"") < 2000


@pytest.mark.parametrize("line", ["", "a" * 513, "naïve", "two\nlines"])
def test_the_host_frames_only_what_a_frame_may_carry(line):
    with pytest.raises(ValueError, match="a line"):
        host.encode(line)


def test_the_device_makes_any_text_fit():
    assert list(device.Deframer().feed(device.frame("naïve\n"))) == ["na?ve?"]
    assert list(device.Deframer().feed(device.frame("a" * 600))) == ["a" * 512]
