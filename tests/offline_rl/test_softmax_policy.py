import pytest
import torch

from offline_rl import two_tower
from offline_rl.policies.softmax_policy import SoftmaxPolicy, log_probabilities, logged_scores
from offline_rl.two_tower import with_task_dimension


def parameters(items: int = 4, seed: int = 0) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    start = two_tower.init_parameters(2, 3, items, 5, hidden=6, generator=generator, dtype=torch.float64)
    return {
        name: value + 0.3 * torch.randn(value.shape, generator=generator, dtype=torch.float64)
        for name, value in start.items()
    }


def inputs(rows: int = 7, items: int = 4) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    context = torch.randn(rows, 2, generator=generator, dtype=torch.float64)
    item_features = torch.randn(items, 5, generator=generator, dtype=torch.float64)
    available = torch.ones(rows, items, dtype=torch.bool)
    available[0, 1:] = False
    available[1, 0] = False
    return context, torch.arange(rows) % 3, item_features, available


def score_by_hand(
    p: dict[str, torch.Tensor], x: torch.Tensor, slot: int, z: torch.Tensor, item: int
) -> float:
    inputs = torch.cat([x, torch.eye(3, dtype=torch.float64)[slot]])
    u = torch.tanh(inputs @ p["context_weight"] + p["context_bias"])
    v = torch.tanh(z @ p["item_weight"] + p["item_bias"])
    level = inputs @ p["level_linear"] + p["level"][0]
    return float(u @ v + z @ p["item_linear"] + p["item_effect"][item] + level)


def test_scores_are_the_formula_of_the_docstring() -> None:
    p = parameters()
    context, slot, item_features, _ = inputs()
    scores = two_tower.all_scores(with_task_dimension(p, 1), context[None], slot[None], item_features)[0]
    for row in range(7):
        for item in range(4):
            expected = score_by_hand(p, context[row], int(slot[row]), item_features[item], item)
            assert float(scores[row, item]) == pytest.approx(expected, abs=1e-12)


def test_each_task_is_scored_by_its_own_parameters() -> None:
    first, second = parameters(seed=0), parameters(seed=5)
    both = {name: torch.stack([first[name], second[name]]) for name in first}
    context, slot, item_features, _ = inputs()
    arguments = torch.stack([context, context]), torch.stack([slot, slot]), item_features
    together = two_tower.all_scores(both, *arguments)
    alone = two_tower.all_scores(with_task_dimension(second, 1), context[None], slot[None], item_features)
    torch.testing.assert_close(together[1], alone[0], rtol=0, atol=1e-12)


def test_logged_scores_are_those_of_the_logged_items() -> None:
    p = with_task_dimension(parameters(), 1)
    context, slot, item_features, _ = inputs()
    action = torch.tensor([[0, 1, 2, 3, 0, 1, 2]])
    every = two_tower.all_scores(p, context[None], slot[None], item_features)
    logged = two_tower.logged_scores(p, context[None], slot[None], item_features, action)
    torch.testing.assert_close(logged, every.gather(-1, action.unsqueeze(-1)).squeeze(-1))


def test_rows_sum_to_one_over_available_items() -> None:
    context, slot, item_features, available = inputs()
    chosen = SoftmaxPolicy("p", parameters(), 0.5).action_probabilities(
        context, slot, item_features, available
    )
    torch.testing.assert_close(chosen.sum(-1), torch.ones(7, dtype=torch.float64))
    assert bool((chosen[~available] == 0).all())
    assert chosen[0].tolist() == [1.0, 0.0, 0.0, 0.0]


def test_logits_are_scores_over_temperature_and_hold_any_lead() -> None:
    context, slot, item_features, available = inputs()
    p = parameters()
    scores = two_tower.all_scores(with_task_dimension(p, 1), context[None], slot[None], item_features)[0]
    logits = SoftmaxPolicy("p", p, 1e-4).action_logits(context, slot, item_features, available)
    assert bool((logits[~available] == -torch.inf).all())
    torch.testing.assert_close(logits[available], scores[available] / 1e-4)
    assert float(logits[2].max() - logits[2].min()) > 1000
    in_float32 = {name: value.float() for name, value in p.items()}
    logits = SoftmaxPolicy("p", in_float32, 0.01).action_logits(context, slot, item_features, available)
    assert logits.dtype == torch.float64


def test_temperature_runs_from_greedy_to_uniform() -> None:
    context, slot, item_features, available = inputs()
    arguments = context, slot, item_features, available
    greedy = SoftmaxPolicy("p", parameters(), 1e-4).action_probabilities(*arguments)
    uniform = SoftmaxPolicy("p", parameters(), 1e6).action_probabilities(*arguments)
    assert float(greedy.max(-1).values.min()) > 0.999
    shares = available.double() / available.sum(-1, keepdim=True)
    torch.testing.assert_close(uniform, shares, atol=1e-5, rtol=0)


def test_what_is_the_same_for_all_items_does_not_matter() -> None:
    shifted = parameters()
    shifted["level"] = shifted["level"] + 3.0
    shifted["level_linear"] = shifted["level_linear"] - 1.0
    arguments = inputs()
    torch.testing.assert_close(
        SoftmaxPolicy("p", shifted, 1.0).action_probabilities(*arguments),
        SoftmaxPolicy("p", parameters(), 1.0).action_probabilities(*arguments),
    )


def test_an_item_never_seen_is_scored_by_its_features() -> None:
    p = parameters()
    p["item_effect"] = torch.tensor([0.4, -0.1, 0.0, 0.0], dtype=torch.float64)
    context, slot, item_features, available = inputs()
    item_features[3] = item_features[2]
    chosen = SoftmaxPolicy("p", p, 1.0).action_probabilities(context, slot, item_features, available)
    torch.testing.assert_close(chosen[1:, 3], chosen[1:, 2])
    assert float(chosen[1:, 3].min()) > 0


def test_a_row_without_items_is_refused() -> None:
    context, slot, item_features, available = inputs()
    available[4] = False
    with pytest.raises(ValueError, match="Row 4 has no available action"):
        SoftmaxPolicy("p", parameters(), 1.0).action_probabilities(context, slot, item_features, available)


def test_another_catalog_is_refused() -> None:
    context, slot, item_features, available = inputs()
    with pytest.raises(ValueError, match="knows 4 items and was given 3"):
        SoftmaxPolicy("p", parameters(), 1.0).action_probabilities(
            context, slot, item_features[:3], available[:, :3]
        )


def test_an_offset_is_added_to_the_scores_wherever_they_are_read() -> None:
    context, slot, item_features, available = inputs()
    added = torch.randn(7, 4, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    plain, moved = (SoftmaxPolicy("p", parameters(), 0.5, offset) for offset in (None, lambda *_: added))
    arguments = context, slot, item_features
    torch.testing.assert_close(moved.score(*arguments), plain.score(*arguments) + added)
    action = torch.arange(7) % 4
    batch = {
        "context": context[None],
        "slot": slot[None],
        "item_features": item_features[None],
        "available": available[None],
        "action": action[None],
        "offset": added[None],
    }
    p = with_task_dimension(parameters(), 1)
    torch.testing.assert_close(
        log_probabilities(p, batch, 0.5)[0].exp(), moved.action_probabilities(*arguments, available)
    )
    expected = moved.score(*arguments).gather(1, action[:, None])[:, 0]
    torch.testing.assert_close(logged_scores(p, batch)[0], expected)
