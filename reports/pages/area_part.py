"""An area's part of the report: what its page of decisions, the overview and the terminal say of it.

The blocks below are all that a section can hold, so that an area needs no template of its own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, ClassVar

from features.areas import Area
from reports.pages.figure import Figure
from reports.summaries.formatting import RewardFormat
from reports.summaries.night import Night
from reports.summaries.printed_table import PrintedTable
from reports.wording.catalog import Catalog

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Paragraph:
    """Sentences; is_decision: they say what happens tomorrow, and stand out."""

    kind: ClassVar = "paragraph"
    text: str
    is_decision: bool = False


@dataclass(frozen=True)
class Notice:
    """A sentence that a reader must not miss."""

    kind: ClassVar = "notice"
    text: str


@dataclass(frozen=True)
class Facts:
    """Facts in pairs of name and text."""

    kind: ClassVar = "facts"
    pairs: Pairs


@dataclass(frozen=True)
class Drawn:
    """A chart."""

    kind: ClassVar = "figure"
    figure: Figure


@dataclass(frozen=True)
class Printed:
    """A table; summary: the line that it is folded under, "" for a table that stands open."""

    kind: ClassVar = "table"
    table: PrintedTable
    summary: str = ""


Block = Paragraph | Notice | Facts | Drawn | Printed


@dataclass(frozen=True)
class Section:
    """A heading on the page of decisions, and what stands below it, in its order."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Card:
    """A card on the overview, of an area that has no verdict to show there.

    what: what was decided, inside a sentence. decision: what happens tomorrow; paragraphs: what carries it.
    """

    title: str
    what: str
    decision: str
    paragraphs: tuple[str, ...]


def _nothing(_night: Night, _catalog: Catalog) -> tuple[()]:
    return ()


def _no_card(_night: Night, _catalog: Catalog) -> None:
    return None


@dataclass(frozen=True)
class AreaPart:
    """What one area adds to the report, in a language; a module of its own holds it under the name PART.

    sections: of the page of decisions, none without rows. card: on the overview.
    key_counts: pairs of name and text on the overview. cautions: sentences on what its numbers do not prove.
    lines: what `metacart run` prints of it.
    """

    sections: Callable[[Night, RewardFormat, Catalog], tuple[Section, ...]]
    card: Callable[[Night, Catalog], Card | None] = _no_card
    key_counts: Callable[[Night, Catalog], Pairs] = _nothing
    cautions: Callable[[Night, Catalog], tuple[str, ...]] = _nothing
    lines: Callable[[Night, Catalog], tuple[str, ...]] = _nothing


if TYPE_CHECKING:
    # AREAS names its modules by text, which no tool follows: here type checkers hold them to the record.
    from reports.pages.areas import advertising, budget, recommendation

    _OF_AREAS: tuple[AreaPart, ...] = (recommendation.PART, advertising.PART, budget.PART)


def part_of(area: Area) -> AreaPart:
    """Return an area's part of the report; raises ImportError where the area names no such module."""
    part: AreaPart = import_module(area.report).PART
    return part
