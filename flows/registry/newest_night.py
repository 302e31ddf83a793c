"""What the newest published night decided without electing: unproven lists, or nothing at all."""

from collections.abc import Mapping
from datetime import date

import polars as pl

from features.areas import AREAS, area_of
from flows.published_nights import PublishedNight
from flows.registry.standing_champions import night_before
from flows.workspace import Workspace

_LISTS = {"policy_version", "evidence_level"}
"""Columns of a table that can have unproven lists."""

_VERDICTS = "out_verdicts"


def newest_night(workspace: Workspace) -> PublishedNight | None:
    """Return the published night with the newest date; of several of one date the one that counts."""
    return night_before(workspace, date.max)


def serving_lists(night: PublishedNight | None) -> dict[str, tuple[str, ...]]:
    """Return area → versions of its unproven lists, of the areas where a night let lists serve.

    Users in the candidate's arm of an experiment are served by the candidate, whose rows are not unproven.
    """
    if night is None:
        return {}
    return {area: _versions(night, area) for area in _manifest(night).get("unproven", {})}


def without_judgement(night: PublishedNight) -> dict[str, str]:
    """Return area → why, of the learned areas in which a night judged no policy, so that it elects none.

    An area whose verdicts can't be read is not among them: what the night judged is not known then.
    """
    manifest = _manifest(night)
    why = {**manifest.get("undecided", {}), **manifest.get("unproven", {})}
    judged = _judged(night, manifest)
    return {
        area.name: why[area.name]
        for area in AREAS
        if area.is_learned and area.name in why and judged is not None and area.name not in judged
    }


def _manifest(night: PublishedNight) -> Mapping[str, Mapping[str, str]]:
    return night.manifest or {}


def _versions(night: PublishedNight, area: str) -> tuple[str, ...]:
    found: set[str] = set()
    for table in area_of(area).tables:
        file = night.path / f"{table}.parquet"
        if file.is_file() and set(pl.read_parquet_schema(file)) >= _LISTS:
            lists = pl.scan_parquet(file).filter(pl.col("evidence_level") == "unproven")
            found |= set(lists.select(pl.col("policy_version").unique()).collect().to_series())
    return tuple(sorted(found))


def _judged(night: PublishedNight, manifest: Mapping[str, Mapping[str, str]]) -> frozenset[str] | None:
    """Return the areas with a verdict; None where the table of verdicts is gone."""
    if _VERDICTS not in manifest.get("tables", {}):
        return frozenset()
    file = night.path / f"{_VERDICTS}.parquet"
    return frozenset(pl.read_parquet(file, columns=["domain"])["domain"]) if file.is_file() else None
