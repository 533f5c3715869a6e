// SPDX-License-Identifier: BSD-3-Clause
//
// Load: steps in their order, the counts, the names of its numbers, and clients that begin when they should.

#include "app/base/duration.hpp"
#include "app/base/exit.hpp"
#include "app/load/load_generator.hpp"
#include "app/load/load_metrics.hpp"
#include "app/scenario/request_maker.hpp"
#include "app/scenario/runner.hpp"
#include "app/scenario/step_cursor.hpp"
#include "support/database_under_test.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <fstream>

namespace {

using namespace sheaf;
using namespace sheaf::app;
using namespace std::chrono_literals;
using testing::HasSubstr;

// -- steps

std::vector<step_spec> steps(const std::vector<std::string>& names) {
  std::vector<step_spec> made;
  for (const auto& name : names)
    made.push_back({.at = {}, .kind = request_step{.request = name}});
  return made;
}

step_spec again(std::size_t times, std::vector<step_spec> steps) {
  return {.at = {}, .kind = repeat_step{.times = times, .steps = std::move(steps)}};
}

std::string order_of(const std::vector<step_spec>& all) {
  std::string order;
  step_cursor cursor{all};
  while (const auto* x = cursor.next())
    order += std::get<request_step>(x->kind).request;
  EXPECT_EQ(cursor.next(), nullptr);
  return order;
}

TEST(StepCursor, RepeatsWhatIsRepeatedInItsPlace) {
  EXPECT_EQ(order_of({}), "");
  EXPECT_EQ(order_of(steps({"a", "b"})), "ab");
  auto inner = steps({"b"});
  inner.push_back(again(2, steps({"c"})));
  auto all = steps({"a"});
  all.push_back(again(3, std::move(inner)));
  all.push_back(steps({"d"}).front());
  EXPECT_EQ(order_of(all), "abccbccbccd");
}

// -- values

TEST(Generator, SharesASequenceWithoutGivingANumberTwice) {
  std::set<std::int64_t> seen;
  for (int client = 0; client < 3; ++client) {
    generator x{1, client, 3};
    for (int i = 0; i < 5; ++i)
      EXPECT_TRUE(seen.insert(x.next_in_sequence()).second);
  }
  EXPECT_EQ(*seen.begin(), 1);
  EXPECT_EQ(*seen.rbegin(), 15);
}

TEST(Rate, HasAUnit) {
  EXPECT_DOUBLE_EQ(parse_rate("500/s").value(), 500);
  EXPECT_DOUBLE_EQ(parse_rate("30/m").value(), 0.5);
  EXPECT_DOUBLE_EQ(parse_rate("1.8/h").value(), 0.0005);
  for (const auto* wrong :
       {"", "500", "/s", "500/", "500/d", "500 /s", "0/s", "-1/s", "nan/s", "inf/s", "1e3/s", "10000001/s", "5/s/s"})
    EXPECT_TRUE(parse_rate(wrong).has_error()) << wrong;
}

// -- what is counted

class Load : public ::testing::Test {
protected:
  Load() {
    file.databases.push_back({.name = "main", .url = "sqlite::memory:"});
    add_request("one", {{"a", "select 1"}});
    add_request("two", {{"a", "select 1"}, {"each", "select :id"}});
    file.requests[1].parameters.push_back({.name = "ids", .at = {}, .type = "int[]", .default_value = value{}});
    file.requests[1].queries[1].for_each = {"id", "ids"};
    measured.record = load_record{file};
  }

  void add_request(const std::string& name, const std::vector<std::pair<std::string, std::string>>& queries) {
    auto& r = file.requests.emplace_back();
    r.name = name;
    for (const auto& [query_name, sql] : queries)
      r.queries.push_back({.query = query{query_name, sql}, .at = {}, .sql_at = {}, .for_each = {}});
  }

  /// An outcome that waited and executed for so long; without a session when `executed` is negative.
  static outcome answer(const std::string& name, std::chrono::nanoseconds waited, std::chrono::nanoseconds executed,
                        std::optional<errc> failed = {}) {
    outcome x{.name = name, .data = table{}};
    if (failed)
      x.data = failure{.code = *failed};
    x.times.queued = 1ms;
    if (executed >= 0ns)
      x.times.acquired = 1ms + waited;
    x.times.answered = 1ms + waited + std::max(executed, std::chrono::nanoseconds{0});
    return x;
  }

