// SPDX-License-Identifier: BSD-3-Clause
//
// sheaf_bench: keeps C requests of N queries in flight on P sessions, and prints what that took as one line of JSON.

#include "workload.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace bench {

namespace {

constexpr std::array<std::string_view, 7> names{"sleep", "count", "world", "wide", "mixed", "tasks", "sqlite"};

struct peer {
  std::string_view name;
  void (*run)(const run_options&, const window&, std::vector<client>&);
};

constexpr std::array<peer, 8> peers{{{"sheaf", run_sheaf},
                                     {"run", run_sheaf},
                                     {"scoped", run_sheaf},
                                     {"actor", run_sheaf},
                                     {"raw", run_raw},
                                     {"pipeline", run_pipeline},
                                     {"pipeline_each", run_pipeline},
                                     {"loop", run_loop}}};

/// Null where there is none.
const peer* peer_named(std::string_view name) {
  const auto* x = std::find_if(peers.begin(), peers.end(), [&](const peer& p) { return p.name == name; });
  return x == peers.end() ? nullptr : x;
}

bool has_workload(const peer& p, workload w) {
  if (p.run == run_raw)
    return w != workload::tasks && w != workload::sqlite;
  if (p.run == run_pipeline)
    return w == workload::world;
  return p.run != run_loop || w == workload::sqlite;
}

constexpr int exit_usage = 1, exit_failed = 2, exit_unknown = 3;

double cpu_us() {
  rusage u{};
  ::getrusage(RUSAGE_SELF, &u);
  const auto us = [](timeval t) { return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_usec); };
  return us(u.ru_utime) + us(u.ru_stime);
}

double max_rss_mb() {
  rusage u{};
  ::getrusage(RUSAGE_SELF, &u);
  return static_cast<double>(u.ru_maxrss) / 1024;
}

/// Sorts `xs`. 0 when there are none.
float quantile(std::vector<float>& xs, double q) {
  if (xs.empty())
    return 0;
  const auto i = std::min(xs.size() - 1, static_cast<std::size_t>(q * static_cast<double>(xs.size())));
  std::nth_element(xs.begin(), xs.begin() + static_cast<std::ptrdiff_t>(i), xs.end());
  return xs[i];
}

std::vector<float> all(const std::vector<client>& clients, std::vector<float> client::*part) {
  std::vector<float> xs;
  for (const auto& c : clients)
    xs.insert(xs.end(), (c.*part).begin(), (c.*part).end());
  return xs;
}

/// Opening the sessions takes its time; the window begins after it and the warm-up.
constexpr auto time_to_open = std::chrono::milliseconds{1500};

std::string measure(const run_options& how, const peer& who) {
  std::vector<client> clients;
  for (std::size_t i = 0; i < how.concurrency; ++i)
    clients.emplace_back(i + 1);
  const auto part = [&](double share) {
    return std::chrono::duration_cast<clock::duration>(std::chrono::duration<double>(how.seconds * share));
  };
  window w;
  w.from = clock::now() + time_to_open + part(0.2);
  w.until = w.from + part(1);

  std::array<double, 2> cpu{};
  std::mutex mutex;
  std::condition_variable over;
  bool done = false;
  std::thread accountant{[&] {
    std::unique_lock guard{mutex};
    if (over.wait_until(guard, w.from, [&] { return done; }))
      return;
    cpu[0] = cpu_us();
    over.wait_until(guard, w.until, [&] { return done; });
    cpu[1] = cpu_us();
  }};
  const auto end_accounts = [&] {
    {
      std::lock_guard guard{mutex};
      done = true;
    }
    over.notify_one();
    accountant.join();
  };
  try {
    who.run(how, w, clients);
  } catch (...) {
    end_accounts();
    throw;
  }
  end_accounts();

  auto latencies = all(clients, &client::latencies_us);
  auto short_latencies = all(clients, &client::short_latencies_us);
  if (latencies.empty())
    throw std::runtime_error("no request was over within the measured time: raise --seconds");
  const auto requests = static_cast<double>(latencies.size());
  std::size_t packed = 0;
  for (const auto& c : clients)
    packed += c.packed;
  return fmt::format(
      R"({{"peer": "{}", "workload": "{}", "n_queries": {}, "pool": {}, "concurrency": {}, "requests": {}, )"
      R"("req_per_s": {:.2f}, "p50_us": {:.1f}, "p99_us": {:.1f}, "client_cpu_us_per_request": {:.2f}, )"
      R"("max_rss_mb": {:.1f}, "short_query_p99_us": {:.1f}, "loops": {}, "pack": {}, "packed_share": {:.3f}}})",
      how.peer, name_of(how.load), how.n, how.pool, how.concurrency, latencies.size(), requests / how.seconds,
      quantile(latencies, 0.5), quantile(latencies, 0.99), (cpu[1] - cpu[0]) / requests, max_rss_mb(),
      quantile(short_latencies, 0.99), how.loops,
      who.run == run_sheaf ? fmt::format("\"{}\"", how.pack) : std::string{"null"},
      static_cast<double>(packed) / (requests * static_cast<double>(how.n)));
}

} // namespace

