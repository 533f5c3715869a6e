// SPDX-License-Identifier: BSD-3-Clause
//
// The messages between an engine's actors.

#pragma once

#include "sheaf/request_inspect.hpp"

#include <cstdint>
#include <string>

namespace sheaf {

/// From a query actor to its request actor: what became of query `index`. Sent exactly once.
struct query_done {
  std::uint64_t index = 0;
  outcome what;
};

/// To a query or request actor: end now. What is not answered yet gets this code and message.
struct early_end {
  errc code = errc::query_canceled;
  std::string message;
};

inline early_end engine_closed() { return {errc::pool_closed, "the engine is shutting down"}; }

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, query_done& x) {
  return f(x.index, x.what);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, early_end& x) {
  return f(x.code, x.message);
}

} // namespace sheaf
