// SPDX-License-Identifier: BSD-3-Clause
//
// A private directory that goes when its owner goes. Any thread.

#pragma once

#include "app/base/exit.hpp"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

namespace sheaf::app {

/// A directory below TMPDIR (or /tmp) that only this user can enter.
class temporary_directory {
public:
  temporary_directory() {
    const char* parent = getenv("TMPDIR");
    path_ = std::string{parent != nullptr && *parent != '\0' ? parent : "/tmp"} + "/sheaf-XXXXXX";
    if (mkdtemp(path_.data()) == nullptr)
      throw command_error{exit_run_time_failure, "cannot make a temporary directory (TMPDIR names its parent): " +
                                                     std::generic_category().message(errno)};
  }

  ~temporary_directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  temporary_directory(const temporary_directory&) = delete;
  temporary_directory& operator=(const temporary_directory&) = delete;

  const std::string& path() const noexcept { return path_; }

private:
  std::string path_;
};

} // namespace sheaf::app
