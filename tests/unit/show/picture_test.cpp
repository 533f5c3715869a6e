// SPDX-License-Identifier: BSD-3-Clause
//
// Replies as pictures, pages and traces: their content is to scale, and any reader can read them.

#include "app/show/picture.hpp"

#include "app/base/terminal.hpp"
#include "app/show/picture_axis.hpp"
#include "app/show/picture_phases.hpp"
#include "unit/show/markup_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <utility>

namespace sheaf::app {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr auto never = query_times::not_reached;

outcome answered(std::string name, query_times times) {
  return {.name = std::move(name), .data = table{}, .times = times};
}

outcome failed(std::string name, errc code, query_times times) {
  return {.name = std::move(name), .data = failure{.code = code, .message = "why <not>"}, .times = times};
}

query_times times(nanoseconds queued, nanoseconds acquired, nanoseconds first_row, nanoseconds released) {
  return {.queued = queued,
          .acquired = acquired,
          .sent = acquired,
          .first_row = first_row,
          .last_row = first_row < 0ns ? never : released,
          .released = released};
}

/// Two sessions, four queries: `d` had to wait for `b`'s, `c` for its turn; `a` fails while it is executed.
reply example() {
  reply out;
  out.elapsed = 100ms;
  out.outcomes.push_back(failed("a", errc::rejected_sql, times(0ms, 0ms, never, 60ms)));
  out.outcomes.push_back(answered("b", times(0ms, 0ms, 20ms, 50ms)));
  out.outcomes.push_back(answered("c", times(60ms, 60ms, 70ms, 80ms)));
  out.outcomes.push_back(answered("d", times(10ms, 50ms, 90ms, 100ms)));
  return out;
}

reply many(std::size_t count) {
  reply out;
  for (std::size_t i = 0; i < count; ++i) {
    const auto begin = i * 1ms;
    out.outcomes.push_back(answered("query_" + std::to_string(i), times(begin, begin, begin + 600us, begin + 1ms)));
  }
  out.elapsed = count * 1ms;
  return out;
}

element svg_of(const reply& got, std::string_view title = "title") { return markup_reader::read(to_svg(got, title)); }

/// The only element of a class below `in`.
const element& only(const element& in, std::string_view word) {
  const auto all = in.of_class(word);
  if (all.size() != 1)
    throw std::runtime_error(std::to_string(all.size()) + " elements of class " + std::string{word});
  return *all.front();
}

std::string name_in(const element& row) { return only(row, "name").text; }
double width_of(const element& row, std::string_view segment) { return only(row, segment).number("width"); }

TEST(Picture, HasARowForEachQueryInOrder) {
  const auto svg = svg_of(example());
  const auto rows = svg.of_class("query");
  ASSERT_EQ(rows.size(), 4u);
  std::vector<std::string> names;
  double last = 0;
  for (const auto* row : rows) {
    names.push_back(name_in(*row));
    const auto y = only(*row, "hover").number("y");
    EXPECT_GT(y, last);
    last = y;
  }
  EXPECT_THAT(names, ElementsAre("a", "b", "c", "d"));
  EXPECT_EQ(svg.of_class("note").size(), 4u);
}

TEST(Picture, DrawsPhasesToScaleOneBehindTheOther) {
  const auto svg = svg_of(example());
  const auto rows = svg.of_class("query");
  const auto per_millisecond = width_of(*rows[1], "executing") / 20;
  EXPECT_GT(per_millisecond, 1);
  constexpr double little = 0.02; // two digits are written
  EXPECT_NEAR(width_of(*rows[1], "fetching"), 30 * per_millisecond, little);
  EXPECT_NEAR(width_of(*rows[2], "turn"), 60 * per_millisecond, little);
  EXPECT_NEAR(width_of(*rows[2], "executing"), 10 * per_millisecond, little);
  EXPECT_NEAR(width_of(*rows[3], "turn"), 10 * per_millisecond, little);
  EXPECT_NEAR(width_of(*rows[3], "session"), 40 * per_millisecond, little);
  EXPECT_NEAR(width_of(*rows[3], "executing"), 40 * per_millisecond, little);
  EXPECT_NEAR(width_of(*rows[3], "fetching"), 10 * per_millisecond, little);
  double x = only(*rows[3], "turn").number("x");
  for (const auto* phase : {"turn", "session", "executing", "fetching"}) {
    EXPECT_NEAR(only(*rows[3], phase).number("x"), x, little) << phase;
    x += width_of(*rows[3], phase);
  }
  EXPECT_THAT(rows[2]->of_class("session"), IsEmpty());
  EXPECT_THAT(rows[1]->of_class("turn"), IsEmpty());
}

TEST(Picture, SaysHowLongEachTook) {
  const auto svg = svg_of(example());
  const auto notes = svg.of_class("note");
  EXPECT_EQ(notes[0]->text, "60.0 ms, rejected_sql");
  EXPECT_EQ(notes[3]->text, "50.0 ms");
  const auto rows = svg.of_class("query");
  const auto hover = [&](std::size_t i) { return rows[i]->named("title").front()->text; };
  EXPECT_EQ(hover(0), "a: rejected_sql; waited 0 us, executed 60.0 ms, fetched 0 us, total 60.0 ms");
  EXPECT_EQ(hover(3), "d: 0 rows; waited 50.0 ms, executed 40.0 ms, fetched 10.0 ms, total 100 ms");
}

TEST(Picture, MarksFailedQueriesNotOnlyByColour) {
  const auto svg = svg_of(example());
  const auto rows = svg.of_class("failed");
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(name_in(*rows.front()), "a");
  EXPECT_EQ(svg.of_class("cross").size(), 2u); // and the legend's
  auto whole = example();
  whole.failure = failure{.code = errc::rejected_sql, .query = "a"};
  EXPECT_THAT(to_svg(whole, ""), HasSubstr(">failed: rejected_sql<"));
  EXPECT_THAT(to_svg(example(), ""), Not(HasSubstr(">failed: ")));
}

TEST(Picture, MarksTheCriticalPath) {
  const auto svg = svg_of(example());
  std::vector<std::string> names;
  for (const auto* row : svg.of_class("critical"))
    names.push_back(name_in(*row));
  EXPECT_THAT(names, ElementsAre("b", "d"));
  EXPECT_EQ(svg.of_class("path").size(), 2u); // and the legend's
}

TEST(Picture, ShowsTheSumOfTheQueriesTimes) {
  const auto got = example(); // 60 + 50 + 20 + 50
  const auto svg = svg_of(got);
  const auto per_millisecond = width_of(*svg.of_class("query")[1], "executing") / 20;
  const auto& serial = only(svg, "serial");
  EXPECT_NEAR(width_of(serial, "ghost"), 180 * per_millisecond, 0.1);
  EXPECT_THAT(serial.of_class("break"), IsEmpty());
  EXPECT_EQ(serial.named("text").back()->text, "180 ms (1.8 at once)");
  EXPECT_THAT(to_svg(got, ""), HasSubstr("4 queries in 100 ms; their times add up to 180 ms: 1.8 at once on average"));
}

TEST(Picture, ShowsThatBarToScaleAlsoWhereItIsTheShorterOne) {
  reply got;
  got.elapsed = 100ms;
  got.outcomes.push_back(answered("a", times(0ms, 60ms, 100ms, 100ms)));
  const auto svg = svg_of(got);
  EXPECT_NEAR(width_of(only(svg, "serial"), "ghost"), width_of(*svg.of_class("query").front(), "executing"), 0.02);
  EXPECT_NEAR(width_of(*svg.of_class("query").front(), "session"), 1.5 * width_of(only(svg, "serial"), "ghost"), 0.03);
}

TEST(Picture, CutsThatBarWhenItWouldDwarfTheOthers) {
  reply got;
  got.elapsed = 10ms;
  for (int i = 0; i < 5; ++i)
    got.outcomes.push_back(answered("q" + std::to_string(i), times(0ms, 0ms, 5ms, 10ms)));
  const auto svg = svg_of(got);
  const auto& serial = only(svg, "serial");
  const auto& bar = *svg.of_class("query").front();
  EXPECT_NEAR(width_of(serial, "ghost"), width_of(bar, "executing") + width_of(bar, "fetching"), 0.02);
  EXPECT_EQ(serial.of_class("break").size(), 1u);
  EXPECT_EQ(serial.named("text").back()->text, "50.0 ms (5.0 at once)");
}

TEST(Picture, EscapesAndShortensText) {
  use_environment_locale();
  reply got;
  got.elapsed = 1ms;
  const std::string wild = "<b> & \"c\" 'd'\033\n\xff\uffff";
  got.outcomes.push_back(answered(wild, times(0ms, 0ms, 1ms, 1ms)));
  got.outcomes.push_back(answered("مجموع 🎉", times(0ms, 0ms, 1ms, 1ms)));
  got.outcomes.push_back(answered(std::string(100, 'x'), times(0ms, 0ms, 1ms, 1ms)));
  const auto svg = svg_of(got, wild + "</title><script>");
  const auto rows = svg.of_class("query");
  EXPECT_THAT(rows[0]->named("title").front()->text, HasSubstr("<b> & \"c\" 'd'\\x1B \\xFF\ufffd: 0 rows"));
  EXPECT_EQ(name_in(*rows[1]), "مجموع 🎉");
  EXPECT_EQ(name_in(*rows[2]), std::string(25, 'x') + "…");
  EXPECT_THAT(svg.attribute("aria-label"), HasSubstr("<script>"));
  EXPECT_THAT(svg.named("script"), IsEmpty());
}

/// Everything that is drawn lies within the picture.
void expect_inside(const element& svg) {
  const auto width = svg.number("width"), height = svg.number("height");
  EXPECT_EQ(svg.attribute("viewBox"), "0 0 " + svg.attribute("width") + ' ' + svg.attribute("height"));
  for (const auto* rect : svg.named("rect")) {
    if (rect->attributes.contains("x")) {
      EXPECT_GE(rect->number("x"), 0);
      EXPECT_GE(rect->number("y"), 0);
      EXPECT_LE(rect->number("x") + rect->number("width"), width);
      EXPECT_LE(rect->number("y") + rect->number("height"), height);
    }
    EXPECT_GE(rect->number("width"), 0);
  }
  for (const auto* text : svg.named("text")) {
    EXPECT_GE(text->number("x"), 0);
    EXPECT_LE(text->number("x"), width);
    EXPECT_LE(text->number("y"), height);
    EXPECT_GE(text->number("font-size"), 9);
    // Half an em for a character is less than most take.
    const auto least = 0.5 * text->number("font-size") * static_cast<double>(display_width(text->text));
    if (text->attribute("text-anchor").empty()) {
      EXPECT_LE(text->number("x") + least, width) << text->text;
    }
    if (text->attribute("text-anchor") == "end") {
      EXPECT_GE(text->number("x") - least, 0) << text->text;
    }
  }
}

TEST(Picture, KeepsEverythingInsideHoweverManyQueriesThereAre) {
  use_environment_locale();
  for (const std::size_t count : {0u, 1u, 3u, 12u, 13u, 60u, 61u, 200u, 501u}) {
    SCOPED_TRACE(count);
    auto got = many(count);
    for (std::size_t i = 0; i < count; i += 3)
      got.outcomes[i].data = failure{.code = errc::serialization_failure};
    if (count > 1)
      got.outcomes[1].name.assign(100, 'm');
    const auto svg = svg_of(got);
    EXPECT_EQ(svg.of_class("query").size(), std::min<std::size_t>(count, 500));
    expect_inside(svg);
  }
}

TEST(Picture, MakesRowsLowerWhenThereAreMany) {
  const auto row_height = [](std::size_t count) {
    return only(*svg_of(many(count)).of_class("query").front(), "hover").number("height");
  };
  EXPECT_GT(row_height(3), row_height(50));
  EXPECT_GT(row_height(50), row_height(200));
}

TEST(Picture, ShowsTheFirstFiveHundredOfTenThousandAndSaysSo) {
  auto got = many(10000);
  got.outcomes[7] = failed("query_7", errc::pool_timeout, {.queued = 0ms}); // waited until the end of all
  const auto svg = to_svg(got, "t"), html = to_html(got, "t"), trace = to_trace(got, "t");
  for (const auto& text : {svg, html, trace}) {
    EXPECT_THAT(text, HasSubstr("and 9500 more queries"));
    EXPECT_THAT(text, HasSubstr("query_499"));
    EXPECT_THAT(text, Not(HasSubstr("query_500")));
    EXPECT_LT(text.size(), 500u * 2000);
  }
  const auto page = markup_reader::read(html);
  ASSERT_EQ(page.named("p").size(), 1u);
  EXPECT_EQ(page.named("p").front()->text, "and 9500 more queries");
  // The scale is the time of the shown ones, not that of all.
  const auto drawn = markup_reader::read(svg);
  EXPECT_GT(only(*drawn.of_class("query").back(), "executing").number("x"), 600);
  EXPECT_THAT(to_svg(many(500), "t"), Not(HasSubstr("more queries")));
}

TEST(Picture, ShowsQueriesThatNeverHadASession) {
  reply got;
  got.elapsed = 30s;
  got.outcomes.push_back(failed("queued", errc::pool_timeout, {.queued = 10s}));
  got.outcomes.push_back(failed("not even queued", errc::query_canceled, {}));
  const auto svg = svg_of(got);
  const auto rows = svg.of_class("query");
  EXPECT_NEAR(width_of(*rows[0], "session"), 2 * width_of(*rows[0], "turn"), 0.02);
  EXPECT_NEAR(width_of(*rows[1], "turn"), 3 * width_of(*rows[0], "turn"), 0.03);
  EXPECT_EQ(svg.of_class("note")[0]->text, "never ran, pool_timeout");
  EXPECT_THAT(rows[1]->named("title").front()->text, HasSubstr("waited 30.0 s, never had a session"));
  EXPECT_THAT(svg.of_class("serial"), IsEmpty());
  EXPECT_THAT(svg.of_class("critical"), IsEmpty());
  expect_inside(svg);
}

TEST(Picture, TakesTimesThatAreNothing) {
  reply nothing;
  nothing.outcomes.push_back(answered("a", {}));
  nothing.outcomes.push_back(answered("b", times(0ns, 0ns, 0ns, 0ns)));
  for (const auto& got : {reply{}, nothing}) {
    for (const auto& text : {to_svg(got, ""), to_html(got, ""), to_trace(got, "")}) {
      EXPECT_THAT(text, Not(HasSubstr("nan")));
      EXPECT_THAT(text, Not(HasSubstr("inf")));
    }
    expect_inside(svg_of(got));
  }
  const auto svg = svg_of(nothing);
  EXPECT_THAT(svg.of_class("query")[0]->of_class("executing"), IsEmpty());
  EXPECT_GE(width_of(*svg.of_class("query")[1], "executing"), 1); // it ran: a sliver
}

TEST(Picture, TakesTheLongestTimes) {
  reply got;
  got.elapsed = nanoseconds::max();
  got.outcomes.push_back(answered("a", times(0ns, 0ns, 1ns, nanoseconds::max())));
  expect_inside(svg_of(got));
  EXPECT_NO_THROW(nlohmann::json::parse(to_trace(got, "")));
}

/// Expects nothing that would need something from elsewhere, or run something.
void expect_self_contained(std::string text) {
  const std::string own = "xmlns=\"http://www.w3.org/2000/svg\"";
  if (const auto at = text.find(own); at != std::string::npos)
    text.erase(at, own.size());
  for (const char* word : {"http", "//", "href", "src=", "url(", "@import", "<script", "onload", "<link", "<image"})
    EXPECT_THAT(text, Not(HasSubstr(word)));
}

TEST(Picture, NeedsNothingFromElsewhereAndFollowsTheScheme) {
  for (const auto& text : {to_svg(example(), "t"), to_html(example(), "t")}) {
    expect_self_contained(text);
    EXPECT_THAT(text, HasSubstr("prefers-color-scheme:dark"));
  }
}

TEST(Picture, IsTheSameForTheSameReply) {
  EXPECT_EQ(to_svg(example(), "t"), to_svg(example(), "t"));
  EXPECT_EQ(to_html(example(), "t"), to_html(example(), "t"));
  EXPECT_EQ(to_trace(example(), "t"), to_trace(example(), "t"));
}

double luminance(const std::string& colour) {
  const auto part = [&](std::size_t at) {
    const auto x = std::stoi(colour.substr(at, 2), nullptr, 16) / 255.0;
    return x <= 0.04045 ? x / 12.92 : std::pow((x + 0.055) / 1.055, 2.4);
  };
  return 0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5);
}

