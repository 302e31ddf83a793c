"""English: every finding's sentence.

Beside the finding's own numbers and `subject`, comparisons know `digits`, the decimals that their interval
needs, `resolution_digits`, and `unit`, the currency of money with a space before it; findings with causes
know `causes`, short comparisons `others`, and hidden counts `below`, the smallest count that may be printed.
Numbers outside of their bounds know `bounds`, and findings about the shape of a value `value`, how that is
said. What an undecided area's rows are called comes from the list of areas.
"""

from reports.wording.english import budget_findings as of_budget
from reports.wording.english import champion_findings as of_champions
from reports.wording.english import estimation_findings as of_estimates
from reports.wording.english import evaluation_findings as of_evaluation
from reports.wording.english import experiment_findings as of_experiments
from reports.wording.english import interval_findings as of_intervals
from reports.wording.english import plan_findings as of_plans
from reports.wording.english import quality_findings as of_quality

_NUMBERS = (
    "{difference:+.{digits}f}{unit} per round "
    "({confidence:.{confidence_digits}%} interval {lower:+.{digits}f} to {upper:+.{digits}f})"
)
_BEYOND = "no gain is shown beyond the {resolution:.{resolution_digits}f} that rounded probabilities may make"

SENTENCES = {
    "gain_shown": f"{{subject}} against {{other}}: a gain is shown, {_NUMBERS}.",
    "harm_shown": f"{{subject}} against {{other}}: harm is shown, {_NUMBERS}.",
    "no_gain_shown": f"{{subject}} against {{other}}: no gain is shown, {_NUMBERS}.",
    "no_gain_beyond_rounding": f"{{subject}} against {{other}}: {_BEYOND}, {_NUMBERS}.",
    "no_difference": f"{{subject}} against {{other}}: no difference, {_NUMBERS}.",
    "loss_shown": f"{{subject}} against {{other}}: a loss is shown, {_NUMBERS}.",
    **of_estimates.SENTENCES,
    "cannot_be_judged": "{subject} can't be judged: {causes}.",
    "log_speaks": "The log can speak about this arm.",
    "segment_served": (
        "The probability that {subject} earns less here is {harm_probability:.0%}, not above the "
        "{keep_above:.0%} that segments.keep_above allows."
    ),
    "segment_served.unknown": (
        "No round shows what would be earned here, so no probability of harm is known to be above the "
        "{keep_above:.0%} that segments.keep_above allows."
    ),
    "segment_kept": (
        "The probability that {subject} earns less here is {harm_probability:.0%}, above the "
        "{keep_above:.0%} that segments.keep_above allows."
    ),
    "segment_kept.unknown": (
        "No round shows what would be earned here, so harm counts as more likely than the {keep_above:.0%} "
        "that segments.keep_above allows."
    ),
    "segment_protected": (
        "The probability that {subject} earns less here is {harm_probability:.0%}; the configuration "
        "protects the segment."
    ),
    "segment_protected.unknown": (
        "No round shows what would be earned here; the configuration protects the segment."
    ),
    "nothing_promoted": (
        "The probability that {subject} earns less here is {harm_probability:.0%}; nothing was promoted."
    ),
    "nothing_promoted.unknown": "No round shows what would be earned here; nothing was promoted.",
    "promoted": "The learned policy serves here.",
    "held": "The shop's own policy continues here: the candidate was held.",
    "rejected": "The shop's own policy continues here: the candidate was rejected.",
    "to_be_tested": "The shop's own policy continues here: the candidate is to be tested.",
    "kept": "The shop's own policy continues here.",
    "protected": "The shop's own policy continues here.",
    "in_experiment": "An experiment compares {subject}, which serves this user, with today's policy.",
    "exploration": (
        "This slate is drawn at random, to learn from: the policy most often shows {usual_item} here."
    ),
    "similar_items": "Items that this user's own acts speak for, then popular ones.",
    "popular_items": "Items that most visitors chose lately.",
    "explored_pool": "This list is drawn at random from the best items for this user, to learn from.",
    "own_task": "A task of its own.",
    "too_few_rounds": "Fewer than {least} rounds before the holdout: served by the pooled policy.",
    "merged_segment": (
        "{n_rounds} rounds, fewer than the {least} of segments.min_rounds: learned together with "
        "{merged_into}."
    ),
    "no_rows": "The logs hold no {rows} up to {as_of:%Y-%m-%d}: it is unknown {unknown_without}.",
    "no_propensities": (
        "None of {n_rows:,} {rows} has a propensity, the probability with which it was chosen, and none can "
        "be estimated: that takes as many rounds as segments.min_rounds, of 10 users or more, over several "
        "days, with 2 to 500 things to choose from. Log the propensity of each, or run a later night."
    ),
    "no_propensities_to_estimate": (
        "None of {n_rows:,} {rows} has a propensity, the probability with which it was chosen, and none can "
        "be estimated: the context foretells {foreseen_share:.1%} of the choices, so nothing was left to "
        "chance, and the effect of another choice can't be known."
    ),
    "no_mature_rewards": (
        "At the end of {as_of:%Y-%m-%d} the rewards of all {n_rows:,} {rows} may still arrive: none of them "
        "is older than night.attribution_hours. Run a later night by --as-of, or reduce that setting if the "
        "logs already contain all rewards."
    ),
    "undivided_rounds": (
        "The {n_rows:,} {rows} with propensities can't be divided into parts to learn from, to choose on and "
        "to judge by: they are of too few days or users for rewards that may arrive within {n_hours:,} h "
        "(night.attribution_hours). Run a later night, or reduce that setting if rewards arrive sooner."
    ),
    "reward_not_logged": (
        'night.reward = "{reward}" counts {results}, which can\'t be known of {rows}: their log does not say '
        "what was bought. Clicks, conversions and revenue can be known."
    ),
    "prices_missing": (
        "{n_without:,} of {n_lines:,} bought lines have no price: they add nothing to revenue and margin."
    ),
    "prices_missing.one": (
        "1 of {n_lines:,} bought lines has no price: it adds nothing to revenue and margin."
    ),
    "costs_estimated": (
        "{n_without:,} of {n_lines:,} bought lines have no cost, and their item has none: their cost is "
        "taken to be the shop's usual share of the price, that of all lines with a known cost."
    ),
    "costs_estimated.one": (
        "1 of {n_lines:,} bought lines has no cost, and its item has none: its cost is taken to be the "
        "shop's usual share of the price, that of all lines with a known cost."
    ),
    "acts_alone": "The logs hold what users did, and nothing of what was shown to them.",
    "acts_beside_rounds": (
        "The logs hold what users did; of {n_rows:,} rounds none has a propensity, the probability with "
        "which it was chosen."
    ),
    "acts_beside_certain_rounds": (
        "The logs hold what users did; of {n_rows:,} rounds none has a propensity, and none can be "
        "estimated: the context foretells {foreseen_share:.1%} of what was shown, so nothing was left to "
        "chance."
    ),
    "acts_before_rewards": (
        "The logs hold what users did; the rewards of all {n_rows:,} rounds that were shown may still arrive."
    ),
    "acts_beside_few_rounds": (
        "The logs hold what users did; of what was shown, {n_rows:,} rounds have a propensity and complete "
        "rewards, fewer than the {least:,} of segments.min_rounds."
    ),
    "acts_beside_undivided_rounds": (
        "The logs hold what users did; what was shown, {n_rows:,} rounds with propensities, can't be divided "
        "into parts to learn from, to choose on and to judge by: it is of too few days or users for rewards "
        "that may arrive within {n_hours:,} h (night.attribution_hours)."
    ),
    "one_moment": (
        "All acts have the same time, so no ranking can be measured on later ones: popular items are "
        "recommended."
    ),
    "ranker_not_better": (
        "{subject} was the best ranking in the validation window, but in the test window it does not beat "
        "{baseline}, which serves instead."
    ),
    "no_test_window": (
        "No ranking can be measured on the last {days:.1f} days of the log: {causes}. What is recommended is "
        "unproven and unmeasured."
    ),
    "no_learning_window": (
        "No ranking can be learned from what comes before the last {days:.1f} days of the log: {causes}."
    ),
    "no_validation_window": (
        "No ranking can be chosen on the {days:.1f} days before the test window: {causes}. The first of the "
        "list stands."
    ),
    "holdout_used_before": (
        "{subject}: this holdout was used {n_earlier_uses} times before, by runs with other settings or "
        "code. Intervals don't account for those uses: the best of several attempts looks better than it is."
    ),
    "holdout_used_before.one": (
        "{subject}: this holdout was used once before, by runs with other settings or code. Intervals "
        "don't account for those uses: the best of several attempts looks better than it is."
    ),
    "later_slots_left_out": (
        "{subject}: {n_rounds:,} rounds lie in slots after the first {most}; slates are learned and decided "
        "for the first {most} slots alone."
    ),
    "later_slots_left_out.one": (
        "{subject}: one round lies in a slot after the first {most}; slates are learned and decided for the "
        "first {most} slots alone."
    ),
    "no_validation_segments": (
        "No {subject} segment has rounds in both windows: the query rounds of the training segments decided "
        "when to stop, which flatters the learner."
    ),
    "no_support_to_train_on": "No {subject} segment has support rounds: all segments were trained on.",
    "no_rounds_to_learn_from": "No {subject} segment has rounds: all segments were learned from.",
    "predicted_clearly_better": (
        "It predicted later rounds clearly better than the pooled model ({errors:.1f} standard errors)."
    ),
    "predicted_better": (
        "It predicted later rounds better than the pooled model ({errors:.1f} standard errors)."
    ),
    "predicted_clearly_worse": (
        "It predicted later rounds clearly worse than the pooled model ({errors:.1f} standard errors)."
    ),
    "predicted_worse": (
        "It predicted later rounds worse than the pooled model ({errors:.1f} standard errors)."
    ),
    "adaptation_off": (
        "Adaptation switched off: on the validation segments it never beat the zero-shot policy by a "
        "standard error, so the pooled model serves every segment."
    ),
    "effects_off": (
        "Adaptation switched off: on the validation segments the segments' own effects never explained "
        "rewards better by two standard errors, so the pooled model serves every segment."
    ),
    "priors_off": (
        "Adaptation switched off: on the validation segments no prior explained rewards better than the "
        "pooled model by two standard errors, so the pooled model serves every segment."
    ),
    "features_learned": (
        "Segments differ in {n_features} learned features beside the linear ones: on the validation segments "
        "that explains each reward better than the pooled model by {gain:.5f} nats (standard error "
        "{error:.5f})."
    ),
    "start_kept": "No step convincingly beat the warm start, so its parameters are kept.",
    "diverged": (
        "{subject} diverged at step {step}, and its policy is that of step {kept_step}, the best before: "
        "lower outer_lr ({outer_lr:g}) or inner_lr ({inner_lr:g}) in the settings."
    ),
    **of_budget.BUDGET,
    **of_quality.QUALITY,
    **of_quality.REJECTIONS,
    **of_quality.EXAMPLES,
    **of_quality.TRIALS,
    **of_evaluation.PROPENSITIES,
    **of_evaluation.REPEATS,
    **of_plans.PLANS,
    **of_champions.SENTENCES,
    **of_experiments.SENTENCES,
}

