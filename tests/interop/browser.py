"""A page in headless Chromium, driven through chromedriver (W3C WebDriver over HTTP)."""
import json
import pathlib
import shutil
import subprocess
import urllib.request

import sandbox
from wait import until

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-component-update",
             "--disable-background-networking", "--disable-sync", "--disable-dev-shm-usage", "--window-size=1300,1000"]
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # W3C WebDriver's name of an element's reference


def why_not():
    """Why no browser can be started here, or None."""
    return None if CHROMIUM and DRIVER else "Debian's packages chromium and chromium-driver are not installed"


class Page:
    def __init__(self, file):
        self.file = pathlib.Path(file)

    def __enter__(self):
        log = sandbox.directory("browser") / "log"
        self.driver = subprocess.Popen([DRIVER, "--port=0", f"--log-path={log}"], stdout=subprocess.PIPE, text=True)
        for line in self.driver.stdout:
            if "started successfully on port" in line:
                self.port = int(line.rstrip(".\n").split()[-1])
                break
        profile = sandbox.directory("profile")
        options = {"binary": CHROMIUM, "args": [*ARGUMENTS, f"--user-data-dir={profile}"]}
        answer = self._ask("POST", "/session", {"capabilities": {"alwaysMatch": {
            "browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}}})
        self.session = f"/session/{answer['sessionId']}"
        self._ask("POST", f"{self.session}/url", {"url": self.file.as_uri()})
        return self

    def __exit__(self, *_):
        self._ask("DELETE", self.session)
        self.driver.terminate()
        self.driver.wait(10)
        self.driver.stdout.close()

    def _ask(self, method, path, data=None):
        body = None if data is None else json.dumps(data).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", body, {"Content-Type": "application/json"},
                                         method=method)
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as answer:
            return json.load(answer)["value"]

    def run(self, script):
        """What a function with this body returns in the page."""
        return self._ask("POST", f"{self.session}/execute/sync", {"script": script, "args": []})

    def resize(self, width, height=1000):
        self._ask("POST", f"{self.session}/window/rect", {"width": width, "height": height})

    def text(self, selector):
        return self.run(f"return document.querySelector({json.dumps(selector)}).textContent")

    def point_at(self, selector):
        element = self._ask("POST", f"{self.session}/element", {"using": "css selector", "value": selector})
        self._act({"type": "pointer", "id": "mouse", "actions": [
            {"type": "pointerMove", "duration": 0, "x": 0, "y": 0, "origin": {ELEMENT: element[ELEMENT]}}]})

    def press(self, key):
        self._act({"type": "key", "id": "keys", "actions": [{"type": "keyDown", "value": key},
                                                            {"type": "keyUp", "value": key}]})

    def _act(self, source):
        self._ask("POST", f"{self.session}/actions", {"actions": [source]})

    def complaints(self):
        """What the page's scripts have put on the console; what the browser says of its own pages is not counted."""
        said = [entry["message"] for entry in self._ask("POST", f"{self.session}/se/log", {"type": "browser"})]
        return [message for message in said if not message.startswith("chrome://")]

    def wait_for(self, script, what):
        return until(lambda: self.run(script), what, 20)
