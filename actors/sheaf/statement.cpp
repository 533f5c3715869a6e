// SPDX-License-Identifier: BSD-3-Clause
//
// A statement and its parsed forms, made on first use, by whichever thread comes first, and shared by all copies.

#include "sheaf/statement.hpp"

#include "sheaf/sql/scanner.hpp"

#include <array>
#include <atomic>

namespace sheaf {

struct statement::shared {
  explicit shared(std::string text) : sql(std::move(text)) {}

  shared(const shared&) = delete;
  shared& operator=(const shared&) = delete;

  ~shared() {
    for (auto& form : forms)
      delete form.load(std::memory_order_relaxed);
  }

  const std::string sql;
  /// By dialect; null until it is needed. Once set it stays for as long as this does. Not std::atomic<std::shared_ptr>,
  /// which takes a lock in every load.
  mutable std::array<std::atomic<const parsed_statement*>, dialect_count> forms{};
};

statement::statement() = default;

statement::statement(std::string sql) : shared_(std::make_shared<const shared>(std::move(sql))) {}

const std::string& statement::sql() const noexcept {
  static const std::string none;
  return shared_ ? shared_->sql : none;
}

std::shared_ptr<const parsed_statement> statement::parse(dialect d, const parameters& declared) const {
  if (!shared_) { // Blank in every dialect.
    static const auto none = std::make_shared<const parsed_statement>(parse_statement({}, d, {}));
    return none;
  }
  auto& form = shared_->forms[static_cast<std::size_t>(d)];
  if (const auto* known = form.load(std::memory_order_acquire))
    return {shared_, known};
  bool uses_brackets = false;
  auto parsed = std::make_unique<const parsed_statement>(parse_statement(shared_->sql, d, declared, &uses_brackets));
  if (uses_brackets)
    return parsed;
  const parsed_statement* known = nullptr;
  if (!form.compare_exchange_strong(known, parsed.get(), std::memory_order_acq_rel))
    return {shared_, known}; // Another thread was first.
  return {shared_, parsed.release()};
}

const parsed_statement* statement::known(dialect d) const noexcept {
  return shared_ ? shared_->forms[static_cast<std::size_t>(d)].load(std::memory_order_acquire) : nullptr;
}

} // namespace sheaf
