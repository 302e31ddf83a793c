from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from features.contracts.logs import LOGS
from features.simulator.settings import WorldSettings
from features.simulator.shop import SimulatedShop, simulate
from features.simulator.world import World


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> SimulatedShop:
    """The demo shop: default settings."""
    return simulate(WorldSettings(), tmp_path_factory.mktemp("simulated") / "demo")


@pytest.fixture(scope="session")
def world(shop: SimulatedShop) -> World:
    return World.load(shop.folder)


@pytest.fixture(scope="session")
def read_log(shop: SimulatedShop) -> Callable[[str], pl.DataFrame]:
    """All files of one log, text cast to the contract's types."""

    def read(log: str) -> pl.DataFrame:
        path: Path = shop.folder / f"{log}.csv"
        source = path if path.is_file() else shop.folder / log / "*.csv"
        text = pl.read_csv(source, infer_schema=False)
        columns = LOGS[log].columns()
        # a column that the simulated shop does not log is null
        absent = [pl.lit(None, pl.String).alias(name) for name in columns if name not in text.columns]
        return text.with_columns(absent).select(
            _typed(name, column.dtype) for name, column in columns.items()
        )

    return read


def _typed(name: str, dtype: pl.DataType) -> pl.Expr:
    if isinstance(dtype, pl.Datetime):
        return pl.col(name).str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_unit="us", time_zone="UTC")
    if isinstance(dtype, pl.Date):
        return pl.col(name).str.to_date()
    if isinstance(dtype, pl.Boolean):
        return pl.col(name).replace_strict({"true": True, "false": False}, return_dtype=pl.Boolean)
    return pl.col(name).cast(dtype)
