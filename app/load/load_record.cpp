// SPDX-License-Identifier: BSD-3-Clause

#include "app/load/load_record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace sheaf::app {

namespace {

/// A query that was cancelled because its request had failed at once says nothing of the time that it takes.
bool stands_apart(const outcome& x, const reply& of) {
  const auto* why = x.error_info();
  if (!why)
    return false;
  return !is_out_of_time(why->code) ||
         (why->code == errc::query_canceled && of.failure && !is_out_of_time(of.failure->code));
}

void add(query_record& to, const outcome& x, const reply& of, bool in_time) {
  to.errors += !x.ok();
  const auto& t = x.times;
  const auto total = t.total();
  if (stands_apart(x, of)) {
    to.failed.add(total);
    return;
  }
  const bool ran = t.acquired != query_times::not_reached;
  const auto waited = ran ? t.acquired - t.queued : total;
  to.total.add(total);
  to.waiting.add(waited);
  if (ran)
    to.executing.add(total - waited);
  to.in_time += in_time;
}

std::uint64_t sum(const std::vector<request_record>& all, std::uint64_t (*of)(const request_record&)) {
  return std::accumulate(all.begin(), all.end(), std::uint64_t{0},
                         [of](std::uint64_t n, const request_record& x) { return n + of(x); });
}

} // namespace

bool is_out_of_time(errc code) noexcept {
  return code == errc::deadline_exceeded || code == errc::pool_timeout || code == errc::query_canceled;
}

load_record::load_record(const sheaf_file& file) {
  for (const auto& r : file.requests)
    requests.emplace_back().queries.resize(r.queries.size());
}

void load_record::add(std::size_t position, const std::vector<std::size_t>& from, const reply& got,
                      std::chrono::nanoseconds latency, bool in_time) {
  auto& r = requests[position];
  if (got.failure) {
    ++r.errors;
    ++codes[got.failure->code];
    if (!first_failure)
      first_failure = got.failure;
  }
  if (got.failure && !is_out_of_time(got.failure->code)) {
    r.failed.add(latency);
  } else {
    r.latency.add(latency);
    r.in_time += in_time;
    r.work += got.serial_sum();
    r.elapsed += got.elapsed;
  }
  for (std::size_t i = 0; i < got.outcomes.size(); ++i)
    if (got.outcomes[i].times.queued != query_times::not_reached) // else it was ended before it began
      app::add(r.queries[from[i]], got.outcomes[i], got, in_time);
}

void load_record::add(const std::vector<checked_expectation>& all) {
  checked += all.size();
  for (const auto& x : all)
    if (!x.held) {
      ++missed;
      ++misses[fmt::format("{} ({})", x.text, x.place())];
    }
}

void load_record::merge(const load_record& other) {
  for (std::size_t i = 0; i < requests.size(); ++i) {
    auto& to = requests[i];
    const auto& from = other.requests[i];
    to.latency.merge(from.latency);
    to.failed.merge(from.failed);
    to.errors += from.errors;
    to.in_time += from.in_time;
    to.work += from.work;
    to.elapsed += from.elapsed;
    for (std::size_t j = 0; j < to.queries.size(); ++j) {
      to.queries[j].total.merge(from.queries[j].total);
      to.queries[j].waiting.merge(from.queries[j].waiting);
      to.queries[j].executing.merge(from.queries[j].executing);
      to.queries[j].failed.merge(from.queries[j].failed);
      to.queries[j].errors += from.queries[j].errors;
      to.queries[j].in_time += from.queries[j].in_time;
    }
  }
  for (const auto& [code, n] : other.codes)
    codes[code] += n;
  for (const auto& [text, n] : other.misses)
    misses[text] += n;
  if (!first_failure)
    first_failure = other.first_failure;
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

histogram load_record::failed() const {
  histogram all;
  for (const auto& r : requests)
    all.merge(r.failed);
  return all;
}

std::uint64_t load_record::count() const noexcept {
  return sum(requests, [](const request_record& x) { return x.count(); });
}

std::uint64_t load_record::in_time() const noexcept {
  return sum(requests, [](const request_record& x) { return x.in_time; });
}

std::uint64_t load_record::errors() const noexcept {
  return sum(requests, [](const request_record& x) { return x.errors; });
}

double load_record::overlap() const noexcept {
  std::chrono::nanoseconds work{0}, elapsed{0};
  for (const auto& r : requests) {
    work += r.work;
    elapsed += r.elapsed;
  }
  return elapsed.count() == 0 ? 0 : static_cast<double>(work.count()) / static_cast<double>(elapsed.count());
}

} // namespace sheaf::app
