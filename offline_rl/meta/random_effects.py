"""Empirical-Bayes random effects on pooled residuals: each segment is followed as far as segments differ.

Source: Robbins 1956 for the idea; Hong et al. 2023, "Multi-Task Off-Policy Learning from Bandit Feedback"
(HierOPO, arXiv 2212.04720), for logged bandit data.
"""

import math
import time
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from features.contracts.findings import Finding
from offline_rl.meta.convergence import sure_gain
from offline_rl.meta.effects_meta_policy import (
    EffectsMetaPolicy,
    mean_and_weight,
    pooled_residual_sums,
)
from offline_rl.meta.effects_score import input_columns
from offline_rl.meta.meta_policy import Progress
from offline_rl.meta.policy_validation import log_likelihoods, one_point_curve, validate, validation_tasks
from offline_rl.meta.segment_effects import EffectPrior, loading_of
from offline_rl.meta.shared_fits import SharedFits
from offline_rl.meta.variance_components import estimate_prior, varying_columns
from offline_rl.meta.warm_start import WarmStart

SHARES = (1.0, 0.5, 0.25, 0.125, 0.0625)
"""Shares of the estimated variances that are tried."""

DEMANDED = 2.0
"""Standard errors by which random effects must predict validation rewards better than the pooled model."""


@dataclass(frozen=True)
class RandomEffects:
    """The pooled reward model, and per segment a posterior mean of what it misses there.

    caution: how many posterior standard deviations are taken off an item's effect before the read-out
    (0 chooses by the mean; 1 avoids what is little known).
    """

    name: str = "random_effects"
    caution: float = 0.0

    def meta_train(self, fits: SharedFits, *, progress: Progress | None = None) -> EffectsMetaPolicy:
        """See `Learner`: training segments show how much segments differ, validation whether to adapt."""
        began = time.perf_counter()
        start = fits.warm_start
        prior, chosen = estimate_segment_prior(start, fits.cross_fitted_scores)
        policy = EffectsMetaPolicy(
            name=self.name,
            parameters=start.model.parameters,
            prior=prior,
            chosen=chosen,
            temperature=start.temperature,
            is_binary=start.model.is_binary,
            reward_scale=start.model.reward_scale,
            caution=self.caution,
            is_adapting=True,
            validation_value=math.nan,
            validation_gain=math.nan,
            notes=start.notes,
        )
        share = validated_share(policy, start)
        if share > 0.0:
            policy = replace(policy, prior=prior.times(share))
        else:
            switched_off = Finding("effects_off", self.name)
            policy = replace(policy, is_adapting=False, notes=(*policy.notes, switched_off))
        seen = validate(policy, start)
        curve = one_point_curve(seen, began, progress)
        return replace(policy, validation_value=seen.value, validation_gain=seen.gain, curve=curve)


def estimate_segment_prior(start: WarmStart, score: Tensor) -> tuple[EffectPrior, tuple[int, ...]]:
    """Estimate how much segments differ from the pooled model, and in the effect of which input columns.

    From the residuals of the training segments.
    score [n]: the pooled scores of their logged items, cross-fitted: a model that has seen the rewards of a
    segment has followed them a little, and segments would look more alike than they are.
    """
    rounds, model = start.training, start.model
    # A single CPU copy of indices: sums of residuals are taken there.
    segments = torch.tensor(start.segments)
    position = torch.searchsorted(segments, rounds.segment.to("cpu"))
    mean, weight = mean_and_weight(score, is_binary=model.is_binary)
    residual = rounds.reward.to("cpu", torch.float64) / model.reward_scale - mean
    cells = len(segments) * rounds.n_actions
    chosen = varying_columns(
        input_columns(rounds.context, rounds.slot, rounds.n_slots),
        weight,
        residual,
        position * rounds.n_actions + rounds.action.to("cpu"),
        cells,
    )
    sums = pooled_residual_sums(
        rounds,
        score,
        position,
        n_segments=len(segments),
        chosen=tuple(chosen),
        is_binary=model.is_binary,
        reward_scale=model.reward_scale,
    )
    prior = estimate_prior(sums, loading_of(rounds.item_features), is_binary=model.is_binary)
    kept = [index for index in range(len(chosen)) if float(prior.action[index + 1]) > 0.0]
    action = prior.action[[0, *(index + 1 for index in kept)]]
    return replace(prior, action=action), tuple(chosen[index] for index in kept)


def validated_share(policy: EffectsMetaPolicy, start: WarmStart) -> float:
    """Return share of the prior's variances that most surely improves on the pooled model; 0 where none does.

    Each component's variance is estimated on its own and can't be negative, so what noise adds to forty of
    them does not cancel: used as it is, the prior follows segments too far where they hardly differ.
    Evaluated by how well the validation rewards are explained; caution is not a part of it.
    """
    parts, expecting = validation_tasks(start), replace(policy, caution=0.0)
    zero_shot = log_likelihoods([policy.zero_shot()] * len(parts), start)

    def gain(share: float) -> float:
        trial = replace(expecting, prior=policy.prior.times(share))
        adapted = log_likelihoods([trial.adapt(part.support) for part in parts], start)
        return sure_gain(adapted - zero_shot, *start.validation.clusters, errors=DEMANDED)

    gains = {share: gain(share) for share in SHARES}
    best = max(SHARES, key=lambda share: gains[share])
    return best if gains[best] > 0.0 else 0.0
