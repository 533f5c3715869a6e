// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/sql/statement_writer.hpp"

#include <algorithm>
#include <functional>
#include <string>

namespace sheaf {

void statement_writer::append_parameter(std::string_view name, std::string_view sign) {
  auto& text = out_.text;
  const auto before = characters(std::string_view{text}.substr(text_bytes_));
  const auto begin = text.size();
  text.append(sign).append(std::to_string(number(name)));
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

std::size_t statement_writer::number(std::string_view name) {
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
  return std::move(out_);
}

} // namespace sheaf
