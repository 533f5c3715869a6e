// SPDX-License-Identifier: BSD-3-Clause
//
// The statements that were used last, kept by their text. One thread at a time, or several that only read.

#pragma once

#include "sheaf/sql/parsed_statement.hpp"

#include <cstddef>
#include <list>
#include <unordered_map>
#include <utility>

namespace sheaf {

/// `Entry` has a member `text`, a parsed_statement. Entries stay where they are until they are dropped.
template <class Entry>
class recent_statements {
public:
  std::size_t size() const noexcept { return entries_.size(); }
  bool empty() const noexcept { return entries_.empty(); }

  /// The entry of that text, or null; it counts as used.
  Entry* find(const parsed_statement& text) {
    const auto i = by_text_.find(&text);
    if (i == by_text_.end())
      return nullptr;
    entries_.splice(entries_.begin(), entries_, i->second);
    return &*i->second;
  }

  /// The same, without counting it as used: it changes nothing.
  const Entry* peek(const parsed_statement& text) const {
    const auto i = by_text_.find(&text);
    return i == by_text_.end() ? nullptr : &*i->second;
  }

  /// Adds an entry of a text that is not there yet; it counts as used.
  Entry& add(Entry x) {
    entries_.push_front(std::move(x));
    try {
      by_text_.emplace(&entries_.front().text, entries_.begin());
    } catch (...) { // no memory: both know it or neither
      entries_.pop_front();
      throw;
    }
    return entries_.front();
  }

  /// The one that was not used for longest.
  Entry& oldest() noexcept { return entries_.back(); }

  void drop(Entry& x) {
    const auto i = by_text_.find(&x.text);
    const auto entry = i->second;
    by_text_.erase(i);
    entries_.erase(entry);
  }

  template <class F>
  void for_each(F f) {
    for (auto& x : entries_)
      f(x);
  }
  template <class F>
  void for_each(F f) const {
    for (const auto& x : entries_)
      f(x);
  }

  void clear() noexcept {
    by_text_.clear();
    entries_.clear();
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

  std::list<Entry> entries_; ///< The last one used comes first.
  std::unordered_map<const parsed_statement*, typename std::list<Entry>::iterator, hash, same_text> by_text_;
};

} // namespace sheaf
