"""Decide which creatives a segment sees on each channel."""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from offline_rl.decisions.advertising.ad_targeting import ad_targeting
from offline_rl.decisions.advertising.creative_chances import creative_chances
from offline_rl.decisions.night import DecisionNight
from offline_rl.decisions.tomorrow import tomorrow_of


def decide(night: DecisionNight) -> Mapping[str, pl.DataFrame]:
    """Return out_ad_targeting."""
    tomorrow = tomorrow_of(night)
    segment_ids = tomorrow.tasks.segment_ids
    chances = creative_chances(tomorrow)
    targeting = ad_targeting(
        chances.probabilities,
        tomorrow.scores().mean,
        _effective_rounds(night, segment_ids),
        segment_ids=segment_ids,
        channels=chances.channels,
        campaign_ids=chances.campaign_ids,
        creative_ids=tomorrow.tasks.action_ids,
        policies=tomorrow.served,
        run_id=night.folder.run_id,
    )
    return {"out_ad_targeting": targeting}


def _effective_rounds(night: DecisionNight, segment_ids: Sequence[str]) -> NDArray[np.float64]:
    """Return the effective sample size behind the champion in each segment, 0 where it was not evaluated."""
    champion = night.folder.champion(night.area).champion
    values = night.folder.table("out_policy_values").filter(
        domain=night.area, policy=champion, estimator="dr"
    )
    found = dict(values.select("segment_id", "ess").iter_rows())
    return np.array([found.get(segment_id, 0.0) for segment_id in segment_ids])
