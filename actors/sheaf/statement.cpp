// SPDX-License-Identifier: BSD-3-Clause
//
// A statement and its parsed forms, made on first use, by whichever thread comes first, and shared by all copies; and
// their account of places, how it is kept and how it is read.

#include "sheaf/statement.hpp"

#include "sheaf/statement_effects.hpp"
#include "sheaf/statement_writer.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>

namespace sheaf {

std::size_t characters(std::string_view utf8) noexcept {
  return static_cast<std::size_t>(
      std::count_if(utf8.begin(), utf8.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

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
  mutable std::array<std::atomic<const parsed_statement*>, 2> forms{};
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

std::size_t parsed_statement::position_in_source(std::size_t position) const noexcept {
  if (position == 0)
    return 0;
  const auto at = position - 1;
  auto next = std::upper_bound(replacements.begin(), replacements.end(), at,
                               [](std::size_t x, const replacement& r) { return x < r.at_text; });
  if (next == replacements.begin())
    return position;
  const auto& last = *--next;
  const auto past = at - last.at_text;
  if (past < last.text_length)
    return last.at_source + 1;
  return last.at_source + last.source_length + (past - last.text_length) + 1;
}

void statement_writer::append_parameter(std::string_view name, std::string_view sign) {
  auto& text = out_.text;
  const auto before = characters(std::string_view{text}.substr(text_bytes_));
  const auto begin = text.size();
  text.append(sign).append(std::to_string(number_of(name)));
  text_bytes_ = text.size();
  const auto& r = out_.replacements.emplace_back(parsed_statement::replacement{
      .at_text = text_characters_ + before,
      .at_source = source_characters_ + before,
      .text_length = text_bytes_ - begin,
      .source_length = 1 + characters(name),
  });
  text_characters_ = r.at_text + r.text_length;
  source_characters_ = r.at_source + r.source_length;
}

std::size_t statement_writer::number_of(std::string_view name) {
  constexpr std::size_t few = 16;
  if (names_.size() < few) {
    const auto at = static_cast<std::size_t>(std::find(names_.begin(), names_.end(), name) - names_.begin());
    if (at == names_.size())
      names_.push_back(name);
    return at + 1;
  }
  if (numbers_.empty())
    for (std::size_t i = 0; i < names_.size(); ++i)
      numbers_.emplace(names_[i], i + 1);
  const auto [at, is_new] = numbers_.try_emplace(name, names_.size() + 1);
  if (is_new)
    names_.push_back(name);
  return at->second;
}

parsed_statement statement_writer::finish() && {
  out_.names.assign(names_.begin(), names_.end());
  out_.hash = std::hash<std::string>{}(out_.text);
  out_.effect = effect_of(out_.text);
  out_.traces = may_leave_traces(out_.text);
  out_.planned = is_planned(out_.text);
  return std::move(out_);
}

} // namespace sheaf
