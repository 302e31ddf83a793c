"""The model as a whole: what it finds in small worlds, and that adapting is what the fit itself does."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from offline_rl.logged_data import LoggedRounds, Tasks
from offline_rl.mixed_model.columns import kinds_of_items
from offline_rl.mixed_model.fit import FitSettings, LevelRows, fit_mixed_model
from offline_rl.mixed_model.level import CellRows
from offline_rl.mixed_model.model import MixedModel, fit_model
from offline_rl.mixed_model.storage import card_of, numbers_of, restored_model
from offline_rl.user_history import Touches, UserHistory
from tests.laws.learners import load_world, log_rounds, make_world, opposite_world


@pytest.fixture(scope="module")
def tasks(tmp_path_factory: pytest.TempPathFactory) -> Tasks:
    world = make_world(segments=12, items=6, features=3, click_rate=0.2, heterogeneity=0.8)
    return load_world(tmp_path_factory.mktemp("mixed"), log_rounds(world, 300))


@pytest.fixture(scope="module")
def model(tasks: Tasks) -> MixedModel:
    return fit_model(tasks.window("training"), with_segments=True, with_factors=False, seed=0)


def variance_of(model: MixedModel, row: str, column: str, *, segment: bool = False) -> float:
    level = model.structure.segment if segment else model.structure.shared
    names = [(block.row, block.column) for block in level.blocks]
    return float(model.variances[int(segment)][names.index((row, column))])


def test_adapting_to_all_segments_is_adapting_to_each(tasks: Tasks, model: MixedModel) -> None:
    rounds = tasks.window("training")
    together = model.segment_effects(rounds, rounds.segment, tasks.n_segments)
    for segment in range(0, tasks.n_segments, 5):
        own = tasks.window("training", [segment])
        alone = model.segment_effects(own, torch.zeros_like(own.segment), 1)[0]
        torch.testing.assert_close(together[segment], alone, rtol=1e-6, atol=1e-8)


def test_a_segments_posterior_given_the_shared_part_is_the_fits_own(tasks: Tasks) -> None:
    """Backfitting settles where each level is the posterior mode given the other."""
    rounds = tasks.window("training")
    model = fit_model(
        rounds,
        with_segments=True,
        with_factors=False,
        seed=0,
        settings=FitSettings(rounds=12, settling=40),
    )
    written = model.columns.of_logged(rounds)
    zero = torch.zeros_like(rounds.action)
    parts = [
        LevelRows(model.structure.shared, CellRows.of(written, zero, rounds.action, 1, rounds.n_actions)),
        LevelRows(
            replace(model.structure.segment, n_groups=tasks.n_segments),
            CellRows.of(
                written[:, model.structure.slopes],
                rounds.segment,
                rounds.action,
                tasks.n_segments,
                rounds.n_actions,
            ),
        ),
    ]
    joint = fit_mixed_model(
        parts,
        model.features,
        rounds.reward,
        is_binary=True,
        settings=FitSettings(rounds=0, settling=60),
        variances=model.variances,
    )
    effects = model.segment_effects(rounds, rounds.segment, tasks.n_segments)
    torch.testing.assert_close(joint.coefficients[1].of_items(model.features), effects, rtol=1e-2, atol=2e-3)


def test_a_pooled_model_knows_no_segment(tasks: Tasks) -> None:
    pooled = fit_model(tasks.window("training"), with_segments=False, with_factors=False, seed=0)
    rounds = tasks.window("holdout")
    effects = pooled.segment_effects(rounds, rounds.segment, tasks.n_segments)
    assert float(effects.abs().max()) < 1e-3


def test_segments_that_like_opposite_items_get_a_large_variance(tmp_path: Path) -> None:
    opposite = load_world(tmp_path, log_rounds(opposite_world(), 300))
    found = fit_model(opposite.window("training"), with_segments=True, with_factors=False, seed=0)
    of_segments = [variance_of(found, row, "one", segment=True) for row in ("item", "feature 0")]
    assert sum(of_segments) > 1.0


def test_what_is_written_of_all_candidates_is_what_is_written_of_the_logged_one(
    tasks: Tasks, model: MixedModel
) -> None:
    rounds = tasks.window("holdout")
    scores = model.scores(rounds.context, rounds.slot)
    logged = scores.gather(1, rounds.action[:, None])[:, 0]
    torch.testing.assert_close(logged, model.logged_scores(rounds))
    torch.testing.assert_close(model.expected_rewards(rounds), torch.sigmoid(scores))


def test_rewards_add_up_to_what_was_logged(tasks: Tasks) -> None:
    """Calibration in the large: the penalized items leave the mean reward within a hundredth."""
    rounds = tasks.window("training")
    pooled = fit_model(rounds, with_segments=False, with_factors=False, seed=0)
    expected = torch.sigmoid(pooled.logged_scores(rounds)).mean()
    assert float(expected) == pytest.approx(float(rounds.reward.mean()), abs=0.01)


def with_history(rounds: LoggedRounds, own: torch.Tensor) -> LoggedRounds:
    """Each user has viewed one item, six times."""
    n = rounds.n
    amount = torch.zeros(n, 5)
    amount[:, 0] = 6.0
    touches = Touches(torch.arange(n + 1), own, amount)
    return replace(rounds, history=UserHistory(torch.arange(n), touches))


def personal_rounds(n: int = 6000, items: int = 16) -> tuple[LoggedRounds, torch.Tensor]:
    """Everybody clicks the item that they have looked at in 20 of 100 rounds, and others in 2."""
    generator = torch.Generator().manual_seed(0)
    own, action = (torch.randint(items, (n,), generator=generator) for _ in range(2))
    chance = torch.where(own == action, 0.2, 0.02)
    rounds = LoggedRounds(
        context=torch.zeros(n, 1),
        slot=torch.zeros(n, dtype=torch.int64),
        action=action,
        reward=(torch.rand(n, generator=generator) < chance).double(),
        propensity=torch.full((n,), 1 / items, dtype=torch.float64),
        set_index=torch.zeros(n, dtype=torch.int64),
        available=torch.ones(1, items, dtype=torch.bool),
        segment=torch.zeros(n, dtype=torch.int64),
        cluster=torch.arange(n),
        item_features=torch.eye(items),
        n_slots=1,
    )
    return with_history(rounds, own), own


@pytest.mark.parametrize("with_factors", [False, True])
def test_each_visitor_gets_the_item_that_they_have_viewed(with_factors: bool) -> None:
    rounds, own = personal_rounds()
    found = fit_model(rounds, with_segments=False, with_factors=with_factors, seed=0)
    best = found.scores(rounds.context, rounds.slot, rounds.history).argmax(1)
    assert float((best == own).double().mean()) > 0.99


def kindred_rounds(n: int = 6000, items: int = 24) -> tuple[LoggedRounds, torch.Tensor]:
    """Everybody has viewed 3 of a crowd of 12 items, and clicks the 12 in 20 % of rounds, others in 2 %."""
    rounds, _ = personal_rounds(n, items)
    generator = torch.Generator().manual_seed(1)
    crowd = torch.arange(n) // 7 % 2
    viewed = torch.rand(n, 12, generator=generator).argsort(1)[:, :3] + 12 * crowd[:, None]
    chance = torch.where(rounds.action // 12 == crowd, 0.2, 0.02)
    reward = (torch.rand(n, generator=generator) < chance).double()
    amount = torch.zeros(3 * n, 5)
    amount[:, 0] = 1.0
    touches = Touches(3 * torch.arange(n + 1), viewed.flatten(), amount)
    return replace(rounds, reward=reward, history=UserHistory(torch.arange(n), touches)), crowd


def test_a_taste_carries_to_items_that_nobody_viewed_before_them() -> None:
    rounds, crowd = kindred_rounds()
    found = fit_model(rounds, with_segments=False, with_factors=False, seed=0)
    scores = found.scores(rounds.context, rounds.slot, rounds.history)
    is_own = torch.arange(24) // 12 == crowd[:, None]
    own, others = torch.sigmoid(scores[is_own]), torch.sigmoid(scores[~is_own])
    assert float(own.mean()) == pytest.approx(0.2, abs=0.04)
    assert float(others.mean()) == pytest.approx(0.02, abs=0.02)


def test_logged_items_score_as_all_candidates_do() -> None:
    rounds, _ = kindred_rounds(3000)
    found = fit_model(rounds, with_segments=False, with_factors=True, seed=0)
    scores = found.scores(rounds.context, rounds.slot, rounds.history)
    torch.testing.assert_close(
        found.logged_scores(rounds), scores.gather(1, rounds.action[:, None])[:, 0], rtol=1e-9, atol=1e-9
    )


def test_scoring_a_part_of_a_log_copies_no_more_than_its_part_of_the_table(monkeypatch) -> None:
    """A copy of the whole table for every part would make a night's time grow with its rounds squared."""
    rounds, _ = personal_rounds(600)
    found = fit_model(rounds, with_segments=False, with_factors=True, seed=0)
    whole = found.scores(rounds.context, rounds.slot, rounds.history)
    copied = []

    def counted(table: Touches, device: torch.device, dtype: torch.dtype) -> Touches:
        copied.append(table.n_states)
        return Touches(table.first.to(device), table.item.to(device), table.amount.to(device, dtype))

    monkeypatch.setattr(Touches, "to", counted)
    part = rounds.select(torch.arange(100, 110))
    torch.testing.assert_close(found.scores(part.context, part.slot, part.history), whole[100:110])
    assert copied == [10]


