// SPDX-License-Identifier: BSD-3-Clause

#include "app/load/load_record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace sheaf::app {

namespace {

/// `elapsed` is the request's: a query that got no session has waited until that was answered, or a little less.
void add(query_record& to, const outcome& x, std::chrono::nanoseconds elapsed) {
  const auto& t = x.times;
  const bool ran = t.acquired != query_times::not_reached;
  const auto total = ran ? t.total() : std::max(elapsed - t.queued, std::chrono::nanoseconds{0});
  const auto waited = ran ? t.acquired - t.queued : total;
  to.total.add(total);
  to.waiting.add(waited);
  if (ran)
    to.executing.add(total - waited);
  to.errors += !x.ok();
}

std::uint64_t sum(const std::vector<request_record>& all, std::uint64_t (*of)(const request_record&)) {
  return std::accumulate(all.begin(), all.end(), std::uint64_t{0},
                         [of](std::uint64_t n, const request_record& x) { return n + of(x); });
}

} // namespace

load_record::load_record(const sheaf_file& file) {
  for (const auto& r : file.requests)
    requests.emplace_back().queries.resize(r.queries.size());
}

void load_record::add(std::size_t position, const std::vector<std::size_t>& from, const reply& got,
                      std::chrono::nanoseconds latency, bool in_time) {
  auto& r = requests[position];
  r.latency.add(latency);
  r.in_time += in_time;
  r.work += got.serial_sum();
  r.elapsed += got.elapsed;
  if (got.failure) {
    ++r.errors;
    ++codes[got.failure->code];
  }
  for (std::size_t i = 0; i < got.outcomes.size(); ++i)
    if (got.outcomes[i].times.queued != query_times::not_reached) { // else it was ended before it began
      app::add(r.queries[from[i]], got.outcomes[i], got.elapsed);
      r.queries[from[i]].in_time += in_time;
    }
}

void load_record::add(const std::vector<checked_expectation>& all) {
  checked += all.size();
  for (const auto& x : all)
    if (!x.held) {
      ++missed;
      ++misses[fmt::format("{} (line {})", x.text, x.at.line)];
    }
}

void load_record::merge(const load_record& other) {
  for (std::size_t i = 0; i < requests.size(); ++i) {
    auto& to = requests[i];
    const auto& from = other.requests[i];
    to.latency.merge(from.latency);
    to.errors += from.errors;
    to.in_time += from.in_time;
    to.work += from.work;
    to.elapsed += from.elapsed;
    for (std::size_t j = 0; j < to.queries.size(); ++j) {
      to.queries[j].total.merge(from.queries[j].total);
      to.queries[j].waiting.merge(from.queries[j].waiting);
      to.queries[j].executing.merge(from.queries[j].executing);
      to.queries[j].errors += from.queries[j].errors;
      to.queries[j].in_time += from.queries[j].in_time;
    }
  }
  for (const auto& [code, n] : other.codes)
    codes[code] += n;
  for (const auto& [text, n] : other.misses)
    misses[text] += n;
  checked += other.checked;
  missed += other.missed;
  not_begun += other.not_begun;
}

histogram load_record::latency() const {
  histogram all;
  for (const auto& r : requests)
    all.merge(r.latency);
  return all;
}

std::uint64_t load_record::count() const noexcept {
  return sum(requests, [](const request_record& x) { return x.latency.count(); });
}

std::uint64_t load_record::in_time() const noexcept {
  return sum(requests, [](const request_record& x) { return x.in_time; });
}

std::uint64_t load_record::errors() const noexcept {
  return sum(requests, [](const request_record& x) { return x.errors; });
}

double load_record::speed_up() const noexcept {
  std::chrono::nanoseconds work{0}, elapsed{0};
  for (const auto& r : requests) {
    work += r.work;
    elapsed += r.elapsed;
  }
  return elapsed.count() == 0 ? 0 : static_cast<double>(work.count()) / static_cast<double>(elapsed.count());
}

} // namespace sheaf::app
