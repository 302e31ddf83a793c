"""The work folder of one night: the files that each stage writes for the next, by name and by type.

night.json                      the night itself, as `metacart ingest` decided it
out_*.parquet                   tables to publish
the files of learning           see flows/learning_files.py
notes_<stage>.json              notes of a stage for readers
<stage>.done                    the checksums of a finished stage's files, and the code that wrote them

Only this module and that one use these names.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from itertools import takewhile
from pathlib import Path

import polars as pl

from features.contracts.findings import Finding
from features.contracts.outputs import OUTPUTS
from features.errors import UsageError
from flows.checksums import changed, checksums, files_below
from flows.code_version import code_sha256
from flows.json_files import read_record, write_json, write_record
from flows.learning_files import LearningFiles
from flows.standing import StandingChampions

STAGES = ("ingest", "learn", "evaluate", "decide", "publish")
"""The stages in their order."""

# Files of ingest; all other files are made from them and from the warehouse.
INGESTED = ("night.json", "out_data_quality.parquet")


@dataclass(frozen=True)
class Night:
    """One night of one shop, as defined when its logs were ingested.

    inputs: file → sha256 of everything loaded. data_from, data_to: first and last day of any log.
    domains: those that policies are learned for. undecided: domain → why nothing is decided in it.
    unproven: domain → why its decisions stand on no evidence but rankings of later acts; where it is among
    the domains too, until a policy is promoted.
    estimated: domain → why its policies are judged by estimated propensities; it is among the domains, and
    where users' acts are logged among the unproven, whose lists serve.
    champions: those that stand when the night begins.
    config_sha256: of the settings that can change a number (`Settings.content_hash`).
    """

    run_id: str
    shop: str
    as_of: date
    inputs: Mapping[str, str]
    data_from: date
    data_to: date
    domains: tuple[str, ...]
    undecided: Mapping[str, Finding] = field(default_factory=dict)
    unproven: Mapping[str, Finding] = field(default_factory=dict)
    estimated: Mapping[str, Finding] = field(default_factory=dict)
    config_sha256: str = ""
    champions: StandingChampions = field(default_factory=StandingChampions)


@dataclass(frozen=True)
class Note:
    """What readers must know of a domain, or of a learner there; learner: empty for the domain itself."""

    domain: str
    learner: str
    found: Finding


@dataclass(frozen=True)
class StageNotes:
    """What readers must know of a stage; device: where it computed, if that matters."""

    notes: tuple[Note, ...] = ()
    device: str | None = None


@dataclass(frozen=True)
class StageMark:
    """The end of a stage: the hash of the code that ran, and file → sha256 of all that it wrote."""

    code_sha256: str
    files: Mapping[str, str]


@dataclass(frozen=True)
class NightFolder(LearningFiles):
    """The work folder of one night, with the files of its learning."""

    @property
    def run_id(self) -> str:
        """The run_id of the night."""
        return self.path.name

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Run one stage of an ingested night in a block; it is done when the block ends without an error.

        A stage needs those before it to be done, and their files as they left them. Its start removes all
        files that are not theirs: tables of a learner that has changed since can't be published. Raises
        UsageError, naming the command to run, if an earlier stage is not done or a file of it has changed.
        """
        place = STAGES.index(name)
        sealed: dict[str, str] = {}
        for earlier in STAGES[:place]:
            mark = self._read_mark(earlier)
            if mark is None:
                raise UsageError(
                    f"{self.run_id} is not ready for {name}: run `metacart {earlier}` first. An erasure "
                    "resets a night to the end of `metacart ingest`."
                )
            self._refuse_changed(mark.files, earlier)
            sealed |= mark.files
        for later in STAGES[place:]:
            self._mark(later).unlink(missing_ok=True)
        self._remove_all_but(sealed)
        yield
        self._seal(name, [file for file in self._files() if file not in sealed])

    def seal_ingest(self) -> None:
        """Record the checksums of the files of ingest; the night is ready for `metacart learn`."""
        # An ingest that was interrupted has written only some of them.
        self._seal("ingest", [name for name in INGESTED if (self.path / name).is_file()])

    @property
    def is_sealed(self) -> bool:
        """Whether the files of ingest have their checksums."""
        return self._mark("ingest").is_file()

    def is_done(self, stage: str) -> bool:
        """Whether a stage has ended with the present code, and its files are as it left them."""
        mark = self._read_mark(stage)
        return mark is not None and mark.code_sha256 == code_sha256() and not changed(self.path, mark.files)

    def stages_to_skip(self) -> frozenset[str]:
        """Return the stages that an interrupted run of this night has finished, with the present code.

        None after a night that was published: it is computed again, which proves its tables.
        """
        if self._mark("publish").is_file():
            return frozenset()
        return frozenset(takewhile(self.is_done, STAGES[1:]))

    def clear(self) -> None:
        """Reset the night to the end of ingest; its files may change before `seal_ingest`."""
        for stage in STAGES:
            self._mark(stage).unlink(missing_ok=True)
        self._remove_all_but(INGESTED)

    def write_night(self, night: Night) -> None:
        """Write the night, for the stages that follow ingest."""
        write_record(self.path / "night.json", night)

    @property
    def is_ingested(self) -> bool:
        """Whether ingest has written a night here."""
        return (self.path / "night.json").is_file()

    @property
    def night(self) -> Night:
        """The night that was ingested here."""
        return read_record(self.path / "night.json", Night)

    @property
    def table_names(self) -> list[str]:
        """The tables that stages have written so far, in the order of the contracts."""
        return [name for name in OUTPUTS if self._table(name).is_file()]

    def table(self, name: str) -> pl.DataFrame:
        """Read one of the tables."""
        return pl.read_parquet(self._table(name))

    def n_rows(self, name: str) -> int:
        """Count the rows of one of the tables, by its metadata alone."""
        return int(pl.scan_parquet(self._table(name)).select(pl.len()).collect().item())

    def tables_of(self, stage: str) -> list[str]:
        """Return the tables that a finished stage has written; of the last one, all that it has published."""
        if stage == STAGES[-1]:
            return self.table_names
        mark = self._read_mark(stage)
        files = {} if mark is None else mark.files
        return [name for name in self.table_names if self._table(name).name in files]

    def write_table(self, name: str, frame: pl.DataFrame) -> None:
        """Write a table to publish."""
        fresh = self.path / f".{name}.tmp"
        frame.write_parquet(fresh)
        fresh.replace(self._table(name))

    def write_parts(self, name: str, parts: Sequence[pl.DataFrame]) -> None:
        """Write a table that has a part for each domain; none without a domain."""
        if parts:
            self.write_table(name, pl.concat(parts))

    def write_notes(self, stage: str, notes: StageNotes) -> None:
        """Write the notes of a stage for readers."""
        write_record(self.path / f"notes_{stage}.json", notes)

    def notes(self, stage: str) -> StageNotes:
        """Read the notes of a stage for readers."""
        return read_record(self.path / f"notes_{stage}.json", StageNotes)

    def write_seconds(self, seconds: Mapping[str, float]) -> None:
        """Write the seconds of each stage."""
        write_json(self.path / "seconds.json", seconds)

    def _seal(self, stage: str, names: Iterable[str]) -> None:
        write_record(self._mark(stage), StageMark(code_sha256(), checksums(self.path, names)))

    def _read_mark(self, stage: str) -> "StageMark | None":
        """Return the mark of a finished stage; None where it is missing or of another version."""
        if not self._mark(stage).is_file():
            return None
        try:
            return read_record(self._mark(stage), StageMark)
        except UsageError:
            return None

    def _refuse_changed(self, sealed: Mapping[str, str], stage: str) -> None:
        if found := changed(self.path, sealed):
            named = ", ".join(f"{name} is {how}" for name, how in found.items())
            raise UsageError(
                f"{self.path}: {named} since `metacart {stage}` wrote it. Run `metacart {stage}` and the "
                "verbs after it again, or `metacart run`."
            )

    def _files(self) -> list[str]:
        marks = {self._mark(stage).name for stage in STAGES}
        return [name for name in files_below(self.path) if name not in marks]

    def _remove_all_but(self, kept: Collection[str]) -> None:
        for name in self._files():
            if name not in kept:
                (self.path / name).unlink()
        folders = [path for path in self.path.rglob("*") if path.is_dir()]
        for folder in sorted(folders, reverse=True):
            if not any(folder.iterdir()):
                folder.rmdir()

    def _mark(self, stage: str) -> Path:
        return self.path / f"{stage}.done"

    def _table(self, name: str) -> Path:
        return self.path / f"{name}.parquet"
