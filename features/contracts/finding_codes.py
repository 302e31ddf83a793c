"""The vocabulary of findings: every code, the numbers that it carries, and what it means.

A code is for machines and for every language; `reports/wording` makes the sentence of it. A code that is
published keeps its meaning: a finding that means something else gets a code of its own.
"""

from collections.abc import Mapping

from features.contracts.budget_codes import BUDGET
from features.contracts.champion_codes import CHAMPIONS
from features.contracts.estimation_codes import ESTIMATED, ESTIMATES, TESTS
from features.contracts.evaluation_codes import CHANCES, PROPENSITIES, REPEATS
from features.contracts.experiment_codes import EXPERIMENTS
from features.contracts.finding_units import Meaning, Unit
from features.contracts.interval_codes import INTERVALS
from features.contracts.plan_codes import PLANS
from features.contracts.quality_codes import EXAMPLES, QUALITY, REJECTIONS, TRIALS

_COMPARED = {
    "other": Unit.NAME,
    "difference": Unit.REWARD,
    "lower": Unit.REWARD,
    "upper": Unit.REWARD,
    "confidence": Unit.SHARE,
    "currency": Unit.CURRENCY,
}
_BESIDE_ROUNDING = {**_COMPARED, "resolution": Unit.REWARD}
_SEGMENT = {"harm_probability": Unit.SHARE, "keep_above": Unit.SHARE}

COMPARISONS: Mapping[str, Meaning] = {
    "gain_shown": Meaning("the interval of its difference to another policy lies above zero", _COMPARED),
    "harm_shown": Meaning("it would replace the logging policy, and earns less", _COMPARED),
    "no_gain_shown": Meaning(
        "the interval reaches zero; resolution: differences up to it count as zero", _BESIDE_ROUNDING
    ),
    "no_gain_beyond_rounding": Meaning(
        "the interval lies above zero, by no more than the resolution that rounded probabilities allow",
        _BESIDE_ROUNDING,
    ),
    "no_difference": Meaning("the whole interval is within the resolution", _BESIDE_ROUNDING),
    "loss_shown": Meaning("a plain policy of counts alone earns more", _BESIDE_ROUNDING),
    **TESTS,
}
"""What the gate finds where it compares a policy with another."""

REFUSALS: Mapping[str, Meaning] = {
    "cannot_be_judged": Meaning("nothing about it is to be believed, for these causes", has_causes=True),
}

DOUBTS: Mapping[str, Meaning] = {
    "few_clusters": Meaning(
        "too few users, or what the log has in their place",
        {"n_clusters": Unit.CLUSTERS, "least": Unit.COUNT, "clusters": Unit.WORD},
    ),
    "one_cluster": Meaning("one of them has all rounds", {"clusters": Unit.WORD, "units": Unit.WORD}),
    "few_informative_clusters": Meaning(
        "too few of them have a reward that matters and is not the usual one",
        {"n_clusters": Unit.CLUSTERS, "least": Unit.COUNT, "clusters": Unit.WORD},
    ),
    "few_effective_rounds": Meaning(
        "the effective sample size is too small",
        {"ess": Unit.EFFECTIVE, "n_rounds": Unit.COUNT, "least": Unit.EFFECTIVE, "units": Unit.WORD},
    ),
    "small_effective_share": Meaning(
        "the effective sample size is too small a share of the rounds",
        {"ess_share": Unit.SHARE, "least": Unit.SHARE, "units": Unit.WORD},
    ),
    "heavy_weight_tail": Meaning(
        "the weights have so heavy a tail that their average may not settle",
        {"top_weight_share": Unit.SHARE, "index": Unit.INDEX, "most": Unit.INDEX, "units": Unit.WORD},
    ),
    "large_cluster": Meaning(
        "one of the users holds too much of all weight",
        {"top_cluster_share": Unit.SHARE, "most": Unit.SHARE, "clusters": Unit.WORD},
    ),
    "little_support": Meaning(
        "the log could not have shown enough of what it does",
        {"supported_share": Unit.SHARE, "least": Unit.SHARE},
    ),
    "mean_weight_off": Meaning(
        "the interval of its mean weight lies beside the supported share, as in one of logs_per_alarm "
        "correct logs",
        {
            "mean_weight": Unit.WEIGHT,
            "lower": Unit.WEIGHT,
            "upper": Unit.WEIGHT,
            "confidence": Unit.SHARE,
            "logs_per_alarm": Unit.COUNT,
            "supported_share": Unit.WEIGHT,
        },
    ),
    "largest_contribution": Meaning(
        "one of the users holds too much of the sum that the value is made of",
        {
            "share": Unit.SHARE,
            "largest": Unit.SUM,
            "most": Unit.SHARE,
            "of": Unit.WORD,
            "clusters": Unit.WORD,
        },
    ),
    "few_contributions": Meaning(
        "contributions are as uneven as those of too few users",
        {
            "n_clusters": Unit.CLUSTERS,
            "effective": Unit.EFFECTIVE,
            "least": Unit.EFFECTIVE,
            "of": Unit.WORD,
            "clusters": Unit.WORD,
        },
    ),
    "heavy_tail": Meaning(
        "rewards have so heavy a tail that their average may not settle",
        {"index": Unit.INDEX, "most": Unit.INDEX, "of": Unit.WORD},
    ),
    "few_moments": Meaning(
        "its acts lie at too few moments to be divided by time",
        {"n_moments": Unit.COUNT, "least": Unit.COUNT},
    ),
    "looks_at_context": Meaning(
        "the propensities of an arm vary from round to round by this sudden share, so it looks at a context, "
        "which its log does not show",
        {"sudden": Unit.SHARE},
    ),
}
"""Why nothing about a policy is to be believed: causes of a refusal."""

