"""English: the page about one policy's value, and what the terminal says of it."""

from collections.abc import Mapping

UNITS: Mapping[str, str] = {
    "unit.round": "round",
    "unit.slate": "slate",
    "unit.session": "session",
    "unit.cluster": "cluster",
    "units.round": "rounds",
    "units.slate": "slates",
    "units.session": "sessions",
    "units.cluster": "clusters",
    "units_title.round": "Rounds",
    "units_title.slate": "Slates",
    "units_title.session": "Sessions",
    "units_title.cluster": "Clusters",
}

FRAME: Mapping[str, str] = {
    "policy.title": "Value of a policy, from {source}",
    "policy.skip": "Skip to the answer",
    "policy.brand": "metacart · off-policy evaluation",
    "policy.footer": "One policy, one log, one answer. Equal {units}, options and seed give this page again.",
    "policy.title.answer": "The answer",
    "policy.title.estimates": "Estimates",
    "policy.title.diagnostics": "Diagnostics",
    "policy.title.weights": "Weights",
    "policy.title.limits": "Limits",
    "policy.question.answer": "What would these {units} have earned, had the policy made the decisions?",
    "policy.question.estimates": "Do other ways to estimate it agree?",
    "policy.question.diagnostics": "Can this log speak about the policy at all?",
    "policy.question.weights": "Do few {units} speak for many?",
    "policy.question.limits": "What does the number not prove?",
    "policy.made": "How this answer was made",
    "policy.made.file": "File",
    "policy.made.clusters": "Clusters",
    "policy.made.clusters_none": "every {unit} by itself",
    "policy.made.propensities": "Propensities",
    "policy.made.propensities_logged": "logged",
    "policy.made.propensities_estimated": "estimated from the column context",
    "policy.made.estimators": "Estimators",
    "policy.made.confidence": "Confidence",
    "policy.made.resamples": "Resamples",
    "policy.made.seed": "Seed",
}

ANSWER: Mapping[str, str] = {
    "policy.reward_per": "Reward per {unit}",
    "policy.trusted": "Trusted",
    "policy.not_trusted": "Not to be trusted",
    "policy.made_by": "{level} interval, by {estimator}, from {n_rounds} logged {units}.",
    "policy.why_trusted": (
        "The log is large enough, its weights are even enough, and it could show what the policy does."
    ),
    "policy.no_value": "No value: this log can't tell what the policy is worth.",
    "policy.untrusted_estimates": "What the estimators say all the same (not to be trusted)",
    "policy.headline": (
        "The policy is worth {value} per {unit} ({level} interval {interval}), by {estimator}."
    ),
    "policy.log_earned": "The log itself earned {value} per {unit} ({interval}).",
    "policy.log_earned_no_interval": "The log itself earned {value} per {unit}, without an interval.",
    "policy.difference": "The difference is {change} per {unit} ({interval}): {finding}.",
    "policy.finding.gain": "a gain is shown",
    "policy.finding.loss": "a loss is shown",
    "policy.finding.none": "neither a gain nor a loss is shown",
    "policy.finding.rounding": "too small to tell from rounded probabilities, which may make {resolution}",
    "policy.finding.unknown": "without an interval it is not known whether it is a gain",
    "policy.audit.none": "not audited: nothing in the file says how often they must occur",
    "policy.audit.sound": "no finding against them in {n_tests} tests",
    "policy.audit.findings": "{n_findings} findings against them: see the verdict",
    "policy.audit.findings.one": "1 finding against them: see the verdict",
}

ESTIMATES: Mapping[str, str] = {
    "estimates.caption": "Reward per {unit} of the log, and of the policy by each estimator",
    "estimates.logging_policy": "logging policy",
    "estimates.ends": "{level} interval {of_value}; {method}",
    "estimates.ends_with_difference": "{level} interval {of_value}, less the log {of_difference}; {method}",
    "estimates.agree": (
        "Every other value lies inside the interval of {leading}, on the same rounds and resamples."
    ),
    "estimates.outside": (
        "Outside the interval of {leading} lie {outside}. Find out why before you rely on either: a reward "
        "model that is off moves dm, few heavy weights move ips, a clip pulls to one side."
    ),
    "estimates.outside.one": (
        "Outside the interval of {leading} lies {outside}. Find out why before you rely on either: a reward "
        "model that is off moves dm, few heavy weights move ips, a clip pulls to one side."
    ),
    "estimates.only_one": (
        "Only {estimator} was asked for: name a second estimator to see whether it agrees."
    ),
    "robust.hint": "Rewards have a heavy tail. Each of these says what it assumes:",
    "robust.caption": "Beside them, each with what it assumes",
    "robust.method.winsorized": "winsorized",
    "robust.method.log_smoothing": "log smoothing",
    "robust.method.delta_log_normal": "delta log normal",
    "robust.about.winsorized": "the {n_capped} largest contributions count as {cap}",
    "robust.about.winsorized_bounded": (
        "the {n_capped} largest contributions count as {cap}: off by at most {bias} if the mean square is as "
        "logged"
    ),
    "robust.about.log_smoothing": (
        "holds for every reward that is never negative, whatever its tail; no upper end can"
    ),
    "robust.about.delta_log_normal": "parametric: only if what buyers contribute is log-normal",
    "robust.at_least": "at least {lower}",
}

