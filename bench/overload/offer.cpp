// SPDX-License-Identifier: BSD-3-Clause
//
// Offers requests to an engine at moments that are settled beforehand. The main thread asks; the engine's loops write
// the answers down.

#include "overload.hpp"

#include "sheaf/engine.hpp"

#include <fmt/format.h>

#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <condition_variable>
#include <mutex>
#include <random>
#include <stdexcept>
#include <thread>

namespace bench::overload {

namespace {

constexpr std::string_view sql = "select :id::int4 as id from pg_sleep(:seconds)";

/// The failures that overload explains.
constexpr std::array<std::string_view, 4> of_overload{"deadline_exceeded", "overloaded", "pool_timeout",
                                                      "pool_queue_full"};

constexpr double learning_load = 0.5, after_load = 0.8;

/// A reply that is this late does not come any more.
constexpr auto patience = std::chrono::seconds{20};

clock::duration to_clock(seconds x) { return std::chrono::duration_cast<clock::duration>(x); }

class load_run {
public:
  explicit load_run(const run_options& how) : how_(how), random_(how.seed), engine_(options_for(how)) {}

  run_result all() {
    run_result out;
    open_all_sessions();
    out.alone = time_alone();
    const auto counted = seconds{how_.counted_seconds};
    out.phases = {planned("learning", learning_load, to_clock(counted / 3)),
                  planned("settling", how_.load, how_.settling()), planned("overload", how_.load, to_clock(counted)),
                  planned("after", after_load, to_clock(counted * 2 / 3))};
    run(out.phases);
    rusage u{};
    ::getrusage(RUSAGE_SELF, &u);
    out.rss_mb_max = static_cast<double>(u.ru_maxrss) / 1024;
    return out;
  }

private:
  static sheaf::options options_for(const run_options& how) {
    auto o = sheaf::for_database(how.conninfo, {.max_size = how.sessions, .connecting_limit = how.sessions});
    o.loops = how.loops;
    return o;
  }

  // -- before the load

  sheaf::request request_of(std::int32_t id, std::size_t queries) const {
    sheaf::request r;
    r.queries.reserve(queries);
    for (std::size_t i = 0; i < queries; ++i)
      r.queries.emplace_back("", statement_, sheaf::parameters{{"id", id}, {"seconds", how_.service().count()}});
    return r;
  }

  sheaf::reply answer_to(sheaf::request r) {
    auto got = engine_.run(std::move(r));
    if (!got.ok())
      throw std::runtime_error(to_string(*got.failure));
    return got;
  }

  /// All sessions at once, each with a query that takes longer than opening the others; longer yet where that was not
  /// enough. Another statement than the load's, whose times the engine learns.
  void open_all_sessions() {
    for (const double time : {0.1, 0.5, 1.0, 2.0, 5.0}) {
      sheaf::request r;
      for (std::size_t i = 0; i < how_.sessions; ++i)
        r.queries.emplace_back("", "select pg_sleep(:seconds)", sheaf::parameters{{"seconds", time}});
      answer_to(std::move(r));
      if (engine_.stats().front().total == how_.sessions)
        return;
    }
    throw std::runtime_error(
        fmt::format("only {} of {} sessions could be opened: lower --sessions, or raise the server's "
                    "max_connections",
                    engine_.stats().front().total, how_.sessions));
  }

  seconds time_alone() {
    std::array<seconds, 9> times{};
    for (auto& x : times)
      x = answer_to(request_of(0, how_.queries)).elapsed;
    std::nth_element(times.begin(), times.begin() + times.size() / 2, times.end());
    return times[times.size() / 2];
  }

  /// A phase without its beginning: `due` counts from zero.
  phase_run planned(std::string_view name, double load, clock::duration length) {
    phase_run p{.name = name, .until = clock::time_point{length}};
    for (const auto at : moments(load * how_.capacity(), length, how_.arrivals == "even" || name == "after")) {
      asked x{.due = clock::time_point{to_clock(at)}, .id = static_cast<std::int32_t>(random_() >> 33)};
      if (how_.priorities == "mixed")
        x.priority = static_cast<sheaf::priority>(random_() % 3);
      p.requests.push_back(x);
    }
    return p;
  }

