"""Contenders: the policies that a night has learned, ready to be judged or to serve."""

from collections.abc import Iterator

from flows.night_folder import NightFolder
from flows.settings import Settings
from offline_rl.logged_data import LoggedRounds, Tasks
from offline_rl.meta.adapt_together import adapted_to_each
from offline_rl.meta.learner import MetaPolicy
from offline_rl.policies.frequency_policy import FrequencyPolicy, smoothed_shares
from offline_rl.serving import SegmentPolicies

LOGGING = "logging"
INCUMBENT = "incumbent"

# The incumbent's record in a small segment leans on the whole shop's as if that were 100 more rounds.
SMOOTHING_ROUNDS = 100.0


def segment_policies(
    folder: NightFolder, domain: str, tasks: Tasks, settings: Settings
) -> Iterator[SegmentPolicies]:
    """Yield every policy as it would serve: adapted to each segment on the rounds before the holdout.

    The incumbent comes first where the configuration names one, as its own log shows it.
    """
    if incumbent_serves(settings, domain):
        yield incumbent_policies(tasks)
    for policy in folder.policies(domain):
        yield adapted(policy, tasks.window("training"), settings.learning.exploration)


def incumbent_serves(settings: Settings, domain: str) -> bool:
    """Say whether the policy that serves today is another than the one that made the evidence."""
    return domain == "recommendation" and bool(settings.night.incumbent_policy)


def incumbent_policies(tasks: Tasks) -> SegmentPolicies:
    """Return what the shop shows today, by segment: its items' shares of each slot, whatever the context."""
    shares = smoothed_shares(tasks.incumbent_counts, SMOOTHING_ROUNDS)
    by_segment = {segment: FrequencyPolicy(shares[segment]) for segment in range(tasks.n_segments)}
    return SegmentPolicies(INCUMBENT, by_segment, by_segment[0], fills_slates=False)


def adapted(policy: MetaPolicy, rounds: LoggedRounds, exploration: float) -> SegmentPolicies:
    """Adapt a learned policy to every segment that has rounds here, and let it explore."""
    by_segment = adapted_to_each(policy, rounds)
    return SegmentPolicies(policy.name, by_segment, policy.zero_shot(), exploration)