  /// A reply that failed after 30 us, as those of a database that is not there do.
  static reply refused() {
    return {.outcomes = {answer("a", 30us, -1ns, errc::connect_failed)},
            .failure = failure{.code = errc::connect_failed},
            .elapsed = 30us};
  }

  result<operand> metric(std::string_view path) const { return metric_of(measured, file, path); }
  std::string shown(std::string_view path) const {
    const auto x = metric(path);
    return x.has_value() ? to_text(*x) : x.error().message;
  }

  sheaf_file file;
  load_result measured{load_record{file}, 2s};
};

TEST_F(Load, CountsEachRequestAndQuery) {
  reply good{.outcomes = {answer("a", 2ms, 6ms)}, .failure = {}, .elapsed = 8ms};
  reply bad{.outcomes = {answer("a", 3ms, -1ns, errc::deadline_exceeded)},
            .failure = failure{.code = errc::deadline_exceeded},
            .elapsed = 4ms};
  measured.record.add(0, {0}, good, 10ms, true);
  measured.record.add(0, {0}, bad, 4ms, false);
  EXPECT_EQ(shown("request.one.count"), "2");
  EXPECT_EQ(shown("request.one.errors"), "0.5");
  EXPECT_EQ(shown("request.one.max"), "10 ms");
  EXPECT_EQ(shown("request.one.min"), "4 ms");
  EXPECT_EQ(shown("request.one.mean"), "7 ms");
  EXPECT_EQ(shown("request.one.rate"), "0.5") << "one of them came in time, of two seconds";
  EXPECT_EQ(shown("request.two.count"), "0");
  EXPECT_EQ(shown("request.count"), "2");
  EXPECT_EQ(shown("query.a.count"), "2");
  EXPECT_EQ(shown("query.a.errors"), "0.5");
  EXPECT_EQ(shown("query.a.rate"), "0.5");
  EXPECT_EQ(shown("query.a.executing.count"), "1") << "the other had no session";
  EXPECT_EQ(shown("query.a.executing.max"), "6 ms");
  EXPECT_EQ(shown("query.a.waiting.min"), "2 ms");
  EXPECT_EQ(shown("errors"), "0.5");
  EXPECT_EQ(shown("rate"), "0.5");
  EXPECT_EQ(measured.record.codes.at(errc::deadline_exceeded), 1u);
  EXPECT_EQ(shown("request.two.p99"), "nothing was answered");
}

TEST_F(Load, CountsWhatTimedOutUntilItWasGivenUp) {
  reply late{.outcomes = {answer("a", 1ms, 99ms, errc::deadline_exceeded)}, .failure = {}, .elapsed = 101ms};
  measured.record.add(0, {0}, late, 101ms, true);
  EXPECT_EQ(shown("query.a.p50"), "100 ms");
  EXPECT_EQ(shown("query.a.executing.p50"), "99 ms");
  EXPECT_EQ(shown("query.a.errors"), "1");
  EXPECT_EQ(shown("query.a.failed.count"), "0");
  reply cancelled{.outcomes = {answer("a", 0ms, 50ms, errc::query_canceled)},
                  .failure = failure{.code = errc::query_canceled},
                  .elapsed = 51ms};
  measured.record.add(0, {0}, cancelled, 51ms, true);
  EXPECT_EQ(shown("query.a.min"), "50 ms");
  EXPECT_EQ(shown("request.one.count"), "2");
}

TEST_F(Load, KeepsWhatFailedAtOnceApart) {
  reply good{.outcomes = {answer("a", 2ms, 6ms)}, .failure = {}, .elapsed = 8ms};
  measured.record.add(0, {0}, good, 8ms, true);
  for (int i = 0; i < 3; ++i)
    measured.record.add(0, {0}, refused(), 30us, true);
  EXPECT_EQ(shown("request.one.min"), "8 ms");
  EXPECT_EQ(shown("request.count"), "1");
  EXPECT_EQ(shown("rate"), "0.5");
  EXPECT_EQ(shown("request.one.rate"), "0.5");
  EXPECT_EQ(shown("query.a.rate"), "0.5");
  EXPECT_EQ(shown("query.a.min"), "8 ms");
  EXPECT_EQ(shown("errors"), "0.75");
  EXPECT_EQ(shown("query.a.errors"), "0.75");
  for (const auto* path : {"failed", "request.one.failed", "query.a.failed"}) {
    EXPECT_EQ(shown(fmt::format("{}.count", path)), "3") << path;
    EXPECT_EQ(shown(fmt::format("{}.max", path)), "30 us") << path;
  }
  EXPECT_EQ(shown("request.two.failed.p99"), "nothing failed at once");
  EXPECT_EQ(measured.record.count(), 4u);
  EXPECT_EQ(measured.record.first_failure.value_or(failure{}).code, errc::connect_failed);
}

TEST_F(Load, DoesNotCountAQueryThatEndedWithItsRequest) {
  reply bad{.outcomes = {answer("a", 0ms, 1ms, errc::query_canceled), answer("each[0]", 0ms, 1ms, errc::rejected_sql),
                         answer("each[1]", 0ms, 1ms)},
            .failure = failure{.code = errc::rejected_sql},
            .elapsed = 2ms};
  measured.record.add(1, {0, 1, 1}, bad, 2ms, true);
  EXPECT_EQ(shown("query.a.count"), "0") << "it was cancelled because the other had failed at once";
  EXPECT_EQ(shown("query.each.count"), "1");
  EXPECT_EQ(shown("query.each.failed.count"), "1");
  EXPECT_EQ(shown("query.a.failed.count"), "1");
}

TEST_F(Load, TakesTheQueriesOfForEachAsOne) {
  const auto made = make_request(file.databases, file.requests[1], {{"ids", value::array{7, 8, 9}}}).value();
  ASSERT_EQ(made.queries.size(), 4u);
  const auto from = origins(file.requests[1], made.queries);
  EXPECT_THAT(from, testing::ElementsAre(0, 1, 1, 1));
  measured.record.add(1, from,
                      {.outcomes = {answer("a", 0ns, 1ms), answer("each[0]", 0ns, 1ms), answer("each[1]", 0ns, 2ms),
                                    answer("each[2]", 0ns, 3ms)},
                       .failure = {},
                       .elapsed = 4ms},
                      4ms, true);
  EXPECT_EQ(shown("query.each.count"), "3");
  EXPECT_EQ(shown("query.each.max"), "3 ms");
  EXPECT_EQ(shown("query.a.count"), "1");
  EXPECT_EQ(shown("overlap"), "1.75") << "7 ms of work in 4 ms";
}

TEST_F(Load, MergesAsIfAllHadBeenCountedInOne) {
  load_record other{file};
  const reply x{.outcomes = {answer("a", 1ms, 1ms)}, .failure = {}, .elapsed = 2ms};
  other.add(0, {0}, x, 2ms, true);
  other.add({{.at = {.line = 7}, .text = "x: 1", .value = operand{std::int64_t{2}}, .step = 3},
             {.at = {}, .text = "y: 1", .held = true, .value = operand{std::int64_t{1}}}});
  other.not_begun = 3;
  measured.record.add(0, {0}, x, 6ms, true);
  measured.record.merge(other);
  measured.record.merge(other);
  EXPECT_EQ(shown("request.one.count"), "3");
  EXPECT_EQ(shown("query.a.count"), "3");
  EXPECT_EQ(shown("missed"), "0.5");
  EXPECT_EQ(measured.record.misses.at("x: 1 (step 3, line 7)"), 2u);
  EXPECT_EQ(measured.record.not_begun, 6u);
  EXPECT_EQ(measured.record.overlap(), 0.5);
  EXPECT_EQ(shown("not_begun"), "6");
}

TEST_F(Load, KnowsItsMetricsByName) {
  for (const auto* right :
       {"rate", "errors", "missed", "overlap", "not_begun", "failed.count", "failed.p99", "request.one.failed.max",
        "query.each.failed.count", "request.p99", "request.p99.9", "request.one.p50", "request.one.rate",
        "query.each.rate", "query.each.p99.9", "query.a.waiting.max", "query.a.executing.p90"})
    EXPECT_EQ(check_metric(file, right), std::nullopt) << right;
  for (const auto& [wrong, why] : std::initializer_list<std::pair<const char*, const char*>>{
           {"eror", "did you mean \"errors\"?"},
           {"request.p98", "did you mean \"p90\"?"},
           {"request.on.p99", "there is no request \"on\"; did you mean \"one\"?"},
           {"query.aech.p99", "there is no query \"aech\"; did you mean \"each\"?"},
           {"query.p99", "there is no query.p99"},
           {"failed.rate", "there is no failed.rate"},
           {"request.one.failed.errors", "there is no request.one.failed.errors"},
           {"speed_up", "speed_up is called overlap"},
           {"request.", "there is no request."},
           {"", "there is no "}})
    EXPECT_THAT(check_metric(file, wrong).value_or("nothing"), HasSubstr(why)) << wrong;
}

// -- clients

class LoadGenerator : public Load {
protected:
  LoadGenerator() {
    file.requests[0].queries[0].query.statement = "select 1";
    auto& s = file.scenarios.emplace_back();
    s.name = "busy";
    s.steps = steps({"one"});
    options how;
    how.databases = file.databases;
    how.databases[0].pool.max_size = 1;
    how.loops = 2;
    how.databases[0].pool.max_size = 2;
    e = engine::create(std::move(how)).value();
  }

