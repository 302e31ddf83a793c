"""English: the labels and remarks of `metacart ope` on a terminal, beside those of its page."""

from collections.abc import Mapping

FRAME: Mapping[str, str] = {
    "terminal.file": "{source}: {n_rounds} {units}",
    "terminal.file_in_clusters": "{source}: {n_rounds} {units} in {n_clusters} clusters by {cluster}",
    "terminal.file_in_clusters.one": "{source}: {n_rounds} {units} in one cluster by {cluster}",
    "terminal.see_verdict": "The verdict below gives the reasons.",
    "terminal.untrusted": "Estimates, not to be trusted:",
    "terminal.trusted_verdict": "verdict: trusted.",
    "terminal.untrusted_verdict": "verdict: not to be trusted",
}

HEADS: Mapping[str, str] = {
    "terminal.head.estimator": "estimator",
    "terminal.head.value": "value",
    "terminal.head.interval": "{level} interval",
    "terminal.head.difference": "less the log",
    "terminal.head.method": "method",
}

DIAGNOSTICS: Mapping[str, str] = {
    "terminal.diagnostics": "diagnostics",
    "terminal.propensities": "propensities",
    "terminal.logged": "logged",
    "terminal.estimated": "estimated",
    "terminal.estimated.about": "not logged; calibration error {error}, at most {most} is good",
    "terminal.repeats": "repeated rows",
    "terminal.repeats.unknown": "a column is of a type that can't be compared",
    "terminal.repeats.doubtful": "more than chance allows: see the verdict",
    "terminal.repeats.by_chance": "as chance allows",
    "terminal.ess": "effective {units}",
    "terminal.ess.about": "{share} of all {units}",
    "terminal.mean_weight": "mean weight",
    "terminal.mean_weight.about": "{interval}; should be {supported}, the supported share",
    "terminal.no_interval": "no interval",
    "terminal.supported_share": "supported share",
    "terminal.supported_share.about": "of the policy's probability",
    "terminal.max_weight": "largest weight",
    "terminal.top_weight_share": "top 1% of {units}",
    "terminal.top_weight_share.about": "of all weight",
    "terminal.pareto_k": "tail index",
    "terminal.pareto_k.about": "of the weights; above {most} their average may not settle",
    "terminal.design_effect": "design effect",
    "terminal.design_effect.about": "times the variance that independent {units} would have",
    "terminal.informative": "informative {units}",
    "terminal.informative.about": "with another reward than the usual one",
    "terminal.contributions": "contributions",
    "terminal.contributions.about": "equal ones would say as much as the uneven ones of {n} {units}",
    "terminal.largest_contribution": "largest one",
    "terminal.largest_contribution.about": "of them all, by one {unit}",
    "terminal.reward_tail": "reward tail index",
    "terminal.reward_tail.about": "above {most}, by more than chance, their average may not settle",
}

TEXTS: Mapping[str, str] = {**FRAME, **HEADS, **DIAGNOSTICS}
