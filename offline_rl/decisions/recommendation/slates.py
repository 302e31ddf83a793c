"""Tomorrow's slates: drawn from the served policy, each with the exact probability it was drawn with."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from features.contracts import columns
from features.contracts.findings import Say, finding
from features.contracts.recommendation import Recommendations
from features.errors import InputDataError
from offline_rl.decisions.item_scores import ItemScores
from offline_rl.decisions.recommendation.keyed_uniforms import keyed_uniforms
from offline_rl.decisions.served_policy import EXPLORATION, ServedPolicy, columns_of
from offline_rl.decisions.slate_chances import Chances, SlateChances
from offline_rl.policies.exploration import explored_marginals, explored_slates


@dataclass(frozen=True)
class Serving:
    """What the rows say beside the draw: names, scores and the policy behind each segment.

    scores: [segments, items] in the order of `segment_ids` and `item_ids`; policies: one per segment.
    say: makes the sentences beside the reasons of a policy.
    item_names: what people call the items of `item_ids`, None for one without a name; empty for none at all.
    """

    segment_ids: Sequence[str]
    item_ids: Sequence[str]
    scores: ItemScores
    policies: Sequence[ServedPolicy]
    say: Say
    item_names: Sequence[str | None] = ()


@dataclass(frozen=True)
class _Draw:
    """The filled slots of a block of targets, one entry each, in the order target, slot."""

    target: NDArray[np.int64]
    slot: NDArray[np.int64]
    item: NDArray[np.int64]
    best_item: NDArray[np.int64]
    propensity: NDArray[np.float64]
    slate_log_probability: NDArray[np.float64]
    is_exploration: NDArray[np.bool_]


def recommend(
    targets: pl.DataFrame,
    chances: Chances,
    serving: Serving,
    *,
    run_id: str,
    as_of: date,
    seed: int,
) -> pl.DataFrame:
    """Return a slate for every target, as rows of `Recommendations` sorted by user_key, surface, slot_rank.

    A slate is drawn without replacement, now and then uniformly (`exploration`). `propensity` is the
    probability of the item in its slot over all slates (the slot marginal), `slate_log_probability` the log
    of the probability of the slate as a whole. The draw of a target is a function of seed, night, user_key
    and surface only: it doesn't change with the other targets or their order. Empty slots have no row.

    targets: user_key, segment_id, surface; one row per user and surface.
    Raises InputDataError for a target that is there twice or whose segment `serving` doesn't know.

    >>> from features.contracts.findings import Finding, codes_of
    >>> everyone = pl.DataFrame({"user_key": ["ann"], "segment_id": ["new"], "surface": ["home"]})
    >>> greedy = torch.eye(2)[None, [1, 0]].log()
    >>> certain = lambda rows: SlateChances(greedy, torch.tensor([[True, True]]), torch.zeros(1))
    >>> half = ItemScores(*np.full((3, 1, 2), 0.5))
    >>> policy = ServedPolicy("bts", "baseline", (Finding("held", "maml"),))
    >>> serving = Serving(["new"], ["hat", "shoe"], half, [policy], codes_of)
    >>> rows = recommend(everyone, certain, serving, run_id="r", as_of=date(2026, 1, 5), seed=0)
    >>> rows.select("slot_rank", "item_id", "propensity", "is_exploration").rows()
    [(1, 'shoe', 1.0, False), (2, 'hat', 1.0, False)]
    """
    blocks = recommend_in_blocks(
        targets, chances, serving, run_id=run_id, as_of=as_of, seed=seed, targets_at_once=20_000
    )
    return pl.concat([Recommendations.create_empty(), *blocks])


def recommend_in_blocks(
    targets: pl.DataFrame,
    chances: Chances,
    serving: Serving,
    *,
    run_id: str,
    as_of: date,
    seed: int,
    targets_at_once: int,
) -> Iterator[pl.DataFrame]:
    """Yield the rows of `recommend` block by block, for shops whose slates don't fit in memory together."""
    _refuse_unknown(targets, serving)
    in_order = targets.select(
        "user_key",
        "surface",
        segment=pl.col("segment_id").replace_strict(
            list(serving.segment_ids), list(range(len(serving.segment_ids))), return_dtype=pl.Int64
        ),
        row=pl.int_range(pl.len(), dtype=pl.Int64),
    ).sort("user_key", "surface")
    for block in in_order.iter_slices(targets_at_once):
        draw = _drawn(
            chances(block["row"].to_numpy()),
            keys=block.select(pl.format("{}\x1f{}", "user_key", "surface")).to_series(),
            salt=f"{seed}/{as_of.isoformat()}",
        )
        frame = _rows(block, draw, serving).with_columns(run_id=pl.lit(run_id), as_of=pl.lit(as_of))
        yield Recommendations.validate(frame.select(Recommendations.column_names()))


