"""Freshness: the newest day in the logs and the current night, against yesterday in UTC."""

from datetime import date

from flows.health.check import Check, warning, well

LOGS, NIGHT = "logs", "night"


def check_logs(yesterday: date, newest_row: date | None, newest_file: date | None) -> Check:
    """Judge the age of the logs.

    newest_row: the newest day in the warehouse; newest_file: the day when the newest log file was written.
    """
    if newest_row is None:
        return well(LOGS, f"No logs were loaded yet; the newest file is of {newest_file or 'no day'}.")
    said = f"The newest row in the warehouse is of {newest_row}, the newest file of {newest_file}"
    if newest_row >= yesterday:
        return well(LOGS, f"{said}.")
    found = f"{said}: {_days(yesterday, newest_row)} before yesterday ({yesterday})."
    if newest_file is not None and newest_file > newest_row:
        return warning(LOGS, found, "If the newest files are not loaded yet, `metacart run` loads them.")
    return warning(LOGS, found, "Ask why the shop's export has stopped.")


def check_night(yesterday: date, current: date | None, *, has_nights: bool) -> Check:
    """Judge the age of the night that counts; current: its date, None without a readable pointer."""
    if current is None:
        if has_nights:
            found = "Nights are published, but current.json names none of them."
            return warning(NIGHT, found, "Run `metacart verify`, then `metacart run`, which writes it anew.")
        return well(NIGHT, "No night is published yet.")
    if current >= yesterday:
        return well(NIGHT, f"The current night is that of {current}.")
    found = (
        f"The current night is that of {current}, {_days(yesterday, current)} before yesterday ({yesterday})."
    )
    return warning(NIGHT, found, "Check that the schedule runs, and read the last night's output.")


def _days(yesterday: date, day: date) -> str:
    n_days = (yesterday - day).days
    return "1 day" if n_days == 1 else f"{n_days:,} days"
