"""Contenders: the policies that a night has learned, ready to be judged or to serve."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flows.workspace import Night, Workspace, read_json
from offline_rl.artifacts import load_policy
from offline_rl.logged_data import LoggedRounds, Tasks
from offline_rl.meta.adapt_together import adapted_to_each
from offline_rl.meta.item_rates import ItemRatesMetaPolicy
from offline_rl.meta.learner import MetaPolicy
from offline_rl.meta.mixed_effects import MixedMetaPolicy
from offline_rl.meta.named_learners import BASELINE
from offline_rl.policies.frequency_policy import FrequencyPolicy, smoothed_shares
from offline_rl.serving import SegmentPolicies

LOGGING = "logging"
INCUMBENT = "incumbent"

# The incumbent's record in a small segment leans on the whole shop's as if that were 100 more rounds.
SMOOTHING_ROUNDS = 100.0


@dataclass(frozen=True)
class Contenders:
    """The learned policies that ask for promotion.

    wanted: the learner that predicted later rewards best (`offline_rl.meta.choice`), if any, then the plain
    baseline: a learner ships where it beats the baseline, else the baseline where it beats what serves today.
    cautious: what must pass first, and ships where it alone passes (`offline_rl.meta.cautious`).
    constant: those that show everybody, or everybody of a segment, the same: the best of them by the training
        rounds. They ask only where they are among the wanted; a policy that is promoted is held against them.
    """

    wanted: tuple[MetaPolicy, ...]
    cautious: MetaPolicy | None
    constant: tuple[MetaPolicy, ...] = ()

    @property
    def everyone(self) -> tuple[MetaPolicy, ...]:
        """All of them, the most wanted first."""
        return self.wanted if self.cautious is None else (*self.wanted, self.cautious)

    @property
    def judged(self) -> tuple[MetaPolicy, ...]:
        """All that the gate looks at, each once."""
        return tuple({policy.name: policy for policy in (*self.everyone, *self.constant)}.values())


def read_contenders(folder: Path, domain: str) -> Contenders:
    """Return the learned policies of a domain that ask for promotion."""
    policies = {policy.name: policy for policy in serving_policies(folder, domain)}
    asked = read_json(folder / f"asking_{domain}.json")
    wanted = [*asked["learners"][:1], asked["plain"]]
    cautious = asked["cautious"]
    return Contenders(
        tuple(policies[name] for name in wanted),
        None if cautious is None else policies[cautious],
        tuple(policy for policy in policies.values() if isinstance(policy, ItemRatesMetaPolicy)),
    )


def pooled_policy(folder: Path, domain: str) -> MixedMetaPolicy:
    """Return the policy of the pooled reward model, fitted on all rounds before the holdout."""
    pooled = load_policy(folder / "policies" / domain / f"{BASELINE.name}.safetensors")
    assert isinstance(pooled, MixedMetaPolicy)
    return pooled


def serving_policies(folder: Path, domain: str) -> Iterator[MetaPolicy]:
    """Yield all that the night has learned, by name, as it is to serve."""
    return _stored(folder / "policies" / domain)


def learned_policies(folder: Path, domain: str) -> Iterator[MetaPolicy]:
    """Yield the same as validation judged it, before the refit (`offline_rl.meta.refit`)."""
    return _stored(folder / "learned" / domain)


def _stored(folder: Path) -> Iterator[MetaPolicy]:
    return (load_policy(path) for path in sorted(folder.glob("*.safetensors")))


def segment_policies(
    workspace: Workspace, night: Night, domain: str, tasks: Tasks
) -> Iterator[SegmentPolicies]:
    """Yield every policy as it would serve: adapted to each segment on the rounds before the holdout.

    The incumbent comes first where the configuration names one, as its own log shows it.
    """
    if incumbent_serves(workspace, domain):
        yield incumbent_policies(tasks)
    for policy in serving_policies(workspace.work(night.run_id), domain):
        yield adapted(policy, tasks.window("training"), workspace.settings.learning.exploration)


def incumbent_serves(workspace: Workspace, domain: str) -> bool:
    """Say whether the policy that serves today is another than the one that made the evidence."""
    return domain == "recommendation" and bool(workspace.settings.night.incumbent_policy)


def incumbent_policies(tasks: Tasks) -> SegmentPolicies:
    """Return what the shop shows today, by segment: its items' shares of each slot, whatever the context."""
    shares = smoothed_shares(tasks.incumbent_counts, SMOOTHING_ROUNDS)
    by_segment = {segment: FrequencyPolicy(shares[segment]) for segment in range(tasks.n_segments)}
    return SegmentPolicies(INCUMBENT, by_segment, by_segment[0], fills_slates=False)


def adapted(policy: MetaPolicy, rounds: LoggedRounds, exploration: float) -> SegmentPolicies:
    """Adapt a learned policy to every segment that has rounds here, and let it explore."""
    by_segment = adapted_to_each(policy, rounds)
    return SegmentPolicies(policy.name, by_segment, policy.zero_shot(), exploration)
