"""English: the page of evaluation, with segments, learning, arms, and segments that taught no learner."""

from collections.abc import Mapping

from features.contracts.outputs import FEWEST_SEGMENTS

VALUES: Mapping[str, str] = {
    "evaluation.nothing_judged": "This night judged no policy; the overview says why.",
    "values.title": "Policy values",
    "values.only_one": "Only {best} was measured.",
    "values.overlap": (
        "{best} has the highest value, {second} is next. All are judged on the same rounds, so overlapping "
        "intervals do not settle their order; the verdict rests on the paired difference."
    ),
    "values.clear": "{best} has the highest value, and its interval lies clear of {second}, the next.",
    "values.coverage": "The simulated world's true value lies inside {n_covered} of {n_known} intervals.",
    "diagnostics.title": "Can the logs speak about them?",
    "diagnostics.hint": (
        "Trust a value when its mean weight is near 1, its supported share near 100 %, and its effective "
        "sample size a fair part of the rounds. A single huge weight means that one round speaks for many."
    ),
    "estimators.summary": "Every estimator",
    "gate.summary": "The gate's reasons over everyone, with their numbers",
    "role.candidate": "candidate",
    "role.baseline": "strongest baseline",
    "role.champion": "serves tomorrow",
}

ARMS: Mapping[str, str] = {
    "arms.title": "Arms that both ran",
    "arms.hint": (
        "Several policies served this shop on the same days. Each one's value is estimated from the log of "
        "another, as if it had not run, and stands beside what it was seen to earn: the one check of such an "
        "estimate that needs no new experiment. An arm is taken as what it shows in each slot on average, "
        "not to whom; one that looks at a context can't be checked that way, and its row says so."
    ),
    "arms.inside": (
        "In {n_covered} of {n_trusted} cases the observed reward lies inside the interval of the estimate."
    ),
    "arms.none_speaks": "No log could speak about another arm.",
    "arms.refused": "{n_refused} more are refused: the log says too little about the arm.",
    "arms.refused.one": "1 more is refused: the log says too little about the arm.",
    "arms.refused_value": "refused",
}

SENSITIVITY: Mapping[str, str] = {
    "sensitivity.title": "How far may estimated propensities be off?",
    "sensitivity.hint": (
        "Propensities are estimated from what the log knows of each round. If something else drove what was "
        "shown, and rewards too, the true odds of what was shown are off by some factor. For each factor the "
        "table has the least and the largest difference that such odds allow, by self-normalized importance "
        "sampling, without and with chance. A factor of 1.00 is no hidden cause at all."
    ),
    "sensitivity.up_to": (
        "{policy} against {other}: a gain is shown as long as the odds are off by a factor of less than "
        "{factor}."
    ),
    "sensitivity.never": "{policy} against {other}: a gain is shown however far the odds are off.",
    "sensitivity.not_shown": (
        "{policy} against {other}: importance sampling alone shows no gain, even if the odds are exactly "
        "right."
    ),
}

SEGMENTS: Mapping[str, str] = {
    "segments.title": "Segment by segment",
    "segment_verdict.served": "Served",
    "segment_verdict.kept": "Kept",
    "segment_verdict.protected": "Protected",
    "harmed.segment.served": "{segment}: {difference}, served",
    "harmed.segment.kept": "{segment}: {difference}, kept",
    "harmed.segment.protected": "{segment}: {difference}, protected",
    "harmed.none": (
        "No segment's loss stands out among all segments (p-value under 0.05, adjusted for their number)."
    ),
    "harmed.some": (
        "{n_harmed} segments lose beyond chance (p-value under 0.05, adjusted for the number of segments). "
        "Look at them before the policy goes on:"
    ),
    "harmed.some.one": (
        "1 segment loses beyond chance (p-value under 0.05, adjusted for the number of segments). "
        "Look at it before the policy goes on:"
    ),
    "harmed.more": "and {n} more",
}

