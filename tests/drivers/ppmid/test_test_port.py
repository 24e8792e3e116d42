"""The driver over a real pty, against devices that answer well, badly, late, twice or not at all."""

from __future__ import annotations

import asyncio
import gc
from itertools import count

import pytest

from drivers.ppmid.test_port import DRIVER, TestPortOptions
from harness.errors import DutFault, RigFault, StimulusImpossible
from harness.eui64 import Eui64
from harness.rig.faces import Face, ReceivedCommand
from harness.tap import Boundary
from tests.drivers.ppmid.scripted import INFO, JOINED, OUT, ok, run, say


def always(fields):
    return lambda line: ok(line, fields)


def silent(line):
    return None


# --- answers ------------------------------------------------------------------------------------------------


def test_a_device_says_who_it_is():
    async def scenario(device, port):
        identity = await port.identify()
        assert identity.eui64 == Eui64.parse("00-DB-12-34-56-78-90-A4")
        assert (identity.manufacturer, identity.model, identity.firmware) == ("1234", "00090100", "01020304")

    run(always(INFO), scenario)


def test_every_line_passes_the_tap_once_both_ways():
    async def scenario(device, port):
        await port.identify()
        (sent, heard) = device.tap.events
        number = device.commands[0].fields["seq"]
        assert sent[:4] == (Boundary.SERIAL, "bench", "ppmid", f"info seq={number}")
        assert heard[:4] == (Boundary.SERIAL, "ppmid", "bench", f"ok seq={number} {INFO}")
        assert sent[4][:6] == b"\x7einfo "

    run(always(INFO), scenario)


def test_every_command_has_a_number_of_its_own():
    async def scenario(device, port):
        for _ in range(3):
            await port.status()
        assert len({line.fields["seq"] for line in device.commands}) == 3

    run(always(OUT), scenario)


def test_commands_at_the_same_time_wait_for_each_other():
    async def scenario(device, port):
        await asyncio.gather(*(port.status() for _ in range(5)))
        assert len(device.commands) == 5

    run(always(OUT), scenario)


def test_an_install_code_goes_out_as_hex():
    async def scenario(device, port):
        await port.set_install_code(bytes(range(16)))
        assert device.commands[0].fields["value"] == "000102030405060708090A0B0C0D0E0F"

    run(always(""), scenario)


def test_what_was_received_comes_in_its_order_however_it_is_sent():
    def answer(line):
        seq = line.fields["seq"]
        second = f"evt received seq={seq} n=2 kind=zcl cluster=0019"
        first = f"evt received seq={seq} n=1 kind=gbcs use-case=CS08"
        return say(second, first) + ok(line, "count=2")

    async def scenario(device, port):
        assert await port.received() == (
            ReceivedCommand(kind="gbcs", fields={"use-case": "CS08"}),
            ReceivedCommand(kind="zcl", fields={"cluster": "0019"}),
        )

    run(answer, scenario)


def test_a_list_with_a_line_lost_on_the_way_is_asked_for_again():
    tries = count()

    def answer(line):
        seq = line.fields["seq"]
        first = say(f"evt received seq={seq} n=1 kind=gbcs")
        if next(tries) == 0:
            first = first.replace(b"gbcs", b"gbcx")
        return first + say(f"evt received seq={seq} n=2 kind=zcl") + ok(line, "count=2")

    async def scenario(device, port):
        assert [each.kind for each in await port.received()] == ["gbcs", "zcl"]
        assert len(device.commands) == 2
        assert device.commands[0] == device.commands[1]

    run(answer, scenario)


