"""Errors of file delivery: lines that are repeated, late, or broken.

Dirt only adds lines and moves them. The clean logs result from refusing the broken lines, keeping one of
equal lines and waiting for late ones, except for lines that had not arrived when the last night ended. So a
test can compare the tables of a dirty shop with those of its clean twin.

Each of the four kinds takes a quarter of the share, in whole lines: small files stay clean.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from features.contracts.logs import ADDED_UP
from features.simulator.streams import Stream, generator

DIRT_FILE = "dirt.json"

LATEST_DAYS = 3
"""Late and repeated lines come one to three days after their day."""

_KINDS = 4

# Kind of error → the text that replaces a field; None removes the zone of a time.
_BROKEN: dict[str, dict[str, str | None]] = {
    "propensity_zero": {"propensity": "0.0"},
    "propensity_above_one": {"propensity": "1.7"},
    "propensity_not_a_number": {"propensity": "NaN"},
    "time_without_zone": {"shown_at": None, "occurred_at": None, "ordered_at": None},
    "unknown_word": {"event_type": "tap", "is_cancelled": "perhaps", "is_clicked": "perhaps"},
    "negative_money": {"price_cents": "-5", "cost_cents": "-5"},
    "short_line": {},
}

Origin = Literal["late", "repeated"]


@dataclass(frozen=True)
class PlantedFile:
    """The dirt in one file, as counts of lines.

    lines: data lines in it. repeated: copies next to their originals.
    arrived_late, arrived_repeated: lines of earlier days, moved or copied here.
    sent_late, sent_repeated: lines of this day that were moved or copied to a later one.
    broken: kind of error → lines that must be refused, copies of good ones.
    stray_quote_line: the line, header first and counted from 1, whose quote never closes.
    """

    file: str
    lines: int
    repeated: int
    arrived_late: int
    arrived_repeated: int
    sent_late: int
    sent_repeated: int
    broken: dict[str, int]
    stray_quote_line: int | None


@dataclass
class Dirt:
    """The source of dirt, night by night, with a record of it.

    seed: of the shop. share: of lines that are touched.
    stray_quote_log: the log whose first file gets a quote that never closes; None for none.
    """

    seed: int
    share: float
    stray_quote_log: str | None = None
    planted: list[PlantedFile] = field(default_factory=list)
    _under_way: defaultdict[tuple[str, int], list[tuple[Origin, str]]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def plant(self, log: str, day: int, header: str, lines: Sequence[str], *, name: str) -> list[str]:
        """Return the data lines of one file with dirt among them.

        day: of the file, counted from 0; the files of a log come in order of days.
        name: name of the file in the record.
        """
        random = generator(self.seed, Stream.DIRT, day)
        each = int(self.share / _KINDS * len(lines))
        late, twice, twice_later, sources = random.permutation(len(lines))[: _KINDS * each].reshape(
            _KINDS, each
        )
        # A later file of sums states its days again: a platform sends no single line of them.
        if log in ADDED_UP:
            late = twice_later = np.array([], dtype=np.int64)
        moves: tuple[tuple[Origin, NDArray[np.int64]], ...] = (("late", late), ("repeated", twice_later))
        for origin, moved in moves:
            for position, delay in zip(moved, random.integers(1, LATEST_DAYS + 1, len(moved)), strict=True):
                self._under_way[log, day + int(delay)].append((origin, lines[position]))
        arrived = self._under_way.pop((log, day), [])
        broken = _break(header, [lines[position] for position in sources], first=day)
        added = [lines[position] for position in twice] + [line for _, line in arrived + broken]
        kept = np.delete(np.array(lines, dtype=object), late)
        places = random.integers(0, len(kept) + 1, len(added))
        dirty: list[str] = np.insert(kept, places, np.array(added, dtype=object)).tolist()
        quoted = len(dirty) // 2 if (log, day) == (self.stray_quote_log, 0) and dirty else None
        if quoted is not None:
            dirty[quoted] = '"' + dirty[quoted]
        origins = Counter(origin for origin, _ in arrived)
        self.planted.append(
            PlantedFile(
                file=name,
                lines=len(dirty),
                repeated=each,
                arrived_late=origins["late"],
                arrived_repeated=origins["repeated"],
                sent_late=len(late),
                sent_repeated=len(twice_later),
                broken=dict(Counter(what for what, _ in broken)),
                stray_quote_line=None if quoted is None else quoted + 2,
            )
        )
        return dirty

    def to_json(self) -> str:
        """Return the record for `dirt.json`; `never_arrived` had not arrived when the last night ended."""
        never = {log: Counter[str]() for log, _ in self._under_way}
        for (log, _), lines in self._under_way.items():
            never[log].update(origin for origin, _ in lines)
        content = {
            "share": self.share,
            "files": [asdict(planted) for planted in self.planted],
            "never_arrived": {log: dict(sorted(counts.items())) for log, counts in sorted(never.items())},
        }
        return json.dumps(content, indent=1) + "\n"


def _break(header: str, lines: Sequence[str], first: int) -> list[tuple[str, str]]:
    """Return (kind of error, broken line) of each line; kinds take turns from the `first` one that fits.

    No value of a nightly log has a comma or a quote, so fields are the parts between commas.
    """
    names = header.split(",")
    fitting = [what for what, changes in _BROKEN.items() if not changes or changes.keys() & set(names)]
    broken = []
    for number, line in enumerate(lines):
        what = fitting[(first + number) % len(fitting)]
        fields = line.split(",")
        changed = [place for place, name in enumerate(names) if name in _BROKEN[what]]
        if changed:
            value = _BROKEN[what][names[changed[0]]]
            fields[changed[0]] = fields[changed[0]].removesuffix("Z") if value is None else value
        else:
            fields.pop()
        broken.append((what, ",".join(fields)))
    return broken