def test_a_visitor_without_history_gets_the_same_as_anybody_without() -> None:
    rounds, _ = personal_rounds(2000)
    assert rounds.history is not None
    found = fit_model(rounds, with_segments=False, with_factors=True, seed=0)
    stranger = UserHistory(torch.full((rounds.n,), -1), rounds.history.touches)
    torch.testing.assert_close(
        found.scores(rounds.context, rounds.slot, stranger), found.scores(rounds.context, rounds.slot, None)
    )


def test_a_number_that_is_its_own_items_alone_joins_no_block() -> None:
    rounds, _ = personal_rounds(50)
    described = replace(
        rounds,
        item_features=torch.cat([torch.arange(16.0)[:, None], torch.arange(16.0)[:, None] % 2], 1),
        item_block=torch.tensor([-1, 0]),
    )
    assert [kind.name for kind in kinds_of_items(described)] == ["item", "feature 0"]


def test_what_is_stored_scores_the_same() -> None:
    rounds, _ = personal_rounds(2000)
    found = fit_model(rounds, with_segments=True, with_factors=True, seed=0)
    again = restored_model(numbers_of(found), card_of(found))
    assert torch.equal(
        again.scores(rounds.context, rounds.slot, rounds.history),
        found.scores(rounds.context, rounds.slot, rounds.history),
    )