/// The contrast as WCAG 2 defines it.
double contrast(const std::string& a, const std::string& b) {
  const auto x = luminance(a), y = luminance(b);
  return (std::max(x, y) + 0.05) / (std::min(x, y) + 0.05);
}

/// The colour that the style has for a class or element in this part of it.
std::string colour_of(const std::string& style, const std::string& selector, const std::string& property) {
  const auto rule = style.find(".sheaf " + selector + "{");
  const auto at = style.find(property + ":#", rule);
  return rule == std::string::npos ? std::string{"#000000"} : style.substr(at + property.size() + 1, 7);
}

TEST(Picture, HasEnoughContrastInBothSchemes) {
  const auto svg = to_svg(example(), "t");
  const auto middle = svg.find("@media");
  ASSERT_NE(middle, std::string::npos);
  for (const auto& style : {svg.substr(0, middle), svg.substr(middle)}) {
    const auto paper = colour_of(style, ".paper", "fill");
    for (const auto* text : {"text", ".dim", ".bad"})
      EXPECT_GE(contrast(colour_of(style, text, "fill"), paper), 4.5) << text << paper;
    for (const auto* bar : {".executing", ".fetching"})
      EXPECT_GE(contrast(colour_of(style, bar, "fill"), paper), 3) << bar << paper;
    EXPECT_GE(contrast(colour_of(style, ".turn", "stroke"), paper), 3) << paper;
    EXPECT_GE(contrast(colour_of(style, ".executing", "fill"), colour_of(style, ".fetching", "fill")), 1.3) << paper;
  }
}

