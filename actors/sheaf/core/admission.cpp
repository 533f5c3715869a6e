// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/core/admission.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace sheaf {

namespace {

/// The margin's growth with each answer that came too late, its decay with each that came in time, and its bound. They
/// meet where about one in fifty is late. One below the least goes on to nothing.
constexpr double margin_up = 0.1, margin_down = 0.01, margin_max = 2, margin_least = 0.02;

constexpr auto report_interval = std::chrono::seconds{1};

std::chrono::milliseconds in_ms(std::chrono::nanoseconds t) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(t);
}

} // namespace

admission::admission(const options& settings)
  : settings_(settings), databases_(settings.databases.size()), demands_(databases_.size()) {}

void admission::join(std::vector<const admission*> all,
                     std::vector<std::vector<const session_pool*>> pools_by_database) {
  all_ = std::move(all);
  pools_ = std::move(pools_by_database);
}

result<admission::ticket> admission::admit(const checked_request& asked, clock::time_point now) {
  const auto bytes_max = settings_.max_pending_bytes / settings_.loops;
  if (pending_bytes_ > 0 && pending_bytes_ + asked.bytes > bytes_max)
    return failure{.code = errc::overloaded,
                   .phase = phase::queue,
                   .message = fmt::format("{} MiB of requests wait to be answered, and max_pending_bytes allows no "
                                          "more: send fewer at once, or raise it",
                                          pending_bytes_ * settings_.loops >> 20)};
  ticket given;
  given.each.resize(asked.texts.size());
  std::fill(demands_.begin(), demands_.end(), demand{});
  const parsed_statement* last = nullptr;
  for (std::size_t i = 0; i < given.each.size(); ++i) {
    auto& share = given.each[i];
    auto& sum = demands_[asked.databases[i]];
    const auto* text = asked.texts[i];
    if (text && text == last && asked.databases[i] == asked.databases[i - 1]) {
      share = given.each[i - 1]; // a fan-out sends one statement many times
    } else {
      auto& times = databases_[asked.databases[i]].times;
      const auto known = text ? times.expect(*text, now) : std::nullopt;
      share = known ? ticket::share{.work = known->mean, .most = known->most} : ticket::share{.work = times.typical()};
      last = text;
    }
    sum.work += share.work;
    sum.longest = std::max(sum.longest, share.work);
    sum.longest_most = std::max(sum.longest_most, share.most);
    sum.is_known |= share.most > std::chrono::nanoseconds{0};
  }
  for (std::size_t database = 0; database < databases_.size(); ++database) {
    if (!demands_[database].is_known || !somebody_waits(database))
      continue;
    given.behind_others = true;
    if (auto why = refuse(asked, database, demands_[database], now))
      return std::move(*why);
  }
  for (std::size_t i = 0; i < given.each.size(); ++i)
    add_work(asked.databases[i], asked.given.priority, given.each[i].work.count());
  pending_bytes_ += asked.bytes;
  return given;
}

/// The wait is the work of those who are served before, shared among all sessions; the request's own time is that of
/// its work, shared among the sessions that it may have, but that its longest query runs alone at the end.
std::optional<failure> admission::refuse(const checked_request& asked, std::size_t database, const demand& own,
                                         clock::time_point now) const {
  std::array<double, 3> work{};
  std::size_t sessions = 0;
  for (const auto* x : all_)
    for (std::size_t rank = 0; rank < work.size(); ++rank)
      work[rank] += static_cast<double>(x->work(database, rank));
  for (const auto* x : pools_[database])
    sessions += x->capacity();
  sessions = std::max<std::size_t>(1, sessions);
  const auto rank = static_cast<std::size_t>(asked.given.priority);
  auto before = work[rank];
  for (std::size_t other = 0; other < work.size(); ++other)
    if (other != rank) // it is served by its weight meanwhile, and of what waits no more than there is
      before += std::min(work[other], (work[rank] + static_cast<double>(own.work.count())) *
                                          session_pool::weights[other] / session_pool::weights[rank]);
  const auto width = asked.given.width != 0 ? asked.given.width : settings_.width;
  const std::chrono::nanoseconds wait{
      static_cast<std::int64_t>(before / static_cast<double>(sessions) * (1 + databases_[database].margin))};
  const auto takes = (own.work - own.longest) / static_cast<std::ptrdiff_t>(std::min(width, sessions)) +
                     std::max(own.longest, own.longest_most);
  const auto left = asked.deadline - now;
  if (wait + takes <= left)
    return {};
  return failure{
      .code = errc::overloaded,
      .phase = phase::queue,
      .message = fmt::format("pool {}: it would wait about {} for the work of those before it, and take about {}, more "
                             "than the {} that are left ({} sessions): send fewer requests at once, make queries "
                             "faster, or raise pool.max_size or the deadline",
                             settings_.databases[database].name, in_ms(wait), in_ms(takes), in_ms(left), sessions),
      .retry_after = wait + takes - left};
}

bool admission::somebody_waits(std::size_t database) const noexcept {
  const auto& pools = pools_[database];
  return std::any_of(pools.begin(), pools.end(), [](const auto* x) { return x->places() < 0; });
}

void admission::done(const checked_request& asked, std::size_t i, const ticket::share& share, const outcome& got,
                     clock::time_point now) {
  const auto database = asked.databases[i];
  add_work(database, asked.given.priority, -share.work.count());
  databases_[database].times.add(asked.given.queries[i], asked.texts[i], got, asked.taken_at, now);
}

void admission::settle(const checked_request& asked, const ticket& given, const failure* why) {
  pending_bytes_ -= asked.bytes;
  const bool is_late = why && (why->code == errc::deadline_exceeded || why->code == errc::overloaded);
  if (!given.behind_others || (why && !is_late))
    return;
  for (std::size_t i = 0; i < databases_.size(); ++i)
    if (std::find(asked.databases.begin(), asked.databases.end(), i) != asked.databases.end()) {
      auto& margin = databases_[i].margin;
      margin = is_late ? std::min(margin + margin_up, margin_max)
                       : std::max(0.0, margin - margin_down * std::max(margin, margin_least));
    }
}

std::optional<std::uint64_t> admission::refusals_to_report(clock::time_point now) {
  ++refused_;
  if (now - reported_at_ < report_interval)
    return {};
  reported_at_ = now;
  return std::exchange(refused_, 0);
}

void admission::add_work(std::size_t database, priority rank, std::int64_t ns) noexcept {
  auto& x = databases_[database].work[static_cast<std::size_t>(rank)];
  x.store(x.load(std::memory_order_relaxed) + ns, std::memory_order_relaxed); // nobody else writes it
}

} // namespace sheaf