# --- faults of the line -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda octets: b"\x00\xff boot\r\n" + octets, id="junk before it"),
        pytest.param(lambda octets: b"\x7ehalf a fr" + octets, id="a cut frame before it"),
        pytest.param(lambda octets: octets.replace(b"\x7e", b"\x7e\x7e"), id="flags twice"),
    ],
)
def test_an_answer_is_found_among_junk(damage):
    async def scenario(device, port):
        await port.status()
        assert len(device.commands) == 1

    run(lambda line: damage(ok(line, OUT)), scenario)


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda octets: None, id="lost"),
        pytest.param(lambda octets: octets.replace(b"state=out", b"state=oun"), id="wrong FCS"),
        pytest.param(lambda octets: octets[:-5], id="cut"),
        pytest.param(lambda octets: octets[:-1] + b"\x7d\x7e", id="ends in an escape"),
    ],
)
def test_a_damaged_answer_is_asked_for_once_more(damage):
    tries = count()

    async def scenario(device, port):
        assert (await port.status()).state == "out"
        assert device.commands[0] == device.commands[1], "the same number: a repeat, not a new command"
        assert len(device.commands) == 2

    run(lambda line: ok(line, OUT) if next(tries) else damage(ok(line, OUT)), scenario)


def test_nothing_but_damaged_frames_is_the_rigs_fault():
    async def scenario(device, port):
        with pytest.raises(RigFault, match=r"2 damaged frames.*check the baud rate \(115200\)"):
            await port.status()

    run(lambda line: ok(line, OUT).replace(b"out", b"oun"), scenario)


def test_a_port_on_which_nothing_was_ever_heard_is_the_rigs_fault():
    async def scenario(device, port):
        with pytest.raises(
            RigFault, match=rf"{device.pty.path}: no answer to `info` within 0.2 s.*check the cable"
        ):
            await port.identify()
        assert len(device.commands) == 2

    run(silent, scenario)


def test_a_device_that_answered_and_falls_silent_is_itself_at_fault():
    async def scenario(device, port):
        await port.identify()
        device.answer = silent
        with pytest.raises(DutFault, match="answered before, but not to `status`"):
            await port.status()

    run(always(INFO), scenario)


def test_a_late_answer_is_not_taken_for_the_answer_to_the_next_command():
    async def scenario(device, port):
        with pytest.raises(RigFault):
            await port.status()
        late = ok(device.commands[0], "state=joined mode=late suites=0")
        device.answer = lambda line: late + ok(line, OUT)
        assert (await port.status()).mode == "none"

    run(silent, scenario)


def test_a_slow_answer_to_the_first_try_counts():
    async def scenario(device, port):
        asking = asyncio.ensure_future(port.status())
        async with asyncio.timeout(2.0):
            while len(device.commands) < 2:
                device.commanded.clear()
                await device.commanded.wait()
        device.pty.write(ok(device.commands[0], OUT))
        assert (await asking).state == "out"

    run(silent, scenario)


# --- the device's faults ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("ok", "lacks `state`"),
        ("ok state=asleep mode=none suites=0", "state=asleep; expected out, joining or joined"),
        ("ok state=out mode=none suites=two", "suites=two; expected a whole number"),
        ("ok state=out suites=0", "lacks `mode`"),
        (f"ok {JOINED.replace('short=796F', 'short=31087')}", "short=31087; expected 4 hex digits"),
        (f"ok {JOINED.replace('pan=5678', 'pan=x')}", "pan=x; expected 4 hex digits"),
        (f"ok {JOINED.replace('parent=00', 'parent=')}", "parent=-DB"),
        ('err code=bad-state text="busy with \\"it\\""', r'refuses: busy with "it" \(bad-state\)'),
        ("err", r"refuses: no text \(no code\)"),
        ("huh", "neither ok, err nor evt"),
        ("OK", "a line that is none"),
    ],
)
def test_a_wrong_answer_is_the_devices_fault_and_is_quoted(answer, said):
    word, _, rest = answer.partition(" ")

    async def scenario(device, port):
        with pytest.raises(DutFault, match=said):
            await port.status()
        assert len(device.commands) == 1, "an answer, if a wrong one: no reason to ask again"

    run(lambda line: say(f"{word} seq={line.fields['seq']} {rest}".strip()), scenario)


def test_a_verb_that_the_device_has_not_got_makes_the_stimulus_impossible():
    async def scenario(device, port):
        with pytest.raises(StimulusImpossible, match="no such thing"):
            await port.leave()

    run(lambda line: say(f'err seq={line.fields["seq"]} code=unknown-verb text="no such thing"'), scenario)


def test_a_refusal_without_a_number_counts():
    async def scenario(device, port):
        with pytest.raises(DutFault, match="cannot read this"):
            await port.status()

    run(lambda line: say('err code=bad-line text="cannot read this"'), scenario)