TEST(Page, HasThePictureAndATable) {
  const auto page = markup_reader::read(to_html(example(), "t <1>"));
  EXPECT_EQ(page.attribute("lang"), "en");
  EXPECT_EQ(page.children.front().named("title").front()->text, "t <1>");
  ASSERT_EQ(page.named("svg").size(), 1u);
  const auto tables = page.named("table");
  ASSERT_EQ(tables.size(), 1u);
  const auto& table = *tables.front();
  EXPECT_EQ(table.children.front().name, "caption");
  std::vector<std::string> headings;
  for (const auto* heading : table.named("thead").front()->named("th")) {
    EXPECT_EQ(heading->attribute("scope"), "col");
    headings.push_back(heading->text);
  }
  EXPECT_THAT(headings, ElementsAre("query", "rows or error", "queued", "executed", "fetched", "total"));
  const auto rows = table.named("tbody").front()->named("tr");
  ASSERT_EQ(rows.size(), 4u);
  const auto cells = [&](std::size_t i) {
    std::vector<std::string> out;
    for (const auto& cell : rows[i]->children)
      out.push_back(cell.text);
    return out;
  };
  EXPECT_THAT(cells(0), ElementsAre("a", "rejected_sql: why <not>", "0 us", "60.0 ms", "0 us", "60.0 ms"));
  EXPECT_THAT(cells(3), ElementsAre("d", "0 rows", "50.0 ms", "40.0 ms", "10.0 ms", "100 ms"));
  EXPECT_EQ(rows[0]->children.front().attribute("scope"), "row");
}

