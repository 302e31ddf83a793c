"""The published nights of one shop: folders that never change, their checksums, and the pointer to one.

<run_id>/ holds tables, report, manifest.json and SHA256SUMS. Where the same run_id has other content (another
version of a library computed it), it becomes <run_id>.2/, and so on: what readers have open stays as it is.
Only an erasure changes a published file, and a damaged file is written anew.
"""

import os
import re
import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from features.contracts.policy_versions import RUN_ID
from features.errors import DamagedFileError, UsageError
from flows.checksums import SUMS, changed, checksums, files_below, read_sums, sums_text
from flows.file_modes import SHARED_FILE, SHARED_FOLDER, share_with_group
from flows.json_files import read_json, sync_folder, sync_tree, write_json, write_text

MANIFEST = "manifest.json"
_RUN_ID = re.compile(RUN_ID)


def is_run_id(text: str) -> bool:
    """Whether a text has the form of a run_id: a date and eight hexadecimal characters.

    >>> [is_run_id(f"{day}-0a1b2c3d") for day in ("2026-01-05", "../2026-01-05", "2026-13-45")]
    [True, False, False]
    """
    if not _RUN_ID.fullmatch(text):
        return False
    try:
        date.fromisoformat(text[:10])
    except ValueError:
        return False
    return True


@dataclass(frozen=True)
class PublishedNight:
    """One published folder."""

    path: Path

    @property
    def run_id(self) -> str:
        """The run_id of the night, without the number of a second folder of it."""
        return self.path.name.partition(".")[0]

    @property
    def as_of(self) -> date:
        """The date of the night."""
        return date.fromisoformat(self.run_id[:10])

    @property
    def written_at(self) -> datetime | None:
        """The time in UTC when the manifest was written: at publication, or by an erasure since."""
        path = self.path / MANIFEST
        return datetime.fromtimestamp(path.stat().st_mtime, UTC) if path.is_file() else None

    @property
    def manifest(self) -> dict[str, Any] | None:
        """The manifest; None where it is damaged."""
        try:
            return read_json(self.path / MANIFEST)
        except (DamagedFileError, FileNotFoundError):
            return None

    @property
    def has_checksums(self) -> bool:
        """Whether it was published with checksums; a night of an earlier version has only its manifest."""
        manifest = self.manifest
        return manifest is None or "checksums" in manifest or (self.path / SUMS).exists()

    def faults(self) -> dict[str, str]:
        """Return name → "missing", "changed" or "unknown" for each file that is not as it was published."""
        if not self.has_checksums:
            return {}
        sums = read_sums(self.path / SUMS)
        if sums is None:
            return {SUMS: "changed" if (self.path / SUMS).is_file() else "missing"}
        strangers = set(files_below(self.path)) - sums.keys() - {SUMS}
        return changed(self.path, sums) | dict.fromkeys(sorted(strangers), "unknown")

    def write_sums(self) -> None:
        """Write the checksums of all files as they are now."""
        names = [name for name in files_below(self.path) if name != SUMS]
        write_text(self.path / SUMS, sums_text(checksums(self.path, names)))

    def resum(self, sums: Mapping[str, str]) -> None:
        """Write the checksums of files that an erasure changes, name → sha256; those of all others stay."""
        known = read_sums(self.path / SUMS)
        if known is not None:
            write_text(self.path / SUMS, sums_text(known | dict(sums)), SHARED_FILE)


