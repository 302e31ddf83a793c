"""Creative chances: how often each creative is shown to a segment on a channel, averaged over its users."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from offline_rl.decisions.tomorrow import Tomorrow
from offline_rl.policies.exploration import explored_marginals


@dataclass(frozen=True, eq=False)
class CreativeChances:
    """What G segments see of A creatives in C cells, each a channel and a campaign.

    probabilities: float64[G, C, A], 0 in a cell that a segment isn't reached in. channels: of the cells.
    campaign_ids: of the creatives, empty for one that nobody can be shown.
    """

    probabilities: NDArray[np.float64]
    channels: list[str]
    campaign_ids: list[str]


def creative_chances(tomorrow: Tomorrow) -> CreativeChances:
    """Average the creatives' probabilities over the users of each segment, per channel and campaign."""
    targets = tomorrow.targets.rows.with_row_index("target")
    cells = targets.select("surface", "campaign_id").unique().sort("surface", "campaign_id")
    n_segments, creative_ids = tomorrow.tasks.n_segments, tomorrow.tasks.action_ids
    probabilities = np.zeros((n_segments, cells.height, len(creative_ids)))
    campaign_ids = [""] * len(creative_ids)
    for place, (channel, campaign) in enumerate(cells.iter_rows()):
        members = targets.filter(surface=channel, campaign_id=campaign)
        rows = members["target"].to_numpy().astype(np.int64)
        chances = tomorrow.chances(rows)
        drawn = explored_marginals(chances.logits, chances.available, chances.exploration)[:, 0].numpy()
        of_segment = tomorrow.targets.segment.numpy()[rows]
        for segment in np.unique(of_segment):
            probabilities[segment, place] = drawn[of_segment == segment].mean(axis=0)
        for creative in np.flatnonzero(drawn.sum(axis=0)):
            campaign_ids[creative] = campaign
    return CreativeChances(probabilities, cells["surface"].to_list(), campaign_ids)
