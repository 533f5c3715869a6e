// SPDX-License-Identifier: BSD-3-Clause
//
// The workloads on sheaf, by each of its ways in: a client sends its next request from the callback of the last one,
// waits for it on a thread, as a scoped actor as well, or is an actor on CAF's scheduler.

#include "workload.hpp"

#include "sheaf/protocol.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>

#include <fmt/format.h>

#include <soci/soci.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <thread>

namespace bench {

namespace {

/// Lookups are run again when their session is lost, but what that took is no figure.
constexpr const char* session_lost = "a session was lost while it was measured";

class sheaf_run {
public:
  sheaf_run(const run_options& how, const window& w, std::vector<client>& clients)
    : how_(how), window_(w), engine_(std::move(*sheaf::engine::create(options_for(how), system_).value())),
      open_(clients.size()) {
    open_all_sessions();
    std::vector<std::thread> threads;
    for (auto& c : clients)
      if (how_.peer == "run")
        threads.emplace_back([this, &c] { wait_for_each(c); });
      else if (how_.peer == "scoped")
        threads.emplace_back([this, &c] { ask_and_wait(c); });
      else if (how_.peer == "actor")
        system_.spawn([this, &c](caf::event_based_actor* self) { ask(self, c); });
      else
        send(c);
    {
      std::unique_lock guard{mutex_};
      over_.wait(guard, [this] { return open_ == 0; });
    }
    for (auto& x : threads)
      x.join();
    if (engine_.stats().front().lost != 0)
      fail(session_lost);
    if (!failure_.empty())
      throw std::runtime_error(failure_);
  }

private:
  static sheaf::options options_for(const run_options& how) {
    auto o = sheaf::for_database(how.conninfo, {.max_size = how.pool, .max_queue_size = 1'000'000});
    o.databases.front().pack = packing_named(how.pack);
    o.loops = how.loops;
    return o;
  }

  static sheaf::packing packing_named(std::string_view name) {
    return name == "never"    ? sheaf::packing::never
           : name == "always" ? sheaf::packing::always
                              : sheaf::packing::automatic;
  }

  /// All sessions at once, each with a query that takes longer than opening the others; longer yet where that was not
  /// enough.
  void open_all_sessions() {
    if (how_.load == workload::sqlite)
      return;
    for (const double seconds : {0.2, 0.5, 1.0, 2.0, 5.0}) {
      sheaf::request r;
      for (std::size_t i = 0; i < how_.pool; ++i)
        r.queries.emplace_back("", sheaf::statement{"select pg_sleep(:seconds)"},
                               sheaf::parameters{{"seconds", seconds}});
      if (const auto got = engine_.run(std::move(r)); !got.ok())
        throw std::runtime_error(to_string(*got.failure));
      if (engine_.stats().front().total == how_.pool)
        return;
    }
    throw std::runtime_error(fmt::format("only {} of {} sessions could be opened: lower --pool, or raise the server's "
                                         "max_connections",
                                         engine_.stats().front().total, how_.pool));
  }

  sheaf::request next_request(client& c) {
    sheaf::request r;
    r.queries.reserve(how_.n);
    for (std::size_t i = 0; i < how_.n; ++i)
      r.queries.push_back(next_query(c, i));
    return r;
  }

  sheaf::query next_query(client& c, std::size_t index) {
    if (is_slow(how_.load, index, how_.n))
      return {"", slow_};
    switch (how_.load) {
    case workload::sleep:
      return {"", sleep_};
    case workload::count:
      return {"", count_};
    case workload::wide:
      return {"", wide_};
    case workload::tasks:
      return sheaf::query::of_task("", [id = c.ids.next()](soci::session& s) {
        int found = 0, number = 0;
        s << "select id, randomnumber from world where id = :id", soci::use(id), soci::into(found), soci::into(number);
        return found + number;
      });
    default:
      sheaf::query lookup{"", world_, {{"id", c.ids.next()}}};
      lookup.read_only = true; // without it nothing is packed
      return lookup;
    }
  }

  void send(client& c) {
    c.began = clock::now();
    engine_.run_async(next_request(c), [this, &c](const sheaf::reply& r) {
      if (take(c, r))
        send(c);
    });
  }

  void wait_for_each(client& c) {
    do
      c.began = clock::now();
    while (take(c, engine_.run(next_request(c))));
  }

