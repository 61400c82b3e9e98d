"""Inter-rater reliability: everything that one table of ratings can say about its raters.

Ratings are (n_items, n_raters), NaN where missing; each coefficient has an `..._interval` by a
bootstrap of whole clusters, which are vignettes.
"""

from analysis.alpha import Level, krippendorff_alpha, krippendorff_alpha_interval
from analysis.icc import Form, icc, icc_interval
from analysis.kappa import (
    Partial,
    gwet_ac,
    gwet_ac_interval,
    percent_agreement,
    percent_agreement_interval,
    weighted_kappa,
    weighted_kappa_interval,
)

__all__ = [
    "Form",
    "Level",
    "Partial",
    "gwet_ac",
    "gwet_ac_interval",
    "icc",
    "icc_interval",
    "krippendorff_alpha",
    "krippendorff_alpha_interval",
    "percent_agreement",
    "percent_agreement_interval",
    "weighted_kappa",
    "weighted_kappa_interval",
]
