"""English: how an interval was made and what it is worth, as clauses beside it."""

from collections.abc import Mapping

_RANGE = "for rewards from {lowest:g} to {highest:g}"
_WEIGHTS = f"{_RANGE} and weights up to {{max_weight:g}}"
_COVERED = "95% intervals of this kind held the true value in"
_FEW = f"{_COVERED} as few as {{covered:.0%}} of simulated logs"
_SMOOTHED = "amounts smoothed by the {kernel} kernel of bandwidth {bandwidth:.4g}"
_TO_RARE = "widened to Clopper-Pearson at {effective:,.0f} effective {units}, as"
_UNUSUAL = "{clusters} have a reward that matters and is not the usual one"

METHODS: Mapping[str, str] = {
    "bca": "BCa bootstrap over {clusters}, {n_resamples:,} resamples",
    "percentile": "percentile bootstrap over {clusters}, {n_resamples:,} resamples",
    "studentized": "studentized bootstrap over {clusters}, {n_resamples:,} resamples",
    "student_t": "Student t over {clusters}",
    "no_interval": "no interval: one of the {clusters} alone does not show how far a value may be off",
    "cressie_read": f"Cressie-Read interval {_WEIGHTS}",
    "cressie_read.unknown": f"Cressie-Read interval {_RANGE}",
    "confidence_sequence": f"confidence sequence {_WEIGHTS}",
    "confidence_sequence.unknown": f"confidence sequence {_RANGE}",
    "empirical_bernstein": f"empirical Bernstein interval {_WEIGHTS}",
    "empirical_bernstein.unknown": f"empirical Bernstein interval {_RANGE}",
    "clopper_pearson": f"Clopper-Pearson interval {_WEIGHTS}",
    "clopper_pearson.unknown": f"Clopper-Pearson interval {_RANGE}",
    "no_value": "no value: these rounds do not identify it",
}

WIDENINGS: Mapping[str, str] = {
    "widened_for_few_clusters": "widened to Student t, as there are only {n_clusters:,} {clusters}",
    "widened_for_few_clusters.hidden": "widened to Student t, as there are fewer than {below} {clusters}",
    "widened_for_rare_rewards": f"{_TO_RARE} only {{n_clusters:,}} {_UNUSUAL}",
    "widened_for_rare_rewards.hidden": f"{_TO_RARE} fewer than {{below}} {_UNUSUAL}",
    "widened_for_heavy_tail": (
        "each end moved out as if there were one more of the {clusters} like the largest, as {of} have a "
        "tail index of {index:.2f}"
    ),
}

COVERAGES: Mapping[str, str] = {
    "covers_less": f"{_FEW} with an effective sample of {{least:g}} to {{under:g}}",
    "covers_more": (
        f"{_COVERED} as many as {{covered:.0%}} of simulated logs with an effective sample of {{least:g}} to "
        "{under:g}"
    ),
    "covers_less_at_odd_weights": f"{_FEW} whose mean weight is not what it must be, as here",
    "covers_less_at_heavy_tail": f"{_FEW} whose rewards have too heavy a tail, as here",
    "covers_less_near_heavy_tail": f"{_FEW} whose rewards have nearly too heavy a tail, as here",
}

REMARKS: Mapping[str, str] = {
    "undefined_resamples": "resamples that identify no value, left out: {n_undefined:,}",
    "model_error_left_out": "the reward model's own error is not in it",
    "notable_contribution": "one of the {clusters} holds {share:.0%} of all {of}, {largest:,.6g}",
    "interval_of_differences": "the same for every estimator; of the difference from the log: {causes}",
    "tuned_on_same_rounds": "{chosen}, tuned on the same rounds: never the headline",
    "fitted_on_context": "{columns} fitted on context, each round by models of other clusters ({model})",
    "estimated_propensities": "propensities estimated, not logged",
    "smoothed": f"{_SMOOTHED}, as asked",
    "smoothed_by_choice": f"{_SMOOTHED}, a third or less of the {{chosen:.4g}} that SLOPE chose",
}

INTERVALS: Mapping[str, str] = {**METHODS, **WIDENINGS, **COVERAGES, **REMARKS}
