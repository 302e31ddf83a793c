"""Settings of how nights are run: what stays, what is too large or takes too long, and who hears of it.

They change no number of a night.
"""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from features.contracts.limits import DEFAULT_LIMITS, Limits

Positive = Annotated[int, Field(gt=0)]


class SettingsTable(BaseModel):
    """A table of the configuration: frozen, and an unknown key in it is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Retention(SettingsTable):
    """The time for which files and rows stay; it changes no number of a night."""

    work_nights: Positive = 7
    published_nights: Positive | None = None
    quarantine_days: Positive | None = None
    shrink_above: Annotated[float, Field(gt=0, le=1)] = 0.3


class FileLimits(SettingsTable):
    """The largest texts, lines and files that are read."""

    max_text_characters: Positive = DEFAULT_LIMITS.max_text_characters
    max_json_characters: Positive = DEFAULT_LIMITS.max_json_characters
    # the buffer of the reader holds some lines of this length, in memory
    max_line_bytes: Annotated[int, Field(ge=1_000, le=16_000_000)] = DEFAULT_LIMITS.max_line_bytes
    max_lines: Positive = DEFAULT_LIMITS.max_lines
    max_empty_lines: Positive = DEFAULT_LIMITS.max_empty_lines
    max_file_bytes: Positive = DEFAULT_LIMITS.max_file_bytes
    max_expansion: Positive = DEFAULT_LIMITS.max_expansion

    @property
    def of_files(self) -> Limits:
        """The limits as the warehouse knows them."""
        return Limits(**self.model_dump())


Minutes = Annotated[float, Field(gt=0)]


class TimeLimits(SettingsTable):
    """The minutes after which a night, or one stage of it, is stopped; they change no number of a night."""

    night_minutes: Minutes = 360.0
    ingest_minutes: Minutes | None = None
    learn_minutes: Minutes | None = None
    evaluate_minutes: Minutes | None = None
    decide_minutes: Minutes | None = None
    publish_minutes: Minutes | None = None


class Retries(SettingsTable):
    """How often a night is tried again after a fault that may have passed (`flows/attempts/retries.py`)."""

    times: Annotated[int, Field(ge=0)] = 1


Address = Annotated[str, Field(pattern=r"^[^\s@<>,]+@[^\s@<>,]+$")]


class Alerts(SettingsTable):
    """Where a failed night is reported, besides its file; a password is never in the configuration."""

    # It can hold a secret, so no error and no log repeats it.
    webhook_url: Annotated[str, Field(pattern=r"^(https?://\S+)?$", repr=False)] = ""
    smtp_host: Annotated[str, Field(pattern=r"^\S*$")] = ""
    smtp_port: Annotated[int, Field(gt=0, lt=65536)] = 587
    smtp_starttls: bool = True
    smtp_user: str = ""
    smtp_password_variable: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] = (
        "METACART_SMTP_PASSWORD"  # noqa: S105 - the name of a variable
    )
    mail_from: Address | None = None
    mail_to: tuple[Address, ...] = ()

    @model_validator(mode="after")
    def _are_complete(self) -> Self:
        if self.smtp_host and not (self.mail_from and self.mail_to):
            raise ValueError("smtp_host needs mail_from and mail_to")
        if self.smtp_user and not self.smtp_starttls:
            raise ValueError("smtp_user needs smtp_starttls: a password is not sent in the clear")
        return self