TEST(Page, SaysWhyTheRequestFailed) {
  auto got = example();
  got.failure = failure{.code = errc::rejected_sql, .query = "a", .message = "no <table>"};
  EXPECT_THAT(to_html(got, "t"), HasSubstr("no &lt;table&gt;"));
}

TEST(Page, HasTheNotices) {
  auto got = example();
  EXPECT_EQ(to_html(got, "t").find("Notices"), std::string::npos);
  got.outcomes[0].notices.kept.push_back({.severity = "WARNING", .message = "no <table>\nsaid", .hint = "try"});
  got.outcomes[1].notices.left_out = 3;
  const auto page = markup_reader::read(to_html(got, "t"));
  ASSERT_EQ(page.named("pre").size(), 1u);
  EXPECT_EQ(page.named("pre").front()->text, "query \"a\": WARNING:  no <table>\nsaid\nHINT:  try\n"
                                             "query \"b\": … and 3 more notices\n");
}

/// The slices of a lane.
std::vector<nlohmann::json> slices(const nlohmann::json& trace, int lane) {
  std::vector<nlohmann::json> out;
  for (const auto& event : trace.at("traceEvents"))
    if (event.at("ph") == "X" && event.at("tid") == lane)
      out.push_back(event);
  return out;
}

TEST(Trace, HasALaneForEachQueryWithItsPhasesWithinIt) {
  const auto trace = nlohmann::json::parse(to_trace(example(), "my trace"));
  const auto d = slices(trace, 4);
  ASSERT_EQ(d.size(), 5u);
  EXPECT_EQ(d[0].at("name"), "d");
  EXPECT_EQ(d[0].at("dur"), 100e3);
  EXPECT_EQ(d[0].at("args").at("rows"), 0);
  auto at = 0.0;
  const std::pair<const char*, double> phases[] = {
      {"waiting for its turn", 10e3}, {"waiting for a session", 40e3}, {"executing", 40e3}, {"fetching", 10e3}};
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(d[i + 1].at("name"), phases[i].first);
    EXPECT_EQ(d[i + 1].at("ts"), at);
    EXPECT_EQ(d[i + 1].at("dur"), phases[i].second);
    at += phases[i].second;
  }
  EXPECT_EQ(slices(trace, 1).front().at("args").at("error"), "rejected_sql");
  EXPECT_THAT(slices(trace, 5), IsEmpty());
}