CLAUSES = {
    "few_clusters": "only {n_clusters:,} {clusters}, fewer than {least:,}",
    "few_clusters.hidden": "fewer than {below} {clusters}, where {least:,} are needed",
    "few_clusters.hidden_limit": "fewer than {below} {clusters}",
    "one_cluster": "one of the {clusters} has all {units}, which do not show how far a value may be off",
    "few_informative_clusters": (
        "only {n_clusters:,} {clusters} have a reward that matters and is not the usual one, fewer than "
        "{least:,}"
    ),
    "few_informative_clusters.hidden": (
        "fewer than {below} {clusters} have a reward that matters and is not the usual one, where {least:,} "
        "are needed"
    ),
    "few_informative_clusters.hidden_limit": (
        "fewer than {below} {clusters} have a reward that matters and is not the usual one"
    ),
    "few_effective_rounds": (
        "the log is worth {ess:,.1f} effective {units} of {n_rounds:,}, less than {least:,.0f}"
    ),
    "small_effective_share": "the log is worth {ess_share:.2%} of its {units}, less than {least:.2%}",
    "heavy_weight_tail": (
        "the weights' tail is so heavy that an average of them may not settle: 1% of the {units} hold "
        "{top_weight_share:.0%} of all weight, with a tail index of {index:.2f}, above {most:.2f}"
    ),
    "large_cluster": (
        "one of the {clusters} carries {top_cluster_share:.1%} of all weight, more than {most:.1%}"
    ),
    "little_support": (
        "the log could show only {supported_share:.1%} of what the policy does, less than {least:.1%}"
    ),
    "mean_weight_off": (
        "its mean weight is {mean_weight:.3f} ({confidence:.0%} interval {lower:.3f} to {upper:.3f}) and "
        "should be {supported_share:.3f}: by chance, as in about 1 of {logs_per_alarm} correct logs, or in "
        "more where several candidates are compared; or because the log hardly ever shows what the policy "
        "prefers; or because propensities or availability are wrong"
    ),
    "largest_contribution": (
        "one of the {clusters} holds {share:.0%} of all {of}, {largest:,.6g} by itself, more than {most:.0%}"
    ),
    "few_contributions": (
        "its {of} of {n_clusters:,} {clusters} are so uneven that they count as {effective:,.1f} equal ones, "
        "fewer than {least:,.0f}"
    ),
    "few_contributions.hidden": (
        "its {of} of fewer than {below} {clusters} are so uneven that they count as {effective:,.1f} equal "
        "ones, fewer than {least:,.0f}"
    ),
    "heavy_tail": (
        "the rewards' tail is so heavy that an average of them may not settle: the {of} have a tail index of "
        "{index:.2f}, above {most:.2f}"
    ),
    "few_moments": "all acts lie at {n_moments:,} different times, where {least:,} are needed",
    "looks_at_context": (
        "it gives the same item in the same slot other probabilities from one round to the next "
        "({sudden:.0%} of their variation), so it looks at a context, and its log says what it shows on "
        "average, but not to whom"
    ),
    **of_evaluation.CHANCES,
    **of_intervals.INTERVALS,
}

