"""The report server: published files with the password, and nothing else by any path."""

import base64
import http.client
import json
import os
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from flows.prefect_flows.report_server import PublishedRuns, report_server

AUTH = "ann:secret"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Served:
    port: int
    folder: Path

    def ask(self, path: str, auth: str | None = AUTH, method: str = "GET", host: str | None = None) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        headers = {"Host": host or f"127.0.0.1:{self.port}"}
        if auth is not None:
            headers["Authorization"] = "Basic " + base64.b64encode(auth.encode()).decode()
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        found = Answer(answer.status, dict(answer.getheaders()), answer.read())
        connection.close()
        return found


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    published = tmp_path / "published" / "demo"
    report = published / "run-1" / "report"
    report.mkdir(parents=True)
    (report / "index.html").write_text("<p>the report</p>", encoding="utf-8")
    (published / "run-1" / "out_verdicts.csv").write_text("a,b\n", encoding="utf-8")
    (published / "run-1" / "secret.key").write_text("key", encoding="utf-8")
    (published / "run-1" / ".hidden.csv").write_text("x", encoding="utf-8")
    (published / ".run-2.tmp").mkdir()
    (published / ".run-2.tmp" / "manifest.json").write_text("{}", encoding="utf-8")
    (published / "current.json").write_text(json.dumps({"run_id": "run-1", "as_of": "2026-01-05"}))
    (tmp_path / "published" / "other" / "run-1").mkdir(parents=True)
    (tmp_path / "published" / "other" / "run-1" / "manifest.json").write_text("{}", encoding="utf-8")
    (tmp_path / "outside.json").write_text("{}", encoding="utf-8")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "index.html").write_text("outside", encoding="utf-8")
    (published / "run-1" / "link.json").symlink_to(tmp_path / "outside.json")
    (published / "run-1" / "linked").symlink_to(tmp_path / "outside")
    (published / "linked-run").symlink_to(tmp_path / "outside")
    os.mkfifo(published / "run-1" / "pipe.json")
    server = report_server(PublishedRuns({"demo": published}), AUTH, 0)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield Served(server.server_address[1], published)
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_report_opens_with_the_password(served):
    answer = served.ask("/demo/run-1/report/index.html")
    assert (answer.status, answer.body) == (200, b"<p>the report</p>")
    assert answer.headers["Content-Type"].startswith("text/html")
    assert served.ask("/demo/run-1/report/index.html?from=mail").status == 200


def test_every_answer_has_the_headers_that_protect_a_browser(served):
    for path, auth in [("/demo/run-1/report/index.html", AUTH), ("/nothing", AUTH), ("/demo/", None)]:
        headers = served.ask(path, auth).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "sandbox" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("auth", [None, "", "ann:", "ann:secrets", "bob:secret", "secret"])
def test_nothing_is_told_without_the_password(served, auth):
    for path in ("/demo/run-1/report/index.html", "/demo/", "/nothing"):
        answer = served.ask(path, auth)
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"].startswith("Basic ")
        assert b"report" not in answer.body


def test_the_shops_address_leads_to_its_current_report(served):
    answer = served.ask("/demo/")
    assert (answer.status, answer.headers["Location"]) == (302, "/demo/run-1/report/index.html")
    (served.folder / "current.json").unlink()
    assert served.ask("/demo/").status == 404


def test_other_content_of_the_same_run_is_current_in_its_own_folder(served):
    report = served.folder / "run-1.2" / "report"
    report.mkdir(parents=True)
    (report / "index.html").write_text("<p>the newer content</p>", encoding="utf-8")
    pointer = {"run_id": "run-1", "folder": "run-1.2", "as_of": "2026-01-05"}
    (served.folder / "current.json").write_text(json.dumps(pointer))
    location = served.ask("/demo/").headers["Location"]
    assert location == "/demo/run-1.2/report/index.html"
    assert served.ask(location).body == b"<p>the newer content</p>"


@pytest.mark.parametrize("pointer", ["", "[]", "{}", '"run-1"', '{"folder": "../other"}'])
def test_a_damaged_pointer_leads_nowhere(served, pointer):
    (served.folder / "current.json").write_text(pointer)
    answer = served.ask("/demo/")
    assert answer.status == 404 or served.ask(answer.headers["Location"]).status == 404


def test_tables_are_downloads(served):
    answer = served.ask("/demo/run-1/out_verdicts.csv")
    assert (answer.status, answer.headers["Content-Disposition"]) == (200, "attachment")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "//",
        "/demo",
        "/demo/run-1",
        "/demo/run-1/",
        "/demo/run-1/report/",
        "/demo/run-1/report",
        "/demo/current.json",
        "/demo/run-1/secret.key",
        "/demo/run-1/.hidden.csv",
        "/demo/.run-2.tmp/manifest.json",
        "/demo/../other/run-1/manifest.json",
        "/demo/%2e%2e/other/run-1/manifest.json",
        "/demo/run-1/..%2f..%2f..%2foutside.json",
        "/demo/run-1/../../../outside.json",
        "/demo//run-1//report/index.html",
        "/demo/run-1/report/index.html%00.html",
        "/other/run-1/manifest.json",
        "/demo/run-1/link.json",
        "/demo/run-1/linked/index.html",
        "/demo/linked-run/index.html",
        "/demo/run-1/pipe.json",
        "/etc/passwd",
        "/demo/run-1/" + "a" * 300 + ".json",
    ],
)
def test_no_other_path_leads_anywhere(served, path):
    answer = served.ask(path)
    assert answer.status == 404
    assert answer.body == b"404 Not Found\n"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_it_only_reads(served, method):
    assert served.ask("/demo/run-1/report/index.html", method=method).status == 501
    assert (served.folder / "run-1" / "report" / "index.html").is_file()


def test_head_has_no_body(served):
    answer = served.ask("/demo/run-1/report/index.html", method="HEAD")
    assert (answer.status, answer.body, answer.headers["Content-Length"]) == (200, b"", "17")


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1", ""])
def test_a_name_that_was_pointed_here_gets_nothing(served, host):
    assert served.ask("/demo/", host=host or " ").status == 421


def test_it_listens_on_loopback_alone(tmp_path):
    server = report_server(PublishedRuns({}), AUTH, 0)
    assert server.server_address[0] == "127.0.0.1"
    server.server_close()
