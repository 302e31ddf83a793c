"""The parameters of a flow run, checked before anything starts."""

from datetime import UTC, date, datetime
from pathlib import Path

from features.errors import UsageError
from flows.complete_days import refuse_unfinished_day
from flows.settings import Settings, read_settings


def checked_settings(
    config: Path, as_of: date | None = None, *, shop: str | None = None, today: date | None = None
) -> Settings:
    """Return the settings of a night whose parameters can be run.

    shop: the one that the deployment is for; None for any. today: in UTC, by default the present day.
    Raises UsageError if the configuration is missing or wrong or of another shop, and for a day that is not
    over yet in UTC.
    """
    settings = read_settings(config)
    if shop is not None and settings.shop.name != shop:
        raise UsageError(
            f"nightly/{shop} runs {shop}, and {config} is the configuration of {settings.shop.name}. Run "
            "nightly/nightly with this configuration, or the deployment of that shop."
        )
    refuse_unfinished_day(as_of, today or datetime.now(UTC).date())
    return settings