SHORT = {
    **of_estimates.SHORT,
    "gain_shown": "A gain is shown against {others}.",
    "gain_shown.named": "{subject}: a gain is shown against {others}.",
    "harm_shown": "Harm is shown against {others}.",
    "harm_shown.named": "{subject}: harm is shown against {others}.",
    "no_gain_shown": "No gain is shown against {others}.",
    "no_gain_shown.named": "{subject}: no gain is shown against {others}.",
    "no_gain_beyond_rounding": f"{_BEYOND.replace('no gain', 'No gain', 1)} against {{others}}.",
    "no_gain_beyond_rounding.named": f"{{subject}}: {_BEYOND} against {{others}}.",
    "no_difference": "No difference against {others}.",
    "no_difference.named": "{subject}: no difference against {others}.",
    "loss_shown": "A loss is shown against {others}.",
    "loss_shown.named": "{subject}: a loss is shown against {others}.",
    "cannot_be_judged": "Can't be judged: {causes}.",
    "cannot_be_judged.named": "{subject} can't be judged: {causes}.",
}

WORDS = {
    "users": "users",
    "clusters": "clusters",
    "rounds": "rounds",
    "slates": "slates",
    "sessions": "sessions",
    "weighted rewards": "weighted rewards",
    "weighted corrections": "weighted corrections",
    "not shown": "(not shown)",
}

SUBJECTS = {"arm": "the arm"}