def test_a_list_without_end_is_ended(monkeypatch):
    monkeypatch.setattr("drivers.ppmid.conversation._LONGEST_LIST_S", 0.1)

    async def scenario(device, port):
        asking = asyncio.ensure_future(port.received())
        for number in count(1):
            if asking.done():
                break
            if device.commands:
                device.pty.write(
                    say(f"evt received seq={device.commands[0].fields['seq']} n={number} kind=zcl")
                )
            await asyncio.sleep(0.01)
        with pytest.raises(DutFault, match="does not come to an end answering `received`"):
            await asking

    run(silent, scenario)


# --- joining ------------------------------------------------------------------------------------------------


def join_with(*events, status=OUT):
    def answer(line):
        if line.verb == "join":
            told = [event.format(seq=line.fields["seq"]) for event in events]
            return ok(line) + say(*told)
        return ok(line, status)

    return answer


def test_a_join_is_reported_with_where_it_led():
    async def scenario(device, port):
        outcome = await port.join(60.0)
        assert device.commands[0].fields["timeout"] == "60"
        assert (outcome.joined, outcome.reason, outcome.elapsed_s) == (True, None, 1.25)
        assert (outcome.status.mode, outcome.status.suites_offered, outcome.status.short_address) == (
            "SMETS2+",
            2,
            0x796F,
        )

    run(join_with(f"evt joined seq={{seq}} {JOINED} elapsed=1.25"), scenario)


def test_a_failed_join_says_why():
    async def scenario(device, port):
        outcome = await port.join(0.5)
        assert (outcome.joined, outcome.reason, outcome.status.state) == (False, "no-key", "out")

    run(join_with("evt join-failed reason=no-key elapsed=0.5"), scenario)


def test_an_event_may_overtake_the_answer():
    def answer(line):
        seq = line.fields["seq"]
        return say(f"evt joined seq={seq} {JOINED} elapsed=0") + ok(line)

    async def scenario(device, port):
        assert (await port.join(1.0)).joined

    run(answer, scenario)


def test_an_event_told_twice_counts_once():
    twice = "evt joined seq={seq} " + JOINED + " elapsed=1"
    other = "evt join-failed seq={seq} reason=timeout elapsed=1"

    async def scenario(device, port):
        assert (await port.join(1.0)).joined
        assert (await port.join(1.0)).joined

    run(join_with(twice, twice, other), scenario)


def test_the_end_of_an_earlier_join_is_not_taken_for_this_ones():
    stale = "evt joined seq=0 " + JOINED + " elapsed=1"

    async def scenario(device, port):
        outcome = await port.join(1.0)
        assert (outcome.joined, outcome.reason) == (False, "refused")

    run(join_with(stale, "evt join-failed seq={seq} reason=refused elapsed=1"), scenario)


def test_events_that_nobody_waits_for_are_let_pass():
    async def scenario(device, port):
        device.pty.write(
            say("evt started", f"evt joined {JOINED} elapsed=1", "evt whatever a=1", "evt received n=1")
        )
        assert (await port.status()).state == "out"

    run(always(OUT), scenario)


def test_a_device_that_never_says_how_the_join_ended_is_at_fault():
    async def scenario(device, port):
        with pytest.raises(DutFault, match="did not say how that ended; it says state=joining mode=none"):
            await port.join(0.1)

    run(join_with(status="state=joining mode=none suites=0"), scenario)


@pytest.mark.parametrize(
    "event",
    [
        "evt joined elapsed=1",
        "evt join-failed elapsed=1",
        f"evt joined {JOINED}",
        f"evt joined {JOINED} elapsed=-1",
    ],
)
def test_a_malformed_event_is_the_devices_fault(event):
    async def scenario(device, port):
        with pytest.raises(DutFault, match=r"lacks|elapsed"):
            await port.join(1.0)

    run(join_with(event), scenario)


# --- the port -----------------------------------------------------------------------------------------------


