"""How the interval of a value was made, and what it is worth."""

from collections.abc import Mapping

from features.contracts.finding_units import Meaning, Unit

_CLUSTERS = {"clusters": Unit.WORD}
_BOOTSTRAP = {**_CLUSTERS, "n_resamples": Unit.COUNT}
_RANGE = {"lowest": Unit.REWARD, "highest": Unit.REWARD, "max_weight": Unit.WEIGHT}
_COVERED = {"covered": Unit.SHARE}
_AT_SIZE = {**_COVERED, "least": Unit.EFFECTIVE, "under": Unit.EFFECTIVE}
_SMOOTHED = {"kernel": Unit.NAME, "bandwidth": Unit.NUMBER}

METHODS: Mapping[str, Meaning] = {
    "bca": Meaning("bias-corrected and accelerated bootstrap, which draws clusters", _BOOTSTRAP),
    "percentile": Meaning("percentile bootstrap, which draws clusters", _BOOTSTRAP),
    "studentized": Meaning("studentized bootstrap, which draws clusters", _BOOTSTRAP),
    "student_t": Meaning("Student's t interval over clusters", _CLUSTERS),
    "no_interval": Meaning("none: the log has one cluster, which alone shows no spread", _CLUSTERS),
}
"""How the interval of a published value was made: the first finding of each."""

OF_KNOWN_RANGE: Mapping[str, Meaning] = {
    "cressie_read": Meaning("Cressie-Read interval for rewards and weights of a known range", _RANGE),
    "confidence_sequence": Meaning("confidence sequence for rewards and weights of a known range", _RANGE),
    "empirical_bernstein": Meaning(
        "empirical Bernstein interval for rewards and weights of a known range", _RANGE
    ),
    "clopper_pearson": Meaning("Clopper-Pearson interval for rewards and weights of a known range", _RANGE),
}
"""The same for `metacart ope`, where a range of rewards is given; without max_weight any weight may occur."""

NO_VALUE: Mapping[str, Meaning] = {
    "no_value": Meaning("none: the rounds do not identify the value"),
}
"""In place of a method for `metacart ope`; tables have no row of such a value."""

WIDENINGS: Mapping[str, Meaning] = {
    "widened_for_few_clusters": Meaning(
        "widened to hold Student's t interval too, as the log has few clusters",
        {"n_clusters": Unit.CLUSTERS, **_CLUSTERS},
    ),
    "widened_for_rare_rewards": Meaning(
        "widened to hold the Clopper-Pearson interval at the effective number of rounds too, as few clusters "
        "have a reward that matters and is not the usual one",
        {
            "effective": Unit.EFFECTIVE,
            "units": Unit.WORD,
            "n_clusters": Unit.CLUSTERS,
            **_CLUSTERS,
        },
    ),
    "widened_for_heavy_tail": Meaning(
        "each end is moved out by one more cluster like the largest, as rewards have a heavy tail",
        {"index": Unit.INDEX, "of": Unit.WORD, **_CLUSTERS},
    ),
}
"""Why an interval is wider than its method makes it."""

COVERAGES: Mapping[str, Meaning] = {
    "covers_less": Meaning(
        "95% intervals of this kind held the true value in as few as this share of simulated logs with an "
        "effective sample from least to under",
        _AT_SIZE,
    ),
    "covers_more": Meaning(
        "95% intervals of this kind held the true value in as many as this share of such logs", _AT_SIZE
    ),
    "covers_less_at_odd_weights": Meaning(
        "95% intervals of this kind held the true value in as few as this share of simulated logs whose mean "
        "weight can't be what it is",
        _COVERED,
    ),
    "covers_less_at_heavy_tail": Meaning(
        "95% intervals of this kind held the true value in as few as this share of simulated logs whose "
        "rewards have too heavy a tail",
        _COVERED,
    ),
    "covers_less_near_heavy_tail": Meaning(
        "95% intervals of this kind held the true value in as few as this share of simulated logs whose "
        "rewards have nearly too heavy a tail",
        _COVERED,
    ),
}
"""What the study of coverage found of such intervals, where that is not about 95 %."""

REMARKS: Mapping[str, Meaning] = {
    "undefined_resamples": Meaning(
        "this many resamples identify no value and are left out", {"n_undefined": Unit.COUNT}
    ),
    "model_error_left_out": Meaning("the interval does not hold the error of the reward model"),
    "notable_contribution": Meaning(
        "one cluster holds a notable share of the sum that the value is made of",
        {"share": Unit.SHARE, "largest": Unit.SUM, "of": Unit.WORD, **_CLUSTERS},
    ),
    "interval_of_differences": Meaning(
        "every estimator has the interval of the value; differences to the log have another, made as the "
        "causes say",
        has_causes=True,
    ),
    "tuned_on_same_rounds": Meaning(
        "the estimator's parameter was tuned on the same rounds", {"chosen": Unit.NAME}
    ),
    "fitted_on_context": Meaning(
        "these columns were fitted on context, each round by models of other clusters",
        {"columns": Unit.NAMES, "model": Unit.NAME},
    ),
    "estimated_propensities": Meaning("propensities were estimated, not logged"),
    "smoothed": Meaning("amounts are smoothed by a kernel of a given bandwidth", _SMOOTHED),
    "smoothed_by_choice": Meaning(
        "amounts are smoothed by a kernel whose bandwidth is a third or less of the one that SLOPE chose",
        {**_SMOOTHED, "chosen": Unit.NUMBER},
    ),
}
"""What else a reader of the interval must know."""

INTERVALS: Mapping[str, Meaning] = {
    **METHODS,
    **OF_KNOWN_RANGE,
    **NO_VALUE,
    **WIDENINGS,
    **COVERAGES,
    **REMARKS,
}
"""All of them."""
