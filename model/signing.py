"""Signatures of the model's manifests, in the form that `docs/contracts.md` gives a bundle's.

The study has its own copy of these lines; both pass `tests/vectors/signature.json`.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from model.errors import SignatureError

SCHEMA = "safemed.signature/1"
ALGORITHM = "Ed25519"
FILE = "signature.json"
"""Beside the manifest that it is of."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs with one private key."""

    key: Ed25519PrivateKey

    @property
    def public_key(self) -> str:
        """32 bytes in hexadecimal; what to give out beforehand."""
        return self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()

    def sign(self, content: bytes) -> dict[str, str]:
        """The signature of some bytes, as `signature.json` holds it."""
        return {
            "schema": SCHEMA,
            "algorithm": ALGORITHM,
            "public_key": self.public_key,
            "signature": self.key.sign(content).hex(),
        }


def signer_at(path: Path) -> Signer:
    """The key in a file; a new one, readable by its owner alone, if there is no file.

    Raises:
        SignatureError: If the file cannot be read or written, or holds no Ed25519 key.
    """
    try:
        if not path.exists():
            return _make(path)
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise SignatureError(
            f"{path} holds no signing key that can be read ({error}); name another file with "
            "--signing-key, or restore it from its copy"
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise SignatureError(f"{path} holds a key of another kind than {ALGORITHM}")
    return Signer(key)


def _make(path: Path) -> Signer:
    signer = Signer(Ed25519PrivateKey.generate())
    written = signer.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(written)
    return signer


def write_signature(manifest: Path, signer: Signer) -> None:
    """Write the signature of a manifest's bytes beside it."""
    signed = json.dumps(signer.sign(manifest.read_bytes()), indent=2) + "\n"
    manifest.with_name(FILE).write_text(signed, encoding="utf-8")


def is_signed(content: bytes, *, public_key: str, signature: str) -> bool:
    """Whether a signature in hexadecimal is of these bytes by that key."""
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
        key.verify(bytes.fromhex(signature), content)
    except (InvalidSignature, ValueError):
        return False
    return True
