"""A headless Chromium that opens our pages: what it logged, what it asked for, what it shows."""

from __future__ import annotations

import base64
import json
import re
import socket
import threading
from contextlib import contextmanager
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from tests.conformance.oracles import chromium_programs

_FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--hide-scrollbars", "--force-device-scale-factor=1"),
)
WIDE, NARROW = (1360, 1100), (400, 860)
_PATIENCE_S = 30
_ITS_OWN = re.compile(r"\.(google|googleapis|gvt1|gstatic)\.com\b")  # Chromium's own services


class Refusing:
    """A proxy that refuses everybody, and remembers what each wanted."""

    def __init__(self) -> None:
        self.wanted: list[str] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                caller, _ = self._socket.accept()
            except OSError:
                return
            with caller:
                caller.settimeout(5)
                try:
                    self.wanted.append(caller.recv(4096).decode("latin-1").split("\r\n")[0])
                    caller.sendall(
                        b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                    )
                except OSError:
                    self.wanted.append("?")

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)


class Browser:
    """One Chromium with one page. What it asks the network for goes to a proxy that refuses."""

    def __init__(self, driver: webdriver.Chrome, proxy: Refusing) -> None:
        self.driver = driver
        self.proxy = proxy

    def open(self, target: Path | str, fragment: str = "") -> None:
        address = target if isinstance(target, str) else target.resolve().as_uri()
        self.driver.get("about:blank")  # so that a fragment alone does not keep the old page
        self.driver.get_log("browser")
        self.driver.get_log("performance")
        self.proxy.wanted.clear()
        self.driver.get(f"{address}{fragment}")

    def run(self, script: str, *arguments):
        return self.driver.execute_script(script, *arguments)

    def run_async(self, script: str, *arguments):
        """Run a script that calls its last argument when it is done."""
        return self.driver.execute_async_script(script, *arguments)

    def one(self, selector: str):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector: str):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def shown(self, selector: str):
        return [element for element in self.all(selector) if element.is_displayed()]

    def until(self, condition, what: str = ""):
        waiting = WebDriverWait(self.driver, _PATIENCE_S, poll_frequency=0.05)
        return waiting.until(lambda _: condition(), what or "waited in vain")

    def type(self, *keys: str) -> None:
        """Press keys one after the other, wherever the focus is."""
        for key in keys:
            self.driver.switch_to.active_element.send_keys(key)

    @property
    def focus(self):
        return self.driver.switch_to.active_element

    def size(self, size: tuple[int, int]) -> None:
        metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def emulate(self, **features: str) -> None:
        """Pretend media features, such as prefers_color_scheme="dark"."""
        told = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": told})

    def scripts(self, *, on: bool) -> None:
        self.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not on})

    def pdf(self) -> bytes:
        told = {"preferCSSPageSize": True, "printBackground": True}
        return base64.b64decode(self.driver.execute_cdp_cmd("Page.printToPDF", told)["data"])

    def said(self) -> list[str]:
        """What the console said since the page was opened: errors and broken policies among it."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def asked(self) -> list[str]:
        """Every address that the page asked for since it was opened, without what its policy stopped."""
        messages = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        sent = [m["params"] for m in messages if m["method"] == "Network.requestWillBeSent"]
        failed = [m["params"] for m in messages if m["method"] == "Network.loadingFailed"]
        stopped = {entry["requestId"] for entry in failed if entry.get("blockedReason") == "csp"}
        return [
            entry["request"]["url"]
            for entry in sent
            if entry["type"] != "Document" and entry["requestId"] not in stopped
        ]

    def wanted(self) -> list[str]:
        """What the proxy was asked for since the page was opened, but by the browser for itself."""
        return [line for line in self.proxy.wanted if not _ITS_OWN.search(line)]


@contextmanager
def browser(profile: Path):
    """Start Chromium with a new profile; skip or fail the test where there is none."""
    program, driver_program = chromium_programs()
    proxy = Refusing()
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for flag in (*_FLAGS, f"--user-data-dir={profile}", f"--proxy-server=127.0.0.1:{proxy.port}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    try:
        driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver_program))
        try:
            driver.set_page_load_timeout(_PATIENCE_S)
            driver.set_script_timeout(_PATIENCE_S)
            yield Browser(driver, proxy)
        finally:
            driver.quit()
    finally:
        proxy.close()
