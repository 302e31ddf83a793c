"""What a command prints of a published night: its quality, verdicts, decisions, tables and report."""

from collections.abc import Mapping, Sequence

from features.areas import AREAS
from features.codes import ALL_SEGMENTS
from flows.commands.printed_quality import quality_lines
from flows.commands.spoken import counted, period, since
from flows.stages.night import NightResult
from reports.pages.area_part import part_of
from reports.summaries.night import read_night
from reports.wording.language import LANGUAGE
from reports.wording.rewards import per_round, reward_currency
from reports.wording.sentences import say


def print_night(result: NightResult) -> None:
    """Print a published night."""
    print(f"\n{result.night.run_id}: logs {since(result.night.data_from, result.night.data_to)}")
    for line in quality_lines(result.published.table("out_data_quality")):
        print(f"  {line}")
    manifest = read_night(result.published.folder).manifest
    currency = reward_currency(manifest)
    for row in result.verdicts.filter(segment_id=ALL_SEGMENTS).iter_rows(named=True):
        found = "the difference could not be measured"
        if row["difference"] is not None and row["lower"] is not None and row["upper"] is not None:
            found = per_round(row["difference"], row["lower"], row["upper"], currency)
        anew = f", learned anew {row['n_origins']} times" if row["n_origins"] > 1 else ""
        if row["split_by"] != "time":
            anew += f"; the log has no times, so its {row['split_by']}s were assigned at random"
        serves = f"{manifest.serves(row['domain'], row['champion'])} serves"
        if row["domain"] in manifest.unproven:
            serves = "the lists below serve"
        estimated = " on estimated propensities" if row["domain"] in result.night.estimated else ""
        print(
            f"  {row['domain']}: {row['verdict'].upper()}  {row['candidate']} against {row['baseline']}"
            f"{estimated}: {found}; {serves}\n"
            f"    Judged on {counted(row['n_rounds'], 'round')}, "
            f"{period(row['judged_from'], row['judged_to'])}{anew}.\n"
            f"    {row['reasons']}"
        )
        _print_segments(
            [
                other
                for other in result.verdicts.iter_rows(named=True)
                if other["domain"] == row["domain"] and other["segment_id"] != ALL_SEGMENTS
            ]
        )
    for line in _area_lines(result):
        print(f"  {line}")
    for domain, why in result.night.undecided.items():
        print(f"  {domain}: nothing decided. {say([why])}")
    print("tables")
    for name, path in result.published.tables.items():
        print(f"  {name:<24} {path}")
    print(f"report\n  {result.published.report}")


def _print_segments(segments: Sequence[Mapping[str, object]]) -> None:
    """Print the segments that a champion doesn't serve.

    segments: segment_id and verdict of each.
    """
    stays = [f"{row['segment_id']} ({row['verdict']})" for row in segments if row["verdict"] != "served"]
    if stays and len(stays) < len(segments):
        more = f" and {len(stays) - 5} more" if len(stays) > 5 else ""
        print(f"    Not in {len(stays)} of {len(segments)} segments: {', '.join(stays[:5])}{more}.")


def _area_lines(result: NightResult) -> list[str]:
    """Return the areas' lines besides the verdicts, in the sentences of the report."""
    night = read_night(result.published.folder)
    return [line for area in AREAS for line in part_of(area).lines(night, LANGUAGE)]
