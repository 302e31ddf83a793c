"""The words of a failed night: all that a reader far away needs, and nothing of a person."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from features.exit_statuses import ExitStatus
from flows.attempts.alerts.advice import ADVICE
from flows.attempts.alerts.failed_night import FailedNight, LastGoodNight

FAILED = FailedNight(
    shop="small",
    as_of=None,
    exit_status=65,
    sentence="events/2026-01-28.csv has no column user_id. Export it again.",
    stage="ingest",
    began_at=datetime(2026, 1, 29, 4, 15, tzinfo=UTC),
    failed_at=datetime(2026, 1, 29, 4, 18, tzinfo=UTC),
    host="shop-1",
    config=Path("/srv/shop.toml"),
    folder=Path("/srv/data/published/small"),
    again="metacart run --config /srv/shop.toml",
    last_good=LastGoodNight(
        date(2026, 1, 27), "2026-01-27-0a1b2c3d", datetime(2026, 1, 28, 4, 40, tzinfo=UTC)
    ),
    last_lines=("04:15:00  ingest begins", "04:18:00  ingest has failed"),
)


def test_the_text_can_be_mailed_as_it_is():
    subject, empty, *body = FAILED.text.splitlines()
    assert subject == f"Subject: {FAILED.subject}"
    assert FAILED.subject == (
        "metacart: small, the night of the newest day has failed (65: logs or files that can't be used)"
    )
    assert empty == ""
    assert body[0] == FAILED.sentence
    assert "\n".join(body) == FAILED.body.rstrip("\n")


@pytest.mark.parametrize(
    "said",
    [
        ADVICE[ExitStatus.INPUT],
        "metacart run --config /srv/shop.toml",
        "ingest",
        "2026-01-29 04:18 UTC, after 3.0 minutes",
        "shop-1",
        "/srv/shop.toml",
        "/srv/data/published/small",
        "night of 2026-01-27 (2026-01-27-0a1b2c3d, published 2026-01-28 04:40 UTC) stays the current one.",
        "04:18:00  ingest has failed",
    ],
)
def test_it_says_what_where_and_what_to_do(said):
    assert said in FAILED.body


def test_before_the_first_night_nothing_counts():
    assert "No night is published yet." in replace(FAILED, last_good=None).body


def test_addresses_and_numbers_of_people_are_masked():
    quoting = "line 5: ann@example.com, +49 30 901820 is not a number"
    failed = replace(FAILED, sentence=quoting, last_lines=("04:15:00  erased ann@example.com",))
    for words in (failed.text, json.dumps(failed.to_json())):
        assert "ann@example.com" not in words
        assert "901820" not in words
    assert "line 5: [email], [phone] is not a number" in failed.body


def test_the_object_that_is_posted_has_numbers_beside_the_words():
    content = FAILED.to_json()
    assert content["text"].startswith(FAILED.subject)
    assert (content["shop"], content["exit_status"], content["last_good_as_of"]) == (
        "small",
        65,
        "2026-01-27",
    )
    assert json.loads(json.dumps(content)) == content


@pytest.mark.parametrize("status", set(ExitStatus) - {ExitStatus.DONE, ExitStatus.NOT_TRUSTED})
def test_every_failure_has_its_advice(status):
    assert ADVICE[status]
    assert replace(FAILED, exit_status=status).meaning == status.meaning


def test_a_status_of_another_program_is_no_error():
    assert "an unknown exit status" in replace(FAILED, exit_status=1).subject
    assert "read the last lines" in replace(FAILED, exit_status=1).body
