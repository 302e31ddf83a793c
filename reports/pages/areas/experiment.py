"""The experiment between today's policy and a candidate: both arms, their difference, what becomes of it."""

from features.areas import RECOMMENDATION
from reports.pages.area_part import Paragraph, Printed, Section
from reports.pages.cells import counted, heads, measured, people, text
from reports.summaries.experiments import ExperimentSummary, experiment_of
from reports.summaries.formatting import RewardFormat
from reports.summaries.night import Night
from reports.summaries.printed_table import Cell, PrintedTable, first_rows, interval_bars
from reports.summaries.suppression import SMALLEST_GROUP
from reports.wording.catalog import Catalog
from reports.wording.sentences import say

TABLE = "out_experiments"


def experiment_section(night: Night, reward: RewardFormat, catalog: Catalog) -> tuple[Section, ...]:
    """Return the section of the experiment, none without one."""
    found = experiment_of(night.rows(TABLE), RECOMMENDATION.name)
    if found is None:
        return ()
    said = [
        Paragraph(_said(found, catalog), is_decision=True),
        Paragraph(catalog.text("experiment.interval", confidence=catalog.numbers.share(found.confidence))),
    ]
    if found.served_share is not None:
        share = catalog.numbers.share(found.served_share)
        said.append(Paragraph(catalog.text("experiment.served", share=share)))
    table = Printed(_table(found, reward, catalog))
    return (Section(catalog.text("experiment.title"), (*said, table)),)


def experiment_lines(night: Night, catalog: Catalog) -> tuple[str, ...]:
    """Return what becomes of the experiment, for the terminal."""
    found = experiment_of(night.rows(TABLE), RECOMMENDATION.name)
    return () if found is None else (_said(found, catalog),)


def _said(found: ExperimentSummary, catalog: Catalog) -> str:
    return say(found.findings, smallest=SMALLEST_GROUP, catalog=catalog)


def _table(found: ExperimentSummary, reward: RewardFormat, catalog: Catalog) -> PrintedTable:
    """Return a row for each arm and one for the difference, with its interval drawn."""
    numbers, missing = catalog.numbers, catalog.numbers.missing
    difference = found.difference, found.lower, found.upper
    [bar] = interval_bars([difference])
    known = [number for number in (found.value_candidate, found.value_champion) if number is not None]
    fitted = reward.resized([(number, number, number) for number in known] + [difference])
    users = people([found.n_users_candidate, found.n_users_champion], catalog)
    versions = found.candidate, (found.champion or "").rpartition(" ")[2]
    rounds = found.n_rounds_candidate, found.n_rounds_champion
    values = found.value_candidate, found.value_champion
    rows: list[tuple[Cell, ...]] = [
        (
            text(catalog.text(f"experiment.arm.{arm}"), catalog),
            text(version, catalog),
            n_users,
            counted(n_rounds, catalog),
            measured(missing if value is None else numbers.reward(fitted, value), value),
        )
        for arm, version, n_users, n_rounds, value in zip(
            ("candidate", "champion"), versions, users, rounds, values, strict=True
        )
    ]
    estimate = (
        numbers.reward_change(fitted, found.difference)
        if found.lower is None
        else numbers.reward_difference(fitted, *difference)
    )
    nothing = text(None, catalog)
    less = text(catalog.text("experiment.difference"), catalog)
    rows.append((less, nothing, nothing, nothing, measured(estimate, found.difference, bar)))
    columns = heads(catalog, "arm", "policy", "users#", "rounds#", "value_with_interval#")
    return first_rows(catalog.text("caption.experiment"), columns, rows, TABLE)
