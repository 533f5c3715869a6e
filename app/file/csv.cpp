// SPDX-License-Identifier: BSD-3-Clause

#include "app/file/csv.hpp"

#include "app/base/text.hpp"

#include <fmt/format.h>

namespace sheaf::app {

namespace {

failure wrong(std::size_t line, std::string_view message) {
  return {.code = errc::invalid_request, .message = fmt::format("line {}: {}", line, message)};
}

class csv_reader {
public:
  explicit csv_reader(std::string_view text) : rest_(text) {}

  bool at_end() const noexcept { return rest_.empty(); }
  std::size_t line() const noexcept { return line_; }

  /// One record, up to and with its line end.
  result<std::vector<std::optional<std::string>>> take_row() {
    std::vector<std::optional<std::string>> row;
    for (;;) {
      auto field = take_field();
      if (field.has_error())
        return std::move(field).error();
      row.push_back(std::move(*field));
      if (rest_.empty())
        return row;
      const char c = rest_.front();
      if (c != ',') {
        take_line_end();
        return row;
      }
      rest_.remove_prefix(1);
    }
  }

private:
  result<std::optional<std::string>> take_field() {
    if (!rest_.starts_with('"')) {
      const auto end = std::min(rest_.find_first_of(",\r\n"), rest_.size());
      const auto text = rest_.substr(0, end);
      rest_.remove_prefix(end);
      if (text.find('"') != text.npos)
        return wrong(line_, "a quote within a field: put the field into quotes, and this one twice");
      return text.empty() ? std::optional<std::string>{} : std::optional{std::string{text}};
    }
    const auto begun = line_;
    std::string text;
    for (rest_.remove_prefix(1);; rest_.remove_prefix(1)) {
      if (rest_.empty())
        return wrong(begun, "a quote that does not end");
      if (rest_.starts_with("\"\"")) {
        rest_.remove_prefix(1);
      } else if (rest_.front() == '"') {
        rest_.remove_prefix(1);
        if (!rest_.empty() && std::string_view{",\r\n"}.find(rest_.front()) == std::string_view::npos)
          return wrong(line_, "something behind a closing quote");
        return std::optional{std::move(text)};
      }
      line_ += rest_.front() == '\n';
      text += rest_.front();
    }
  }

  void take_line_end() {
    if (rest_.starts_with("\r\n"))
      rest_.remove_prefix(1);
    rest_.remove_prefix(1);
    ++line_;
  }

  std::string_view rest_;
  std::size_t line_ = 1;
};

std::optional<failure> check_utf8(std::string_view text) {
  std::size_t line = 1;
  while (!text.empty()) {
    const auto c = first_character(text);
    if (!c.valid || c.code == 0)
      return wrong(line, c.valid ? "a NUL character" : "it is not UTF-8");
    line += c.code == '\n';
    text.remove_prefix(c.size);
  }
  return {};
}

} // namespace

result<csv_rows> parse_csv(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf"))
    text.remove_prefix(3);
  if (auto bad = check_utf8(text))
    return std::move(*bad);
  if (text.empty())
    return wrong(1, "there is no line with the columns' names");
  csv_reader in{text};
  csv_rows out;
  auto head = in.take_row();
  if (head.has_error())
    return std::move(head).error();
  for (auto& name : *head) {
    if (!name || name->empty())
      return wrong(1, "a column without a name");
    out.columns.push_back(std::move(*name));
  }
  while (!in.at_end()) {
    const auto line = in.line();
    auto row = in.take_row();
    if (row.has_error())
      return std::move(row).error();
    if (row->size() != out.columns.size())
      return wrong(line, fmt::format("{} fields, and there are {} columns", row->size(), out.columns.size()));
    out.rows.push_back(std::move(*row));
    out.lines.push_back(line);
  }
  return out;
}

} // namespace sheaf::app
