"""Which layer answers, on three decisions."""

import torch

from offline_rl.champions.layers import Decisions, Layer, answering
from offline_rl.policies.frequency_policy import FrequencyPolicy
from offline_rl.serving import SegmentPolicies


def layer(name: str, *leaves: int) -> Layer:
    policies = SegmentPolicies(name, {}, FrequencyPolicy(torch.ones(1, 1)))
    return Layer(policies, frozenset(leaves), Decisions(torch.zeros(3, 0), torch.zeros(3, dtype=torch.int64)))


def answers(layers: list[Layer], segments: list[list[int]]) -> dict[str, list[int]]:
    found = answering(layers, [torch.tensor(of_layer) for of_layer in segments])
    return {one.policies.name: places.tolist() for one, places in found}


def test_each_layer_leaves_segments_of_its_own():
    layers = [layer("new", 1), layer("before", 7), layer("own")]
    assert answers(layers, [[0, 1, 1], [7, 7, 8], [0, 0, 0]]) == {"new": [0], "before": [2], "own": [1]}


def test_the_last_layer_answers_what_is_left():
    assert answers([layer("new"), layer("own")], [[0, 1, -1], [0, 0, 0]]) == {"new": [0, 1, 2]}
    assert answers([layer("alone", 0)], [[0, 0, 1]]) == {"alone": [0, 1, 2]}
