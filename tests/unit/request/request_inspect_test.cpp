// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/request_inspect.hpp"
#include "sheaf/table_builder.hpp"

#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>
#include <caf/deep_to_string.hpp>
#include <gtest/gtest.h>

#include <limits>

namespace sheaf {
namespace {

using namespace std::chrono_literals;

request made_of(std::vector<query> queries) { return {.queries = std::move(queries)}; }

class RequestOnTheWire : public testing::Test {
protected:
  template <class T>
  caf::error save(T& x) {
    bytes_.clear();
    caf::binary_serializer sink{nullptr, bytes_};
    return sink(x);
  }

  template <class T>
  caf::error load(T& x) {
    caf::binary_deserializer source{nullptr, bytes_};
    return source(x);
  }

  template <class T>
  T round_trip(T x) {
    EXPECT_FALSE(save(x));
    T y;
    EXPECT_FALSE(load(y));
    return y;
  }

  std::vector<char> bytes_;
};

TEST_F(RequestOnTheWire, CarriesARequest) {
  request sent = made_of(
      {{"a", "select :x, :y", {{"x", std::numeric_limits<double>::infinity()}, {"y", nullptr}}}, {"b", "select 1"}});
  sent.queries[1].database = "other";
  sent.queries[1].timeout = 250ms;
  sent.queries[1].required = false;
  sent.queries[1].read_only = true;
  sent.queries[1].no_writes = true;
  sent.queries[1].max_rows = 7;
  sent.queries[1].max_bytes = 1'000'000'000'000;
  sent.deadline = 5s;
  sent.max_rows = 8;
  sent.max_bytes = 9;
  sent.id = "order 66";
  sent.width = 3;
  sent.on_error = error_policy::partial;
  sent.priority = priority::low;
  const auto got = round_trip(sent);
  ASSERT_EQ(got.queries.size(), 2u);
  EXPECT_EQ(got.queries[0].name, "a");
  EXPECT_EQ(got.queries[0].statement.sql(), "select :x, :y");
  ASSERT_EQ(got.queries[0].parameters.size(), 2u);
  EXPECT_EQ(got.queries[0].parameters[0].first, "x");
  EXPECT_EQ(std::get<double>(got.queries[0].parameters[0].second.data()), std::numeric_limits<double>::infinity());
  EXPECT_TRUE(got.queries[0].parameters[1].second.is_null());
  EXPECT_TRUE(got.queries[0].required);
  EXPECT_FALSE(got.queries[0].timeout || got.queries[0].max_rows || got.queries[0].max_bytes);
  EXPECT_EQ(got.queries[1].database, "other");
  EXPECT_EQ(got.queries[1].timeout, 250ms);
  EXPECT_FALSE(got.queries[1].required);
  EXPECT_TRUE(got.queries[1].read_only);
  EXPECT_TRUE(got.queries[1].no_writes);
  EXPECT_FALSE(got.queries[0].read_only);
  EXPECT_EQ(got.queries[1].max_rows, 7u);
  EXPECT_EQ(got.queries[1].max_bytes, 1'000'000'000'000u);
  EXPECT_EQ(got.deadline, 5s);
  EXPECT_EQ(got.max_rows, 8u);
  EXPECT_EQ(got.max_bytes, 9u);
  EXPECT_EQ(got.id, "order 66");
  EXPECT_EQ(got.width, 3u);
  EXPECT_EQ(got.on_error, error_policy::partial);
  EXPECT_EQ(got.priority, priority::low);
}

TEST_F(RequestOnTheWire, CarriesAReply) {
  table_builder rows{{{.name = "n", .oid = 0, .type = "integer"}}};
  rows.add_integer(5'000'000'000);
  reply sent;
  const notice said{
      .severity = "NOTICE", .sqlstate = "00000", .message = "m", .detail = "d", .hint = "h", .context = "c"};
  sent.outcomes = {{.name = "a",
                    .data = rows.finish(),
                    .times = {.queued = 1ns, .released = 3ns, .answered = 4ns},
                    .notices = {.kept = {said, {.severity = "WARNING"}}, .left_out = 93}},
                   {.name = "b", .data = std::any{}},
                   {.name = "c", .data = failure{.code = errc::rejected_sql, .sqlstate = "42601", .position = 8}}};
  sent.failure = failure{.code = errc::rejected_sql,
                         .phase = phase::execute,
                         .query = "c",
                         .message = "no",
                         .reached_server = true,
                         .may_have_effect = true,
                         .detail = "d",
                         .context = "x\ny",
                         .table = "t",
                         .column = "u",
                         .constraint = "v"};
  sent.elapsed = 9ms;
  const auto got = round_trip(sent);
  ASSERT_EQ(got.outcomes.size(), 3u);
  EXPECT_EQ(got["a"].table().scalar<std::int64_t>(), 5'000'000'000);
  EXPECT_EQ(got["a"].times.released, 3ns);
  EXPECT_EQ(got["a"].times.answered, 4ns);
  EXPECT_EQ(got["a"].times.sent, query_times::not_reached);
  EXPECT_FALSE(std::get<std::any>(got["b"].data).has_value());
  EXPECT_EQ(got["c"].error_info()->sqlstate, "42601");
  EXPECT_EQ(got["c"].error_info()->position, 8u);
  ASSERT_TRUE(got.failure);
  EXPECT_EQ(got.failure->query, "c");
  EXPECT_EQ(got.failure->phase, phase::execute);
  EXPECT_TRUE(got.failure->reached_server);
  EXPECT_TRUE(got.failure->may_have_effect);
  EXPECT_EQ(got.failure->detail + got.failure->context + got.failure->table + got.failure->column +
                got.failure->constraint,
            "dx\nytuv");
  ASSERT_EQ(got["a"].notices.kept.size(), 2u);
  const auto& x = got["a"].notices.kept[0];
  EXPECT_EQ(x.severity + x.sqlstate + x.message + x.detail + x.hint + x.context, "NOTICE00000mdhc");
  EXPECT_EQ(got["a"].notices.kept[1].severity, "WARNING");
  EXPECT_EQ(got["a"].notices.left_out, 93u);
  EXPECT_TRUE(got["b"].notices.empty());
  EXPECT_EQ(got.elapsed, 9ms);
}

TEST_F(RequestOnTheWire, OverwritesWhatWasThere) {
  auto plain = made_of({{"a", "select 1"}});
  ASSERT_FALSE(save(plain));
  auto other = made_of({query::of_task("t", [](soci::session&) {})});
  other.deadline = 1s;
  ASSERT_FALSE(load(other));
  EXPECT_FALSE(other.deadline);
  EXPECT_EQ(other.queries[0].statement.sql(), "select 1");

  outcome empty{.name = "a", .data = table{}};
  ASSERT_FALSE(save(empty));
  outcome task{.name = "b", .data = std::any{1}};
  ASSERT_FALSE(load(task));
  EXPECT_EQ(task.table().rows(), 0u);
}

TEST_F(RequestOnTheWire, RefusesWhatCannotLeaveItsProcess) {
  auto with_task = made_of({{"a", "select 1"}, query::of_task("count", [](soci::session&) { return 1; })});
  auto why = save(with_task);
  EXPECT_EQ(why, caf::sec::state_not_serializable);
  EXPECT_NE(to_string(why).find("query count: a C++ task cannot leave its process"), std::string::npos)
      << to_string(why);
  auto in_parts = made_of({{"a", "select 1"}});
  in_parts.queries[0].on_rows = [](const table&, const std::function<void()>&) {};
  why = save(in_parts);
  EXPECT_EQ(why, caf::sec::state_not_serializable);
  EXPECT_NE(to_string(why).find("query a: on_rows cannot leave its process"), std::string::npos) << to_string(why);

  reply with_value;
  with_value.outcomes = {{.name = "count", .data = std::any{1}}};
  why = save(with_value);
  EXPECT_EQ(why, caf::sec::state_not_serializable);
  EXPECT_NE(to_string(why).find("query count: the value that a C++ task returned"), std::string::npos)
      << to_string(why);
}

TEST_F(RequestOnTheWire, RefusesAMessageThatWasCutOffOrBent) {
  auto sent = made_of({{"a", "select :x", {{"x", "text"}}}});
  sent.deadline = 1s;
  ASSERT_FALSE(save(sent));
  const auto whole = bytes_;
  request got;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    bytes_.assign(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_TRUE(load(got)) << size;
  }
  bytes_ = whole;
  bytes_.back() = 3; // The priority.
  EXPECT_EQ(load(got), caf::sec::invalid_argument);
  outcome kind{.name = "", .data = std::any{}};
  ASSERT_FALSE(save(kind));
  bytes_.back() = 9;
  EXPECT_EQ(load(kind), caf::sec::invalid_argument);
}

TEST_F(RequestOnTheWire, PrintsNoValues) {
  const auto asked = made_of({{"a", "select :x", {{"x", "geheim"}}}});
  const auto text = caf::deep_to_string(asked);
  EXPECT_EQ(text.find("geheim"), text.npos) << text;
  EXPECT_NE(text.find("select :x"), text.npos) << text;

  table_builder rows{{{.name = "n", .oid = 0, .type = "text"}}};
  rows.add_text("geheim");
  reply r;
  r.outcomes = {{.name = "a", .data = rows.finish()}, {.name = "b", .data = std::any{1}}};
  EXPECT_EQ(caf::deep_to_string(r).find("geheim"), std::string::npos);
}

TEST_F(RequestOnTheWire, IsAMessageOfCaf) {
  const auto message = caf::make_message(made_of({{"a", "select 1"}}), reply{});
  EXPECT_EQ(message.get_as<request>(0).queries[0].name, "a");
  auto copy = message;
  EXPECT_EQ(copy.get_mutable_as<request>(0).queries.size(), 1u);
}

} // namespace
} // namespace sheaf
