// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/core/admission.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <utility>

namespace sheaf {

namespace {

/// The margin's growth with each answer that came too late, its decay with each that came in time, its bound, and the
/// least that the decay goes by. At a margin of 0.2 they meet where one in fifty is late.
constexpr double margin_up = 0.1, margin_down = 0.01, margin_max = 2, margin_least = 0.02;

/// One query in so many, which could be packed, runs alone, give or take a half, as in a pack it has no time of its
/// own; but no more than one in this time: where very many run, so many need not wait for a session more.
constexpr unsigned alone_one_in = 64;
constexpr auto alone_at_most_each = std::chrono::milliseconds{10};

/// The growth of the stretch with each pack that is late, and its bounds; each other pack takes a 1024th of that off.
/// So it comes to where one pack in 1024 is late (a quantile, estimated by stochastic approximation).
constexpr double stretch_up = 0.5, stretch_down = stretch_up / 1024, stretch_min = 4, stretch_max = 1000;

constexpr auto report_interval = std::chrono::seconds{1};

std::chrono::milliseconds in_ms(std::chrono::nanoseconds t) { return std::chrono::ceil<std::chrono::milliseconds>(t); }

} // namespace

admission::admission(const options& settings)
  : settings_(settings), databases_(settings.databases.size()), demands_(databases_.size()) {}

void admission::join(std::vector<const admission*> all,
                     std::vector<std::vector<const session_pool*>> pools_by_database) {
  all_ = std::move(all);
  pools_ = std::move(pools_by_database);
}

result<admission::ticket> admission::admit(const checked_request& asked, clock::time_point now) {
  if (const auto pending = pending_bytes(); pending > 0 && pending + asked.bytes > settings_.max_pending_bytes)
    return failure{.code = errc::overloaded,
                   .phase = phase::queue,
                   .message = fmt::format("requests of {} KiB are not answered yet, and with {} KiB more they would "
                                          "take more than max_pending_bytes: send fewer at once, or raise it",
                                          pending >> 10, (asked.bytes + 1023) >> 10)};
  ticket given;
  given.each.resize(asked.texts.size());
  std::fill(demands_.begin(), demands_.end(), demand{});
  const parsed_statement* last = nullptr;
  for (std::size_t i = 0; i < given.each.size(); ++i) {
    auto& share = given.each[i];
    const auto* text = asked.texts[i];
    const auto packed = time_in_pack(asked, i, now);
    if (text && text == last && asked.databases[i] == asked.databases[i - 1]) {
      share = given.each[i - 1]; // a fan-out sends one statement many times
    } else {
      auto& times = databases_[asked.databases[i]].times;
      const auto known = text ? times.expect(*text, now) : std::nullopt;
      share = known ? ticket::share{.work = known->mean, .most = known->most} : ticket::share{.work = times.typical()};
      last = text;
    }
    share.packed = packed;
    if (const auto had = databases_[asked.databases[i]].packed_work; packed && had > std::chrono::nanoseconds{0})
      share.work = std::min(share.work, had);
    add_demand(asked, i, share);
  }
  for (std::size_t database = 0; database < databases_.size(); ++database) {
    if (!demands_[database].any || !somebody_waits(database))
      continue;
    given.behind_others = true;
    if (auto why = refuse(asked, database, demands_[database], now))
      return std::move(*why);
  }
  for (std::size_t i = 0; i < given.each.size(); ++i) {
    if (i < queries_together)
      begin(asked, i, given.each[i]);
    if (asked.texts[i] && given.each[i].most == std::chrono::nanoseconds{0})
      databases_[asked.databases[i]].times.tries(*asked.texts[i], now);
  }
  pending_bytes_.store(pending_bytes_.load(std::memory_order_relaxed) + asked.bytes, std::memory_order_relaxed);
  return given;
}

/// Nothing where it has a session for itself.
std::optional<std::chrono::nanoseconds> admission::time_in_pack(const checked_request& asked, std::size_t i,
                                                                clock::time_point now) {
  const auto how = asked.packing_of(i, settings_);
  if (how == packing::never)
    return {};
  auto& of = databases_[asked.databases[i]];
  auto takes = of.times.short_time(*asked.texts[i], now);
  if (how == packing::always)
    return takes.value_or(std::chrono::nanoseconds{0});
  if (!takes)
    return {};
  if (of.until_alone > 0) {
    --of.until_alone;
  } else if (now - of.alone_at >= alone_at_most_each) {
    of.alone_at = now;
    static thread_local std::minstd_rand random{std::random_device{}()};
    of.until_alone = std::uniform_int_distribution{alone_one_in / 2, alone_one_in * 3 / 2}(random);
    return {};
  }
  return takes;
}

/// A query that may fail may also come too late: the request does not wait for its time.
void admission::add_demand(const checked_request& asked, std::size_t i, const ticket::share& share) {
  auto& sum = demands_[asked.databases[i]];
  const auto& q = asked.given.queries[i];
  sum.any = true;
  const bool is_needed =
      asked.given.on_error == error_policy::fail || (asked.given.on_error == error_policy::partial && q.required);
  if (!is_needed || share.most == std::chrono::nanoseconds{0})
    return;
  sum.work += share.work;
  sum.longest = std::max(sum.longest, share.work);
  sum.longest_most = std::max(sum.longest_most, share.most);
  if (q.timeout)
    sum.latest_start = std::min(sum.latest_start, asked.taken_at + *q.timeout - share.most);
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
  const auto at_once = width != 0 ? std::min(width, sessions) : sessions;
  const auto takes =
      (own.work - own.longest) / static_cast<std::ptrdiff_t>(at_once) + std::max(own.longest, own.longest_most);
  const auto left = asked.deadline - now;
  if (left <= std::chrono::nanoseconds{0}) // it is over without us
    return {};
  if (wait + takes <= left && now + wait <= own.latest_start)
    return {};
  return failure{
      .code = errc::overloaded,
      .phase = phase::queue,
      .message = fmt::format("pool {}: it would wait about {} for the work of those before it, and take about {}, more "
                             "than is left of its {} or of a query's timeout ({} sessions): send fewer requests at "
                             "once, make queries faster, or raise pool.max_size or the deadline",
                             settings_.databases[database].name, in_ms(wait), in_ms(takes), in_ms(left), sessions),
      .retry_after = std::max(wait + takes - left, now + wait - own.latest_start)};
}

bool admission::somebody_waits(std::size_t database) const noexcept {
  const auto& pools = pools_[database];
  return std::any_of(pools.begin(), pools.end(), [](const auto* x) { return x->places() < 0; });
}

std::size_t admission::pending_bytes() const noexcept {
  std::size_t sum = 0;
  for (const auto* x : all_)
    sum += x->pending_bytes_.load(std::memory_order_relaxed);
  return sum;
}

void admission::begin(const checked_request& asked, std::size_t i, ticket::share& share) noexcept {
  if (share.counted > std::chrono::nanoseconds{0})
    return;
  share.counted = share.work;
  add_work(asked.databases[i], asked.given.priority, share.counted.count());
}

void admission::done(const checked_request& asked, std::size_t i, const ticket::share& share, const outcome& got,
                     clock::time_point now) noexcept {
  const auto database = asked.databases[i];
  add_work(database, asked.given.priority, -share.counted.count());
  auto& of = databases_[database];
  try {
    if (got.pack == 0)
      of.times.add(asked.given.queries[i], asked.texts[i], got, asked.taken_at, now);
    else if (got.ok())
      of.times.add_packed(*asked.texts[i], of.packed_work, now);
  } catch (...) { // no memory: what one answer teaches is not worth the answer
  }
}

void admission::learn_lateness(std::size_t database, bool was_late) noexcept {
  auto& x = databases_[database].stretch;
  x = std::clamp(x * (was_late ? 1 + stretch_up : 1 - stretch_down), stretch_min, stretch_max);
}

void admission::learn_work(std::size_t database, std::size_t statements, std::chrono::nanoseconds took) noexcept {
  auto& mean = databases_[database].packed_work;
  const auto each = took / static_cast<std::int64_t>(statements);
  mean += mean == std::chrono::nanoseconds{0} ? each : (each - mean) / 16;
}

void admission::hold_against(const checked_request& asked, std::size_t i) {
  databases_[asked.databases[i]].times.hold_against(*asked.texts[i]);
}

/// A database is forecast well when all came in time, and badly when something was too late for the request; a query's
/// own timeout says nothing about it.
void admission::settle(const checked_request& asked, const ticket& given, const std::vector<outcome>& all,
                       clock::time_point now) noexcept {
  pending_bytes_.store(pending_bytes_.load(std::memory_order_relaxed) - asked.bytes, std::memory_order_relaxed);
  if (!given.behind_others)
    return;
  for (std::size_t database = 0; database < databases_.size(); ++database) {
    bool any = false, all_came = true, some_late = false;
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (asked.databases[i] != database)
        continue;
      any = true;
      if (const auto* why = all[i].error_info()) {
        all_came = false;
        some_late |= why->code == errc::overloaded || (why->code == errc::deadline_exceeded && now >= asked.deadline);
      }
    }
    auto& margin = databases_[database].margin;
    if (some_late)
      margin = std::min(margin + margin_up, margin_max);
    else if (any && all_came)
      margin = std::max(0.0, margin - margin_down * std::max(margin, margin_least));
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
