from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.dataset import open_export
from analysis.errors import UndefinedError
from analysis.ordinal import ordinal_gee, write_for_r
from tests.analysis.frozen import panel


def ratings(effect: float, seed: int = 1, n_vignettes: int = 30) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    v, p, _ = (
        a.ravel() for a in np.meshgrid(range(n_vignettes), range(6), range(3), indexing="ij")
    )
    latent = 3 + rng.normal(0, 0.5, n_vignettes)[v] + effect * (p == 0)
    y = np.clip(np.rint(latent + rng.logistic(0, 0.5, v.size)), 1, 5)
    return {"scores": y, "vignettes": v, "first": p == 0}


def test_a_planted_effect_raises_the_odds_and_none_leaves_them_near_one() -> None:
    assert ordinal_gee(**ratings(0.8)).low > 1.5
    none = ordinal_gee(**ratings(0.0))
    assert none.low < 1 < none.high


def test_turning_the_scale_round_turns_the_odds_over() -> None:
    study = ratings(0.5)
    turned = {**study, "scores": 6 - study["scores"]}
    assert ordinal_gee(**turned).odds_ratio == pytest.approx(1 / ordinal_gee(**study).odds_ratio)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda s: {**s, "first": np.ones(s["scores"].size, dtype=bool)}, "one arm has no ratings"),
        (lambda s: {**s, "vignettes": s["vignettes"] % 4}, "4 vignettes are too few clusters"),
        (lambda s: {**s, "scores": np.full(s["scores"].size, 3.0)}, "every rating is 3"),
        (lambda s: {**s, "scores": np.where(s["first"], 5.0, 1.0)}, "no bounds|not computed"),
    ],
)
def test_degenerate_ratings_are_answered_by_name(change: Any, words: str) -> None:
    with pytest.raises(UndefinedError, match=words):
        ordinal_gee(**change(ratings(0.3)))


def test_the_table_for_r_holds_every_rating_and_the_script_names_the_arm(tmp_path: Path) -> None:
    frozen = panel(n_vignettes=5)
    write_for_r(open_export(frozen.write(tmp_path / "export")), tmp_path)
    with (tmp_path / "ratings_long.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 4 * len(frozen.tables["ratings"])
    assert 'ratings$arm == "model"' in (tmp_path / "clmm.R").read_text()
