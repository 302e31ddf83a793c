"""Decide: tomorrow's decisions of every area that the shop has logs for, as tables in the work folder."""

from collections.abc import Iterable

import polars as pl

from features.areas import AREAS, Area
from features.contracts.policy_versions import OWN_POLICY
from features.contracts.sql_text import identifier
from features.errors import MetacartError
from features.warehouse.store import open_store
from flows.night_folder import Night
from flows.settings import Settings
from flows.stages.lists_today import still_unproven
from flows.stages.worded import said
from flows.workspace import Workspace
from offline_rl.decisions.night import DecisionNight, decide_of
from offline_rl.device import limit_threads


def decide(workspace: Workspace, night: Night) -> None:
    """Write tomorrow's tables of each area into the work folder.

    Raises MetacartError if an area writes a table that it does not name.
    """
    limit_threads(workspace.settings.learning.threads)
    folder = workspace.night_folder(night.run_id)
    with folder.stage("decide"):
        for area in AREAS:
            if area.name in night.undecided:
                continue
            tables = decide_of(area)(_eve(workspace, night, area))
            _refuse_unknown(tables, area)
            for name, frame in tables.items():
                folder.write_table(name, frame)


def _eve(workspace: Workspace, night: Night, area: Area) -> DecisionNight:
    settings = workspace.settings

    def marts(name: str, *columns: str) -> pl.DataFrame:
        chosen = ", ".join(map(identifier, columns)) or "*"
        with open_store(workspace.warehouse) as connection:
            rows: pl.DataFrame = connection.sql(f"SELECT {chosen} FROM {name} ORDER BY ALL").pl()
        return rows

    folder = workspace.night_folder(night.run_id)
    experiment = folder.experiment(area.name)
    return DecisionNight(
        area=area.name,
        folder=folder,
        marts=marts,
        as_of=night.as_of,
        seed=settings.night.seed,
        own_version=settings.night.incumbent_policy or OWN_POLICY,
        exploration=settings.learning.exploration,
        say=said,
        settings=_section(settings, area.settings),
        is_unproven=area.name in still_unproven(folder, night),
        evidence_level="estimated" if area.name in night.estimated else "logged",
        experiment=experiment if experiment and (experiment.has_arms or experiment.is_won) else None,
    )


def _section(settings: Settings, name: str) -> dict[str, object]:
    return getattr(settings, name).model_dump() if name else {}


def _refuse_unknown(tables: Iterable[str], area: Area) -> None:
    """Refuse tables that would not be published, because they have no contract."""
    if unknown := sorted(set(tables) - set(area.tables)):
        raise MetacartError(
            f"The decisions of {area.name} wrote {', '.join(unknown)}; its tables are "
            f"{', '.join(area.tables)}. Name the table in features/areas.py."
        )
