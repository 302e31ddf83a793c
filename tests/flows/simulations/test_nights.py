"""Nights of whole shops: what is kept of one, and what its null is."""

from pathlib import Path

import polars as pl
import pytest

from features.simulator.settings import WorldSettings
from features.simulator.shop import simulate
from flows.commands.cli import execute
from flows.simulations import nights
from flows.simulations.nights import NightJob, NightOutcome, permute_clicks, read_outcome, run_shop_night


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> NightOutcome:
    """One night of a small shop."""
    job = NightJob("strong", 3, ("mixed_effects", "popularity"), False, tmp_path_factory.mktemp("nights"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nights, "SIZES", (200,))
        run_shop_night(job)
    return read_outcome(job.path)


@pytest.mark.slow
def test_the_truth_of_every_policy_lies_below_the_oracle(outcome: NightOutcome) -> None:
    # The lists of best sellers, for all and by segment, learn along always.
    assert set(outcome.values) == {"mixed_effects", "popularity", "segment_item_rates", "pooled_reward_model"}
    assert 0 < outcome.logging < outcome.oracle < 1
    assert all(0 < value < outcome.oracle for value in outcome.values.values())
    assert outcome.share(outcome.oracle) == 1.0
    assert outcome.share(outcome.logging) == 0.0


@pytest.mark.slow
def test_what_serves_is_worth_what_its_champion_is_worth(outcome: NightOutcome) -> None:
    assert outcome.asks in outcome.values
    assert outcome.plain in ("pooled_reward_model", "popularity")
    known = {**outcome.values, "logging": outcome.logging}
    # Segments that are kept from the champion are worth what the logging policy earns there.
    assert min(known.values()) <= outcome.served <= max(known.values())
    assert outcome.champion in known
    if outcome.champion == "logging":
        assert outcome.served == pytest.approx(outcome.logging)


def test_dealt_out_clicks_are_as_many_and_belong_to_other_impressions(tmp_path: Path) -> None:
    simulate(WorldSettings(users=80, days=2, seed=1), tmp_path)
    files = sorted((tmp_path / "events").glob("*.csv"))
    before = [pl.read_csv(path, infer_schema=False) for path in files]
    permute_clicks(tmp_path, seed=0)
    for path, old in zip(files, before, strict=True):
        new = pl.read_csv(path, infer_schema=False)
        shown = pl.read_csv(tmp_path / "impressions" / path.name, infer_schema=False)
        clicks = new.filter(event_type="click")
        assert clicks.height == old.filter(event_type="click").height
        assert clicks["event_id"].n_unique() == clicks.height
        matched = clicks.join(shown, on=["impression_id", "user_id", "item_id", "session_id"], how="inner")
        assert matched.height == clicks.height
        assert set(clicks["impression_id"]) != set(old.filter(event_type="click")["impression_id"])
        browsing = old.filter(pl.col("impression_id").is_null())
        assert new.filter(pl.col("impression_id").is_null()).equals(browsing)


def test_no_learner_has_a_share_of_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["compare", "--worlds", "null", "--out", str(tmp_path)]) == 64
    assert "nothing can be gained" in capsys.readouterr().err
