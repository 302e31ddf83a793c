"""Nights in a row under Prefect, and two shops of one data folder: the same registry, and nobody else's."""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from prefect.testing.utilities import prefect_test_harness

from flows.commands.cli import execute
from flows.prefect_flows.nightly import nightly
from flows.registry.listing import list_champions
from flows.settings import read_settings
from flows.workspace import Workspace
from tests.flows.uniform_shop import FIRST, uniform_shop

ROOT = Path(__file__).parents[3]
N_NIGHTS = 14
PROMOTES = FIRST + timedelta(days=6)


@pytest.fixture(scope="module")
def server() -> Iterator[None]:
    with prefect_test_harness(server_startup_timeout=120):
        yield


def config_of(shop: Workspace) -> Path:
    return shop.settings.shop.logs.parent / f"{shop.shop}.toml"


def shop_in(folder: Path, name: str = "uniform", n_days: int = 8) -> Workspace:
    """Write a shop; all of a folder have the same logs and one data folder."""
    if not folder.is_dir():
        uniform_shop(folder, n_days)
    config = folder / f"{name}.toml"
    text = (folder / "metacart.toml").read_text()
    config.write_text(text.replace('name = "uniform"', f'name = "{name}"'))
    return Workspace(read_settings(config))


def run(shop: Workspace, day: date) -> None:
    assert execute(["run", "--config", str(config_of(shop)), "--as-of", str(day)]) == 0


def published(shop: Workspace) -> dict[str, Any]:
    """Return of each night its manifest, which has the hash of the rows of each table."""
    return {night.path.name: night.manifest for night in shop.nights.all()}


def registry(shop: Workspace) -> dict[str, bytes]:
    files = (path for path in shop.registry.rglob("*") if path.is_file())
    return {str(path.relative_to(shop.registry)): path.read_bytes() for path in files}


def ledgers(shop: Workspace) -> dict[str, set[str]]:
    """Return the nights that the ledgers of looks and of holdouts name."""
    places = {"looks": shop.registry / "looks.jsonl", "holdouts": shop.work / "openings.jsonl"}
    return {
        name: {json.loads(line)["run_id"] for line in path.read_text().splitlines()}
        for name, path in places.items()
    }


@pytest.mark.slow
def test_a_backfill_of_14_nights_ends_as_14_nights_one_by_one(server, tmp_path):
    by_flow, by_command = (shop_in(tmp_path / name, n_days=N_NIGHTS + 2) for name in ("flow", "command"))
    for n_day in range(N_NIGHTS):
        nightly(config_of(by_flow), FIRST + timedelta(days=n_day))
        run(by_command, FIRST + timedelta(days=n_day))
    assert len(published(by_flow)) == N_NIGHTS
    assert published(by_flow) == published(by_command)
    assert registry(by_flow) == registry(by_command)
    assert list_champions(by_flow) == list_champions(by_command)
    [of_area] = list_champions(by_flow)
    assert of_area.champions[0].state == "champion"

    # The schedule names no day: the newest one in the logs, and the champion of the backfill stands.
    before = of_area.champions[0].card
    result = nightly(config_of(by_flow))
    manifest = published(by_flow)[result["run_id"]]
    assert manifest["as_of"] == str(FIRST + timedelta(days=N_NIGHTS + 1))
    notes = [note["finding"] for note in manifest["findings"]["notes"]]
    [stands] = [found for found in notes if found["code"] == "champion_stands"]
    assert stands["subject"] == before.policy_version
    run(by_command, FIRST + timedelta(days=N_NIGHTS + 1))
    assert published(by_flow) == published(by_command)


@pytest.mark.slow
def test_two_shops_in_one_data_folder_know_nothing_of_each_other(server, tmp_path):
    """In turn by the flow, and at the same time by the command: as each of them alone."""
    days = PROMOTES, PROMOTES + timedelta(days=1)
    in_turn, at_once, alone = (
        [shop_in(tmp_path / place, name) for name in ("one", "two")] for place in ("turn", "once", "alone")
    )
    for day in days:
        for shop in in_turn:
            nightly(config_of(shop), day)
        running = [subprocess.Popen(command(shop, day), cwd=ROOT) for shop in at_once]
        assert [process.wait(timeout=300) for process in running] == [0, 0]
    for day in days:
        run(alone[0], day)
    assert not alone[1].registry.exists()
    assert published(in_turn[0]) == published(at_once[0]) == published(alone[0])
    assert published(in_turn[1]) == published(at_once[1])
    for shop in (*in_turn, *at_once):
        own = set(published(shop))
        assert len(own) == len(days)
        assert ledgers(shop) == {"looks": own, "holdouts": own}
        [of_area] = list_champions(shop)
        assert {champion.card.shop for champion in of_area.champions} == {shop.shop}
        assert {champion.card.run_id for champion in of_area.champions} == own
    assert not set(published(in_turn[0])) & set(published(in_turn[1]))


def command(shop: Workspace, day: date) -> list[str]:
    start = "import sys; sys.argv[0] = 'metacart'; from flows.commands.start import main; sys.exit(main())"
    return [sys.executable, "-c", start, "run", "--config", str(config_of(shop)), "--as-of", str(day)]