ARMS: Mapping[str, Meaning] = {
    "log_speaks": Meaning("the log of another arm can speak about this one"),
}

SEGMENTS: Mapping[str, Meaning] = {
    "segment_served": Meaning(
        "the segment gets the new policy: harm is not likely enough to keep it", _SEGMENT
    ),
    "segment_kept": Meaning("the segment keeps what serves today: harm is too likely", _SEGMENT),
    "segment_protected": Meaning(
        "the configuration keeps the segment from every new policy", {"harm_probability": Unit.SHARE}
    ),
    "nothing_promoted": Meaning(
        "the segment keeps what serves today, as every segment does", {"harm_probability": Unit.SHARE}
    ),
}
"""What becomes of a segment tomorrow; the probability is that the candidate earns less there."""

SERVED: Mapping[str, Meaning] = {
    "promoted": Meaning("the learned policy serves here"),
    "held": Meaning("the shop's own policy continues: the candidate was held"),
    "rejected": Meaning("the shop's own policy continues: the candidate was rejected"),
    "to_be_tested": Meaning("the shop's own policy continues: the candidate is to be tested"),
    "kept": Meaning("the shop's own policy continues in a segment, where harm is too likely"),
    "protected": Meaning("the shop's own policy continues in a segment that the configuration protects"),
    "in_experiment": Meaning("the candidate of an experiment serves this user, to be compared"),
    "exploration": Meaning(
        "the slate is drawn at random, to learn from; usual_item: what the policy shows there most often",
        {"usual_item": Unit.NAME},
    ),
    "similar_items": Meaning("similar to what the user did something with, by the acts of all users"),
    "popular_items": Meaning("what most users did something with lately"),
    "explored_pool": Meaning("the list is drawn at random from the user's best items, to learn from"),
}
"""Which policy a row of decisions comes from; the findings behind it follow."""

TASKS: Mapping[str, Meaning] = {
    "own_task": Meaning("the segment is a task of its own"),
    "too_few_rounds": Meaning(
        "too few rounds before the holdout for a task: the pooled policy serves", {"least": Unit.COUNT}
    ),
    "merged_segment": Meaning(
        "too few rounds to stand alone: learned together with another segment",
        {"n_rounds": Unit.COUNT, "least": Unit.COUNT, "merged_into": Unit.NAME},
    ),
}
"""What a segment brought to learning."""

UNDECIDED: Mapping[str, Meaning] = {
    "no_rows": Meaning("the logs hold no rows of this area up to the night", {"as_of": Unit.DATE}),
    "no_propensities": Meaning("none of its rounds has a propensity", {"n_rows": Unit.COUNT}),
    "no_propensities_to_estimate": Meaning(
        "none of its rounds has a propensity, and the context foretells nearly every choice",
        {"n_rows": Unit.COUNT, "foreseen_share": Unit.SHARE},
    ),
    "no_mature_rewards": Meaning(
        "the rewards of all its rounds may still arrive", {"as_of": Unit.DATE, "n_rows": Unit.COUNT}
    ),
    "undivided_rounds": Meaning(
        "its rounds with propensities can't be divided into windows to learn from, to choose on and to judge "
        "by: n_hours, the attribution window, lies between these",
        {"n_rows": Unit.COUNT, "n_hours": Unit.COUNT},
    ),
    "reward_not_logged": Meaning(
        "its log does not have these results, which the night's reward counts",
        {"reward": Unit.NAME, "results": Unit.NAMES},
    ),
}
"""Why nothing is decided in an area."""

UNPROVEN: Mapping[str, Meaning] = {
    "acts_alone": Meaning("the logs hold what users did, and nothing that was shown to them"),
    "acts_beside_rounds": Meaning(
        "the logs hold what users did; of what was shown, none has a propensity", {"n_rows": Unit.COUNT}
    ),
    "acts_beside_certain_rounds": Meaning(
        "the logs hold what users did; of what was shown, none has a propensity, and the context foretells "
        "nearly every choice",
        {"n_rows": Unit.COUNT, "foreseen_share": Unit.SHARE},
    ),
    "acts_before_rewards": Meaning(
        "the logs hold what users did; the rewards of all that was shown may still arrive",
        {"n_rows": Unit.COUNT},
    ),
    "acts_beside_few_rounds": Meaning(
        "the logs hold what users did; of what was shown, too little has a propensity to learn from",
        {"n_rows": Unit.COUNT, "least": Unit.COUNT},
    ),
    "acts_beside_undivided_rounds": Meaning(
        "the logs hold what users did; the rounds with propensities can't be divided into windows to learn "
        "from, to choose on and to judge by: n_hours, the attribution window, lies between these",
        {"n_rows": Unit.COUNT, "n_hours": Unit.COUNT},
    ),
}
"""Why an area's decisions stand on no evidence but rankings of later acts."""

