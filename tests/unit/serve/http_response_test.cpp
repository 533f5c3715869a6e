// SPDX-License-Identifier: BSD-3-Clause
//
// The output of the HTTP service: replies piece by piece, problems, metrics, the log, the page's events.

#include "app/serve/activity.hpp"
#include "app/serve/http_metrics.hpp"
#include "app/serve/problem.hpp"
#include "app/serve/reply_writer.hpp"
#include "app/serve/service_log.hpp"
#include "app/serve/traffic.hpp"
#include "sheaf/table_builder.hpp"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>

#include <sstream>
#include <thread>
#include <vector>

namespace {

using namespace sheaf;
using namespace sheaf::app::serve;
using namespace std::chrono_literals;
using testing::HasSubstr;

namespace json = boost::json;

table numbers(int rows) {
  table_builder b{{{.name = "n"}, {.name = "text"}}};
  for (int i = 0; i < rows; ++i) {
    b.add_integer((std::int64_t{1} << 53) + i);
    b.add_text("row \"" + std::to_string(i) + '"');
  }
  return b.finish();
}

reply three() {
  reply x;
  x.outcomes.push_back({.name = "many", .data = numbers(100)});
  x.outcomes.push_back({.name = "bad", .data = failure{.code = errc::connect_failed, .phase = phase::connect}});
  x.outcomes.push_back({.name = "none", .data = numbers(0)});
  x.elapsed = 1500us;
  return x;
}

const std::vector<std::string> databases{"main", "main", "other"};

TEST(HttpReply, IsTheSameInPiecesAsInOne) {
  std::string whole;
  EXPECT_TRUE((reply_writer{three(), databases, row_writer{{}}}.write(whole, 1 << 20)));
  const auto read = json::parse(whole);
  EXPECT_EQ(read.at("results").at("many").at("rows").as_array().size(), 100);
  EXPECT_EQ(read.at("errors").at("bad").at("phase").as_string(), "connect");
  EXPECT_EQ(read.at("timing").at("queries").at("none").at("database").as_string(), "other");
  EXPECT_TRUE(read.at("timing").at("queries").at("none").at("sent_ms").is_null());
  EXPECT_DOUBLE_EQ(read.at("timing").at("elapsed_ms").as_double(), 1.5);

  for (const std::size_t bytes_max : {1, 100, 1000}) {
    reply_writer in_pieces{three(), databases, row_writer{{}}};
    std::string all;
    for (bool done = false; !done;) {
      std::string piece;
      done = in_pieces.write(piece, bytes_max);
      EXPECT_LT(piece.size(), bytes_max + 1000) << "a row and what is around it";
      all += piece;
    }
    EXPECT_EQ(all, whole) << bytes_max;
  }
}

TEST(HttpReply, KeepsLargeIntegersFromBeingRounded) {
  std::string out;
  const row_writer objects{{.shape = answer_shape::objects, .values = {.exact_numbers = true}}};
  reply_writer{three(), databases, objects}.write(out, 1 << 20);
  EXPECT_THAT(out, HasSubstr(R"({"n":"9007199254740992","text":"row \"0\""})"));
  table_builder b{{{.name = "n"}}};
  for (const std::int64_t n : {9007199254740991, -9007199254740991, -9007199254740992})
    b.add_integer(n);
  b.add_null();
  reply x;
  x.outcomes.push_back({.name = "edge", .data = b.finish()});
  out.clear();
  reply_writer{std::move(x), {"main"}, row_writer{{.values = {.exact_numbers = true}}}}.write(out, 1 << 20);
  EXPECT_THAT(out, HasSubstr(R"("rows":[[9007199254740991],[-9007199254740991],["-9007199254740992"],[null]])"));
}

TEST(HttpReply, SaysInHowManyValuesItHasReplacedBytes) {
  table_builder b{{{.name = "t"}}};
  for (const auto* text : {"a\xff", "\xc3", "\ufffd"})
    b.add_text(text);
  reply x;
  x.outcomes.push_back({.name = "q", .data = b.finish()});
  std::string out;
  reply_writer{x, {"main"}, row_writer{{}}}.write(out, 1 << 20);
  EXPECT_EQ(json::parse(out).at("replaced_values").as_int64(), 2);

  table_builder c{{{.name = "t"}}};
  c.add_text("\xfe");
  x.outcomes[0].data = c.finish();
  out.clear();
  reply_writer{x, {"main"}, row_writer{{.shape = answer_shape::scalar}}}.write(out, 1 << 20);
  EXPECT_EQ(json::parse(out).at("replaced_values").as_int64(), 1);

  out.clear();
  reply_writer{three(), databases, row_writer{{}}}.write(out, 1 << 20);
  EXPECT_FALSE(json::parse(out).as_object().contains("replaced_values"));
}

TEST(HttpProblem, HasAStatusForEachFailure) {
  const std::pair<errc, unsigned> statuses[] = {{errc::invalid_request, 400},
                                                {errc::rejected_sql, 422},
                                                {errc::constraint_violated, 422},
                                                {errc::permission_denied, 500},
                                                {errc::serialization_failure, 503},
                                                {errc::deadlock_detected, 503},
                                                {errc::query_canceled, 503},
                                                {errc::deadline_exceeded, 504},
                                                {errc::disk_full, 507},
                                                {errc::connection_lost, 503},
                                                {errc::connect_failed, 503},
                                                {errc::too_many_connections, 503},
                                                {errc::pool_timeout, 503},
                                                {errc::pool_queue_full, 429},
                                                {errc::overloaded, 503},
                                                {errc::pool_closed, 503},
                                                {errc::result_too_large, 422},
                                                {errc::in_doubt, 500},
                                                {errc::internal, 500},
                                                {errc::bad_read, 500}};
  for (const auto& [code, status] : statuses) {
    const failure why{.code = code, .query = "q", .message = "secret detail", .reached_server = true};
    const auto made = make_problem(why, "id-1");
    EXPECT_EQ(static_cast<unsigned>(made.status), status) << to_string(code);
    EXPECT_EQ(json::parse(made.body).at("code").as_string(), std::string{to_string(code)});
    EXPECT_EQ(made.body.find("secret"), made.body.npos);
    EXPECT_THAT(made.detail, HasSubstr("secret detail"));
    EXPECT_EQ(made.fields, status == 429 || status == 503 ? "Retry-After: 1\r\n" : "");
  }
  const auto later = [](std::chrono::nanoseconds t) {
    return make_problem(failure{.code = errc::overloaded, .retry_after = t}, "id-1").fields;
  };
  EXPECT_EQ(later(1ms), "Retry-After: 1\r\n");
  EXPECT_EQ(later(2100ms), "Retry-After: 3\r\n");
  EXPECT_EQ(later(1h), "Retry-After: 60\r\n");
  for (const auto code : {errc::serialization_failure, errc::pool_timeout, errc::overloaded}) {
    const auto made = make_problem(failure{.code = code, .may_have_effect = true}, "id-1");
    EXPECT_EQ(made.fields, "") << "it must not be sent again";
    EXPECT_THAT(made.body, HasSubstr("may have been done"));
  }
  EXPECT_EQ(static_cast<unsigned>(status_of({.code = errc::rejected_sql, .sqlstate = "42P01"})), 500)
      << "a mistake in the file";
  EXPECT_EQ(static_cast<unsigned>(status_of({.code = errc::rejected_sql})), 500) << "which was never run";
}

TEST(HttpMetrics, CountsByRouteMethodAndStatus) {
  http_metrics m{{"/a", "/b\"", ""}};
  m.add(0, boost::beast::http::verb::get, 200, 5ms);
  m.add(0, boost::beast::http::verb::get, 200, 6ms);
  m.add(1, boost::beast::http::verb::put, 405, 20s);
  m.add(2, boost::beast::http::verb::get, 418, 0s);
  std::string out;
  m.append_text(out, "http");
  const std::string a =
      "http_request_method=\"GET\",http_response_status_code=\"200\",http_route=\"/a\",url_scheme=\"http\"";
  EXPECT_THAT(out, HasSubstr("_bucket{" + a + ",le=\"0.005\"} 1\n"));
  EXPECT_THAT(out, HasSubstr("_bucket{" + a + ",le=\"0.01\"} 2\n"));
  EXPECT_THAT(out, HasSubstr("_bucket{" + a + ",le=\"+Inf\"} 2\n"));
  EXPECT_THAT(out, HasSubstr("_sum{" + a + "} 0.011\n"));
  EXPECT_THAT(
      out, HasSubstr("_count{http_request_method=\"_OTHER\",http_response_status_code=\"405\",http_route=\"/b\\\"\","));
  EXPECT_THAT(out, HasSubstr("le=\"10\"} 0\n"));
  EXPECT_THAT(out, HasSubstr("http_response_status_code=\"0\"")) << "one that is not foreseen";
}

std::shared_ptr<spdlog::logger> logger_to(std::ostream& out) {
  auto made = std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_mt>(out));
  made->set_pattern("%v");
  return made;
}

