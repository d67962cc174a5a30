"""A real browser, Chromium without a screen: what a page shows, what it asks for, and what goes wrong in it."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

PROGRAMS = ("chromium", "chromedriver")
OPTIONS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars")
needs_chromium = pytest.mark.skipif(
    not all(map(shutil.which, PROGRAMS)),
    reason="there is no Chromium (Debian: apt-get install chromium chromium-driver)",
)


@dataclass(frozen=True)
class Request:
    """One the page made; `status` is None if it got no answer, `blocked` says why it never left."""

    url: str
    body: str
    status: int | None
    blocked: str


class Browser:
    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def open(self, url: str) -> None:
        self.driver.get_log("performance")
        self.driver.get_log("browser")
        self.driver.get(url)

    def find(self, selector: str) -> list[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def wait_for(self, selector: str, seconds: float = 60) -> list[WebElement]:
        deadline = time.monotonic() + seconds
        while not (found := self.find(selector)):
            assert time.monotonic() < deadline, f"{self.driver.current_url} shows no {selector}"
            time.sleep(0.3)
        return found

    def wait_until_gone(self, selector: str, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while self.find(selector):
            assert time.monotonic() < deadline, f"{self.driver.current_url} still shows {selector}"
            time.sleep(0.3)

    def errors(self) -> list[str]:
        """What the console calls severe since the page was opened."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]

    def requests(self) -> list[Request]:
        """All since the page was opened, but for what the page holds itself."""
        sent: dict[str, dict[str, Any]] = {}
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            told = message["params"]
            if message["method"] == "Network.requestWillBeSent":
                sent[told["requestId"]] = {"url": told["request"]["url"], "body": told["request"].get("postData", "")}
            elif message["method"] == "Network.responseReceived" and told["requestId"] in sent:
                sent[told["requestId"]]["status"] = told["response"]["status"]
            elif message["method"] == "Network.loadingFailed" and told["requestId"] in sent:
                sent[told["requestId"]]["blocked"] = told.get("blockedReason", "")
        return [
            Request(one["url"], one["body"], one.get("status"), one.get("blocked", ""))
            for one in sent.values()
            if not one["url"].startswith(("data:", "blob:"))
        ]

    def picture(self, path: Path) -> None:
        self.driver.save_screenshot(str(path))


@contextmanager
def browser(width: int = 1400, height: int = 1000, *, is_phone: bool = False) -> Iterator[Browser]:
    options = webdriver.ChromeOptions()
    for option in (*OPTIONS, f"--window-size={width},{height}"):
        options.add_argument(option)
    if is_phone:
        metrics = {"width": width, "height": height, "pixelRatio": 2.0, "mobile": True}
        options.add_experimental_option("mobileEmulation", {"deviceMetrics": metrics})
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    try:
        yield Browser(driver)
    finally:
        driver.quit()