WEIGHTS: Mapping[str, str] = {
    "weights.caption": "{units} by their importance weight",
    "weights.conclusion": (
        "The heaviest 1 % of {units} hold {share} of all weight; the heaviest counts {largest} times."
    ),
}

CHECKS: Mapping[str, str] = {
    "checks.caption": "What the gate looks at",
    "check.propensities": "Propensities",
    "check.calibration_error": "Calibration error",
    "check.foreseen_share": "Foreseen choices",
    "check.repeats": "Repeated rows",
    "check.ess": "Effective {units}",
    "check.supported_share": "Supported share",
    "check.mean_weight": "Mean weight",
    "check.pareto_k": "Tail index",
    "check.top_cluster_share": "Heaviest of the {units}",
    "check.n_informative_clusters": "Informative {units}",
    "check.contribution_largest_share": "Largest reward of the {units}",
    "check.contribution_effective": "Effective contributions",
    "check.contribution_index": "Tail index of rewards",
    "check.max_weight": "Largest weight",
    "check.design_effect": "Design effect",
    "check.logged": "logged",
    "check.estimated": "estimated",
    "check.n_findings": "{n_findings} findings",
    "check.n_findings.one": "1 finding",
    "check.no_tail": "no tail",
    "good.logged": "logged",
    "good.no_finding": "0 findings",
    "good.by_chance": "by chance alone",
    "good.not_nearly_all": "not nearly all",
    "good.at_most": "at most {most}",
    "good.at_least": "at least {least}",
    "good.near": "near {value}",
    "means.audit": (
        "An action logged with probability p counts 1/p times: the sum over the rounds that took it can't "
        "exceed the number of all rounds. {n_tests} tests of this kind."
    ),
    "means.not_audited": (
        "Nothing in the file says how often they must occur, so that nobody has checked them."
    ),
    "means.estimated": "Nobody logged them. They stand in for what the logging policy would have said.",
    "means.calibration_error": "Share of the choices that are in another bin of probability than estimated.",
    "means.foreseen_share": (
        "How often the context predicts the logged action. If nothing is left to chance, other actions' "
        "rewards are not in the log."
    ),
    "means.ess": "Rounds of equal weight that would carry the same evidence.",
    "means.supported_share": (
        "Share of the policy's probability on actions that the log could have shown. About the rest it knows "
        "nothing."
    ),
    "means.no_interval": "From one cluster it has no interval, so nothing can be concluded from it.",
    "means.mean_weight": (
        "Its {level} interval, {interval}, should hold the supported share. Else it is off by chance, the "
        "more likely the more candidates were looked at; or the log hardly ever shows what the policy "
        "prefers; or propensities are wrong."
    ),
    "means.repeats": (
        "Rows that are the same as an earlier one in every column. Some are to be expected where there are "
        "few contexts; more than chance allows would mean a log that was delivered twice."
    ),
    "means.pareto_k": (
        "How heavy the weights' tail is. Above 0.7 their average may not settle in any log, unless the "
        "heaviest 1 % of rounds hold next to nothing."
    ),
    "means.top_cluster_share": "Share of all weight that one of them holds alone.",
    "means.n_clusters": "What the bootstrap draws.",
    "means.n_informative_clusters": (
        "Those with another reward than the usual one that is no trifle: all that tells rewards apart."
    ),
    "means.design_effect": "How many times more variance than if rounds of one cluster were independent.",
    "means.contribution_largest_share": (
        "How much of all weighted rewards one of them holds, weights apart. Another such order, or none, "
        "would change the value."
    ),
    "means.contribution_effective": "Equal contributions that would be as uneven as these, weights apart.",
    "means.contribution_index": (
        "How heavy the rewards' tail is, weights apart. Above 0.5, by more than the error of its estimate, "
        "their average may not settle in any log."
    ),
    "means.max_weight": "How many logged rounds the heaviest one stands for.",
}

CAUTIONS: Mapping[str, str] = {
    "policy_caution.rounds": (
        "Every {unit} counts as independent of all others. If some {units} belong to one person, name that "
        "column with --cluster: without it the intervals are too narrow."
    ),
    "policy_caution.later": (
        "Each {unit} is judged by itself. What a decision changes in later {units}, such as a customer who "
        "stays away, is not in the number."
    ),
    "policy_caution.choice": (
        "Trusted means that the log can tell, not that the policy is better than today's. Compare policies "
        "on the same rounds; the best of many looks better than it is."
    ),
    "policy_caution.model": (
        "The interval of {estimator} leaves out the error of its reward model: it can be narrow and wrong."
    ),
}

TEXTS: Mapping[str, str] = {
    **UNITS,
    **FRAME,
    **ANSWER,
    **ESTIMATES,
    **WEIGHTS,
    **CHECKS,
    **CAUTIONS,
}
