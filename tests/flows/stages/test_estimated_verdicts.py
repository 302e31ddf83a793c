"""Verdicts on estimated propensities, of a gate that would promote."""

from datetime import date
from functools import partial
from pathlib import Path

import pytest

from features.contracts.findings import Finding
from flows.night_folder import Note
from flows.settings import Settings, read_settings
from flows.shops import FILES, write_config
from flows.stages.estimated_verdicts import FACTORS, Weighed, at_most_test
from offline_rl.gate import ESTIMATOR, Evidence, Gate, GateTerms
from offline_rl.ope.estimators.named_estimators import from_name
from offline_rl.ope.evaluation import evaluate
from offline_rl.ope.trust.verdict import GateSettings
from offline_rl.registry import LOGGING, Contenders
from tests.offline_rl.ope.worlds import World

KEY = {"run_id": "r", "domain": "recommendation"}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    config = tmp_path / "metacart.toml"
    write_config(config, FILES, name="shop", logs=tmp_path, data=tmp_path / "data")
    text = config.read_text().replace("resamples = 1000", "resamples = 100")
    config.write_text(text)
    return read_settings(config)


def weighed(settings: Settings, *notes: Note, better: str = "new", n: int = 3000) -> Weighed:
    """The evaluated policy of the world asks, which earns more than the log; or the log's own asks."""
    world = World()
    log = world.log(n, 1, logged_log=True)
    by_policy = {LOGGING: log, "new": world.log(n, 1) if better == "new" else log}
    terms = GateTerms(
        evaluate=partial(lambda policies: evaluate(policies, [from_name(ESTIMATOR)], n_resamples=100)),
        today=LOGGING,
        protected=(),
        keep_above=0.5,
        seed=0,
        split_by="time",
    )
    n_by_day = {date(2026, 1, 5): n - 1, date(2026, 1, 14): 1}
    gate = Gate(LOGGING, {"new": Evidence.of(by_policy, ["new"], terms, n_by_day=n_by_day, n_origins=1)})
    election = gate.elect(Contenders(("new",), None), GateSettings(estimator=ESTIMATOR))
    return at_most_test(election, gate, notes, KEY, settings)


def test_a_promotion_becomes_a_test_and_today_s_policy_stays(settings: Settings) -> None:
    found = weighed(settings)
    assert (found.election.overall.verdict, found.election.champion) == ("test", LOGGING)
    first, *others = found.election.overall.reasons
    assert first.code == "test_up_to_factor"
    assert [other.code for other in others] == ["gain_shown"]
    [factor] = found.table["tipping_factor"].unique()
    assert factor == pytest.approx(first.number("tipping_factor"))
    assert found.table["odds_factor"].to_list() == list(FACTORS)
    assert found.note.found.numbers == {"n_rounds": 3000, "n_days": 10}


def test_what_was_foretold_after_all_is_not_even_weighed(settings: Settings) -> None:
    certain = Finding("nothing_left_to_chance", "log", {"foreseen_share": 0.97})
    other = Note("advertising", "", certain)
    assert weighed(settings, other).election.overall.verdict == "test"
    held = weighed(settings, Note("recommendation", "", certain)).election.overall
    assert (held.verdict, held.reasons) == ("hold", (certain,))


def test_what_would_not_be_promoted_keeps_its_verdict(settings: Settings) -> None:
    found = weighed(settings, better="none")
    assert found.election.overall.verdict == "hold"
    assert set(found.table["tipping_factor"]) == {1.0}
