"""Closed loops: the table on paper, and one that is interrupted."""

import multiprocessing
from pathlib import Path

import polars as pl
import pytest

from features.errors import UsageError
from features.simulator.preferences import SHIFT_DAY
from flows.commands.cli import execute
from flows.ledger import read_records
from flows.simulations.loop import run
from flows.simulations.loop.loop_day import FIRST_DAYS, LoopDay
from flows.simulations.loop.run import LoopJob, Way, run_loop, run_loops
from flows.simulations.loop.table import as_markdown, loop_table


def day(seed: int, night: int, served: float, **said) -> LoopDay:
    return LoopDay("mild", seed, "metacart", night, "2026-01-18", served, 0.05, 0.06, 0.10, **said)


def test_the_table_is_of_the_last_days_and_the_worst_shop_of_all():
    days = [day(seed, night, 0.06 if night < 3 else 0.09) for seed in (1, 2) for night in range(1, 8)]
    days[0] = day(1, 1, 0.06, verdict="promote", lower=0.05, upper=0.07, truth=0.06)
    days[1] = day(1, 2, 0.06, lower=0.05, upper=0.07, truth=0.08)
    [row] = loop_table(days).rows(named=True)
    assert row["gap_closed"] == pytest.approx(0.75)
    # (2 * 0.06 + 5 * 0.09) / 7 over 0.06
    assert row["worst_shop"] == pytest.approx(0.57 / 0.42 - 1.0)
    assert (row["shops"], row["nights"], row["promotions"], row["covered"]) == (2, 7, 1, 0.5)
    assert "| mild | metacart | 2 | 7 | 0.09 |" in as_markdown(loop_table(days))


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "FIRST_DAYS", 6)


def content(job: LoopJob) -> dict[str, bytes]:
    files = [path for path in (job.folder / "logs").rglob("*") if path.is_file()]
    return {str(path.relative_to(job.folder)): path.read_bytes() for path in files}


@pytest.mark.parametrize("way", ["thompson", "pooled"])
def test_an_interrupted_loop_goes_on_to_the_same_bytes(small, tmp_path: Path, way: Way):
    whole, cut = (LoopJob("mild", 3, way, 3, tmp_path / name, users=120) for name in ("whole", "cut"))
    run_loop(whole)
    run_loop(LoopJob("mild", 3, way, 2, tmp_path / "cut", users=120))
    # The third day was written, and its line was not.
    run_loop(cut)
    kept = cut.days.read_text().splitlines(keepends=True)
    cut.days.write_text("".join(kept[:2]))
    run_loop(cut)
    assert read_records(cut.days, LoopDay) == read_records(whole.days, LoopDay)
    assert content(cut) == content(whole)


def test_a_shop_of_another_size_is_refused(small, tmp_path: Path):
    asked = {"worlds": ["null"], "seeds": [700], "ways": ["thompson"], "nights": 1}
    run_loop(LoopJob("null", 700, "thompson", 1, tmp_path, users=120))
    assert len(run_loops(tmp_path, **asked, users=120)) == 1
    with pytest.raises(
        UsageError, match=r"null-700-thompson holds the loop of a shop with 120 users, not 600"
    ):
        run_loops(tmp_path, **asked)


def test_the_command_writes_a_page_of_what_has_run(
    small: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    for way, seed in (("pooled", 700), ("thompson", 700)):
        run_loop(LoopJob("null", seed, way, 1, tmp_path, users=120))
    asked = ["loop", "--world", "null", "--first-seed", "700", "--nights", "1", "--out", str(tmp_path)]
    asked += ["--ways", "pooled", "thompson"]
    assert execute([*asked, "--users", "120"]) == 0
    assert {"loop.html", "loop.md", "days.parquet"} <= {path.name for path in tmp_path.iterdir()}
    page = (tmp_path / "loop.html").read_text(encoding="utf-8")
    assert "Shops of 120 users." in page
    assert "metacart&#39;s own nights were not run in this world." in page
    assert execute(asked) == 64
    assert "holds the loop of a shop with 120 users, not 600" in capsys.readouterr().err


def test_rivals_can_have_fewer_shops(small: None, tmp_path: Path):
    for way, seed in (("thompson", 700), ("pooled", 700)):
        run_loop(LoopJob("null", seed, way, 1, tmp_path, users=120))
    days = run_loops(
        tmp_path,
        worlds=["null"],
        seeds=[],
        rival_seeds=[700],
        ways=["metacart", "pooled", "thompson"],
        nights=1,
        users=120,
    )
    assert [(one.way, one.seed) for one in days] == [("pooled", 700), ("thompson", 700)]


def test_in_a_null_shop_all_slates_earn_the_same(small, tmp_path: Path):
    for way in ("thompson", "pooled"):
        job = LoopJob("null", 700, way, 3, tmp_path, users=120)
        run_loop(job)
        for of_day in read_records(job.days, LoopDay):
            earned = (of_day.first, of_day.first_explored, of_day.oracle)
            assert earned == pytest.approx((of_day.served,) * 3, rel=1e-12)


def test_the_list_of_night_eight_is_the_first_to_meet_the_new_tastes():
    # Night k is of the last day of the logs, FIRST_DAYS + k - 2 from 0; its list is shown on the day after.
    assert FIRST_DAYS + 8 - 2 + 1 == SHIFT_DAY


@pytest.mark.slow
def test_what_a_night_publishes_acts_on_the_next_day(small, tmp_path: Path):
    job = LoopJob("mild", 3, "metacart", 2, tmp_path, users=120)
    run_loop(job)
    first, second = read_records(job.days, LoopDay)
    assert (first.night, second.night) == (1, 2)
    assert first.verdict in {"promote", "hold", "reject"}
    assert first.reason_codes
    newest = max((job.folder / "logs" / "impressions").glob("*.csv")).read_text()
    assert second.policy_version in newest


def killed_after(job: LoopJob, seconds: float) -> bool:
    """Run a loop in another process, killed after this time; returns whether it came to its end."""
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=run_small_loop, args=(job,))
    process.start()
    process.join(seconds)
    if process.is_alive():
        process.kill()
        process.join()
    return process.exitcode == 0


def run_small_loop(job: LoopJob) -> None:
    run.FIRST_DAYS = 6
    run_loop(job)


def published(job: LoopJob) -> dict[str, bytes]:
    """The tables of all published nights, but what a clock has a part in."""
    tables = (job.folder / "data" / "published").rglob("out_*.parquet")
    timed = ("out_learning_curves.parquet",)
    return {str(path.relative_to(job.folder)): path.read_bytes() for path in tables if path.name not in timed}


@pytest.mark.slow
def test_nights_with_an_experiment_that_are_killed_go_on_to_the_same_bytes(tmp_path: Path):
    whole, cut = (LoopJob("strong", 3, "metacart", 2, tmp_path / name, users=300) for name in ("a", "b"))
    run_small_loop(whole)
    tables = (whole.folder / "data" / "published").rglob("out_recommendations.parquet")
    assert any(pl.read_parquet(path)["arm"].null_count() == 0 for path in tables)
    # Each attempt has longer than the one before, so that no stage is cut off forever.
    n_killed = 0
    while not killed_after(cut, 7.0 + 3.0 * n_killed):
        n_killed += 1
    assert n_killed > 2
    assert read_records(cut.days, LoopDay) == read_records(whole.days, LoopDay)
    assert content(cut) == content(whole)
    assert published(cut) == published(whole)
