// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/telemetry/statement_times.hpp"

#include "sheaf/base/error_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <map>

namespace sheaf {

namespace {

using namespace std::chrono_literals;

/// A statement that has not run for twice its own time, within these, is not known any more.
constexpr std::chrono::nanoseconds known_at_least = 1s, known_at_most = 2s;

/// The weight of a new value in a mean over all of late.
constexpr int later_ones_weigh = 16;

/// A statement is known after so many runs; it is short when it takes no more than half of the way to the server and
/// back, or of this where that is shorter; and its answer is small up to so many bytes.
constexpr std::size_t known_after = 16;
constexpr auto way_at_least = 100us;
constexpr double small_bytes_max = 16 << 10;

/// A run was long that took more than so many times the least of its statement, and this, and so many times the mean of
/// all that are short: on a busy machine all take long. A statement is long after so many such runs of its last 16, and
/// short again after so many others in a row.
constexpr int long_beside_itself = 10, long_beside_others = 8;
constexpr auto long_at_least = 1ms;
constexpr int long_runs_max = 1;
constexpr std::uint8_t short_runs_min = 32;

/// Counting the bytes of a large result takes longer than learning all the rest.
constexpr std::size_t cells_counted_max = 64;

template <class T>
T moved_towards(T mean, T x, bool is_first) {
  return is_first ? x : mean + (x - mean) / later_ones_weigh;
}

/// `orders[12]` is one of many queries with one statement.
std::string_view without_number(std::string_view name) noexcept {
  if (name.size() < 2 || !name.ends_with(']'))
    return name;
  const auto before = name.find_last_not_of("0123456789", name.size() - 2);
  return before == name.npos || name[before] != '[' || before + 2 == name.size() ? name : name.substr(0, before);
}

} // namespace

std::optional<statement_times::expected> statement_times::expect(const parsed_statement& text,
                                                                 clock::time_point now) const {
  const auto* x = statements_.peek(text);
  if (!x)
    return {};
  const auto most = x->answers.quantile(95);
  if (now - x->tried_at > std::clamp(2 * most, known_at_least, known_at_most))
    return {};
  return expected{.mean = x->answers.mean() + beside_, .most = most + beside_};
}

std::optional<std::chrono::nanoseconds> statement_times::short_time(const parsed_statement& text,
                                                                    clock::time_point now) const {
  const auto* x = statements_.peek(text);
  if (!x || x->is_long || x->answers.size() < known_after || x->bytes > small_bytes_max)
    return {};
  const auto least = x->least.get(now);
  if (!least)
    return {};
  const auto of_server = std::max(0ns, *least - way(now));
  if (of_server > std::max<std::chrono::nanoseconds>(way(now), way_at_least) / 2)
    return {};
  return of_server;
}

void statement_times::tries(const parsed_statement& text, clock::time_point now) {
  if (const auto* x = statements_.peek(text))
    x->tried_at = now;
}

void statement_times::add(const query& asked, const parsed_statement* text, const outcome& got,
                          clock::time_point taken_at, clock::time_point now) {
  const auto& when = got.times;
  constexpr auto never = query_times::not_reached;
  if (when.sent == never || asked.on_rows)
    return;
  if (const auto* why = got.error_info()) {
    if (why->code != errc::deadline_exceeded || !text)
      return;
    const auto stopped_after = now - taken_at - when.sent;
    if (const auto* x = statements_.peek(*text); !x || stopped_after > x->answers.mean())
      learn(asked, *text, stopped_after, nullptr, now);
    return;
  }
  const auto had = when.released - when.acquired;
  typical_ = moved_towards(typical_, had, typical_ == 0ns);
  if (!text)
    return;
  const auto took = (when.last_row == never ? when.released : when.last_row) - when.sent;
  beside_ = moved_towards(beside_, had - took, beside_ == 0ns);
  learn(asked, *text, took, std::get_if<table>(&got.data), now);
}

void statement_times::learn(const query& asked, const parsed_statement& text, std::chrono::nanoseconds took,
                            const table* rows, clock::time_point now) {
  const std::unique_lock held{lock_, std::try_to_lock};
  if (!held)
    return;
  if (rows)
    least_.add(took, now);
  auto* x = statements_.find(text);
  if (!x) {
    if (text.text.size() > text_max)
      return;
    if (statements_.size() == statements_max)
      statements_.drop(statements_.oldest());
    x = &statements_.add(
        {.text = text, .query = std::string{in_whole_characters(without_number(asked.name), name_max)}});
  }
  judge(*x, took, now);
  x->answers.add(took);
  x->tried_at = now;
  ++x->runs;
  x->total += took;
  if (!rows)
    return;
  const bool is_first = x->runs == 1;
  x->rows = moved_towards(x->rows, static_cast<double>(rows->rows()), is_first);
  if (rows->rows() * rows->columns() <= cells_counted_max || x->runs % later_ones_weigh == 1)
    x->bytes = moved_towards(x->bytes, static_cast<double>(rows->bytes()), is_first);
}

/// Looks whether a run was long, before it is one of those that the next one is compared with.
void statement_times::judge(known& x, std::chrono::nanoseconds took, clock::time_point now) noexcept {
  const auto least = x.least.get(now).value_or(took);
  const bool was_long =
      took > std::max<std::chrono::nanoseconds>(long_beside_itself * least, long_at_least) + way(now) &&
      took > long_beside_others * usual_;
  x.least.add(took, now);
  x.long_runs = static_cast<std::uint16_t>(x.long_runs << 1 | (was_long ? 1 : 0));
  if (was_long) {
    x.short_runs = 0;
    x.is_long |= std::popcount(x.long_runs) > long_runs_max;
  } else if (x.is_long && ++x.short_runs >= short_runs_min) {
    x.is_long = false;
  }
  if (!x.is_long && x.answers.size() >= known_after) // one that is far longer moves it no more than one that is long
    usual_ = moved_towards(usual_, usual_ == 0ns ? took : std::min(took, long_beside_others * usual_), usual_ == 0ns);
}

void statement_times::hold_against(const parsed_statement& text) {
  const std::lock_guard held{lock_};
  if (auto* x = statements_.find(text)) {
    x->is_long = true;
    x->short_runs = 0;
  }
}

void statement_times::add_packed(const parsed_statement& text, std::chrono::nanoseconds share, clock::time_point now) {
  const std::unique_lock held{lock_, std::try_to_lock};
  auto* x = held ? statements_.find(text) : nullptr;
  if (!x)
    return;
  x->tried_at = now;
  ++x->runs;
  ++x->packed;
  x->total += share;
}

void statement_times::least_of_late::add(std::chrono::nanoseconds x, clock::time_point now) noexcept {
  if (now - began_ > 1min) {
    minute_before_ = now - began_ > 2min ? none : this_minute_;
    this_minute_ = none;
    began_ = now;
  }
  this_minute_ = std::min(this_minute_, x);
}

std::optional<std::chrono::nanoseconds> statement_times::least_of_late::get(clock::time_point now) const noexcept {
  const auto least = now - began_ > 1min ? this_minute_ : std::min(this_minute_, minute_before_);
  return least == none ? std::nullopt : std::optional{least};
}

std::chrono::nanoseconds statement_times::way(clock::time_point now) const noexcept {
  return least_.get(now).value_or(0ns);
}

std::chrono::nanoseconds statement_times::round_trip(clock::time_point now) const noexcept {
  const std::lock_guard held{lock_};
  return way(now);
}

std::vector<statement_times::sampled> statement_times::samples() const {
  const std::lock_guard held{lock_};
  std::vector<sampled> all;
  all.reserve(statements_.size());
  statements_.for_each([&](const known& x) {
    const auto latest = x.answers.all();
    all.push_back({.sql = x.text.text,
                   .hash = x.text.hash,
                   .query = x.query,
                   .runs = x.runs,
                   .packed = x.packed,
                   .total = x.total,
                   .rows = x.rows,
                   .bytes = x.bytes,
                   .latest = {latest.begin(), latest.end()}});
  });
  return all;
}

std::vector<statement_stats> merged(const std::string& database,
                                    const std::vector<std::vector<statement_times::sampled>>& loops,
                                    std::chrono::nanoseconds round_trip, std::size_t most) {
  std::map<std::string_view, statement_times::sampled> by_text;
  for (const auto& loop : loops)
    for (const auto& x : loop) {
      auto& sum = by_text[x.sql];
      const auto share = static_cast<double>(x.runs) / static_cast<double>(sum.runs + x.runs);
      sum.hash = x.hash;
      if (sum.query.empty())
        sum.query = x.query;
      sum.rows += (x.rows - sum.rows) * share;
      sum.bytes += (x.bytes - sum.bytes) * share;
      sum.runs += x.runs;
      sum.packed += x.packed;
      sum.total += x.total;
      sum.latest.insert(sum.latest.end(), x.latest.begin(), x.latest.end());
    }
  std::vector<decltype(by_text)::value_type*> in_order;
  auto total = 0ns;
  for (auto& x : by_text) {
    in_order.push_back(&x);
    total += x.second.total;
  }
  std::stable_sort(in_order.begin(), in_order.end(),
                   [](const auto* a, const auto* b) { return a->second.total > b->second.total; });
  in_order.resize(std::min(in_order.size(), most));
  std::vector<statement_stats> all;
  for (auto* entry : in_order) {
    auto& x = entry->second;
    std::sort(x.latest.begin(), x.latest.end());
    const auto of_server = [&](std::size_t percent) { return std::max(0ns, quantile(x.latest, percent) - round_trip); };
    all.push_back({.database = database,
                   .query = std::move(x.query),
                   .sql = std::string{entry->first},
                   .id = fmt::format("{:016x}", x.hash),
                   .runs = x.runs,
                   .packed = x.packed,
                   .total = x.total,
                   .share = static_cast<double>(x.total.count()) / static_cast<double>(std::max(total, 1ns).count()),
                   .lower_quartile = of_server(25),
                   .median = of_server(50),
                   .p95 = of_server(95),
                   .rows = x.rows,
                   .bytes = x.bytes});
  }
  return all;
}

} // namespace sheaf
