// SPDX-License-Identifier: BSD-3-Clause
//
// Standard output, gathered and written in large pieces; a write that fails is reported once. Main thread.

#pragma once

#include <string>
#include <string_view>

namespace sheaf::app {

class output {
public:
  /// Where formatters append.
  std::string& text() noexcept { return text_; }

  /// Writes what has gathered if it is much. Between rows.
  void row_done() {
    if (text_.size() >= piece_bytes)
      flush();
  }

  /// Writes all of it. Ends the command (`stop`, exit code 2) when standard output cannot take it; silently when it is
  /// a pipe that nobody reads any more.
  void flush();

private:
  static constexpr std::size_t piece_bytes = 1 << 16;
  std::string text_;
};

} // namespace sheaf::app
