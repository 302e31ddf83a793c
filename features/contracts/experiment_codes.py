"""What is found of an experiment between today's policy and a candidate."""

from collections.abc import Mapping

from features.contracts.finding_units import Meaning, Unit

_DAYS = {"day": Unit.COUNT, "max_days": Unit.COUNT}
_INTERVAL = {
    "difference": Unit.REWARD,
    "lower": Unit.REWARD,
    "upper": Unit.REWARD,
    "confidence": Unit.SHARE,
}

EXPERIMENTS: Mapping[str, Meaning] = {
    "experiment_started": Meaning(
        "a share of the users is served by it from tomorrow on, to be compared with today's policy",
        {"share": Unit.SHARE, "max_days": Unit.COUNT},
    ),
    "experiment_too_early": Meaning(
        "nothing can be said of it yet, for these causes", _DAYS, has_causes=True
    ),
    "experiment_of_one_user": Meaning(
        "nothing can be said of it yet, since one user makes too large a share of the difference's variance",
        {**_DAYS, "share": Unit.SHARE, "most": Unit.SHARE},
    ),
    "experiment_goes_on": Meaning("its interval holds zero so far", {**_DAYS, **_INTERVAL}),
    "experiment_won": Meaning(
        "its interval lies above zero: it takes the place of today's policy", {"day": Unit.COUNT, **_INTERVAL}
    ),
    "experiment_lost": Meaning(
        "its interval lies below zero: it is rejected", {"day": Unit.COUNT, **_INTERVAL}
    ),
    "experiment_over": Meaning("its days are over, and no difference is shown", {**_DAYS, **_INTERVAL}),
    "experiment_given_up": Meaning(
        "it has hardly a chance left of showing a gain in its days, so today's policy serves all",
        {**_DAYS, **_INTERVAL, "chance": Unit.SHARE, "least": Unit.SHARE},
    ),
    "experiment_over_too_early": Meaning("its days are over, and nothing can be said of it", _DAYS),
    "experiment_ended_by_hand": Meaning(
        "a person has pinned or rolled back a policy of the area, which ends its experiment"
    ),
    "experiment_overtaken": Meaning("the gate has promoted a policy by the log alone meanwhile"),
    "experiment_switched_off": Meaning("the configuration has experiments no longer"),
    "experiment_candidate_gone": Meaning("none of tonight's items is one of those that the candidate knows"),
    "experiment_not_learned": Meaning("nothing is learned in the area tonight, so the candidate can't serve"),
    "experiment_in_segment": Meaning(
        "the segment follows the experiment, which compares users of all segments"
    ),
}
"""Notes of a night, and reasons of its verdict."""
