// SPDX-License-Identifier: BSD-3-Clause

#include "app/serve/stderr_writer.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace sheaf::app::serve {

using namespace std::chrono_literals;

/// O_NONBLOCK belongs to a description that others may share, such as a shell: so this needs one of its own. A file
/// does not wait anyway, and has its place in the shared one.
stderr_writer::stderr_writer() {
  struct stat status {};
  if (::fstat(STDERR_FILENO, &status) != 0)
    return;
  is_socket_ = S_ISSOCK(status.st_mode);
  if (S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode))
    own_ = ::open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
}

stderr_writer::~stderr_writer() {
  if (own_ >= 0)
    ::close(own_);
}

long stderr_writer::write_some(std::string_view text) const {
  if (is_socket_)
    return ::send(STDERR_FILENO, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  return ::write(own_ >= 0 ? own_ : STDERR_FILENO, text.data(), text.size());
}

std::string_view stderr_writer::write(std::string_view text, std::chrono::milliseconds patience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (!text.empty()) {
    const auto written = write_some(text);
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
      pollfd room{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
      if (left <= 0ms || ::poll(&room, 1, static_cast<int>(left.count())) <= 0)
        break;
    } else if (errno != EINTR) {
      break;
    }
  }
  return text;
}

unwaiting_stderr::unwaiting_stderr() : before_(stderr) {
  const cookie_io_functions_t functions{
      .read = nullptr,
      .write =
          [](void* me, const char* data, std::size_t size) {
            static_cast<unwaiting_stderr*>(me)->to_.write({data, size}, 0ms);
            return static_cast<ssize_t>(size); // lost text is none of the library's business
          },
      .seek = nullptr,
      .close = nullptr,
  };
  if (auto* made = ::fopencookie(this, "w", functions)) {
    std::setvbuf(made, nullptr, _IONBF, 0);
    stderr = made;
  }
}

unwaiting_stderr::~unwaiting_stderr() {
  if (stderr != before_)
    std::fclose(std::exchange(stderr, before_));
}

} // namespace sheaf::app::serve
