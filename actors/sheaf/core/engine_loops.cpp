// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/core/engine_loops.hpp"

#include "sheaf/base/error_text.hpp"
#include "sheaf/clock.hpp"

#include <algorithm>

namespace sheaf {

namespace {

/// The part of `total` that the loop `index` of `count` gets.
std::size_t share(std::size_t total, std::size_t index, std::size_t count) {
  return total / count + (index < total % count ? 1 : 0);
}

pool_options share(pool_options all, std::size_t index, std::size_t count) {
  all.max_size = share(all.max_size, index, count);
  all.min_size = share(all.min_size, index, count);
  all.max_queue_size = share(all.max_queue_size, index, count);
  all.connecting_limit = std::max<std::size_t>(1, share(all.connecting_limit, index, count));
  return all;
}

} // namespace

void end_request(const std::shared_ptr<request_link>& link, early_end why) {
  if (const auto loop = link ? link->loop.lock() : nullptr)
    loop->post([link, why = std::move(why)] {
      if (link->request)
        link->request->give_up(why);
    });
}

engine_loop::engine_loop(engine_loops& owner, std::size_t index)
  : all(owner), loop(std::make_shared<event_loop>(&owner)), admission(owner.settings()) {
  const auto& how = all.settings();
  loop->when_thrown([&log = all.log()](const std::exception_ptr& thrown) {
    try {
      if (log.takes(severity::warning))
        engine_log::line{log, severity::warning, "loop_caught"}.with("type", type_of_thrown(thrown));
    } catch (...) { // such as no memory for the line: it is not worth more
    }
  });
  for (std::size_t i = 0; i < how.databases.size(); ++i)
    pools.push_back(std::make_unique<session_pool>(*loop, *all.database(i).factory, all.log(), how.databases[i].name,
                                                   share(how.databases[i].pool, index, how.loops)));
}

engine_loops::engine_loops(options how, std::vector<engine_database> databases)
  : settings_(std::move(how)), databases_(std::move(databases)) {
  for (std::size_t i = 0; i < settings_.loops; ++i)
    loops_.push_back(std::make_unique<engine_loop>(*this, i));
  std::vector<std::vector<const session_pool*>> by_database;
  for (std::size_t database = 0; database < settings_.databases.size(); ++database) {
    std::vector<session_pool*> pools;
    for (const auto& x : loops_)
      pools.push_back(x->pools[database].get());
    session_pool::join(pools);
    by_database.emplace_back(pools.begin(), pools.end());
  }
  std::vector<const admission*> admissions;
  for (const auto& x : loops_)
    admissions.push_back(&x->admission);
  for (const auto& x : loops_)
    x->admission.join(admissions, by_database);
}

void engine_loops::start() {
  for (auto& x : loops_) {
    x->loop->start();
    x->loop->post([&x = *x] {
      for (auto& pool : x.pools)
        pool->warm_up();
    });
  }
}

pool_stats engine_loops::stats(std::size_t database) const {
  pool_stats sum;
  sum.database = settings_.databases[database].name;
  for (const auto& x : loops_)
    sum += x->pools[database]->stats();
  return sum;
}

std::vector<statement_stats> engine_loops::statements(std::size_t database, std::size_t most) const {
  std::vector<std::vector<statement_times::sampled>> samples;
  auto round_trip = std::chrono::nanoseconds::max();
  for (const auto& x : loops_) {
    const auto& times = x->admission.times(database);
    samples.push_back(times.samples());
    if (const auto least = times.round_trip(clock::now()); least > std::chrono::nanoseconds{0})
      round_trip = std::min(round_trip, least);
  }
  if (round_trip == std::chrono::nanoseconds::max())
    round_trip = {};
  return merged(settings_.databases[database].name, samples, round_trip, most);
}

engine_loop* engine_loops::here() const noexcept {
  if (const auto* loop = event_loop::current())
    for (const auto& x : loops_)
      if (x->loop.get() == loop)
        return x.get();
  return nullptr;
}

engine_loop& engine_loops::home() noexcept {
  auto* same = here();
  return same ? *same : *loops_[next_home_.fetch_add(1, std::memory_order_relaxed) % loops_.size()];
}

engine_loop& engine_loops::place(engine_loop& home, std::size_t database) const noexcept {
  const auto& here = *home.pools[database];
  if (here.places() > 0 && here.idle() > 0)
    return home;
  // A session at rest elsewhere is there sooner than a new one here.
  engine_loop *at_rest = nullptr, *free = here.places() > 0 ? &home : nullptr;
  auto most = std::ptrdiff_t{0};
  for (const auto& x : loops_) {
    const auto& there = *x->pools[database];
    const auto places = there.places();
    if (places <= 0)
      continue;
    if (!at_rest && there.idle() > 0)
      at_rest = x.get();
    if (free != &home && places > most) {
      free = x.get();
      most = places;
    }
  }
  return at_rest ? *at_rest : free ? *free : home;
}

} // namespace sheaf
