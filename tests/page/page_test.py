# SPDX-License-Identifier: BSD-3-Clause
#
# The page of `sheaf serve`, clicked and typed at in Chromium. Services are children on SQLite, on ports of their own.
# Each thing is awaited by name; a console message that a test has not announced fails it.

import csv
import io
import json
import os
import pathlib
import re
import signal
import sqlite3
import subprocess
import tempfile
import unittest
import urllib.request

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

PROGRAM = os.environ.get("SHEAF_PROGRAM") or os.environ["SHEAF_PAGE_PROGRAM"]
WAIT_SECONDS = 240  # for what hangs: 64 MiB take a busy machine more than a minute

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
  numbered: {queries: {"10": select 10 as n, "9": select 9 as n, b: select 1 as n, "1": select 1 as n}}
  note:
    parameters: {text: {type: text, default: noted}}
    queries:
      noted: "insert into note values (:text) returning text"
      total: select count(*) as n from note
  forever: {deadline: 10m, queries: {never: "with recursive r(i) as (select 1 union all select 1 from r) select count(*) from r"}}
"""


# What is wrong for readers on the page as it is shown: text whose contrast with what is behind it is less than 4.5 (WCAG 2.2,
# 1.4.3), controls without a name, ids and names of regions that stand twice, and what scrolls and cannot be reached by keyboard.
READING_FAULTS = r"""
const light = ([r, g, b]) => [r, g, b].map((x) => x / 255).map((x) => x <= 0.03928 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4)
  .reduce((sum, x, i) => sum + x * [0.2126, 0.7152, 0.0722][i], 0);
const parts = (color) => color.match(/[\d.]+/g).map(Number);
const behind = (x) => {
  for (; x; x = x.parentElement) {
    const found = parts(getComputedStyle(x).backgroundColor);
    if (found.length === 3 || found[3] === 1)
      return found;
  }
  return [255, 255, 255];
};
const faults = [], shown = (x) => x.checkVisibility({ visibilityProperty: true });
const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
for (let x = texts.nextNode(); x; x = texts.nextNode()) {
  const of = x.parentElement;
  if (!x.textContent.trim() || !shown(of) || of.closest("[aria-disabled], :disabled, option, noscript, title, .unseen"))
    continue;
  const style = getComputedStyle(of), ink = light(parts(of.closest("svg") ? style.fill : style.color)), ground = light(behind(of));
  const contrast = (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05);
  if (contrast < 4.5)
    faults.push(`contrast ${contrast.toFixed(2)}: ${x.textContent.trim().slice(0, 40)}`);
}
const name = (x) => x.getAttribute("aria-label") ?? x.labels?.[0]?.textContent ?? x.textContent;
for (const x of document.querySelectorAll("button, input, select, textarea, a[href], [tabindex='0']"))
  if (shown(x) && !name(x)?.trim() && !x.getAttribute("aria-labelledby"))
    faults.push(`no name: ${x.outerHTML.slice(0, 80)}`);
const twice = (all) => all.filter((x, i) => all.indexOf(x) !== i);
faults.push(...twice([...document.querySelectorAll("[id]")].map((x) => `id ${x.id}`)));
const regions = [...document.querySelectorAll("[role=region]")].filter(shown);
faults.push(...twice(regions.map((x) => `region ${x.getAttribute("aria-label") ?? x.getAttribute("aria-labelledby")}`)));
for (const x of document.querySelectorAll("div, pre"))
  if (shown(x) && /auto|scroll/.test(getComputedStyle(x).overflow) &&
      (x.scrollHeight > x.clientHeight || x.scrollWidth > x.clientWidth) && x.tabIndex < 0 && !x.querySelector("a, button, input, summary, [tabindex]"))
    faults.push(`no key scrolls: ${x.outerHTML.slice(0, 80)}`);
if (document.documentElement.scrollWidth > innerWidth)
  faults.push("the page is wider than its window");
