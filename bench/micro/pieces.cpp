// SPDX-License-Identifier: BSD-3-Clause
//
// The cost of each piece of a query's way, without a database: `build/release/bench/sheaf_micro`.

#include "sheaf/backend.hpp"
#include "sheaf/core/engine_core.hpp"
#include "sheaf/data/pgresult_rows.hpp"
#include "sheaf/data/pgresult_table.hpp"
#include "sheaf/data/table_storage.hpp"
#include "sheaf/sql/scanner.hpp"

#include <benchmark/benchmark.h>
#include <libpq-fe.h>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <future>

namespace {

using namespace sheaf;

constexpr auto sql = "select id, title, price from book where author = :author and published > :since -- the newest\n"
                     "order by published desc limit 10";

/// A session that answers at once, within `push` as far as its listener can tell: the rest is the engine.
class instant_session final : public session {
public:
  explicit instant_session(event_loop& loop) : loop_(loop) {}

  std::size_t room() const noexcept override { return 1; }
  bool usable() const noexcept override { return true; }
  void on_broken(std::function<void()>) override {}
  int id() const noexcept override { return 0; }

private:
  void start(session_run& x) override {
    loop_.post([&x] { finish(x, table{}); });
  }
  void stop(session_run&) override {} // its end is on its way
  void go_on(session_run&) override {}

  event_loop& loop_;
};

class instant_factory final : public session_factory {
public:
  void open(event_loop& loop, clock::time_point, std::function<void(result<std::unique_ptr<session>>)> done) override {
    loop.post([&loop, done = std::move(done)] { done(std::make_unique<instant_session>(loop)); });
  }
  sheaf::dialect dialect() const noexcept override { return dialect::postgresql; }
};

class instant_backend final : public backend {
public:
  std::string_view name() const noexcept override { return "instant"; }
  sheaf::dialect dialect() const noexcept override { return dialect::postgresql; }
  bool infers_types() const noexcept override { return true; }
  bool takes(std::string_view) const noexcept override { return true; }
  std::optional<failure> check(const std::string&) const override { return {}; }
  result<std::unique_ptr<session_factory>> make_factory(const database_options&, blocking_executor&) const override {
    return std::make_unique<instant_factory>();
  }
  std::optional<failure> run(soci::session&, const std::string&, const text_row&) const override { return {}; }
  std::optional<failure> prepare(soci::session&, const std::string&) const override { return {}; }
  std::string placeholder(std::size_t) const override { return {}; }
};

// -- statements
// --------------------------------------------------------------------------------------------------------------

void scan_a_statement(benchmark::State& state) {
  for (auto _ : state)
    benchmark::DoNotOptimize(parse_statement(sql, dialect::postgresql, {}));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(std::string_view{sql}.size()));
}
BENCHMARK(scan_a_statement);

void take_a_statement_that_is_known(benchmark::State& state) {
  const statement known{sql};
  known.parse(dialect::postgresql, {});
  for (auto _ : state)
    benchmark::DoNotOptimize(known.known(dialect::postgresql));
}
BENCHMARK(take_a_statement_that_is_known);

// -- tables
// ------------------------------------------------------------------------------------------------------------------

/// Rows of an int4 in binary format and a text.
pgresult_ptr rows_of(int count) {
  pgresult_ptr rows{PQmakeEmptyPGresult(nullptr, PGRES_TUPLES_OK)};
  char id[] = "id", title[] = "title", value[] = {0, 0, 1, 2}, text[] = "A title of usual length";
  PGresAttDesc columns[] = {{id, 0, 0, 1, 23, 4, -1}, {title, 0, 0, 1, 25, -1, -1}};
  PQsetResultAttrs(rows.get(), 2, columns);
  for (int row = 0; row < count; ++row) {
    PQsetvalue(rows.get(), row, 0, value, sizeof value);
    PQsetvalue(rows.get(), row, 1, text, sizeof text - 1);
  }
  return rows;
}

