"""Validation of a learned prior: how well it predicts segments it was not learned from."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from offline_rl import two_tower
from offline_rl.meta.bayesian_features import all_deviations
from offline_rl.meta.bayesian_meta_policy import BayesianMetaPolicy
from offline_rl.meta.bayesian_posterior import LOOSE, evidence_of, posterior_mode
from offline_rl.meta.convergence import largest_error, sure_gain
from offline_rl.meta.policy_validation import log_likelihoods, validation_tasks
from offline_rl.meta.task_batches import Batch
from offline_rl.meta.validation import ValidationBatch
from offline_rl.meta.warm_start import WarmStart
from offline_rl.objectives import doubly_robust_terms
from offline_rl.policies.scored_policy import masked_softmax
from offline_rl.reward_model import negative_log_likelihood
from offline_rl.two_tower import Parameters, with_task_dimension


@dataclass(frozen=True)
class ValidationMeans:
    """Mean log-likelihood of the query's rewards after adapting; doubly robust value with and without."""

    likelihood: float
    value: float
    zero_shot_value: float


@dataclass(frozen=True, eq=False)
class BayesianValidation:
    """The validation tasks: some support rounds of each to adapt to, and all of their query to evaluate on.

    Both hold the pooled scores, too: "offset" [T, N] and, for all items, "scores" [T, N, A].
    """

    batches: tuple[ValidationBatch, ...]
    temperature: float
    is_binary: bool

    @classmethod
    def of(cls, start: WarmStart, rows: int) -> "BayesianValidation":
        """Return the validation tasks of a warm start, with at most `rows` support rounds of each."""
        generator = torch.Generator().manual_seed(0)
        batches = tuple(
            ValidationBatch(
                _with_pooled_scores(_thinned(batch.support, rows, generator), start),
                _with_pooled_scores(batch.query, start),
            )
            for batch in start.validation.batches
        )
        return cls(batches, start.temperature, start.model.is_binary)

    def measure(self, prior: Parameters) -> ValidationMeans:
        """Return what this prior is worth on the validation tasks."""
        with torch.no_grad():
            terms = torch.stack(
                [
                    torch.cat(parts)
                    for parts in zip(*map(partial(self._terms, prior), self.batches), strict=True)
                ]
            )
        return ValidationMeans(*terms.double().mean(dim=1).tolist())

    def _terms(self, prior: Parameters, batch: ValidationBatch) -> tuple[Tensor, Tensor, Tensor]:
        """Return log-likelihood, and doubly robust terms with and without adapting, of every query round."""
        query = batch.query
        weights = posterior_mode(evidence_of(prior, batch.support, is_binary=self.is_binary), tolerance=LOOSE)
        scores = query["scores"] + all_deviations(prior, weights, query)
        logged = scores.gather(-1, query["action"].unsqueeze(-1)).squeeze(-1)
        costs = negative_log_likelihood(logged, query["reward"], is_binary=self.is_binary)
        values, zero_shot_values = self._value_terms(scores, query), self._value_terms(query["scores"], query)
        return -costs[query["mask"]], values, zero_shot_values

    def _value_terms(self, scores: Tensor, query: Batch) -> Tensor:
        real = query["mask"]
        return doubly_robust_terms(
            masked_softmax(scores[real] / self.temperature, query["available"][real]),
            query["action"][real],
            query["propensity"][real],
            query["raw_reward"][real],
            query["q_hat"][real],
        )


def largest_that_pays(
    policies: Sequence[BayesianMetaPolicy], demanded: float, start: WarmStart
) -> tuple[int, float, float]:
    """Return which of nested policies to keep, its likelihood gain over the first, and the error.

    Compared is the log-likelihood of the validation tasks' query rewards after adapting to their whole
    support. From the first on, a larger policy replaces the one kept so far if its paired gain is more than
    `demanded` standard errors.
    """
    parts = validation_tasks(start)
    terms = [log_likelihoods([p.adapt(part.support) for part in parts], start) for p in policies]
    clusters = start.validation.clusters
    kept = 0
    for larger in range(1, len(policies)):
        if sure_gain(terms[larger] - terms[kept], *clusters, errors=demanded) > 0.0:
            kept = larger
    gain = terms[kept] - terms[0]
    return kept, float(gain.double().mean()), largest_error(gain, clusters)


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
    """Draw at most `rows` real rows of each task."""
    mask = batch["mask"]
    if mask.shape[1] <= rows:
        return batch
    drawn = torch.rand(mask.shape, generator=generator).to(mask.device).masked_fill(~mask, math.inf)
    kept = drawn.argsort(dim=1)[:, :rows]
    tasks = torch.arange(len(mask), device=mask.device).unsqueeze(-1)
    return {name: value if name == "item_features" else value[tasks, kept] for name, value in batch.items()}
