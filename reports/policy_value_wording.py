"""Every sentence of the page about one policy's value, and of the terminal. Numbers arrive as text."""

from collections.abc import Mapping, Sequence

from reports.summaries.formatting import MISSING
from reports.summaries.policy_answer import Finding, PolicyAnswer
from reports.summaries.printed_table import Mark
from reports.wording import CAUTION_CHANCE, CAUTION_LOGS

VERDICTS: Mapping[bool, tuple[Mark, str]] = {
    True: (Mark("✓", "good"), "Trusted"),
    False: (Mark("✕", "bad"), "Not to be trusted"),
}
CHECKS: Mapping[bool, Mark] = {True: Mark("✓", "good"), False: Mark("✕", "bad")}

FINDINGS: Mapping[Finding, str] = {
    "gain": "a gain is shown",
    "loss": "a loss is shown",
    "none": "neither a gain nor a loss is shown",
    "rounding": "too small to tell from rounded probabilities, which may make {resolution}",
    "unknown": "whether it is a gain can't be told without an interval",
}

NO_VALUE = "No value: this log can't tell what the policy is worth."
TRUSTED = "The log is large enough, weighs enough, and could show what the policy does."
UNTRUSTED_ESTIMATES = "What the estimators say all the same (not to be trusted)"

QUESTIONS = {
    "answer": "What would these {units} have earned, had the policy made the decisions?",
    "estimates": "Do other ways to estimate it agree?",
    "diagnostics": "Can this log speak about the policy at all?",
    "weights": "Do few {units} speak for many?",
    "limits": "What does the number not prove?",
}

CAUTION_ROUNDS = (
    "Every {unit} counts as independent of all others. If some {unit}s belong to one person, name that "
    "column with --cluster: without it the intervals are too narrow."
)
CAUTION_LATER = (
    "Each {unit} is judged by itself. What a decision changes in later {unit}s, such as a customer who stays "
    "away, is not in the number."
)
CAUTION_CHOICE = (
    "Trusted means that the log can tell, not that the policy is better than today's. Compare policies on "
    "the same rounds; the best of many looks better than it is."
)
CAUTION_MODEL = (
    "The interval of {estimator} leaves out the error of its reward model: it can be narrow and wrong."
)

MEANINGS = {
    "audit": (
        "An action logged with probability p counts 1/p times: the sum over the rounds that took it can't "
        "exceed the number of all rounds. {n_tests} tests of this kind."
    ),
    "not_audited": "Nothing in the file says how often they must occur, so that nobody has checked them.",
    "estimated": "Nobody logged them. They stand in for what the logging policy would have said.",
    "calibration_error": "Share of the choices that are in another bin of probability than estimated.",
    "foreseen_share": (
        "How often the context foretells the logged action. If nothing is left to chance, other actions' "
        "rewards are not in the log."
    ),
    "ess": "Rounds of equal weight that would carry the same evidence.",
    "supported_share": (
        "Share of the policy's probability on actions that the log could have shown. About the rest it knows "
        "nothing."
    ),
    "no_interval": "From one cluster it has no interval, so nothing can be concluded from it.",
    "mean_weight": (
        "Its {level} interval, {interval}, should hold the supported share. Else it is off by chance, the "
        "more likely the more candidates were looked at; or the log hardly ever shows what the policy "
        "prefers; or propensities are wrong."
    ),
    "repeats": (
        "Rows that are the same as an earlier one in every column. Some are to be expected where there are "
        "few contexts; more than chance allows would mean a log that was delivered twice."
    ),
    "pareto_k": (
        "How heavy the weights' tail is. Above 0.7 their average hardly settles in any log, unless the "
        "heaviest 1 % of rounds hold next to nothing."
    ),
    "top_cluster_share": "Share of all weight that one of them holds alone.",
    "n_clusters": "What the bootstrap draws.",
    "n_informative_clusters": "Those with another reward than the usual one: all that tells rewards apart.",
    "design_effect": "How many times more variance than if rounds of one cluster were independent.",
    "contribution_largest_share": (
        "How much of all weighted rewards one of them holds, weights apart. Another such order, or none, "
        "would change the value."
    ),
    "contribution_effective": "Equal contributions that would be as uneven as these, weights apart.",
    "contribution_index": (
        "How heavy the rewards' tail is, weights apart. Above 0.5, by more than the error of its estimate, "
        "their average hardly settles in any log."
    ),
    "max_weight": "How many logged rounds the heaviest one stands for.",
}


