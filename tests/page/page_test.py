# SPDX-License-Identifier: BSD-3-Clause
#
# The page of `sheaf serve`, clicked and typed at in Chromium. Services are children on SQLite, on ports of their own.
# Each thing is awaited by name; a console message that a test has not announced fails it.

import os
import pathlib
import re
import signal
import subprocess
import tempfile
import unittest

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

PROGRAM = os.environ.get("SHEAF_PROGRAM") or os.environ["SHEAF_PAGE_PROGRAM"]
WAIT_SECONDS = 60  # for what hangs; no step comes near it

FILE = r"""
databases:
  main: {url: "sqlite:books.db?mode=rwc", pool: {max_size: 4}}
requests:
  echo:
    parameters:
      text: {type: text, default: ""}
      n: {type: int, default: 1}
      ids: {type: "int[]", default: [1, 2, 3]}
      yes: {type: bool, default: true}
    queries:
      said: "select :text as said, :n as n, :yes as yes, '' as empty"
      each: {sql: "select :id * 10 as tenfold", for_each: {id: "{ids}"}}
  needy:
    parameters: {n: {type: int}, name: {type: text, default: x}}
    queries: {one: "select :n as n, :name as name"}
  failing:
    on_error: partial
    queries:
      good: select 1 as one
      bad: {sql: "select abs(-9223372036854775807 - 1)", required: false}
  rows: {queries: {all: "with recursive r(i) as (select 1 union all select i + 1 from r where i < 250) select i from r"}}
  export:
    deadline: 10m
    queries:
      all: {sql: "with recursive r(i) as (select 1 union all select i + 1 from r) select i, printf('%01000d', i) from r", stream: true}
  forever: {deadline: 10m, queries: {never: "with recursive r(i) as (select 1 union all select 1 from r) select count(*) from r"}}
"""


class Served:
    """`sheaf serve` as a child."""

    def __init__(self, *words, listen="127.0.0.1:0", folder=None, **environment):
        self.child = subprocess.Popen(
            [PROGRAM, "serve", *words, "--listen", listen, "--no-access-log"], stdout=subprocess.PIPE, cwd=folder, text=True,
            env={**os.environ, **environment})
        line = self.child.stdout.readline()
        if not line:
            self.end()
            raise RuntimeError("sheaf serve does not start")
        self.url = line.split()[-1]

    def end(self):
        """Its exit code."""
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
        code = self.child.wait(WAIT_SECONDS)
        self.child.stdout.close()
        return code


def start_browser(profile):
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    # In a container there is no sandbox to be had, and little /dev/shm.
    for word in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", f"--user-data-dir={profile}"):
        options.add_argument(word)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))


class PageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="sheaf-page-", ignore_cleanup_errors=True)  # Chromium may still write
        cls.addClassCleanup(folder.cleanup)
        cls.folder = folder.name
        cls.file = pathlib.Path(folder.name) / "sheaf.yaml"
        cls.file.write_text(FILE, encoding="utf-8")
        cls.browser = start_browser(pathlib.Path(folder.name) / "profile")
        cls.addClassCleanup(cls.browser.quit)
        cls.services = []
        cls.addClassCleanup(cls.end_services)
        for words in ([str(cls.file)], ["--rows", "2000"]):
            cls.services.append(Served(*words, folder=cls.folder))
        cls.file_url, cls.demo_url = (x.url for x in cls.services)

    @classmethod
    def end_services(cls):
        codes = [x.end() for x in cls.services]
        assert codes == [0] * len(codes), codes

    def setUp(self):
        self.expected_messages = []
        self.set_width(1280)

    def tearDown(self):
        said = [x for x in self.browser.get_log("browser") if x["level"] != "INFO"
                and not any(re.search(y, x["message"]) for y in self.expected_messages)]
        self.browser.get("about:blank")
        self.assertEqual(said, [], "the console")

    # The parts of the page.

    def set_width(self, pixels):
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                     {"width": pixels, "height": 900, "deviceScaleFactor": 1, "mobile": False})

    def open(self, url):
        self.browser.get(url)
        self.until(lambda: self.all("form.request"), "forms")
        self.until(lambda: self.one("#totals").text and self.one("#link").text == "live", "events")

    def all(self, selector):
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector):
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def texts(self, selector):
        return self.browser.execute_script(
            "return [...document.querySelectorAll(arguments[0])].map((x) => x.textContent)", selector)

    def until(self, holds, what):
        return WebDriverWait(self.browser, WAIT_SECONDS).until(lambda _: holds(), f"waited for: {what}")

    def form(self, name):
        return next(x for x in self.all("form.request") if x.find_element(By.TAG_NAME, "h3").text == name)

    def field(self, form, name):
        return self.form(form).find_element(By.NAME, name)

    def run_button(self, name):
        return self.form(name).find_element(By.CSS_SELECTOR, "button.main")

    def click(self, element):
        self.browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
        element.click()

    def await_run(self, name):
        self.until(lambda: not self.all("#run[aria-busy]") and self.one("#run-note").text.startswith(f"{name}:"), f"{name} to end")

    def run_request(self, name):
        self.click(self.run_button(name))
        self.await_run(name)

    def compare(self, name):
        self.click(self.form(name).find_element(By.CSS_SELECTOR, "button[type=button]"))
        self.await_run(name)
        self.until(lambda: len(self.all("#timelines svg.rows")) == 2, "two timelines")

    def fill(self, form, name, text):
        field = self.field(form, name)
        field.clear()
        field.send_keys(text)

    def cells(self, result):
        """The cells of the first row of this result."""
        return self.texts(f"#results .scroll[aria-label='Rows of {result}'] tbody tr:first-child td")

    # The promises of the page.

    def test_each_request_has_a_form_with_a_field_for_each_parameter(self):
        self.open(self.file_url)
        self.assertEqual(self.texts("form.request h3"), ["echo", "needy", "failing", "rows", "export", "forever"])
        echo = self.form("echo")
        self.assertEqual([x.text for x in echo.find_elements(By.CSS_SELECTOR, ".name")], ["text", "n", "ids", "yes"])
        self.assertEqual(self.field("echo", "ids").get_attribute("value"), "1\n2\n3")
        self.assertEqual(Select(self.field("echo", "yes")).first_selected_option.text, "true")
        for field in self.all(".entry > input, .entry > textarea, .entry > select"):
            self.assertTrue(field.accessible_name)
        self.assertEqual(len(self.form("needy").find_elements(By.CSS_SELECTOR, ".required")), 1)
        self.assertEqual(self.field("needy", "n").get_attribute("aria-required"), "true")

    def test_a_run_shows_its_results_and_a_row_for_each_query(self):
        self.open(self.demo_url)
        self.run_request("multiple_counts")
        self.assertIn("3 queries in", self.one("#run-note").text)
        self.assertEqual(self.texts("#timelines .query .name"), ["first", "second", "third"])
        self.assertEqual(len(self.all("#timelines .query .executing")), 3)
        self.assertGreaterEqual(len(self.all("#timelines .query.critical")), 1)
        self.assertEqual(len(self.all("#timelines .ghost")), 2, "the bar, and its sign in the legend")
        self.assertEqual(len(self.all("#results table")), 3)
        self.assertRegex(self.cells("first")[0], r"^\d+$")
        self.assertEqual(len(self.all("details.numbers tbody tr")), 3)

    def test_the_comparison_shows_both_on_one_scale(self):
        self.open(self.demo_url)
        self.compare("multiple_counts")
        self.assertEqual(self.texts("#timelines figcaption b"), ["Shared session", "Own sessions"])
        self.assertEqual(len(self.all("#timelines .query")), 6)
        scales = [[(x.text, x.get_attribute("x")) for x in axis.find_elements(By.TAG_NAME, "text")]
                  for axis in self.all("#timelines svg.axis")]
        self.assertEqual(scales[0], scales[1])
        self.assertRegex(self.one("#run-note").text, r"on a shared session, medians of [1-5]; own sessions are \d+\.\d times as fast\.$")

    def test_two_hundred_queries_are_two_hundred_rows_and_one_table(self):
        self.open(self.file_url)
        self.fill("echo", "ids", ", ".join(str(x) for x in range(199)))
        self.run_request("echo")
        self.assertEqual(len(self.all("#timelines .query")), 200)
        self.assertEqual(self.texts("#results summary .name"), ["said", "each[…]"])
        stage = self.one("#timelines .stage")
        self.assertEqual(stage.get_attribute("tabindex"), "0")
        self.assertLess(stage.size["height"], 500)
        self.assertIn("first 100 rows … of 199", self.one("#results").text)

    def test_values_are_text_and_null_is_not_the_empty_text(self):
        self.open(self.file_url)
        self.fill("echo", "text", "<script>window.broken = 1</script>")
        self.run_request("echo")
        self.assertEqual(self.cells("said"), ["<script>window.broken = 1</script>", "1", "1", ""])
        self.assertIsNone(self.browser.execute_script("return window.broken ?? null"))
        self.click(self.form("echo").find_element(By.CSS_SELECTOR, ".null-box input"))
        self.run_request("echo")
        self.assertEqual(self.cells("said"), ["NULL", "1", "1", ""])
        self.assertEqual([x.get_attribute("class") for x in self.all("#results [aria-label='Rows of said'] td")][::3],
                         ["null", "empty"])

    def test_numbers_beyond_those_of_javascript_are_exact(self):
        self.open(self.file_url)
        self.fill("echo", "n", "9007199254740993")
        self.run_request("echo")
        self.assertEqual(self.cells("said")[1], "9007199254740993")

    def test_a_wrong_parameter_is_told_at_its_field(self):
        self.expected_messages = [r"status of 400"]
        self.open(self.file_url)
        self.fill("needy", "n", "4x1")
        self.run_request("needy")
        field = self.field("needy", "n")
        error = self.one("#" + field.get_attribute("aria-describedby"))
        self.assertIn("a whole number", error.text)
        self.assertEqual(field.get_attribute("aria-invalid"), "true")
        self.assertEqual(self.browser.switch_to.active_element, field)
        self.assertFalse(self.form("needy").find_elements(By.CSS_SELECTOR, "[name=name][aria-invalid]"))
        self.fill("needy", "n", "41")
        self.run_request("needy")
        self.assertFalse(error.is_displayed())
        self.assertEqual(self.cells("one"), ["41", "x"])

    def test_a_required_parameter_that_is_not_given_is_told_at_its_field(self):
        self.expected_messages = [r"status of 400"]
        self.open(self.file_url)
        self.run_request("needy")
        self.assertEqual(self.form("needy").find_element(By.CSS_SELECTOR, ".field .error").text,
                         "it has no default, so it has to be given")

    def test_an_error_has_its_code_phase_and_message(self):
        self.open(self.file_url)
        self.run_request("failing")
        failed = self.one("#results .failed")
        self.assertEqual([x.text for x in failed.find_elements(By.TAG_NAME, "dt")], ["code", "phase", "message"])
        self.assertEqual(failed.find_element(By.TAG_NAME, "dd").text, "rejected_sql")
        self.assertEqual(len(self.all("#timelines .query.failed")), 1)
        self.assertEqual(self.cells("good"), ["1"])

    def test_the_first_hundred_rows_are_shown(self):
        self.open(self.file_url)
        self.run_request("rows")
        self.assertEqual(len(self.all("#results tbody tr")), 100)
        self.assertIn("of 250", self.one("#results").text)

    def test_an_answer_of_any_size_is_left_once_it_is_too_large_to_show(self):
        self.open(self.file_url)
        self.click(self.run_button("export"))
        self.until(lambda: self.one("#run-note").text == "export: no answer (it is too large to be shown here).", "the page to say so")
        self.until(lambda: not self.all(".pool .cells .cell.active, .pool .cells .cell.cancelling"), "no session in use")
        self.until(lambda: "499" in self.texts("#recent td:nth-child(3)"), "the request in the list")

    def test_the_pool_shows_a_session_in_use_until_its_request_is_cancelled(self):
        self.open(self.file_url)
        self.until(lambda: len(self.all(".pool .cells .cell")) == 4, "the cells")
        self.click(self.run_button("forever"))
        self.until(lambda: len(self.all(".pool .cells .cell.active")) == 1, "a session in use")
        self.assertEqual(self.texts(".pool [data-kind=active]"), ["1"])
        self.assertEqual(self.run_button("forever").text, "Cancel")
        self.click(self.run_button("forever"))
        self.until(lambda: self.one("#run-note").text == "forever was cancelled.", "the page to say so")
        self.until(lambda: not self.all(".pool .cells .cell.active, .pool .cells .cell.cancelling"), "no session in use")
        self.until(lambda: "499" in self.texts("#recent td:nth-child(3)"), "the request in the list")

    def test_what_was_begun_last_is_shown(self):
        self.open(self.file_url)
        self.click(self.run_button("forever"))
        self.run_request("rows")
        self.click(self.run_button("forever"))
        self.until(lambda: self.run_button("forever").text == "Run", "the end")
        self.assertEqual(self.texts("#results summary .name"), ["all"])

    def test_the_last_requests_and_the_charts_come_by_events(self):
        self.open(self.demo_url)
        before = set(self.texts("#recent td.id"))
        self.run_request("total_books")
        self.until(lambda: set(self.texts("#recent tr:first-child td.id")) - before, "one request more")
        self.assertEqual(self.texts("#recent tr:first-child td")[1:3], ["total_books", "200"])
        self.until(lambda: self.one("#charts .chart:last-child .legend b").text.endswith(" ms"), "a percentile")
        self.assertTrue(all("NaN" not in x.get_attribute("d") for x in self.all("#charts path")))

    def test_the_statements_that_took_the_time_are_listed(self):
        self.open(self.demo_url)
        self.run_request("total_books")
        self.until(lambda: self.all("#statements-body tr"), "a statement")
        shares = [int(x.split()[0]) for x in self.texts("#statements-body .share")]
        self.assertEqual(shares, sorted(shares, reverse=True))
        self.assertIn(sum(shares), range(90, 106))

    def test_the_keyboard_is_enough(self):
        self.open(self.file_url)
        wanted = self.field("echo", "text")
        for _ in range(20):
            ActionChains(self.browser).send_keys(Keys.TAB).perform()
            if self.browser.switch_to.active_element == wanted:
                break
        self.assertEqual(self.browser.switch_to.active_element, wanted)
        self.assertNotEqual(wanted.value_of_css_property("outline-style"), "none")
        ActionChains(self.browser).send_keys("typed", Keys.ENTER).perform()
        self.await_run("echo")
        self.assertEqual(self.cells("said")[0], "typed")
        for _ in range(20):  # from there on to the button of the same form
            ActionChains(self.browser).send_keys(Keys.TAB).perform()
            if self.browser.switch_to.active_element == self.run_button("echo"):
                break
        ActionChains(self.browser).send_keys(Keys.TAB, Keys.ENTER).perform()
        self.until(lambda: len(self.all("#timelines svg.rows")) == 2, "the comparison")
        self.await_run("echo")

    def test_a_narrow_window_needs_no_scrolling_to_the_side(self):
        self.set_width(375)
        self.open(self.file_url)
        self.fill("echo", "text", "long" * 200)
        self.fill("echo", "ids", "\n".join(str(x) for x in range(30)))
        self.compare("echo")
        for details in self.all("details.numbers"):
            self.click(details.find_element(By.TAG_NAME, "summary"))
        self.until(lambda: self.all("#recent tr"), "the last requests")
        self.assertLessEqual(self.browser.execute_script("return document.documentElement.scrollWidth"), 375)
        self.browser.get(f"{self.file_url}/docs")
        self.until(lambda: self.all(".operation"), "the operations")
        self.browser.execute_script("document.querySelectorAll('details').forEach((x) => { x.open = true; })")
        self.assertLessEqual(self.browser.execute_script("return document.documentElement.scrollWidth"), 375)

    def test_a_lost_connection_is_told_and_made_again(self):
        self.expected_messages = [r"/events .*ERR_"]
        first = Served(str(self.file), folder=self.folder)
        self.addCleanup(first.end)
        self.open(first.url)
        self.assertEqual(first.end(), 0)
        self.until(lambda: "connection lost" in self.one("#link").text, "the page to say so")
        second = Served(str(self.file), listen=first.url.split("//")[1], folder=self.folder)
        self.addCleanup(second.end)
        self.until(lambda: self.one("#link").text == "live", "events again")
        self.run_request("rows")

    def test_a_token_is_asked_for_and_shown(self):
        self.expected_messages = [r"status of 401"]
        service = Served(str(self.file), folder=self.folder, SHEAF_TOKEN="0123456789abcdef")
        self.addCleanup(service.end)
        self.browser.get(service.url)
        self.until(lambda: self.one("#token-form").is_displayed(), "the question")
        self.one("#token").send_keys("0123456789abcdef", Keys.ENTER)
        self.until(lambda: self.all("form.request"), "forms")
        self.until(lambda: self.one("#link").text == "live", "events")
        self.run_request("rows")
        self.until(lambda: self.all("#recent tr"), "the last requests")

    def test_the_interface_can_be_tried(self):
        self.browser.get(f"{self.file_url}/docs")
        self.until(lambda: self.all(".operation"), "the operations")
        shown = [x.text.split() for x in self.all(".operation > summary")]
        self.assertIn(["GET", "/requests/needy"], [x[:2] for x in shown])
        self.assertIn(["POST", "/requests/needy"], [x[:2] for x in shown])
        needy = self.all(".operation")[[x[:2] for x in shown].index(["GET", "/requests/needy"])]
        self.click(needy.find_element(By.TAG_NAME, "summary"))
        needy.find_element(By.CSS_SELECTOR, ".field input").send_keys("7")
        self.click(needy.find_element(By.CSS_SELECTOR, "button.main"))
        self.until(lambda: needy.find_elements(By.CSS_SELECTOR, ".answer .status"), "the answer")
        self.assertIn("200 OK", needy.find_element(By.CSS_SELECTOR, ".status").text)
        self.assertIn("GET /requests/needy?n=7", needy.text)
        self.assertIn("x-request-id", needy.find_element(By.CSS_SELECTOR, ".fields").text)
        self.assertIn('"results"', needy.find_element(By.TAG_NAME, "pre").text)


if __name__ == "__main__":
    unittest.main()
