"""Equal nights: the tables that two commits publish from the same logs, compared value by value.

A refactoring moves code and changes no number. This says whether that holds:

    python tests/refactoring/equal_nights.py BEFORE --config data/raw/demo/metacart.toml

runs the night of each configuration once with the commit BEFORE and once with the working tree, on one thread
and with one pseudonym key, sorts every published table by its grain, and prints each column that differs and
how long both nights took. It exits with 1 if anything differs that `--allow` does not name.
"""

import argparse
import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Collection, Iterator
from pathlib import Path

import polars as pl
import polars.selectors as cs

ROOT = Path(__file__).resolve().parents[2]

MEASURED = {"seconds"}
"""Columns that measure time: they differ between equal runs."""

RUN_ID = "run_id"


def differences(
    before: Path, after: Path, *, tolerance: float = 0.0, allowed: Collection[str] = ()
) -> list[str]:
    """Say in which columns the tables of two published nights differ; nothing where they are equal.

    before, after: folders of `out_*.parquet`. tolerance: of floats, relative to the larger of both; 0 asks
    for equal bits. allowed: names of tables, or of columns as `table.column`, that may differ.
    """
    names = {path.stem for folder in (before, after) for path in folder.glob("out_*.parquet")}
    found = []
    for name in sorted(names - set(allowed)):
        if missing := [folder for folder in (before, after) if not (folder / f"{name}.parquet").is_file()]:
            found.append(f"{name}: only one night has it, not {missing[0]}")
            continue
        tables = [_comparable(folder / f"{name}.parquet") for folder in (before, after)]
        found += [f"{name}{fault}" for fault in _table_differences(name, *tables, tolerance, allowed)]
    return found


def _comparable(path: Path) -> pl.DataFrame:
    """Read a table without what tells two equal nights apart, in the order of its grain."""
    table = pl.read_parquet(path).drop(MEASURED, strict=False)
    if RUN_ID in table.columns and table.height:
        run_id = re.escape(table[RUN_ID][0])
        table = table.with_columns(cs.string().str.replace_all(run_id, "RUN"))
    return table.sort([name for name in grain(path.stem) if name in table.columns], maintain_order=True)


def grain(name: str) -> list[str]:
    """Return the columns that a row of a table is known by, as its contract states them.

    >>> grain("out_recommendations")
    ['user_key', 'surface', 'slot_rank']
    """
    from features.contracts.outputs import OUTPUTS

    stated = re.search(r"Grain: ([\w, \n]+)", OUTPUTS[name].__doc__ or "")
    return re.findall(r"\w+", stated[1]) if stated else []


def _table_differences(
    name: str, before: pl.DataFrame, after: pl.DataFrame, tolerance: float, allowed: Collection[str]
) -> Iterator[str]:
    if before.height != after.height:
        yield f": {before.height} rows, then {after.height}"
        return
    for column in dict.fromkeys((*before.columns, *after.columns)):
        if f"{name}.{column}" in allowed:
            continue
        if column not in before.columns or column not in after.columns:
            yield f".{column}: only in the night {'before' if column in before.columns else 'after'}"
            continue
        old, new = before[column], after[column]
        if old.dtype != new.dtype:
            yield f".{column}: {old.dtype}, then {new.dtype}"
            continue
        differs = ~_equal(old, new, tolerance)
        if differs.any():
            first = differs.arg_max()
            yield (
                f".{column}: {differs.sum()} of {len(old)} rows, "
                f"the first {old[first]!r}, then {new[first]!r}"
            )


def _equal(old: pl.Series, new: pl.Series, tolerance: float) -> pl.Series:
    same = old.eq_missing(new)
    if not old.dtype.is_float() or not tolerance:
        return same
    allowed = tolerance * pl.select(pl.max_horizontal(old.abs(), new.abs())).to_series()
    return same | ((old - new).abs() <= allowed).fill_null(value=False)


def run_night(tree: Path, config: Path, data: Path, key: Path) -> tuple[Path, dict[str, float]]:
    """Run one night with the code of a tree; return the published folder and the seconds of each stage."""
    environment = os.environ | {
        "PYTHONPATH": str(tree),
        "OMP_NUM_THREADS": "1",
        "METACART_PATHS__DATA": str(data),
        "METACART_PRIVACY__KEY_FILE": str(key),
    }
    scripts = tomllib.loads((tree / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    module, main = scripts["metacart"].split(":")
    program = f"import sys; sys.argv = {['metacart', 'run', '--config', str(config), '--json']!r}; "
    done = subprocess.run(
        [sys.executable, "-c", program + f"from {module} import {main}; {main}()"],
        cwd=data.parent,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"The night of {config} fails with the code in {tree}:\n{done.stderr}")
    result = json.loads(done.stdout.splitlines()[-1])
    return Path(result["report"]).parent.parent, result["seconds"]


@contextlib.contextmanager
def checked_out(commit: str, folder: Path) -> Iterator[Path]:
    """Give the tree of a commit a folder of its own for a while."""
    git = ["git", "-C", str(ROOT), "worktree"]
    subprocess.run([*git, "add", "--quiet", "--detach", str(folder), commit], check=True)
    try:
        yield folder
    finally:
        subprocess.run([*git, "remove", "--force", str(folder)], check=True)


def main() -> None:
    """Compare the commit that is named with the working tree."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("before", help="the commit to compare with")
    parser.add_argument("--config", type=Path, nargs="+", required=True, help="shops whose nights to run")
    parser.add_argument("--tolerance", type=float, default=0.0, help="of floats, relative")
    parser.add_argument("--allow", nargs="*", default=[], help="tables, or table.column, that may differ")
    asked = parser.parse_args()
    found: list[str] = []
    with tempfile.TemporaryDirectory() as folder, checked_out(asked.before, Path(folder) / "tree") as tree:
        for place, config in enumerate(path.resolve() for path in asked.config):
            key = Path(folder) / f"{place}.key"
            old, seconds = run_night(tree, config, Path(folder) / f"before-{place}", key)
            new, now = run_night(ROOT, config, Path(folder) / f"after-{place}", key)
            for stage in seconds:
                print(f"{config}, {stage}: {seconds[stage]:.1f} s before, {now.get(stage, 0.0):.1f} s after")
            faults = differences(old, new, tolerance=asked.tolerance, allowed=asked.allow)
            found += [f"{config}: {fault}" for fault in faults]
    print("\n".join(found) if found else "Equal.")
    raise SystemExit(bool(found))


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
