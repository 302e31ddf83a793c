"""What speaks for and against the propensities and the rows that an evaluation rests on."""

from collections.abc import Mapping

from features.contracts.finding_units import Meaning, Unit

_ROW = {"row": Unit.COUNT, "propensity": Unit.NUMBER}
_ROUNDS = {"n_rounds": Unit.COUNT, "n_off": Unit.COUNT}
_SLICE = {"ratio": Unit.NUMBER, "n_failed": Unit.COUNT, "n_tests": Unit.COUNT}

PROPENSITIES: Mapping[str, Meaning] = {
    "impossible_propensity": Meaning(
        "a logged propensity is not a probability above 0; n_others other rounds are like that",
        {**_ROW, "n_others": Unit.COUNT},
    ),
    "probabilities_off": Meaning(
        "the probabilities of a round's actions do not add up to 1",
        {"row": Unit.COUNT, "n_actions": Unit.COUNT, "sum": Unit.NUMBER, **_ROUNDS},
    ),
    "propensity_off": Meaning(
        "a logged propensity is not the probability that the log gives its action",
        {**_ROW, "probability": Unit.SHARE, **_ROUNDS},
    ),
    "propensities_too_large": Meaning(
        "the sum of 1/propensity is this share of what it should be, so propensities are too large",
        {"ratio": Unit.NUMBER, "factor": Unit.NUMBER},
        has_causes=True,
    ),
    "propensities_too_small": Meaning(
        "the sum of 1/propensity is this multiple of what it should be, so propensities are too small",
        {"ratio": Unit.NUMBER, "factor": Unit.NUMBER},
        has_causes=True,
    ),
    "not_chosen_uniformly": Meaning(
        "every propensity is 1 over the number of actions, but one was chosen more or less often",
        {"action": Unit.COUNT, "n_chosen": Unit.COUNT, "n_expected": Unit.NUMBER},
        has_causes=True,
    ),
    "actions_off": Meaning(
        "actions were not chosen as often as their propensities say, this one most of all",
        {"n_actions": Unit.COUNT, "action": Unit.COUNT, "ratio": Unit.NUMBER},
        has_causes=True,
    ),
    "action_never_available": Meaning(
        "an action was chosen in rounds that could not show it",
        {"action": Unit.COUNT, "n_chosen": Unit.COUNT},
        has_causes=True,
    ),
    "slot_off": Meaning(
        "the sum of 1/propensity in a slot is not what it should be",
        {"slot": Unit.NUMBER, **_SLICE},
        has_causes=True,
    ),
    "slot_action_off": Meaning(
        "an action's sum of 1/propensity in a slot is not what it should be",
        {"slot": Unit.NUMBER, "action": Unit.COUNT, **_SLICE},
        has_causes=True,
    ),
    "quarter_off": Meaning(
        "the sum of 1/propensity in a quarter of the time is not what it should be",
        {"quarter": Unit.COUNT, **_SLICE},
        has_causes=True,
    ),
    "quarter_action_off": Meaning(
        "an action's sum of 1/propensity in a quarter of the time is not what it should be",
        {"quarter": Unit.COUNT, "action": Unit.COUNT, **_SLICE},
        has_causes=True,
    ),
    "bin_off": Meaning(
        "actions with a logged probability in this bin were not chosen as often",
        {
            "lower": Unit.SHARE,
            "upper": Unit.SHARE,
            "expected": Unit.SHARE,
            "chosen": Unit.SHARE,
            "n_pairs": Unit.COUNT,
            "n_failed": Unit.COUNT,
            "n_bins": Unit.COUNT,
        },
        has_causes=True,
    ),
    "context_assumed": Meaning(
        "propensities are estimated; values assume that the context holds all that the logging policy used"
    ),
    "nothing_left_to_chance": Meaning(
        "the context predicts nearly every logged action", {"foreseen_share": Unit.SHARE}
    ),
    "often_certain": Meaning(
        "in this share of the rounds the logged action was all but certain", {"settled_share": Unit.SHARE}
    ),
    "model_does_not_fit": Meaning(
        "the model of the propensities puts this share of the choices into a wrong bin of probability",
        {"calibration_error": Unit.SHARE},
    ),
}
"""What speaks against propensities that were logged, and what to know of estimated ones."""

CHANCES: Mapping[str, Meaning] = {
    "rare_in_correct_logs": Meaning(
        "at most one of logs_per_alarm correct logs looks like this; not known above a billion",
        {"logs_per_alarm": Unit.NUMBER},
    ),
}
"""How sure a test of propensities is: the cause behind its finding."""

_REPEATED = {"n_repeated": Unit.COUNT, "n_rows": Unit.COUNT}

REPEATS: Mapping[str, Meaning] = {
    "same_rows_over_again": Meaning(
        "the file is the same rows n_copies times over", {**_REPEATED, "n_copies": Unit.COUNT}
    ),
    "each_row_twice": Meaning("each row is followed by its copy", _REPEATED),
    "even_repeats": Meaning("nearly all rows occur an even number of times, beyond chance", _REPEATED),
    "many_pairs": Meaning("more rows occur twice than chance allows", _REPEATED),
}
"""Rows that may have been delivered twice."""