TEST(HttpLog, IsAnObjectALine) {
  std::ostringstream out;
  {
    service_log log{logger_to(out), service_log::reader::program};
    log.add({.request_id = "1", .path = "/\"\n", .status = 200, .bytes = 7, .duration = 1500us});
    log.add({.request_id = "2", .status = 503, .code = "connect_failed", .detail = "why"});
  }
  std::istringstream in{out.str()};
  std::string line;
  ASSERT_TRUE(std::getline(in, line));
  EXPECT_EQ(json::parse(line).at("path").as_string(), "/\"\n");
  EXPECT_DOUBLE_EQ(json::parse(line).at("duration_ms").as_double(), 1.5);
  EXPECT_FALSE(json::parse(line).as_object().contains("error"));
  ASSERT_TRUE(std::getline(in, line));
  EXPECT_EQ(json::parse(line).at("detail").as_string(), "why");
  EXPECT_FALSE(std::getline(in, line));
}

TEST(HttpLog, IsInTheOrderOfItsTimes) {
  constexpr int each = 2000;
  std::ostringstream out;
  {
    const auto log = std::make_shared<service_log>(logger_to(out), service_log::reader::program);
    const auto events = make_event_logger(log);
    std::vector<std::thread> loops;
    for (int i = 0; i < 3; ++i)
      loops.emplace_back([&] {
        for (int n = 0; n < each; ++n)
          n % 100 == 0 ? events->info("now") : log->add({.request_id = "1", .status = 200});
      });
    for (auto& x : loops)
      x.join();
  }
  std::istringstream in{out.str()};
  int lines = 0;
  std::string before;
  for (std::string line; std::getline(in, line); ++lines) {
    const std::string now{json::parse(line).at("time").as_string()};
    EXPECT_GE(now, before);
    before = now;
  }
  EXPECT_EQ(lines, 3 * each);
}

