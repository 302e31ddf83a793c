"""The shops that `metacart serve` serves: one configuration file, and a folder of more."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from features.errors import UsageError
from flows.settings import read_settings
from flows.shops import CONFIG, DATA
from flows.workspace import Workspace

DEMO = DATA / "raw" / "demo" / "metacart.toml"
"""The shop of nightly/nightly in prefect.yaml."""

SHOPS = DATA / "raw"

NIGHTLY = "nightly"
"""The deployment for any shop; no shop may have its name."""

TAG = "metacart"
"""The tag of every deployment that `metacart serve` makes, and of its runs."""

OF_ONE_SHOP = "shop"
"""The tag of a deployment that runs one shop, whose name it has."""


@dataclass(frozen=True)
class ConfiguredShop:
    """One shop: name, absolute path of its configuration, its data folder and that of its published runs."""

    name: str
    config: Path
    data: Path
    published: Path


def configured_shops(config: Path | None, folder: Path | None) -> tuple[ConfiguredShop, ...]:
    """Return the shop of nightly/nightly first, then all others by name.

    config: of the first shop; by default metacart.toml, or the demo's, or the first of the folder.
    folder: holds *.toml, or a metacart.toml in each of its folders; by default data/raw, if it exists.
    Raises UsageError if a configuration is wrong, if two of them are of shops with the same name, or if there
    is no shop.
    """
    if folder is not None and not folder.is_dir():
        raise UsageError(f"{folder} is not a folder. Name the folder of the shops' configurations.")
    found = configurations(folder or SHOPS)
    if folder is not None and not found:
        raise UsageError(
            f"{folder} holds no configuration: neither *.toml nor */metacart.toml. Write one with `metacart "
            f"init {folder / 'shop.toml'}`."
        )
    first = [path for path in (config or CONFIG, DEMO) if path.is_file() or path == config][:1] or found[:1]
    if not first:
        raise UsageError(
            "There is no shop to serve. Write a configuration with `metacart init metacart.toml`, or name a "
            "folder of configurations with --shops."
        )
    shops: dict[str, ConfiguredShop] = {}
    for path in dict.fromkeys(path.resolve() for path in [*first, *found]):
        shop = configured_shop(path)
        if shop.name in shops:
            raise UsageError(
                f"{shops[shop.name].config} and {path} both are configurations of a shop named {shop.name}. "
                "Change shop.name in one of them, or move it out of the folder."
            )
        shops[shop.name] = shop
    return tuple(shops.values())


def configurations(folder: Path) -> Sequence[Path]:
    """Return the configuration files of a folder, sorted; none if it does not exist."""
    return sorted([*folder.glob("*.toml"), *folder.glob("*/metacart.toml")])


def configured_shop(path: Path) -> ConfiguredShop:
    """Read one configuration. Raises UsageError if it is wrong."""
    settings = read_settings(path)
    if settings.shop.name == NIGHTLY:
        raise UsageError(f"{path}: {NIGHTLY} is the name of a deployment. Change shop.name.")
    return ConfiguredShop(settings.shop.name, path, settings.paths.data, Workspace(settings).published)
