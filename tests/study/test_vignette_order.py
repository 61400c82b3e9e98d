from __future__ import annotations

import random
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from study.errors import ProtocolError
from study.protocol import parse_protocol
from study.vignette import Vignette, load_vignettes
from study.vignette_order import VignettePlan, check_orders, cue_pairs, random_order, side_by_side
from tests.studies import example_vignettes, protocol_values

SHIPPED = load_vignettes(Path(str(files("data"))) / "vignettes")
SEED = bytes(range(32))


def cueing(n_vignettes: int, **cues: list[str]) -> dict[str, Vignette]:
    written = {name: v.as_json() for name, v in example_vignettes(n_vignettes).items()}
    for name, others in cues.items():
        written[name]["declared_cues"] = others
    return {name: Vignette.from_json(values) for name, values in written.items()}


def protocol(order: str, *vignettes: str) -> Any:
    values = protocol_values()
    values["vignettes"] = list(vignettes)
    values["answering"]["order"] = order
    return parse_protocol(values)


def test_a_cue_declared_on_one_side_holds_for_both() -> None:
    assert cue_pairs(cueing(3, V01=["V03"]).values()) == {frozenset({"V01", "V03"})}


def test_a_declared_order_with_two_cueing_neighbours_is_refused_by_name() -> None:
    with pytest.raises(ProtocolError, match=r"V02 beside V01: the first gives the second away"):
        check_orders(protocol("declared", "V03", "V02", "V01"), cueing(3, V01=["V02"]))


def test_a_declared_order_that_keeps_them_apart_passes() -> None:
    check_orders(protocol("declared", "V02", "V03", "V01"), cueing(3, V01=["V02"]))


def test_a_list_that_no_order_can_keep_apart_is_refused() -> None:
    with pytest.raises(ProtocolError, match=r"no order of V01, V02 keeps apart .* V01-V02"):
        check_orders(protocol("random", "V01", "V02"), cueing(2, V02=["V01"]))


def test_no_random_order_of_the_thirty_has_cueing_neighbours() -> None:
    pairs = cue_pairs(SHIPPED.values())
    assert len(pairs) >= 5
    plan = VignettePlan(tuple(SHIPPED), "random", None, pairs)
    for number in range(300):
        order = plan.order(f"person {number}", number, SEED)
        assert sorted(order) == sorted(SHIPPED)
        assert side_by_side(order, pairs) == []


def test_every_fitting_order_is_drawn() -> None:
    # Of the six orders of three, two cueing ones stand apart in V01 V03 V02 and its reverse.
    pairs = frozenset({frozenset({"V01", "V02"})})
    rng = random.Random(1)
    drawn = {tuple(random_order(rng, ["V01", "V02", "V03"], pairs)) for _ in range(50)}
    assert drawn == {("V01", "V03", "V02"), ("V02", "V03", "V01")}
