// SPDX-License-Identifier: BSD-3-Clause
//
// The statements that one PostgreSQL session has prepared, by text; the least recently used one makes room. Loop thread
// only.

#pragma once

#include "sheaf/backend/recent_statements.hpp"
#include "sheaf/cell.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sheaf {

struct prepared_statement {
  parsed_statement text;
  std::string name; ///< Its name on the server.

  /// Says whether results may come in binary: known, with the columns, after the first result.
  enum class binary : std::uint8_t { unknown, never, under_iso_dates, always } results = binary::unknown;
  column_list columns; ///< Known from then on: the server refuses a statement that it plans when they would change.
};

class statement_cache {
public:
  explicit statement_cache(std::size_t size_max) : size_max_(size_max) {}

  bool enabled() const noexcept { return size_max_ > 0; }

  /// The statement if it is prepared; it counts as used.
  prepared_statement* find(const parsed_statement& text) { return recent_.find(text); }

  /// Adds a statement under a name of its own. It is not there yet.
  prepared_statement& add(const parsed_statement& text) {
    return recent_.add({.text = text, .name = "sheaf_" + std::to_string(++last_name_), .columns = nullptr});
  }

  void drop(prepared_statement& x) { recent_.drop(x); }

  /// Drops one that the server still has, but that is not to be used any more.
  void retire(prepared_statement& x) {
    retired_.push_back(std::move(x.name));
    drop(x);
  }

  /// A name that the server has to forget: of one that is retired, or, when there are too many, of the one that was not
  /// used for longest.
  std::optional<std::string> evict() {
    if (!retired_.empty()) {
      auto name = std::move(retired_.back());
      retired_.pop_back();
      return name;
    }
    if (recent_.size() <= size_max_)
      return std::nullopt;
    auto& oldest = recent_.oldest();
    auto name = std::move(oldest.name);
    recent_.drop(oldest);
    return name;
  }

private:
  std::size_t size_max_;
  std::uint64_t last_name_ = 0;
  recent_statements<prepared_statement> recent_;
  std::vector<std::string> retired_; ///< Names.
};

} // namespace sheaf
