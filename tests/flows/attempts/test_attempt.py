"""An attempt at a night is known while it runs, and however it ends; nothing of that hides how it ended."""

import json
import stat
from datetime import timedelta
from pathlib import Path

import pytest

from features.errors import InputDataError, LockedError, UsageError
from flows.attempts.attempt import attempted, settings_of_night
from flows.attempts.failed_attempt import LAST_FAILURE, RESOLVED_FAILURE
from flows.attempts.failures import Failure
from flows.attempts.freshness import FRESHNESS
from flows.attempts.heartbeat import last_beat
from flows.interruption import Stop, Stopped, stopping
from flows.operating_settings import Alerts
from flows.settings import read_settings
from flows.stage_events import StageBegins, StageEnded, StageFailed
from flows.stages.night import run_night
from flows.workspace import Workspace
from tests.flows.attempts.alerts.servers import web_server
from tests.flows.spend_shop import spend_shop


@pytest.fixture
def shop(tmp_path: Path) -> Workspace:
    workspace = spend_shop(tmp_path / "shop")
    workspace.work.mkdir(parents=True)
    return workspace


class Attempts:
    """Attempts at nights of one shop, and the warnings that they printed."""

    def __init__(self, shop: Workspace) -> None:
        self.shop = shop
        self.config = shop.settings.shop.logs / "metacart.toml"
        self.warnings: list[str] = []

    def __call__(self, **options):
        return attempted(
            self.shop, self.config, None, again="metacart run", warn=self.warnings.append, **options
        )

    def fail(self, error: BaseException) -> None:
        with pytest.raises(type(error)), self() as attempt:
            attempt.follow(StageBegins("ingest"))
            attempt.follow(StageFailed("ingest"))
            raise error

    @property
    def freshness(self) -> dict[str, object]:
        return dict(json.loads((self.shop.published / FRESHNESS).read_text()))

    @property
    def last_failure(self) -> str:
        return (self.shop.published / LAST_FAILURE).read_text()


@pytest.fixture
def attempts(shop: Workspace) -> Attempts:
    return Attempts(shop)


def test_while_it_runs_others_know_its_stage(shop, attempts):
    with attempts() as attempt:
        assert not (shop.published / FRESHNESS).exists(), "until then another run may have the shop"
        attempt.follow(StageBegins("ingest"))
        attempt.follow(StageEnded("ingest", 1.0))
        attempt.follow(StageBegins("learn"))
        running = attempts.freshness["last_attempt"]
        beat = last_beat(shop.heartbeat)
        assert beat is not None
        assert beat.stage == "learn"
    assert running["ended_at"] is running["exit_status"] is None
    assert attempts.freshness["last_attempt"]["exit_status"] == 0
    assert not shop.heartbeat.exists()


def test_a_failed_night_leaves_its_words_and_its_status(shop, attempts):
    attempts.fail(InputDataError("events.csv has no column user_id."))
    words = attempts.last_failure
    assert words.startswith("Subject: metacart: shop, the night of the newest day has failed (65: ")
    assert "events.csv has no column user_id." in words
    assert "No night is published yet." in words
    assert "ingest has failed" in words
    assert str(attempts.config) in words
    last = attempts.freshness["last_attempt"]
    assert (last["exit_status"], last["stage"]) == (65, "ingest")
    assert last["began_at"] <= last["ended_at"]
    for name in (LAST_FAILURE, FRESHNESS):
        assert stat.S_IMODE((shop.published / name).stat().st_mode) == 0o640
    assert not shop.heartbeat.exists()
    assert attempts.warnings == []


def test_the_next_good_night_puts_the_words_away(shop, attempts):
    attempts.fail(InputDataError("events.csv has no column user_id."))
    with attempts() as attempt:
        result = run_night(shop.settings, None, attempt.follow)
        attempt.published_in(result.published.folder)
    assert not (shop.published / LAST_FAILURE).exists()
    assert "no column user_id" in (shop.published / RESOLVED_FAILURE).read_text()
    fresh = attempts.freshness
    assert (fresh["as_of"], fresh["run_id"]) == (result.night.as_of.isoformat(), result.night.run_id)
    assert fresh["last_attempt"]["exit_status"] == 0
    attempts.fail(InputDataError("again."))
    assert f"The night of {result.night.as_of} ({result.night.run_id}, published " in attempts.last_failure
    assert attempts.freshness["run_id"] == result.night.run_id


def test_a_night_of_an_earlier_day_does_not_put_the_words_away(shop, attempts):
    newest = run_night(shop.settings, None).night
    attempts.fail(InputDataError("events.csv has no column user_id."))
    with attempts() as attempt:
        earlier = newest.as_of - timedelta(days=1)
        attempt.published_in(run_night(shop.settings, earlier, attempt.follow).published.folder)
    assert "no column user_id" in attempts.last_failure
    assert attempts.freshness["run_id"] == newest.run_id


def test_a_signal_is_reported_and_not_the_error_that_it_caused(attempts):
    stop = Stop("learn", "metacart run")
    with pytest.raises(KeyError), stopping(stop), attempts() as attempt:
        attempt.follow(StageBegins("learn"))
        stop.signum = 15
        raise KeyError("a query that was interrupted")
    assert "(143: stopped by SIGTERM)" in attempts.last_failure
    assert "stopped by SIGTERM during learn; what was done is kept" in attempts.last_failure
    assert attempts.freshness["last_attempt"]["exit_status"] == 143


