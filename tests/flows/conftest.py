"""Shops whose night is run once: a small simulated one to look at, and one to copy and erase from."""

import json
from pathlib import Path

import pytest

from features.simulator.settings import WorldSettings
from features.simulator.shop import simulate
from flows.settings import Learning, read_settings
from flows.shops import SIMULATED, write_config
from flows.stages.night import NightResult, run_night
from tests.flows.erasure.erasure_shop import erasure_shop, night_of

SMALL = WorldSettings(users=250, days=10, seed=3)


def small_shop(folder: Path, **replacements: str) -> Path:
    """Simulate a small shop in `folder`/logs and return its configuration file."""
    logs = folder / "logs"
    simulate(SMALL, logs)
    config = logs / "metacart.toml"
    write_config(config, SIMULATED, name="small", logs=logs, data=folder / "data")
    quick = {
        "min_rounds = 500": "min_rounds = 300",
        "max_steps = 200": "max_steps = 10",
        "resamples = 1000": "resamples = 100",
        f"learners = {json.dumps(Learning().learners)}": 'learners = ["maml", "random_effects"]',
    }
    text = config.read_text(encoding="utf-8")
    for old, new in (quick | replacements).items():
        assert old in text, f"{old} is not in the template"
        text = text.replace(old, new)
    config.write_text(text, encoding="utf-8")
    return config


@pytest.fixture(scope="session")
def small_config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_shop(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="session")
def small_night(small_config: Path) -> NightResult:
    return run_night(read_settings(small_config), None)


@pytest.fixture(scope="session")
def erasure_night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a shop whose logs mention a person in many places, with one published night."""
    folder = tmp_path_factory.mktemp("erasures") / "shop"
    night_of(erasure_shop(folder))
    return folder
