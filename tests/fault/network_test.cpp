// SPDX-License-Identifier: BSD-3-Clause
//
// The faults of a network between the engine and its server, whose packets are lost, late and refused: each request is
// answered once and in time while they last, no write is lost, doubled or told wrongly, and with the network whole
// again all is as before, at both ends.

#include "fault/crowd.hpp"
#include "fault/fault_test.hpp"
#include "support/distant_server.hpp"
#include "support/effort.hpp"
#include "support/network_link.hpp"
#include "support/pgbouncer.hpp"

#include <fmt/format.h>

#include <array>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace {

using namespace sheaf;
using namespace sheaf::test;
using namespace std::chrono_literals;

constexpr int sessions = 8;

struct named_weather {
  std::string_view name;
  weather what;
  bool lets_nothing_through = true;
};

constexpr weather silence{.lost_out = 1, .lost_back = 1};

const std::vector<named_weather> all_weathers{
    {"Silence", silence},
    {"ServerHearsNothing", {.lost_out = 1}},
    {"ServerIsNotHeard", {.lost_back = 1}},
    {"HeavyLoss", {.lost_out = 0.3, .lost_back = 0.3}, false},
    {"DelayWithJitter", {.delay = 100ms, .jitter = 50ms}, false},
    {"Resets", {.refused_by = refusal::reset}},
    {"UnreachableHost", {.refused_by = refusal::unreachable}},
};

/// The network comes before the threads of the actor system, which are where their maker is.
struct far_away {
  network_link link;
  distant_server distant{link};
};

class FaultNetwork : protected far_away, public PostgresqlFault {
protected:
  void open(std::string url) {
    PostgresqlFault::open([&](options& how) {
      how.databases[0].url = std::move(url);
      how.databases[0].pool.max_size = sessions;
    });
  }

  void open() { open(schema.url(fmt::format("host={}", network_link::there))); }

  void TearDown() override {
    link.set({});
    e.reset();
    EXPECT_TRUE(eventually_tidy()); // a cancel that the network has swallowed holds a thread for a while
    EXPECT_TRUE(eventually([&] { return distant.connections() == 0; })) << distant.connections();
    if (!bouncer) // whose connections stay
      PostgresqlFault::TearDown();
  }

  void start_crowd() {
    schema.server("create table " + schema.name() + ".written(n bigint)");
    crowd = std::make_unique<test::crowd>(*e, schema.name() + ".written", 100);
  }

  /// They call until so many more have been answered in full.
  bool is_served(std::uint64_t more) {
    return crowd->call_until(
        [&, goal = crowd->answered_in_full() + more] { return crowd->answered_in_full() >= goal; });
  }

  std::string numbers() const {
    const auto now = e->stats().front();
    return fmt::format("{} asked, {} answered, {} in full; {} active, {} cancelling, {} waiting, {} connecting, {} "
                       "total, {} opened, {} open failures, {} lost",
                       crowd->asked(), crowd->answered(), crowd->answered_in_full(), now.active, now.cancelling,
                       now.waiting, now.connecting, now.total, now.opened, now.open_failures, now.lost);
  }

  bool has_no_session_in_use() {
    const auto now = stats();
    return now.active + now.cancelling + now.waiting == 0;
  }

  /// With the network whole again: all is as before, and the books balance.
  void expect_all_well() {
    ASSERT_TRUE(is_served(300)) << numbers();
    schema.server("select setval('arrivals', 1, false)");
    test::expect_recovery({.run = [this](request asked) { return e->run(std::move(asked)); },
                           .stats = [this] { return stats(); },
                           .sessions = [this] { return bouncer ? distant.connections() : schema.backends(); },
                           .running = [this] { return schema.running(); }});
    EXPECT_TRUE(eventually([&] { return distant.connections() == sessions; })) << distant.connections();
    crowd->expect_balance(schema.server);
    EXPECT_EQ(crowd->failed(errc::internal), 0u);
    EXPECT_EQ(crowd->failed(errc::query_canceled), 0u) << "were hit by the cancels of others";
    EXPECT_EQ(crowd->failed(errc::rejected_sql), 0u);
    RecordProperty("latest_ms", static_cast<int>(crowd->latest().count()));
  }

