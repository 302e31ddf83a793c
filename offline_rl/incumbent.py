"""The incumbent: what the shop shows today, as its own log shows it."""

from offline_rl.logged_data import Tasks
from offline_rl.policies.frequency_policy import FrequencyPolicy, smoothed_shares
from offline_rl.registry import INCUMBENT
from offline_rl.serving import SegmentPolicies

# The incumbent's record in a small segment leans on the whole shop's as if that were 100 more rounds.
SMOOTHING_ROUNDS = 100.0


def incumbent_policies(tasks: Tasks) -> SegmentPolicies:
    """Return what the shop shows today, by segment: its items' shares of each slot, whatever the context."""
    shares = smoothed_shares(tasks.incumbent_counts, SMOOTHING_ROUNDS)
    by_segment = {segment: FrequencyPolicy(shares[segment]) for segment in range(tasks.n_segments)}
    return SegmentPolicies(INCUMBENT, by_segment, by_segment[0], fills_slates=False)