void pack_a_row(benchmark::State& state) {
  const auto rows = rows_of(1);
  const auto columns = columns_of(*rows);
  for (auto _ : state)
    benchmark::DoNotOptimize(table{packed_rows::make(*rows, columns)});
}
BENCHMARK(pack_a_row);

void read_a_cell(benchmark::State& state) {
  const auto t = table_of(rows_of(static_cast<int>(state.range(0))));
  std::size_t sum = 0;
  for (auto _ : state)
    for (std::size_t row = 0; row < t.rows(); ++row)
      sum += static_cast<std::size_t>(t.get<std::int32_t>(row, 0)) + t.get<std::string_view>(row, 1).size();
  benchmark::DoNotOptimize(sum);
  state.SetItemsProcessed(state.iterations() * 2 * static_cast<std::int64_t>(t.rows()));
}
BENCHMARK(read_a_cell)->Arg(1)->Arg(10'000);

// -- the loop, the pool, the actors
// ------------------------------------------------------------------------------------------

/// Runs `f` on a loop of its own.
template <class F>
void on_a_loop(F f) {
  auto loop = std::make_shared<event_loop>();
  loop->start();
  std::promise<void> done;
  loop->post([&] { f(*loop, [&done] { done.set_value(); }); });
  done.get_future().wait();
  loop->stop();
}

void hop_to_a_loop_and_back(benchmark::State& state) {
  auto loop = std::make_shared<event_loop>();
  loop->start();
  for (auto _ : state) {
    std::promise<void> there;
    loop->post([&there] { there.set_value(); });
    there.get_future().wait();
  }
  loop->stop();
}
BENCHMARK(hop_to_a_loop_and_back)->UseRealTime();

struct one_client final : session_waiter {
  void on_lease(lease got) override { held = std::move(got); }
  void on_refused(failure) override {}
  void on_call(session_pool&, clock::time_point) override {}
  lease held;
};

void hand_a_session_to_the_next(benchmark::State& state) {
  instant_factory factory;
  const engine_log log{nullptr};
  on_a_loop([&](event_loop& loop, auto done) {
    auto pool = std::make_shared<session_pool>(loop, factory, log, "main", pool_options{.max_size = 1});
    auto first = std::make_shared<one_client>();
    static_cast<void>(pool->acquire(*first, priority::normal));
    loop.post([&loop, &state, pool, first, done] { // its session is open
      loop.post([&state, pool, first, done] {
        one_client second;
        auto *holder = first.get(), *waiter = &second;
        for (auto _ : state) {
          static_cast<void>(pool->acquire(*waiter, priority::normal));
          holder->held.give_back();
          std::swap(holder, waiter);
        }
        holder->held.give_back();
        pool->close([pool, done] { done(); });
      });
    });
  });
}
BENCHMARK(hand_a_session_to_the_next);

/// A request of N queries on an engine whose sessions answer at once: spawn, lease, join, reply.
void spawn_and_join(benchmark::State& state) {
  caf::actor_system_config config;
  config.set("scheduler.max-threads", 1);
  caf::actor_system system{config};
  const instant_backend instant;
  auto how = for_database("instant:", {.max_size = 16});
  how.databases.front().backend = &instant;
  const auto core = std::move(engine_core::create(std::move(how), system).value());
  const auto n = static_cast<std::size_t>(state.range(0));
  const statement known{sql};
  std::promise<void> over;
  std::function<void(reply)> next = [&](const reply&) {
    if (!state.KeepRunning()) {
      over.set_value();
      return;
    }
    request r;
    for (std::size_t i = 0; i < n; ++i)
      r.queries.emplace_back("", known, parameters{{"author", "Author 7"}, {"since", 2020}});
    core->submit(std::move(r), next);
  };
  core->loops().each().front()->loop->post([&] { next({}); });
  over.get_future().wait();
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(spawn_and_join)->Arg(1)->Arg(20)->Arg(1000)->UseRealTime();

} // namespace

BENCHMARK_MAIN();
