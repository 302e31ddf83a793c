"""Settings: one TOML file and the environment, read once at the start, frozen, and passed on.

Relative paths are relative to the file that names them, so a run does not depend on its working folder.
An environment variable `METACART_<TABLE>__<KEY>` overrides a key of the file (`METACART_NIGHT__SEED=7`).
"""

import hashlib
import json
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    Field,
    ValidationError,
    field_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from features.errors import UsageError, closed
from features.rewards import RESULTS, WEIGHTED, Reward
from features.sources.adapters import SOURCES
from features.sources.file_tables import parse_file_tables
from features.warehouse.plausible_times import FIRST_DAY
from flows.operating_settings import (
    Alerts,
    FileLimits,
    Positive,
    Retention,
    Retries,
    SettingsTable,
    TimeLimits,
)

SHOP_NAME = r"[a-z0-9][a-z0-9_-]*"

Share = Annotated[float, Field(ge=0, le=1)]

LearnerName = Literal[
    "mixed_effects",
    "popularity",
    "segment_item_rates",
    "crosses_logit",
    "boosting",
    "pooled_two_tower",
    "fine_tuned",
    "per_segment",
    "beta_binomial",
    "random_effects",
    "maml",
    "fomaml",
    "anil",
    "maml_rates",
    "reptile",
    "reinforce",
    "bayesian_last_layer",
]


def _known_source(source: str) -> str:
    if source not in SOURCES:
        raise ValueError(f"is not a known source. Choose from {', '.join(SOURCES)}")
    return source


class Shop(SettingsTable):
    """The shop, the form of its logs, and their folder."""

    name: Annotated[str, Field(pattern=f"^{SHOP_NAME}$")]
    source: Annotated[str, AfterValidator(_known_source)]
    logs: Path
    currency_code: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "EUR"
    first_day: date = FIRST_DAY


class Paths(SettingsTable):
    """The folder of the warehouse, of the work and of the published tables."""

    data: Path = Path("data")


class Privacy(SettingsTable):
    """The pseudonyms of people."""

    key_file: Path | None = None


Worth = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class RewardWeights(SettingsTable):
    """What one click, one conversion and one unit of money are worth in a weighted sum, in the currency."""

    click: Worth = 0.0
    conversion: Worth = 0.0
    revenue: Worth = 0.0
    margin: Worth = 0.0


class NightRules(SettingsTable):
    """The rewards and rows that count as evidence in a night."""

    seed: int = 0
    reward: Literal["click", "conversion", "revenue", "margin", "weighted"] = "click"
    attribution_hours: Annotated[int, Field(ge=0)] = 24
    max_rejected_share: Share = 0.01
    late_days: Annotated[int, Field(ge=0)] = 3
    keep_days: Positive | None = None
    evidence_policies: tuple[str, ...] = ()
    incumbent_policy: str = ""
    # The last of them, so that what it is checked against is known by then.
    reward_weights: Annotated[RewardWeights | None, Field(validate_default=True)] = None

    @field_validator("reward_weights")
    @classmethod
    def _weigh_something(cls, weights: RewardWeights | None, info: Any) -> RewardWeights | None:
        is_weighted = info.data.get("reward") == WEIGHTED
        if weights is not None and not is_weighted:
            raise ValueError(
                f'counts only for night.reward = "{WEIGHTED}": set that, or leave the weights out'
            )
        if is_weighted and not any((weights or RewardWeights()).model_dump().values()):
            raise ValueError(
                f'night.reward = "{WEIGHTED}" needs a weight above 0 for one of {", ".join(RESULTS)}'
            )
        return weights

    @property
    def counted(self) -> Reward:
        """What a round earns by these settings."""
        weights = None if self.reward_weights is None else self.reward_weights.model_dump()
        return Reward.of(self.reward, weights)


class Segments(SettingsTable):
    """The grouping of customers, and the split of their rounds by time."""

    by: tuple[str, ...] = ()
    clusters: Annotated[int, Field(ge=0)] = 0
    min_rounds: Positive = 500
    salt: str = "metacart"
    protected: tuple[str, ...] = ()
    keep_above: Share = 0.5
    support_share: Share = 0.5
    query_share: Share = 0.25

    @field_validator("query_share")
    @classmethod
    def _leave_a_holdout(cls, query_share: float, info: Any) -> float:
        if info.data.get("support_share", 0) + query_share >= 1:
            raise ValueError("support_share and query_share must leave a holdout: their sum is 1 or more")
        return query_share


class Learning(SettingsTable):
    """The learners, and the limits of their training."""

    learners: tuple[LearnerName, ...] = (
        "mixed_effects",
        "popularity",
        "segment_item_rates",
        "crosses_logit",
        "maml",
    )
    inner_lr: Annotated[float, Field(ge=0)] = 1.0
    inner_steps: Annotated[int, Field(ge=0)] = 3
    outer_lr: Annotated[float, Field(gt=0)] = 0.005
    max_steps: Positive = 200
    hidden: Positive = 16
    threads: Positive = 1
    exploration: Share = 0.1


