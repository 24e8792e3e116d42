"""What Wireshark needs to show a case's captures decrypted: a configuration folder with the keys in it.

Zigbee keys are read from ``zigbee_pc_keys`` (one line a key: key, byte order, label) in the folder that
WIRESHARK_CONFIG_DIR names. Wireshark itself writes into that folder, so a pack's is copied first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

FOLDER, KEYS, PREFERENCES = "wireshark", "zigbee_pc_keys", "preferences"

PREFERENCES_TEXT = """\
# A column for the comments: which step began, what was judged.
gui.column.format: "No.", "%m", "Time", "%t", "Source", "%s", "Destination", "%d", "Protocol", "%p", \
"Info", "%i", "Step", "%Cus:frame.comment:0:R"
"""


def key_file(network: Iterable[str], link: Mapping[str, Iterable[str]]) -> str:
    """Return ``zigbee_pc_keys`` with these keys, in hex; what is masked is left out."""
    labelled = [(key, "network key") for key in network]
    labelled += [(key, f"link key of {device}") for device, keys in link.items() for key in keys]
    return "".join(line for key, label in labelled if (line := _line(key, label)))


def _line(key: str, label: str) -> str | None:
    try:
        octets = bytes.fromhex(key)
    except ValueError:
        return None
    return f'"{octets.hex(":").upper()}","Normal","{label}"\n'


def commands(case_folder: str) -> tuple[str, str]:
    """Return the lines of shell that show a case's capture in Wireshark and in tshark, run in the pack."""
    keys = f"cases/{case_folder}/{FOLDER}"
    capture = f"cases/{case_folder}/han.pcapng"
    return (
        f'd=$(mktemp -d) && cp {keys}/* "$d" && WIRESHARK_CONFIG_DIR="$d" wireshark {capture}',
        f"WIRESHARK_CONFIG_DIR={keys} tshark -r {capture}",
    )
