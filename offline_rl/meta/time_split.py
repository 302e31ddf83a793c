"""Time split: learners that are fitted in one go are evaluated on later rounds of all segments.

A few validation segments say little, and a learner that beats another there may do so by luck. A learner
without steps to stop and without a penalty to choose needs no segments kept apart: it is fitted on the
support windows of all segments and evaluated on their query windows, which come later, as tomorrow does.
Every query round counts but those of the sealed test segments.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from features.contracts.findings import Finding
from features.errors import InputDataError
from offline_rl.logged_data import LoggedRounds, Tasks
from offline_rl.meta.convergence import clustered_standard_error, largest_error, sure_gain
from offline_rl.meta.meta_policy import MetaPolicy
from offline_rl.meta.policy_validation import best_level
from offline_rl.mixed_model.model import MixedModel, fit_model
from offline_rl.objectives import doubly_robust_terms
from offline_rl.policies.policy import Policy
from offline_rl.policies.scored_policy import ScoredPolicy
from offline_rl.policies.shares import restricted, shares
from offline_rl.reward_model import negative_log_likelihood
from offline_rl.rolling_origin import gate_rounds_per_query

_CELLS_AT_ONCE = 1 << 24
"""Pairs of round and item that are scored at once: 128 MB."""

LEAST_EFFECTIVE = 0.01
"""Share of effective rounds that a read-out must leave, as the gate requires. Slates with exploration
leave half as many effective rounds again."""


@dataclass(frozen=True)
class TimeSplitResult:
    """value, zero_shot_value: doubly robust values on the query rounds, with and without adapting.

    gain: the value's paired gain over the pooled model less its clustered standard error.
    lead: see `offline_rl.meta.fit_by_time.FittedPolicy`.
    """

    value: float
    zero_shot_value: float
    gain: float
    lead: float


@dataclass(frozen=True, eq=False)
class TimeSplit:
    """Support rounds to fit on, later query rounds to evaluate on, and the pooled model of the former.

    q_hat [n, A]: the pooled model's expected rewards of the query rounds. likelihood, values [n]: its own
    terms there. gate_rounds_per_query: rounds that the gate will evaluate for each query round.
    temperature: at which the pooled model is read out.
    """

    support: LoggedRounds
    query: LoggedRounds
    model: MixedModel
    q_hat: Tensor
    likelihood: Tensor
    values: Tensor
    gate_rounds_per_query: float = 1.0
    temperature: float = math.nan

    def validate(self, policy: MetaPolicy, by_segment: Mapping[int, Policy]) -> TimeSplitResult:
        """Evaluate a policy that was fitted on the support rounds, and adapted to those of each segment."""
        likelihood, values = self.terms(by_segment, policy.zero_shot())
        if policy.adapts:
            _, zero_shot = self.terms({}, policy.zero_shot())
        else:
            zero_shot = values
        return TimeSplitResult(
            value=float(values.mean()),
            zero_shot_value=float(zero_shot.mean()),
            gain=sure_gain(values - self.values, self.query.cluster),
            lead=self.lead_of(likelihood),
        )

    def lead_of(self, likelihood: Tensor) -> float:
        """Return the gain in these log-likelihoods [n], in standard errors; 0 where none differs.

        Clustered by user or by segment, whichever says that less is known.
        """
        better = likelihood - self.likelihood
        if not bool(better.any()):
            return 0.0
        error = largest_error(better, (self.query.cluster, self.query.segment))
        return float(better.mean()) / error if error > 0 else 0.0

    def read_out(
        self,
        by_segment: Mapping[int, Policy],
        otherwise: Policy,
        *,
        believed: float = 1.0,
        least_effective: float = LEAST_EFFECTIVE,
    ) -> float:
        """Return temperature at which policies that were fitted on support rounds are expected to serve best.

            gain(T) Phi(gain(T) / error(T) - z)

        gain: what its own scores expect of it over what was logged, times the share believed; error: of its
        doubly robust estimate on as many rounds as the gate will evaluate, taken from that on the query
        rounds. A sharp read-out earns most, but its estimate is the noisiest, and a policy whose gain can't
        be shown earns nothing; where items are nearly tied, a softer one gives up little and is shown far
        more often. In a large log the sharpest is best; but none is taken whose effective rounds are a
        smaller share of all than least_effective, for the gate would not believe its estimate, however good.
        """
        query = self.query
        gains, terms, weights = (
            torch.zeros(len(TEMPERATURES), query.n, dtype=torch.float64) for _ in range(3)
        )
        for policy, rows in self._walk(by_segment, otherwise):
            part, q_hat = query.select(rows), self.q_hat[rows]
            scores = _scores(policy, part)
            expected = self._expected(scores, part)
            for place, temperature in enumerate(TEMPERATURES):
                served = shares(restricted(scores / temperature, part.availability()))
                gain = (served * expected).sum(1) - expected.gather(1, part.action[:, None])[:, 0]
                values = doubly_robust_terms(
                    served.to(q_hat), part.action, part.propensity, part.reward, q_hat
                )
                weight = served.gather(1, part.action[:, None])[:, 0] / part.propensity
                gains[place, rows.cpu()] = gain.cpu()
                weights[place, rows.cpu()] = weight.double().cpu()
                terms[place, rows.cpu()] = (values - part.reward).double().cpu()
        errors = torch.tensor([clustered_standard_error(one, query.cluster) for one in terms])
        errors /= math.sqrt(self.gate_rounds_per_query)
        gain = believed * gains.mean(1)
        shown = torch.special.ndtr(gain / errors.clamp_min(1e-12) - DEMANDED)
        effective = weights.sum(1).square() / (query.n * weights.square().sum(1)).clamp_min(1e-300)
        shown[:-1] *= effective[:-1] >= least_effective  # the softest is what is left where none will do
        if float(gain.max()) <= _NO_GAIN * self.model.reward_scale:
            return NOTHING_KNOWN
        return TEMPERATURES[int((gain.clamp_min(0.0) * shown).argmax())]

    def _expected(self, scores: Tensor, rounds: LoggedRounds) -> Tensor:
        """Return the rewards that scores [n, A] expect, at the level that suits these rounds best."""
        logged = scores.gather(1, rounds.action[:, None])[:, 0]
        reward = rounds.reward.double() / self.model.reward_scale
        level = best_level(logged, reward, is_binary=self.model.is_binary)
        return torch.sigmoid(scores + level) if self.model.is_binary else scores * self.model.reward_scale

    def terms(self, by_segment: Mapping[int, Policy], otherwise: Policy) -> tuple[Tensor, Tensor]:
        """Return log-likelihood and doubly robust term of each query round [n], by its segment's policy.

        The level of each slot in each segment is profiled out of the likelihood: a constant changes no
        choice, and a best-seller list that knows no slots would else seem worse than it serves.
        """
        query = self.query
        score, values = (torch.zeros(query.n, dtype=torch.float64) for _ in range(2))
        for policy, rows in self._walk(by_segment, otherwise):
            part, q_hat = query.select(rows), self.q_hat[rows]
            scores = _scores(policy, part)
            score[rows.cpu()] = scores.gather(1, part.action[:, None])[:, 0].cpu()
            served = shares(restricted(scores / policy.temperature, part.availability())).to(q_hat)
            values[rows.cpu()] = (
                doubly_robust_terms(served, part.action, part.propensity, part.reward, q_hat).double().cpu()
            )
        likelihood, reward = torch.zeros_like(score), query.reward.cpu()
        place = (query.segment * query.n_slots + query.slot).cpu()
        for cell in torch.unique(place).tolist():
            rows = torch.nonzero(place == cell).flatten()
            likelihood[rows] = _profiled(score[rows], reward[rows], self.model)
        return likelihood, values

    def _walk(
        self, by_segment: Mapping[int, Policy], otherwise: Policy
    ) -> Iterator[tuple[ScoredPolicy, Tensor]]:
        """Yield each segment's policy with the query rounds that it is to score, a limited number at once."""
        at_once = max(1, _CELLS_AT_ONCE // self.query.n_actions)
        for segment in torch.unique(self.query.segment).tolist():
            policy = by_segment.get(segment, otherwise)
            if not isinstance(policy, ScoredPolicy):
                raise TypeError(f"{policy.name} has no scores, so it can't be evaluated on later rewards.")
            for rows in torch.split(torch.nonzero(self.query.segment == segment).flatten(), at_once):
                yield policy, rows


def time_split(tasks: Tasks, *, seed: int) -> TimeSplit:
    """Fit the pooled model on the support windows of all segments but the sealed ones, and evaluate on query.

    Where either window is empty, the earlier and the later half of what there is are taken instead; and where
    every segment is sealed, none is.
    tasks: on the device that learns.
    Raises InputDataError if there are no rounds to learn from.
    """
    open_to_all = [
        segment for name in ("meta_train", "meta_validation", "none") for segment in tasks.split(name)
    ]
    if tasks.window("training", open_to_all).n == 0:
        open_to_all = list(range(tasks.n_segments))
    support, query = (tasks.window(name, open_to_all) for name in ("support", "query"))
    if support.n == 0 or query.n == 0:
        training = tasks.window("training", open_to_all)
        if training.n < 2:
            raise InputDataError(
                "No segment has rounds to learn from: widen the log's interval or lower the segment limits."
            )
        order = torch.arange(training.n, device=training.action.device)
        support, query = training.select(order[: training.n // 2]), training.select(order[training.n // 2 :])

    def fitted(with_factors: bool) -> TimeSplit:
        model = fit_model(support, with_segments=False, with_factors=with_factors, seed=seed)
        nothing = torch.zeros(query.n)
        q_hat = model.expected_rewards(query).to(query.reward)
        unevaluated = TimeSplit(support, query, model, q_hat, nothing, nothing, gate_rounds_per_query(tasks))
        # What others are compared with is read out as it would serve, as they are.
        sharp = ScoredPolicy("pooled", model.score(), READ_OUT)
        temperature = unevaluated.read_out({}, sharp)
        likelihood, values = unevaluated.terms({}, replace(sharp, temperature=temperature))
        return replace(unevaluated, likelihood=likelihood, values=values, temperature=temperature)

    plain = fitted(with_factors=False)
    if support.history is None:
        return plain
    rich = fitted(with_factors=True)
    return rich if rich.lead_of(plain.likelihood) < -LEAD else plain


LEAD = 1.0
"""Standard errors by which a model with more coefficients must predict later rounds better to be chosen. The
rounds are many, of all segments, so one is enough; the sign alone would follow noise."""

READ_OUT = 0.01
"""Temperature of the softmax over scores that follows the best item for all but ties. Exploration is
separate, by whole slates, so a softer one is taken only to be shown to earn more (`TimeSplit.read_out`)."""

TEMPERATURES = (READ_OUT, 0.02, 0.05, 0.1, 0.2)
"""Temperatures that are tried, the sharpest first."""

_NO_GAIN = 1e-9
"""Expected gain, in units of the rewards, under which scores are equal but for rounding."""

NOTHING_KNOWN = 1.0
"""Temperature where scores are equal: what a learner adds to them later is noise."""

DEMANDED = 1.96
"""Standard errors that the gate requires of a gain at its usual confidence."""


def _scores(policy: ScoredPolicy, rounds: LoggedRounds) -> Tensor:
    """Return the scores of every item, float64 [n, A], on the rounds' device."""
    with torch.no_grad():
        scores = policy.score(rounds.context, rounds.slot, rounds.item_features, rounds.history)
    return scores.to(rounds.action.device, torch.float64)


def _profiled(score: Tensor, reward: Tensor, model: MixedModel) -> Tensor:
    scaled = reward.double() / model.reward_scale
    level = best_level(score, scaled, is_binary=model.is_binary)
    return -negative_log_likelihood(score + level, scaled, is_binary=model.is_binary)


def training_rounds(tasks: Tasks) -> tuple[LoggedRounds, Sequence[Finding]]:
    """Return the rounds before the holdout of the training segments, and notes on them.

    All segments are training segments where no split has any. Raises InputDataError if there are no rounds.
    """
    taught = tasks.window("training", tasks.split("meta_train"))
    if taught.n:
        return taught, ()
    everything = tasks.window("training")
    if everything.n == 0:
        raise InputDataError(
            "No segment has rounds to learn from: widen the log's interval or lower the segment limits."
        )
    return everything, (Finding("no_rounds_to_learn_from", "meta_train"),)