def test_unplugged_in_the_middle_of_a_command_is_the_rigs_fault_and_noticed_at_once():
    async def scenario(device, port):
        await port.identify()
        device.answer = silent
        leaving = asyncio.ensure_future(port.leave())
        await device.commanded.wait()
        await device.pty.unplug()
        async with asyncio.timeout(1.0):
            with pytest.raises(RigFault, match=r"was lost: .*; check the cable"):
                await leaving
        with pytest.raises(RigFault, match="was lost"):
            await port.status()

    run(always(INFO), scenario)


def test_unplugged_during_a_join_is_the_rigs_fault_and_noticed_at_once():
    async def scenario(device, port):
        joining = asyncio.ensure_future(port.join(30.0))
        await device.commanded.wait()
        await device.pty.unplug()
        async with asyncio.timeout(1.0):
            with pytest.raises(RigFault, match="was lost"):
                await joining

    run(join_with(), scenario)


def test_no_exception_is_left_for_nobody():
    complaints = []

    async def scenario(device, port):
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: complaints.append(context))
        device.answer = silent
        joining = asyncio.ensure_future(port.join(30.0))
        await device.commanded.wait()
        await device.pty.unplug()
        with pytest.raises(RigFault):
            await joining
        del joining
        gc.collect()

    run(join_with(), scenario)
    assert complaints == []


def test_a_command_given_up_leaves_the_port_usable():
    async def scenario(device, port):
        device.answer = silent
        asking = asyncio.ensure_future(port.status())
        await device.commanded.wait()
        asking.cancel()
        await asyncio.wait({asking})
        device.answer = always(OUT)
        assert (await port.status()).state == "out"

    run(always(OUT), scenario)


def test_closing_ends_who_waits():
    async def scenario(device, port):
        asking = asyncio.ensure_future(port.leave())
        await device.commanded.wait()
        await port.close()
        with pytest.raises(RigFault, match="was closed"):
            await asking
        await port.close()

    run(silent, scenario)


def test_a_port_may_be_opened_again_after_it_was_lost():
    async def scenario(device, port):
        await device.pty.unplug()
        with pytest.raises(RigFault):
            await port.status()
        await port.close()
        await device.pty.open()
        again = device.driver()
        await again.open()
        assert (await again.status()).state == "out"
        await again.open()
        assert (await again.status()).state == "out"
        await again.close()

    run(always(OUT), scenario)


def test_a_second_program_finds_the_port_in_use():
    async def scenario(device, port):
        other = device.driver()
        with pytest.raises(
            RigFault, match=rf"{device.pty.path} is in use by another program; stop that program"
        ):
            await other.open()
        await port.status()

    run(always(OUT), scenario)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/dev/no-such-port", "does not exist; plug the adapter in"),
        ("/dev/null", "is not a serial port"),
        ("carrier-pigeon://home", "cannot be opened"),
    ],
)
def test_a_port_that_cannot_be_opened_is_named_with_what_to_do(path, said):
    async def scenario(device, port):
        with pytest.raises(RigFault, match=rf"PPMID port {path} {said}"):
            await device.driver(path=path).open()

    run(silent, scenario)


def test_permission_is_named(monkeypatch):
    def denied(*args):
        raise PermissionError(13, "Permission denied")

    async def scenario(device, port):
        monkeypatch.setattr("serial.serialposix.os.open", denied)
        with pytest.raises(RigFault, match="may not be opened by this user; add the user to the group"):
            await device.driver().open()
        monkeypatch.undo()

    run(silent, scenario)


def test_a_port_that_was_never_opened_says_so():
    async def scenario(device, port):
        closed = device.driver()
        with pytest.raises(RigFault, match=r"closed|not open"):
            await closed.status()
        await closed.close()

    run(silent, scenario)


def test_a_port_is_found_through_a_stable_name(tmp_path):
    async def scenario(device, port):
        await port.close()
        link = tmp_path / "usb-PPMID-if00"
        link.symlink_to(device.pty.path)
        again = device.driver(path=str(link), rtscts=True)
        await again.open()
        await again.status()
        await again.close()

    run(always(OUT), scenario)


def test_the_entry_point_says_what_it_drives():
    assert (DRIVER.face, DRIVER.options) == (Face.PPMID, TestPortOptions)
    assert DRIVER.summary
