"""Keys and certificates of GBCS parties that are a user's own, before the bench's.

A folder has `<eui>-{ka,ds,pp-ka}.pem` certificates and `.key` private keys; a file is a ZAZ1 key store. The
bench needs the private keys of the ACB and of whoever signs on the user's behalf, and certificates of the
devices.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from harness.gbcs import BenchPki, KeyStore, KeyStores, PemFolderKeyStore, Zaz1KeyStore


def load_gbcs_keys(paths: Iterable[Path], seed: str) -> KeyStore:
    """Return the key stores at these paths, and the bench's own keys behind them.

    Every file is read; raises ConfigError that names the file, and the field of a key store, of a bad one.
    """
    stores = [PemFolderKeyStore.load(path) if path.is_dir() else Zaz1KeyStore.load(path) for path in paths]
    for store in stores:
        store.check()
    return KeyStores((*stores, BenchPki(seed)))
