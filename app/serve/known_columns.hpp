// SPDX-License-Identifier: BSD-3-Clause
//
// The columns of the results of a file's queries. Each query's are known once it has run, until the file is read again:
// only the database can tell them. Any thread.

#pragma once

#include "app/file/sheaf_file.hpp"

#include "sheaf/cell.hpp"
#include "sheaf/request.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf::app::serve {

class known_columns {
public:
  /// `file` outlives it.
  explicit known_columns(const sheaf_file& file);

  /// Takes the columns of those of the request's queries that are not known yet. Does not wait: another reply will do.
  void learn(std::size_t request, const reply& got);

  /// Empty for those that are not known, and for commands without rows. Those of a query with `for_each` are never
  /// known, as it is several.
  std::vector<column> of(std::size_t request, std::string_view query) const;

  /// Another number once more are known.
  std::uint64_t version() const noexcept { return version_.load(std::memory_order_acquire); }

private:
  struct request_columns {
    std::atomic<std::size_t> missing = 0; ///< Queries that are not known.
    std::map<std::string, std::vector<column>, std::less<>> known;
  };

  const sheaf_file& file_;
  std::atomic<std::uint64_t> version_ = 0;
  mutable std::mutex mutex_; ///< Of each `known`.
  std::deque<request_columns> requests_;
};

} // namespace sheaf::app::serve