  std::unique_ptr<test::crowd> crowd;
  std::unique_ptr<pgbouncer> bouncer;
};

enum class between { nothing, pgbouncer };

class FaultNetworkOfAll : public FaultNetwork,
                          public ::testing::WithParamInterface<std::tuple<named_weather, between>> {
protected:
  void SetUp() override {
    if (std::get<1>(GetParam()) == between::pgbouncer) {
      schema.server("alter role sheaf set search_path = " + schema.name()); // PgBouncer takes no `options`
      link.go_there([&] { bouncer = std::make_unique<pgbouncer>("transaction", sessions, network_link::there); });
    }
    FaultNetwork::SetUp();
    if (bouncer)
      open(bouncer->url("application_name=" + schema.name()));
    else
      open();
  }

  const named_weather& bad = std::get<0>(GetParam());
};

TEST_P(FaultNetworkOfAll, IsSurvived) {
  start_crowd();
  ASSERT_TRUE(is_served(300)) << numbers();

  link.set(bad.what);
  const auto harmed = link.harmed(), failed = crowd->failed(), in_full = crowd->answered_in_full();
  const auto end = clock::now() + short_or_long<std::chrono::milliseconds>(500ms, 40s);
  EXPECT_TRUE(crowd->call_until([&] {
    const bool is_felt =
        bad.lets_nothing_through ? crowd->failed() > failed + 200 : crowd->answered_in_full() > in_full;
    return clock::now() >= end && is_felt && link.harmed() > harmed;
  })) << "with the network as it is: "
      << numbers();
  // The network is not whole yet: nobody's answer and no session's end waits for it.
  EXPECT_TRUE(eventually([&] { return has_no_session_in_use(); })) << numbers();

  link.set({});
  expect_all_well();
}

std::string name_of_weather(const ::testing::TestParamInfo<std::tuple<named_weather, between>>& x) {
  return std::string{std::get<0>(x.param).name};
}

INSTANTIATE_TEST_SUITE_P(Direct, FaultNetworkOfAll,
                         ::testing::Combine(::testing::ValuesIn(all_weathers), ::testing::Values(between::nothing)),
                         name_of_weather);
INSTANTIATE_TEST_SUITE_P(BehindPgBouncer, FaultNetworkOfAll,
                         ::testing::Combine(::testing::Values(all_weathers.at(0), all_weathers.at(5)),
                                            ::testing::Values(between::pgbouncer)),
                         name_of_weather);

/// From one weather to another while all is under way.
TEST_F(FaultNetwork, ChangesAsItLikes) {
  open();
  start_crowd();
  ASSERT_TRUE(is_served(300)) << numbers();
  std::mt19937 random{20};
  auto next = clock::now();
  const auto end = next + short_or_long(2s, 60s);
  EXPECT_TRUE(crowd->call_until([&] {
    if (const auto now = clock::now(); now >= next) {
      next = now + std::chrono::milliseconds{random() % 400};
      link.set(random() % 3 == 0 ? weather{} : all_weathers[random() % all_weathers.size()].what);
    }
    return clock::now() >= end;
  })) << numbers();
  link.set({});
  expect_all_well();
}

/// Statements are at work, and their results set out into the silence: when it is over they arrive.
TEST_F(FaultNetwork, ThatIsSilentForAMomentCostsNoSession) {
  open();
  const auto pids = fill_pool();
  schema.server("select setval('arrivals', 1, false)");
  std::vector<std::future<reply>> asked;
  for (int i = 0; i < sessions; ++i)
    asked.push_back(run_later({"q", fmt::format("select meet({})", sessions + 1)}));
  ASSERT_TRUE(eventually([&] { return schema.running() == sessions; })) << schema.running();
  link.set(silence);
  schema.server(fmt::format("select meet({})", sessions + 1));
  EXPECT_TRUE(eventually([&] { return schema.running() == 0; }));
  EXPECT_TRUE(eventually([&] { return link.harmed() >= sessions; }));
  link.set({});
  std::set<int> answered;
  for (auto& x : asked) {
    const auto got = x.get();
    ASSERT_TRUE(got.ok()) << to_string(*got.failure);
    answered.insert(number_in(got["q"]));
  }
  EXPECT_EQ(answered, std::set<int>(pids.begin(), pids.end()));
  EXPECT_EQ(stats().lost, 0u);
}

