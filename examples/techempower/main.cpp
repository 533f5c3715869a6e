// SPDX-License-Identifier: BSD-3-Clause
//
// TechEmpower's database tests (https://github.com/TechEmpower/FrameworkBenchmarks/wiki), as a service that has the
// engine and its HTTP connections on the same threads:
//
//   GET /db                  one random row of the table world: {"id":1,"randomNumber":2}
//   GET /queries?queries=N   N of them (1 to 500), each by a query of its own, all at once: [{"id":…},…]
//
// A service embeds the engine so: it makes one, and on each of its loops, by `engine::run_on_each_loop`, its sockets
// and timers (server.cpp). A request that is given to `run_async` there stays there, and so does the reply
// (connection.cpp): it never changes threads. Before the engine goes, the service takes these down (`server::stop`).
//
//   psql "$CONNINFO" -c 'create table world (id integer primary key, randomnumber integer not null)'
//   psql "$CONNINFO" -c 'insert into world select id, 1 + random() * 9999 from generate_series(1, 10000) id'
//   techempower --port 8080 --pool 16 --conninfo "$CONNINFO"

#include "server.hpp"

#include "sheaf/engine.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <CLI/Validators.hpp>

#include <csignal>
#include <cstdio>
#include <string>

namespace {

constexpr int exit_usage = 1, exit_failed = 2;

struct arguments {
  unsigned short port = 8080;
  std::size_t pool = 16, loops = 2;
  unsigned idle_seconds = 30;
  std::string conninfo;
};

sheaf::options engine_options(const arguments& from) {
  // Each connection has one request, of which as many queries at once as there are sessions.
  auto how = sheaf::for_database(from.conninfo,
                                 {.max_size = from.pool, .max_queue_size = techempower::connections_max * from.pool});
  how.loops = from.loops;
  how.deadline = std::chrono::seconds{10};
  return how;
}

/// Blocks the signals that end the service, here and in the threads to come, so that they can be waited for.
sigset_t block_signals() {
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return ends;
}

int run(const arguments& how) {
  const auto ends = block_signals();
  sheaf::engine engine{engine_options(how)};
  techempower::server server{engine, how.port, std::chrono::seconds{how.idle_seconds}};
  std::printf("listening on http://127.0.0.1:%d\n", server.port());
  std::fflush(stdout);
  int signal = 0;
  sigwait(&ends, &signal);
  server.stop();
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  arguments how;
  CLI::App app{"Answers TechEmpower's database tests over HTTP, on 127.0.0.1."};
  app.add_option("--port", how.port, "0 for any that is free")->capture_default_str();
  app.add_option("--pool", how.pool, "Database sessions, all loops together")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  app.add_option("--loops", how.loops, "Event loops (threads), each with its share of the sessions")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--idle-seconds", how.idle_seconds, "How long a connection may keep the service waiting")
      ->check(CLI::Range(1, 3600))
      ->capture_default_str();
  app.add_option("--conninfo", how.conninfo, "The database: postgresql://… or libpq's keywords")->required();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& why) {
    return app.exit(why) == 0 ? 0 : exit_usage;
  }
  try {
    return run(how);
  } catch (const std::exception& why) {
    std::fprintf(stderr, "techempower: %s\n", why.what());
    return exit_failed;
  }
}
