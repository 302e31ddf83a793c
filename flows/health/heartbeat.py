"""The heartbeat of a night: one that stands still is of a night that hangs, or was killed."""

from datetime import datetime, timedelta

from flows.attempts.heartbeat import Beat
from flows.health.check import Check, warning, well

NAME = "heartbeat"

STALE_AFTER = timedelta(minutes=5)
"""A living night writes twice a minute; a busy disk may take one or two of these away."""


def check_heartbeat(now: datetime, beat: Beat | None, *, is_held: bool) -> Check:
    """Judge the last sign of life of a shop's night.

    now: in UTC. beat: None where no night is on its way. is_held: whether a run has the shop's lock.
    """
    if beat is None:
        return well(NAME, "No night is on its way.")
    said = (
        f"A night began at {beat.began_at:%Y-%m-%d %H:%M} UTC (process {beat.process} on {beat.host}); its "
        f"last sign of life is of {beat.at:%Y-%m-%d %H:%M} UTC, in the stage: {beat.stage}."
    )
    if not is_held:
        return warning(
            NAME,
            f"{said} It is no longer there: it was killed, or the machine was switched off.",
            "Run `metacart run`: it goes on after its last finished stage.",
        )
    if now - beat.at > STALE_AFTER:
        return warning(
            NAME,
            f"{said} It hangs, or its process is stopped.",
            "Look at that process. If it does not go on, end it with SIGTERM, and run `metacart run`.",
        )
    return well(NAME, said)
