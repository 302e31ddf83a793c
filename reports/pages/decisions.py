"""Decisions: what every area does tomorrow, in sums; no row of a single user."""

from collections.abc import Mapping
from dataclasses import dataclass

from features.areas import AREAS
from reports.pages.area_part import Section, part_of
from reports.summaries.formatting import RewardFormat
from reports.summaries.night import Night
from reports.wording.catalog import Catalog


@dataclass(frozen=True)
class DecisionsPage:
    """What the page prints. lost: a sentence for each table that an area owes and that has no rows."""

    lost: tuple[str, ...]
    sections: tuple[Section, ...]


def decisions(
    night: Night, formats: Mapping[str, RewardFormat], absent: Mapping[str, str], catalog: Catalog
) -> DecisionsPage:
    """Return the decisions of the night; absent: table → the sentence on its absence."""
    return DecisionsPage(
        lost=tuple(absent[name] for area in AREAS for name in area.tables if name in absent),
        sections=tuple(
            section
            for area in AREAS
            for section in part_of(area).sections(night, formats[area.name], catalog)
        ),
    )
