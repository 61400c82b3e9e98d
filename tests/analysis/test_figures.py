from __future__ import annotations

from pathlib import Path

import pytest

from analysis.dataset import open_export
from analysis.drawing import Drawing, titled, to_html
from analysis.figures import all_figures
from analysis.figures_raters import SHADES
from analysis.results import compute
from tests.analysis.frozen import Frozen, example, panel

NOTE = "SIMULATED. Planted scores."


def drawn(frozen: Frozen, directory: Path) -> dict[str, Drawing]:
    return all_figures(compute(open_export(frozen.write(directory))))


def words_on(drawing: Drawing) -> list[str]:
    return [str(annotation.text) for annotation in drawing.figure.layout.annotations]


def test_every_dimension_has_its_numbers_beside_its_name(tmp_path: Path) -> None:
    forest = drawn(panel(), tmp_path)["forest"]
    labels = [words for words in words_on(forest) if words.startswith("<b>")]
    assert [words.split("</b>")[0][3:] for words in labels] == [
        "Medical correctness", "Medication safety", "Guideline consistency", "Clinical usefulness",
    ]  # fmt: skip
    assert all(" to " in words and "adjusted p" in words for words in labels)


def test_the_favoured_sides_are_named_and_not_called_higher(tmp_path: Path) -> None:
    words = words_on(drawn(example(direction="lower_is_better"), tmp_path)["forest"])
    assert "\u2190 favours Residents" in words
    assert "favours Model \u2192" in words


def test_the_axis_holds_every_interval(tmp_path: Path) -> None:
    figure = drawn(panel(), tmp_path)["forest"].figure
    low, high = figure.layout.xaxis.range
    assert all(low <= x <= high for trace in figure.data for x in trace.x)


def test_a_dimension_without_an_interval_is_drawn_hollow_and_says_so(tmp_path: Path) -> None:
    forest = drawn(panel(n_vignettes=2), tmp_path)["forest"]
    assert (
        sum("no interval attainable with 2 vignettes" in words for words in words_on(forest)) == 4
    )
    symbols = [trace.marker.symbol for trace in forest.figure.data if trace.mode == "markers"]
    assert symbols == ["square-open"] * 4


@pytest.mark.parametrize("simulated", [True, False])
def test_a_simulated_figure_says_so_in_the_picture_and_above_it(
    tmp_path: Path, simulated: bool
) -> None:
    frozen = example()
    if simulated:
        frozen.manifest |= {"simulated": True, "simulated_note": NOTE}
    for drawing in drawn(frozen, tmp_path).values():
        assert ("SIMULATED" in words_on(drawing)) is simulated
        assert (NOTE in to_html(drawing)) is simulated
        assert (NOTE in titled(drawing).layout.title.text) is simulated


def test_the_words_for_those_who_cannot_see_it_hold_the_numbers(tmp_path: Path) -> None:
    figures = drawn(example(), tmp_path)
    assert "Correctness, Model, 12 ratings (1: 0, 2: 4, 3: 4, 4: 4, 5: 0)" in (
        figures["ratings"].description
    )
    assert 'role="img" aria-label="Difference in rubric points' in to_html(figures["forest"])


def test_the_shares_of_each_bar_add_to_one(tmp_path: Path) -> None:
    figure = drawn(panel(), tmp_path)["ratings"].figure
    for bar in range(8):
        assert sum(trace.x[bar] for trace in figure.data) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("direction", "first_shade"), [("higher_is_better", 0), ("lower_is_better", -1)]
)
def test_the_best_score_has_the_same_colour_whichever_way_the_scale_runs(
    tmp_path: Path, direction: str, first_shade: int
) -> None:
    lowest = drawn(example(direction=direction), tmp_path)["ratings"].figure.data[0]
    assert lowest.name == "score 1"
    assert set(lowest.marker.color) == {SHADES[first_shade]}


def test_dimensions_may_have_scales_of_their_own(tmp_path: Path) -> None:
    frozen = example()
    frozen.protocol["rating"]["dimensions"][1]["scale"] = {
        "minimum": 0, "maximum": 7, "direction": "higher_is_better",
    }  # fmt: skip
    figure = drawn(frozen, tmp_path)["ratings"].figure
    assert [trace.name for trace in figure.data] == [f"score {point}" for point in range(8)]
    # The first bar is of correctness, 1 to 5: nothing below or above.
    assert [trace.x[0] for trace in figure.data][6:] == [0.0, 0.0]


def test_markup_in_a_label_stays_words(tmp_path: Path) -> None:
    frozen = example()
    frozen.protocol["rating"]["dimensions"][0]["label"] = "<i>Correct</i> & <script>"
    forest = drawn(frozen, tmp_path)["forest"]
    assert any("&lt;i&gt;Correct&lt;/i&gt; &amp; &lt;script&gt;" in w for w in words_on(forest))
    assert "<script>&" not in to_html(forest)
    assert 'aria-label="Difference in rubric points, Model minus Residents. &lt;i&gt;' in (
        to_html(forest)
    )
