"""``ppmid-bench report``: what can be done with an evidence pack afterwards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cli import options

if TYPE_CHECKING:
    from harness.evidence.difference import Difference
    from harness.evidence.intact import Findings

PACK = click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))


@click.group()
def report() -> None:
    """Work with evidence packs."""


@report.command()
@PACK
@click.option(
    "--key",
    type=click.Path(path_type=Path),
    metavar="PUB",
    help="A public key or a certificate (PEM): the pack must be signed with its private half.",
)
@options.JSON
def verify(folder: Path, key: Path | None, *, as_json: bool) -> int:
    """Say whether a pack is intact: exit 1 when files are missing, altered or added, or a signature is bad.

    Of a timeline that was altered the lines are named.
    """
    from harness.evidence.intact import verify as hold_against_sums
    from harness.evidence.signature import checking_key

    found = hold_against_sums(folder, checking_key(key) if key is not None else None)
    if as_json:
        click.echo(json.dumps(_findings(found), indent=2))
    else:
        _show(folder, found)
    return 0 if found.ok else 1


@report.command()
@PACK
@click.option(
    "--key", type=click.Path(path_type=Path), metavar="KEY", required=True, help="A private key (PEM)."
)
def sign(folder: Path, key: Path) -> int:
    """Sign a pack that is intact: SHA256SUMS.sig, a signature over its checksums."""
    from harness.errors import ConfigError
    from harness.evidence import signature
    from harness.evidence.intact import verify as hold_against_sums

    loaded = signature.signing_key(key)
    found = hold_against_sums(folder)
    if not found.ok or found.unfinished:
        raise ConfigError(
            "this pack is not intact, or its run did not end", file=folder, remedy="see report verify"
        )
    click.echo(f"signed: {signature.sign(folder, loaded)}")
    return 0


@report.command()
@click.argument("before", metavar="A", type=click.Path(path_type=Path))
@click.argument("after", metavar="B", type=click.Path(path_type=Path))
@click.option(
    "--time",
    type=click.FloatRange(0),
    default=0.5,
    show_default=True,
    help="Share by which times may differ.",
)
@click.option(
    "--traffic",
    type=click.FloatRange(0),
    default=0.25,
    show_default=True,
    help="Share by which counts of traffic may differ.",
)
@options.JSON
def diff(before: Path, after: Path, time: float, traffic: float, *, as_json: bool) -> int:
    """Hold pack B against an earlier one, A: exit 1 when verdicts, traffic or what ran differ.

    Times beyond the share are shown, and do not count.
    """
    from harness.evidence.difference import Tolerance, differences

    found = differences(before, after, Tolerance(time=time, traffic=traffic))
    counting = [entry for entry in found if entry.counts]
    if as_json:
        told = [entry.as_json() for entry in found]
        click.echo(json.dumps({"same": not counting, "differences": told}, indent=2, ensure_ascii=False))
    else:
        for entry in found:
            click.echo(_difference(entry))
        click.echo(f"{len(counting)} differences" if counting else "the packs say the same")
    return 1 if counting else 0


@report.command()
@click.argument("folders", metavar="DIR...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--settings",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Scope, severities, thresholds and known defects (ppmid-bench/completion@1).",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    required=True,
    help="Where completion.html and completion.md go; not into a pack.",
)
@options.JSON
def completion(folders: tuple[Path, ...], settings: Path | None, out: Path, *, as_json: bool) -> int:
    """Write the completion report of a test phase from its packs: exit 1 when a threshold is not met.

    Of several runs of a case, the one that began last counts.
    """
    from harness.errors import ConfigError
    from harness.evidence.completion.page import write
    from harness.evidence.completion.results import completion as come_to
    from harness.evidence.completion.settings import Settings, load_settings
    from harness.evidence.layout import RUN

    if (out / RUN).exists():
        raise ConfigError("this is an evidence pack: a file more would break it", file=out)
    found = come_to(folders, load_settings(settings) if settings is not None else Settings())
    files = write(found, out)
    if as_json:
        click.echo(json.dumps(found.as_json(), indent=2, ensure_ascii=False))
    else:
        for line in found.thresholds:
            word = "met" if line.met else "NOT met"
            click.echo(f"{word}: {line.what}: {line.reached}, wanted {line.wanted}")
        for note in found.notes:
            click.echo(f"note: {note}")
        click.echo(f"written: {', '.join(str(file) for file in files)}")
    return 0 if found.met else 1


@report.command()
@PACK
@click.option("--at", metavar="HOST[:PORT]", help="Listen there; beyond this machine with a token.")
def serve(folder: Path, at: str | None) -> int:
    """Serve a pack's live page until Ctrl-C: of a run that another process runs, or one that has ended.

    A run of another process of yours can be paused, stopped and answered from it.
    """
    from harness.cli import watching
    from harness.cli.endings import run_async
    from harness.evidence.intact import read_run
    from harness.evidence.live.channel import steering
    from harness.evidence.live.server import LivePage

    host, port = watching.place(at or watching.LOOPBACK)
    read_run(folder)

    async def serving() -> None:
        async with LivePage(folder, host=host, port=port) as page:
            click.echo(f"live: {page.address}")
            await steering(folder, page.steer)

    run_async(serving())
    return 0


def _difference(entry: Difference) -> str:
    where = f"{entry.case}: " if entry.case else ""
    return f"{entry.kind}: {where}{entry.what}: {entry.before} > {entry.after}"


def _lists(found: Findings) -> dict[str, tuple[str, ...]]:
    return {
        "missing": found.missing,
        "altered": found.altered,
        "added": found.added,
        "unfinished": found.unfinished,
    }


def _findings(found: Findings) -> dict[str, Any]:
    return {
        "ok": found.ok,
        "checked": found.checked,
        **{name: list(files) for name, files in _lists(found).items()},
        "lines": {name: [str(change) for change in changes] for name, changes in found.lines.items()},
        "signed": found.signed,
        "signature": found.signature,
    }


def _show(folder: Path, found: Findings) -> None:
    for name, files in _lists(found).items():
        for file in files:
            click.echo(f"{name}: {file}")
            for change in found.lines.get(file, ()):
                click.echo(f"    {change}")
    state = "intact" if found.ok else "NOT intact"
    note = "; the run was killed before it ended" if found.unfinished else ""
    click.echo(f"{folder}: {state}, {found.checked} files checked{note}")
    if not (folder / "report.html").exists() and "report.html" not in found.missing:
        click.echo(f"it has no report yet: ppmid-bench report render {folder}")
    if found.signature is not None:
        held = "holds" if found.signature else "DOES NOT HOLD" if found.signed else "is MISSING"
        click.echo(f"signature: {held}")
    elif found.signed:
        click.echo("signature: there is one, not checked; name the signer's public key with --key")


@report.command("open")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.argument("case", required=False)
@click.option("--text", is_flag=True, help="In tshark, as text.")
def open_capture(folder: Path, case: str | None, *, text: bool) -> int:
    """Open a case's capture in Wireshark, decrypted; the first case's if none is named."""
    from harness.cli.wireshark import show

    return show(folder, case, "tshark" if text else "wireshark")


@report.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write there, and leave the pack as it is.",
)
def render(folder: Path, out: Path | None) -> int:
    """Write a pack's report.html again, with this version of the bench, and its checksum."""
    from harness.evidence.live.channel import forget_left
    from harness.evidence.report.page import render as page_of
    from harness.evidence.report.page import render_again
    from harness.evidence.sums import write_whole

    forget_left(folder)
    path = render_again(folder) if out is None else write_whole(out, page_of(folder))
    click.echo(f"report: {path}")
    return 0
