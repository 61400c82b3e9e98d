from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from analysis.attempts import NotComputed
from analysis.dataset import open_export
from analysis.differences import Differences
from analysis.drawing import Drawing
from analysis.figures import all_figures
from analysis.figures_power import power_curves
from analysis.power import simulate
from analysis.results import Results, compute
from tests.analysis.frozen import Frozen, example, panel
from tests.analysis.test_summary import asked


def made(frozen: Frozen, directory: Path) -> tuple[Results, dict[str, Drawing]]:
    results = compute(open_export(frozen.write(directory)))
    return results, all_figures(results)


def with_margin(frozen: Frozen) -> Frozen:
    frozen.protocol["margin"] = {"points": 0.5, "reason": "half a step"}
    return frozen


def test_the_declared_margin_is_drawn_on_both_sides_and_never_without_one(tmp_path: Path) -> None:
    _, figures = made(with_margin(panel(n_vignettes=10)), tmp_path / "a")
    dashed = [t for t in figures["forest"].figure.data if t.line.dash == "dash"]
    assert sorted(t.x[0] for t in dashed) == [-0.5, 0.5]
    assert "the declared margin is 0.5 points" in figures["forest"].description
    _, plain = made(panel(n_vignettes=10), tmp_path / "b")
    assert not [t for t in plain["forest"].figure.data if t.line.dash == "dash"]


def test_every_difference_is_drawn_once_in_order(tmp_path: Path) -> None:
    results, figures = made(panel(n_vignettes=9), tmp_path)
    drawn = [t for t in figures["paired"].figure.data if t.mode == "markers"]
    for result, trace in zip(results.dimensions, drawn, strict=True):
        assert isinstance(result.differences, Differences)
        assert np.allclose(np.sort(result.differences.values), trace.x)
    assert "higher" in figures["paired"].description


def test_the_margin_curve_draws_the_p_values_of_the_results(tmp_path: Path) -> None:
    results, figures = made(panel(n_vignettes=10), tmp_path)
    traces = figures["margin_curve"].figure.data
    for place, result in enumerate(results.dimensions):
        wanted = [max(p.p_noninferiority or 0, 1e-4) for p in result.curve]
        assert list(traces[2 * place].y) == pytest.approx(wanted)
        assert traces[2 * place].line.dash != traces[2 * place + 1].line.dash


def test_each_variation_left_out_is_one_dot(tmp_path: Path) -> None:
    results, figures = made(panel(n_vignettes=8), tmp_path)
    dots = sum(len(t.x) for t in figures["leave_one_out"].figure.data if t.mode == "markers")
    kinds = ("leave one rater out", "leave one respondent out", "leave one vignette out")
    rows = [r for r in results.robustness if r.kind in kinds and r.value is not None]
    assert dots == len(rows) == 4 * (3 + 5 + 8)


def test_bars_diverge_from_the_middle_score(tmp_path: Path) -> None:
    _, figures = made(panel(n_vignettes=8), tmp_path)
    bars = figures["ratings"].figure.data
    assert [bar.name for bar in bars] == [f"score {point}" for point in range(1, 6)]
    for place in range(len(bars[0].x)):
        begun = [bar.base[place] for bar in bars]
        widths = [bar.x[place] for bar in bars]
        # Each bar begins where the one before it ends, and 0 halves the middle score.
        assert np.allclose(np.array(begun[1:]), np.array(begun[:-1]) + np.array(widths[:-1]))
        assert begun[2] + widths[2] / 2 == pytest.approx(0)
        assert sum(widths) == pytest.approx(1)


def test_the_table_of_kappas_holds_every_pair(tmp_path: Path) -> None:
    results, figures = made(panel(n_vignettes=8), tmp_path)
    values = figures["kappa"].figure.data[0].z
    rows = [r for r in results.agreement if r.scope == "all responses"]
    for line, row in zip(values, rows, strict=True):
        assert list(line) == [p.kappa for p in row.pairs]


def test_guesses_are_drawn_only_where_they_were_asked_for(tmp_path: Path) -> None:
    _, asked_for = made(asked(), tmp_path / "a")
    assert "Model, all raters: 1.00" in asked_for["blinding"].description
    _, silent = made(panel(), tmp_path / "b")
    assert "blinding" not in silent


@pytest.mark.parametrize("frozen", [example(), panel(n_vignettes=2), panel(n_raters=1)])
def test_degenerate_studies_draw_what_they_have(tmp_path: Path, frozen: Frozen) -> None:
    results, figures = made(with_margin(frozen), tmp_path)
    assert {"forest", "ratings", "paired"} <= set(figures)
    if len(results.dataset.tables["raters"]) == 1:
        assert "kappa" not in figures
    missing = [d for d in results.dimensions if isinstance(d.test, NotComputed)]
    assert all(d.dimension.label in figures["forest"].description for d in missing)


def test_every_figure_has_words_with_numbers_for_those_who_cannot_see_it(tmp_path: Path) -> None:
    _, figures = made(asked(), tmp_path)
    for drawing in figures.values():
        assert drawing.description.startswith(drawing.title.split(";")[0][:20])
        assert any(letter.isdigit() for letter in drawing.description)


def test_lines_of_a_power_curve_differ_by_more_than_colour() -> None:
    cells = simulate(
        n_vignettes=[20, 30], n_residents=[3, 6], n_raters=[2, 3], effect=0.4, margin=0.5, seed=1,
        n_studies=200,
    )  # fmt: skip
    drawing = power_curves(cells)
    first = [t for t in drawing.figure.data if t.showlegend]
    assert len({(t.line.dash, t.marker.symbol) for t in first}) == 4
    assert len(drawing.figure.data) == 12
    assert "30 vignettes, 6 residents, 3 raters: superiority" in drawing.description
