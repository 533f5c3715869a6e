// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/telemetry/statement_times.hpp"

#include "sheaf/base/error_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace sheaf {

namespace {

using namespace std::chrono_literals;

/// A statement that has not run for twice its own time, within these, is not known any more.
constexpr std::chrono::nanoseconds known_at_least = 1s, known_at_most = 2s;

/// The weight of a new value in a mean over all of late.
constexpr int later_ones_weigh = 16;

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
    note_round_trip(took, now);
  auto* x = statements_.find(text);
  if (!x) {
    if (text.text.size() > text_max)
      return;
    if (statements_.size() == statements_max)
      statements_.drop(statements_.oldest());
    x = &statements_.add(
        {.text = text, .query = std::string{in_whole_characters(without_number(asked.name), name_max)}});
  }
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

void statement_times::note_round_trip(std::chrono::nanoseconds took, clock::time_point now) noexcept {
  if (now - minute_began_ > 1min) {
    least_before_ = now - minute_began_ > 2min ? least_before_.max() : least_now_;
    least_now_ = least_now_.max();
    minute_began_ = now;
  }
  least_now_ = std::min(least_now_, took);
}

std::chrono::nanoseconds statement_times::round_trip(clock::time_point now) const noexcept {
  const std::lock_guard held{lock_};
  const auto least = now - minute_began_ > 1min ? least_now_ : std::min(least_now_, least_before_);
  return least == std::chrono::nanoseconds::max() ? 0ns : least;
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
