"""Validation of a learned prior: how well it predicts segments it was not learned from."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from offline_rl import two_tower
from offline_rl.meta.bayesian_features import all_deviations
from offline_rl.meta.bayesian_meta_policy import BayesianMetaPolicy
from offline_rl.meta.bayesian_posterior import evidence_of, posterior_mode
from offline_rl.meta.convergence import clustered_standard_error
from offline_rl.meta.judgement import log_likelihoods, validation_segments
from offline_rl.meta.task_batches import Batch
from offline_rl.meta.warm_start import WarmStart
from offline_rl.objectives import doubly_robust_terms
from offline_rl.policies.scored_policy import masked_softmax
from offline_rl.reward_model import negative_log_likelihood
from offline_rl.two_tower import Parameters, with_task_dimension


@dataclass(frozen=True)
class Seen:
    """Mean log-likelihood of the query's rewards after adapting; doubly robust value with and without."""

    likelihood: float
    value: float
    zero_shot_value: float


@dataclass(frozen=True, eq=False)
class BayesianValidation:
    """The validation segments: some support rounds of each to adapt to, and all of their query to judge on.

    support and query hold the pooled scores, "offset" [T, N] and, for all items, "scores" [T, N, A].
    """

    support: Batch
    query: Batch
    temperature: float
    is_binary: bool

    @classmethod
    def of(cls, start: WarmStart, rows: int) -> "BayesianValidation":
        """The validation segments of a warm start, with at most `rows` support rounds of each."""
        generator = torch.Generator().manual_seed(0)
        support = _with_pooled_scores(_thinned(start.validation.support, rows, generator), start)
        query = _with_pooled_scores(start.validation.query, start)
        return cls(support, query, start.temperature, start.model.is_binary)

    def look(self, prior: Parameters) -> Seen:
        """What this prior is worth."""
        with torch.no_grad():
            weights = posterior_mode(evidence_of(prior, self.support, is_binary=self.is_binary))
            scores = self.query["scores"] + all_deviations(prior, weights, self.query)
            logged = scores.gather(-1, self.query["action"].unsqueeze(-1)).squeeze(-1)
            costs = negative_log_likelihood(logged, self.query["reward"], is_binary=self.is_binary)
        return Seen(
            likelihood=-float(costs[self.query["mask"]].double().mean()),
            value=self._value(scores),
            zero_shot_value=self._value(self.query["scores"]),
        )

    def _value(self, scores: Tensor) -> float:
        query, real = self.query, self.query["mask"]
        terms = doubly_robust_terms(
            masked_softmax(scores[real] / self.temperature, query["available"][real]),
            query["action"][real],
            query["propensity"][real],
            query["raw_reward"][real],
            query["q_hat"][real],
        )
        return float(terms.double().mean())


def largest_that_pays(
    policies: Sequence[BayesianMetaPolicy], demanded: Sequence[float], start: WarmStart
) -> tuple[int, float, float]:
    """Of nested policies, simplest first: which to keep, its likelihood gain over the first, and the error.

    Compared is the log-likelihood of the validation segments' query rewards after adapting to their whole
    support.  From the first on, a larger policy replaces the one kept so far if its paired gain is more than
    `demanded` standard errors (one number for each but the first).  The error is the larger of two: rounds of
    one user are alike, and so are those of one segment, by its weights.
    """
    parts = validation_segments(start)
    terms = [log_likelihoods([p.adapt(part.support) for part in parts], start) for p in policies]
    mask = start.validation.query["mask"]
    # A single segment can't say how much segments differ.
    by_segment = [torch.nonzero(mask)[:, 0]] if len(mask) > 1 else []
    clusters = [start.validation.cluster, *by_segment]
    kept = 0
    for larger, errors in enumerate(demanded, start=1):
        gain, error = _gain_and_error(terms[larger] - terms[kept], clusters)
        if gain > errors * error:
            kept = larger
    return kept, *_gain_and_error(terms[kept] - terms[0], clusters)


def _gain_and_error(difference: Tensor, clusters: Sequence[Tensor]) -> tuple[float, float]:
    errors = [clustered_standard_error(difference, cluster) for cluster in clusters]
    return float(difference.double().mean()), max(errors)


def _with_pooled_scores(batch: Batch, start: WarmStart) -> Batch:
    parameters = with_task_dimension(start.model.parameters, len(batch["mask"]))
    with torch.no_grad():
        scores = two_tower.all_scores(parameters, batch["context"], batch["slot"], batch["item_features"][0])
    return {
        **batch,
        "scores": scores,
        "offset": scores.gather(-1, batch["action"].unsqueeze(-1)).squeeze(-1),
        "reward": batch["reward"] / start.model.reward_scale,
        "raw_reward": batch["reward"],
    }


def _thinned(batch: Batch, rows: int, generator: torch.Generator) -> Batch:
    """At most `rows` real rows of each task, drawn at random."""
    mask = batch["mask"]
    if mask.shape[1] <= rows:
        return batch
    drawn = torch.rand(mask.shape, generator=generator).to(mask.device).masked_fill(~mask, math.inf)
    kept = drawn.argsort(dim=1)[:, :rows]
    tasks = torch.arange(len(mask), device=mask.device).unsqueeze(-1)
    return {name: value if name == "item_features" else value[tasks, kept] for name, value in batch.items()}
