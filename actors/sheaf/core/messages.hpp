// SPDX-License-Identifier: BSD-3-Clause
//
// The messages between an engine's actors.

#pragma once

#include "sheaf/request_inspect.hpp"

#include <chrono>
#include <cstdint>
#include <exception>
#include <string>
#include <vector>

namespace sheaf {

/// From a query actor to its request actor: what became of query `index`, which it does not name. Sent exactly once.
struct query_done {
  std::uint64_t index = 0;
  outcome got;
};

/// From a query actor to its request actor: query `index` waited on the loop where this actor was, and another loop has
/// a place for it. Sent instead of `query_done`, as the last word of an actor.
struct query_called {
  std::uint64_t index = 0;
  std::uint64_t loop = 0;             ///< Its number.
  std::chrono::nanoseconds queued{0}; ///< As `query_times` has it.
  std::chrono::nanoseconds since{0};  ///< When it began to wait, this time.
  std::uint32_t attempts = 1, retries = 0;
};

/// A query that is not answered by its pack, and has to run by itself.
struct left_query {
  std::uint64_t index = 0;
  bool was_lost = false; ///< It has failed, by `why`, with the pack's session; else it has not run.
  failure why;
};

/// From a pack actor to its request actor: what became of queries of pack `number`. Each of them comes once, and with
/// the last of them the pack is over.
struct pack_done {
  std::uint64_t number = 0; ///< From 1.
  std::vector<query_done> got;
  std::vector<left_query> left;
  std::chrono::nanoseconds queued{0};
  bool is_over = false;
  bool was_late = false; ///< It was stopped because it was late.
};

/// From a pack actor to its request actor: the pack is late, so what is not answered is to be run elsewhere, too.
struct pack_late {
  std::uint64_t number = 0;
};

/// From a pack actor to its request actor, as its last word: another loop has a place for it, as in `query_called`.
struct pack_called {
  std::uint64_t number = 0;
  std::uint64_t loop = 0;
  std::chrono::nanoseconds queued{0}, since{0};
};

/// To a pack actor: query `index` was answered elsewhere, and the pack's answer is not wanted any more.
struct query_unwanted {
  std::uint64_t index = 0;
};

/// To a query or request actor: end now. All that is not answered yet gets this code and message.
struct early_end {
  errc code = errc::query_canceled;
  std::string message;
};

/// The end of what has thrown.
early_end early_end_for(const std::exception_ptr& thrown);

inline early_end engine_closed() { return {errc::pool_closed, "the engine is shutting down"}; }

inline early_end cancelled_by_caller() { return {errc::query_canceled, "the caller cancelled the request"}; }

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, query_done& x) {
  return f(x.index, x.got);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, query_called& x) {
  return f(x.index, x.loop, x.queued, x.since, x.attempts, x.retries);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, left_query& x) {
  return f(x.index, x.was_lost, x.why);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, pack_done& x) {
  return f(x.number, x.got, x.left, x.queued, x.is_over, x.was_late);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, pack_late& x) {
  return f(x.number);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, pack_called& x) {
  return f(x.number, x.loop, x.queued, x.since);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, query_unwanted& x) {
  return f(x.index);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, early_end& x) {
  return f(x.code, x.message);
}

} // namespace sheaf