class Evaluation(SettingsTable):
    """The evidence that the night demands for a promotion."""

    confidence: Annotated[float, Field(gt=0.5, lt=1)] = 0.95
    resamples: Positive = 1000
    clip: Annotated[float, Field(gt=0)] = 10.0
    min_ess: Annotated[float, Field(gt=0)] = 200.0
    min_supported_share: Share = 0.95


class Budget(SettingsTable):
    """The limits of changes of spend in one night."""

    move_limit: Share = 0.3
    total_cents: Annotated[int, Field(gt=0)] | None = None
    min_days: Positive = 7


class Lists(SettingsTable):
    """The lists of a shop that logs nothing of what it shows."""

    places: Annotated[int, Field(ge=1, le=100)] = 10
    pool: Annotated[int, Field(ge=1, le=1000)] = 50

    @field_validator("pool")
    @classmethod
    def _fill_a_list(cls, pool: int, info: Any) -> int:
        if pool < info.data.get("places", 1):
            raise ValueError("a random list is drawn from the pool: it must hold at least `places` items")
        return pool


class Experiments(SettingsTable):
    """The comparison of a candidate with today's policy, by users."""

    share: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    max_days: Positive = 28
    min_users_per_arm: Annotated[int, Field(ge=2)] = 50


class Settings(BaseSettings):
    """One shop's configuration, including defaults."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, env_prefix="METACART_", env_nested_delimiter="__"
    )

    shop: Shop
    paths: Paths = Paths()
    privacy: Privacy = Privacy()
    night: NightRules = NightRules()
    segments: Segments = Segments()
    learning: Learning = Learning()
    evaluation: Evaluation = Evaluation()
    experiment: Experiments = Experiments()
    lists: Lists = Lists()
    budget: Budget = Budget()
    retention: Retention = Retention()
    time_limits: TimeLimits = TimeLimits()
    retries: Retries = Retries()
    alerts: Alerts = Alerts()
    limits: FileLimits = FileLimits()
    files: tuple[dict[str, Any], ...] = ()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources of settings: the environment, which overrides the file, and nothing else."""
        return env_settings, init_settings

    @property
    def content(self) -> dict[str, Any]:
        """Every setting that can change a number: not where files are, how long they stay, or who is told."""
        silent = ("paths", "privacy", "retention", "time_limits", "retries", "alerts")
        return self.model_dump(mode="json", exclude={**dict.fromkeys(silent, True), "shop": {"logs"}})

    @property
    def content_hash(self) -> str:
        """The sha256 of the content."""
        return hashlib.sha256(json.dumps(self.content, sort_keys=True).encode()).hexdigest()


def refuse_no_configuration(path: Path, command: str) -> None:
    """Refuse a path that is not a file; command: what writes a configuration there."""
    if path.is_dir():
        raise UsageError(
            f"{path} is a folder, not a configuration file. Name the file in it, such as "
            f"{path / 'metacart.toml'}."
        )
    if not path.is_file():
        raise UsageError(f"There is no configuration file {path}. Write one with `{command}`.")


def read_settings(path: Path, *, is_draft: bool = False) -> Settings:
    """Read a configuration file, and make its relative paths absolute.

    is_draft: leave the `[[files]]` out, in which something may be left to fill in.
    Raises UsageError, with the key and the expected value, if the file is missing or wrong.
    """
    refuse_no_configuration(path, f"metacart init {path}")
    try:
        table = TomlConfigSettingsSource(Settings, toml_file=path)()
        settings = Settings(**table | ({"files": ()} if is_draft else {}))
        parse_file_tables(settings.files)
    except ValidationError as error:
        faults = "; ".join(_fault(fault) for fault in error.errors())
        raise UsageError(
            f"{path}: {faults}. `metacart init` writes a file with every key explained."
        ) from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is not valid TOML: {closed(str(error))}") from error
    folder = path.resolve().parent
    return settings.model_copy(
        update={
            "shop": settings.shop.model_copy(update={"logs": folder / settings.shop.logs}),
            "paths": settings.paths.model_copy(update={"data": (folder / settings.paths.data).resolve()}),
            "privacy": settings.privacy.model_copy(
                update={"key_file": folder / settings.privacy.key_file if settings.privacy.key_file else None}
            ),
        }
    )


def _fault(fault: Any) -> str:
    key = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        return f"{key} is not a known key"
    if fault["type"] == "missing":
        return f"{key} is missing"
    if fault["loc"][0] == "alerts":
        # The value may be a secret.
        return f"{key}: {fault['msg']}"
    return f"{key} = {fault['input']!r}: {fault['msg']}"
