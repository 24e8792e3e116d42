"""Lines of output hold nobody up, whoever reads them; what was dropped is told."""

import os

from harness.cli.lines import LineWriter

LINE = "x" * 99


def piped(most):
    read, write = os.pipe()
    return read, write, LineWriter(lambda count: f"{count} dropped", descriptor=write, most=most)


def everything(read, write):
    os.close(write)
    with open(read) as file:
        return file.read().splitlines()


def test_lines_come_in_order():
    read, write, lines = piped(most=1000)
    for number in range(500):
        lines.write(str(number))
    lines.close()
    assert everything(read, write) == [str(number) for number in range(500)]
    assert lines.lost == 0


def test_a_pipe_that_nobody_reads_holds_nobody_up_and_what_was_dropped_is_counted():
    read, write, lines = piped(most=2000)
    for _ in range(20_000):  # 2 MB: many times what a pipe and the queue take
        lines.write(LINE)
    assert 20_000 - 2 * 2000 - 1000 <= lines.lost < 20_000
    lost = lines.lost
    lines.close(within_s=0.05)  # it is stuck: closing does not wait for it for long
    written = dropped = 0
    with open(read) as file:
        while written + dropped < 20_000:
            line = file.readline().strip()
            written += line == LINE
            dropped += int(line.partition(" ")[0]) if line != LINE else 0
    assert dropped == lost
    os.close(write)


def test_a_pipe_that_is_closed_ends_no_service():
    read, write, lines = piped(most=10)
    os.close(read)
    for _ in range(3):
        lines.write(LINE)
    lines.close()
    lines.write(LINE)
    assert lines.lost == 4
    os.close(write)


def test_a_pipe_that_does_not_block_gets_everything_too():
    read, write, lines = piped(most=20_000)
    os.set_blocking(write, False)
    for _ in range(5000):
        lines.write(LINE)
    got = b""
    while got.count(b"\n") < 5000:
        got += os.read(read, 1 << 16)
    lines.close()
    os.close(write)
    os.close(read)