def test_what_can_be_stopped_only_by_ending_the_process_is_reported_before(attempts):
    stop = Stop("learn", "metacart run")
    with pytest.raises(Stopped), stopping(stop), attempts() as attempt:
        attempt.follow(StageBegins("learn"))
        stop.signum = 15
        assert stop.last_act is not None
        stop.last_act()
        assert "(143: stopped by SIGTERM)" in attempts.last_failure
        raise Stopped
    assert stop.last_act is None


def test_the_text_of_an_error_that_nobody_foresaw_stays_on_the_terminal(attempts):
    attempts.fail(ValueError("line 3: Ann Example, 12 Main Street"))
    assert "Main Street" not in attempts.last_failure
    assert "ValueError" in attempts.last_failure
    assert "(70: a failure inside)" in attempts.last_failure


def test_a_run_that_finds_the_shop_locked_leaves_the_other_s_file_alone(shop, attempts):
    with attempts() as attempt:
        attempt.follow(StageBegins("learn"))
        before = (shop.published / FRESHNESS).read_bytes()
        with pytest.raises(LockedError), attempts():
            raise LockedError("Another run of shop is in progress.")
        assert (shop.published / FRESHNESS).read_bytes() == before
        assert shop.heartbeat.exists()
    assert "(75: " in attempts.last_failure


def test_an_alert_that_fails_is_a_warning_beside_the_night_s_own_error(shop, tmp_path):
    with web_server(500) as received:
        alerts = Alerts(webhook_url=f"http://127.0.0.1:{received.port}/secret")
        failing = Attempts(Workspace(shop.settings.model_copy(update={"alerts": alerts})))
        failing.fail(InputDataError("events.csv has no column user_id."))
    [warning] = failing.warnings
    assert "HTTP status 500" in warning
    assert [json.loads(body)["exit_status"] for body in received.bodies] == [65]
    assert "secret" not in failing.last_failure


def test_a_folder_that_can_not_be_written_is_a_warning_beside_the_night_s_own_error(shop, attempts):
    shop.published.parent.mkdir(parents=True)
    shop.published.write_text("a file in place of a folder")
    attempts.fail(InputDataError("events.csv has no column user_id."))
    assert len(attempts.warnings) == 2, "of the begin and of the end"
    assert all(line.startswith(f"warning: {shop.published} can't be written: ") for line in attempts.warnings)


def test_an_error_is_read_by_whoever_knows_it(attempts):
    with (
        pytest.raises(KeyError),
        attempts(read_failure=lambda _error: Failure(143, "stopped by Prefect.")) as attempt,
    ):
        attempt.follow(StageBegins("learn"))
        raise KeyError
    assert "stopped by Prefect." in attempts.last_failure


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("seed = 0", "sede = 0", "night.sede is not a known key"),
        ("[shop]", "[shop]\ncolor = 1", "shop.color is not a known key"),
    ],
)
def test_a_refused_configuration_is_reported_to_its_shop(shop, attempts, old, new, complaint):
    right = attempts.config.read_text()
    attempts.config.write_text(right.replace(old, new, 1))
    with pytest.raises(UsageError), web_server() as received:
        text = attempts.config.read_text()
        hook = f'[alerts]\nwebhook_url = "http://127.0.0.1:{received.port}/"'
        attempts.config.write_text(text.replace("[alerts]", hook, 1))
        read(attempts)
    assert complaint in attempts.last_failure
    assert (attempts.freshness["shop"], attempts.freshness["last_attempt"]["exit_status"]) == ("shop", 64)
    assert complaint in json.loads(received.bodies[0])["text"]


def test_a_configuration_without_a_shop_has_the_words_beside_it_until_it_can_be_read(shop, attempts):
    right = attempts.config.read_text()
    attempts.config.write_text("[shop\n")
    with pytest.raises(UsageError):
        read(attempts)
    beside = attempts.config.with_name("metacart.toml.last_failure.txt")
    assert "is not valid TOML" in beside.read_text()
    assert not shop.published.exists()
    attempts.config.write_text(right)
    assert read(attempts) == read_settings(attempts.config)
    assert not beside.exists()


def test_without_a_configuration_nothing_is_written(tmp_path, attempts):
    attempts.config = tmp_path / "nowhere" / "metacart.toml"
    with pytest.raises(UsageError):
        read(attempts)
    assert not attempts.config.parent.exists()


def test_a_secret_in_a_refused_configuration_is_repeated_nowhere(shop, attempts):
    text = attempts.config.read_text()
    attempts.config.write_text(text.replace("[alerts]", '[alerts]\nwebhook_url = "htp://x/hush-hush"', 1))
    with pytest.raises(UsageError) as refused:
        read(attempts)
    assert "alerts.webhook_url" in str(refused.value)
    assert "hush" not in str(refused.value)
    assert "hush" not in attempts.last_failure


def read(attempts: Attempts):
    return settings_of_night(
        attempts.config,
        None,
        again="metacart run",
        warn=attempts.warnings.append,
        read=lambda: read_settings(attempts.config),
    )