TEST(HttpLog, IsForPeopleWithoutWhatATerminalWouldObey) {
  std::ostringstream out;
  const auto log = std::make_shared<service_log>(logger_to(out), service_log::reader::person);
  log->add({.request_id = "r1",
            .method = "GET",
            .path = "/a\x1b[2J",
            .status = 422,
            .bytes = 7,
            .duration = 1500us,
            .code = "rejected_sql",
            .detail = "two\nlines"});
  make_event_logger(log)->warn("\x1b]0;title\a");
  EXPECT_THAT(out.str(),
              testing::MatchesRegex("[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3} GET /a\\\\x1B\\[2J 422, 1\\.5 ms, 7 bytes, "
                                    "rejected_sql: two lines \\(request r1\\)\n[0-9:.]{12} warning: "
                                    "\\\\x1B\\]0;title\\\\x07\n"));
}

TEST(HttpActivity, KeepsTheLastHundredOfAllLoops) {
  activity all;
  activity_batch first, second;
  const auto now = std::chrono::system_clock::now();
  for (int i = 0; i < 150; ++i)
    (i % 2 ? first : second)
        .add({.when = now + i * 1ms, .id = std::to_string(i), .status = i % 3 ? 200u : 500u, .took = 1ms});
  all.take(second);
  all.take(first);
  EXPECT_EQ(first.requests, 0);
  all.take(first); // an empty one changes nothing
  std::string out = "{";
  all.append_now(out);
  const auto read = json::parse(out + '}');
  EXPECT_EQ(read.at("minutes").at("requests").as_int64(), 150);
  EXPECT_NEAR(read.at("minutes").at("p99_ms").as_double(), 1, 0.01);
  const auto& recent = read.at("recent").as_array();
  ASSERT_EQ(recent.size(), 100);
  for (std::size_t i = 0; i < recent.size(); ++i)
    EXPECT_EQ(recent[i].at("id").as_string(), std::to_string(149 - i));
}

TEST(HttpTraffic, IsBoundedAndGivenBack) {
  const service_limits limits{.connections_max = 3, .connections_per_address_max = 2, .in_flight_max = 1};
  traffic t{limits, -1};
  const auto a = boost::asio::ip::make_address("127.0.0.1"), b = boost::asio::ip::make_address("127.0.0.2");
  EXPECT_TRUE(t.connect(a));
  EXPECT_TRUE(t.connect(a));
  EXPECT_FALSE(t.connect(a));
  EXPECT_TRUE(t.connect(b));
  EXPECT_FALSE(t.connect(b)) << "three in all";
  t.disconnect(a);
  EXPECT_TRUE(t.connect(b));
  EXPECT_EQ(t.connections(), 3);
  EXPECT_TRUE(t.begin_request());
  EXPECT_FALSE(t.begin_request());
  t.end_request();
  EXPECT_TRUE(t.begin_request());
}

} // namespace
