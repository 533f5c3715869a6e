// SPDX-License-Identifier: BSD-3-Clause

#include "app/file/finding.hpp"

#include "app/base/json_text.hpp"
#include "app/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sheaf::app {

namespace {

std::string_view to_string(finding::severity x) noexcept { return x == finding::severity::error ? "error" : "warning"; }

} // namespace

std::string to_text(const finding& what, std::string_view file) {
  return fmt::format("{}:{}:{}: {}: {}", file, what.at.line, what.at.column, to_string(what.how),
                     one_line(what.message));
}

std::string to_json(const finding& what, std::string_view file) {
  std::string out = "{\"file\":";
  append_json_string(out, file);
  out += fmt::format(R"(,"line":{},"column":{},"severity":"{}","message":)", what.at.line, what.at.column,
                     to_string(what.how));
  append_json_string(out, what.message);
  return out + '}';
}

bool has_errors(const std::vector<finding>& all) noexcept {
  return std::any_of(all.begin(), all.end(), [](const finding& x) { return x.how == finding::severity::error; });
}

} // namespace sheaf::app