ROBUST = "Rewards have a heavy tail. Each of these says what it assumes:"


def robust(kind: str, *, cap: str | None, n_capped: int | None, bias: str | None) -> str:
    """Return what one robust answer is made of and what it rests on."""
    match kind:
        case "winsorized":
            beyond = f"the {n_capped} largest contributions count as {cap}"
            return (
                beyond if bias is None else f"{beyond}: off by at most {bias} if the mean square is as logged"
            )
        case "log_smoothing":
            return "holds for every reward that is never negative, whatever its tail; no upper end can"
        case _:
            return "parametric: only if what buyers contribute is log-normal"


def headline(value: str, interval: str, level: str, estimator: str, unit: str) -> str:
    """Return the answer in one sentence."""
    return f"The policy is worth {value} per {unit} ({level} interval {interval}), by {estimator}."


def logged(value: str, interval: str, unit: str) -> str:
    """Return what the log itself earned; no interval where the log can't give one."""
    if interval == MISSING:
        return f"The log itself earned {value} per {unit}, without an interval."
    return f"The log itself earned {value} per {unit} ({interval})."


def difference_found(answer: PolicyAnswer) -> str:
    """Return what the policy earns beyond the log by the leading estimator, and whether that is a gain."""
    found, written = answer.difference, answer.difference_format
    finding = FINDINGS[found.finding(answer.resolution)].format(resolution=f"{answer.resolution:.1g}")
    return (
        f"The difference is {written.change(found.value)} per {answer.unit} "
        f"({written.interval(found.lower, found.upper, signed=True)}): {finding}."
    )


def ends(level: str, of_value: str, of_difference: str, method: str) -> str:
    """Return the intervals of a value and of its difference, as far as there are any, and their method.

    >>> ends("95%", "3.7 to 4.5", "+0.3 to +0.6", "BCa bootstrap")
    '95% interval 3.7 to 4.5, less the log +0.3 to +0.6; BCa bootstrap'
    """
    if of_value == MISSING:
        return method
    less = "" if of_difference == MISSING else f", less the log {of_difference}"
    return f"{level} interval {of_value}{less}; {method}"


def audited(n_findings: int, n_tests: int) -> str:
    """Return what an audit of logged propensities found, after the word `logged`."""
    if not n_tests:
        return "not audited: nothing in the file says how often they must occur"
    if not n_findings:
        return f"no finding against them in {n_tests:,} tests"
    return f"{n_findings:,} {'finding' if n_findings == 1 else 'findings'} against them: see the verdict"


def agreement(leading: str, outside: Sequence[str]) -> str:
    """Return whether other estimators' values lie in the leading one's interval."""
    if not outside:
        return f"Every other value lies inside the interval of {leading}, on the same rounds and resamples."
    lie = "lies" if len(outside) == 1 else "lie"
    return (
        f"Outside the interval of {leading} {lie} {', '.join(outside)}. Find out why before you rely on "
        "either: a reward model that is off moves dm, few heavy weights move ips, a clip pulls to one "
        "side."
    )


def only_one(estimator: str) -> str:
    """Return that there is nothing to compare with."""
    return f"Only {estimator} was asked: name a second estimator to see whether it agrees."


def weights_conclusion(top_share: str, largest: str, units: str) -> str:
    """Return how unequal the weights are."""
    return f"The heaviest 1 % of {units} hold {top_share} of all weight; the heaviest counts {largest} times."


def cautions(
    *, unit: str, knows_clusters: bool, modeled: Sequence[str], of_propensities: Sequence[str]
) -> tuple[str, ...]:
    """Return what the number does not prove; modeled: estimators that rest on a model alone."""
    return (
        *of_propensities,
        CAUTION_LOGS,
        CAUTION_CHANCE,
        *(() if knows_clusters else (CAUTION_ROUNDS.format(unit=unit),)),
        CAUTION_LATER.format(unit=unit),
        CAUTION_CHOICE,
        *(CAUTION_MODEL.format(estimator=name) for name in modeled),
    )
