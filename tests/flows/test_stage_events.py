"""Followers of a night."""

from flows.stage_events import NightEvent, Says, StageBegins, all_of


def test_every_follower_gets_every_event_in_order():
    heard: list[tuple[str, NightEvent]] = []
    follower = all_of(*(lambda event, name=name: heard.append((name, event)) for name in "ab"))
    events = [StageBegins("ingest"), Says("a line")]
    for event in events:
        follower(event)
    assert heard == [(name, event) for event in events for name in "ab"]
