"""The champion of an earlier night stands again: tonight's contexts and items, read as it reads them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from features.tasks.reading import ReadAgain, Reading
from offline_rl.champions.forms import TAUGHT_BY, Form
from offline_rl.champions.layers import Decisions, Layer, LayeredPolicy, of_tonight
from offline_rl.champions.stored import StoredLayer
from offline_rl.decision_targets import DecisionTargets
from offline_rl.incumbent import incumbent_policies
from offline_rl.logged_data import Tasks
from offline_rl.meta.meta_policy import MetaPolicy
from offline_rl.registry import INCUMBENT
from offline_rl.serving import SegmentPolicies


@dataclass(frozen=True, eq=False)
class Standing:
    """A champion that was elected on an earlier night.

    policy_version: its name in tables. learner: who learned it. is_adapted: whether any segment has a policy
    of its own. elected_version, elected_until: the policy of the same learner that was promoted, and the end
    of the night that did: later rounds had no part in the election. kept_from: the segments that were left to
    what served before. layers, readings, read: of each layer the policy in both forms, how it reads
    decisions, and tonight's decisions as it reads them. by_experiment: whether an experiment elected it.
    """

    policy_version: str
    learner: str
    is_adapted: bool
    elected_version: str
    elected_until: datetime
    kept_from: tuple[str, ...]
    layers: Mapping[Form, tuple[StoredLayer, ...]]
    readings: tuple[Reading, ...]
    read: tuple[ReadAgain, ...]
    by_experiment: bool = False

    def tonight(
        self,
        tasks: Tasks,
        exploration: float,
        targets: DecisionTargets | None = None,
        *,
        form: Form = "served",
    ) -> tuple[Layer, ...]:
        """Return its layers on tonight's items; exploration: tonight's share, of the layers that explore."""
        history = tasks.rounds.history
        again = [
            layer.again(read, history, None if targets is None else targets.history)
            for layer, read in zip(self.layers[form], self.read, strict=True)
        ]
        return tuple(
            replace(layer, policies=replace(layer.policies, exploration=exploration))
            if layer.policies.exploration
            else layer
            for layer in again
        )


@dataclass(frozen=True, eq=False)
class Today:
    """What serves a domain today, before the night decides.

    standing: the champion of an earlier night; None where the shop's own policy serves.
    """

    tasks: Tasks
    exploration: float
    standing: Standing | None = None

    def layers(self, targets: DecisionTargets | None = None, *, form: Form = "served") -> tuple[Layer, ...]:
        """Return its layers, the shop's own policy being one of them."""
        if self.standing is not None:
            return self.standing.tonight(self.tasks, self.exploration, targets, form=form)
        return (of_tonight(incumbent_policies(self.tasks), self.tasks.rounds, tomorrow=contexts_of(targets)),)

    def in_log(self) -> LayeredPolicy:
        """Return what serves today in the rounds of the log, as these may evaluate it."""
        return LayeredPolicy(INCUMBENT, self.layers(form="evaluated"), self.tasks.rounds)

    def left_by_champion(self) -> frozenset[int]:
        """Return tonight's segments that the champion, learned anew, leaves to what served before it."""
        kept = () if self.standing is None else self.standing.kept_from
        known = enumerate(self.tasks.segment_ids)
        return frozenset(place for place, segment_id in known if segment_id in kept)

    def after(
        self,
        learned: MetaPolicy,
        left: frozenset[int],
        targets: DecisionTargets | None = None,
        *,
        is_refit: bool = False,
        form: Form = "served",
    ) -> tuple[Layer, ...]:
        """Return the layers once a learned policy serves all segments but those `left` to today's.

        learned: in this form. is_refit: whether it is the champion, learned anew: then it takes the place of
        the first layer.
        """
        known = self.tasks.window(TAUGHT_BY[form])
        policies = SegmentPolicies.adapted(learned, known, self.exploration)
        first = of_tonight(policies, self.tasks.rounds, leaves=left, tomorrow=contexts_of(targets))
        return (first, *self.layers(targets, form=form)[int(is_refit) :]) if left else (first,)

    def to_store(
        self,
        learned: Mapping[Form, MetaPolicy],
        left: frozenset[int],
        reading: Reading,
        *,
        is_refit: bool = False,
    ) -> tuple[Mapping[Form, tuple[StoredLayer, ...]], tuple[Reading, ...]]:
        """Return the layers of `after` as they are stored, in both forms, and how each reads decisions.

        reading: tonight's.
        """
        kept = slice(int(is_refit), None)
        layers: dict[Form, tuple[StoredLayer, ...]] = {}
        for form, policy in learned.items():
            first, *others = (
                self._stored(layer, reading)
                for layer in self.after(policy, left, is_refit=is_refit, form=form)
            )
            below = others if self.standing is None else self.standing.layers[form][kept]
            layers[form] = (first, *below) if left else (first,)
        if not left:
            return layers, (reading,)
        return layers, (reading, *((reading,) if self.standing is None else self.standing.readings[kept]))

    def _stored(self, layer: Layer, reading: Reading) -> StoredLayer:
        rounds = self.tasks.rounds
        # A table fills whole slates also from the record of what the shop's own policy showed.
        policies = replace(layer.policies, fills_slates=True)
        n_attributes = len(reading.items.parts)
        return StoredLayer(policies, layer.leaves, rounds.item_features, n_attributes, rounds.n_slots)


def contexts_of(targets: DecisionTargets | None) -> Decisions | None:
    """Return tomorrow's contexts as tonight's own policies read them."""
    if targets is None:
        return None
    return Decisions(targets.context, targets.segment[targets.target_of_context], targets.history)
