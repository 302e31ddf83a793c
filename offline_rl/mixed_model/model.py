"""The mixed model of a log: one fit that is pooled model, random effects and segment adaptation in one.

Sources: Gelman & Hill 2007, chapters 12 to 14, for models of several levels; MacKay 1992 for their variances.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from offline_rl.logged_data import LoggedRounds
from offline_rl.mixed_model.columns import Columns, fit_columns, item_rows
from offline_rl.mixed_model.fit import FitSettings, Fitted, LevelRows, fit_mixed_model, start_variances
from offline_rl.mixed_model.level import CellRows, Coefficients
from offline_rl.mixed_model.structure import Structure, structure_of
from offline_rl.mixed_model.variances import LEAST
from offline_rl.user_history import UserHistory

LEARNED_FROM = 100_000
"""Rounds that prior variances are learned from: a few dozen numbers need no more; the final fit has all.
Only where a log has half as many more: below that, fitting twice costs more than it saves."""

_CELLS_AT_ONCE = 1 << 23
"""Pairs of round and item that are scored at once: 64 MB."""

_SETTLING = 5
"""Newton passes of a final fit, and of adapting to a segment: each doubles the digits."""


@dataclass(frozen=True, eq=False)
class MixedModel:
    """q(x, slot, item) in a segment: sigmoid(score) for 0/1 rewards, reward_scale * score for others.

    columns, structure, features: how decisions and items are written. shared: what all segments share.
    variances: of the shared and of the segment blocks. noise: variance of a reward around its score, in
    squared units of reward_scale; 1 for 0/1 rewards.
    """

    columns: Columns
    structure: Structure
    features: Tensor
    base: float
    shared: Coefficients
    variances: tuple[Tensor, Tensor]
    noise: float
    is_binary: bool
    reward_scale: float

    @property
    def has_factors(self) -> bool:
        """Whether history factors are among its columns."""
        return self.columns.basis.shape[1] > 0

    def scores(
        self,
        context: Tensor,
        slot: Tensor,
        history: UserHistory | None = None,
        segment: Tensor | None = None,
    ) -> Tensor:
        """Return the scores of every item: float64 [n, A].

        segment [A, D']: what a segment adds, by item, as one row of `segment_effects`; None adds nothing.
        """
        history = self.columns.moved(history)
        written = self.columns.of_context(context, slot, history)
        by_item = self.shared.of_items(self.features)[0]
        width = written.shape[1]
        scores = self.base + written @ by_item[:, :width].T
        scores = scores + self.columns.pair_scores(history, self.shared.feature[0, 0, width:])
        if segment is not None:
            scores = scores + written[:, self.structure.slopes] @ segment.T
        return scores

    def logged_scores(self, rounds: LoggedRounds) -> Tensor:
        """Return the shared scores of each round's logged item, float64 [n]."""
        by_item = self.shared.of_items(self.features)[0]
        written, action = self.columns.of_logged(rounds), rounds.action.to(by_item.device)
        return self.base + (written * by_item[action]).sum(1)

    def segment_effects(self, rounds: LoggedRounds, group: Tensor, n_groups: int) -> Tensor:
        """Return posterior mode of what each group of rounds likes otherwise: [n_groups, A, D'], all at once.

        group int64 [n]: 0..n_groups - 1. A group without rounds gets zeros, the prior's mean.
        """
        level = replace(self.structure.segment, n_groups=n_groups)
        if rounds.n == 0:
            return Coefficients.zeros(level, len(self.features)).of_items(self.features)
        written = self.columns.of_context(rounds.context, rounds.slot, None)[:, self.structure.slopes]
        device = self.features.device
        rows = CellRows.of(written, group.to(device), rounds.action.to(device), n_groups, len(self.features))
        fitted = fit_mixed_model(
            [LevelRows(level, rows)],
            self.features,
            rounds.reward.to(device) / self.reward_scale,
            is_binary=self.is_binary,
            settings=FitSettings(rounds=0, settling=_SETTLING),
            variances=[self.variances[1]],
            offset=self.logged_scores(rounds),
            noise=self.noise,
        )
        return fitted.coefficients[0].of_items(self.features)

    def score(self, segment: Tensor | None = None) -> "MixedScore":
        """Return the score as policies read it; segment [A, D']: the effects of one."""
        return MixedScore(self, segment)

    def expected_rewards(self, rounds: LoggedRounds) -> Tensor:
        """Return all items' expected rewards by the shared scores, in the log's units: [n, A]."""
        rows = torch.arange(rounds.n, device=rounds.action.device)
        expected = []
        for part in torch.split(rows, max(1, _CELLS_AT_ONCE // rounds.n_actions)):
            some = rounds.select(part)
            scores = self.scores(some.context, some.slot, some.history)
            expected.append(torch.sigmoid(scores) if self.is_binary else scores * self.reward_scale)
        return torch.cat(expected)


def with_offset(model: MixedModel, rounds: LoggedRounds) -> LoggedRounds:
    """Return the rounds with the model's shared scores as their offset, in their own dtype."""
    rows = torch.arange(rounds.n, device=rounds.action.device)
    offset = torch.empty(rounds.n, rounds.n_actions, dtype=rounds.context.dtype, device=rows.device)
    for part in torch.split(rows, max(1, _CELLS_AT_ONCE // rounds.n_actions)):
        some = rounds.select(part)
        offset[part] = model.scores(some.context, some.slot, some.history).to(offset)
    return replace(rounds, offset=offset)


@dataclass(frozen=True, eq=False)
class MixedScore:
    """score(context, slot, item_features, history) → [n, A] of a mixed model in one segment.

    It knows its items' features, so those it is given are not read.
    """

    model: MixedModel
    segment: Tensor | None

    def __call__(
        self, context: Tensor, slot: Tensor, item_features: Tensor, history: UserHistory | None = None
    ) -> Tensor:
        """See the class."""
        del item_features
        return self.model.scores(context, slot, history, self.segment)


def fit_model(
    rounds: LoggedRounds,
    *,
    with_segments: bool,
    with_factors: bool,
    seed: int,
    settings: FitSettings | None = None,
) -> MixedModel:
    """Fit a mixed model to logged rounds; without segments it is a pooled model.

    with_factors: whether the history factors have coefficients. They are hundreds, which pay where users
    differ in what no trait says, and cost where they don't (`offline_rl.meta.time_split` decides).
    Raises ValueError if there are no rounds.
    """
    if rounds.n == 0:
        raise ValueError("A mixed model can't be fitted on no rounds: give it the rounds of some segment.")
    is_binary = bool(((rounds.reward == 0) | (rounds.reward == 1)).all())
    scale = 1.0 if is_binary or rounds.n == 1 else float(rounds.reward.double().std()) or 1.0
    columns = fit_columns(rounds, with_factors=with_factors, seed=seed)
    features, names = item_rows(rounds, len(columns.context_block))
    structure = structure_of(
        columns,
        names,
        columns.of_context(rounds.context, rounds.slot, None),
        rounds.segment,
        int(rounds.segment.max()) + 1,
    )
    unfitted = MixedModel(
        columns=columns,
        structure=structure,
        features=features,
        base=0.0,
        shared=Coefficients.zeros(structure.shared, rounds.n_actions),
        variances=(torch.empty(0), torch.empty(0)),
        noise=1.0,
        is_binary=is_binary,
        reward_scale=scale,
    )
    written = columns.of_taught(rounds, seed)
    parts = _level_rows(structure, rounds, written, with_segments)
    final, variances = settings or FitSettings(), None
    if rounds.n > 3 * LEARNED_FROM // 2:
        drawn = torch.randperm(rounds.n, generator=torch.Generator().manual_seed(seed))[:LEARNED_FROM]
        drawn = drawn.sort().values.to(rounds.action.device)
        some = _level_rows(structure, rounds.select(drawn), written[drawn], with_segments)
        variances = _fit(unfitted, some, rounds.reward[drawn], replace(final, settling=0), None).variances
        final = replace(final, rounds=0, settling=_SETTLING)
    fitted = _fit(unfitted, parts, rounds.reward, final, variances)
    nothing = torch.full_like(start_variances(structure.segment), LEAST)
    return replace(
        unfitted,
        base=fitted.base,
        shared=fitted.coefficients[0],
        variances=(fitted.variances[0], fitted.variances[1] if with_segments else nothing),
        noise=fitted.noise,
    )


def _level_rows(
    structure: Structure, rounds: LoggedRounds, written: Tensor, with_segments: bool
) -> list[LevelRows]:
    """Return the rows of the level that all rounds share, and of segments' own; written [n, D]: columns."""
    items, action = rounds.n_actions, rounds.action
    everyone = torch.zeros_like(action)
    parts = [LevelRows(structure.shared, CellRows.of(written.float(), everyone, action, 1, items))]
    if with_segments:
        local = replace(structure.segment, n_groups=int(rounds.segment.max()) + 1)
        own = written[:, structure.slopes].float()
        parts.append(LevelRows(local, CellRows.of(own, rounds.segment, action, local.n_groups, items)))
    return parts


def _fit(
    model: MixedModel,
    parts: Sequence[LevelRows],
    reward: Tensor,
    settings: FitSettings,
    variances: Sequence[Tensor] | None,
) -> Fitted:
    return fit_mixed_model(
        parts,
        model.features,
        reward / model.reward_scale,
        is_binary=model.is_binary,
        settings=settings,
        variances=None if variances is None else variances[: len(parts)],
    )
