"""English: what speaks for and against the propensities and the rows that an evaluation rests on."""

_TOO = "the sum of 1/propensity is {ratio:.2f} of what it should be"
_FAILED = "{n_failed} of the {n_tests} identities fail in a slot or at a time"
_ESTIMATED = "Propensities estimated, not logged"

PROPENSITIES = {
    "impossible_propensity": (
        "Row {row}: propensity is {propensity:g}, which is not the probability of a logged action; "
        "{n_others:,} other rounds are like that."
    ),
    "probabilities_off": (
        "Row {row}: the probabilities of its {n_actions} actions add up to {sum:.4g}, not to 1; {n_off:,} of "
        "{n_rounds:,} rounds are like that."
    ),
    "propensity_off": (
        "Row {row}: propensity is {propensity:g}, but the log gives the action probability {probability:g}; "
        "{n_off:,} of {n_rounds:,} rounds are like that."
    ),
    "propensities_too_large": (
        f"T{_TOO[1:]}: logged propensities are about {{factor:.2f}} times too large ({{causes}})."
    ),
    "propensities_too_small": (
        f"T{_TOO[1:]}: logged propensities are about {{factor:.2f}} times too small ({{causes}})."
    ),
    "not_chosen_uniformly": (
        "Every logged propensity is 1 over the number of actions, but the policy did not choose uniformly: "
        "action {action} was chosen {n_chosen:,} times where {n_expected:,.0f} were expected ({causes}). Log "
        "the probabilities that the policy drew with."
    ),
    "actions_off": (
        "{n_actions} actions were not chosen as often as their propensities say, most of all action "
        "{action}: its sum of 1/propensity is {ratio:.2f} of what it should be ({causes})."
    ),
    "actions_off.one": (
        "1 action was not chosen as often as its propensities say: the sum of 1/propensity of action "
        "{action} is {ratio:.2f} of what it should be ({causes})."
    ),
    "action_never_available": (
        "Action {action} was chosen {n_chosen:,} times, and no round could show it ({causes})."
    ),
    "slot_off": f"In slot {{slot:g}} {_TOO} ({{causes}}); {_FAILED}.",
    "slot_action_off": (
        "In slot {slot:g} the sum of 1/propensity of action {action} is {ratio:.2f} of what it should be "
        f"({{causes}}); {_FAILED}."
    ),
    "quarter_off": f"In quarter {{quarter}} of the time {_TOO} ({{causes}}); {_FAILED}.",
    "quarter_action_off": (
        "In quarter {quarter} of the time the sum of 1/propensity of action {action} is {ratio:.2f} of what "
        f"it should be ({{causes}}); {_FAILED}."
    ),
    "bin_off": (
        "Actions with a logged probability of {lower:g} to {upper:g} ({expected:.3g} on average) were chosen "
        "in {chosen:.3g} of {n_pairs:,} cases ({causes}); {n_failed} of {n_bins} bins are off."
    ),
    "context_assumed": (
        f"{_ESTIMATED}: values assume that the context holds all that the logging policy looked at."
    ),
    "nothing_left_to_chance": (
        "The context predicts {foreseen_share:.1%} of the logged actions, and nothing seems left to chance: "
        "the value of another policy can't be known from this log."
    ),
    "often_certain": (
        "In {settled_share:.1%} of the rounds the logged action was all but certain; what other actions "
        "would have earned there is hardly in the log."
    ),
    "model_does_not_fit": (
        "{calibration_error:.1%} of the choices are not where the estimate puts them: the model does not fit "
        "the logging policy, and weights made with it are wrong."
    ),
}

PLURALS = {"actions_off": "n_actions"}

CHANCES = {
    "rare_in_correct_logs": "as in at most 1 of {logs_per_alarm:,.0f} correct logs",
    "rare_in_correct_logs.unknown": "as in fewer than 1 of 1,000,000,000 correct logs",
}
"""How sure a test is, inside its finding."""

_SAME = "{n_repeated:,} of {n_rows:,} rows are the same as an earlier one in every column"
_DROP = (
    "Drop what was delivered twice. If these rows are separate rounds, keep a column in which they differ, "
    "such as an id or a time, or name with --cluster the column that says whose they are."
)

REPEATS = {
    "same_rows_over_again": f"{_SAME}: the file is the same rows {{n_copies}} times over. {_DROP}",
    "each_row_twice": f"{_SAME}: each row is followed by its copy. {_DROP}",
    "even_repeats": (
        f"{_SAME}: nearly all occur an even number of times, as by chance in less than one of a million "
        f"logs. {_DROP}"
    ),
    "many_pairs": (
        f"{_SAME}: more of them occur twice, beside those that occur three times, than chance allows in one "
        f"of a million logs. {_DROP}"
    ),
}
