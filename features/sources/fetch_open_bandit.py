"""Bring the Open Bandit files to this machine: the published sample, or the full archive.

The sample (60,000 rounds) ships inside the obp package on PyPI, which is taken as a file and not imported.
The full archive (26 million rounds) is a zip from the dataset's home, https://research.zozo.com/data.html.
"""

import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from pathlib import Path

from features.errors import InputDataError, UsageError, closed

WHEEL = "obp==0.4.1"
WHEEL_SHA256 = "87dec9caf4283c25ab13036532e0a24566f1c7bdcad1653a8ded43b2f5ef8208"
WHEEL_FOLDER = "obp/dataset/obd"
SAMPLE_SHA256 = {
    "bts/all/all.csv": "0ad874e4dbf6902f0845dd478ad8dde5ef6903583d3ffaace78411bdad064106",
    "bts/all/item_context.csv": "5d4359ba1cfa3ae88f0f1bae66bd633859fe6323817183632ee57b83539d9153",
    "bts/men/item_context.csv": "3b411ed6b0471316321a6b93f4f756bb25888eac6218cd71d0b603d41d85732d",
    "bts/men/men.csv": "db6d1f7ed2d591ba521533e45286d4c1fba7fe57a8ad2e80342210335f43c527",
    "bts/women/item_context.csv": "a56295bad066a558eb783055afd9279f5f4e209a4776eafc22151c53f0ac89d4",
    "bts/women/women.csv": "e5d1b49a39b608585a2f3014a3f54970430cd37a495c1b73fceb85cdf428a5b8",
    "random/all/all.csv": "7168295b6e0a9eabcf3392320a5dd434e542b68e705d5cd9491499af589812f1",
    "random/all/item_context.csv": "eba04cc23d5f130a93ff174c5392986882b94c3839433cb8143870eaa6221358",
    "random/men/item_context.csv": "6d855c2b7e917d0448d71bbe62c023147495882c0fdc8c41e86fef86abf9fe09",
    "random/men/men.csv": "ede6d08c6877f99cd3770f7d09e26c738e6aa6de4445ccccfb1356ba5d06b1eb",
    "random/women/item_context.csv": "b1ca4905f97703d196004f2ad4552c1e90c2afad8b50688d333b0d2dc0b33147",
    "random/women/women.csv": "e65f3bd3beb17664fa69cc129bf7bf852a775f8ffa630506e505fc905315bb34",
}

CHUNK_BYTES = 1 << 20
TIMEOUT_SECONDS = 60

_MEMBER = re.compile(r"^(?:[^/.][^/]*/)?((?:random|bts)/(all|men|women)/(?:\2|item_context)\.csv)$")


def fetch(folder: Path, *, full: str | None = None) -> tuple[Path, ...]:
    """Put the data files into the folder and return their paths.

    Without `full`: the sample; nothing happens, not even on the network, when it exists already.
    full: URL or path of the full archive, which replaces the files of the folder.

    Raises InputDataError when the download fails, its checksum is wrong, it is not an archive of this
    dataset, or the disk is too small; UsageError when the folder holds files other than the sample's.
    """
    if full is not None:
        return _fetch_full(folder, full)
    wanted = {name: folder / name for name in SAMPLE_SHA256}
    present = {name: path for name, path in wanted.items() if path.is_file()}
    for name, path in present.items():
        if _sha256(path) != SAMPLE_SHA256[name]:
            raise UsageError(
                f"{path} is not the file of the sample, perhaps one of the full archive; move {folder} away "
                "to fetch the sample."
            )
    if present.keys() != wanted.keys():
        folder.mkdir(parents=True, exist_ok=True)
        # Beside its destination, so that a file moves in one step.
        with tempfile.TemporaryDirectory(dir=folder, prefix="tmp-") as temporary:
            _fetch_sample(Path(temporary), folder)
    return tuple(wanted.values())


def _fetch_sample(temporary: Path, folder: Path) -> None:
    command = [sys.executable, "-m", "pip", "download", WHEEL, "--no-deps", "--only-binary=:all:"]
    done = subprocess.run(  # noqa: S603, every word of the command is written above
        [*command, "--disable-pip-version-check", "--quiet", "-d", str(temporary)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = done.stderr.strip().splitlines()[-1:] or ["pip gave no reason"]
        raise InputDataError(f"pip could not download {WHEEL}: {said[0]} Try again with a network.")
    wheels = list(temporary.glob("obp-*.whl"))
    if len(wheels) != 1 or _sha256(wheels[0]) != WHEEL_SHA256:
        raise InputDataError(
            f"pip's download of {WHEEL} is not the published wheel; check the package index."
        )
    with zipfile.ZipFile(wheels[0]) as archive:
        for name, expected in SAMPLE_SHA256.items():
            part = temporary / "part"
            _extract(archive, f"{WHEEL_FOLDER}/{name}", part)
            if _sha256(part) != expected:
                raise InputDataError(
                    f"{name} inside {WHEEL} is not the published file; check the package index."
                )
            _move(part, folder / name)


def _fetch_full(folder: Path, full: str) -> tuple[Path, ...]:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix="tmp-") as temporary:
        archive = _local(full, Path(temporary))
        try:
            with zipfile.ZipFile(archive) as members:
                return _unpack_full(members, Path(temporary), folder)
        except zipfile.BadZipFile as error:
            raise InputDataError(
                f"{full} is not a complete zip archive ({error}); download it again."
            ) from error


def _unpack_full(archive: zipfile.ZipFile, temporary: Path, folder: Path) -> tuple[Path, ...]:
    # Only known names are written, so no member can leave the folder.
    members = {match[1]: info for info in archive.infolist() if (match := _MEMBER.match(info.filename))}
    if not members:
        raise InputDataError(
            f"{archive.filename} holds no file like random/all/all.csv: is it the Open Bandit Dataset?"
        )
    _require_space(folder, sum(info.file_size for info in members.values()))
    for name, info in members.items():
        _extract(archive, info.filename, temporary / name)
    # All are whole before the first one moves.
    for name in members:
        _move(temporary / name, folder / name)
    return tuple(folder / name for name in sorted(members))


def _local(full: str, temporary: Path) -> Path:
    """Return the archive as a file: the file itself, or the download from its URL."""
    scheme = urllib.parse.urlsplit(full).scheme
    if scheme not in {"http", "https"}:
        path = Path(full)
        if not path.is_file():
            raise InputDataError(f"There is no archive at {full}; give the path of a file or an http(s) URL.")
        return path
    path = temporary / "archive.zip"
    try:
        with urllib.request.urlopen(full, timeout=TIMEOUT_SECONDS) as answer, path.open("wb") as file:  # noqa: S310
            n_expected = int(answer.headers.get("Content-Length") or 0)
            _require_space(temporary, n_expected)
            shutil.copyfileobj(answer, file, CHUNK_BYTES)
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        raise InputDataError(f"{full} can't be downloaded: {closed(str(error))}") from error
    if n_expected and path.stat().st_size != n_expected:
        raise InputDataError(f"{full} ended after {path.stat().st_size} of {n_expected} bytes; try again.")
    return path


def _require_space(folder: Path, n_bytes: int) -> None:
    free = shutil.disk_usage(folder).free
    if n_bytes > free:
        raise InputDataError(
            f"{folder} has {free} bytes free, {n_bytes} are needed; make room and try again."
        )


def _extract(archive: zipfile.ZipFile, member: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(member) as source, path.open("wb") as target:
        shutil.copyfileobj(source, target, CHUNK_BYTES)


def _move(part: Path, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part.replace(path)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
