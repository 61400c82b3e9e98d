"""Plans against published sizes and hand arithmetic; recipes read by their own libraries."""

from __future__ import annotations

from pathlib import Path

import pytest

from model.errors import TrainingError
from model.train.config import read_run
from model.train.plan import plan, shape_of
from tests.model.files import ROOT

RECIPES = ROOT / "data" / "recipes"


@pytest.mark.parametrize(
    ("name", "billions"), [("qwen3-0.6b", 0.596), ("qwen3-32b", 32.76)]
)  # as the model cards print them, embeddings among them
def test_the_shape_on_the_meta_device_has_the_published_size(name: str, billions: float) -> None:
    shape = shape_of(read_run(RECIPES / name / "run.toml"))
    assert shape.n_parameters / 1e9 == pytest.approx(billions, rel=0.005)


def test_the_memory_of_the_full_recipe_is_what_hand_arithmetic_gives() -> None:
    found = plan(RECIPES / "qwen3-32b" / "run.toml")
    sharded = 32.762e9 / 8 / 2**30
    assert found.parts_gib["weights"] == pytest.approx(2 * sharded, rel=1e-3)
    assert found.parts_gib["gradients"] == pytest.approx(2 * sharded, rel=1e-3)
    assert found.parts_gib["optimizer"] == pytest.approx(12 * sharded, rel=1e-3)
    assert found.parts_gib["logits"] == pytest.approx(4096 * 151936 * 4 / 2**30)
    assert found.gib_per_gpu == pytest.approx(sum(found.parts_gib.values()))
    assert found.fits
    # 4,000 steps of 8 sequences of 4,096 tokens on each of 8 GPUs
    assert found.tokens == 4000 * 8 * 4096 * 8
    operations = 8 * 32.762e9 + 12 * 64 * 5120 * 4096
    assert found.hours == pytest.approx(
        operations * found.tokens / (8 * 989e12 * 0.4) / 3600, rel=1e-3
    )
    assert found.launch.startswith("accelerate launch --config_file accelerate.yaml")


def test_adapters_train_what_peft_counts() -> None:
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoConfig, AutoModelForCausalLM

    found = plan(RECIPES / "qwen3-0.6b" / "run.toml")
    config = AutoConfig.from_pretrained(RECIPES / "qwen3-0.6b" / "base", local_files_only=True)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
        adapted = get_peft_model(
            model, LoraConfig(r=32, lora_alpha=64, target_modules="all-linear")
        )
    trained, _ = adapted.get_nb_trainable_parameters()
    assert found.n_trained == trained
    assert found.fits


def test_a_plan_that_does_not_fit_says_so(tmp_path: Path) -> None:
    written = (RECIPES / "qwen3-32b" / "run.toml").read_text()
    (tmp_path / "base").symlink_to(RECIPES / "qwen3-32b" / "base")
    path = tmp_path / "run.toml"
    path.write_text(written.replace("gpus = 8", "gpus = 2").replace("../../", f"{ROOT}/data/"))
    found = plan(path)
    assert not found.fits and found.gib_per_gpu > 200


def test_a_plan_without_hardware_or_without_a_shape_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"a plan needs \[hardware\]"):
        plan(ROOT / "data" / "nano" / "run.toml")
    path = tmp_path / "run.toml"
    path.write_text((RECIPES / "qwen3-32b" / "run.toml").read_text())
    with pytest.raises(TrainingError, match=r"holds no config\.json; fetch the base model"):
        plan(path)


def test_accelerate_reads_the_configuration_that_ships() -> None:
    from accelerate.commands.config.config_args import load_config_from_file
    from accelerate.utils import FullyShardedDataParallelPlugin

    path = RECIPES / "qwen3-32b" / "accelerate.yaml"
    config = load_config_from_file(str(path))
    assert (config.distributed_type, config.num_processes) == ("FSDP", 8)
    plugin = FullyShardedDataParallelPlugin(
        fsdp_version=config.fsdp_config["fsdp_version"],
        transformer_cls_names_to_wrap=[config.fsdp_config["fsdp_transformer_layer_cls_to_wrap"]],
    )
    assert plugin.transformer_cls_names_to_wrap == ["Qwen3DecoderLayer"]