def test_variances_are_learned_from_a_sample_of_a_large_log(
    tasks: Tasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds = tasks.window("training")
    whole = fit_model(rounds, with_segments=True, with_factors=False, seed=0)
    monkeypatch.setattr("offline_rl.mixed_model.model.LEARNED_FROM", 3 * rounds.n // 5)
    sampled = fit_model(rounds, with_segments=True, with_factors=False, seed=0)
    context, slot = rounds.context[:200], rounds.slot[:200]
    there, here = whole.scores(context, slot), sampled.scores(context, slot)
    assert np.corrcoef(there.flatten(), here.flatten())[0, 1] > 0.95


def test_no_rounds_are_refused(tasks: Tasks) -> None:
    nothing = tasks.rounds.select(torch.tensor([], dtype=torch.int64))
    with pytest.raises(ValueError, match="no rounds"):
        fit_model(nothing, with_segments=False, with_factors=False, seed=0)


@pytest.mark.slow
def test_five_hundred_brands_and_an_embedding_are_borne() -> None:
    """As blocks of features and context they would ask for a dense system of 500 x 300 squared."""
    n, items, generator = 3000, 1000, torch.Generator().manual_seed(0)
    brand = torch.nn.functional.one_hot(torch.arange(items) // 2, 500).float()
    category = torch.nn.functional.one_hot(torch.arange(items) % 5, 5).float()
    rounds = LoggedRounds(
        context=torch.randn(n, 300, generator=generator),
        slot=torch.zeros(n, dtype=torch.int64),
        action=torch.randint(items, (n,), generator=generator),
        reward=(torch.rand(n, generator=generator) < 0.1).double(),
        propensity=torch.full((n,), 1 / items, dtype=torch.float64),
        set_index=torch.zeros(n, dtype=torch.int64),
        available=torch.ones(1, items, dtype=torch.bool),
        segment=torch.randint(400, (n,), generator=generator),
        cluster=torch.arange(n),
        item_features=torch.cat([brand, category], 1),
        n_slots=1,
        context_block=torch.zeros(300, dtype=torch.int64),
        item_block=torch.tensor([0] * 500 + [1] * 5),
    )
    found = fit_model(
        rounds, with_segments=True, with_factors=False, seed=0, settings=FitSettings(rounds=1, settling=1)
    )
    assert found.features.shape == (items, 6)  # one for all and the categories; brands are too many
    assert len(found.structure.slopes) == 1
    assert bool(torch.isfinite(found.scores(rounds.context[:5], rounds.slot[:5])).all())
