"""
The reference page shows the operations, with nothing that comes from elsewhere.
"""

import re
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest

from outdial.entrypoints.http.api import OPERATIONS, PAGES
from tests.http.api import Api
from tests.http.live import serving


class References(HTMLParser):
    """
    What a page refers to.
    """

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.scripts: list[str | None] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """
        Note an element's addresses.
        """
        self.found += [value for name, value in attrs if name in {"src", "href"} and value]
        if tag == "script":
            self.scripts.append(dict(attrs).get("src"))


def test_page_takes_everything_from_this_server(api: Api) -> None:
    """
    Each address that it refers to is relative, so that it works below any prefix, and is answered here.
    """
    page = api.get("/docs", key=None)
    references = References(page.text)

    answers = {address: api.get(urljoin("/docs", address), key=None) for address in references.found}

    assert (200, "text/html; charset=utf-8") == (page.status_code, page.headers["Content-Type"])
    assert [] == [address for address in answers if urlsplit(address).netloc or address.startswith("/")]
    assert {200} == {answer.status_code for answer in answers.values()}
    assert None not in references.scripts


def test_page_may_run_and_load_only_what_is_served_here(api: Api) -> None:
    """
    Its policy names no other source, and no scripts or styles within the page (Content Security Policy Level 3).
    """
    headers = api.get("/docs", key=None).headers
    policy = dict(directive.strip().split(" ", 1) for directive in headers["Content-Security-Policy"].split(";"))

    assert {"'none'", "'self'", "'self' data:"} == set(policy.values())
    assert "'self'" == policy["script-src"]
    assert "'none'" == policy["default-src"]
    assert "nosniff" == headers["X-Content-Type-Options"]


def test_assets_are_sent_once(api: Api) -> None:
    """
    Who has them already is told that they are the same.
    """
    first = api.get("/docs/swagger-ui-bundle.js", key=None)
    again = api.ask("GET", "/docs/swagger-ui-bundle.js", headers={"If-None-Match": first.headers["ETag"]})

    assert 304 == again.status_code
    assert first.headers["Content-Type"].startswith("text/javascript")


@pytest.mark.parametrize("name", ["index.html", "swagger-ui-bundle.js.map", "..%2fcalls.py", "%2e%2e/secrets"])
def test_nothing_else_of_the_package_is_served(api: Api, name: str) -> None:
    """
    The assets are a closed list, not a folder.
    """
    assert 404 == api.get(f"/docs/{name}", key=None).status_code


@pytest.mark.browser
def test_browser_shows_every_operation(tmp_path: Path) -> None:
    """
    A real browser that keeps to the page's policy draws each operation, and complains of nothing.
    """
    with serving(tmp_path) as server:
        shown = subprocess.run(
            [
                "chromium",
                "--headless",
                "--no-sandbox",  # root has none; the page is our own
                "--disable-gpu",
                "--disable-dev-shm-usage",  # containers have little
                f"--user-data-dir={tmp_path / 'browser'}",
                "--enable-logging=stderr",
                "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
                "--virtual-time-budget=20000",
                "--dump-dom",
                f"{server.url}/docs",
            ],
            capture_output=True,
            text=True,
            timeout=100,
            check=True,
        )

    paths = set(re.findall(r'class="opblock-summary-path" data-path="([^"]+)"', shown.stdout))
    assert {*(operation.path for operation in OPERATIONS), *(page.path for page in PAGES)} == paths
    assert [] == [line for line in shown.stderr.splitlines() if "CONSOLE" in line]
