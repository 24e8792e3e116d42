"""Starts Wireshark, or tshark, on a case's capture with the case's keys, and leaves the pack as it is."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from harness.errors import ConfigError
from harness.evidence.intact import read_run
from harness.evidence.layout import case_folder
from harness.evidence.recorder import CAPTURE
from harness.evidence.wireshark import FOLDER


def show(pack: Path, case: str | None, program: str) -> int:
    """Return the program's exit code. Raises ConfigError when there is no capture, or no such program."""
    known = list(dict.fromkeys(str(entry["id"]) for entry in read_run(pack).get("cases", ())))
    if not known or (case is not None and case not in known):
        said = f"the pack has no case `{case}`" if case else "the pack has no case"
        raise ConfigError(said, file=pack, remedy=f"it has {', '.join(known)}" if known else None)
    folder = case_folder(pack, case or known[0])
    capture = folder / CAPTURE
    if not capture.exists():
        raise ConfigError("there is no capture of this case", file=folder)
    path = shutil.which(program)
    if path is None:
        raise ConfigError(f"{program} is not installed", remedy="install it, or see README.txt in the pack")
    with tempfile.TemporaryDirectory(prefix="ppmid-bench-") as keys:  # Wireshark writes into it
        if (folder / FOLDER).is_dir():
            shutil.copytree(folder / FOLDER, keys, dirs_exist_ok=True)
        environment = {**os.environ, "WIRESHARK_CONFIG_DIR": keys}
        return subprocess.run([path, "-r", str(capture)], env=environment, check=False).returncode  # noqa: S603
