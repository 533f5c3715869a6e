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

std::string to_text(const finding& found, std::string_view file) {
  return fmt::format("{}:{}:{}: {}: {}", file, found.at.line, found.at.column, to_string(found.how),
                     one_line(found.message));
}

std::string to_json(const finding& found, std::string_view file) {
  std::string out = "{\"file\":";
  append_json_string(out, file);
  out += fmt::format(R"(,"line":{},"column":{},"severity":"{}","message":)", found.at.line, found.at.column,
                     to_string(found.how));
  append_json_string(out, found.message);
  return out + '}';
}

bool has_errors(const std::vector<finding>& all) noexcept {
  return std::any_of(all.begin(), all.end(), [](const finding& x) { return x.how == finding::severity::error; });
}

} // namespace sheaf::app
