// SPDX-License-Identifier: BSD-3-Clause
//
// sheaf_overload: offers more requests than a pool can answer, and prints what came of them as one line of JSON.

#include "overload.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace {

constexpr int exit_usage = 1, exit_failed = 2;

} // namespace

int main(int argc, char** argv) {
  bench::overload::run_options how;
  CLI::App app{
      "Offers requests at moments settled beforehand, first at half the pool's capacity, then at a multiple of it, "
      "then at 0.8 times; prints one line of JSON."};
  const auto positive = [&](const std::string& name, auto& value, const std::string& what) {
    app.add_option(name, value, what)->check(CLI::PositiveNumber)->capture_default_str();
  };
  app.add_option("--conninfo", how.conninfo, "libpq's keywords")->required();
  positive("--sessions", how.sessions, "sessions of the pool");
  app.add_option("--loops", how.loops, "event loops, each with its share of the sessions")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  positive("--queries", how.queries, "queries of a request");
  positive("--service-ms", how.service_ms, "time that a query sleeps in the database");
  positive("--load", how.load, "requests offered, as a multiple of what keeps all sessions busy");
  positive("--deadline-times", how.deadline_times, "deadline, as a multiple of the time that a request takes alone");
  positive("--seconds", how.counted_seconds,
           "time at this load that counts, once a queue would be as long as the deadline");
  app.add_option("--arrivals", how.arrivals, "poisson, or even: evenly spaced")
      ->check(CLI::IsMember({"even", "poisson"}))
      ->capture_default_str();
  app.add_option("--priorities", how.priorities, "none, or mixed: a third of the requests each")
      ->check(CLI::IsMember({"none", "mixed"}))
      ->capture_default_str();
  app.add_option("--seed", how.seed, "the same seed offers the same requests at the same moments")
      ->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : exit_usage;
  }
  if (how.loops > how.sessions) {
    fmt::print(stderr, "sheaf_overload: --loops {} is more than --sessions {}: each loop needs a session\n", how.loops,
               how.sessions);
    return exit_usage;
  }
  try {
    fmt::print("{}\n", to_json(how, offer(how)));
  } catch (const std::exception& e) {
    const std::string_view line = e.what();
    fmt::print(stderr, "sheaf_overload: {}\n", line.substr(0, line.find('\n')));
    return exit_failed;
  }
  return 0;
}