RANKINGS: Mapping[str, Meaning] = {
    "one_moment": Meaning("all acts have one time, so no ranker can be measured on later ones"),
    "ranker_not_better": Meaning(
        "the ranker was chosen on the validation window, and on the test window it is not better than the "
        "baseline",
        {"baseline": Unit.NAME},
    ),
    "no_test_window": Meaning(
        "no ranker can be measured on the last days of the log, for these causes",
        {"days": Unit.NUMBER},
        has_causes=True,
    ),
    "no_learning_window": Meaning(
        "no ranker can learn from what comes before the last days of the log, for these causes",
        {"days": Unit.NUMBER},
        has_causes=True,
    ),
    "no_validation_window": Meaning(
        "no ranker can be chosen on the days before the test window, for these causes: the first one stands",
        {"days": Unit.NUMBER},
        has_causes=True,
    ),
}
"""Why rankers are not measured, or not chosen, on later days of a log without propensities."""

HOLDOUTS: Mapping[str, Meaning] = {
    "later_slots_left_out": Meaning(
        "rounds of slots after the first ones are neither learned from nor decided",
        {"n_rounds": Unit.COUNT, "most": Unit.COUNT},
    ),
    "holdout_used_before": Meaning(
        "runs with other settings or code have judged by the same rounds before",
        {"n_earlier_uses": Unit.COUNT},
    ),
}

MONEY: Mapping[str, Meaning] = {
    "prices_missing": Meaning(
        "n_without of n_lines bought lines have no price, and add nothing to revenue and margin",
        {"n_without": Unit.COUNT, "n_lines": Unit.COUNT},
    ),
    "costs_estimated": Meaning(
        "n_without of n_lines bought lines have no cost, nor has their item: their cost is the shop's usual "
        "share of their price",
        {"n_without": Unit.COUNT, "n_lines": Unit.COUNT},
    ),
}
"""What a reward of money lacks."""

LEARNERS: Mapping[str, Meaning] = {
    "no_validation_segments": Meaning("no segment of this split has rounds in both windows: others judged"),
    "no_support_to_train_on": Meaning("no segment of this split has support rounds: all were trained on"),
    "no_rounds_to_learn_from": Meaning("no segment of this split has rounds: all were learned from"),
    "predicted_clearly_better": Meaning(
        "it predicted later rounds better than the pooled model, by enough to ask", {"errors": Unit.ERRORS}
    ),
    "predicted_better": Meaning("the same, by less", {"errors": Unit.ERRORS}),
    "predicted_clearly_worse": Meaning(
        "it predicted later rounds worse than the pooled model, clearly so", {"errors": Unit.ERRORS}
    ),
    "predicted_worse": Meaning("the same, by less", {"errors": Unit.ERRORS}),
    "adaptation_off": Meaning(
        "adapting never beat the zero-shot policy on validation segments: the pooled model serves all of them"
    ),
    "effects_off": Meaning("effects of segments never explained rewards better: adaptation is off"),
    "priors_off": Meaning("no prior explained rewards better than the pooled model: adaptation is off"),
    "features_learned": Meaning(
        "segments differ in this many learned features; gain: over the pooled model, with its standard error",
        {"n_features": Unit.COUNT, "gain": Unit.NATS, "error": Unit.NATS},
    ),
    "start_kept": Meaning("no step beat the warm start convincingly"),
    "diverged": Meaning(
        "its loss stopped being finite at a step; the best step before is kept",
        {"step": Unit.COUNT, "kept_step": Unit.COUNT, "outer_lr": Unit.RATE, "inner_lr": Unit.RATE},
    ),
}
"""What readers must know of a learner: notes of the manifest."""

CODES: Mapping[str, Meaning] = {
    **COMPARISONS,
    **REFUSALS,
    **DOUBTS,
    **ARMS,
    **SEGMENTS,
    **SERVED,
    **TASKS,
    **UNDECIDED,
    **UNPROVEN,
    **ESTIMATED,
    **ESTIMATES,
    **RANKINGS,
    **HOLDOUTS,
    **CHAMPIONS,
    **EXPERIMENTS,
    **MONEY,
    **LEARNERS,
    **BUDGET,
    **QUALITY,
    **REJECTIONS,
    **EXAMPLES,
    **TRIALS,
    **PROPENSITIES,
    **CHANCES,
    **REPEATS,
    **INTERVALS,
    **PLANS,
}
"""All of them."""
