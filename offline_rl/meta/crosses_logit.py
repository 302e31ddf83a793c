"""Crosses: one regularized logistic regression on one-hot columns and their crosses with the segment.

    score = level + traits + slot + item + segment x item + segment x item features

It is what a data scientist writes in fifty lines of scikit-learn, and a baseline for the other learners. The
context moves the level alone, so within a segment one list of items is served to all.
Source: the wide half of Cheng et al. 2016 (Wide & Deep).
"""

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
import torch
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge
from torch import Tensor

from features.contracts.findings import Finding
from offline_rl.logged_data import LoggedRounds
from offline_rl.meta.effects_meta_policy import refusal_of_nothing
from offline_rl.meta.fit_by_time import ON_EVERY_CARD, UNVALIDATED, fit_by_time
from offline_rl.meta.item_rates import reward_units
from offline_rl.meta.meta_policy import CurvePoint, Progress, WithoutPooledModel
from offline_rl.meta.shared_fits import SharedFits
from offline_rl.mixed_model.columns import is_indicator, item_rows
from offline_rl.policies.policy import Policy
from offline_rl.policies.scored_policy import ScoredPolicy
from offline_rl.user_history import UserHistory

PENALTY = 10.0
"""Penalty on squared coefficients: C = 0.1 in scikit-learn, and alpha = 10 for standardized amounts."""

_ITERATIONS = 300

_GRADIENT = 0.01
"""Largest entry of the summed gradient at which fitting ends: within 0.01 / PENALTY of the optimum. For
scikit-learn the gradient is divided by the number of rounds, and its default of 1e-4 left coefficients up to
0.25 in log-odds from their optimum in a simulated log of 200,000 rounds."""


@dataclass(frozen=True, eq=False)
class CrossedModel:
    """Coefficients, in log-odds of 0/1 rewards or in standard deviations of others.

    traits [T]: context columns that are 0/1 indicators; trait [T], slot [L], item [A]: float64.
    segments [G]: those fitted, ascending; own [G, A]: what each adds to an item, with what its features add;
    in float32, for ten thousand segments of two thousand items fill 80 MB.
    """

    level: float
    traits: Tensor
    trait: Tensor
    slot: Tensor
    item: Tensor
    segments: Tensor
    own: Tensor

    def place(self, segment: int) -> int | None:
        """Return the row of a segment in `own`; None for one that wasn't fitted."""
        return place_of(segment, self.segments)


def place_of(segment: int, segments: Tensor) -> int | None:
    """Place of a segment among ascending `segments`; None where it isn't among them.

    >>> place_of(7, torch.tensor([2, 7])), place_of(3, torch.tensor([2, 7]))
    (1, None)
    """
    found = int(torch.searchsorted(segments, segment))
    return found if found < len(segments) and int(segments[found]) == segment else None


def refusal_of_unseen(support: LoggedRounds, segments: Tensor) -> str | None:
    """Return why a model has nothing for a segment that it was not fitted on, as a sentence; else None."""
    if support.n and place_of(int(support.segment[0]), segments) is None:
        return "The segment isn't among those that the model was fitted on: it needs a fit to learn of it."
    return refusal_of_nothing(support)


@dataclass(frozen=True, eq=False)
class CrossedScore:
    """Scores of a `CrossedModel` with the items' scores [A] of one segment, or of none."""

    model: CrossedModel
    of_item: Tensor

    def __call__(
        self, context: Tensor, slot: Tensor, item_features: Tensor, history: UserHistory | None = None
    ) -> Tensor:
        """See `Score`; float64 [n, A]."""
        del item_features, history
        model, device = self.model, context.device
        traits = context[:, model.traits.to(device)].double() @ model.trait.to(device)
        same = model.level + traits + model.slot.to(device)[slot]
        return same[:, None] + self.of_item.to(device)


@dataclass(frozen=True, eq=False)
class CrossesLogitMetaPolicy(WithoutPooledModel):
    """Serves the best item by a logistic regression with crosses; see the module.

    lead: see `offline_rl.meta.fit_by_time.FittedPolicy`. The other fields: see `MetaPolicy`.
    """

    kind: ClassVar[str] = "crosses_logit"

    name: str
    model: CrossedModel
    temperature: float
    is_binary: bool
    reward_scale: float
    lead: float
    validation_value: float
    validation_gain: float
    curve: tuple[CurvePoint, ...] = ()
    notes: tuple[Finding, ...] = ()

    def zero_shot(self) -> ScoredPolicy:
        """Return the policy without any cross with a segment."""
        return ScoredPolicy(self.name, CrossedScore(self.model, self.model.item), self.temperature)

    def adapt(self, support: LoggedRounds) -> ScoredPolicy:
        """Return policy of the segment that `support` comes from, as fitted; zero-shot for an unseen one."""
        if self.refusal(support) is not None:
            return self.zero_shot()
        return self._of_segment(int(support.segment[0]))

    def adapt_each(self, rounds: LoggedRounds) -> dict[int, Policy]:
        """Return segment → its policy, for every segment that has rounds here."""
        return {segment: self._of_segment(segment) for segment in torch.unique(rounds.segment).tolist()}

    def refusal(self, support: LoggedRounds) -> str | None:
        """Refuse an empty support, and that of a segment that wasn't fitted."""
        return refusal_of_unseen(support, self.model.segments)

    @property
    def adapts(self) -> bool:
        """Whether any segment differs from the others."""
        return bool(self.model.own.any())

    def fitted_again(self, rounds: LoggedRounds, seed: int) -> Self:
        """Fit the same regression on other rounds."""
        del seed
        return replace(self, **_fitted(rounds))

    def numbers(self) -> dict[str, Tensor]:
        """Return the tensors to store, by name."""
        return {name: value for name, value in vars(self.model).items() if isinstance(value, Tensor)}

    def card(self) -> dict[str, Any]:
        """Return the other fields but the curve, in a form that JSON can hold."""
        return {
            "level": self.model.level,
            **{name: getattr(self, name) for name in ON_EVERY_CARD},
        }

    @classmethod
    def restored(cls, numbers: Mapping[str, Tensor], card: Mapping[str, Any], **shared: Any) -> Self:
        """Build the policy from its `numbers` and `card`; shared: the fields that every meta-policy has."""
        own = dict(card)
        return cls(model=CrossedModel(level=own.pop("level"), **numbers), **own, **shared)

    def _of_segment(self, segment: int) -> ScoredPolicy:
        place = self.model.place(segment)
        if place is None:
            return self.zero_shot()
        of_item = self.model.item + self.model.own[place].double()
        return ScoredPolicy(self.name, CrossedScore(self.model, of_item), self.temperature)


