"""Time the analysis against loops over the packages that people use, in one run.

python -m benchmarks.bench_analysis [--quick]
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

RESAMPLES = 10_000
LOOPED = 200
"""Resamples of a loop over a package; its time is scaled up to 10,000."""


def main(arguments: list[str] | None = None) -> None:
    """Print every figure: ratios first, then whole studies, then growth."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="Leave the large tables out.")
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    against_packages()
    whole_study(30)
    if not options.quick:
        whole_study(3_000)
        growth()


def against_packages() -> None:
    """The same numbers by our functions and by loops; everything is imported before."""
    import krippendorff
    import pingouin
    import statsmodels.formula.api

    import analysis.mixed
    import analysis.reliability

    del krippendorff, pingouin, statsmodels, analysis
    scores, vignettes = _ratings(30, 6, 3)
    ours = _timed(lambda: _alpha(scores, vignettes))
    theirs = _timed(lambda: _alpha_loop(scores, vignettes)) * RESAMPLES / LOOPED
    _ratio("alpha, ordinal, 10,000 cluster resamples", ours, theirs, "krippendorff")
    ours = _timed(lambda: _icc(scores, vignettes))
    theirs = _timed(lambda: _icc_loop(scores, vignettes)) * RESAMPLES / LOOPED
    _ratio("ICC(A,1), 10,000 cluster resamples", ours, theirs, "pingouin")
    long = _long(scores)
    ours = min(_timed(lambda: _mixed(long)) for _ in range(5))
    theirs = min(_timed(lambda: _mixed_statsmodels(long)) for _ in range(5))
    _ratio("crossed mixed model, one dimension", ours, theirs, "statsmodels")


def whole_study(n_vignettes: int) -> None:
    """Everything of a study of this many vignettes, six respondents, three raters, four scales."""
    with tempfile.TemporaryDirectory() as directory:
        table = Path(directory) / "ratings.csv"
        _write_table(table, n_vignettes)
        code = (
            "import sys, time, resource\n"
            "import analysis.run, pandas, plotly.graph_objects, plotly.io, sklearn, scipy.stats\n"
            "import docx\n"
            "from pathlib import Path\n"
            "from analysis.dataset import from_ratings\n"
            "from analysis.primary import primary_results\n"
            "from analysis.agreement import agreement_results\n"
            "rules = {'analysis': {'n_resamples': 10000}}\n"
            "rules['margin'] = {'points': 0.5, 'reason': 'a benchmark'}\n"
            "began = time.perf_counter()\n"
            "dataset = from_ratings(Path(sys.argv[1]), first='model', second='people',"
            " protocol=rules)\n"
            "print('read', time.perf_counter() - began)\n"
            "began = time.perf_counter()\n"
            "primary_results(dataset); agreement_results(dataset)\n"
            "print('tests', time.perf_counter() - began)\n"
            "began = time.perf_counter()\n"
            "analysis.run.analyze(dataset, Path(sys.argv[2]))\n"
            "print('all', time.perf_counter() - began)\n"
            "print('mib', resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)\n"
        )
        run = subprocess.run(
            [sys.executable, "-c", code, str(table), f"{directory}/out"], check=True,
            capture_output=True, text=True,
        )  # fmt: skip
    figures = dict(line.split() for line in run.stdout.splitlines())
    print(
        f"{n_vignettes:,} vignettes: read {float(figures['read']):.1f} s; tests, effects, models "
        f"and agreement {float(figures['tests']):.1f} s; with everything and all files "
        f"{float(figures['all']):.1f} s; at most {float(figures['mib']):,.0f} MiB"
    )


def growth() -> None:
    """Time of each function that depends on the number of pairs, and its power between sizes."""
    from analysis.effects import rank_biserial
    from analysis.paired import hodges_lehmann, sign_flip, signed_rank

    functions: dict[str, Callable[[np.ndarray], Any]] = {
        "signed_rank": signed_rank,
        "sign_flip": sign_flip,
        "hodges_lehmann": hodges_lehmann,
        "rank_biserial": lambda d: rank_biserial(d, seed=1),
    }
    sizes = (750, 1_500, 3_000)
    for name, function in functions.items():
        times = []
        for size in sizes:
            d = np.round(np.random.default_rng(1).normal(0.1, 0.5, size), 2)
            times.append(min(_timed(partial(function, d)) for _ in range(3)))
        power = np.log2(times[-1] / times[0]) / 2
        shown = ", ".join(f"{s:,}: {1000 * t:.1f} ms" for s, t in zip(sizes, times, strict=True))
        print(f"{name}: {shown}; grows as n^{power:.2f}")