return faults;
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
        sqlite3.connect(f"{cls.folder}/books.db").executescript("create table note (text)")
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
        self.await_page()

    def await_page(self):
        self.until(lambda: self.all("form.request"), "forms")
        self.until(lambda: self.one("#totals").text and self.one("#link").text == "live", "events")

    def set_scheme(self, name):
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": name}]})

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
        """The form of this request, which opens if it is not."""
        entry = next(x for x in self.all("#forms li") if x.find_element(By.CSS_SELECTOR, ".pick .name").text == name)
        form = entry.find_element(By.TAG_NAME, "form")
        if not form.is_displayed():
            self.click(entry.find_element(By.CLASS_NAME, "pick"))
        return form

    def field(self, form, name):
        return self.form(form).find_element(By.NAME, name)

    def button(self, name, does):
        return self.form(name).find_element(By.CSS_SELECTOR, f"button[data-does={does}]")

    def run_button(self, name):
        return self.button(name, "Run")

    def click(self, element):
        self.browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
        element.click()

    def await_run(self, name):
        self.until(lambda: not self.all("#run[aria-busy]") and self.note().startswith(f"{name}:"), f"{name} to end")

    def note(self):
        """What a screen reader is told of the run."""
        return self.one("#run-note").get_attribute("textContent")

    def run_request(self, name):
        self.click(self.run_button(name))
        self.await_run(name)

    def compare(self, name):
        self.click(self.button(name, "Compare"))
        self.await_run(name)
        self.until(lambda: self.all("#shown .verdict"), "the verdict")

    def fill(self, form, name, text):
        field = self.field(form, name)
        field.clear()
        field.send_keys(text)

    def cells(self, result):
        """The cells of the first row of this result."""
        return self.texts(f"#results .scroll[aria-label='Rows of {result}'] tbody tr:first-child td")

    # The promises of the page.

    def test_one_request_is_open_with_a_field_for_each_parameter(self):
        self.open(self.file_url)
        self.assertEqual(self.texts(".part h3"), ["Only read", "May write"])
        self.assertEqual(self.texts(".pick .name"), ["echo", "needy", "failing", "rows", "export", "numbered", "forever", "note"])
        echo = self.form("echo")
        self.assertEqual([x.text for x in echo.find_elements(By.CSS_SELECTOR, ".name")], ["text", "n", "ids", "yes"])
        self.assertEqual(self.field("echo", "ids").get_attribute("value"), "1\n2\n3")
        self.assertEqual(Select(self.field("echo", "yes")).first_selected_option.text, "true")
        for field in self.all(".entry > input, .entry > textarea, .entry > select"):
            self.assertTrue(not field.is_displayed() or field.accessible_name)
        self.assertEqual(len(self.form("needy").find_elements(By.CSS_SELECTOR, ".required")), 1)
        self.assertEqual(self.field("needy", "n").get_attribute("aria-required"), "true")
        self.assertEqual([x.is_displayed() for x in self.all("form.request")].count(True), 1)

    def test_the_demo_says_what_it_is_and_has_one_button_to_press(self):
        self.open(self.demo_url)
        self.assertIn("many SQL queries at once", self.one("#what").text)
        self.assertEqual([x.text for x in self.all("button.main") if x.is_displayed()], ["Compare"])

    def test_a_run_shows_its_results_and_a_row_for_each_query(self):
        self.open(self.demo_url)
        self.run_request("multiple_counts")
        self.assertIn("3 queries in", self.note())
        self.assertEqual(self.texts("#shown .query .name"), ["first", "second", "third"])
        self.assertEqual(len(self.all("#shown .query .executing")), 3)
        self.assertGreaterEqual(len(self.all("#shown .query.critical")), 1)
        self.assertEqual(self.all("#shown .ghost"), [], "nothing was measured to compare with")
        self.assertEqual(len(self.all("#results table")), 3)
        self.assertRegex(self.cells("first")[0], r"^\d+$")
        self.assertEqual(len(self.all("details.numbers tbody tr")), 3)

    def test_the_comparison_has_a_verdict_with_its_spread_and_the_other_run_as_a_ghost(self):
        self.open(self.demo_url)
        self.compare("multiple_counts")
        time = r"[\d.,]+ m?s"
        self.assertRegex(self.one(".verdict .large").text,
                         rf"^([\d.]+× (faster|slower): {time} instead of {time}|"
                         rf"No clear difference: {time} at once, {time} one after the other)$")
        self.assertRegex(self.one(".verdict .spread").text,
                         rf"own: median {time}, {time} to {time}\. .*session: median {time}, {time} to {time}\. [3-5] runs each")
        self.assertEqual(len(self.all(".dots circle.own")), len(self.all(".dots circle.shared")))
        self.assertGreaterEqual(len(self.all(".dots circle.own")), 3)
        self.assertEqual(len(self.all("#shown .query")), 3)
        ghosts = self.browser.execute_script(
            "return [...document.querySelectorAll('#shown .query .ghost')].map((x) => [x.x.baseVal.value, x.width.baseVal.value])")
        self.assertEqual(len(ghosts), 3)
        spans = sorted(ghosts)
        for (begin, width), (next_begin, _) in zip(spans, spans[1:]):
            self.assertLessEqual(begin + width, next_begin + 1.5, "on one session they ran one after the other")
        self.assertRegex(self.one("#run .bound").text, r"^Bounded by ")

    def test_a_request_that_may_write_runs_once_for_each_press_and_is_not_compared(self):
        self.open(self.file_url)
        form = self.form("note")
        self.assertEqual([x.text for x in form.find_elements(By.TAG_NAME, "button")], ["Run"])
        self.assertIn("is not compared", form.text)
        for noted in (1, 2):
            self.click(self.run_button("note"))
            self.await_run("note")
            self.assertEqual(sqlite3.connect(f"{self.folder}/books.db").execute("select count(*) from note").fetchone(), (noted,))

    def test_one_query_is_not_compared(self):
        self.open(self.file_url)
        self.assertEqual([x.text for x in self.form("rows").find_elements(By.TAG_NAME, "button")], ["Run"])

    def test_nothing_moves_when_run_becomes_cancel(self):
        self.open(self.file_url)
        run = self.run_button("forever")
        before = run.rect
        self.click(run)
        self.until(lambda: run.text == "Cancel", "the other word")
        self.assertEqual(run.rect, before)
        self.assertTrue(self.all(".under-way .growing"))
        counted = self.one(".under-way b").text
        self.until(lambda: self.one(".under-way b").text != counted, "the time to count")
        self.click(run)
        self.until(lambda: run.text == "Run", "the end")

    def test_queries_stand_in_the_order_of_the_file_whatever_their_names_are(self):
        self.open(self.file_url)
        self.run_request("numbered")
        self.assertEqual(self.texts("#shown .query .name"), ["10", "9", "b", "1"])
        self.assertEqual(self.texts("#results summary .name"), ["10", "9", "b", "1"])

    def test_the_address_keeps_the_request_and_its_parameters(self):
        self.open(self.file_url)
        self.fill("echo", "text", "a&b = c/ü")
        self.fill("echo", "ids", "7")
        self.form("needy").find_element(By.CSS_SELECTOR, ".field:nth-of-type(2) .null-box input").click()
        self.until(lambda: self.browser.current_url.endswith("#/needy?name"), "the address")
        needy = self.browser.current_url
        self.browser.back()
        self.until(lambda: self.field("echo", "text").is_displayed(), "the request before")
        echo = self.browser.current_url
        for url, name in ((echo, "echo"), (needy, "needy")):
            self.browser.get("about:blank")
            self.open(url)
            self.assertEqual([x.get_attribute("aria-label") for x in self.all("form.request") if x.is_displayed()], [name])
        self.assertFalse(self.field("needy", "name").is_enabled(), "NULL")
        self.browser.get("about:blank")
        self.open(echo)
        self.run_request("echo")
        self.assertEqual(self.cells("said")[0], "a&b = c/ü")
        self.assertEqual(self.cells("each[0]"), ["70"])

    def downloaded(self, press):
        """The text that a press offers as a file."""
        self.browser.execute_script("""
            window.taken = null;
            const make = URL.createObjectURL;
            URL.createObjectURL = (blob) => { blob.text().then((x) => { window.taken = x; }); return make.call(URL, blob); };""")
        press()
        self.until(lambda: self.browser.execute_script("return window.taken") is not None, "a file")
        return self.browser.execute_script("return window.taken")

    def test_results_can_be_taken_away_as_the_program_writes_them(self):
        self.open(self.file_url)
        text = 'a "quoted", long\nline'
        self.fill("echo", "n", "9007199254740993")
        self.browser.execute_script("""
            arguments[0].value = arguments[1];
            arguments[0].dispatchEvent(new Event("input", { bubbles: true }));""", self.field("echo", "text"), text)
        self.run_request("echo")
        sql = FILE.split('said: "')[1].split('"')[0].replace(":text", "?").replace(":n", "?").replace(":yes", "?")
        row = sqlite3.connect(":memory:").execute(sql, (text.replace("\n", ""), 9007199254740993, 1)).fetchone()
        said = self.downloaded(lambda: self.click(self.one("[aria-label='CSV of said']")))
        out = subprocess.run([PROGRAM, "query", "sqlite::memory:", FILE.split('said: "')[1].split('"')[0], "--format", "csv",
                              "-p", "text=" + row[0], "-p", "n=9007199254740993", "-p", "yes=1"],
                             capture_output=True, text=True, check=True).stdout
        self.assertEqual(said, out)
        self.assertEqual(list(csv.reader(io.StringIO(said)))[1], [str(x) for x in row])
        whole = json.loads(self.downloaded(lambda: self.click(self.one("#take button:last-child"))))
        self.assertEqual(whole["results"]["said"]["rows"][0][1], 9007199254740993)

    def test_a_request_can_be_taken_as_a_command_and_as_a_call(self):
        self.open(self.file_url)
        self.fill("echo", "text", "it's")
        self.run_request("echo")
        self.browser.execute_script("navigator.clipboard.writeText = (x) => { window.copied = x; return Promise.resolve(); };")
        self.click(self.one("#take button:nth-child(1)"))
        command = self.browser.execute_script("return window.copied")
        got = json.loads(subprocess.run(["sh", "-c", command + " --silent"], capture_output=True, text=True, check=True).stdout)
        self.assertEqual(got["results"]["said"]["rows"][0][0], "it's")
        self.click(self.one("#take button:nth-child(2)"))
        call = self.browser.execute_script("return window.copied")
        call = call.replace("console.log(await answer.json())", "return await answer.json()")
        got = self.browser.execute_script(f"return (async () => {{ {call} }})()")
        self.assertEqual(got["results"]["said"]["rows"][0][0], "it's")

    def test_two_hundred_queries_are_two_hundred_rows_and_one_table(self):
        self.open(self.file_url)
        self.fill("echo", "ids", ", ".join(str(x) for x in range(199)))
        self.run_request("echo")
        self.assertEqual(len(self.all("#shown .query")), 200)
        self.assertEqual(self.texts("#results summary .name"), ["said", "each[…]"])
        stage = self.one("#shown .stage")
        self.assertEqual(stage.get_attribute("tabindex"), "0")
        self.assertLess(stage.size["height"], 500)
        self.assertIn("first 100 rows … of 199", self.one("#results").text)
        self.assertFalse(self.browser.execute_script("return arguments[0].scrollHeight > arguments[0].clientHeight", stage))

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

    def test_json_is_read_as_it_is_written(self):
        self.open(self.file_url)
        written = '{"b": [1.50, 9007199254740993, 1e2, -0.1, true, null, "\\u00fc\\"}"], "1": {"deep": [{"x": 1.0}]}, "__proto__": 3}'
        got = self.browser.execute_script("""return (async (text) => {
            const { keys_of, read_json, write_json } = await import("/json.js"), x = read_json(text, 1), refused = [];
            for (const bad of ["{", "[1,]", '{"a" 1}', "01x", '"', "[1] 2", ""])
              try { refused.push(String(read_json(bad))); } catch (why) { refused.push(why.name); }
            return { again: write_json(x), keys: keys_of(x), list: x.b.map(String), deep: String(x["1"].deep),
                     proto: x["__proto__"], refused };
            })(arguments[0])""", written)
        self.assertEqual(got["keys"], ["b", "1", "__proto__"])
        self.assertEqual(got["list"], ["1.50", "9007199254740993", "1e2", "-0.1", "true", "null", 'ü"}'])
        self.assertEqual(got["deep"], '[{"x": 1.0}]')
        self.assertEqual(got["proto"], 3)
        self.assertEqual(" ".join(got["again"].split()).replace("{ ", "{").replace(" }", "}"), written.replace("\\u00fc", "ü"))
        self.assertEqual(got["refused"], ["SyntaxError"] * 7)

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
        self.until(lambda: len(failed.find_elements(By.TAG_NAME, "dt")) == 4, "what the database said")
        self.assertEqual([x.text for x in failed.find_elements(By.TAG_NAME, "dt")], ["code", "phase", "message", "the database"])
        self.assertIn("integer overflow", failed.find_element(By.CSS_SELECTOR, ".said").text)
        self.assertEqual(failed.find_element(By.TAG_NAME, "dd").text, "rejected_sql")
        self.assertEqual(len(self.all("#shown .query.failed")), 1)
        self.assertEqual(self.cells("good"), ["1"])

    def test_the_first_hundred_rows_are_shown(self):
        self.open(self.file_url)
        self.run_request("rows")
        self.assertEqual(len(self.all("#results tbody tr")), 100)
        self.assertIn("of 250", self.one("#results").text)

    def test_an_answer_of_any_size_is_left_once_it_is_too_large_to_show(self):
        self.open(self.file_url)
        self.click(self.run_button("export"))
        self.until(lambda: self.note() == "export: no answer (it is too large to be shown here).", "the page to say so")
        self.until(lambda: not self.all(".cells .cell.active, .cells .cell.cancelling"), "no session in use")
        self.until(lambda: "499" in self.texts("#recent td:nth-child(3)"), "the request in the list")

    def test_the_pool_shows_a_session_in_use_until_its_request_is_cancelled(self):
        self.open(self.file_url)
        self.until(lambda: len(self.all(".pool:not(.shared) .cells .cell")) == 4, "the cells")
        self.click(self.run_button("forever"))
        self.until(lambda: len(self.all(".pool:not(.shared) .cells .cell.active")) == 1, "a session in use")
        self.assertEqual(self.texts(".pool:not(.shared) [data-kind=active]"), ["1"])
        self.assertEqual(self.run_button("forever").text, "Cancel")
        self.click(self.run_button("forever"))
        self.until(lambda: self.note() == "forever was cancelled.", "the page to say so")
        self.until(lambda: not self.all(".cells .cell.active, .cells .cell.cancelling"), "no session in use")
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
        self.until(lambda: self.one("#charts .chart:nth-child(2) .legend b").text.endswith("s"), "a percentile")
        self.assertTrue(all("NaN" not in x.get_attribute("d") for x in self.all("#charts path")))

    def test_the_values_of_a_chart_are_told_by_the_arrow_keys_and_under_the_pointer(self):
        self.open(self.demo_url)
        self.run_request("total_books")
        chart = self.one("#charts .chart:nth-child(1) .stage")
        self.until(lambda: set(self.texts("#charts .chart:nth-child(1) .legend b")) - {"0", "–"}, "a second with a request")
        self.click(chart)
        ActionChains(self.browser).send_keys(Keys.END).perform()
        said = set()
        for _ in range(60):
            ActionChains(self.browser).send_keys(Keys.ARROW_LEFT).perform()
            said.add(chart.get_attribute("aria-valuetext").split(": ")[1].split(",")[0])
        self.assertIn("all 1", said)
        self.assertTrue(chart.find_elements(By.CLASS_NAME, "cursor"))
        ActionChains(self.browser).send_keys(Keys.ESCAPE).perform()
        self.assertFalse(chart.find_elements(By.CLASS_NAME, "cursor"))
        ActionChains(self.browser).move_to_element(chart).perform()
        self.until(lambda: chart.find_elements(By.CLASS_NAME, "cursor"), "the cursor")
        Select(self.one("#chart-of")).select_by_visible_text("author")
        self.until(lambda: not self.all("#charts .dot"), "no dot of another request")

    def test_a_last_request_opens_into_its_timeline(self):
        self.open(self.file_url)
        self.run_request("failing")
        self.until(lambda: self.all("#recent tr:first-child .open"), "the request")
        self.until(lambda: self.one("#recent tr:first-child .name").text == "failing", "the request")
        self.click(self.one("#recent tr:first-child .open"))
        self.until(lambda: len(self.all("#recent .opened .query")) == 2, "its queries")
        self.assertEqual(len(self.all("#recent .opened .query.failed")), 1)
        self.assertIn("integer overflow", self.one("#recent .opened .failures").text)
        self.click(self.one("#recent tr:first-child .open"))
        self.assertFalse(self.all("#recent .opened"))

    def test_a_query_shows_its_sql_and_its_plan(self):
        self.open(self.file_url)
        self.run_request("rows")
        self.click(self.one("#results .sql summary"))
        self.assertTrue(self.one("#results .sql pre").text.startswith("with recursive"))
        self.click(self.one("#results .sql button"))
        self.until(lambda: self.all("#results .plan"), "the plan")
        self.assertIn("SCAN", self.one("#results .plan").text)

    def test_hidden_sql_is_nowhere(self):
        service = Served(str(self.file), "--hide-sql", folder=self.folder)
        self.addCleanup(service.end)
        self.open(service.url)
        self.run_request("rows")
        self.assertFalse(self.all("#results .sql"))
        catalogue = self.browser.execute_script("return fetch('/api/requests').then((x) => x.text())")
        self.assertNotIn("recursive", catalogue)

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
        self.assertTrue(self.all(".verdict"), "Enter presses what is there to press")
        self.assertEqual(self.cells("said")[0], "typed")
        for _ in range(20):  # from there on to the button of the same form
            ActionChains(self.browser).send_keys(Keys.TAB).perform()
            if self.browser.switch_to.active_element == self.run_button("echo"):
                break
        ActionChains(self.browser).send_keys(Keys.TAB, Keys.ENTER).perform()
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

    def test_all_can_be_read_in_light_and_dark_and_in_narrow_windows(self):
        self.addCleanup(self.set_scheme, "light")
        for width in (1280, 375):
            for scheme in ("light", "dark"):
                self.set_width(width)
                self.set_scheme(scheme)
                at = f"{scheme}, {width}"
                self.browser.get("about:blank")
                self.open(self.file_url)
                self.assertEqual(self.browser.execute_script(READING_FAULTS), [], at)
                self.compare("echo")
                self.run_request("failing")
                self.until(lambda: self.all("#recent .open"), "the last requests")
                self.browser.execute_script("""
                    document.querySelectorAll("details").forEach((x) => { x.open = true; });
                    document.querySelector("#recent .open").click();""")
                self.until(lambda: self.all("#recent .opened svg"), "a timeline")
                self.assertEqual(self.browser.execute_script(READING_FAULTS), [], at)
                self.browser.get(f"{self.file_url}/docs")
                self.until(lambda: self.all(".operation"), "the operations")
                self.browser.execute_script("document.querySelectorAll('details').forEach((x) => { x.open = true; })")
                self.assertEqual(self.browser.execute_script(READING_FAULTS), [], f"docs, {at}")

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

    def test_the_windows_of_a_browser_share_one_stream_that_ends_with_the_last_that_is_seen(self):
        first = self.browser.current_window_handle
        service = Served(str(self.file), folder=self.folder)
        self.addCleanup(service.end)
        self.open(service.url)
        self.browser.switch_to.new_window("window")
        second = self.browser.current_window_handle
        self.open(service.url)
        self.until(lambda: self.streams(service) == 1, "one stream")
        self.browser.switch_to.window(first)
        self.run_request("rows")
        for window in (first, second):
            self.browser.switch_to.window(window)
            self.until(lambda: "rows" in self.texts("#recent .name"), "events in each")
        self.assertEqual(self.streams(service), 1)
        self.browser.close()
        self.browser.switch_to.window(first)
        self.until(lambda: self.one("#link").text == "live" and self.streams(service) == 1, "the other window to go on")
        self.browser.switch_to.new_window("tab")  # which hides the other one
        self.until(lambda: self.streams(service) == 0, "no stream that nobody sees")
        self.browser.close()
        self.browser.switch_to.window(first)
        self.until(lambda: self.streams(service) == 1, "the stream again")
        self.browser.get("about:blank")
        self.until(lambda: self.streams(service) == 0, "the end of the stream")

    @staticmethod
    def streams(service):
        """The event streams that the service has begun and not ended: those that are not written down yet."""
        with urllib.request.urlopen(f"{service.url}/metrics") as answer:
            text = answer.read().decode()
        return int(re.search(r"^sheaf_http_event_streams (\d+)$", text, re.MULTILINE)[1])

    def test_another_token_is_said_to_be_another_one(self):
        self.expected_messages = [r"status of 401"]
        service = Served(str(self.file), folder=self.folder, SHEAF_TOKEN="0123456789abcdef")
        self.addCleanup(service.end)
        self.browser.get(service.url)
        self.until(lambda: self.one("#token-form").is_displayed(), "the question")
        self.assertFalse(self.one("#token-wrong").is_displayed())
        self.one("#token").send_keys("fedcba9876543210", Keys.ENTER)
        self.until(lambda: self.one("#token-wrong").is_displayed(), "the page to say so")
        self.one("#token").send_keys("0123456789abcdef", Keys.ENTER)
        self.await_page()
        self.click(self.one("nav a[href='/metrics']"))
        self.until(lambda: "db_client_operation" in self.one("dialog pre").text, "the metrics")

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
        self.assertIn("x-request-id", needy.find_element(By.CSS_SELECTOR, ".fields").get_attribute("textContent"))
        self.assertIn("/requests/needy?n=7'", needy.find_element(By.CSS_SELECTOR, ".curl").text)
        self.assertIn('"results"', needy.find_element(By.CSS_SELECTOR, ".answer pre").text)
        self.browser.refresh()  # by now the service knows the columns
        self.until(lambda: self.all(".operation"), "the operations again")
        self.assertIn('"rows": [[any value, any value], …]', self.one("#operations").get_attribute("textContent"))
        sentences = [x.strip() for x in self.one("#operations").get_attribute("textContent").split(".") if len(x.strip()) > 40]
        self.assertLess(max(sentences.count(x) for x in sentences), 7)


if __name__ == "__main__":
    unittest.main()
