// SPDX-License-Identifier: BSD-3-Clause

#include "app/base/standard_streams.hpp"

#include <cstdio>
#include <fcntl.h>
#include <unistd.h>

namespace sheaf::app {

void occupy_standard_descriptors() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (fcntl(fd, F_GETFD) < 0) // the one that open() gives: those below it are taken
        [[maybe_unused]]
      const int taken = open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

/// Writes by way of `stderr`, which `sheaf serve` replaces, and which has no buffer.
void tell_text(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stderr); }

} // namespace sheaf::app