  void ask_and_wait(client& c) {
    caf::scoped_actor self{system_};
    for (bool goes_on = true; goes_on;) {
      c.began = clock::now();
      self->request(sheaf::actor_of(engine_), caf::infinite, next_request(c))
          .receive([&](const sheaf::reply& r) { goes_on = take(c, r); },
                   [&](const caf::error& e) { throw std::runtime_error(system_.render(e)); });
    }
  }

  void ask(caf::event_based_actor* self, client& c) {
    c.began = clock::now();
    self->request(sheaf::actor_of(engine_), caf::infinite, next_request(c))
        .then([this, self, &c](const sheaf::reply& r) {
          if (take(c, r))
            ask(self, c);
        });
  }

  /// False for a client's last one.
  bool take(client& c, const sheaf::reply& r) {
    if (!r.ok())
      fail(to_string(*r.failure));
    else if (std::any_of(r.outcomes.begin(), r.outcomes.end(), [](const auto& o) { return o.attempts > 1; }))
      fail(session_lost);
    else
      decode(r);
    const auto now = clock::now();
    if (window_.counts(now)) {
      c.latencies_us.push_back(std::chrono::duration<float, std::micro>(now - c.began).count());
      for (const auto& o : r.outcomes)
        c.packed += o.pack != 0;
      if (how_.load == workload::mixed || how_.load == workload::world)
        for (std::size_t i = 0; i < how_.n; ++i)
          if (!is_slow(how_.load, i, how_.n))
            c.short_latencies_us.push_back(
                std::chrono::duration<float, std::micro>(r.outcomes[i].times.released).count());
    }
    if (now < window_.until && !failed_.load(std::memory_order_relaxed))
      return true;
    std::lock_guard guard{mutex_};
    if (--open_ == 0)
      over_.notify_one();
    return false;
  }

  void decode(const sheaf::reply& r) {
    std::uint64_t sum = 0;
    if (how_.load == workload::tasks) {
      for (const auto& o : r.outcomes)
        sum += static_cast<std::uint64_t>(o.value<int>());
    } else if (how_.load == workload::wide) {
      for (const auto& o : r.outcomes)
        sum += decode_books(o.table());
    } else if (how_.load == workload::count) {
      for (const auto& o : r.outcomes)
        sum += static_cast<std::uint64_t>(o.table().scalar<std::int64_t>());
    } else if (how_.load != workload::sleep) {
      for (std::size_t i = 0; i < how_.n; ++i)
        if (!is_slow(how_.load, i, how_.n)) {
          const auto& t = r.outcomes[i].table();
          sum += static_cast<std::uint64_t>(t.get<std::int32_t>(0, 0)) +
                 static_cast<std::uint64_t>(t.get<std::int32_t>(0, 1));
        }
    }
    sink.fetch_add(sum, std::memory_order_relaxed);
  }

  static std::uint64_t decode_books(const sheaf::table& t) {
    std::uint64_t sum = 0;
    for (std::size_t row = 0; row < t.rows(); ++row)
      sum += static_cast<std::uint64_t>(t.get<std::int32_t>(row, 0)) + t.get<std::string_view>(row, 1).size() +
             t.get<std::string_view>(row, 2).size() + static_cast<std::uint64_t>(t.get<double>(row, 3)) +
             static_cast<std::uint64_t>(t.get<sheaf::timestamp>(row, 4).time_since_epoch().count());
    return sum;
  }

  void fail(std::string why) {
    std::lock_guard guard{mutex_};
    if (!failed_.exchange(true))
      failure_ = std::move(why);
  }

  const run_options& how_;
  const window& window_;
  const sheaf::statement world_{fmt::format("{}:id", world_sql)}, wide_{wide_sql}, count_{count_sql}, sleep_{sleep_sql},
      slow_{slow_sql};

  std::mutex mutex_;
  std::condition_variable over_;
  std::string failure_;
  std::atomic<bool> failed_ = false;

  caf::actor_system_config config_;
  caf::actor_system system_{config_};
  sheaf::engine engine_;
  std::size_t open_;
};

} // namespace

void run_sheaf(const run_options& how, const window& w, std::vector<client>& clients) { sheaf_run{how, w, clients}; }

} // namespace bench
