"""What the numbers of findings count, and what a code says of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Unit(StrEnum):
    """What a number counts, or what a text names.

    `count` is a whole number; `clusters` is one of what the word `clusters` of the same finding names: where
    that is users, it counts people. `date` is a text like 2026-01-05; `name` is a name as it stands in other
    columns; `word` is an English noun in the plural, from a fixed list that each language translates
    (`users`, `weighted rewards`); `kind` is number or text, what a value that can't be loaded is;
    `currency` is the ISO code of rewards that are money, and left out where they are counts.
    """

    COUNT = "count"
    CLUSTERS = "count of clusters"
    SHARE = "share"
    REWARD = "reward per round"
    SUM = "sum of weighted rewards"
    EFFECTIVE = "effective number"
    WEIGHT = "weight"
    INDEX = "tail index"
    ERRORS = "standard errors"
    NATS = "nats per reward"
    RATE = "learning rate"
    CENTS = "cents"
    RATIO = "revenue per unit of spend"
    NUMBER = "number"
    DATE = "date"
    TIME = "time"
    NAME = "name"
    NAMES = "names"
    KIND = "kind"
    WORD = "word"
    CURRENCY = "currency"


COUNTS = frozenset({Unit.COUNT, Unit.CLUSTERS})
"""Units of whole numbers."""

TEXTS = frozenset({Unit.NAME, Unit.NAMES, Unit.WORD, Unit.DATE, Unit.TIME, Unit.KIND, Unit.CURRENCY})
"""Units of texts; all others are of numbers."""

OPTIONAL_TEXTS = frozenset({Unit.KIND, Unit.CURRENCY})
"""Units of texts that a finding may leave out."""


@dataclass(frozen=True)
class Meaning:
    """What a code says of its subject.

    numbers: name → unit. A number that could not be known is left out of a finding; of the texts only a kind
    and a currency may be.
    has_causes: whether other findings may stand behind it as its causes (`Finding.because`).
    """

    about: str
    numbers: Mapping[str, Unit] = field(default_factory=dict)
    has_causes: bool = False
