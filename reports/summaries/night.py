"""One night as published: its manifest and its `out_*` tables, read back and made uniform."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from features.areas import AREAS
from features.contracts.findings import Finding, of_plain
from features.contracts.outputs import OCCASIONAL, OUTPUTS
from features.contracts.policy_versions import policy_of
from features.errors import MetacartError
from reports.summaries.notes import Noted

DOMAINS = tuple(area.name for area in AREAS)
JUDGED_DOMAINS = tuple(area.name for area in AREAS if area.is_learned)

# A night publishes a table where at least one of these domains is decided, and every other table always.
_OF_JUDGEMENT = ("out_policy_values", "out_verdicts", "out_segment_tasks", "out_learning_curves")
DOMAINS_OF_TABLE: Mapping[str, tuple[str, ...]] = {
    **{name: (area.name,) for area in AREAS for name in area.tables},
    **dict.fromkeys(_OF_JUDGEMENT, JUDGED_DOMAINS),
}
# Table → the one that is not owed where it has rows.
INSTEAD_OF = {
    name: table.instead_of for area in AREAS for name, table in area.tables.items() if table.instead_of
}


@dataclass(frozen=True)
class Manifest:
    """What `manifest.json` says about the night; every field may be missing.

    unit: "user" where logs know users, "round" where they don't. Unknown counts as "user": small groups
    are then protected.
    undecided: domain → why the night decided nothing there; no entry means decided. unproven: domain → why
    its decisions stand on no evidence but rankings. estimated: domain → why its policies are judged by
    estimated propensities. notes: what readers must know. Of all three the manifest
    has sentences too, for whoever reads it by itself.
    champions: domain → `policy_version` and more of the policy that an election lets serve after the night.
    """

    run_id: str = ""
    shop: str = ""
    as_of: str = ""
    source: str = ""
    reward: str = ""
    unit: str = "user"
    currency: str = ""
    data_from: str = ""
    data_to: str = ""
    n_inputs: int | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    config_hash: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    seed: int | None = None
    device: str = ""
    notes: tuple[Noted, ...] = ()
    undecided: Mapping[str, Finding] = field(default_factory=dict)
    unproven: Mapping[str, Finding] = field(default_factory=dict)
    estimated: Mapping[str, Finding] = field(default_factory=dict)
    champions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def serves(self, domain: str, champion: str) -> str:
        """Return the name of what serves tomorrow: a verdict's champion, or the policy behind the incumbent.

        >>> elected = {"advertising": {"policy_version": "maml-2026-01-05-0a1b2c3d"}}
        >>> Manifest(champions=elected).serves("advertising", "incumbent"), Manifest().serves("budget", "bts")
        ('maml', 'bts')
        """
        version = self.champions.get(domain, {}).get("policy_version", "")
        return policy_of(version) if version and champion == "incumbent" else champion

    @property
    def days_behind(self) -> int | None:
        """Days from the last logged day to the night; None where either is unknown."""
        if not self.as_of or not self.data_to:
            return None
        return (date.fromisoformat(self.as_of[:10]) - date.fromisoformat(self.data_to[:10])).days


@dataclass(frozen=True)
class Night:
    """Manifest and tables. Enums arrive as text, numbers that are not finite as null."""

    manifest: Manifest
    tables: Mapping[str, pl.DataFrame]

    def rows(self, table: str) -> pl.DataFrame:
        """Return the table, or one without rows where the night has none."""
        found = self.tables.get(table)
        return _uniform(OUTPUTS[table].create_empty()) if found is None else found

    @property
    def judged(self) -> frozenset[str]:
        """The domains whose policies were judged."""
        return frozenset((*self.manifest.estimated, *self.rows("out_verdicts")["domain"].unique()))

    def missing(self) -> tuple[str, ...]:
        """Return the contracts' tables that this night should have published and did not."""
        return tuple(name for name in self._expected() if name not in self.tables)

    def empty(self) -> tuple[str, ...]:
        """Return the published tables that should have rows and have none."""
        return tuple(
            name for name in self._expected() if name in self.tables and self.tables[name].is_empty()
        )

    def _expected(self) -> tuple[str, ...]:
        undecided = self.manifest.undecided
        unjudged = {*undecided, *self.manifest.unproven} - self.judged
        owed = [name for name in OUTPUTS if name not in OCCASIONAL]
        for name, other in INSTEAD_OF.items():
            if not self.rows(name).is_empty():
                owed.remove(other)
        return tuple(
            name
            for name in owed
            if name not in DOMAINS_OF_TABLE
            or any(
                domain not in (unjudged if name in _OF_JUDGEMENT else undecided)
                for domain in DOMAINS_OF_TABLE[name]
            )
        )


def night(tables: Mapping[str, pl.DataFrame], manifest: Mapping[str, Any]) -> Night:
    """Return the night of these tables; raises MetacartError where a table breaks its contract's columns.

    Manifest keys and tables that this report does not know are ignored.
    """
    known = {name: value for name, value in manifest.items() if name in Manifest.__dataclass_fields__}
    given = {name: value for name, value in known.items() if value is not None}
    given |= _found(manifest)
    return Night(
        Manifest(**given),
        {name: _uniform(_checked(name, tables[name])) for name in OUTPUTS if name in tables},
    )


def read_night(run_folder: Path) -> Night:
    """Return the night published in this folder; raises MetacartError where the folder does not exist."""
    if not run_folder.is_dir():
        raise MetacartError(f"{run_folder} is not a folder. Give the folder of a published night.")
    manifest_path = run_folder / "manifest.json"
    manifest = json.loads(manifest_path.read_text(encoding="utf-8")) if manifest_path.is_file() else {}
    tables = {
        path.stem: pl.read_parquet(path)
        for path in sorted(run_folder.glob("out_*.parquet"))
        if path.stem in OUTPUTS
    }
    return night(tables, manifest)


def _found(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the manifest's findings say of notes and undecided domains."""
    if "findings" not in manifest and (manifest.get("notes") or manifest.get("undecided")):
        raise MetacartError(
            "The manifest has notes in sentences and no findings. "
            "Publish the night again, or build its report with the version that published it."
        )
    findings = manifest.get("findings", {})
    return {
        "undecided": {domain: of_plain(why) for domain, why in findings.get("undecided", {}).items()},
        "unproven": {domain: of_plain(why) for domain, why in findings.get("unproven", {}).items()},
        "estimated": {domain: of_plain(why) for domain, why in findings.get("estimated", {}).items()},
        "notes": tuple(
            Noted(note["domain"], note["learner"], of_plain(note["finding"]))
            for note in findings.get("notes", ())
        ),
    }


def _checked(name: str, frame: pl.DataFrame) -> pl.DataFrame:
    lacking = [column for column in OUTPUTS[name].column_names() if column not in frame.columns]
    if lacking:
        raise MetacartError(
            f"{name} lacks the columns {', '.join(lacking)}, which features/contracts/outputs.py asks for. "
            "Publish the night again, or build its report with the version that published it."
        )
    return frame


def _uniform(frame: pl.DataFrame) -> pl.DataFrame:
    texts = [name for name, kind in frame.schema.items() if isinstance(kind, pl.Enum | pl.Categorical)]
    floats = [name for name, kind in frame.schema.items() if kind.is_float()]
    return frame.with_columns(
        *(pl.col(name).cast(pl.String) for name in texts),
        *(pl.when(pl.col(name).is_finite()).then(pl.col(name)).alias(name) for name in floats),
    )
