"""A shop of clicks alone gets lists, logs back what they showed, and keeps them until a promotion."""

from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from features.deidentify import pseudonym, read_key
from flows.commands.cli import execute
from flows.json_files import read_json
from flows.stages.ingest import key_file
from flows.stages.night import NightResult, run_night
from flows.workspace import Workspace
from reports.summaries.night import read_night
from tests.flows.uniform_shop import FIRST, IMPRESSIONS, USERS, uniform_shop

AREA = "recommendation"
LISTED_ON = FIRST + timedelta(days=3)


def log_what_the_lists_show(shop: Workspace, night: NightResult, n_days: int) -> None:
    """Every user visits once a day and sees the first place of the list; clicks come as before."""
    key = read_key(key_file(shop))
    users = pl.DataFrame({"user_id": [f"u{n}" for n in range(USERS)]}).with_columns(
        user_key=pl.col("user_id").map_elements(lambda user: pseudonym(key, user), pl.String)
    )
    lists = night.published.table("out_recommendations").filter(slot_rank=1).join(users, on="user_key")
    for n_day in range(1, n_days + 1):
        day = night.night.as_of + timedelta(days=n_day)
        at = datetime.combine(day, time(), UTC)
        shown = lists.with_row_index("n").select(
            impression_id=pl.format("{}-{}", pl.lit(str(day)), "n"),
            shown_at=pl.Series([(at + timedelta(minutes=5 * n)).isoformat() for n in range(lists.height)]),
            user_id="user_id",
            session_id=pl.format("l{}-{}", pl.lit(str(day)), "n"),
            surface=pl.lit("home"),
            slot="slot_rank",
            item_id="item_id",
            propensity="propensity",
            policy_version="policy_version",
        )
        assert tuple(shown.columns) == IMPRESSIONS
        shown.write_csv(shop.settings.shop.logs / f"shown-{day}.csv")


def test_the_lists_serve_again_where_their_log_promotes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shop = uniform_shop(tmp_path / "shop", n_days=9)
    for path in shop.settings.shop.logs.glob("shown-*.csv"):
        path.write_text(",".join(IMPRESSIONS) + "\n")
    first = run_night(shop.settings, LISTED_ON)
    assert [why.code for why in first.night.unproven.values()] == ["acts_alone"]

    log_what_the_lists_show(shop, first, n_days=5)
    second = run_night(shop.settings, LISTED_ON + timedelta(days=5))
    assert second.night.domains == (AREA,)
    [why] = second.night.unproven.values()
    assert why.code == "lists_until_promotion"
    [verdict] = second.published.table("out_verdicts").filter(segment_id="all").rows(named=True)
    assert verdict["verdict"] != "promote"
    served = second.published.table("out_recommendations")
    assert set(served["evidence_level"]) == {"unproven"}
    [version] = set(served["policy_version"])
    assert version.endswith(second.night.run_id)
    # Each is a user's own: what most of them see first is not what all of them see.
    assert np.isclose(served.group_by("user_key", "slot_rank").len()["len"].max(), 1)
    assert list(read_json(second.published.folder / "manifest.json")["unproven"]) == [AREA]

    night = read_night(second.published.folder)
    assert night.missing() == night.empty() == ()
    report = second.published.report.read_text()
    assert "policies are judged against them" in report
    assert "Go on logging what is shown" in report

    # The shop's own policy takes no place from lists, also where a person pins it.
    config = ["--config", str(tmp_path / "shop" / "metacart.toml")]
    capsys.readouterr()
    assert execute(["pin", "--area", AREA, *config]) == 0
    assert f"the lists {version} go on serving, and no policy is promoted until" in capsys.readouterr().out
    assert execute(["champions", *config]) == 0
    assert f"  lists     {version}: lists by " in capsys.readouterr().out
