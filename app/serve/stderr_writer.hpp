// SPDX-License-Identifier: BSD-3-Clause
//
// Writes to stderr without waiting for its reader: a service whose log nobody reads any more goes on.

#pragma once

#include <chrono>
#include <cstdio>
#include <string_view>

namespace sheaf::app::serve {

/// One thread at a time.
class stderr_writer {
public:
  stderr_writer();
  ~stderr_writer();
  stderr_writer(const stderr_writer&) = delete;
  stderr_writer& operator=(const stderr_writer&) = delete;

  /// Waits this long for room, at most; gives the text that found none.
  std::string_view write(std::string_view text, std::chrono::milliseconds patience);

private:
  long write_some(std::string_view text) const;

  int own_ = -1; ///< A description of what fd 2 is, whose writes do not wait; not there for sockets and files.
  bool is_socket_ = false;
};

/// While it lives, what libraries print to the C library's `stderr` does not wait. libpq prints there that others may
/// read the file of a password. Made and destroyed while there is one thread.
class unwaiting_stderr {
public:
  unwaiting_stderr();
  ~unwaiting_stderr();
  unwaiting_stderr(const unwaiting_stderr&) = delete;
  unwaiting_stderr& operator=(const unwaiting_stderr&) = delete;

private:
  stderr_writer to_;
  std::FILE* before_;
};

} // namespace sheaf::app::serve
