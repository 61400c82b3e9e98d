from __future__ import annotations

import json

import pytest

from model.canonical import file_sha256
from model.train.card import card
from tests.model.files import NANO
from tests.model.test_sft import recipe


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    from model.train.sft import sft

    work = tmp_path_factory.mktemp("card")
    checkpoint = sft(recipe(work), out=work / "out")
    return work / "out", (checkpoint / "README.md").read_text()


def test_hugging_face_s_own_reader_takes_the_card(trained) -> None:
    from huggingface_hub import ModelCard

    read = ModelCard(trained[1]).data
    assert read.library_name == "transformers"
    assert read.tags == ["safemed", "stand-in", "not-a-medical-model"]
    (result,) = read.eval_results
    assert (result.metric_name, result.metric_value) == ("right decisions", 0.0)


def test_the_card_says_what_the_manifest_says_and_no_more(trained) -> None:
    out, text = trained
    manifest = json.loads((out / "manifest.json").read_text())
    assert "not a medical model" in text
    assert "from scratch, with 6,720 parameters and a vocabulary of 320 tokens" in text
    assert manifest["weights_sha256"] in text and file_sha256(out / "manifest.json") in text
    assert all(digest in text for digest in manifest["corpus"].values())
    assert "4 rows were consumed. They came from no ledger." in text
    assert "They were compared with no text" in text
    assert "| seed | 1 |" in text and "| learning rate | 0.01 |" in text
    assert "| all | 0 | 4 |" in text
    assert "went on from" not in text


def test_a_run_that_went_on_from_a_base_and_a_ledger_says_so() -> None:
    manifest = json.loads((NANO / "manifest.json").read_text())
    hardware = {"processor": "x", "cores": 2, "accelerators": ["A GPU"]}
    more = {
        "hardware": hardware, "base_weights_sha256": "b" * 64, "rows_merkle_root": "c" * 64,
        "held_out": None, "best_step": 40, "stand_in": False,
    }  # fmt: skip
    text = card({**manifest, **more}, "d" * 64)
    assert f"went on from weights with the digest `{'b' * 64}`" in text
    assert f"their root is `{'c' * 64}`" in text
    assert "checkpoint of step 40 was kept" in text and "2 cores, A GPU" in text
    assert "stand-in" not in text