@dataclass(frozen=True)
class CrossesLogit:
    """Learns the regression of the module; its penalty is a common one, and isn't tuned."""

    name: str = "crosses_logit"

    def meta_train(self, fits: SharedFits, *, progress: Progress | None = None) -> CrossesLogitMetaPolicy:
        """See `Learner`: fitted on the training segments, and evaluated by time on all of them."""
        return fit_by_time(self._fit_of_rounds, fits, progress)

    def _fit_of_rounds(self, rounds: LoggedRounds) -> CrossesLogitMetaPolicy:
        return CrossesLogitMetaPolicy(
            name=self.name,
            **_fitted(rounds),
            **UNVALIDATED,
        )


def _fitted(rounds: LoggedRounds) -> dict[str, Any]:
    """Return the fields of `CrossesLogitMetaPolicy` that follow from rounds."""
    is_binary, scale = reward_units(rounds.reward)
    model = fit_crosses(rounds.to("cpu", torch.float64), is_binary=is_binary, reward_scale=scale)
    return {"model": model, "is_binary": is_binary, "reward_scale": scale}


def fit_crosses(rounds: LoggedRounds, *, is_binary: bool, reward_scale: float) -> CrossedModel:
    """Fit the regression to rounds on the CPU: L2 on all coefficients but the level.

    Only pairs of segment and item that were shown get a column: the penalty leaves all others at 0.
    """
    segments, place = torch.unique(rounds.segment, return_inverse=True)
    cells, cell = torch.unique(place * rounds.n_actions + rounds.action, return_inverse=True)
    features, traits = item_rows(rounds)[0][:, 1:].numpy(), indicator_columns(rounds)
    n_features = features.shape[1]
    of_features = sparse.csr_array(features)[rounds.action.numpy()]
    moved = of_features.indices + np.repeat(place.numpy() * n_features, np.diff(of_features.indptr))
    shape = (rounds.n, len(segments) * n_features)
    design = sparse.hstack(
        [
            sparse.csr_array(rounds.context[:, traits].numpy()),
            _one_hot(rounds.slot, rounds.n_slots),
            _one_hot(rounds.action, rounds.n_actions),
            _one_hot(cell, len(cells)),
            sparse.csr_array((of_features.data, moved, of_features.indptr), shape=shape),
        ],
        format="csr",
    )
    level, weights = _regressed(design, rounds.reward.numpy() / reward_scale, is_binary=is_binary)
    sizes = [len(traits), rounds.n_slots, rounds.n_actions, len(cells), shape[1]]
    trait, slot, item, of_cell, of_feature = torch.split(torch.from_numpy(weights), sizes)
    own = of_feature.reshape(len(segments), n_features) @ torch.from_numpy(features).T
    own.reshape(-1)[cells] += of_cell
    return CrossedModel(
        level=level,
        traits=traits,
        trait=trait.clone(),
        slot=slot.clone(),
        item=item.clone(),
        segments=segments,
        own=own.float(),
    )


def indicator_columns(rounds: LoggedRounds) -> Tensor:
    """Return context columns [T] whose block marks the levels of one trait; each by itself without blocks."""
    n_columns = rounds.context.shape[1]
    block = torch.arange(n_columns) if rounds.context_block is None else rounds.context_block.cpu()
    kept = [number for number in set(block.tolist()) if is_indicator(rounds.context[:, block == number])]
    return torch.nonzero(torch.isin(block, block.new_tensor(kept))).flatten()


def _one_hot(code: Tensor, n_codes: int) -> Any:
    n = len(code)
    return sparse.csr_array((np.ones(n), code.numpy(), np.arange(n + 1)), shape=(n, n_codes))


def _regressed(design: Any, reward: Any, *, is_binary: bool) -> tuple[float, Any]:
    """Return the level and coefficients [columns]."""
    if is_binary and reward.min() == reward.max():
        # One class alone teaches nothing but the level, here with half a success and half a failure more.
        share = (reward.sum() + 0.5) / (len(reward) + 1.0)
        return math.log(share / (1.0 - share)), np.zeros(design.shape[1])
    model: Any = Ridge(alpha=PENALTY)
    if is_binary:
        model = LogisticRegression(
            C=1.0 / PENALTY, solver="lbfgs", max_iter=_ITERATIONS, tol=_GRADIENT / len(reward)
        )
    with warnings.catch_warnings():
        # What 300 iterations leave open is in the last digits, and moves no choice.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(design, reward)
    return float(np.ravel(model.intercept_)[0]), np.ravel(model.coef_).astype(np.float64)
