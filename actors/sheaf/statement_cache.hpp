// SPDX-License-Identifier: BSD-3-Clause
//
// The statements that one PostgreSQL session has prepared, by text; the least recently used one makes room. Loop thread
// only.

#pragma once

#include "sheaf/statement.hpp"
#include "sheaf/table.hpp"

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace sheaf {

struct prepared_statement {
  parsed_statement text;
  std::string name; ///< On the server.

  /// Whether results may come in binary: known after the first one, when its columns are.
  enum class binary : std::uint8_t { unknown, never, under_iso_dates, always } results = binary::unknown;
  column_list columns; ///< Known from then on: the server refuses a statement that it plans when they would change.
};

class statement_cache {
public:
  explicit statement_cache(std::size_t size_max) : size_max_(size_max) {}

  bool enabled() const noexcept { return size_max_ > 0; }

  /// The statement if it is prepared; it counts as used.
  prepared_statement* find(const parsed_statement& text) {
    const auto i = by_text_.find(&text);
    if (i == by_text_.end())
      return nullptr;
    used_.splice(used_.begin(), used_, i->second);
    return &*i->second;
  }

  /// Adds a statement under a name of its own. It is not there yet.
  prepared_statement& add(const parsed_statement& text) {
    used_.push_front({.text = text, .name = "sheaf_" + std::to_string(++last_name_), .columns = nullptr});
    by_text_.emplace(&used_.front().text, used_.begin());
    return used_.front();
  }

  void drop(prepared_statement& x) {
    const auto i = by_text_.find(&x.text);
    const auto entry = i->second;
    by_text_.erase(i);
    used_.erase(entry);
  }

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
    if (used_.size() <= size_max_)
      return std::nullopt;
    auto name = std::move(used_.back().name);
    drop(used_.back());
    return name;
  }

private:
  struct hash {
    std::size_t operator()(const parsed_statement* x) const noexcept { return x->hash; }
  };
  struct same_text {
    bool operator()(const parsed_statement* a, const parsed_statement* b) const noexcept {
      return a == b || (a->hash == b->hash && a->text == b->text);
    }
  };

  std::size_t size_max_;
  std::uint64_t last_name_ = 0;
  std::list<prepared_statement> used_; ///< The last one used comes first.
  std::vector<std::string> retired_;   ///< Names.
  std::unordered_map<const parsed_statement*, std::list<prepared_statement>::iterator, hash, same_text> by_text_;
};

} // namespace sheaf
