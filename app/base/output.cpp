// SPDX-License-Identifier: BSD-3-Clause
//
// Writes to a descriptor without stdio, so that no error waits in a buffer until exit. Main thread.

#include "app/base/output.hpp"

#include "app/base/exit.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <string_view>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace sheaf::app {

namespace {

/// The mode that a new file would have, or that the old one has.
mode_t mode_of(const std::string& target) {
  struct stat old {};
  if (stat(target.c_str(), &old) == 0)
    return old.st_mode & 07777;
  const mode_t mask = umask(0);
  umask(mask);
  return 0666 & ~mask;
}

/// Waits until the folder's entry is on the disk, as far as its file system can: the file itself is there already.
void sync_folder_of(const std::string& file) {
  const auto folder = std::filesystem::path{file}.parent_path();
  const int fd = open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    return;
  fsync(fd);
  close(fd);
}

} // namespace

output::output(const std::string& file) : file_(file) {
  if (file.empty())
    return;
  std::error_code failed;
  if (file == "-") {
    file_.clear();
    return;
  }
  const auto status = std::filesystem::status(file, failed);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    fd_ = open(file.c_str(), O_WRONLY | O_CLOEXEC);
  } else {
    const auto whole = std::filesystem::weakly_canonical(file, failed);
    target_ = failed ? file : whole.string();
    beside_ = target_ + ".XXXXXX";
    fd_ = mkostemp(beside_.data(), O_CLOEXEC);
  }
  if (fd_ < 0) {
    beside_.clear();
    fail(errno);
  }
}

output::~output() {
  if (fd_ > STDERR_FILENO)
    close(fd_);
  if (!beside_.empty())
    unlink(beside_.c_str());
}

void output::fail(int error) const {
  // A reader that has seen enough (`| head`) is no failure worth a word.
  throw command_error{exit_run_time_failure,
                      error == EPIPE
                          ? ""
                          : fmt::format("{}: {}", file_.empty() ? "standard output" : file_ + " cannot be written",
                                        std::generic_category().message(error))};
}

void output::flush() {
  std::string_view rest = text_;
  while (!rest.empty()) {
    const auto written = write(fd_, rest.data(), rest.size());
    if (written >= 0) {
      rest.remove_prefix(static_cast<std::size_t>(written));
      continue;
    }
    const int error = errno;
    if (error == EINTR)
      continue;
    text_.clear();
    fail(error);
  }
  text_.clear();
}

void output::finish() {
  flush();
  if (fd_ <= STDERR_FILENO)
    return;
  if (!beside_.empty() && fchmod(fd_, mode_of(target_)) != 0)
    fail(errno);
  if (!beside_.empty() && fsync(fd_) != 0) // or its name might reach the disk before its content
    fail(errno);
  if (close(std::exchange(fd_, STDOUT_FILENO)) != 0)
    fail(errno);
  if (beside_.empty())
    return;
  if (std::rename(beside_.c_str(), target_.c_str()) != 0)
    fail(errno);
  beside_.clear();
  sync_folder_of(target_);
}

} // namespace sheaf::app