@dataclass(frozen=True)
class PublishedNights:
    """The folder of a shop's published nights."""

    path: Path

    def all(self) -> list[PublishedNight]:
        """Return every published night, the oldest date first."""
        if not self.path.is_dir():
            return []
        found = [PublishedNight(folder) for folder in sorted(self.path.iterdir()) if folder.is_dir()]
        return [night for night in found if is_run_id(night.run_id) and not night.path.is_symlink()]

    def of(self, run_id: str) -> list[PublishedNight]:
        """Return the folders of one run; raises UsageError, naming the newest nights, where it has none."""
        found = [night for night in self.all() if night.run_id == run_id]
        if not found:
            newest = ", ".join(night.run_id for night in self.all()[-3:]) or "none"
            raise UsageError(f"{self.path} has no night {run_id!r}. The newest nights are: {newest}.")
        return found

    @property
    def pointer(self) -> Path:
        """The file that names the night that counts."""
        return self.path / "current.json"

    def current(self) -> PublishedNight | None:
        """Return the night that counts; None where the pointer is missing, damaged, or names no night."""
        if not self.pointer.is_file():
            return None
        try:
            content = read_json(self.pointer)
        except DamagedFileError:
            return None
        named = content.get("folder", content.get("run_id"))
        return next((night for night in self.all() if night.path.name == named), None)

    def place(self, fresh: Path, run_id: str, manifest: Mapping[str, Any]) -> PublishedNight:
        """Move a night that is complete in a temporary folder to its place, and return it.

        A folder of the same run with the same manifest stays: only its files that are not as they were
        published are written anew. A folder with another manifest stays too, and the night gets a number.
        """
        taken = [night for night in self.all() if night.run_id == run_id]
        for night in taken:
            if night.manifest == manifest or night.manifest is None:
                _mend(night, fresh)
                shutil.rmtree(fresh)
                return night
        names = {night.path.name for night in taken}
        numbers = range(2, len(names) + 3)
        free = next(name for name in (run_id, *(f"{run_id}.{n}" for n in numbers)) if name not in names)
        night = PublishedNight(fresh)
        night.write_sums()
        share_with_group(fresh)
        for folder in (self.path.parent, self.path):
            folder.chmod(SHARED_FOLDER)
        # A reader who follows the pointer after a power failure must find every byte.
        sync_tree(fresh)
        fresh.rename(self.path / free)
        sync_folder(self.path)
        return PublishedNight(self.path / free)

    def point_to_newest(
        self, *, published: PublishedNight | None = None, without: Collection[PublishedNight] = ()
    ) -> PublishedNight | None:
        """Make the night with the newest date current, and return it; None where there is none.

        published: the night that was published just now; it replaces a night of its own date. Without a
        readable pointer, nights of one date count by their folders' times. without: nights that don't count.
        """
        current = self.current()

        def rank(night: PublishedNight) -> tuple[date, bool, bool, float]:
            return night.as_of, night == published, night == current, night.path.stat().st_mtime

        newest = max((night for night in self.all() if night not in without), key=rank, default=None)
        if newest is None:
            self.pointer.unlink(missing_ok=True)
            return None
        content = {"run_id": newest.run_id, "folder": newest.path.name, "as_of": newest.as_of.isoformat()}
        write_json(self.pointer, content, SHARED_FILE)
        return newest

    def withdraw(self, nights: Collection[PublishedNight]) -> PublishedNight | None:
        """Remove nights, and return the one that is current then; None where no other is left.

        The pointer is moved first: a reader never follows it to a folder that is gone.
        """
        newest = self.point_to_newest(without=nights)
        for night in nights:
            hidden = night.path.with_name(f".{night.path.name}.withdrawn")
            night.path.rename(hidden)
            shutil.rmtree(hidden)
        return newest

    def sweep(self) -> None:
        """Remove what an interrupted run left: folders and files whose names begin with a dot."""
        if self.path.is_dir():
            for leftover in self.path.glob(".*"):
                shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()


def _mend(night: PublishedNight, fresh: Path) -> None:
    """Write the files anew that are not as they were published: all of them where nothing proves the rest."""
    whole = files_below(fresh)
    if night.manifest is None or read_sums(night.path / SUMS) is None:
        damaged = whole
    else:
        faults = night.faults()
        damaged = [name for name in whole if name in faults]
    for name in damaged:
        (night.path / name).parent.mkdir(exist_ok=True)
        os.replace(fresh / name, night.path / name)  # noqa: PTH105 - the one call that is atomic everywhere
    if damaged:
        night.write_sums()
        share_with_group(night.path)
        sync_tree(night.path)
