from __future__ import annotations

import json
import stat

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import study.signing
from model import signing
from model.errors import SignatureError, TrainingError
from model.train.sft import sft
from model.train.verify import verify_run
from tests.model.files import ROOT
from tests.model.test_sft import recipe

VECTORS = json.loads((ROOT / "tests" / "vectors" / "signature.json").read_text())["vectors"]


@pytest.mark.parametrize("module", [signing, study.signing])
@pytest.mark.parametrize("vector", VECTORS)
def test_model_and_study_sign_as_rfc_8032_does(module, vector) -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(vector["private"]))
    message = bytes.fromhex(vector["message"])
    assert module.Signer(key).sign(message) == {
        "schema": "safemed.signature/1", "algorithm": "Ed25519",
        "public_key": vector["public"], "signature": vector["signature"],
    }  # fmt: skip
    known = {"public_key": vector["public"], "signature": vector["signature"]}
    assert module.is_signed(message, **known)
    assert not module.is_signed(message + b" ", **known)


def test_a_key_is_made_for_its_owner_alone_and_found_again(tmp_path) -> None:
    made = signing.signer_at(tmp_path / "key")
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    assert signing.signer_at(tmp_path / "key").public_key == made.public_key
    (tmp_path / "bad").write_text("no key")
    with pytest.raises(SignatureError, match="bad holds no signing key"):
        signing.signer_at(tmp_path / "bad")


@pytest.fixture
def signed(tmp_path):
    signer = signing.signer_at(tmp_path / "key")
    sft(recipe(tmp_path / "recipe"), out=tmp_path / "out", signer=signer)
    return tmp_path / "out", signer.public_key


def outcomes(directory, **more):
    return {check.name: check.outcome for check in verify_run(directory, **more)}


def test_a_run_is_signed_and_each_change_to_it_is_found(signed) -> None:
    out, key = signed
    assert outcomes(out, public_key=key) == {
        "files": "holds", "rows": "open", "recipe": "holds", "signature": "holds",
    }  # fmt: skip
    assert outcomes(out)["signature"] == "open"
    assert outcomes(out, public_key="0" * 64)["signature"] == "fault"
    manifest = out / "manifest.json"
    written = json.loads(manifest.read_text())
    assert written["hardware"]["cores"] >= 1
    written["run"]["seed"] = 2
    manifest.write_text(json.dumps(written, indent=2))
    assert outcomes(out, public_key=key) == {
        "files": "holds", "rows": "open", "recipe": "fault", "signature": "fault",
    }  # fmt: skip


def test_a_changed_or_an_added_weight_file_is_found(signed) -> None:
    out, _ = signed
    weights = out / "checkpoint" / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    (out / "checkpoint" / "more.safetensors").write_bytes(b"")
    (words,) = (c.words for c in verify_run(out) if c.name == "files")
    assert "model.safetensors was changed" in words
    assert "more.safetensors is not in the manifest" in words


def test_a_directory_without_a_run_is_refused(tmp_path) -> None:
    with pytest.raises(TrainingError, match="holds no training run"):
        verify_run(tmp_path)
