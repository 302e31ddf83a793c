"""The distribution of items shown to a segment, where logs have no users.

A log without users has no one to draw a slate for. One draw for a whole segment would be everyone's: what is
published is the distribution, and whoever serves draws from it for each visitor.
"""

from datetime import date

import numpy as np
import polars as pl
import torch

from features.contracts.recommendation import SegmentDistributions
from offline_rl.decisions.recommendation.slates import Serving
from offline_rl.decisions.served_policy import columns_of
from offline_rl.decisions.slate_chances import Chances
from offline_rl.policies.exploration import explored_marginals

_TARGETS_AT_ONCE = 1_000


def segment_distributions(
    targets: pl.DataFrame, chances: Chances, serving: Serving, *, run_id: str, as_of: date
) -> pl.DataFrame:
    """Return the rows of `SegmentDistributions`, sorted by segment_id, surface, slot_rank, item_id.

    targets: segment_id, surface; one row each. Every item that may be shown in a slot has a row there, also
    with the share of exploration alone, and the probabilities of a filled slot add up to 1.

    >>> from features.contracts.findings import Finding, codes_of
    >>> from offline_rl.decisions.item_scores import ItemScores
    >>> from offline_rl.decisions.served_policy import ServedPolicy
    >>> from offline_rl.decisions.slate_chances import SlateChances
    >>> everyone = pl.DataFrame({"segment_id": ["new"], "surface": ["mail"]})
    >>> mostly = torch.tensor([[[0.25, 0.75]]], dtype=torch.float64).log()
    >>> even = lambda rows: SlateChances(mostly, torch.tensor([[True, True]]), torch.zeros(1))
    >>> policy = ServedPolicy("coin", "baseline", (Finding("held", "maml"),))
    >>> scores = ItemScores(*np.full((3, 1, 2), 0.5))
    >>> serving = Serving(["new"], ["blue", "red"], scores, [policy], codes_of)
    >>> rows = segment_distributions(everyone, even, serving, run_id="r", as_of=date(2026, 1, 5))
    >>> rows.select("slot_rank", "item_id", pl.col("probability").round(6)).rows()
    [(1, 'blue', 0.25), (1, 'red', 0.75)]
    """
    in_order = targets.select(
        "surface",
        segment=pl.col("segment_id").replace_strict(
            list(serving.segment_ids), list(range(len(serving.segment_ids))), return_dtype=pl.Int64
        ),
        row=pl.int_range(pl.len(), dtype=pl.Int64),
    )
    blocks = [_rows(block, chances, serving) for block in in_order.iter_slices(_TARGETS_AT_ONCE)]
    if not blocks:
        return SegmentDistributions.create_empty()
    named = pl.concat(blocks).with_columns(run_id=pl.lit(run_id), as_of=pl.lit(as_of))
    return SegmentDistributions.validate(
        named.select(SegmentDistributions.column_names()).sort(
            "segment_id", "surface", "slot_rank", "item_id"
        ),
        cast=True,
    )


def _rows(block: pl.DataFrame, chances: Chances, serving: Serving) -> pl.DataFrame:
    drawn = chances(block["row"].to_numpy())
    with torch.no_grad():
        marginals = explored_marginals(drawn.logits, drawn.available, drawn.exploration).numpy()
    target, slot, item = np.nonzero(marginals > 0)
    segment = block["segment"].to_numpy()[target]
    cell = (segment, item)
    names = pl.Series(list(serving.item_names) or [None] * len(serving.item_ids), dtype=pl.String)
    return pl.DataFrame(
        {
            "segment_id": pl.Series(list(serving.segment_ids), dtype=pl.String).gather(segment),
            "surface": block["surface"].gather(target),
            "slot_rank": slot + 1,
            "item_id": pl.Series(list(serving.item_ids), dtype=pl.String).gather(item),
            "item_name": names.gather(item),
            "probability": np.minimum(marginals[target, slot, item], 1.0),
            "score": serving.scores.mean[cell],
            "score_lower": serving.scores.lower[cell],
            "score_upper": serving.scores.upper[cell],
            **columns_of(serving.policies, segment, serving.say),
        }
    )
