// SPDX-License-Identifier: BSD-3-Clause

#include "app/base/text_file.hpp"

#include "sheaf/error.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace sheaf::app {

namespace {

struct descriptor {
  int fd = -1;
  ~descriptor() {
    if (fd > STDERR_FILENO)
      close(fd);
  }
};

failure system_refusal() { return invalid_request(std::generic_category().message(errno)); }

} // namespace

result<std::string> read_text_file(const std::string& path, std::size_t mebibytes_max) {
  const descriptor file{path == "-" ? STDIN_FILENO : open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.fd < 0)
    return system_refusal();
  std::string text;
  for (;;) { // a pipe does not tell its size, and a file may grow
    constexpr std::size_t piece = 1 << 16;
    const auto before = text.size();
    text.resize(before + piece);
    const auto got = read(file.fd, text.data() + before, piece);
    if (got < 0 && errno != EINTR)
      return system_refusal();
    text.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (text.size() > mebibytes_max << 20)
      return invalid_request(fmt::format("larger than {} MiB", mebibytes_max));
    if (got == 0)
      break;
  }
  if (text.starts_with("\xef\xbb\xbf"))
    text.erase(0, 3);
  return text;
}

} // namespace sheaf::app
