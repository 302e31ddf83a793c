"""Open Bandit Dataset: ZOZOTOWN's logs of two policies over the same items.

Layout `folder/{random,bts}/{all,men,women}/{campaign}.csv` beside an `item_context.csv`. A campaign is a
surface with three slots and its own catalog: item 7 of `men` is not item 7 of `women`. The rows have
no users, so every impression is a separate visit.
Source: Saito, Aihara, Matsutani & Narita 2021, Open Bandit Dataset and Pipeline.
"""

from datetime import date
from pathlib import Path

from features.contracts.mapping import LogMapping, SourceFile
from features.errors import InputDataError
from features.sources.folder import column_names, has_log

# Random first: the policies hash the same item categories differently, and a campaign takes its catalog
# from the first policy that has one.
POLICIES = ("random", "bts")
CAMPAIGNS = ("all", "men", "women")
ITEM_CONTEXT = "item_context.csv"

USER_FEATURES = tuple(f"user_feature_{k}" for k in range(4))
ITEM_FEATURES = tuple(f"item_feature_{k}" for k in range(4))

# The column of row numbers has no name in the files; the warehouse calls such a column by its position.
ROW_NUMBER = "column0"


def files(folder: Path, *, until: date | None = None) -> tuple[SourceFile, ...]:  # noqa: ARG001
    """Return the existing files and the logs that each feeds.

    until: part of every adapter's signature; it leaves out no file here, because one file holds all
        days. The warehouse leaves out rows after the night's date.
    Raises InputDataError when the folder holds no campaign at all.
    """
    rounds = [
        _rounds(folder, policy, campaign)
        for policy in POLICIES
        for campaign in CAMPAIGNS
        if has_log(folder, f"{policy}/{campaign}/{campaign}.csv")
    ]
    if not rounds:
        raise InputDataError(
            f"There are no Open Bandit files in {folder}; run `metacart data fetch open_bandit`."
        )
    return (*rounds, *(item for campaign in CAMPAIGNS for item in _items(folder, campaign)))


def _rounds(folder: Path, policy: str, campaign: str) -> SourceFile:
    name = f"{policy}/{campaign}/{campaign}.csv"
    path = folder / name
    propensity = _propensity_column(path)
    impression_id = f"'{policy}/{campaign}/' || {ROW_NUMBER}"
    item_id = f"'{campaign}:' || item_id"
    # The affinities between the user and each item stay out: only the shown item's could go with the
    # row, and a context must not depend on the action.
    # The features' values are hashes: eight digits distinguish them, and fit into a segment's name.
    context = ", ".join(f"'{feature}', left({feature}, 8)" for feature in USER_FEATURES)
    impressions = {
        "impression_id": impression_id,
        "shown_at": "timestamp",
        "session_id": impression_id,
        "surface": f"'{campaign}'",
        "slot": "position",
        "item_id": item_id,
        "propensity": propensity,
        "policy_version": f"'{policy}'",
        "context": f"json_object({context})",
    }
    clicks = {
        "event_id": f"{impression_id} || '/click'",
        "occurred_at": "timestamp",
        "session_id": impression_id,
        "item_id": item_id,
        # Values other than 0 and 1 become an invalid event type, and so go to quarantine with a reason.
        "event_type": "CASE click WHEN '1' THEN 'click' ELSE 'click = ' || coalesce(click, 'nothing') END",
        "impression_id": impression_id,
    }
    return SourceFile(
        path=path,
        name=name,
        file_format="csv",
        required=frozenset(
            {ROW_NUMBER, "timestamp", "item_id", "position", "click", propensity, *USER_FEATURES}
        ),
        logs=(
            LogMapping("impressions", impressions),
            LogMapping("events", clicks, where="click IS DISTINCT FROM '0'"),
        ),
    )


def _items(folder: Path, campaign: str) -> tuple[SourceFile, ...]:
    """Return the campaign's catalog, or nothing when no policy came with one."""
    for policy in POLICIES:
        name = f"{policy}/{campaign}/{ITEM_CONTEXT}"
        if has_log(folder, name):
            attributes = ", ".join(
                f"'{feature}', {f'TRY_CAST({feature} AS DOUBLE)' if feature == ITEM_FEATURES[0] else feature}"
                for feature in ITEM_FEATURES
            )
            columns = {
                "item_id": f"'{campaign}:' || item_id",
                "category": ITEM_FEATURES[1],
                "attributes": f"json_object({attributes})",
            }
            return (
                SourceFile(
                    path=folder / name,
                    name=name,
                    file_format="csv",
                    required=frozenset({"item_id", *ITEM_FEATURES}),
                    logs=(LogMapping("items", columns),),
                ),
            )
    return ()


def _propensity_column(path: Path) -> str:
    """Return what the file calls its propensity: releases differ."""
    header = column_names(path)
    return (
        "action_prob" if "action_prob" in header and "propensity_score" not in header else "propensity_score"
    )
