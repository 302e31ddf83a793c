"""Columns: how decisions are written for a mixed model, fixed once when it is fitted.

    1 | context | slot | history factors | pair features of the candidate

Context columns come in blocks (the levels of one trait, a user's whole history), and so do item features;
which block meets which, and so which coefficients exist, is decided in `structure`.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from offline_rl.logged_data import LoggedRounds
from offline_rl.mixed_model.factors import history_basis, history_columns
from offline_rl.mixed_model.kinship import Kinship
from offline_rl.mixed_model.pairs import N_NUMBERS, Kind, all_pairs, logged_pairs
from offline_rl.user_history import UserHistory

ONE, SLOT, HISTORY, ALL_ROUNDS, ITEM, KIN = "one", "slot", "history", "all", "item", "pair kin"
"""Names of blocks of columns (`ONE`, `SLOT`, `HISTORY`) and of rows (`ALL_ROUNDS`, `ITEM`) in every model."""

MOST_SHARED = 4000
"""Coefficients of item features that a model may have: their system is solved as one dense matrix."""

PRICE_BANDS = 5
"""Parts of a catalog of equal size, by each number that describes its items."""


@dataclass(frozen=True, eq=False)
class Columns:
    """The recipe of the columns: D = context columns + K numbers of each kind.

    context_block: name of the block of each context column, in order (1, context, slot, history factors).
    center: mean of each context column of the log, taken off, so that what an item has in the mean is its own
    effect alone and not, in part, that of each level of each trait.
    kinds, pair_scale: kinds of items whose history is looked up, and what their numbers are multiplied by,
    [kinds, K]. basis: of the history factors, [A, R]. n_slots: slots of a slate.
    """

    context_block: tuple[str, ...]
    center: Tensor
    kinds: tuple[Kind, ...]
    pair_scale: Tensor
    basis: Tensor
    kinship: Kinship
    kin_scale: float
    n_slots: int

    @property
    def blocks(self) -> tuple[str, ...]:
        """Name of the block of each of the D columns."""
        pairs = [f"pair {kind.name}" for kind in self.kinds for _ in range(N_NUMBERS)]
        return (*self.context_block, *pairs, *[KIN] * self.kinship.coordinates.shape[1])

    def of_context(self, context: Tensor, slot: Tensor, history: UserHistory | None) -> Tensor:
        """Return the columns that are the same for every candidate: [n, D - K kinds], in the basis' dtype."""
        like = self.basis
        one = torch.ones(len(slot), 1, dtype=like.dtype, device=like.device)
        in_slot = torch.nn.functional.one_hot(slot.to(like.device), self.n_slots).to(like)[:, 1:]
        parts = [one, context.to(like) - self.center, in_slot]
        moved = self.moved(history)
        if moved is None:
            parts.append(like.new_zeros(len(slot), like.shape[1]))
        else:
            parts.append(history_columns(moved, like))
        return torch.cat(parts, dim=1)

    def of_logged(self, rounds: LoggedRounds) -> Tensor:
        """Return all columns of each round's logged item: [n, D]."""
        history, coordinates = self.moved(rounds.history), self.kinship.coordinates
        if history is None:
            return self._with_kinship(rounds, coordinates.new_zeros(rounds.n, coordinates.shape[1]))
        return self._with_kinship(
            rounds, self.kinship.products(history, rounds.action.to(coordinates.device))
        )

    def of_taught(self, rounds: LoggedRounds, seed: int) -> Tensor:
        """Return the same for rounds that a model is fitted on: kinship as others' acts tell it."""
        history, device = self.moved(rounds.history), self.basis.device
        if history is None:
            return self.of_logged(rounds)
        return self._with_kinship(
            rounds,
            self.kinship.taught(history, rounds.cluster.to(device), rounds.action.to(device), seed=seed),
        )

    def _with_kinship(self, rounds: LoggedRounds, kinship: Tensor) -> Tensor:
        parts = [self.of_context(rounds.context, rounds.slot, rounds.history)]
        history, action = self.moved(rounds.history), rounds.action.to(self.basis.device)
        for kind, scale in zip(self.kinds, self.pair_scale, strict=True):
            if history is None:
                parts.append(self.basis.new_zeros(rounds.n, N_NUMBERS))
            else:
                parts.append(logged_pairs(history, kind, action) * scale)
        return torch.cat([*parts, kinship * self.kin_scale], dim=1)

    def moved(self, history: UserHistory | None) -> UserHistory | None:
        """Return the history where the basis is and in its dtype; itself if it is there already."""
        if history is None:
            return None
        amount, like = history.touches.amount, self.basis
        if amount.device == like.device and amount.dtype == like.dtype:
            return history
        return history.of_own_states().to(like.device, like.dtype)

    def pair_scores(self, history: UserHistory | None, weights: Tensor) -> Tensor | float:
        """Return weighted sum of each item's pair features, [n, A]; weights [kinds K]; 0 without history."""
        moved = self.moved(history)
        if moved is None:
            return 0.0
        split = len(self.kinds) * N_NUMBERS
        of_kind = weights[:split].reshape(len(self.kinds), N_NUMBERS)
        of_user = self.kinship.of_user(moved) * self.kin_scale * weights[split:]
        total = of_user @ self.kinship.coordinates.T
        for kind, scale, own in zip(self.kinds, self.pair_scale, of_kind, strict=True):
            total = total + all_pairs(moved, kind, own * scale)
        return total


