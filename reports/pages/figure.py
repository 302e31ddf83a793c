"""A chart on a page: its name, what to conclude from it, and its legend."""

from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup

from reports.summaries.formatting import RATE, RewardFormat
from reports.wording.catalog import Catalog


@dataclass(frozen=True)
class Key:
    """One line of a legend: the shape that is drawn, its color's role, and what it stands for."""

    shape: Literal["dot", "square", "ring", "left", "right", "tick", "solid", "dashed"]
    tone: Literal["candidate", "baseline", "other", "truth"]
    label: str


@dataclass(frozen=True)
class Figure:
    """A chart; a table beside it prints its data.

    name: what a screen reader says. conclusion: the caption, which says what to make of it.
    """

    svg: Markup
    name: str
    conclusion: str
    keys: tuple[Key, ...] = ()


def reward_axis(reward: RewardFormat, catalog: Catalog) -> str:
    """Return the title of an axis of rewards, with their unit where they have one."""
    if not reward.unit:
        return catalog.text("axis.reward")
    unit = catalog.numbers.percent_sign if reward.unit == RATE else reward.unit
    return catalog.text("axis.reward_in", unit=unit)
