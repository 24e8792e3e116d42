"""Whose XML signatures a rig's run may bear: certificates, by which readers of its evidence check them."""

from __future__ import annotations

from contextlib import suppress

from harness.dcc.door import DoorKeys
from harness.dcc.duis.xml_keys import XmlCertificate, load_xml_keys
from harness.errors import ConfigError
from harness.rig.model import Rig
from harness.rig.users import users_of


def signers(rig: Rig) -> list[dict[str, str]]:
    """Return the certificates that the rig knows, as plain data for a pack; what is in them is public."""
    entry = rig.dcc
    keys = load_xml_keys(entry.keys, entry.zaz1, rig.pki.seed)
    parties = (entry.user, entry.dsp, *(user.eui64 for user in users_of(rig).users))
    known = list(keys.known(parties))
    with suppress(ConfigError):  # of a DSP that is another program the rig may not have the key
        known.append(DoorKeys.from_store(keys, entry.dsp).s1sp.certificate)
    plain = [_plain(certificate) for certificate in known if certificate.for_xml]
    return [entry for place, entry in enumerate(plain) if entry not in plain[:place]]


def _plain(certificate: XmlCertificate) -> dict[str, str]:
    return {
        "issuer": certificate.issuer,
        "serial": str(certificate.serial),
        "owner": str(certificate.owner),
        "public": certificate.point().hex().upper(),
    }
