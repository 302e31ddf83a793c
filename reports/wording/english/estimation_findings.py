"""English: decisions that rest on estimated propensities, and what logged ones would change."""

_TESTED = "{subject} is to be tested against {other}: propensities are estimated, not logged"

SENTENCES = {
    "test_up_to_factor": (
        f"{_TESTED}. Its lead is shown as long as hidden causes have moved the odds of what was shown by "
        "less than a factor of {tipping_factor:.2f} ({confidence:.0%} interval of importance sampling)."
    ),
    "test_at_any_factor": (
        f"{_TESTED}. Its lead is shown however hidden causes have moved the odds of what was shown, up to a "
        "factor of {most:,.0f} ({confidence:.0%} interval of importance sampling)."
    ),
    "test_at_no_factor": (
        f"{_TESTED}. Importance sampling alone, without a model of rewards, does not show its lead even if "
        "they are exactly right ({confidence:.0%} interval), so nothing is left for hidden causes."
    ),
    "estimated_from_context": (
        "None of {n_rows:,} {rows} has a propensity, the probability with which it was chosen. It is "
        "estimated from what was known of each, which leaves enough to chance; the notes say how much."
    ),
    "propensities_estimated": (
        "The propensities of {n_rounds:,} {rows} are estimated. What was known of each foretells "
        "{foreseen_share:.1%} of the choices; {calibration_error:.1%} of them are in another bin of "
        "probability than promised; a hundredth of the choices had a probability below {rarest:.2%}. Without "
        "all that was known, the odds would be off by a factor of up to {known_factor:.2f} in 95 of 100 "
        "cases; where a verdict turns at a larger factor only, something hidden must matter more than all "
        "that is known to turn it."
    ),
    "logging_would_buy": (
        "Log the propensity of {rows}, and {n_days:,} days later as many as tonight ({n_rounds:,}) can be "
        "judged without the assumption that nothing hidden drove what was shown; a policy that passes then "
        "serves without a test."
    ),
    "logging_would_buy.one": (
        "Log the propensity of {rows}, and one day later as many as tonight ({n_rounds:,}) can be judged "
        "without the assumption that nothing hidden drove what was shown; a policy that passes then serves "
        "without a test."
    ),
}

_SHORT = "to be tested against {others}, since propensities are estimated"
SHORT = {
    "test_up_to_factor": (
        f"It is {_SHORT}: the lead is shown up to odds that are off by a factor of {{tipping_factor:.2f}}."
    ),
    "test_at_any_factor": f"It is {_SHORT}: the lead is shown however far the odds are off.",
    "test_at_no_factor": f"It is {_SHORT}: importance sampling alone does not show the lead.",
}
SHORT |= {f"{code}.named": text.replace("It is", "{subject}:", 1) for code, text in tuple(SHORT.items())}

PLURALS = {"logging_would_buy": "n_days"}
