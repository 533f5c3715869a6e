// SPDX-License-Identifier: BSD-3-Clause
//
// The demo that `sheaf serve` serves without a file: counts of books in an embedded database. Main thread.

#pragma once

#include "app/base/temporary_directory.hpp"
#include "app/file/sheaf_file.hpp"
#include "app/scenario/runner.hpp"

#include <string>
#include <vector>

namespace sheaf::app {

class demo_file {
public:
  /// Makes the books, in a directory that goes with this.
  demo_file(std::uint64_t rows, const signal_watch& signals);

  sheaf_file content() const;

  /// The requests that have a path of their own.
  static std::vector<std::string> shortcuts();

private:
  temporary_directory directory_;
};

} // namespace sheaf::app