def _refuse_unknown(targets: pl.DataFrame, serving: Serving) -> None:
    keys = targets.select("user_key", "surface")
    twice = keys.filter(keys.is_duplicated())
    if not twice.is_empty():
        user_key, surface = twice.row(0)
        raise InputDataError(
            f"User {user_key} is asked for a slate on surface {surface} more than once "
            f"({twice.height} such rows): keep one target per user and surface."
        )
    unknown = targets.filter(~pl.col("segment_id").is_in(list(serving.segment_ids)))
    if not unknown.is_empty():
        raise InputDataError(
            f"{unknown.height} targets belong to segments that no policy serves, the first to "
            f"{unknown['segment_id'][0]}: serve these users from the pooled policy under a known segment."
        )


def _drawn(chances: SlateChances, *, keys: pl.Series, salt: str) -> _Draw:
    n_slots = chances.logits.shape[1]
    uniforms = torch.from_numpy(keyed_uniforms(keys.to_list(), 1 + n_slots, salt=salt))
    with torch.no_grad():
        marginals = explored_marginals(
            chances.logits, chances.available, chances.exploration, chances.challenger
        )
        items, log_probability, explores = explored_slates(
            chances.logits, chances.available, chances.exploration, uniforms, chances.challenger
        )
        chosen = marginals.gather(-1, items.clamp(min=0)[..., None])[..., 0]
    target, slot = np.nonzero(items.numpy() >= 0)
    at = (target, slot)
    return _Draw(
        target=target,
        slot=slot,
        item=items.numpy()[at],
        best_item=marginals.argmax(-1).numpy()[at],
        propensity=np.minimum(chosen.numpy()[at], 1.0),
        slate_log_probability=np.minimum(log_probability.numpy()[target], 0.0),
        is_exploration=explores.numpy()[target],
    )


def _rows(block: pl.DataFrame, draw: _Draw, serving: Serving) -> pl.DataFrame:
    segment = block["segment"].to_numpy()[draw.target]
    cell = (segment, draw.item)
    items = pl.Series(list(serving.item_ids), dtype=pl.String)
    names = pl.Series(list(serving.item_names) or [None] * len(items), dtype=pl.String)
    return pl.DataFrame(
        {
            "segment_id": pl.Series(list(serving.segment_ids), dtype=pl.String).gather(segment),
            "user_key": block["user_key"].gather(draw.target),
            "surface": block["surface"].gather(draw.target),
            "slot_rank": draw.slot + 1,
            "item_id": items.gather(draw.item),
            "item_name": names.gather(draw.item),
            "score": serving.scores.mean[cell],
            "propensity": draw.propensity,
            "slate_log_probability": draw.slate_log_probability,
            "score_lower": serving.scores.lower[cell],
            "score_upper": serving.scores.upper[cell],
            "is_exploration": draw.is_exploration,
            **columns_of(serving.policies, segment, serving.say),
            "reason_text": _reason_texts(segment, draw, serving),
        }
    ).with_columns(
        reason_code=pl.when("is_exploration").then(pl.lit(EXPLORATION)).otherwise("reason_code"),
        rule_ids=pl.lit(""),
        arm=pl.lit(None, columns.arm.dtype),
        arm_probability=pl.lit(None, pl.Float64),
    )


def _reason_texts(segment: NDArray[np.int64], draw: _Draw, serving: Serving) -> pl.Series:
    # Few sentences serve many rows: each is written once and the rows point at it.
    n_codes = len(serving.item_ids) + 1
    code = segment * n_codes + np.where(draw.is_exploration, draw.best_item + 1, 0)
    used, sentence = np.unique(code, return_inverse=True)
    texts = []
    for of_segment, of_item in zip(*np.divmod(used, n_codes), strict=True):
        reasons = serving.policies[of_segment].reasons
        if of_item:
            usual = finding(EXPLORATION, reasons[0].subject, usual_item=serving.item_ids[of_item - 1])
            reasons = (*reasons, usual)
        texts.append(serving.say(reasons))
    return pl.Series(texts, dtype=pl.String).gather(sentence)