LEARNING: Mapping[str, str] = {
    "learning.title": "How learning went",
    "learning.loss": (
        "Training loss: a curve that is flat at its end has settled. Compare a learner with itself only, "
        "because losses differ in kind."
    ),
    "learning.validation_hint": (
        "All steps are judged on the same rounds of the validation segments and share their luck: one high "
        "step proves nothing, and many in a row prove little. Paired comparisons decide which step a learner "
        "keeps, and whether it adapts at all; a note names the learners that kept their start or do not "
        "adapt."
    ),
    "learning.adapting": "Adapted to a segment, the value lies higher than zero-shot at {shares}.",
    "learning.share": "{n_above} of {n_compared} steps of {learner}",
    "learning.same": "The same with and without adapting: {learners}.",
    "learning.higher": "{n_above} of {n_compared} steps",
    "learning.no_difference": "no difference",
    "task_status.used": "used",
    "task_status.merged": "merged",
    "task_status.pooled_only": "pooled only",
    "split.meta_train": "meta-train",
    "split.meta_validation": "meta-validation",
    "split.meta_test": "meta-test",
}

UNSEEN: Mapping[str, str] = {
    "unseen.title": "Segments that taught no learner",
    "unseen.others": "Against the other plain policies",
    "unseen.steps": "With more or fewer gradient steps",
    "unseen.hint": (
        "A salted hash kept these segments from every learner. It adapts to their rounds before the holdout, "
        "and the pooled model under it was fitted again with them, as with everybody's; the holdout judges. "
        "The segment is the unit, and segments count alike. “Better” needs an interval above zero, a p-value "
        "below 0.05 after adjusting it for every plain policy (Holm), and at least "
        f"{FEWEST_SEGMENTS} segments."
    ),
    "unseen.no_segment": (
        "Nothing can be said about new segments: too few were found to keep one from the learners, or those "
        "that were kept have no rounds in the holdout."
    ),
    "unseen.no_learner": "No learner stood beside the plain baseline, so there is nothing to compare.",
    "unseen.no_curve": "No learner adapts to a segment tonight, so rounds of support make no difference.",
    "unseen.estimated": "estimated",
    "unseen.true": "true",
    "unseen.better": "better",
    "unseen.not_claimed": "not claimed",
    "unseen.same_as_pooled": "learned nothing beyond the pooled model",
    "unseen.same_as_plain": "chooses as {baseline} does",
    "unseen.too_few": (
        "Nothing can be claimed of learners on new segments yet: {n_segments} segments say too little, "
        "{least} are needed."
    ),
    "unseen.too_few.one": (
        "Nothing can be claimed of learners on new segments yet: 1 segment says too little, {least} are "
        "needed."
    ),
    "unseen.none_pays": (
        "On {n_segments} new segments no learner is shown to beat a plain policy: what differences there are "
        "may be chance."
    ),
    "unseen.pays": "Learning pays on {n_segments} new segments: {claims}.",
    "unseen.beats": "{learner} beats {baselines}",
    "support.all": "all",
    "support.none_gains": (
        "By estimate, adapting pays for none of {n_learners} learners: all rounds of support bring no more "
        "than none."
    ),
    "support.none_gains.one": (
        "By estimate, adapting pays for none of 1 learner: all rounds of support bring no more than none."
    ),
    "support.gains": (
        "By estimate, adapting pays for {n_gaining} of {n_learners} learners: {best} gains most, {gain} per "
        "round, and {n_rounds} rounds bring at least half of it. These are single numbers without an "
        "interval."
    ),
    "support.gains.one": (
        "By estimate, adapting pays for {n_gaining} of 1 learner: {best} gains most, {gain} per round, and "
        "{n_rounds} rounds bring at least half of it. These are single numbers without an interval."
    ),
    "support.gains_at_end": (
        "By estimate, adapting pays for {n_gaining} of {n_learners} learners: {best} gains most, {gain} per "
        "round, and only all rounds bring at least half of it. These are single numbers without an interval."
    ),
    "support.gains_at_end.one": (
        "By estimate, adapting pays for {n_gaining} of 1 learner: {best} gains most, {gain} per round, and "
        "only all rounds bring at least half of it. These are single numbers without an interval."
    ),
}

TEXTS: Mapping[str, str] = {**VALUES, **ARMS, **SENSITIVITY, **SEGMENTS, **LEARNING, **UNSEEN}