def _timed(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _ratio(what: str, ours: float, theirs: float, package: str) -> None:
    print(f"{what}: {ours:.3f} s; {package} in a loop {theirs:.1f} s; {theirs / ours:,.0f} times")


def _ratings(n_vignettes: int, n_people: int, n_raters: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores (n_responses, n_raters) and the vignette of each response."""
    rng = np.random.default_rng(20261121)
    vignettes = np.repeat(np.arange(n_vignettes), n_people)
    latent = 3.2 + rng.normal(0, 0.6, n_vignettes)[vignettes] + rng.normal(0, 0.5, vignettes.size)
    people = np.append(0.5, rng.normal(0, 0.5, n_people - 1))
    latent += np.tile(people, n_vignettes)
    scores = latent[:, None] + np.linspace(-0.4, 0.4, n_raters) + rng.normal(
        0, 0.6, (vignettes.size, n_raters)
    )  # fmt: skip
    return np.clip(np.rint(scores), 1, 5), vignettes


def _alpha(scores: np.ndarray, vignettes: np.ndarray) -> None:
    from analysis.reliability import krippendorff_alpha_interval

    krippendorff_alpha_interval(
        scores, level="ordinal", categories=range(1, 6), clusters=vignettes.tolist(),
        n_resamples=RESAMPLES, seed=1,
    )  # fmt: skip


def _alpha_loop(scores: np.ndarray, vignettes: np.ndarray) -> None:
    import krippendorff

    for items in _drawn(vignettes):
        krippendorff.alpha(
            reliability_data=scores[items].T, level_of_measurement="ordinal",
            value_domain=[1, 2, 3, 4, 5],
        )  # fmt: skip


def _icc(scores: np.ndarray, vignettes: np.ndarray) -> None:
    from analysis.reliability import icc_interval

    icc_interval(scores, form="A,1", clusters=vignettes.tolist(), n_resamples=RESAMPLES, seed=1)


def _icc_loop(scores: np.ndarray, vignettes: np.ndarray) -> None:
    import pandas as pd
    import pingouin

    n_raters = scores.shape[1]
    for items in _drawn(vignettes):
        table = pd.DataFrame({
            "item": np.repeat(np.arange(items.size), n_raters),
            "rater": np.tile(np.arange(n_raters), items.size),
            "score": scores[items].ravel(),
        })  # fmt: skip
        pingouin.intraclass_corr(table, "item", "rater", "score")


def _drawn(vignettes: np.ndarray) -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    n = int(vignettes.max()) + 1
    places = [np.flatnonzero(vignettes == v) for v in range(n)]
    return [np.concatenate([places[v] for v in row]) for row in rng.integers(0, n, (LOOPED, n))]


def _long(scores: np.ndarray) -> Any:
    import pandas as pd

    n_responses, n_raters = scores.shape
    response = np.repeat(np.arange(n_responses), n_raters)
    return pd.DataFrame({
        "score": scores.ravel(), "vignette": response // 6, "person": response % 6,
        "rater": np.tile(np.arange(n_raters), n_responses), "cell": response,
        "model": (response % 6 == 0).astype(float), "human": (response % 6 != 0).astype(float),
        "one": 1,
    })  # fmt: skip


def _mixed(long: Any) -> None:
    from analysis.mixed import fit_crossed

    fit_crossed(
        long["score"].to_numpy(), vignettes=long["vignette"].tolist(),
        respondents=long["person"].tolist(), raters=long["rater"].tolist(),
        first=(long["model"] == 1).to_numpy(),
    )  # fmt: skip


def _mixed_statsmodels(long: Any) -> None:
    import statsmodels.formula.api as smf

    smf.mixedlm(
        "score ~ model", long, groups="one", re_formula="0",
        vc_formula={"v": "0 + C(vignette)", "c": "0 + C(cell)", "r": "0 + C(rater)",
                    "p": "0 + human:C(person)"},
    ).fit(reml=True)  # fmt: skip


def _write_table(path: Path, n_vignettes: int) -> None:
    import csv

    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["vignette", "arm", "respondent", "rater", "dimension", "score"])
        for place, dimension in enumerate(("correctness", "safety", "guidelines", "usefulness")):
            rng = np.random.default_rng(place)
            scores, vignettes = _ratings(n_vignettes, 6, 3)
            scores = np.clip(scores + rng.integers(-1, 2, scores.shape) * (place > 0), 1, 5)
            for row, vignette in enumerate(vignettes):
                person = row % 6
                arm = "model" if person == 0 else "people"
                for rater, score in enumerate(scores[row]):
                    writer.writerow(
                        [f"V{vignette}", arm, f"P{person}", f"R{rater}", dimension, int(score)]
                    )


if __name__ == "__main__":
    main()
    print(f"this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MiB")
