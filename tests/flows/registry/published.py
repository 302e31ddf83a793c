"""What tests of the registry read of a night that was published."""

from typing import Any

import polars as pl

from flows.json_files import read_json
from flows.stages.night import NightResult


def manifest(night: NightResult) -> dict[str, Any]:
    return read_json(night.published.folder / "manifest.json")


def verdict(night: NightResult) -> dict[str, Any]:
    """The verdict of all segments together."""
    return night.published.table("out_verdicts").filter(segment_id="all").row(0, named=True)


def slates(night: NightResult) -> pl.DataFrame:
    return night.published.table("out_recommendations")


def own_table(night: NightResult) -> str:
    """The version of a table in which the shop's own policy serves."""
    return f"logging-{night.night.run_id}"
