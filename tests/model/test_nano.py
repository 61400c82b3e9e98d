from __future__ import annotations

import json
import math

import pytest
import yaml

from model.canonical import file_sha256
from model.serve.checkpoint import weights_sha256
from tests.model.files import NANO, ROOT

MANIFEST = NANO / "manifest.json"
CHECKPOINT = NANO / "checkpoint"
ROOM = 512
INSTRUCTION = " ".join(f"instruction word number {i}," for i in range(20))


def manifest():
    return json.loads(MANIFEST.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def tokenizer():
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(CHECKPOINT, local_files_only=True)


def vignette_texts():
    for path in sorted((ROOT / "data" / "vignettes").glob("*.yaml")):
        written = yaml.safe_load(path.read_text(encoding="utf-8"))
        for language, stimulus in written["texts"].items():
            yield f"{path.stem}-{language}", f"{stimulus['text']}\n\n{stimulus['question']}"


def test_every_file_of_the_checkpoint_has_the_digest_of_the_manifest():
    written = {path.name: file_sha256(path) for path in CHECKPOINT.iterdir()}
    assert written == manifest()["files"]
    assert weights_sha256(CHECKPOINT) == manifest()["weights_sha256"]


def test_the_manifest_is_of_the_recipe_and_the_rows_that_ship():
    import tomllib

    run = tomllib.loads((NANO / "run.toml").read_text(encoding="utf-8"))
    assert manifest()["run"] == run
    for name in ("train", "held_out"):
        assert manifest()["corpus"][name] == file_sha256(NANO / "corpus" / f"{name}.jsonl")
    plain = file_sha256(NANO / "plain_english.txt")
    assert manifest()["plain_text"] == {"plain_english.txt": plain}


def test_the_manifest_names_no_path_of_a_machine():
    content = MANIFEST.read_text(encoding="utf-8")
    assert not any(place in content for place in ("/work", "/tmp", "/home", "/root", "\\\\"))


def test_the_manifest_says_that_it_is_a_stand_in():
    assert manifest()["stand_in"] is True


def test_the_checkpoint_has_two_to_four_million_parameters_in_bf16():
    from safetensors import safe_open

    with safe_open(CHECKPOINT / "model.safetensors", framework="pt") as weights:
        slices = [weights.get_slice(name) for name in weights.keys()]  # noqa: SIM118
        n_parameters = sum(math.prod(piece.get_shape()) for piece in slices)
        assert {piece.get_dtype() for piece in slices} == {"BF16"}
    assert n_parameters == manifest()["parameters"]
    assert 2_000_000 <= n_parameters <= 4_000_000


def test_the_weights_are_at_most_eight_megabytes():
    assert (CHECKPOINT / "model.safetensors").stat().st_size <= 8_000_000


def test_it_is_a_qwen3_model_with_room_for_a_long_prompt():
    config = json.loads((CHECKPOINT / "config.json").read_text())
    assert config["model_type"] == "qwen3"
    assert config["max_position_embeddings"] == 4096


@pytest.mark.parametrize(("name", "text"), list(vignette_texts()))
def test_every_vignette_with_a_long_instruction_leaves_room_to_answer(tokenizer, name, text):
    assert len(INSTRUCTION.split()) == 80
    turns = [{"role": "user", "content": f"{INSTRUCTION}\n\n{text}"}]
    prompt = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
    n_tokens = len(tokenizer(prompt)["input_ids"])
    assert n_tokens + ROOM <= 4096
    assert n_tokens < 1000


def test_an_instruction_of_the_shipped_protocols_fits_too(tokenizer):
    for path in (ROOT / "data" / "protocols").glob("*.yaml"):
        words = yaml.safe_load(path.read_text(encoding="utf-8"))["instruction"]
        assert len(tokenizer(words)["input_ids"]) < 300


def test_the_tags_of_reasoning_are_single_tokens_that_survive_decoding(tokenizer):
    ids = tokenizer("<think>x</think>")["input_ids"]
    assert len(ids) == 3
    assert tokenizer.decode(ids, skip_special_tokens=True) == "<think>x</think>"


def test_digits_are_tokens_of_their_own(tokenizer):
    assert tokenizer.tokenize("eGFR1234")[-4:] == ["1", "2", "3", "4"]


def test_any_text_survives_the_tokenizer(tokenizer):
    text = "  37.4 °C — “naïve” 華法林\n\tß\u2028 x"
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text
