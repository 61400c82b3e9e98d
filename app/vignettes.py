"""Vignettes, a protocol and the drug facts, checked together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from app.resources import shipped
from model.facts.library import Library, load_library
from study.calibration import load_calibration, practice_of
from study.dose_ranges import load_dose_ranges
from study.protocol import Protocol, load_protocol
from study.vignette import Vignette, load_vignettes
from study.vignette_checks import check_vignettes
from study.vignette_order import check_orders


def checked_vignettes(
    vignettes: Path | None = None, facts: Path | None = None
) -> tuple[dict[str, Vignette], Library]:
    """Every vignette of a directory, and the drug facts that they were checked against.

    Args:
        vignettes: Directory; the shipped ones by default.
        facts: Directory; the shipped ones by default.

    Raises:
        VignetteError: With every fault of every vignette.
        DrugFactsError: With every fault of the facts.
    """
    library = load_library(facts or shipped("drug_facts"))
    at_hand = load_vignettes(vignettes or shipped("vignettes"))
    check_vignettes(at_hand.values(), load_dose_ranges(facts or shipped("drug_facts")))
    return at_hand, library


def checked_study(
    protocol: Path, vignettes: Path | None = None, facts: Path | None = None
) -> tuple[Protocol, dict[str, Vignette], Library]:
    """A protocol, the vignettes at hand and the drug facts; those the protocol lists are checked.

    Raises:
        ProtocolError: With every fault of the protocol, its order of vignettes included.
        VignetteError: With every fault of every vignette.
        DrugFactsError: With every fault of the facts.
    """
    library = load_library(facts or shipped("drug_facts"))
    at_hand = load_vignettes(vignettes or shipped("vignettes"))
    loaded = load_protocol(protocol, vignettes_present=set(at_hand))
    ranges = load_dose_ranges(facts or shipped("drug_facts"))
    check_vignettes([at_hand[name] for name in loaded.vignettes], ranges)
    check_orders(loaded, at_hand)
    return loaded, at_hand, library


def practice_for(protocol: Protocol, directory: Path | None = None) -> dict[str, Any] | None:
    """What raters practise on, ready to register; None where the protocol asks for no calibration.

    Args:
        protocol: Whose dimensions are practised.
        directory: Holds `calibration.yaml` and `vignettes/`; the shipped one by default.

    Raises:
        CalibrationError: With every fault at once.
    """
    if protocol.rating.calibration is None:
        return None
    calibration, vignettes = load_calibration(directory or shipped("calibration"), protocol)
    return practice_of(calibration, vignettes, protocol)