std::optional<workload> workload_named(std::string_view name) {
  const auto i = std::find(names.begin(), names.end(), name);
  return i == names.end() ? std::nullopt : std::optional{static_cast<workload>(i - names.begin())};
}

std::string_view name_of(workload w) { return names[static_cast<std::size_t>(w)]; }

bool is_slow(workload w, std::size_t index, std::size_t n) { return w == workload::mixed && index + 1 == n; }

} // namespace bench

int main(int argc, char** argv) {
  using namespace bench;
  run_options how;
  std::string workload_name = "world";
  CLI::App app{"Measures sheaf, or libpq or SQLite without it, on one workload; prints one line of JSON."};
  app.add_option("--peer", how.peer,
                 "sheaf, by callbacks (sheaf), threads that wait (run), scoped actors (scoped), actors (actor); raw "
                 "libpq, a query on each connection (raw), or a request as one pipeline with one sync (pipeline) or a "
                 "sync after each query (pipeline_each), both for world alone; or, for sqlite alone, one query after "
                 "another on one thread and one connection, whatever --concurrency, --pool and --loops say (loop)")
      ->capture_default_str();
  app.add_option("--workload", workload_name, "sleep, count, world, wide, mixed, tasks or sqlite")
      ->capture_default_str();
  app.add_option("--n", how.n, "queries of a request")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--pool", how.pool, "sessions")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--concurrency", how.concurrency, "requests in flight")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--loops", how.loops, "event loops, each with its share of the sessions")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--pack", how.pack, "whether the lookups of a request share sessions; has no effect without sheaf")
      ->check(CLI::IsMember({"auto", "never", "always"}))
      ->capture_default_str();
  app.add_option("--seconds", how.seconds, "measured time, after a warm-up of a fifth")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--conninfo", how.conninfo, "libpq's keywords, or sqlite:path")->required();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : exit_usage;
  }
  const auto chosen = workload_named(workload_name);
  const auto* who = peer_named(how.peer);
  if (!chosen || !who) {
    fmt::print(stderr, "sheaf_bench: no such {}: see --help\n", chosen ? "peer" : "workload");
    return exit_unknown;
  }
  if (!has_workload(*who, *chosen)) {
    fmt::print(stderr, "sheaf_bench: {} has no workload {}: see --help\n", how.peer, workload_name);
    return exit_unknown;
  }
  if (who->run == run_loop)
    how.concurrency = how.pool = how.loops = 1;
  if (how.loops > how.pool) {
    fmt::print(stderr, "sheaf_bench: --loops {} is more than --pool {}: each loop needs a session\n", how.loops,
               how.pool);
    return exit_usage;
  }
  how.load = *chosen;
  try {
    fmt::print("{}\n", measure(how, *who));
  } catch (const std::exception& e) {
    std::string_view line = e.what();
    fmt::print(stderr, "sheaf_bench: {}\n", line.substr(0, line.find('\n')));
    return exit_failed;
  }
  return 0;
}
