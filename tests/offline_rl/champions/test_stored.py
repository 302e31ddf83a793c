"""Every kind of policy, stored and read, serves as it did: on its own night, and among other items."""

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import torch

from features.context import Encoder, Number
from features.errors import DamagedFileError
from features.tasks.reading import ReadAgain, Reading, SegmentRule
from offline_rl.champions.forms import TAUGHT_BY
from offline_rl.champions.frozen_records import put_together, taken_apart
from offline_rl.champions.layers import LayeredPolicy
from offline_rl.champions.standing import Standing, Today
from offline_rl.champions.stored import KINDS, load_layers, save_layers
from offline_rl.logged_data import Tasks
from offline_rl.meta.item_rates import ItemRates
from offline_rl.meta.named_learners import LEARNERS
from offline_rl.policies.scored_policy import ItemScore, LevelScore, ScoredPolicy
from offline_rl.serving import SegmentPolicies, served_probabilities
from tests.laws.learners import spoiled_fits, untouched

EXPLORATION = 0.1
NIGHT = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("world")


def reading_of(tasks: Tasks) -> Reading:
    """World items have two attributes and no indicators."""
    attributes = Encoder(tuple(Number(f"z{n}", 0.0, 1.0) for n in range(tasks.rounds.item_features.shape[1])))
    rule = SegmentRule((), ((), ()))
    return Reading(Encoder(()), attributes, rule, tasks.segment_ids, tasks.action_ids)


def read_as_it_is(tasks: Tasks, items: list[int]) -> ReadAgain:
    """The same decisions, of a catalog that has these items of the world, -1 for a new one."""
    rounds = tasks.rounds
    attributes = torch.stack([rounds.item_features[max(item, 0)] for item in items])
    return ReadAgain(
        context=rounds.context.numpy(),
        segment=rounds.segment.numpy(),
        target_context=rounds.context[:0].numpy(),
        target_segment=rounds.segment[:0].numpy(),
        item_attributes=attributes.numpy(),
        known=np.array(items),
        missing=(),
    )


def standing_of(name: str, layers, readings, read) -> Standing:
    return Standing(
        policy_version=f"{name}-2026-01-01-0a1b2c3d",
        learner=name,
        is_adapted=True,
        elected_version=f"{name}-2026-01-01-0a1b2c3d",
        elected_until=NIGHT,
        kept_from=("segment 1",),
        layers=layers,
        readings=readings,
        read=read,
    )


@pytest.mark.parametrize("form", TAUGHT_BY)
@pytest.mark.parametrize("name", LEARNERS)
def test_a_policy_stands_again_as_it_was_elected(name, form, folder, tmp_path):
    fits = spoiled_fits(folder, untouched)
    tasks, learned = fits.tasks, LEARNERS[name].meta_train(fits)
    left = frozenset({1})
    today = Today(tasks, EXPLORATION)
    layers, readings = today.to_store({"served": learned, "evaluated": learned}, left, reading_of(tasks))
    stored = {}
    for name_of_form, of_form in layers.items():
        save_layers(of_form, tmp_path / name_of_form)
        stored[name_of_form] = load_layers(tmp_path / name_of_form)
    as_it_is = read_as_it_is(tasks, list(range(len(tasks.action_ids))))
    standing = standing_of(name, stored, readings, (as_it_is,) * 2)

    rows = torch.arange(0, tasks.rounds.n, 3)
    again = Today(tasks, EXPLORATION, standing)
    policy = again.in_log() if form == "evaluated" else LayeredPolicy(name, again.layers(), tasks.rounds)
    served = policy.probabilities(rows)

    adapted = SegmentPolicies.adapted(learned, tasks.window(TAUGHT_BY[form]), EXPLORATION)
    own = SegmentPolicies("own", today.layers()[0].policies.by_segment, today.layers()[0].policies.otherwise)
    asked = tasks.rounds.select(rows)
    is_left = torch.isin(asked.segment, torch.tensor(list(left)))
    expected = served_probabilities(adapted, asked)
    expected[is_left] = served_probabilities(own, asked)[is_left]
    assert torch.equal(served, expected)


