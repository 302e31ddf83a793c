"""English: titles of axes, keys, and what a screen reader says of a chart."""

from collections.abc import Mapping

TEXTS: Mapping[str, str] = {
    "axis.reward": "reward per round",
    "axis.reward_in": "reward per round, {unit}",
    "axis.reward_per_round": "reward per round",
    "axis.reward_per_slate": "reward per slate",
    "axis.reward_per_session": "reward per session",
    "axis.night": "night",
    "axis.spend": "spend, {unit}",
    "axis.step": "meta-training step",
    "axis.support": "rounds of support",
    "key.estimator_solid": "{estimator}, solid",
    "key.estimator_dashed": "{estimator}, dashed",
    "key.candidate": "candidate",
    "key.baseline": "strongest baseline",
    "key.true_value": "true value (simulated)",
    "key.adapted": "after adapting to the segment",
    "key.zero_shot": "zero-shot, before adapting",
    "key.estimated": "estimated",
    "key.true_in_simulation": "true, in the simulated world",
    "key.spend_today": "spend today",
    "key.more": "recommended, more",
    "key.less": "recommended, less",
    "key.log_earned": "what the log earned",
    "key.policy_by": "the policy, by {estimator}",
    "key.another_estimator": "by another estimator",
    "figure.values": "Value and interval of {n_policies} policies; the table below has the numbers",
    "figure.validation": (
        "Validation value by step of {n_learners} learners; the table below has first and last"
    ),
    "figure.loss": "Training loss by step of {n_learners} learners; the table below has first and last",
    "figure.support": (
        "Value by rounds of support, a panel for each learner; the table below has every point"
    ),
    "figure.moves": (
        "Spend today and recommended, biggest moves first, {n_lines} budget lines; the table below has the "
        "numbers"
    ),
    "figure.nightly": "True value by night, {n_lines} lines; the table below has the numbers",
    "figure.policy_value": (
        "What the log earned, and the policy's value by {n_estimators} estimators, each with its interval; "
        "the table below has the numbers"
    ),
}
