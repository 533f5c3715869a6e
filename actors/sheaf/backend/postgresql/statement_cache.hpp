// SPDX-License-Identifier: BSD-3-Clause
//
// The statements that one PostgreSQL session knows, by text; the least recently used one makes room. Loop thread only.

#pragma once

#include "sheaf/cell.hpp"
#include "sheaf/sql/recent_statements.hpp"

#include <libpq-fe.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sheaf {

/// A name for a statement of this text and of parameters of these types, the same wherever it is given: a server's
/// connection may be shared with others who prepare on it, as behind PgBouncer.
std::string statement_name(std::string_view text, const std::vector<Oid>& types);

/// The times that sessions of one database have found that its tables were altered: what any of them has learnt of a
/// statement before may be out of date. Any thread. It orders nothing else, so that it is read and written relaxed.
using alteration_count = std::atomic<std::uint64_t>;

struct known_statement {
  parsed_statement text;
  std::uint64_t alterations = 0; ///< The count before anything was learnt of it.
  std::vector<Oid> declared{};   ///< Types of its parameters, as the values of its first run declare them.
  bool infers_all = false;       ///< The server has refused those, and infers the types of all.
  std::vector<Oid> types{};      ///< And as the server resolved them.
  std::string name{};            ///< Its name on the server; empty until the types are known.
  bool prepared = false;         ///< The server has it under that name, as far as this session knows.

  /// Says whether results may come in binary: known, with the columns, after the first result.
  enum class binary : std::uint8_t { unknown, never, under_iso_dates, always } results = binary::unknown;
  column_list columns{}; ///< Known from then on: the server refuses a statement that it plans when they would change.
  std::size_t bytes_most = 0; ///< Bytes that the largest of its results came to, without the first piece.
};

class statement_cache {
public:
  statement_cache(std::size_t size_max, std::shared_ptr<alteration_count> alterations)
    : size_max_(size_max), alterations_(std::move(alterations)) {}

  bool enabled() const noexcept { return size_max_ > 0; }
  bool full() const noexcept { return recent_.size() >= size_max_; }

  /// A moment up to which alterations count. While it is the same one, nothing is dropped that was found or added.
  using moment = std::uint64_t;
  moment now() const noexcept { return alterations_->load(std::memory_order_relaxed); }

  /// The statement if it is known, and was learnt since tables were last found altered; it counts as used.
  known_statement* find(const parsed_statement& text, moment now) {
    auto* known = recent_.find(text);
    if (known && known->alterations != now)
      drop(*std::exchange(known, nullptr));
    return known;
  }
  known_statement* find(const parsed_statement& text) { return find(text, now()); }

  /// Adds a statement of which nothing is known yet.
  known_statement& add(const parsed_statement& text, moment now) {
    return recent_.add({.text = text, .alterations = now});
  }
  known_statement& add(const parsed_statement& text) { return add(text, now()); }

  /// Has every session of the database learn its statements anew, each as it is run next.
  void note_alteration() noexcept { alterations_->fetch_add(1, std::memory_order_relaxed); }

  /// Forgets one. A name that the server still has is given by `evict`.
  void drop(known_statement& x) {
    if (x.prepared)
      dropped_.push_back(std::move(x.name));
    recent_.drop(x);
  }

  /// The server has forgotten them all.
  void forget_prepared() {
    recent_.for_each([](known_statement& x) { x.prepared = false; });
    dropped_.clear();
  }

  /// A name that the server has to forget: of a statement that was dropped, or, when there are too many, that was not
  /// used for longest.
  std::optional<std::string> evict() {
    while (recent_.size() > size_max_)
      drop(recent_.oldest());
    if (dropped_.empty())
      return std::nullopt;
    auto name = std::move(dropped_.back());
    dropped_.pop_back();
    return name;
  }

private:
  std::size_t size_max_;
  std::shared_ptr<alteration_count> alterations_;
  recent_statements<known_statement> recent_;
  std::vector<std::string> dropped_; ///< Names.
};

} // namespace sheaf
