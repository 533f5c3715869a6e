// SPDX-License-Identifier: BSD-3-Clause
//
// A line on a terminal that tells how many rows of a file are in, while they go in. Any thread.

#pragma once

#include "app/base/terminal.hpp"

#include "sheaf/clock.hpp"

#include <cstddef>
#include <mutex>
#include <string_view>

namespace sheaf::app {

class row_line {
public:
  explicit row_line(terminal where) : where_(where) {}

  /// Writes it ten times a second at most, and on a terminal only.
  void show(std::string_view file, std::size_t rows);

  /// Wipes it off; it is not shown again.
  void end();

private:
  const terminal where_;
  std::mutex mutex_;
  clock::time_point next_ = clock::now() + every;
  bool shown_ = false, ended_ = false;

  static constexpr auto every = std::chrono::milliseconds{100};
};

} // namespace sheaf::app
