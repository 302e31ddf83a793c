"""Which creative a segment sees on a channel, as probabilities for the ad server to draw from."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from features.contracts import columns
from features.contracts.advertising import AdTargeting
from offline_rl.decisions.served_policy import ServedPolicy
from offline_rl.ope.records import Floats


def ad_targeting(
    probabilities: Floats,
    scores: Floats,
    ess: Floats,
    *,
    segment_ids: Sequence[str],
    channels: Sequence[str],
    campaign_ids: Sequence[str],
    creative_ids: Sequence[str],
    policies: Sequence[ServedPolicy],
    run_id: str,
) -> pl.DataFrame:
    """Return rows of `AdTargeting`, one for each creative that a segment can see on a channel.

    probabilities: [G, C, A], each sum over creatives 1, or 0 for a channel the segment isn't reached on.
    scores: [G, A], expected reward. ess: [G], effective sample size behind the served policy.
    campaign_ids, creative_ids: [A]. policies: the served policy of each segment, [G].
    Raises ValueError where the probabilities of a segment and channel sum to anything else.

    >>> from features.contracts.findings import Finding
    >>> policy = ServedPolicy("pooled-1", "pooled", (Finding("promoted", "maml"),))
    >>> rows = ad_targeting(
    ...     np.array([[[0.75, 0.25, 0.0]]]), np.array([[0.2, 0.1, 0.3]]), np.array([40.0]),
    ...     segment_ids=["new"], channels=["search"], campaign_ids=["spring", "spring", "summer"],
    ...     creative_ids=["a", "b", "c"], policies=[policy], run_id="r",
    ... )
    >>> rows.select("campaign_id", "creative_id", "probability", "score").rows()
    [('spring', 'a', 0.75, 0.2), ('spring', 'b', 0.25, 0.1)]
    """
    sums = probabilities.sum(-1)
    wrong = np.argwhere(~np.isclose(sums, 1.0, atol=1e-6) & (sums != 0.0))
    if len(wrong):
        segment, channel = wrong[0]
        raise ValueError(
            f"The creatives of segment {segment_ids[segment]} on channel {channels[channel]} have "
            f"probabilities that sum to {sums[segment, channel]:.6f}: normalize them over the available ones."
        )
    segment, channel, creative = np.nonzero(probabilities > 0.0)
    frame = pl.DataFrame(
        {
            "run_id": pl.repeat(run_id, len(segment), dtype=pl.String, eager=True),
            "segment_id": pl.Series(list(segment_ids), dtype=pl.String).gather(segment),
            "campaign_id": pl.Series(list(campaign_ids), dtype=pl.String).gather(creative),
            "channel": pl.Series(list(channels), dtype=pl.String).gather(channel),
            "creative_id": pl.Series(list(creative_ids), dtype=pl.String).gather(creative),
            "probability": np.minimum(probabilities[segment, channel, creative], 1.0),
            "score": scores[segment, creative],
            "ess": ess[segment],
            "fallback_level": pl.Series(
                [policy.fallback_level for policy in policies], dtype=columns.fallback_level.dtype
            ).gather(segment),
            "policy_version": pl.Series(
                [policy.policy_version for policy in policies], dtype=pl.String
            ).gather(segment),
            "evidence_level": pl.Series(
                [policy.evidence_level for policy in policies], dtype=columns.evidence_level.dtype
            ).gather(segment),
        }
    )
    return AdTargeting.validate(frame.sort("segment_id", "campaign_id", "channel", "creative_id"))