  load_plan plan(std::size_t clients, std::optional<double> rate = {}) {
    return {file, file.scenarios[0], nothing, 1, clients, rate};
  }

  void wait(const load_generator& x) const { watch.wait_for(x.idle_fd()); }

  signal_watch watch; // before the engine, whose threads inherit the signals that it blocks
  const variables nothing;
  std::unique_ptr<engine> e;
};

TEST_F(LoadGenerator, CountsWhatBeganWhileItWasMeasured) {
  load_generator x{*e, plan(3)};
  x.start();
  for (std::uint64_t n = 0; n < 100;)
    n += x.take_recent().latency.count();
  EXPECT_EQ(x.record().count(), 0u) << "a warm-up is not counted";
  x.measure(1h);
  while (x.record().count() < 100) {
  }
  x.stop();
  wait(x);
  const auto all = x.record();
  EXPECT_GE(all.count(), 100u);
  EXPECT_LE(all.in_time(), all.count());
  EXPECT_GE(all.in_time() + 3, all.count()) << "each client was at one request when it stopped";
  EXPECT_EQ(all.errors(), 0u);
  EXPECT_EQ(x.record().count(), all.count()) << "nobody goes on";
}

TEST_F(LoadGenerator, CountsLatencyFromWhenItWasDue) {
  // One client, which takes 20 ms for each, and one is due every 2 ms: the later ones wait ever longer.
  file.requests[0].queries[0].query = query::of_task("a", [](soci::session&) { std::this_thread::sleep_for(20ms); });
  load_generator x{*e, plan(1, 500.0)};
  x.start();
  x.measure(1h);
  while (x.record().count() < 10) {
  }
  x.stop();
  wait(x);
  const auto all = x.record();
  const auto& one = all.requests[0];
  EXPECT_GT(one.latency.max(), 3 * one.queries[0].total.percentile(50));
  EXPECT_GT(all.not_begun, 10u) << "they were due";
}

TEST_F(LoadGenerator, BeginsAsOftenAsTheRateSays) {
  load_generator x{*e, plan(50, 1000.0)};
  const auto began = clock::now();
  x.start();
  x.measure(1h);
  while (x.record().count() < 200) {
  }
  x.stop();
  const auto took = clock::now() - began;
  wait(x);
  EXPECT_LE(static_cast<double>(x.record().count()), std::chrono::duration<double>(took).count() * 1000 + 2)
      << "none begins before it is due";
}

TEST_F(LoadGenerator, CountsAsManyAsAreDueUnderARate) {
  for (const bool warm : {false, true}) {
    load_generator x{*e, plan(2, 1000.0)};
    if (warm) {
      x.start();
      while (x.take_recent().latency.count() == 0) {
      }
    }
    const auto until = x.measure(200ms);
    if (!warm)
      x.start();
    std::this_thread::sleep_until(until + 10ms); // what is due after the end does not count
    x.stop();
    wait(x);
    const auto all = x.record();
    EXPECT_EQ(all.count() + all.not_begun, 200u) << (warm ? "warm" : "cold");
  }
}

TEST_F(LoadGenerator, IsNeverDueAtARateThatIsTooLow) {
  load_generator x{*e, plan(2, 1e-11)};
  x.measure(1h);
  x.start();
  while (x.record().count() < 1) { // the first is due at once
  }
  x.stop();
  wait(x);
  EXPECT_EQ(x.record().count() + x.record().not_begun, 1u);
}

TEST_F(LoadGenerator, PausesAClientWhoseRequestsFailAtOnce) {
  file.requests[0].queries[0].query.statement = "select * from nothing";
  load_generator x{*e, plan(1)};
  const auto began = clock::now();
  x.measure(1h);
  x.start();
  // Between nine failures in a row are pauses of 1 + 2 + 4 + 8 + 16 + 32 + 64 ms at least.
  while (x.record().count() < 9) {
  }
  const auto took = clock::now() - began;
  x.stop();
  wait(x);
  EXPECT_GE(took, 127ms) << "no matter how fast they fail";
  EXPECT_EQ(x.record().failed().count(), x.record().count());
}

TEST_F(LoadGenerator, CancelsWhatRuns) {
  file.requests[0].queries[0].query.statement =
      "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n";
  load_generator x{*e, plan(4)};
  x.measure(1h);
  x.start();
  ASSERT_TRUE(test::eventually([&] { return e->stats()[0].active == 2; }));
  x.stop();
  x.cancel();
  wait(x);
  EXPECT_EQ(x.record().codes.at(errc::query_canceled), 4u);
}

TEST_F(LoadGenerator, EndsWithItsDestructorWhateverRuns) {
  file.requests[0].queries[0].query.statement =
      "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n";
  {
    load_generator x{*e, plan(4)};
    x.start();
    ASSERT_TRUE(test::eventually([&] { return e->stats()[0].active == 2; }));
  }
  EXPECT_TRUE(test::eventually([&] { return e->stats()[0].active + e->stats()[0].cancelling == 0; }));
}

TEST_F(LoadGenerator, EndsWhenAValueCannotBeMade) {
  file.requests[0].parameters.push_back({.name = "n", .at = {}, .type = "int", .default_value = {}});
  file.requests[0].queries[0].query.statement = "select :n";
  value_spec value;
  value.texts.push_back(template_text::parse("${1 / 0}").value());
  std::get<request_step>(file.scenarios[0].steps[0].kind).with.emplace_back("n", value);
  load_generator x{*e, plan(4)};
  x.start();
  try {
    x.check();
    FAIL() << "nothing is wrong";
  } catch (const app::command_error& why) {
    EXPECT_EQ(why.exit_code(), exit_bad_input);
    EXPECT_THAT(why.what(), HasSubstr("one: \"n\": "));
  }
}

TEST_F(LoadGenerator, SendsAParallelStepAtOnceAndGoesOnBehindIt) {
  add_request("meet", {{"m", "select 1"}});
  parallel_step both{steps({"one", "two"})};
  file.scenarios[0].steps = {{.at = {}, .kind = std::move(both)}, steps({"meet"}).front()};
  load_generator x{*e, plan(2)};
  x.start();
  x.measure(1h);
  while (x.record().count() < 300) {
  }
  x.stop();
  wait(x);
  const auto all = x.record();
  const auto count = [&](std::size_t i) { return static_cast<double>(all.requests[i].latency.count()); };
  EXPECT_EQ(count(0), count(1));
  EXPECT_NEAR(count(0), count(2), 2) << "each client may have stopped between";
}

} // namespace