TEST(Trace, NamesProcessAndLanes) {
  reply got = example();
  got.outcomes[1].name = "\"b\"\n\033\xff";
  std::set<std::string> lanes;
  std::string process;
  const auto trace = nlohmann::json::parse(to_trace(got, "my \"trace\""));
  for (const auto& event : trace.at("traceEvents")) {
    if (event.at("name") == "thread_name")
      lanes.insert(event.at("args").at("name"));
    if (event.at("name") == "process_name")
      process = event.at("args").at("name");
  }
  EXPECT_EQ(process, "my \"trace\"");
  EXPECT_EQ(lanes, (std::set<std::string>{"a", "\"b\"\n\033\ufffd", "c", "d"}));
}

TEST(Trace, WritesNanosecondsExactly) {
  reply got;
  got.elapsed = 1'000'001ns;
  got.outcomes.push_back(answered("a", times(0ns, 1'005ns, 1'000'000ns, 1'000'001ns)));
  const auto text = to_trace(got, "");
  EXPECT_THAT(text, HasSubstr(R"("ts":1.005,"dur":998.995)"));
  EXPECT_THAT(text, HasSubstr(R"("ts":1000.000,"dur":0.001)"));
}

TEST(Phases, NeverGoBack) {
  const auto check = [](const query_times& from, nanoseconds elapsed) {
    const auto x = phases_of(from, elapsed);
    EXPECT_TRUE(0ns <= x.queued && x.queued <= x.acquired && x.acquired <= x.answered && x.answered <= x.end);
    return x;
  };
  const std::vector<nanoseconds> some{never, 0ns, 1ns, 5ns, 9ns};
  for (const auto queued : some)
    for (const auto acquired : some)
      for (const auto sent : some)
        for (const auto first : some)
          for (const auto last : some)
            for (const auto released : some)
              EXPECT_EQ(check({queued, acquired, sent, first, last, released}, 7ns).ran, acquired >= 0ns);
  EXPECT_EQ(check({.queued = 1ns, .acquired = 2ns, .sent = 3ns, .released = 9ns}, 9ns).answered, 9ns);
  EXPECT_EQ(check({.queued = 1ns, .acquired = 2ns, .sent = 3ns}, 9ns).end, 3ns);
  EXPECT_EQ(check({.queued = 1ns, .acquired = 2ns, .sent = 3ns, .answered = 8ns}, 9ns).end, 8ns) << "it was given up";
  EXPECT_EQ(check({.queued = 1ns}, 9ns).end, 9ns);
  check({}, -5ns);
}

TEST(CriticalPath, GoesBackFromTheLastToWhoHeldItUp) {
  const auto ran = [](nanoseconds acquired, nanoseconds end) {
    return phases{.acquired = acquired, .answered = end, .end = end, .ran = true};
  };
  EXPECT_THAT(critical_path({}), IsEmpty());
  EXPECT_THAT(critical_path({{.end = 9ns}}), IsEmpty());
  EXPECT_THAT(critical_path({ran(0ns, 5ns), ran(0ns, 9ns), ran(0ns, 9ns)}), ElementsAre(1));
  // A chain, beside queries that ended too late or too early to be what it waited for.
  EXPECT_THAT(critical_path({ran(0ns, 2ns), ran(0ns, 3ns), ran(3ns, 6ns), ran(2ns, 7ns), ran(6ns, 9ns)}),
              ElementsAre(4, 2, 1));
  // Many that took no time: each is followed once.
  EXPECT_THAT(critical_path({ran(1ns, 1ns), ran(1ns, 1ns), ran(1ns, 2ns)}), ElementsAre(2));
  EXPECT_EQ(critical_path(std::vector<phases>(10000, ran(1ns, 1ns))).size(), 1u);
}

TEST(Ticks, AreRoundAndAFew) {
  const auto labels = [](nanoseconds span, std::size_t most) {
    std::vector<std::string> out;
    for (const auto& [at, text] : ticks_of(span, most))
      out.push_back(text);
    return out;
  };
  EXPECT_THAT(labels(100ms, 5), ElementsAre("0", "20 ms", "40 ms", "60 ms", "80 ms", "100 ms"));
  EXPECT_THAT(labels(101ms, 4), ElementsAre("0", "50 ms", "100 ms"));
  EXPECT_THAT(labels(999us, 2), ElementsAre("0", "500 us"));
  EXPECT_THAT(labels(1us, 5), ElementsAre("0", "0.2 us", "0.4 us", "0.6 us", "0.8 us", "1 us"));
  EXPECT_THAT(labels(2500ms, 6), ElementsAre("0", "0.5 s", "1 s", "1.5 s", "2 s", "2.5 s"));
  EXPECT_THAT(labels(1ns, 0), ElementsAre("0", "0.001 us"));
}

TEST(Ticks, StayWithinSpanAndCount) {
  for (auto span = 1000ns; span < nanoseconds::max() / 3; span = span * 3 + 1ns)
    for (const std::size_t most : {1u, 2u, 7u, 10u}) {
      const auto ticks = ticks_of(span, most);
      EXPECT_LE(ticks.size(), most + 1);
      EXPECT_GE(ticks.size(), (most + 1) / 4 + 1) << span.count();
      EXPECT_LE(ticks.back().at, span);
    }
  EXPECT_LE(ticks_of(nanoseconds::max(), 10).size(), 11u);
}

} // namespace
} // namespace sheaf::app