/// The server is heard neither to have got the writes nor to have done them; they are sent again, and then refused.
TEST_F(FaultNetwork, ThatResetsTheConnectionsOfWritesThatAreDoneLeavesThemInDoubt) {
  open();
  fill_pool();
  const auto table = schema.name() + ".written";
  schema.server("create table " + table + "(n int)");
  ASSERT_TRUE(eventually([&] { return stats().idle == sessions; }));
  link.set({.lost_back = 1});
  std::vector<std::future<reply>> asked;
  for (int i = 0; i < sessions; ++i)
    asked.push_back(run_later({"write", "insert into written values (:n)", {{"n", i}}}));
  const auto are_done = [&] { return schema.server.number("select count(*) from " + table) == sessions; };
  ASSERT_TRUE(eventually(are_done));
  link.set({.refused_by = refusal::reset});
  ASSERT_TRUE(eventually([&] { return stats().lost == sessions; })) << stats().lost;
  link.set({});
  for (auto& x : asked) {
    const auto got = x.get();
    ASSERT_FALSE(got.ok());
    EXPECT_EQ(got.failure->code, errc::in_doubt) << to_string(*got.failure);
    EXPECT_FALSE(safe_to_retry(*got.failure));
  }
  EXPECT_TRUE(are_done()) << "some have run twice";
  expect_recovery();
}

/// The server has a session that is not open yet: it has not heard that it is to end with its client.
TEST_F(FaultNetwork, ThatSwallowsWhatOpensASessionLeavesTheServerNone) {
  open(schema.url(fmt::format("host={} connect_timeout=4 tcp_user_timeout=500", network_link::there)));
  link.set({.largest_out = 300}); // the settings are in a packet that is larger
  const auto x = run("select 1");
  ASSERT_FALSE(x.ok());
  EXPECT_EQ(x.failure->code, errc::connect_failed) << to_string(*x.failure);
  EXPECT_EQ(schema.backends(), 1);
  link.set({});
  EXPECT_TRUE(eventually([&] { return schema.backends() == 0; })) << "it is there for good";
  expect_recovery();
}

/// No deadline ends anything, and nothing was on its way, not even that something has come: both ends find out by
/// themselves, while it is silent.
TEST_F(FaultNetwork, ThatFallsSilentIsNoticedAtBothEnds) {
  open();
  fill_pool();
  std::vector<std::future<reply>> asked;
  for (int i = 0; i < sessions / 2; ++i)
    asked.push_back(run_later(endless(), 1h));
  ASSERT_TRUE(eventually([&] { return schema.running() == sessions / 2; })) << schema.running();
  ASSERT_TRUE(eventually([&] { return stats().idle == sessions - asked.size(); })) << "the others are cleaned up";
  ASSERT_TRUE(eventually([&] { return distant.unacknowledged() == 0; }));
  link.set(silence);
  for (auto& x : asked) {
    ASSERT_EQ(x.wait_for(1min), std::future_status::ready) << "the engine does not notice";
    const auto got = x.get();
    ASSERT_FALSE(got.ok());
    EXPECT_EQ(got["endless"].error_info()->code, errc::connection_lost) << to_string(*got.failure);
  }
  EXPECT_TRUE(eventually([&] { return schema.backends() == 0; })) << schema.backends() << " do not notice";
  EXPECT_TRUE(eventually([&] { return stats().total == 0; })) << stats().total << " sessions are taken for whole";
  link.set({});
  expect_recovery();
}

} // namespace
