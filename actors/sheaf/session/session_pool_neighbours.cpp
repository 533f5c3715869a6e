// SPDX-License-Identifier: BSD-3-Clause
//
// A session that comes free on one loop serves those who wait on another. Each pool shows the others one number: the
// places it has, or, below zero, how many wait there without one. A pool that moves a waiter from a pool that has too
// few to one that has too many corrects both numbers first, so that nobody counts on the same place or the same waiter
// twice; then the waiter's own loop sends it. When no pool has a place to spare, those who have waited longest still go
// first: a pool whose session comes free calls those who are older than its own by more than `slack_for` them.

#include "sheaf/session/session_pool.hpp"

#include <algorithm>

namespace sheaf {

namespace {

using namespace std::chrono_literals;

constexpr auto nobody = std::numeric_limits<clock::rep>::max();

/// A query that has waited for `wait` elsewhere is called only when it is older than the pool's own by this. A call
/// takes two messages and another actor; so where all wait long, it takes a greater lead, lest an engine that has too
/// much to do is busy with calls.
constexpr clock::duration slack_for(clock::duration wait) { return std::max<clock::duration>(5ms, wait / 4); }

/// The time between two looks for older ones elsewhere, and the most that one look calls: it reads memory that others
/// write.
constexpr clock::duration look_interval = 1ms;
constexpr unsigned calls_per_look = 16;

} // namespace

void session_pool::join(const std::vector<session_pool*>& all) {
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i]->loop_number_ = i;
    all[i]->others_ = all;
    std::erase(all[i]->others_, all[i]);
    all[i]->queues_ = all.front()->queues_;
  }
}

/// One more query is on its way here; false when there is no place for it. Any thread.
bool session_pool::take_place() noexcept {
  auto places = places_.load();
  while (places > 0)
    if (places_.compare_exchange_weak(places, places - 1))
      return true;
  return false;
}

/// One of those who wait here without a place gets one elsewhere; false when there is none. Any thread.
bool session_pool::call_one() noexcept {
  auto places = places_.load();
  while (places < 0)
    if (places_.compare_exchange_weak(places, places + 1))
      return true;
  return false;
}

void session_pool::unreserve() {
  places_.fetch_add(1);
  loop_.post([this] { call_those_who_wait(); });
}

/// Has somebody come who waits at `from`; both numbers are right already. Any thread.
void session_pool::call(session_pool& from) {
  from.loop_.post([&from, this] { from.send_away(*this); });
}

/// The pool of another loop where the oldest of the highest priority waits; `without_place`: of those with too few
/// places.
session_pool* session_pool::neediest(bool without_place) const noexcept {
  session_pool* found = nullptr;
  for (std::size_t rank = 0; rank < oldest_.size() && !found; ++rank)
    for (auto* x : others_)
      if (x->oldest(rank) != nobody && (!without_place || x->places_.load() < 0) &&
          (!found || x->oldest(rank) < found->oldest(rank)))
        found = x;
  return found;
}

/// Calls those who wait on other loops while there is a place.
void session_pool::call_those_who_wait() {
  while (places_.load() > 0) {
    auto* from = neediest(true);
    if (!from)
      break;
    if (!take_place())
      return;
    if (from->call_one())
      call(*from);
    else
      places_.fetch_add(1); // somebody else was faster
  }
  // A session at rest serves those, too, for whom one is being opened: one at a time, as nobody counts them.
  if (idle_.empty())
    return;
  if (auto* from = neediest(false); from && take_place()) {
    from->places_.fetch_add(1);
    call(*from);
  }
}

/// The same from the other side, for those who began to wait while a place came free elsewhere.
void session_pool::look_elsewhere() {
  for (auto* there : others_)
    while (waiting() > 0 && (places_.load() < 0 || there->idle() > 0) && there->take_place()) {
      places_.fetch_add(1);
      send_away(*there);
    }
}

/// Follows a call from `there`.
void session_pool::send_away(session_pool& there) {
  ++departures_;
  if (auto* who = next_waiter()) {
    who->on_call(there, who->began_);
    return;
  }
  publish(); // it has left meanwhile
  there.unreserve();
}

/// A session goes to one who waits here; those who have waited longer elsewhere come here, where they are next.
void session_pool::call_older() {
  if (others_.empty() || loop_.now() < look_again_)
    return;
  look_again_ = loop_.now() + look_interval;
  unsigned calls = 0;
  for (std::size_t rank = 0; rank < oldest_.size() && calls == 0; ++rank) {
    for (auto* x : others_) {
      const auto theirs = x->oldest(rank);
      if (theirs == nobody)
        continue;
      const auto slack = slack_for(loop_.now().time_since_epoch() - clock::duration{theirs}).count();
      if (oldest(rank) != nobody && theirs + slack >= oldest(rank))
        continue;
      for (auto n = std::min<std::ptrdiff_t>(calls_per_look, -x->places()); n > 0 && x->call_one(); --n, ++calls) {
        reserve();
        call(*x);
      }
    }
  }
}

/// There are no sessions and none are on their way, here nor on another loop, which could serve those who wait here.
bool session_pool::is_cut_off() const noexcept {
  return sessions_.empty() && connecting_ == 0 && std::none_of(others_.begin(), others_.end(), [](const auto* x) {
           return x->total_now_.load(std::memory_order_relaxed) > 0;
         });
}

void session_pool::publish_oldest() noexcept {
  if (others_.empty())
    return;
  bool had_waiters = false, has_waiters = false;
  for (std::size_t rank = 0; rank < oldest_.size(); ++rank) {
    const auto& q = waiters_[rank];
    const auto before = oldest(rank);
    const auto since = q.empty() ? nobody : q.front().turn().time_since_epoch().count();
    if (since != before)
      oldest_[rank].store(since, std::memory_order_relaxed);
    had_waiters |= before != nobody;
    has_waiters |= since != nobody;
  }
  if (had_waiters != has_waiters)
    queues_->fetch_add(has_waiters ? 1 : -1, std::memory_order_relaxed);
}

} // namespace sheaf
