"""Stored champions: the layers of a policy that was elected, as two plain files, and back.

<stem>.safetensors    the numbers
<stem>.json           everything else (`frozen_records`)

Equal champions give equal bytes, so the hash of the files is the identity of what they hold.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import safetensors
import torch
from safetensors.torch import load, save
from torch import Tensor

from features.errors import DamagedFileError
from features.tasks.reading import ReadAgain
from offline_rl.champions.another_catalog import InAnotherCatalog, likeness, own_history
from offline_rl.champions.frozen_records import put_together, taken_apart
from offline_rl.champions.layers import Decisions, Layer
from offline_rl.meta.bayesian_meta_policy import BayesianScore
from offline_rl.meta.boosted_model import BoostedModel, BoostedScore
from offline_rl.meta.boosted_trees import BoostedTrees
from offline_rl.meta.crosses_logit import CrossedModel, CrossedScore
from offline_rl.meta.effects_score import EffectsScore
from offline_rl.mixed_model.columns import Columns
from offline_rl.mixed_model.kinship import Kinship
from offline_rl.mixed_model.level import Block, Coefficients, Level
from offline_rl.mixed_model.model import MixedModel, MixedScore
from offline_rl.mixed_model.pairs import Kind
from offline_rl.mixed_model.structure import Structure
from offline_rl.policies.frequency_policy import FrequencyPolicy
from offline_rl.policies.policy import Policy
from offline_rl.policies.scored_policy import ItemScore, LevelScore, ScoredPolicy
from offline_rl.policies.softmax_policy import SoftmaxPolicy
from offline_rl.serving import SegmentPolicies
from offline_rl.two_tower import TwoTowerScore
from offline_rl.user_history import UserHistory


@dataclass(frozen=True, eq=False)
class StoredLayer:
    """A layer as it was elected.

    policies: on its own items and segments. leaves: the segments that it leaves to the next layer.
    item_features [A', f]: of its own items, the first n_attributes of the columns being their attributes.
    n_slots: the slots that it has learned of.
    """

    policies: SegmentPolicies
    leaves: frozenset[int]
    item_features: Tensor
    n_attributes: int
    n_slots: int

    def again(self, read: ReadAgain, history: UserHistory | None, tomorrow: UserHistory | None) -> Layer:
        """Return the layer on the items of another night, whose decisions it has `read`.

        history, tomorrow: what the users of the log and of tomorrow's contexts had done with that night's
        items.
        """
        known = torch.from_numpy(read.known)
        attributes = torch.from_numpy(read.item_attributes)
        like = likeness(attributes[known < 0], self.item_features[:, : self.n_attributes])

        def moved(policy: Policy) -> InAnotherCatalog:
            return InAnotherCatalog(policy, self.item_features, self.n_slots, known, like)

        policies = replace(
            self.policies,
            by_segment={segment: moved(policy) for segment, policy in self.policies.by_segment.items()},
            otherwise=moved(self.policies.otherwise),
        )
        logged, contexts = (
            Decisions(torch.from_numpy(context), torch.from_numpy(segment), own_history(of_users, known))
            for context, segment, of_users in (
                (read.context, read.segment, history),
                (read.target_context, read.target_segment, tomorrow),
            )
        )
        return Layer(policies, self.leaves, logged, contexts)


@dataclass(frozen=True, eq=False)
class _File:
    layers: tuple[StoredLayer, ...]


KINDS: tuple[type, ...] = (
    _File,
    StoredLayer,
    SegmentPolicies,
    # policies and their scores
    FrequencyPolicy,
    SoftmaxPolicy,
    ScoredPolicy,
    BayesianScore,
    BoostedScore,
    CrossedScore,
    EffectsScore,
    ItemScore,
    LevelScore,
    MixedScore,
    TwoTowerScore,
    # models that scores are made of
    Block,
    BoostedModel,
    BoostedTrees,
    Coefficients,
    Columns,
    CrossedModel,
    Kind,
    Kinship,
    Level,
    MixedModel,
    Structure,
)
"""The classes that a stored champion may hold."""


def save_layers(layers: Sequence[StoredLayer], stem: Path) -> tuple[Path, Path]:
    """Write the layers of a champion; returns the paths of both files."""
    numbers, card = taken_apart(_File(tuple(layers)))
    paths = stem.with_suffix(".safetensors"), stem.with_suffix(".json")
    paths[0].write_bytes(save(numbers))
    paths[1].write_text(json.dumps(card, separators=(",", ":")) + "\n", encoding="utf-8")
    return paths


def load_layers(stem: Path) -> tuple[StoredLayer, ...]:
    """Read what `save_layers` wrote, on the CPU; raises DamagedFileError where it can't be read."""
    path = stem.with_suffix(".safetensors")
    try:
        card = json.loads(stem.with_suffix(".json").read_bytes())
        found = put_together(load(path.read_bytes()), card, KINDS)
        assert isinstance(found, _File)
    except (OSError, ValueError, KeyError, TypeError, AssertionError, safetensors.SafetensorError) as error:
        raise DamagedFileError(
            f"{path} can't be read as a champion ({type(error).__name__}: {error}). Restore it from a "
            "backup, or let an earlier policy serve again by `metacart rollback`."
        ) from error
    return found.layers
