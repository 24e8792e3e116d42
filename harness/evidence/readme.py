"""``README.txt`` of a pack: what is in it, and the commands that open it, as they stand."""

from __future__ import annotations

from harness.evidence import wireshark

README = "README.txt"

_TEXT = """\
Evidence pack of a run of ppmid-bench. Open report.html in a browser: it holds the whole story and asks for
nothing outside itself.

  report.html               verdicts with reasons, triage, every case as a sequence diagram, octets by field
  run.json                  the same for programs: what ran, with which versions, how it ended
  junit.xml                 the same for CI
  cases/CASE/               the evidence of a case; attempt-2/ and so on inside, when it was tried again
    timeline.jsonl          everything that crossed a boundary, in one order
    han.pcapng              what the sniffer heard, one interface a channel; steps and verdicts are comments
    hub-NAME.pcapng         what a hub's radio handed over, in headers made for it: not what was on the air
    wireshark/              the keys, where Wireshark reads them from
    ppmid-serial.log        the PPMID's test port
    inventory-*.json        the SMI before and after
  SHA256SUMS                checksums over all of it: sha256sum --check SHA256SUMS

The capture in Wireshark, decrypted (in this folder; another case: another name after c=):

  c={case}; {gui}

The same as text:

  c={case}; {text}
"""


def readme(case_folder: str | None) -> str:
    """Return the text; the commands name this folder of a case."""
    gui, text = wireshark.commands("$c")
    return _TEXT.format(case=case_folder or "CASE", gui=gui, text=text)
