// SPDX-License-Identifier: BSD-3-Clause
//
// A result whose rows are sent while its query still runs. Plain data, on the thread of its connection.

#pragma once

#include "app/serve/row_writer.hpp"

#include "sheaf/request.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace sheaf::app::serve {

struct row_stream {
  std::size_t query; ///< Its position in the request.
  std::string name;  ///< The name of the query.
  row_writer rows;

  /// The first rows are kept until there are more: when these are all, the answer is one like any other.
  std::optional<table> first{};
  bool has_begun = false; ///< The head of the answer is out.

  /// The time that the client has had bytes to take. It may not be much longer than `time_for` those that it took.
  std::chrono::nanoseconds taken{0};
  static std::chrono::nanoseconds time_for(std::uint64_t bytes, std::size_t bytes_a_second) {
    return std::chrono::milliseconds{bytes * 1000 / bytes_a_second};
  }

  std::function<void()> next{};      ///< Asks for more rows, once those that are being written are out.
  std::optional<sheaf::reply> end{}; ///< The reply that has come while rows were still being written.
};

} // namespace sheaf::app::serve
