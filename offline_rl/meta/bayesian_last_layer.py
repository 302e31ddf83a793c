"""Bayesian last layer: segments differ by random effects, on linear and on meta-learned features.

The prior is learned (empirical Bayes): the posterior given one half of a segment's rounds must predict the
other half. Nested models compete: the pooled one, m = 0 (logistic random effects on linear features) and
m > 0 learned features; a larger one is kept if on validation
segments it convincingly beats the smaller one.
Sources: Harrison, Sharma & Pavone 2018 (ALPaCA) for the learned features; Hong et al. 2023 (HierOPO) for
m = 0.
"""

import math
import time
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from features.contracts.findings import Finding, finding
from offline_rl.meta.bayesian_features import init_parameters
from offline_rl.meta.bayesian_meta_policy import BayesianMetaPolicy
from offline_rl.meta.bayesian_prior import TILTS, Logged, PriorSchedule, learn_prior
from offline_rl.meta.bayesian_validation import BayesianValidation, largest_that_pays
from offline_rl.meta.learning_settings import LearningSettings
from offline_rl.meta.meta_policy import CurvePoint, Progress
from offline_rl.meta.policy_validation import validate
from offline_rl.meta.shared_fits import SharedFits
from offline_rl.meta.task_batches import rows_by_segment
from offline_rl.meta.warm_start import WarmStart
from offline_rl.two_tower import Parameters

_LINEAR = ("log_context", "log_item", "log_noise", *TILTS)

# Standard errors by which a larger model must beat the smaller one.
_DEMANDED = 2.0


@dataclass(frozen=True)
class BayesianLastLayer:
    """Adapts to a segment by the posterior of its weights in the last layer of the reward model.

    sizes: numbers m of learned features that are tried, each starting from the scales of the one before.
    rate, ..., weight_decay: see `PriorSchedule`. tasks_per_step segments are drawn in a step, and rows
    rounds of each to adapt to; the prior doesn't depend on their number, so it holds for any support.
    """

    name: str = "bayesian_last_layer"
    sizes: tuple[int, ...] = (0, 4, 8)
    rate: float = 0.05
    tilt_rate: float = 0.04
    tilt_deviation: float = 1.5
    phi_rate: float = 0.02
    weight_decay: float = 0.1
    tasks_per_step: int = 16
    rows: int = 256

    def meta_train(self, fits: SharedFits, *, progress: Progress | None = None) -> BayesianMetaPolicy:
        """See `Learner`: training segments teach the prior, validation segments choose among the sizes."""
        start = fits.warm_start
        curve = _Curve(BayesianValidation.of(start, self.rows // 2), progress)
        logged = _logged(start, fits.cross_fitted_scores)
        policies: list[BayesianMetaPolicy] = []
        for m in self.sizes:
            generator = torch.Generator().manual_seed(fits.seed)
            prior = self._first_prior(start, m, generator)
            if policies:
                prior.update({name: policies[-1].prior[name] for name in _LINEAR})
            learned = learn_prior(logged, prior, self._schedule(fits.settings), curve.measure, generator)
            policies.append(self._policy(start, learned))
        pooled = replace(policies[0], is_adapting=False)
        kept, gain, error = largest_that_pays([pooled, *policies], _DEMANDED, start)
        chosen = [pooled, *policies][kept]
        seen = validate(chosen, start)
        return replace(
            chosen,
            validation_value=seen.value,
            validation_gain=seen.gain,
            curve=tuple(curve.points),
            notes=(*start.notes, self._note(kept, gain, error)),
        )

    def _schedule(self, settings: LearningSettings) -> PriorSchedule:
        return PriorSchedule(
            max_steps=settings.max_steps,
            evaluate_every=settings.evaluate_every,
            patience=settings.patience,
            gradient_norm=settings.gradient_norm,
            rate=self.rate,
            tilt_rate=self.tilt_rate,
            tilt_deviation=self.tilt_deviation,
            phi_rate=self.phi_rate,
            weight_decay=self.weight_decay,
            tasks=self.tasks_per_step,
            rows=self.rows,
        )

    def _first_prior(self, start: WarmStart, m: int, generator: torch.Generator) -> dict[str, Tensor]:
        rounds = start.training
        first = init_parameters(
            rounds.context.shape[1], rounds.n_slots, rounds.item_features.cpu(), m, generator
        )
        return {name: value.to(rounds.context) for name, value in first.items()}

    def _policy(self, start: WarmStart, prior: Parameters) -> BayesianMetaPolicy:
        return BayesianMetaPolicy(
            name=self.name,
            pooled=start.model.parameters,
            prior=prior,
            temperature=start.temperature,
            is_binary=start.model.is_binary,
            reward_scale=start.model.reward_scale,
            is_adapting=True,
            validation_value=math.nan,
            validation_gain=math.nan,
        )

    def _note(self, kept: int, gain: float, error: float) -> Finding:
        if kept == 0:
            return Finding("priors_off", self.name)
        return finding("features_learned", self.name, n_features=self.sizes[kept - 1], gain=gain, error=error)


@dataclass
class _Curve:
    """The learning curve over all sizes, one after the other; the steps go on where the last size ended."""

    validation: BayesianValidation
    progress: Progress | None
    points: list[CurvePoint] = field(default_factory=list)
    began: float = field(default_factory=time.perf_counter)
    before: int = 0

    def measure(self, step: int, loss: float, prior: Parameters) -> float:
        seen = self.validation.measure(prior)
        if step == 0 and self.points:
            self.before = self.points[-1].step
            return seen.likelihood
        seconds = time.perf_counter() - self.began
        self.points.append(CurvePoint(self.before + step, loss, seen.value, seen.zero_shot_value, seconds))
        if self.progress is not None:
            self.progress(self.points[-1])
        return seen.likelihood


def _logged(start: WarmStart, scores: Tensor) -> Logged:
    rounds, model = start.training, start.model
    scaled = replace(rounds, reward=rounds.reward / model.reward_scale)
    rows = rows_by_segment(rounds, start.segments)
    return Logged(scaled, scores, rows, model.is_binary)
