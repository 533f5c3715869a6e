// SPDX-License-Identifier: BSD-3-Clause
//
// Writes to descriptor 1 without stdio, so that no error waits in a buffer until exit. Main thread.

#include "output.hpp"

#include "exit.hpp"

#include <cerrno>
#include <system_error>
#include <unistd.h>

namespace sheaf::app {

void output::flush() {
  std::string_view rest = text_;
  while (!rest.empty()) {
    const auto written = write(STDOUT_FILENO, rest.data(), rest.size());
    if (written >= 0) {
      rest.remove_prefix(static_cast<std::size_t>(written));
      continue;
    }
    const int error = errno;
    if (error == EINTR)
      continue;
    text_.clear();
    // A reader that has seen enough (`| head`) is no failure worth a word.
    throw stop{exit_run_time_failure,
               error == EPIPE ? "" : "standard output: " + std::generic_category().message(error)};
  }
  text_.clear();
}

} // namespace sheaf::app