@pytest.mark.parametrize("name", LEARNERS)
def test_among_other_items_it_is_sound_and_ranks_its_own_as_before(name, folder):
    fits = spoiled_fits(folder, untouched)
    tasks, learned = fits.tasks, LEARNERS[name].meta_train(fits)
    layers, readings = Today(tasks, 0.0).to_store({"served": learned}, frozenset(), reading_of(tasks))
    # Item 0 is gone, 3 and 2 have changed places, and one is new: it is described as item 1 is.
    items = [1, 3, 2, -1]
    again = read_as_it_is(tasks, items)
    again.item_attributes[3] = tasks.rounds.item_features[1].numpy()
    [layer] = standing_of(name, layers, readings, (again,)).tonight(tasks, 0.0)

    asked = tasks.rounds.select(torch.arange(12))
    available = torch.ones(12, 4, dtype=torch.bool)
    logits = layer.policies.by_segment[0].action_logits(
        asked.context, asked.slot, asked.item_features, available, None
    )
    before = SegmentPolicies.adapted(learned, tasks.window("known"), 0.0).by_segment[0]
    own = before.action_logits(asked.context, asked.slot, asked.item_features, available, None).cpu()
    torch.testing.assert_close(logits[:, :3], own[:, [1, 3, 2]], rtol=1e-12, atol=1e-12)
    assert bool(torch.isfinite(logits).all())
    assert bool((logits[:, 3] <= own.amax(1) + own.std(1) * 3 + 1e-9).all())


def test_equal_champions_are_equal_bytes(folder, tmp_path):
    fits = spoiled_fits(folder, untouched)
    learned = ItemRates().meta_train(fits)
    for name in ("a", "b"):
        today = Today(fits.tasks, EXPLORATION)
        layers, _ = today.to_store({"served": learned}, frozenset(), reading_of(fits.tasks))
        save_layers(layers["served"], tmp_path / name)
    for ending in (".json", ".safetensors"):
        assert (tmp_path / f"a{ending}").read_bytes() == (tmp_path / f"b{ending}").read_bytes()


def test_what_segments_share_is_stored_once_and_is_one_object_again():
    score = ItemScore(torch.tensor([1.0, 2.0]))
    policies = {segment: ScoredPolicy("p", score, 1.0) for segment in range(3)}
    numbers, card = taken_apart(SegmentPolicies("p", policies, policies[0]))
    assert len(numbers) == 1
    again = put_together(numbers, json.loads(json.dumps(card)), KINDS)
    assert again.by_segment[2].score is again.otherwise.score
    assert again.by_segment[0] is again.otherwise


def test_numbers_that_json_lacks_are_stored_too():
    _, card = taken_apart(LevelScore(float("-inf")))
    assert put_together({}, json.loads(json.dumps(card)), KINDS) == LevelScore(float("-inf"))


def test_a_function_has_no_form_in_a_file():
    with pytest.raises(TypeError, match="score is a function"):
        taken_apart(ScoredPolicy("p", lambda *_: torch.zeros(1), 1.0))


@pytest.mark.parametrize("damage", ["cut", "missing", "another class", "no tensor"])
def test_a_damaged_champion_names_its_file_and_what_to_do(damage, folder, tmp_path):
    fits = spoiled_fits(folder, untouched)
    learned = ItemRates().meta_train(fits)
    layers, _ = Today(fits.tasks, 0.0).to_store({"served": learned}, frozenset(), reading_of(fits.tasks))
    numbers, card = save_layers(layers["served"], tmp_path / "policy")
    if damage == "cut":
        numbers.write_bytes(numbers.read_bytes()[:-5])
    elif damage == "missing":
        card.unlink()
    elif damage == "another class":
        card.write_text(card.read_text().replace("ItemScore", "Path"))
    else:
        card.write_text(card.read_text().replace('{"tensor":"', '{"tensor":"other.'))
    with pytest.raises(DamagedFileError, match=r"policy\.safetensors can't be read.*metacart rollback"):
        load_layers(tmp_path / "policy")


def test_what_is_learned_anew_takes_the_place_of_the_first_layer_alone(folder):
    fits = spoiled_fits(folder, untouched)
    tasks, learned = fits.tasks, ItemRates().meta_train(fits)
    reading = reading_of(tasks)
    forms = {"served": learned, "evaluated": learned}
    layers, readings = Today(tasks, EXPLORATION).to_store(forms, frozenset({1}), reading)
    as_it_is = read_as_it_is(tasks, list(range(len(tasks.action_ids))))
    standing = standing_of("popularity", layers, readings, (as_it_is,) * 2)
    today = Today(tasks, EXPLORATION, standing)
    left = today.left_by_champion()
    assert left == {1}
    anew, read = today.to_store(forms, left, reading, is_refit=True)
    # The second layer stays the shop's own policy, and there is no third one, however often this happens.
    assert [len(anew["served"]), len(anew["evaluated"]), len(read)] == [2, 2, 2]
    assert all(anew[form][1] is layers[form][1] for form in TAUGHT_BY)
    rows = torch.arange(0, tasks.rounds.n, 5)
    again = LayeredPolicy("again", today.after(learned, left, is_refit=True, form="evaluated"), tasks.rounds)
    assert torch.equal(again.probabilities(rows), today.in_log().probabilities(rows))
