// SPDX-License-Identifier: BSD-3-Clause
//
// Standard output, or a file in its place, gathered and written in large pieces; a write that fails is reported once.
// Main thread.

#pragma once

#include <string>

namespace sheaf::app {

class output {
public:
  /// Writes to standard output.
  output() = default;

  /// Writes into a file, which is written beside its place and put there by `finish`: it is whole or as it was. A
  /// target that is no plain file (a pipe, `/dev/null`) is written as it stands. An empty name, or `-`, is standard
  /// output. Ends the command (`command_error`, exit code 2) when there is no writing there.
  explicit output(const std::string& file);

  ~output(); ///< A file that was not finished is as it was before.
  output(const output&) = delete;
  output& operator=(const output&) = delete;

  /// The text that formatters append to.
  std::string& text() noexcept { return text_; }

  /// Called between rows: writes what has gathered if it is much.
  void row_done() {
    if (text_.size() >= piece_bytes)
      flush();
  }

  /// Writes all of it. Ends the command (`command_error`, exit code 2) when it cannot be written; silently when it is a
  /// pipe that nobody reads any more.
  void flush();

  /// Writes all of it, waits for the disk and puts the file in its place.
  void finish();

private:
  [[noreturn]] void fail(int error) const;

  static constexpr std::size_t piece_bytes = 1 << 16;
  std::string text_;
  std::string file_;   ///< The name as it was given; empty for standard output.
  std::string target_; ///< The place of the file: the target of a link.
  std::string beside_; ///< The place where it is written; empty when that is its own.
  int fd_ = 1;
};

} // namespace sheaf::app
