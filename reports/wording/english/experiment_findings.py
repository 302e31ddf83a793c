"""English: sentences about experiments."""

_INTERVAL = (
    "{difference:+.4g} per round ({confidence:.{confidence_digits}%} interval of all nights together "
    "{lower:+.4g} to {upper:+.4g})"
)
_RUNS = "An experiment with {subject} runs, day {day:,} of at most {max_days:,}"
_USERS = "In an experiment of {day:,} days the users of {subject} earned"

SENTENCES = {
    "experiment_started": (
        "An experiment begins: from tomorrow on {subject} serves {share:.0%} of the users, for at most "
        "{max_days:,} days. They are compared with the others."
    ),
    "experiment_too_early": f"{_RUNS}. It is too early to say anything: {{causes}}.",
    "experiment_of_one_user": (
        f"{_RUNS}: nothing can be said yet, since one user makes {{share:.0%}} of the difference's variance, "
        "more than {most:.0%}."
    ),
    "experiment_goes_on": (f"{_RUNS}: no difference is shown so far, {_INTERVAL}."),
    "experiment_won": (
        f"{_USERS} more than the others, {_INTERVAL}: it takes the place of today's policy from tomorrow on."
    ),
    "experiment_lost": (
        f"{_USERS} less than the others, {_INTERVAL}: it is rejected, and today's policy serves all."
    ),
    "experiment_over": (
        "The experiment with {subject} is over after {day:,} days, and no difference is shown, "
        f"{_INTERVAL}: today's policy serves all."
    ),
    "experiment_given_up": (
        "The experiment with {subject} ends on day {day:,} of {max_days:,}, since its chance of showing a "
        f"gain by then is below {{least:.0%}}, {_INTERVAL}: today's policy serves all."
    ),
    "experiment_over_too_early": (
        "The experiment with {subject} is over after {day:,} days, and too few users had rounds or rewards "
        "to say anything: today's policy serves all."
    ),
    "experiment_ended_by_hand": (
        "The experiment with {subject} ended because `metacart pin` or `metacart rollback` chose what serves."
    ),
    "experiment_overtaken": (
        "The experiment with {subject} ended because the gate has promoted a policy by the log alone."
    ),
    "experiment_switched_off": (
        "The experiment with {subject} ended because experiment.share is 0 in the configuration."
    ),
    "experiment_candidate_gone": (
        "The experiment with {subject} ended because none of the items that it knows is on offer."
    ),
    "experiment_not_learned": (
        "The experiment with {subject} ended because nothing can be learned in its area tonight, so that it "
        "can't serve."
    ),
    "experiment_in_segment": (
        "The segment follows the experiment with {subject}, which compares the users of all segments."
    ),
}
