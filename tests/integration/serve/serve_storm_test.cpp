// SPDX-License-Identifier: BSD-3-Clause
//
// Many clients on a server whose backends are killed at random: each request is answered, and all is well afterwards.

#include "integration/serve/serve_test.hpp"

#include "support/database_under_test.hpp"
#include "support/effort.hpp"

#include <fmt/format.h>

#include <array>
#include <atomic>
#include <thread>
#include <vector>

namespace {

using namespace sheaf::test;

class ServeStorm : public ServeTest {
protected:
  static constexpr int clients = 64;
  const int kills = short_or_long(50, 1000);

  /// One client on one connection: asks again and again, reads or writes.
  void ask(int client) {
    http_client me{port};
    for (int n = 0; !over; ++n) {
      const bool writes = (client + n) % 4 == 0;
      ++asked;
      const auto x = writes ? me.post("/requests/write", fmt::format("{{\"n\": {}}}", client * 1'000'000 + n))
                            : me.get("/requests/read?ids=1&ids=2&ids=3");
      ++statuses[static_cast<std::size_t>(x.status)];
      written += writes && x.status == 200;
      if (x.status == 200 && !writes) {
        EXPECT_NE(x.body.find("\"each[2]\""), x.body.npos) << x.body;
      }
      if (x.status == 0)
        return; // counted; the connection is no more
    }
  }

  std::atomic<bool> over = false;
  std::atomic<std::uint64_t> asked = 0, written = 0;
  std::array<std::atomic<std::uint64_t>, 600> statuses{};
};

TEST_F(ServeStorm, AnswersEachRequestWhileBackendsAreKilled) {
  postgresql_schema schema;
  schema.server(fmt::format("create table {}.written(n bigint primary key)", schema.name()));
  serve_postgresql(schema, R"yaml(
  read:
    parameters: {ids: {type: "int[]"}}
    queries: {each: {sql: "select :id::int from pg_sleep(0.001)", for_each: {id: "{ids}"}, read_only: true}}
  write:
    parameters: {n: {type: int}}
    queries: {row: "insert into written values (:n)"}
)yaml",
                   {"--no-access-log"});
  std::vector<std::thread> all;
  for (int i = 0; i < clients; ++i)
    all.emplace_back([this, i] { ask(i); });
  const auto kill = fmt::format("select count(pg_terminate_backend(pid)) from (select pid from pg_stat_activity where "
                                "application_name = '{}' order by random() limit 1) one",
                                schema.name());
  for (int killed = 0; killed < kills;) {
    const auto before = statuses[200].load();
    if (!eventually([&] { return statuses[200] > before + 20; })) {
      ADD_FAILURE() << "nothing is answered any more, after " << killed << " kills";
      break;
    }
    killed += schema.server.number(kill);
  }
  over = true;
  for (auto& t : all)
    t.join();

  std::uint64_t answered = 0;
  for (std::size_t status = 1; status < statuses.size(); ++status) {
    answered += statuses[status];
    EXPECT_TRUE(statuses[status] == 0 || status == 200 || status == 503 || status == 500) << status;
  }
  EXPECT_EQ(statuses[0], 0u) << "without an answer";
  EXPECT_EQ(answered, asked);
  EXPECT_GE(schema.server.number(fmt::format("select count(*) from {}.written", schema.name())),
            static_cast<int>(written.load()));
  EXPECT_TRUE(eventually([&] { return get("/readyz").status == 200; }));
  EXPECT_EQ(get("/requests/read?ids=1").status, 200);
}

} // namespace
