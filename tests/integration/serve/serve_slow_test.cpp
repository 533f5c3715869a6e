// SPDX-License-Identifier: BSD-3-Clause
//
// `sheaf serve` under the three attacks of slowhttptest: hundreds of clients that send their head or their body, or
// read their answer, a few bytes a second. Each is given up for the time of the whole, and meanwhile others are
// answered.

#include "integration/serve/serve_test.hpp"

#include <atomic>
#include <optional>
#include <thread>

namespace {

using namespace sheaf::test;
using testing::HasSubstr;

constexpr const char* requests = R"(
  one: {queries: {n: select 1}}
  large: {deadline: 5s, queries: {rows: "with recursive c(i) as (select 1 union all select i + 1 from c where i < 60)
                                         select i, hex(zeroblob(50000)) from c"}}
)";

class ServeSlow : public ServeTest {
protected:
  static constexpr int attackers = 200;

  /// Connects within a second, and sends or reads a little each second, for as long as it is let or for this long.
  cli::words attack(cli::words how, const std::string& target, int seconds_max) const {
    how.insert(how.begin(),
               {"slowhttptest", "-c", std::to_string(attackers), "-r", std::to_string(attackers), "-i", "1", "-l",
                std::to_string(seconds_max), "-u", "http://127.0.0.1:" + std::to_string(port) + target});
    return how;
  }

  /// Attacks until nobody is let any more, and gives how that ended.
  std::string attack_to_the_end(cli::words how) const {
    const auto said = cli::run(attack(std::move(how), "/requests/one", 20)).out;
    const auto at = said.rfind("Exit status:");
    return at == said.npos ? said : said.substr(at);
  }

  /// Asks on one connection, one request after another, while `attacked` runs.
  template <class Function>
  void beside_another_client(Function attacked) {
    std::atomic<bool> over = false;
    std::thread other{[&] {
      http_client me{port};
      while (!over)
        ASSERT_EQ(me.get("/requests/one?shape=scalar").status, 200);
    }};
    attacked();
    over = true;
    other.join();
    EXPECT_EQ(get("/healthz").status, 200);
  }

  /// The sum of the numbers in /metrics whose line begins and goes on so.
  int metric(const std::string& name, const std::string& label = {}) {
    if (!asks_metrics)
      asks_metrics.emplace(port);
    int sum = 0;
    for (const auto& line : cli::lines_of(asks_metrics->get("/metrics").body))
      if (line.starts_with(name) && line.find(label) != line.npos)
        sum += std::stoi(line.substr(line.rfind(' ')));
    return sum;
  }
  int answers(const std::string& label) { return metric("http_server_request_duration_seconds_count{", label); }

  std::optional<http_client> asks_metrics; ///< On one connection, which counts as such.
};

TEST_F(ServeSlow, HeadsAreGivenUp) {
  serve_sqlite(requests, {"--header-timeout", "3s", "--no-access-log"});
  beside_another_client([&] {
    EXPECT_THAT(attack_to_the_end({"-H"}), HasSubstr("No open connections left"));
    EXPECT_EQ(answers("=\"408\""), attackers);
  });
}

// A body that is not JSON would be refused before it has come: nothing would have to be waited for.
TEST_F(ServeSlow, BodiesAreGivenUp) {
  serve_sqlite(requests, {"--body-timeout", "3s", "--no-access-log"});
  beside_another_client([&] {
    EXPECT_THAT(attack_to_the_end({"-B", "-t", "POST", "-f", "application/json"}),
                HasSubstr("No open connections left"));
    EXPECT_EQ(answers("=\"408\""), attackers);
  });
}

// The answer is larger than what the system takes from the service at once. There is room for some of them, and a short
// refusal for the others, which then say nothing more. The attackers themselves do not see that they are left, as they
// have not read so far: they would go on for longer than we wait.
TEST_F(ServeSlow, ReadersAreGivenUp) {
  serve_sqlite(requests,
               {"--write-timeout", "3s", "--idle-timeout", "3s", "--max-unread-bytes", "100000000", "--no-access-log"});
  beside_another_client([&] {
    const cli::child reading{attack({"-X"}, "/requests/large", 300)};
    constexpr int ours = 2; // connections
    EXPECT_TRUE(eventually(
        [&] { return answers("/requests/large") >= attackers && metric("sheaf_http_connections ") == ours; }));
    EXPECT_GT(answers("=\"499\""), 0);
  });
}

} // namespace