def fit_columns(rounds: LoggedRounds, *, with_factors: bool, seed: int) -> Columns:
    """Decide how decisions like these are written: the history's basis and the pair features' scales.

    Every number of a pair gets half a standard deviation of one over the logged items; one that never varies
    gets none.
    """
    device = rounds.context.device
    n_columns = rounds.context.shape[1]
    block = rounds.context_block.tolist() if rounds.context_block is not None else [0] * n_columns
    names = [ONE, *(f"context {number}" for number in block), *[SLOT] * (rounds.n_slots - 1)]
    history = rounds.history
    basis = torch.zeros(rounds.n_actions, 0, dtype=torch.float64, device=device)
    kinds: tuple[Kind, ...] = ()
    scales = basis.new_zeros(0, N_NUMBERS)
    kinship, kin_scale = Kinship(basis, ()), 0.0
    if history is not None:
        exact = history.to(device, torch.float64)
        if with_factors:
            basis = history_basis(exact, rounds.n_actions, seed=seed)
        kinds = kinds_of_items(rounds)
        numbers = torch.stack([logged_pairs(exact, kind, rounds.action) for kind in kinds])
        spread = numbers.std(dim=1)
        scales = torch.where(spread > 1e-9, 0.5 / spread.clamp_min(1e-9), 0.0)
        kinship = Kinship.of(exact, rounds.cluster, rounds.n_actions, seed=seed)
        products = kinship.products(exact, rounds.action)
        # Where there is one item, it has no others to be like.
        varied = float(products.var(dim=0, correction=0).sum()) if products.numel() else 0.0
        kin_scale = 1.0 / varied**0.5 if varied > 1e-12 else 0.0
    return Columns(
        context_block=(*names, *[HISTORY] * basis.shape[1]),
        center=rounds.context.double().mean(0),
        kinds=kinds,
        pair_scale=scales,
        basis=basis,
        kinship=kinship,
        kin_scale=kin_scale,
        n_slots=rounds.n_slots,
    )


def item_rows(rounds: LoggedRounds, n_columns: int = 0) -> tuple[Tensor, tuple[str, ...]]:
    """Return item features z float64 [A, F] and the name of each one's block: a one for all, then the log's.

    Indicators of single items are left out: an item has coefficients of its own. Blocks are taken, the
    smallest first, while all features times the n_columns that they meet are at most `MOST_SHARED` (0 takes
    all): five hundred brands would ask for more numbers than a log knows, and more memory than a machine has.
    What users did with a brand is a pair feature all the same.
    """
    given = rounds.item_features.double()
    block = _item_block(rounds)
    sizes = Counter(number for number in block if number >= 0)
    taken: set[int] = set()
    for number in sorted(sizes, key=lambda number: (sizes[number], number)):
        if (1 + sum(sizes[one] for one in (*taken, number))) * n_columns <= MOST_SHARED:
            taken.add(number)
    kept = [place for place, number in enumerate(block) if number in taken]
    one = torch.ones(len(given), 1, dtype=torch.float64, device=given.device)
    return torch.cat([one, given[:, kept]], dim=1), (
        ALL_ROUNDS,
        *(f"feature {block[place]}" for place in kept),
    )


def kinds_of_items(rounds: LoggedRounds) -> tuple[Kind, ...]:
    """Return kinds: items alone, by each of their traits, and by bands of each number that describes them."""
    device = rounds.item_features.device
    alone = Kind(ITEM, torch.arange(rounds.n_actions, device=device))
    kinds, block = [alone], _item_block(rounds)
    for number in sorted({place for place in block if place >= 0}):
        values = rounds.item_features[:, [place for place, of in enumerate(block) if of == number]]
        code = _levels(values) if is_indicator(values) else _bands(values[:, 0])
        largest = int(torch.bincount(code.clamp_min(-1) + 1)[1:].max()) if bool((code >= 0).any()) else 0
        if 1 < largest < rounds.n_actions:
            kinds.append(Kind(f"feature {number}", code))
    return tuple(kinds)


def is_indicator(values: Tensor) -> bool:
    """Return whether columns [A, m] mark the levels of one trait: zeros and ones, at most one in a row."""
    return bool(((values == 0) | (values == 1)).all()) and bool((values.sum(1) <= 1).all())


def _item_block(rounds: LoggedRounds) -> Sequence[int]:
    if rounds.item_block is not None:
        return [int(number) for number in rounds.item_block]
    # Without names: what marks a single item is its indicator, all else is one block.
    alone = (rounds.item_features != 0).sum(0) <= 1
    return [-1 if single else 0 for single in alone.tolist()]


def _levels(values: Tensor) -> Tensor:
    return torch.where(values.sum(1) > 0, values.argmax(1), -1)


def _bands(values: Tensor) -> Tensor:
    order = torch.argsort(torch.argsort(values, stable=True), stable=True)
    return order * PRICE_BANDS // max(len(values), 1)