  /// As many as the rate makes. Where they are not even, each is independent of the others, which is a Poisson process
  /// whose number is known: left to chance as well, the number would differ by more than what is to be measured.
  std::vector<seconds> moments(double rate, seconds length, bool even) {
    std::vector<seconds> out(static_cast<std::size_t>(std::llround(rate * length.count())));
    std::uniform_real_distribution<double> anywhere{0, length.count()};
    for (std::size_t i = 0; i < out.size(); ++i)
      out[i] = seconds{even ? (static_cast<double>(i) + 0.5) / rate : anywhere(random_)};
    std::ranges::sort(out);
    return out;
  }

  // -- the load

  void run(std::vector<phase_run>& phases) {
    auto begin = clock::now() + std::chrono::milliseconds{10};
    for (auto& p : phases) {
      p.from = begin;
      p.until = begin += p.until.time_since_epoch();
      p.before = counts();
      for (auto& x : p.requests)
        ask(x, p.from);
      std::this_thread::sleep_until(p.until);
      p.after = counts();
      if (failed_.load())
        break;
    }
    std::unique_lock guard{mutex_};
    if (!over_.wait_for(guard, how_.deadline() + patience, [this] { return open_.load() == 0; }))
      failure_ = fmt::format("{} requests were not answered", open_.load());
    if (!failure_.empty())
      throw std::runtime_error(failure_);
    phases.back().after = counts();
  }

  void ask(asked& x, clock::time_point begin) {
    auto r = request_of(x.id, how_.queries);
    r.deadline = how_.deadline();
    r.priority = x.priority;
    x.due = begin + x.due.time_since_epoch();
    std::this_thread::sleep_until(x.due);
    open_.fetch_add(1);
    x.sent = clock::now();
    engine_.run_async(std::move(r), [this, &x](const sheaf::reply& got) { take(x, got); });
  }

  void take(asked& x, const sheaf::reply& got) {
    x.answered = clock::now();
    x.ok = got.ok();
    for (const auto& o : got.outcomes)
      if (o.ok()) {
        answered_.fetch_add(1, std::memory_order_relaxed);
        if (o.table().rows() != 1 || o.table().get<std::int32_t>(0, 0) != x.id)
          fail("a query got another one's answer");
      }
    if (!x.ok) {
      x.code = got.failure->code;
      x.where = got.failure->phase;
      if (std::ranges::find(of_overload, to_string(x.code)) == of_overload.end())
        fail(to_string(*got.failure));
    }
    if (open_.fetch_sub(1) == 1) {
      std::lock_guard guard{mutex_};
      over_.notify_one();
    }
  }

  statements counts() const {
    return {.answered = answered_.load(std::memory_order_relaxed), .cancelled = engine_.stats().front().cancels};
  }

  void fail(std::string why) {
    std::lock_guard guard{mutex_};
    if (!failed_.exchange(true))
      failure_ = std::move(why);
  }

  const run_options& how_;
  const sheaf::statement statement_{sql};
  std::mt19937_64 random_;

  std::mutex mutex_;
  std::condition_variable over_;
  std::string failure_;
  std::atomic<bool> failed_ = false;
  std::atomic<std::size_t> open_ = 0;
  std::atomic<std::uint64_t> answered_ = 0;

  sheaf::engine engine_;
};

} // namespace

seconds run_options::own_time() const noexcept {
  const auto rounds = (queries + sessions - 1) / sessions;
  return service() * static_cast<double>(rounds);
}

double run_options::capacity() const noexcept {
  return static_cast<double>(sessions) / (static_cast<double>(queries) * service().count());
}

clock::duration run_options::deadline() const noexcept { return to_clock(own_time() * deadline_times); }

clock::duration run_options::settling() const noexcept {
  return to_clock(own_time() * deadline_times / (load > 1 ? std::clamp(load - 1, 0.1, 1.0) : 1.0));
}

run_result offer(const run_options& how) { return load_run{how}.all(); }

} // namespace bench::overload
